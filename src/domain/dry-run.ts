import type { RequestedCommand } from "./command.ts";
import type { ContactChannel } from "./contact-channel.ts";
import { type Decision, decide } from "./decide.ts";
import type { Instant } from "./id.ts";
import { noFacts } from "./turn.ts";

/** Decides what a command would do at `now`, to be looked at and thrown away: new ids in the result are placeholders. */
export function dryRun(state: ContactChannel, command: RequestedCommand, now: Instant): Decision {
  return decide(state, command, { now, newId: () => "", flows: [], facts: noFacts });
}
