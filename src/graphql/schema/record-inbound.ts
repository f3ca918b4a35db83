import type { InboundEntry } from "../../domain/command.ts";
import type { MessageId } from "../../domain/id.ts";
import { asJson, checkInboundText, checkJson, checkKey, instantOf, refuseInvalid } from "../../domain/input.ts";
import { forbidden, type InvalidField, invalidInput } from "../../domain/refusal.ts";
import { type Context, hasPermission } from "../resolve/context.ts";
import { executeStep, requiredId } from "../resolve/execute-steps.ts";
import { findChannel, isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { MessageKind } from "./enums.ts";
import { Message } from "./message.ts";
import { NO_SUCH_CHANNEL, type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

const RecordInboundInput = builder.inputType("RecordInboundInput", {
  fields: (t) => ({
    channelId: t.id({ required: true, description: "The id of a `CUSTOM` channel." }),
    externalId: t.string({
      required: true,
      description: "The contact's id in your system. At most 255 characters.",
    }),
    eventId: t.string({
      required: true,
      description:
        "Identifies this entry on the channel. A repeated `eventId` records nothing. At most 255 characters.",
    }),
    kind: t.field({ type: MessageKind, required: true }),
    eventType: t.string({
      description:
        "Required for an `EVENT`, optional for `UNSUPPORTED`. `follow` and `unfollow` set `ContactChannel.reachable`; `unsend` hides a message and its edits; `edit` is a later text of a message.",
    }),
    text: t.string({ description: "Required for a `TEXT`, and for an `edit`." }),
    providerMessageId: t.string({
      description:
        "Your id of the message, which a later `unsend` or `edit` names here. Required for those two. At most 255 characters.",
    }),
    payload: t.field({ type: "JSON", description: "Additional data to store with the entry." }),
    sentAt: t.field({
      type: "DateTime",
      description: "When the contact sent the entry, by your clock. Defaults to the time of arrival.",
    }),
    displayName: t.string({ description: "The contact's display name on your channel." }),
  }),
});

type Input = typeof RecordInboundInput.$inferInput;

interface Recorded {
  readonly messageId: MessageId;
  readonly changed: boolean;
}

const RecordInboundSuccess = success<Recorded>("RecordInbound", (t) => ({
  message: t.prismaField({
    description: "The recorded entry; for a repeat, the entry that was recorded first.",
    type: Message,
    resolve: (query, { messageId }, _args, ctx) => existing(find.message(ctx, query, messageId)),
  }),
  changed: t.exposeBoolean("changed", { description: "False if this was a repeat." }),
}));

const RecordInboundResult = resultUnion("RecordInbound", RecordInboundSuccess, [
  "NotFound",
  "Forbidden",
  "InvalidInput",
]);

builder.mutationField("recordInbound", (t) =>
  t.field({
    description:
      "Records an inbound message or event on a partner's `CUSTOM` channel. Requires an API key with the scope `inbound:write`.",
    type: RecordInboundResult,
    args: { input: t.arg({ type: RecordInboundInput, required: true }) },
    resolve: (_root, { input }, ctx): Promise<Outcome<Recorded>> => record(ctx, input),
  }),
);

/** The most entries of one call. */
const MAX_ITEMS = 100;

const RecordInboundsInput = builder.inputType("RecordInboundsInput", {
  fields: (t) => ({
    items: t.field({ type: [RecordInboundInput], required: true, description: `1 to ${MAX_ITEMS} entries.` }),
  }),
});

const RecordInboundsSuccess = success<{ readonly results: readonly Outcome<Recorded>[] }>("RecordInbounds", (t) => ({
  results: t.field({
    description: "The result of each entry, in the order of the items.",
    type: [RecordInboundResult],
    resolve: ({ results }) => [...results],
  }),
}));

builder.mutationField("recordInbounds", (t) =>
  t.field({
    description:
      "Records inbound messages and events as `recordInbound` does, each on its own: one that is refused does not affect the others. Those of one contact are recorded in the order of the items. Requires an API key with the scope `inbound:write`.",
    type: resultUnion("RecordInbounds", RecordInboundsSuccess, ["Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: RecordInboundsInput, required: true }) },
    resolve: async (_root, { input: { items } }, ctx): Promise<Outcome<{ results: readonly Outcome<Recorded>[] }>> => {
      if (!hasPermission(ctx, "RECORD_INBOUND")) return forbidden(PERMISSION_DENIED);
      if (items.length < 1 || items.length > MAX_ITEMS) {
        return invalidInput("items", `Must contain 1 to ${MAX_ITEMS} items.`);
      }
      return { type: "Success", results: await recordAll(ctx, items) };
    },
  }),
);

/** Records the entries of different contacts at once, and those of one contact one after another. */
async function recordAll(ctx: Context, items: readonly Input[]): Promise<Outcome<Recorded>[]> {
  const previous = new Map<string, Promise<unknown>>();
  return Promise.all(
    items.map((item) => {
      const contact = JSON.stringify([item.channelId, item.externalId]);
      const recorded = (previous.get(contact) ?? Promise.resolve()).then(() => record(ctx, item));
      previous.set(contact, recorded);
      return recorded;
    }),
  );
}

async function record(ctx: Context, input: Input): Promise<Outcome<Recorded>> {
  const channel = await findChannel(ctx, input.channelId);
  if (channel === null) return NO_SUCH_CHANNEL;
  if (!hasPermission(ctx, "RECORD_INBOUND")) return forbidden(PERMISSION_DENIED);
  const invalid = refuseInvalid(
    channel.kind === "CUSTOM" ? null : { path: "channelId", message: "Must be the id of a CUSTOM channel." },
    checkKey("externalId", input.externalId),
    checkKey("eventId", input.eventId),
    eventTypeFault(input),
    checkText(input),
    checkProviderMessageId(input),
    checkJson("payload", input.payload),
    isGiven(input.displayName) && input.displayName !== "" ? checkKey("displayName", input.displayName) : null,
  );
  if (invalid !== null) return invalid;

  const outcome = await executeStep(ctx, {
    contactChannel: { channelId: channel.id, externalId: input.externalId },
    command: { type: "ReceiveInbound", entry: entryOf(input) },
  });
  if (outcome.type !== "Accepted") return outcome;
  return { type: "Success", messageId: requiredId(outcome.messageId), changed: outcome.changed };
}

function eventTypeFault({ kind, eventType }: Input): InvalidField | null {
  const path = "eventType";
  if (kind === "EVENT" && !isGiven(eventType)) return { path, message: "Required if kind is EVENT." };
  if (kind !== "EVENT" && kind !== "UNSUPPORTED" && isGiven(eventType)) {
    return { path, message: "Allowed only if kind is EVENT or UNSUPPORTED." };
  }
  return checkKey(path, eventType);
}

function checkText({ kind, eventType, text }: Input): InvalidField | null {
  if (kind === "EVENT" && eventType === "edit" && !text) {
    return { path: "text", message: "Must not be empty if eventType is edit." };
  }
  if (kind === "TEXT" && (!isGiven(text) || text === "")) {
    return { path: "text", message: "Must not be empty if kind is TEXT." };
  }
  return checkInboundText("text", text);
}

function checkProviderMessageId({ kind, eventType, providerMessageId }: Input): InvalidField | null {
  const path = "providerMessageId";
  if (kind === "EVENT" && (eventType === "unsend" || eventType === "edit") && !isGiven(providerMessageId)) {
    return { path, message: `Required if eventType is ${eventType}: the message's own id.` };
  }
  return checkKey(path, providerMessageId);
}

function entryOf(input: Input): InboundEntry {
  const isUnsend = input.kind === "EVENT" && input.eventType === "unsend";
  const isEdit = input.kind === "EVENT" && input.eventType === "edit";
  const providerMessageId = input.providerMessageId ?? null;
  return {
    eventId: input.eventId,
    kind: input.kind,
    eventType: input.eventType ?? null,
    text: input.text ?? null,
    payload: asJson(input.payload ?? null),
    sentAt: instantOf(input.sentAt),
    displayName: input.displayName?.trim() || null,
    providerMessageId: isUnsend ? null : providerMessageId,
    unsends: isUnsend ? providerMessageId : null,
    isEdit,
    reachable: input.eventType === "follow" ? true : input.eventType === "unfollow" ? false : null,
    automate: true,
  };
}
