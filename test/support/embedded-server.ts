/** A process that starts the embedded PostgreSQL of the given folder, sends its URL, and runs until it is killed. */
import { startEmbeddedPostgres } from "../../src/embedded-postgres/server.ts";

process.on("SIGINT", () => process.send?.("interrupted"));

const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? "", log: () => {} });
process.send?.(postgres.url);
