import type { ContactChannel } from "../../../src/domain/contact-channel.ts";
import { isOngoing } from "../../../src/domain/conversation.ts";
import type { DomainEvent } from "../../../src/domain/event.ts";
import type { MessageId } from "../../../src/domain/id.ts";
import type { GrantedLease } from "../../../src/domain/outbox.ts";
import type { Desk } from "../support.ts";
import type { Act } from "./act.ts";

/** What must be true after every command, whatever came before. Each check returns what is wrong. */
export class Laws {
  readonly #desk: Desk;
  #before: ContactChannel;
  #eventCount = 0;
  /** The latest lease, and how many there were. */
  #lease: { readonly number: number; readonly granted: GrantedLease } | null = null;
  /** The calls that may have reached the contact, by each message that they carried. */
  readonly #maybeArrived = new Map<MessageId, GrantedLease>();

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#before = desk.state;
  }

  broken(act: Act): string | null {
    const fault = this.#brokenConversation() ?? this.#brokenTime() ?? this.#brokenQueue() ?? this.#brokenLease(act);
    this.#before = this.#desk.state;
    this.#eventCount = this.#desk.log.length;
    return fault;
  }

  #brokenConversation(): string | null {
    const { state, conversations, messages } = this.#desk;
    if (state.block !== null && state.conversation !== null) return "an ongoing conversation exists while blocked (B3)";
    const ongoing = conversations.filter((each) => isOngoing(each.status)).map((each) => each.id);
    if (ongoing.join() !== (state.conversation?.id ?? ""))
      return "the ongoing conversations are not exactly that of the state (C2)";
    return messages.at(-1)?.seq === (messages.length || undefined) ? null : "the timeline has a gap (D1)";
  }

  #brokenTime(): string | null {
    const { log, emitted, result } = this.#desk;
    let previous = log[this.#eventCount - 1]?.occurredAt ?? Number.NEGATIVE_INFINITY;
    for (const [index, event] of emitted.entries()) {
      if (event.occurredAt < previous) return "the times of the events decrease (O1)";
      previous = event.occurredAt;
      if (!isByTime(event) && result.type !== "Accepted") return `a refused command emitted ${event.type}`;
      if (event.type === "BlockLifted" && event.cause === "EXPIRED" && index !== 0)
        return "an expiry is not the first event (B8)";
    }
    return null;
  }

  #brokenQueue(): string | null {
    const { state, emitted } = this.#desk;
    const { pending, outbox, channelKind } = state;
    const { delivery, dueAt } = outbox;
    const statuses = new Map(this.#before.pending.map(({ messageId, status }) => [messageId, status]));
    for (const event of emitted) {
      if (event.type === "MessageRecorded") statuses.set(event.message.id, "QUEUED");
      if (event.type !== "DeliveryChanged") continue;
      if (event.from === "SENT") return "what was SENT changed (S1)";
      if (event.to !== "SENT" && statuses.get(event.messageId) !== event.from) return "what had ended was revived (S1)";
      statuses.set(event.messageId, event.to);
    }
    if (state.block !== null && pending.some(({ status }) => status === "QUEUED"))
      return "a message is QUEUED while blocked (B4)";
    const sending = pending.filter(({ status }) => status === "SENDING");
    const members = pending.filter(({ messageId }) => delivery?.messageIds.includes(messageId));
    if (sending.length > 0 && (delivery?.lease == null || sending.join() !== members.join()))
      return "a message is SENDING without a lease (S1)";
    if (members.some((member, index) => member !== pending[index])) return "what is sent is not the head (S1)";
    if (delivery?.lease === null && members.length !== delivery.messageIds.length)
      return "a message that has ended is to be sent again (S2)";
    const waits = pending.length > 0 && delivery?.lease == null && channelKind !== "WEB_CHAT";
    return waits === (dueAt !== null) ? null : "what waits is not exactly what is due (S1)";
  }

  #brokenLease(act: Act): string | null {
    const { result, state } = this.#desk;
    const open = this.#before.outbox.delivery?.lease ?? null;
    const isLost = open !== null && open.expiresAt <= (state.clock ?? 0);
    if (open !== null && this.#lease !== null && mayHaveArrived(act, this.#lease.number, isLost)) {
      for (const id of this.#lease.granted.messageIds) this.#maybeArrived.set(id, this.#lease.granted);
    }
    if (result.type !== "Accepted" || result.lease === undefined) return null;
    this.#lease = { number: (this.#lease?.number ?? 0) + 1, granted: result.lease };
    if (state.block !== null) return "a lease was granted while blocked (B4)";
    if (open !== null && !isLost) return "two leases are open (S1)";
    const { messageIds, call } = result.lease;
    for (const id of messageIds) {
      const earlier = this.#maybeArrived.get(id);
      if (earlier !== undefined && keyOf(earlier) !== keyOf({ messageIds, call }))
        return "what may have arrived is sent in another way (S3, S5)";
    }
    return null;
  }
}

/** Whether the call of the open lease, which has this number, may have reached the contact as far as this act tells. */
function mayHaveArrived(act: Act, number: number, isLost: boolean): boolean {
  if (act.do === "settle") return act.call === number && act.outcome.type === "AGAIN" && act.outcome.maybeArrived;
  return isLost && (act.do === "lease" || act.do === "expire");
}

/** What time ends is ended first, also by a command that is then refused. */
function isByTime({ actor, type }: DomainEvent): boolean {
  return (
    actor.type === "System" && ["BlockLifted", "ConversationChanged", "DeliveryChanged", "OutboxChanged"].includes(type)
  );
}

function keyOf({ messageIds, call }: Pick<GrantedLease, "messageIds" | "call">): string {
  return call.type === "PUSH" ? `push ${messageIds.join()}` : `reply ${call.token} ${messageIds.join()}`;
}
