import { v7 as uuidv7 } from "uuid";
import { identityOf } from "../auth/identity.ts";
import { loadConfig } from "../config.ts";
import { joinEmbeddedPostgres } from "../embedded-postgres/server.ts";
import { runProgram } from "../platform/command-line.ts";
import { openDatabase } from "../store/database.ts";
import { migrate } from "../store/migrate.ts";

await runProgram(main);

/** `npm run workspace -- <name> <email> [<admin name>]`: creates a workspace and its first admin. */
async function main(): Promise<void> {
  const [name, given = "", agentName = given.split("@")[0] ?? ""] = process.argv.slice(2);
  const email = identityOf(given);
  if (name === undefined || email === null || !email.includes("@")) {
    console.error(
      'Usage: npm run workspace -- <name> <email> [<admin name>]   (npm run workspace -- "Acme" admin@acme.example "Ada")',
    );
    process.exit(1);
  }

  const config = loadConfig(process.env);
  const postgres =
    config.databaseUrl === undefined ? await joinEmbeddedPostgres({ dataDir: config.dataDir, log: () => {} }) : null;
  const database = openDatabase(config.databaseUrl ?? postgres?.url ?? "", { poolSize: 1, onError: () => {} });
  try {
    await migrate(database.pool);
    if ((await database.prisma.agent.count({ where: { email } })) > 0) {
      console.error(`${email} is already an agent. An address belongs to one workspace only.`);
      process.exitCode = 1;
    } else {
      const createdAt = new Date();
      await database.prisma.workspace.create({
        data: {
          id: uuidv7(),
          name,
          createdAt,
          logHead: { create: {} },
          agents: { create: { id: uuidv7(), name: agentName, email, role: "ADMIN", createdAt } },
        },
      });
      console.log(`Created the workspace ${name} with the admin ${email}.`);
    }
  } finally {
    await database.close();
    await postgres?.stop();
  }
}
