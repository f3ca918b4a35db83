/**
 * `npm run soak`: the kill test for two minutes (see killing.ts), on a PostgreSQL of its own. The test suite runs it
 * shorter. A seed as argument repeats the choices, though not their timing.
 */
import pg from "pg";
import { startTemporaryPostgres } from "../src/embedded-postgres/server.ts";
import { migrate } from "../src/store/migrate.ts";
import { randomFrom } from "../test/support/random.ts";
import { killingRun } from "./killing.ts";

const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
console.log(`Kill test for two minutes, seed ${seed} …`);
const postgres = await startTemporaryPostgres();
try {
  const pool = new pg.Pool({ connectionString: postgres.url });
  await migrate(pool);
  await pool.end();
  const { violations, ...report } = await killingRun({
    databaseUrl: postgres.url,
    contacts: 500,
    duration: 120_000,
    killEvery: 5_000,
    drain: 60_000,
    random: randomFrom(seed),
  });
  console.log(report);
  for (const violation of violations) console.log(violation);
  console.log(violations.length === 0 ? "All rules held." : `${violations.length} violations.`);
  process.exitCode = violations.length === 0 ? 0 : 1;
} finally {
  await postgres.stop();
}
