import { randomUUID } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import type { ChannelKind } from "../../src/domain/channel-kind.ts";
import { first } from "./answers.ts";
import { type Desk, lineText, rowId, type TestWorkspace } from "./app.ts";
import type { BlockView } from "./client.ts";
import { contactIdOf, look, type Sender } from "./view.ts";
import { openSession, type Visitor } from "./visitor.ts";

export const kinds = ["LINE", "WEB_CHAT", "CUSTOM"] as const;

export interface WritingOptions {
  /** The provider's event id; by default a new one. */
  readonly eventId?: string;
  /** The provider's own time, in milliseconds; by default now. Web chat has none. */
  readonly sentAt?: number;
}

export interface HappeningOptions extends WritingOptions {
  /** The data of a postback. */
  readonly data?: string;
  /** `isUnblocked` of LINE's `follow`. */
  readonly isUnblocked?: boolean;
}

/** A contact who sends messages and events through the real entry point of each kind of channel. */
export interface Person extends Sender {
  readonly kind: ChannelKind;
  says(text: string, options?: WritingOptions): Promise<void>;
  /** Sends an event such as `follow` or `postback`. Web chat has none. */
  does(eventType: string, options?: HappeningOptions): Promise<void>;
}

export interface PersonOptions {
  readonly channel?: string;
  readonly externalId?: string;
  readonly workspace?: TestWorkspace;
}

export async function person(desk: Desk, kind: ChannelKind, options: PersonOptions = {}): Promise<Person> {
  switch (kind) {
    case "LINE":
      return onLine(desk, options);
    case "WEB_CHAT":
      return (await visitor(desk, options)).person;
    case "CUSTOM":
      return atPartner(desk, options);
  }
}

/** Several new contacts on LINE. */
export function people(desk: Desk, count: number, options: Omit<PersonOptions, "externalId"> = {}): Person[] {
  return Array.from({ length: count }, () => onLine(desk, options));
}

export function onLine(desk: Desk, options: PersonOptions = {}): Person {
  const { workspace = desk, channel = workspace.line, externalId = `U${randomUUID()}` } = options;
  const deliver = async (event: object): Promise<void> => {
    await ok(desk.lineWebhook([event], { channel }));
  };
  return {
    kind: "LINE",
    channel,
    externalId,
    says: (text, given) => deliver(lineText(externalId, text, atOnce(desk, given))),
    does: (type, { data, isUnblocked = false, ...given } = {}) =>
      deliver({
        ...lineText(externalId, "", atOnce(desk, given)),
        message: undefined,
        type,
        ...(type === "follow" ? { follow: { isUnblocked } } : {}),
        ...(data === undefined ? {} : { postback: { data } }),
      }),
  };
}

/** A contact in web chat, with the page that only they see. */
export async function visitor(
  desk: Desk,
  { workspace = desk, channel = workspace.webChat }: PersonOptions = {},
): Promise<{ readonly person: Person; readonly page: Visitor }> {
  const page = await openSession(desk, channel);
  const person: Person = {
    kind: "WEB_CHAT",
    channel,
    externalId: page.id,
    says: async (text, { eventId = randomUUID() } = {}) => {
      await ok(page.say(text, eventId));
    },
    does: async () => {
      throw new Error("Web chat accepts messages only.");
    },
  };
  return { person, page };
}

const keys = new WeakMap<TestWorkspace, Promise<string>>();

function atPartner(desk: Desk, options: PersonOptions): Person {
  const { workspace = desk, channel = workspace.custom, externalId = `partner-${randomUUID()}` } = options;
  const record = async (what: object, given: WritingOptions = {}): Promise<void> => {
    const key = keys.get(workspace) ?? workspace.key("inbound:write");
    keys.set(workspace, key);
    const { eventId = randomUUID(), sentAt = desk.clock.now() } = given;
    const input = { channelId: channel, externalId, eventId, sentAt: new Date(sentAt).toISOString(), ...what };
    await desk.as(await key).recordInbound(input);
  };
  return {
    kind: "CUSTOM",
    channel,
    externalId,
    says: (text, given) => record({ kind: "TEXT", text }, given),
    does: (eventType, { data, ...given } = {}) =>
      record({ kind: "EVENT", eventType, payload: data === undefined ? null : { data } }, given),
  };
}

/** The event id and the timestamp of a LINE event. */
function atOnce(desk: Desk, { eventId = randomUUID(), sentAt = desk.clock.now() }: WritingOptions = {}): object {
  return { webhookEventId: eventId, timestamp: sentAt };
}

async function ok(answer: Promise<Response>): Promise<void> {
  const { status } = await answer;
  if (status !== 200 && status !== 201) throw new Error(`The message was answered with ${status}.`);
}

/** Adds a second ContactChannel to a contact, as after a merge; it has no messages yet. */
export async function addContactChannel(desk: Desk, known: Person, other: Person): Promise<void> {
  const { prisma } = desk.app.database;
  const { contactChannelId } = await look(desk, known);
  const { workspaceId, contactId, createdAt } = await prisma.contactChannel.findUniqueOrThrow({
    where: { id: rowId(contactChannelId) },
  });
  const { channel, externalId } = other;
  await prisma.contactChannel.create({
    data: { id: uuidv7(), workspaceId, contactId, channelId: rowId(channel), externalId, createdAt },
  });
}

/** Blocks the person on their channel; returns the block. */
export async function block(desk: Desk, person: Person, input: object = {}): Promise<BlockView> {
  const target = { contactId: await contactIdOf(desk, person), channelId: person.channel };
  const { blocks } = await desk.ada.blockContact({ ...target, ...input });
  return first(blocks);
}

export async function unblock(desk: Desk, person: Person): Promise<void> {
  const target = { contactId: await contactIdOf(desk, person), channelId: person.channel };
  await desk.ada.unblockContact(target);
}
