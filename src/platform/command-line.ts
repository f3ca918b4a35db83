import { ConfigError } from "../config.ts";

/** Runs a program. What is wrong with its settings is said in words, whatever nobody expected with its trace. */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exit(1);
  }
}
