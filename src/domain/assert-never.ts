/** Makes a switch exhaustive: a missing case is a type error, and throws at run time. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected case: ${JSON.stringify(value)}`);
}
