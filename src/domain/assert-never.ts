/** Closes an exhaustive switch: a case that was forgotten is a type error, and a loud one at run time. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected case: ${JSON.stringify(value)}`);
}
