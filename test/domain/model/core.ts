import type { Command, InboundEntry } from "../../../src/domain/command.ts";
import { dueAt } from "../../../src/domain/contact-channel.ts";
import type { Conversation } from "../../../src/domain/conversation.ts";
import type { DomainEvent } from "../../../src/domain/event.ts";
import type { MessageId } from "../../../src/domain/id.ts";
import type { Message } from "../../../src/domain/message.ts";
import type { DeliveryCall, DeliveryOutcome } from "../../../src/domain/outbox.ts";
import type { Accepted } from "../../../src/domain/turn.ts";
import { type AgentActor, ada, ben, cyd, nameOf, nth, partner } from "../cast.ts";
import type { Desk } from "../support.ts";
import type { Act } from "./act.ts";
import type { Outcome } from "./sending.ts";
import { accepted, agentsOf, describe, invalidTransition, standing } from "./transcript.ts";

/** Converts an act to a command of the core. */
export function toCommand(act: Act, desk: Desk): Command {
  switch (act.do) {
    case "receive":
      return { type: "ReceiveInbound", entry: toEntry(act) };
    case "block":
      return { type: "Block", actor: actorOf(act.by), notes: act.notes, expiresAt: act.until };
    case "unblock":
      return { type: "Unblock", actor: actorOf(act.by), notes: act.notes };
    case "update": {
      const change = {
        ...(act.notes === undefined ? {} : { notes: act.notes }),
        ...(act.until === undefined ? {} : { expiresAt: act.until }),
      };
      return { type: "UpdateBlock", actor: actorOf(act.by), blockId: nth(desk.blockIds, act.block), ...change };
    }
    case "start":
      return { type: "StartConversation", actor: actorOf(act.by), text: act.text };
    case "lease":
      return { type: "LeaseOutbound" };
    case "expire":
      return { type: "ExpireOutbound" };
    case "settle": {
      const { messageIds, attempt } = nth(desk.leases, act.call);
      return { type: "SettleOutbound", messageIds, attempt, outcome: outcomeOf(act.outcome) };
    }
    case "cancel":
      return { type: "CancelMessage", actor: actorOf(act.by), messageId: nth(desk.messages, act.entry).id };
    case "retry": {
      const { by, entry, acceptDuplicate } = act;
      const messageId = nth(desk.messages, entry).id;
      return { type: "RetryMessage", actor: actorOf(by), messageId, acceptDuplicate };
    }
    case "run due":
      return { type: "RunDue" };
    default:
      return toConversationCommand(act, desk);
  }
}

function toConversationCommand(act: Extract<Act, { conversation: number }>, desk: Desk): Command {
  const conversationId = nth(desk.conversations, act.conversation).id;
  switch (act.do) {
    case "send":
      return { type: "SendMessage", actor: actorOf(act.by), conversationId, text: act.text };
    case "take":
      return { type: "TakeConversation", agentId: agentOf(act.by).id, conversationId };
    case "accept":
      return { type: "AcceptConversation", agentId: agentOf(act.by).id, conversationId };
    case "decline":
      return { type: "DeclineConversation", agentId: agentOf(act.by).id, conversationId };
    case "offer":
      return { type: "OfferConversation", actor: actorOf(act.by), conversationId, agentId: agentOf(act.to).id };
    case "transfer":
      return { type: "TransferConversation", actor: actorOf(act.by), conversationId, agentId: agentOf(act.to).id };
    case "requeue":
      return { type: "TransferConversation", actor: actorOf(act.by), conversationId, agentId: null };
    case "end":
      return { type: "EndConversation", actor: actorOf(act.by), conversationId };
  }
}

function toEntry(act: Extract<Act, { do: "receive" }>): InboundEntry {
  const isPostback = act.event === "postback";
  return {
    eventId: act.eventId,
    kind: act.event === null ? (act.text === null ? "IMAGE" : "TEXT") : "EVENT",
    eventType: act.event,
    text: isPostback ? null : act.text,
    payload: isPostback ? { data: act.text } : null,
    sentAt: act.sentAt,
    displayName: null,
    providerMessageId: act.messageId,
    unsends: act.unsends,
    reachable: act.event === "follow" ? true : act.event === "unfollow" ? false : null,
    automate: !act.standby,
    ...(act.token === null ? {} : { replyToken: act.token }),
  };
}

