import { ConfigError } from "../config.ts";

/** An expected failure whose message is enough for the operator, so no stack is printed. */
export class ProgramError extends Error {}

/**
 * Runs a program's main function. On failure it prints the message of an expected failure or configuration error, or
 * the stack of an unexpected error, and exits with code 1.
 */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof ConfigError || error instanceof ProgramError ? error.message : error);
    process.exit(1);
  }
}
