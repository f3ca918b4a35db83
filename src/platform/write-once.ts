import { link, readFile, rm, writeFile } from "node:fs/promises";

/**
 * Returns the content of a file; creates it with `content` first if it does not exist.
 *
 * Concurrent processes all get what the first one wrote. A process that is killed leaves no partial file.
 *
 * @param mode permission bits of a new file; by default only its owner may read it
 */
export async function writeOnce(file: string, content: string, mode = 0o600): Promise<string> {
  const draft = `${file}.${crypto.randomUUID()}`;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  try {
    await writeFile(draft, content, { mode, flush: true });
    // A link, because a rename would replace a file that another process has just created.
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, "utf8");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
