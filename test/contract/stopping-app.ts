/** A process that runs the app on the given database, sends its URL, and stops the app on a message; it never calls exit. */
import pino from "pino";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";

const [url = "", secret = ""] = process.argv.slice(2);
const app = await startApp({
  config: loadConfig({ DATABASE_URL: url, PORT: "0", AUTH_SECRET: secret, DEMO: "false", LOG_LEVEL: "silent" }),
  logger: pino({ level: "silent" }),
});
process.once("message", async () => {
  await app.stop();
  process.disconnect();
});
process.send?.(app.url);
