import { link, readFile, rm, writeFile } from "node:fs/promises";

/**
 * Returns what a file holds, after keeping `content` in it if there was no such file.
 *
 * Processes that do this at once all get what the first one wrote; one that is killed half way leaves no part of it.
 *
 * @param mode who may read the file: only its owner, unless said otherwise
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
    // A link, because a rename would replace what another process has written meanwhile.
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
