/**
 * Serializes an error for the log: type, code, message, stack frames and cause. Other properties are left out, because
 * the details of a database error contain the whole row, including message text.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = "code" in error ? error.code : undefined;
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  // Prisma's messages contain the arguments of the call, before the last line.
  const message = error.message.trim().split("\n").at(-1);
  return {
    type: error.name,
    code,
    message,
    frames,
    cause: error.cause === undefined ? undefined : describeError(error.cause),
  };
}
