import process from "node:process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allowedContactChannelActions,
  allowedConversationActions,
  type ContactChannelAction,
  type ConversationAction,
  contactChannelActions,
  conversationActions,
  type Requester,
  type Standing,
} from "../../src/domain/allowed-actions.ts";
import type { RequestedCommand } from "../../src/domain/command.ts";
import { dueAt } from "../../src/domain/contact-channel.ts";
import type { ConversationStatus } from "../../src/domain/conversation.ts";
import { decide } from "../../src/domain/decide.ts";
import type { Instant } from "../../src/domain/id.ts";
import { ada, ben, must, nth, partner, seconds } from "./cast.ts";
import type { Act, Agent } from "./model/act.ts";
import { channels } from "./model/channels.ts";
import { toCommand } from "./model/core.ts";
import { Model } from "./model/model.ts";
import { instant, lookUp, type Step, walk } from "./model/steps.ts";
import { contactChannel, type Desk, deskIn } from "./support.ts";

type Permits = Requester["permits"];
const everything: Permits = () => true;
const agents: readonly Agent[] = ["ada", "ben", "cyd"];

function requester(name: string, permits: Permits = everything): Requester {
  const actor = name === "partner" ? partner : { ...ada, id: name === "ada" ? ada.id : ben.id };
  if (actor.type !== "Agent" && actor.type !== "ApiKey") throw new Error(`${name} cannot ask`);
  return { actor, permits };
}

/** What is asked about one conversation of the desk, counted from 1, or about the ongoing one. */
function standing({ state, conversations }: Desk, conversation?: number): Standing {
  const { clock, channelArchived, block } = state;
  return {
    clock,
    channelArchived,
    block: block && { id: block.id, expiresAt: block.expiresAt },
    conversation: conversation === undefined ? state.conversation : nth(conversations, conversation),
  };
}

function onConversation(desk: Desk, by: Requester, now = desk.now, number = desk.conversations.length) {
  return allowedConversationActions(standing(desk, number), nth(desk.conversations, number).id, by, now);
}

describe("the actions on a conversation", () => {
  const table: Record<ConversationStatus, { ada: ConversationAction[]; ben: ConversationAction[] }> = {
    BOT: { ada: ["REPLY", "TAKE", "END"], ben: ["REPLY", "TAKE", "END"] },
    WAITING: { ada: ["REPLY", "TAKE", "OFFER", "END"], ben: ["REPLY", "TAKE", "OFFER", "END"] },
    ASSIGNING: { ada: ["REPLY", "TAKE", "END"], ben: ["REPLY", "TAKE", "ACCEPT", "DECLINE", "END"] },
    ACTIVE: { ada: ["REPLY", "TAKE", "TRANSFER", "END"], ben: ["REPLY", "TAKE", "TRANSFER", "END"] },
    ENDED: { ada: [], ben: [] },
    BLOCKED: { ada: [], ben: [] },
  };

  test.each(Object.entries(table))("C3: %s", (status, expected) => {
    const desk = must(Object.entries(deskIn).find(([name]) => name === status))[1]();
    expect({ ada: onConversation(desk, requester("ada")), ben: onConversation(desk, requester("ben")) }).toEqual(
      expected,
    );
  });

  test("C3: an offer counts until it lapses, recorded or not", () => {
    const desk = deskIn.ASSIGNING();
    expect(onConversation(desk, requester("ben"), seconds(60) - 1)).toContain("ACCEPT");
    expect(onConversation(desk, requester("ben"), seconds(60))).toEqual(["REPLY", "TAKE", "OFFER", "END"]);
  });

  test("C4: a key takes, accepts and declines nothing", () => {
    expect(onConversation(deskIn.WAITING(), requester("partner"))).toEqual(["REPLY", "OFFER", "END"]);
    expect(onConversation(deskIn.ACTIVE(), requester("partner"))).toEqual(["REPLY", "TRANSFER", "END"]);
  });

  test("only what the permissions include", () => {
    const replies: Permits = (command) => ["SendMessage", "EndConversation"].includes(command);
    expect(onConversation(deskIn.WAITING(), requester("ada", replies))).toEqual(["REPLY", "END"]);
    expect(
      onConversation(
        deskIn.WAITING(),
        requester("ada", () => false),
      ),
    ).toEqual([]);
  });
});