function outcomeOf(outcome: Outcome): DeliveryOutcome {
  switch (outcome.type) {
    case "SENT":
      return { type: "SENT", providerMessageIds: outcome.ids };
    case "FAILED":
      return { type: "FAILED", error: { code: "REJECTED", message: "No." } };
    case "AGAIN":
      return { type: "AGAIN", isAmbiguous: outcome.maybeArrived, delay: outcome.delay };
    default:
      return { type: outcome.type };
  }
}

function actorOf(name: string) {
  return name === "partner" ? partner : agentOf(name);
}

function agentOf(name: string): AgentActor {
  const agent = [ada, ben, cyd].find((each) => each.id === name);
  if (agent === undefined) throw new Error(`There is no agent ${name}.`);
  return agent;
}

/** The result and effects of the core's last command, in the format of the model. */
export function report(desk: Desk): string {
  return [answerOf(desk), ...desk.emitted.flatMap((event) => effectsOf(event, desk)).sort(), standingOf(desk)].join(
    "\n",
  );
}

function answerOf(desk: Desk): string {
  const { result } = desk;
  switch (result.type) {
    case "Accepted": {
      const { messageId, conversationId, blockId } = result;
      const [message, conversation, block] = [messageId, conversationId, blockId].map((id) =>
        id === null ? undefined : desk.numberOf(id),
      );
      return accepted(result.changed, { message, conversation, block }, sendingOf(result, desk));
    }
    case "InvalidInput":
      return `invalid ${result.fields.map((field) => field.path).join()}`;
    case "ContactBlocked":
      return `blocked by ${desk.numberOf(result.blockId)}`;
    case "InvalidTransition":
      return invalidTransition(result.from, result.to);
    default:
      return result.type;
  }
}

function sendingOf({ lease, canceledMessageCount, openLease }: Accepted, desk: Desk): string {
  const numbers = (ids: readonly MessageId[]) => ids.map((id) => desk.numberOf(id)).join();
  const granted =
    lease === undefined
      ? ""
      : `lease ${numbers(lease.messageIds)} #${lease.attempt} ${viaOf(lease.call)} ${lease.failures} failures at ${lease.grantedAt}`;
  const cancels = canceledMessageCount === undefined ? "" : ` cancels ${canceledMessageCount}`;
  const open =
    openLease === undefined
      ? ""
      : ` while ${desk.numberOf(openLease.messageId)} #${openLease.attempt} is open since ${openLease.grantedAt}`;
  return `${granted}${cancels}${open}`;
}

function viaOf(call: DeliveryCall): string {
  return call.type === "PUSH" ? "push" : `reply ${call.token} of ${call.receivedAt}`;
}

/** Omits events that no rule mentions: first appearance, and bot session steps, which are part of the state line. */
function effectsOf(event: DomainEvent, desk: Desk): readonly string[] {
  const by = nameOf(event.actor);
  switch (event.type) {
    case "MessageRecorded":
      return entryOf(event, desk);
    case "MessageUnsent":
      return [`unsent ${desk.numberOf(event.messageId)} at ${event.occurredAt}`];
    case "DeliveryChanged":
      return [
        `delivery ${desk.numberOf(event.messageId)} ${event.from}→${event.to} ${event.error?.code}` +
          ` as ${event.providerMessageId ?? undefined}`,
      ];
    case "OutboxChanged":
      return ["outbox"];
    case "ConversationChanged": {
      const { conversation, from } = event;
      const change = `${from}→${conversation.status} by ${botOr(by)} at ${event.occurredAt}`;
      const what = `${described(conversation, desk)}${agentsOf(...event.agents)}`;
      return [`conversation ${desk.numberOf(conversation.id)} ${change}: ${what}`];
    }
    case "ContactBlocked": {
      const { id, blockedAt, notes, expiresAt } = event.block;
      return [`block ${desk.numberOf(id)} by ${by} at ${blockedAt}: ${notes}, until ${expiresAt}`];
    }
    case "BlockUpdated":
      return [`update ${desk.numberOf(event.block.id)} by ${by}: ${event.block.notes}, until ${event.block.expiresAt}`];
    case "BlockLifted": {
      const { block, cause, liftedAt, liftNotes, occurredAt } = event;
      const times = liftedAt === occurredAt ? liftedAt : `${liftedAt}, but recorded at ${occurredAt}`;
      return [`lift ${desk.numberOf(block.id)} at ${times} ${cause} by ${by}: ${liftNotes}`];
    }
    default:
      return [];
  }
}

