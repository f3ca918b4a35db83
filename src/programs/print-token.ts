import { identityOf } from "../auth/identity.ts";
import { authSecret } from "../auth/secret.ts";
import { signAgentToken } from "../auth/token.ts";
import { loadConfig } from "../config.ts";
import { systemClock } from "../platform/clock.ts";
import { runProgram } from "../platform/command-line.ts";

await runProgram(main);

async function main(): Promise<void> {
  const [given] = process.argv.slice(2);
  const email = identityOf(given ?? "");
  if (email === null || !email.includes("@")) {
    console.error("Usage: npm run -s token -- <email>   (demo: ada@demo.test, ben@demo.test, vic@demo.test)");
    process.exit(1);
  }
  const config = loadConfig(process.env);
  if (config.jwks !== undefined) {
    console.error("AUTH_JWKS_URL is set: get tokens from your identity provider.");
    process.exit(1);
  }
  console.log(await signAgentToken(await authSecret(config), email, systemClock.now()));
}