describe("the actions on a ContactChannel", () => {
  const onChannel = (desk: Desk, now = desk.now, by = requester("ada")) =>
    allowedContactChannelActions(standing(desk), by, now);

  test("B6, U5: blocking and unblocking are always allowed", () => {
    expect(onChannel(contactChannel().inbound("hi"))).toEqual(["BLOCK", "UNBLOCK"]);
    expect(onChannel(contactChannel().event("follow"))).toEqual(["BLOCK", "UNBLOCK", "START"]);
    expect(onChannel(contactChannel().inbound("hi").block())).toEqual(["BLOCK", "UNBLOCK", "UPDATE_BLOCK"]);
    expect(onChannel(contactChannel().inbound("hi").block().unblock())).toEqual(["BLOCK", "UNBLOCK", "START"]);
  });

  test("B8: a block counts until it expires, recorded or not", () => {
    const desk = contactChannel()
      .inbound("hi")
      .block({ until: seconds(10) });
    expect(onChannel(desk, seconds(10) - 1)).toEqual(["BLOCK", "UNBLOCK", "UPDATE_BLOCK"]);
    expect(onChannel(desk, seconds(10))).toEqual(["BLOCK", "UNBLOCK", "START"]);
  });

  test("O1: a clock that runs behind the last decision does not bring a block back", () => {
    const desk = contactChannel()
      .inbound("hi")
      .block({ until: seconds(10) });
    const behind = { ...standing(desk), clock: seconds(10) };
    expect(allowedContactChannelActions(behind, requester("ada"), seconds(9))).toContain("START");
  });

  test("only what the permissions include", () => {
    const desk = contactChannel().inbound("hi").block();
    const blocks: Permits = (command) => command === "Block" || command === "UpdateBlock";
    expect(onChannel(desk, desk.now, requester("partner", blocks))).toEqual(["BLOCK", "UPDATE_BLOCK"]);
  });
});

/** Commands compared by the property below. */
const COMPARISONS = 200_000;

test("an allowed action is never refused in the same state, and any other always is", { timeout: 60_000 }, () => {
  const met = new Map<string, number>();
  let comparisons = 0;
  const types: readonly RequestedCommand["type"][] = [
    "SendMessage",
    "StartConversation",
    "TakeConversation",
    "OfferConversation",
    "AcceptConversation",
    "DeclineConversation",
    "TransferConversation",
    "EndConversation",
    "Block",
    "Unblock",
    "UpdateBlock",
  ];
  const permitted = fc.oneof(
    { weight: 3, arbitrary: fc.constant([...types]) },
    { weight: 1, arbitrary: fc.subarray([...types]) },
  );
  const agrees = fc.property(
    fc.constantFrom(...Object.keys(channels)),
    walk,
    fc.constantFrom("ada", "ben", "partner"),
    permitted,
    fc.integer({ min: -10, max: 90_000 }),
    // Rarely, so that the other cases are met as often.
    fc.integer({ min: 1, max: 8 }).map((n) => n === 1),
    (channel, steps, name, permissions, later, channelArchived) => {
      const desk = reached(channel, steps);
      desk.state = { ...desk.state, channelArchived };
      const by = requester(name, (type) => permissions.includes(type));
      const due = dueAt(desk.state);
      for (const now of [desk.now, desk.now + later, ...(due === null ? [] : [due - 1, due])]) {
        const expected = (acts: readonly Act[]) =>
          acts
            .map((act) => toCommand(act, desk))
            .some((command) => by.permits(typeOf(command)) && isAccepted(desk, command, now));
        for (let conversation = 1; conversation <= desk.conversations.length; conversation++) {
          const allowed = onConversation(desk, by, now, conversation);
          const wanted = conversationActions.filter((action) => expected(actsOn(action, name, conversation)));
          if (allowed.join() !== wanted.join()) expect(allowed).toEqual(wanted);
          count(conversationActions, allowed);
        }
        const allowed = allowedContactChannelActions(standing(desk), by, now);
        const wanted = contactChannelActions.filter((action) => expected(actsOnChannel(action, name, desk)));
        if (allowed.join() !== wanted.join()) expect(allowed).toEqual(wanted);
        count(contactChannelActions, allowed);
      }

      function count(all: readonly string[], allowed: readonly string[]): void {
        for (const action of all) {
          const corner = `${action} ${allowed.includes(action) ? "allowed" : "refused"}`;
          met.set(corner, (met.get(corner) ?? 0) + 1);
          comparisons++;
        }
      }
    },
  );
  const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };
  while (comparisons < COMPARISONS) fc.assert(agrees, { numRuns: 250, ...seed });

  const rare = [...conversationActions, ...contactChannelActions]
    .flatMap((action) => [`${action} allowed`, `${action} refused`])
    .filter((corner) => corner !== "NOTE allowed" && (met.get(corner) ?? 0) < 20);
  expect(rare, "corners that were met less than 20 times").toEqual([]);
  expect(met.get("NOTE allowed")).toBeUndefined();
});