function entryOf(event: Extract<DomainEvent, { type: "MessageRecorded" }>, desk: Desk): readonly string[] {
  const { message, activity, suppressedBy, agents } = event;
  const conversation = message.conversationId === null ? null : desk.numberOf(message.conversationId);
  const flag = message.receivedWhileBlocked
    ? `while blocked, counts for ${suppressedBy === null ? null : desk.numberOf(suppressedBy)}`
    : "freely";
  const line =
    `entry ${message.seq} in ${conversation} by ${botOr(nameOf(message.author))}: ${textOf(message)} ${message.eventType}` +
    ` sent ${message.sentAt} at ${message.recordedAt} ${flag} ${activity ? "active" : "quiet"}` +
    ` ${message.deliveryStatus ?? undefined} again ${message.retryOf && desk.numberOf(message.retryOf)}${agentsOf(...agents)}`;
  return message.unsentAt === null ? [line] : [line, `unsent ${message.seq} at ${message.unsentAt}`];
}

function textOf({ eventType, text, payload }: Message): string | null {
  if (eventType !== "postback" || payload === null || typeof payload !== "object" || !("data" in payload)) return text;
  return String(payload.data);
}

function standingOf(desk: Desk): string {
  const { state } = desk;
  const { block, conversation, botSession } = state;
  return standing({
    block: block
      ? `${desk.numberOf(block.id)} by ${nameOf(block.blockedBy)}: ${block.notes}, until ${block.expiresAt}`
      : undefined,
    ongoing: conversation
      ? `${desk.numberOf(conversation.id)} ${conversation.status} ${described(conversation, desk)} active ${conversation.lastActivityAt}`
      : undefined,
    latest: state.recentConversation ? desk.numberOf(state.recentConversation.id) : undefined,
    bot: botSession ? `${botSession.stepId} due ${botSession.dueAt}` : undefined,
    awaiting: block === null && state.awaitingFirstMessage,
    reachable: state.reachable,
    sending: outboxOf(desk),
    pending: state.pending.map((entry) => `${entry.seq} ${entry.status}`),
    due: dueAt(state) ?? undefined,
  });
}

function outboxOf(desk: Desk): string {
  const { outbox } = desk.state;
  const { delivery, replyToken } = outbox;
  const token = replyToken && `${replyToken.token} of ${replyToken.receivedAt}`;
  const rest = `due ${outbox.dueAt ?? undefined}, token ${token}`;
  if (delivery === null) return `calls nothing, ${rest}`;
  const { messageIds, attempt, call, lease, retryAt, failures, isAmbiguous, isBlocked } = delivery;
  return (
    `calls ${messageIds.map((id) => desk.numberOf(id)).join()} #${attempt} ${viaOf(call)} ${failures} failures` +
    `${isAmbiguous ? ", maybe arrived" : ""}${isBlocked ? ", blocked" : ""},` +
    ` ${lease === null ? `again at ${retryAt}` : `until ${lease.expiresAt}`}, ${rest}`
  );
}

function described(conversation: Conversation, desk: Desk): string {
  const { assigneeId, offeredTo, offerExpiresAt, startedAt, endedAt, endedBy, endReason, endedByBlockId } =
    conversation;
  const reason = endedByBlockId === null ? endReason : `${endReason} by block ${desk.numberOf(endedByBlockId)}`;
  const end =
    endReason === null && endedAt === null && endedBy === null && conversation.statusBeforeEnd === null
      ? "-"
      : `${reason} at ${endedAt} by ${endedBy && nameOf(endedBy)}, was ${conversation.statusBeforeEnd}`;
  return describe({ assignee: assigneeId, offeredTo, deadline: offerExpiresAt, startedAt, end });
}

/** The model calls every flow "bot". */
function botOr(name: string): string {
  return name.startsWith("flow-") ? "bot" : name;
}
