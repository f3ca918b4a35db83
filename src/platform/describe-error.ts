/**
 * What the log may know of an error: what it is and where it happened. Not its details: those of a database error tell
 * the whole row that it is about, with what people wrote.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error ? error.code : undefined;
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  // Prisma puts the arguments of the call before its last line.
  const message = error.message.trim().split("\n").at(-1);
  return {
    type: error.name,
    code,
    message,
    frames,
    cause: error.cause === undefined ? undefined : describeError(error.cause),
  };
}
