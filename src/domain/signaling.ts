import { system } from "./actor.ts";
import type { ConversationId } from "./id.ts";
import { LAPSED_AFTER } from "./outbox.ts";
import type { Refusal } from "./refusal.ts";
import type { Signal, SignalLease, Signals } from "./signal.ts";
import { withOngoing } from "./transition.ts";
import { type Accepted, accepted, contactBlocked, type Turn } from "./turn.ts";

/** Shows the contact that somebody writes, on a channel that does so. The sign is renewed every 10 s at most. */
export function setTyping(turn: Turn, conversationId: ConversationId, typing: boolean): Accepted | Refusal {
  return withOngoing(turn, conversationId, "ACTIVE", () => {
    const { channelShowsLoading, outbox } = turn.state;
    const { loadingAt } = outbox.signals;
    const isShown = loadingAt !== null && turn.now - loadingAt < RENEWED_AFTER;
    if (!typing || !channelShowsLoading || isShown) return accepted(turn, { conversationId });
    return accepted(turn, { conversationId, ...grantLoading(turn, TYPING_SECONDS) });
  });
}

/** Shows the contact that the chatbot composes until its delayed step is due, or for as long as LINE can show it. */
export function showLoading(turn: Turn): Accepted | Refusal {
  const { block, channelArchived, channelShowsLoading, botSession } = turn.state;
  if (block !== null) return contactBlocked(block);
  const delay = (botSession?.dueAt ?? turn.now) - turn.now;
  if (channelArchived || !channelShowsLoading || delay <= 0) return accepted(turn, {});
  return accepted(turn, grantLoading(turn, Math.min(MAX_SECONDS, Math.ceil(delay / 5_000) * 5)));
}

/**
 * Shows the contact that their entries were read, on a channel that does so. LINE marks everything up to the entry of the
 * token, so the token is used only once that entry was read.
 */
export function markConversationRead(turn: Turn, conversationId: ConversationId, upToSeq: number): Accepted | Refusal {
  const { block, channelArchived, channelMarksRead, outbox } = turn.state;
  if (block !== null) return contactBlocked(block);
  const { readToken } = outbox.signals;
  if (channelArchived || !channelMarksRead || readToken === null || readToken.seq > upToSeq) {
    return accepted(turn, { conversationId });
  }
  const signal: Signal = { type: "MARK_AS_READ", token: readToken.token };
  return accepted(turn, { conversationId, ...grant(turn, signal, { readToken: null }) });
}

/** The signals whose calls may still begin, for those who wait until they no longer can (rule S6). */
export function openSignals(turn: Turn): Pick<Accepted, "openSignals"> {
  const open = notLapsed(turn).map(({ id: signalId, grantedAt }) => ({ signalId, grantedAt }));
  return open.length === 0 ? {} : { openSignals: open };
}

function grantLoading(turn: Turn, seconds: number): Pick<Accepted, "signal"> {
  return grant(turn, { type: "LOADING", seconds }, { loadingAt: turn.now });
}

function grant(turn: Turn, signal: Signal, change: Partial<Signals>): Pick<Accepted, "signal"> {
  const { id: contactChannelId, channelId, outbox } = turn.state;
  const lease: SignalLease = { id: turn.newId<"Signal">(), grantedAt: turn.now };
  const signals = { ...outbox.signals, ...change, leases: [...notLapsed(turn), lease] };
  turn.emit(system, { type: "OutboxChanged", outbox: { ...outbox, signals } });
  return { signal: { signalId: lease.id, contactChannelId, channelId, grantedAt: turn.now, signal } };
}

function notLapsed({ now, state }: Turn): readonly SignalLease[] {
  return state.outbox.signals.leases.filter(({ grantedAt }) => now < grantedAt + LAPSED_AFTER);
}

/** How long the sign of somebody who writes is shown, in seconds. */
const TYPING_SECONDS = 20;
/** In milliseconds. */
const RENEWED_AFTER = 10_000;
/** The longest that LINE shows the sign. */
const MAX_SECONDS = 60;
