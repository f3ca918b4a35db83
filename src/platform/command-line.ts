import { ConfigError } from "../config.ts";

/** A failure that its message explains to the operator. */
export class ProgramError extends Error {}

/** Runs a program. Expected failures and faulty settings are printed as a message, unexpected errors with their stack. */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof ConfigError || error instanceof ProgramError ? error.message : error);
    process.exit(1);
  }
}
