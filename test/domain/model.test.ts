import process from "node:process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { evolve } from "../../src/domain/contact-channel.ts";
import { isOngoing } from "../../src/domain/conversation.ts";
import { must, newContactChannel } from "./cast.ts";
import { channels } from "./model/channels.ts";
import { report, toCommand } from "./model/core.ts";
import { Model } from "./model/model.ts";
import { instant, lookUp, type Step, step } from "./model/steps.ts";
import { contactChannel, type Desk } from "./support.ts";

/** The minimum number of commands that a run compares. */
const COMMANDS = 100_000;

/** Cases that a run must cover many times for its result to be meaningful. */
const cases = {
  "B3 a block ends a conversation": /→BLOCKED/,
  "B4 a block cancels queued messages": /QUEUED→CANCELED/,
  "B6 a block changes nothing": /^block: accepted, unchanged/,
  "B8 a block expires": /EXPIRED/,
  "D1 a message is suppressed": /while blocked, counts for \d/,
  "D2 a message has no conversation": /^entry \d+ in null by contact: \w+ null .* while blocked/m,
  "D5 a path to the contact is refused": /: blocked by/,
  "D6 the contact is unreachable": /unreachable/,
  "D7 an unwritten message is canceled": /SENDING→CANCELED/,
  "U2 a message after a block starts a chatbot": /conversation [2-9]\d* null→BOT/,
  "U4 a message from during a block arrives after it":
    /while blocked, counts for \d+ quiet [\s\S]*standing: block undefined/,
  "U4 a message from before a block arrives after it": /freely quiet/,
  "C3 an offer lapses": /ASSIGNING→WAITING by system/,
  "C3 an offer is accepted": /ASSIGNING→ACTIVE/,
  "C3 a chatbot hands over": /BOT→WAITING by bot/,
  "C3 an invalid transition": /: invalid transition/,
  "O3 a repetition": /^receive: accepted, unchanged/,
  "O6 a message is unsent": /^unsent/m,
} satisfies Record<string, RegExp>;

test("the core agrees with a much simpler model, command by command", { timeout: 120_000 }, () => {
  const uncovered = new Map(Object.entries(cases).map(([name, pattern]) => [name, { pattern, times: 100 }]));
  let commands = 0;
  const agrees = fc.property(
    fc.constantFrom(...Object.keys(channels)),
    fc.array(step, { maxLength: 100, size: "max" }),
    (channel, steps) => {
      for (const result of run(channel, steps)) {
        commands++;
        for (const [name, left] of uncovered) {
          if (left.pattern.test(result) && --left.times === 0) uncovered.delete(name);
        }
      }
    },
  );

  // A failure prints its seed; `SEED=<seed> npx vitest run test/domain/model.test.ts` repeats it.
  const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };
  while (commands < COMMANDS) fc.assert(agrees, { numRuns: 250, ...seed });

  expect([...uncovered.keys()], "cases covered less than 100 times").toEqual([]);
});

/** Runs the same commands on both, compares after each, and returns the effects of each command. */
function run(channel: string, steps: readonly Step[]): readonly string[] {
  const { flows, automation } = must(channels[channel]);
  const model = new Model(automation);
  const desk = contactChannel({ flows });
  // A quarter of the runs execute every command on a second desk.
  const replica = steps.length % 4 === 0 ? contactChannel({ flows }) : null;
  const acts: object[] = [];
  const reports: string[] = [];
  let clock = 0;
  for (const each of steps) {
    if (each.do === "wait") {
      // The clock may also go backwards a little.
      clock = Math.max(instant(each.until, model, clock) ?? clock, clock - 10);
      continue;
    }
    const act = lookUp(each, model, clock);
    if (act === null) continue;
    acts.push({ at: clock, ...act });
    const command = toCommand(act, desk);
    const eventsBefore = desk.log.length;
    desk.at(clock).do(command);
    replica?.at(clock).do(command);

    const expected = model.perform(act, clock);
    const actual = report(desk);
    if (actual !== expected) expect(describeRun(acts, actual)).toBe(describeRun(acts, expected));
    const fault = brokenInvariant(desk, eventsBefore);
    if (fault !== null) expect.fail(describeRun(acts, `${actual}\n\nBut ${fault}`));
    reports.push(`${act.do}: ${actual}`);
  }
  const { log, state } = desk;
  expect(
    { ...log.reduce(evolve, newContactChannel), clock: state.clock },
    "the state is the fold of the events",
  ).toEqual(state);
  if (replica !== null) {
    const same = JSON.stringify([replica.log, replica.state]) === JSON.stringify([log, state]);
    expect(same, "the same commands get the same decisions").toBe(true);
  }
  expect(desk.suppressed).toEqual(model.blocks.map((block) => model.suppressedBy(block)));
  expect(desk.messages.map((each) => each.deliveryStatus)).toEqual(model.entries.map((each) => each.delivery));
  expect(desk.messages.map((each) => each.unsentAt)).toEqual(model.entries.map((each) => each.unsentAt));
  return reports;
}

/** Checks the invariants after a command; `eventsBefore` is the number of events before it. */
function brokenInvariant(
  { state, emitted, result, log, conversations, messages }: Desk,
  eventsBefore: number,
): string | null {
  if (state.block !== null && state.conversation !== null) return "an ongoing conversation exists while blocked (B3)";
  const ongoing = conversations.filter((each) => isOngoing(each.status)).map((each) => each.id);
  if (ongoing.join() !== (state.conversation?.id ?? ""))
    return "the ongoing conversations are not exactly that of the state (C2)";
  if (messages.at(-1)?.seq !== (messages.length || undefined)) return "the timeline has a gap (D1)";
  let previous = log[eventsBefore - 1]?.occurredAt ?? Number.NEGATIVE_INFINITY;
  for (const [index, event] of emitted.entries()) {
    if (event.occurredAt < previous) return "the times of the events decrease (O1)";
    previous = event.occurredAt;
    const byTime =
      event.actor.type === "System" && (event.type === "BlockLifted" || event.type === "ConversationChanged");
    if (!byTime && result.type !== "Accepted") return `a refused command emitted ${event.type}`;
    if (event.type === "BlockLifted" && event.cause === "EXPIRED" && index !== 0)
      return "an expiry is not the first event (B8)";
  }
  return null;
}

/** The commands so far and the result of the last one: everything needed to understand a failure. */
function describeRun(acts: readonly object[], outcome: string): string {
  return `${acts.map((act) => JSON.stringify(act)).join("\n")}\n\n${outcome}\n`;
}
