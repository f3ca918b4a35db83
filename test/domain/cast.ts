import type { Actor } from "../../src/domain/actor.ts";
import type { ContactChannel } from "../../src/domain/contact-channel.ts";
import { idOf } from "../../src/domain/id.ts";

export type ByType<Union extends { type: string }, Type> = Extract<Union, { type: Type }>;
export type AgentActor = ByType<Actor, "Agent">;

export const ada: AgentActor = { type: "Agent", id: idOf("ada") };
export const ben: AgentActor = { type: "Agent", id: idOf("ben") };
export const cyd: AgentActor = { type: "Agent", id: idOf("cyd") };
export const partner: Actor = { type: "ApiKey", id: idOf("partner") };
export const system: Actor = { type: "System" };

/** Seconds in milliseconds, which the core counts in; the clock of a new desk stands at 0. */
export const seconds = (n: number): number => n * 1_000;

/** A ContactChannel of which nothing is known yet. */
export const newContactChannel: ContactChannel = {
  id: idOf("contact-channel"),
  workspaceId: idOf("workspace"),
  contactId: idOf("contact"),
  channelId: idOf("channel"),
  channelKind: "LINE",
  channelArchived: false,
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
};

/** How the tests call an actor. */
export function nameOf(actor: Actor): string {
  return actor.type === "System" ? "system" : actor.id;
}

/** The n-th of a list, counted from 1. */
export function nth<Item>(list: readonly Item[], n: number): Item {
  return must(list[n - 1]);
}

/** What has to be there. */
export function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("It is not there");
  return value;
}

/** Makes a change of what it is given, or of any part of that, throw. */
export function deepFreeze<Value>(value: Value): Value {
  if (value === null || typeof value !== "object" || Object.isFrozen(value)) return value;
  for (const part of Object.values(Object.freeze(value))) deepFreeze(part);
  return value;
}