/** The desk after these steps; the model only looks up what they name. */
function reached(channel: string, steps: readonly Step[]): Desk {
  const { flows, automation } = must(channels[channel]);
  const model = new Model(automation, "LINE");
  const desk = contactChannel({ flows });
  let clock = 0;
  for (const each of steps) {
    if (each.do === "wait") {
      clock = Math.max(instant(each.until, model, clock) ?? clock, clock - 10);
      continue;
    }
    const act = lookUp(each, model, clock);
    if (act === null) continue;
    desk.at(clock).do(toCommand(act, desk));
    model.perform(act, clock);
  }
  return desk.at(clock);
}

/** What the whole state decides, with everything that the store knows. */
function isAccepted(desk: Desk, command: ReturnType<typeof toCommand>, now: Instant): boolean {
  const { flows, state } = desk;
  const { result } = decide(state, command, { now, newId: () => "new", flows, facts: desk.factsFor(command) });
  return result.type === "Accepted";
}

function typeOf(command: ReturnType<typeof toCommand>): RequestedCommand["type"] {
  switch (command.type) {
    case "ReceiveInbound":
    case "CloseArchived":
    case "RetryMessage":
    case "CancelMessage":
    case "ShowLoading":
    case "LeaseOutbound":
    case "SettleOutbound":
    case "ExpireOutbound":
    case "RunDue":
      throw new Error(`No viewer sends ${command.type}`);
    default:
      return command.type;
  }
}

/** Every way in which this action can be asked for. */
function actsOn(action: ConversationAction, by: string, conversation: number): readonly Act[] {
  const agent = agents.find((each) => each === by);
  const own = agent === undefined ? [] : [{ by: agent, conversation }];
  switch (action) {
    case "REPLY":
      return [{ do: "send", by, conversation, text: "Hi" }];
    case "TAKE":
      return own.map((given) => ({ do: "take", ...given }));
    case "OFFER":
      return agents.map((to) => ({ do: "offer", by, to, conversation }));
    case "ACCEPT":
      return own.map((given) => ({ do: "accept", ...given }));
    case "DECLINE":
      return own.map((given) => ({ do: "decline", ...given }));
    case "TRANSFER":
      return [
        { do: "requeue", by, conversation },
        ...agents.map((to): Act => ({ do: "transfer", by, to, conversation })),
      ];
    case "END":
      return [{ do: "end", by, conversation }];
    case "NOTE":
      return [];
  }
}

function actsOnChannel(action: ContactChannelAction, by: string, desk: Desk): readonly Act[] {
  switch (action) {
    case "BLOCK":
      return [{ do: "block", by, notes: "spam", until: null }];
    case "UNBLOCK":
      return [{ do: "unblock", by, notes: null }];
    case "UPDATE_BLOCK":
      return desk.blockIds.map((_, index) => ({ do: "update", by, block: index + 1, notes: "rude", until: undefined }));
    case "START":
      return [{ do: "start", by, text: "Hi" }];
  }
}
