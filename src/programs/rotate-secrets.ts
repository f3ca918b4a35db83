import { secretBox } from "../auth/secret-box.ts";
import { loadConfig } from "../config.ts";
import { joinEmbeddedPostgres } from "../embedded-postgres/server.ts";
import { runProgram } from "../platform/command-line.ts";
import { channelSecrets } from "../store/channel-secrets.ts";
import { openDatabase } from "../store/database.ts";
import { migrate } from "../store/migrate.ts";

await runProgram(main);

/**
 * `npm run rotate-secrets`: encrypts every stored secret with the first key of SECRETS_KEY, whether the server runs or
 * not. A command and not part of the start, because instances that do not have the new key yet could not read them.
 */
async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const postgres =
    config.databaseUrl === undefined ? await joinEmbeddedPostgres({ dataDir: config.dataDir, log: () => {} }) : null;
  const database = openDatabase(config.databaseUrl ?? postgres?.url ?? "", { poolSize: 1, onError: () => {} });
  try {
    await migrate(database.pool);
    const secrets = channelSecrets(database, await secretBox(config), (channelId, column, error) =>
      console.error(`Channel ${channelId}: ${column} cannot be decrypted. ${error.message}`),
    );
    const { sealed, unreadable } = await secrets.rotate();
    console.log(`Encrypted ${sealed} secrets with the first key.`);
    if (unreadable > 0) {
      console.error(`${unreadable} secrets cannot be decrypted with any key. They are unchanged; keep the old keys.`);
      process.exitCode = 1;
    }
  } finally {
    await database.close();
    await postgres?.stop();
  }
}
