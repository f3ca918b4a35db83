/**
 * Runs Deskgate in a process of its own, which a test can kill. Started by `fork`: it reports its URL, and advances its
 * clock by the milliseconds that it is sent.
 */
import pino from "pino";
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { testClock } from "./clock.ts";

const clock = testClock(Number(process.env.CLOCK));
const config = loadConfig(process.env);
const app = await startApp({ config, logger: pino({ level: config.logLevel }), clock });
process.on("message", (milliseconds) => clock.advance(Number(milliseconds)));
process.on("disconnect", () => process.exit());
process.send?.(app.url);
