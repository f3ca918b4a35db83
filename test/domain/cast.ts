import type { Actor } from "../../src/domain/actor.ts";
import type { ContactChannel } from "../../src/domain/contact-channel.ts";
import { idOf } from "../../src/domain/id.ts";
import { emptyOutbox } from "../../src/domain/outbox.ts";

export type ByType<Union extends { type: string }, Type> = Extract<Union, { type: Type }>;
export type AgentActor = ByType<Actor, "Agent">;

export const ada: AgentActor = { type: "Agent", id: idOf("ada") };
export const ben: AgentActor = { type: "Agent", id: idOf("ben") };
export const cyd: AgentActor = { type: "Agent", id: idOf("cyd") };
export const partner: Actor = { type: "ApiKey", id: idOf("partner") };
export const system: Actor = { type: "System" };

/** Seconds in milliseconds, the unit of the core; the clock of a new desk is at 0. */
export const seconds = (n: number): number => n * 1_000;

/** A ContactChannel without any history. */
export const newContactChannel: ContactChannel = {
  id: idOf("contact-channel"),
  workspaceId: idOf("workspace"),
  contactId: idOf("contact"),
  channelId: idOf("channel"),
  channelKind: "LINE",
  channelArchived: false,
  channelShowsLoading: false,
  channelMarksRead: false,
  displayName: null,
  clock: null,
  lastSeq: 0,
  reachable: true,
  reachableAsOf: null,
  block: null,
  episodes: [],
  awaitingFirstMessage: false,
  conversation: null,
  recentConversation: null,
  botSession: null,
  pending: [],
  hasMorePending: false,
  outbox: emptyOutbox,
};

/** The name of an actor in the tests. */
export function nameOf(actor: Actor): string {
  return actor.type === "System" ? "system" : actor.id;
}

/** The n-th item of a list, counted from 1. */
export function nth<Item>(list: readonly Item[], n: number): Item {
  return must(list[n - 1]);
}

/** The value, which must be defined. */
export function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("The value is undefined.");
  return value;
}

/** Freezes a value recursively, so that changing any part of it throws. */
export function deepFreeze<Value>(value: Value): Value {
  if (value === null || typeof value !== "object" || Object.isFrozen(value)) return value;
  for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
}
