import { system } from "./actor.ts";
import { closeArchived } from "./archive.ts";
import { assertNever } from "./assert-never.ts";
import { runDueStep } from "./automation.ts";
import { block, expireBlock, unblock, updateBlock } from "./block.ts";
import type { Command } from "./command.ts";
import type { ContactChannel } from "./contact-channel.ts";
import { expireOutbound, lease, settle } from "./delivery.ts";
import type { DomainEvent } from "./event.ts";
import { receive } from "./inbound.ts";
import type { Refusal } from "./refusal.ts";
import { cancelMessage, retryMessage } from "./resending.ts";
import { markConversationRead, setTyping, showLoading } from "./signaling.ts";
import { accept, decline, end, lapseOffer, offer, send, start, take, transfer } from "./transition.ts";
import { type Accepted, accepted, type DecisionInput, Turn } from "./turn.ts";

/** The outcome of a command. A refused command still emits what was ended first (rule B8). */
export interface Decision {
  readonly result: Accepted | Refusal;
  readonly events: readonly DomainEvent[];
  readonly state: ContactChannel;
}

/**
 * Decides one command on one ContactChannel. Pure: the same state, command and input give the same decision. Expected
 * refusals are returned, not thrown. Expired blocks and offers, and what is open on an archived channel, are ended
 * first, then the command is decided.
 */
export function decide(before: ContactChannel, command: Command, input: DecisionInput): Decision {
  const turn = new Turn(before, input);
  expireBlock(turn);
  lapseOffer(turn);
  closeArchived(turn, command.type === "CloseArchived" ? command.actor : system);
  turn.expiryEventCount = turn.events.length;
  const result = apply(turn, command);
  return {
    result,
    events: turn.events,
    state: { ...turn.state, clock: turn.now },
  };
}

function apply(turn: Turn, command: Command): Accepted | Refusal {
  switch (command.type) {
    case "ReceiveInbound":
      return receive(turn, command.entry);
    case "Block":
      return block(turn, command.actor, command.notes, command.expiresAt);
    case "Unblock":
      return unblock(turn, command.actor, command.notes);
    case "UpdateBlock":
      return updateBlock(turn, command.actor, command);
    case "SendMessage":
      return send(turn, command.actor, command.conversationId, command);
    case "StartConversation":
      return start(turn, command.actor, command);
    case "TakeConversation":
      return take(turn, command.agentId, command.conversationId);
    case "OfferConversation":
      return offer(turn, command.actor, command.conversationId, command.agentId);
    case "AcceptConversation":
      return accept(turn, command.agentId, command.conversationId);
    case "DeclineConversation":
      return decline(turn, command.agentId, command.conversationId);
    case "TransferConversation":
      return transfer(turn, command.actor, command.conversationId, command.agentId);
    case "EndConversation":
      return end(turn, command.actor, command.conversationId);
    case "RetryMessage":
      return retryMessage(turn, command.actor, command.messageId, command.acceptDuplicate);
    case "CancelMessage":
      return cancelMessage(turn, command.actor, command.messageId);
    case "SetTyping":
      return setTyping(turn, command.conversationId, command.typing);
    case "MarkConversationRead":
      return markConversationRead(turn, command.conversationId, command.upToSeq);
    case "ShowLoading":
      return showLoading(turn);
    case "LeaseOutbound":
      return lease(turn);
    case "SettleOutbound":
      return settle(turn, command.messageIds, command.attempt, command.outcome);
    case "ExpireOutbound":
      expireOutbound(turn);
      return accepted(turn, {});
    case "CloseArchived":
      return accepted(turn, {});
    case "RunDue":
      runDueStep(turn);
      return accepted(turn, {});
    default:
      return assertNever(command);
  }
}
