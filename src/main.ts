import pino from "pino";
import { type App, startApp } from "./app.ts";
import { authSecret } from "./auth/secret.ts";
import { signAgentToken } from "./auth/token.ts";
import { type Config, loadConfig } from "./config.ts";
import { demoAgents, demoChannelIds, demoSpammer, hasDemoWorkspace } from "./demo/workspace.ts";
import { systemClock } from "./platform/clock.ts";
import { ProgramError, runProgram } from "./platform/command-line.ts";
import { stopSignal } from "./platform/stop-signal.ts";

/** Time limit of a shutdown, in milliseconds; after that the process exits with code 1. */
const STOP_WITHIN = 14_000;

await runProgram(main);

async function main(): Promise<void> {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 24)
    throw new ProgramError(`Deskgate needs Node 24, but this is ${process.version}. Start it with: npm start`);

  const config = loadConfig(process.env);
  const logger = pino({ level: config.logLevel });
  const stopRequested = stopSignal();
  const app = await startApp({ config, logger });
  // A parent process that forked this one prints its own welcome, and only needs the URL.
  if (process.send === undefined) console.log(await welcome(app, config));
  else process.send(app.url);
  const reason = await stopRequested;
  logger.info({ reason }, "stopping");
  setTimeout(() => {
    logger.fatal("shutdown timed out; exiting");
    process.exit(1);
  }, STOP_WITHIN).unref();
  await app.stop();
  // A component that did not stop in time must not keep the process alive.
  process.exit();
}

async function welcome(app: App, config: Config): Promise<string> {
  const lines = [
    "",
    "Deskgate is ready.",
    "",
    `  Links and docs     ${app.url}`,
    `  API and GraphiQL   ${app.url}/graphql`,
  ];
  if (config.jwks !== undefined || !(await hasDemoWorkspace(app.database))) return [...lines, ""].join("\n");
  const [ada] = demoAgents;
  const token = await signAgentToken(await authSecret(config), ada.email, systemClock.now());
  lines.push(
    `  Write as LINE user ${app.url}/demo/line`,
    `  LINE webhook       ${app.url}/webhooks/line/${demoChannelIds.line}`,
    `  Web chat           ${app.url}/chat/${demoChannelIds.webChat}/sessions`,
    "",
    `  Token of ${ada.email} (others: npm run -s token -- ben@demo.test):`,
    "",
    token,
  );
  const contact = await demoSpammer(app.database);
  if (contact !== null) {
    const query = `mutation { blockContact(input: { contactId: "${contact.id}", notes: "Spam" }) { __typename ... on BlockContactSuccess { changed contact { name status } endedConversations { status } } } }`;
    lines.push(
      "",
      `  Block ${contact.name}, who sends spam:`,
      "",
      `curl -s ${app.url}/graphql -H 'content-type: application/json' -H 'authorization: Bearer ${token}' -d '${JSON.stringify({ query })}'`,
    );
  }
  return [...lines, ""].join("\n");
}
