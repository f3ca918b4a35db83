import type { LoggedRequest, RequestLog } from "../src/demo/line/request-log.ts";
import type { BlockSpan } from "./killing-world.ts";

/** An outbound message, as the database has it in the end. */
export interface Outbound {
  readonly text: string;
  readonly userId: string;
  readonly seq: number;
  readonly status: string;
  readonly error: string | null;
  readonly leasedAt: number | null;
}

/** A call that has begun reaches the fake this much later at most, in milliseconds, also on a busy machine. */
const ARRIVES_WITHIN = 300;

/** Compares what LINE has accepted with what the database says. `kills` are by the wall clock. */
export function violationsOf(
  messages: readonly Outbound[],
  log: RequestLog,
  blocks: readonly BlockSpan[],
  kills: readonly number[],
): string[] {
  const requests = log.all().filter(({ operation }) => operation === "push" || operation === "reply");
  const accepted = Map.groupBy(
    requests.filter((request) => request.accepted),
    ({ userId }) => userId ?? "",
  );
  const violations: string[] = [];
  if (log.dropped > 0) violations.push("The log of LINE is not complete.");
  for (const [userId, own] of Map.groupBy(messages, (message) => message.userId)) {
    const arrived = (accepted.get(userId) ?? []).flatMap((request) => request.messages.map(textOf));
    violations.push(...orderViolations(userId, own, arrived));
  }
  for (const message of messages) {
    if (message.status === "QUEUED" || message.status === "SENDING") violations.push(`${nameOf(message)} is pending.`);
    if (message.error === "OUTCOME_UNKNOWN" && isKnowable(message, requests, kills)) {
      violations.push(`${nameOf(message)} is OUTCOME_UNKNOWN, though every call was answered.`);
    }
  }
  for (const { userId, from, until, lastText } of blocks) {
    for (const request of requests) {
      if (request.userId !== userId || request.monotonicMs <= from + ARRIVES_WITHIN) continue;
      const isOld = request.messages.some((message) => numberOf(message) <= lastText);
      if (request.monotonicMs >= until && !isOld) continue;
      const texts = request.messages.map(textOf).join(", ");
      const late = Math.round(request.monotonicMs - from);
      violations.push(`${request.operation} to ${userId} (${texts}) began ${late} ms after the block's answer.`);
    }
  }
  return violations;
}

/**
 * What arrived must be the messages that are `SENT`, once each and in the order of recording; those of unknown outcome
 * may be among them. As texts can be equal, all ways to match them are followed at once.
 */
function orderViolations(userId: string, own: readonly Outbound[], arrived: readonly string[]): string[] {
  /** How many of the texts that arrived can be those of the messages so far. */
  let matched = new Set([0]);
  for (const message of own) {
    const withIt = new Set([...matched].filter((count) => arrived[count] === message.text).map((count) => count + 1));
    if (message.status === "SENT") {
      // What follows would not match either.
      if (withIt.size === 0) return [`${nameOf(message)} is SENT, but ${userId} got: ${arrived.join(", ")}.`];
      matched = withIt;
    } else if (message.error === "OUTCOME_UNKNOWN") {
      matched = matched.union(withIt);
    }
  }
  if (matched.has(arrived.length)) return [];
  const sent = own.filter(({ status }) => status === "SENT").map(({ text }) => text);
  return [`${userId} got: ${arrived.join(", ")}, though only these are SENT: ${sent.join(", ")}.`];
}

/** Whether the sender can have known the fate: every call was answered, and no process was killed during the last one. */
function isKnowable(message: Outbound, requests: readonly LoggedRequest[], kills: readonly number[]): boolean {
  const calls = requests.filter(
    (request) => request.userId === message.userId && request.messages.some((each) => textOf(each) === message.text),
  );
  const isUnanswered = calls.some(({ status }) => status === null || status >= 500);
  const { leasedAt } = message;
  const wasKilled = leasedAt !== null && kills.some((at) => at >= leasedAt - 1_000 && at <= leasedAt + 15_000);
  return !isUnanswered && !wasKilled;
}

function textOf(message: LoggedRequest["messages"][number]): string {
  return message.type === "text" ? message.text : message.type;
}

/** The number of an agent's text; infinite for others. */
function numberOf(message: LoggedRequest["messages"][number]): number {
  return Number(/^Answer (\d+)$/.exec(textOf(message))?.[1] ?? Number.POSITIVE_INFINITY);
}

function nameOf({ userId, seq, text }: Outbound): string {
  return `${userId}/${seq} (${text})`;
}
