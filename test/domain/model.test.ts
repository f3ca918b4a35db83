import process from "node:process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { evolve } from "../../src/domain/contact-channel.ts";
import { must, newContactChannel } from "./cast.ts";
import { channels } from "./model/channels.ts";
import { report, toCommand } from "./model/core.ts";
import { Laws } from "./model/laws.ts";
import { Model } from "./model/model.ts";
import type { Kind } from "./model/sending.ts";
import { instant, lookUp, type Step, walk } from "./model/steps.ts";
import { contactChannel } from "./support.ts";

/** The minimum number of commands that a run compares. */
const COMMANDS = 250_000;

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
  "S1 several messages travel together": /lease \d+,\d+/,
  "S1 a menu is the last": /lease \d+(,\d+)* #1 [\s\S]*pending \d+ SENDING(,\d+ SENDING)?,\d+ QUEUED/,
  "S1 nothing is leased": /^lease: accepted, unchanged/,
  "S2 a lost lease is tried again": /^(lease|expire): [\s\S]*SENDING→QUEUED/,
  "S2 a lease is lost after a block": /^(lease|expire): [\s\S]*SENDING→FAILED OUTCOME_UNKNOWN[\s\S]*standing: block \d/,
  "S2 a late failure changes nothing": /^settle (FAILED|AGAIN|NOT_BEGUN): accepted, unchanged/,
  "S2 a late success of what is queued again": /QUEUED→SENT/,
  "S2 a late success of what was given up": /(FAILED|CANCELED)→SENT/,
  "S2 a late success while another attempt is open": /^settle SENT: [\s\S]*→SENT[\s\S]*until \d+, due/,
  "S3 a reply": /lease [\d,]+ #1 reply/,
  "S3 a push": /lease [\d,]+ #1 push/,
  "S3 the same reply again": /lease [\d,]+ #[2-9] reply .* [1-9] failures/,
  "S3 the same push again": /lease [\d,]+ #[2-9] push [1-9] failures/,
  "S4 a message expires": /→FAILED EXPIRED/,
  "S5 a reply is not sent twice": /^settle AGAIN: [\s\S]*SENDING→FAILED OUTCOME_UNKNOWN/,
  "S5 a token dies before the same reply could be sent again": /^(lease|expire): [\s\S]*QUEUED→FAILED OUTCOME_UNKNOWN/,
  "S5 an invalid token becomes a push": /^settle INVALID_REPLY_TOKEN: [\s\S]*SENDING→QUEUED/,
  "S5 an invalid token counts as delivered": /^settle INVALID_REPLY_TOKEN: [\s\S]*SENDING→SENT/,
  "S6 a block finds an open lease": /^block: .* is open since/,
  "S6 what was to be repeated is canceled": /^block: [\s\S]*QUEUED→CANCELED OUTCOME_UNKNOWN/,
  "S6 what had begun is not repeated": /^settle AGAIN: [\s\S]*SENDING→CANCELED/,
  "S6 what had begun is sent": /^settle SENT: [\s\S]*SENDING→SENT[\s\S]*standing: block \d/,
  "S7 the outcome comes later": /^settle TAKEN: accepted, changed/,
  "S8 a retry": /^retry: accepted, changed/,
  "S8 a repeated retry": /^retry: accepted, unchanged/,
  "S8 a retry that might duplicate": /^retry: invalid acceptDuplicate/,
  "S8 a retry while blocked": /^retry: blocked by/,
  "S8 a retry of what did not fail, or in another conversation": /^retry: invalid transition/,
  "S8 a cancellation": /^cancel: accepted/,
  "S8 a cancellation of what is not queued": /^cancel: invalid transition/,
} satisfies Record<string, RegExp>;

test("the core agrees with a much simpler model, command by command", { timeout: 120_000 }, () => {
  const uncovered = new Map(Object.entries(cases).map(([name, pattern]) => [name, { pattern, times: 100 }]));
  let commands = 0;
  const agrees = fc.property(
    fc.constantFrom(...Object.keys(channels)),
    fc.constantFrom<Kind>("LINE", "LINE", "LINE", "CUSTOM", "WEB_CHAT"),
    walk,
    (channel, kind, steps) => {
      for (const result of run(channel, kind, steps)) {
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
function run(channel: string, kind: Kind, steps: readonly Step[]): readonly string[] {
  const { flows, automation } = must(channels[channel]);
  const model = new Model(automation, kind);
  const desk = contactChannel({ flows, kind });
  // A quarter of the runs execute every command on a second desk.
  const replica = steps.length % 4 === 0 ? contactChannel({ flows, kind }) : null;
  const laws = new Laws(desk);
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
    desk.at(clock).do(command);
    replica?.at(clock).do(command);

    const expected = model.perform(act, clock);
    const actual = report(desk);
    if (actual !== expected) expect(describeRun(acts, actual)).toBe(describeRun(acts, expected));
    const fault = laws.broken(act);
    if (fault !== null) expect.fail(describeRun(acts, `${actual}\n\nBut ${fault}`));
    reports.push(`${act.do}${act.do === "settle" ? ` ${act.outcome.type}` : ""}: ${actual}`);
  }
  const { log, state } = desk;
  expect(
    { ...log.reduce(evolve, { ...newContactChannel, channelKind: kind }), clock: state.clock },
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

/** The commands so far and the result of the last one: everything needed to understand a failure. */
function describeRun(acts: readonly object[], outcome: string): string {
  return `${acts.map((act) => JSON.stringify(act)).join("\n")}\n\n${outcome}\n`;
}
