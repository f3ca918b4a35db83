import type { InboundEntry } from "../../domain/command.ts";
import { fromGlobalId } from "../../domain/global-id.ts";
import type { MessageId } from "../../domain/id.ts";
import { asJson, faultsOf, inboundTextFault, instantOf, jsonFault, keyFault } from "../../domain/input.ts";
import { forbidden, type InvalidField, notFound } from "../../domain/refusal.ts";
import { carryOutOne, made } from "../resolve/carry-out.ts";
import { may } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { MessageKind } from "./enums.ts";
import { Message } from "./message.ts";
import { MAY_NOT, type Outcome, resultUnion, success } from "./result.ts";

const RecordInboundInput = builder.inputType("RecordInboundInput", {
  fields: (t) => ({
    channelId: t.id({ required: true, description: "A `CUSTOM` channel." }),
    externalId: t.string({
      required: true,
      description: "Who writes, as your system knows them; at most 255 characters.",
    }),
    eventId: t.string({ required: true, description: "Names this entry on the channel: a repeat changes nothing." }),
    kind: t.field({ type: MessageKind, required: true }),
    eventType: t.string({
      description: "Of an `EVENT`; `follow` and `unfollow` say whether the contact can be reached.",
    }),
    text: t.string({ description: "Required of a `TEXT`." }),
    payload: t.field({ type: "JSON", description: "Whatever else there is to keep." }),
    sentAt: t.field({
      type: "DateTime",
      description: "When it was written, by your clock; without it the time of arrival.",
    }),
    displayName: t.string({ description: "What the contact goes by on your channel." }),
  }),
});

type Input = typeof RecordInboundInput.$inferInput;

interface Recorded {
  readonly messageId: MessageId;
  readonly changed: boolean;
}

const RecordInboundSuccess = success<Recorded>("RecordInbound", (t) => ({
  message: t.prismaField({
    description: "The entry; the one recorded first, if this was a repeat.",
    type: Message,
    resolve: (query, { messageId }, _args, ctx) => existing(find.message(ctx, query, messageId)),
  }),
  changed: t.exposeBoolean("changed", { description: "False for a repeat." }),
}));

builder.mutationField("recordInbound", (t) =>
  t.field({
    description:
      "Records what a contact wrote or did on a partner's own channel; for keys with the scope `inbound:write`.",
    type: resultUnion("RecordInbound", RecordInboundSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: RecordInboundInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Recorded>> => {
      const channelId = fromGlobalId("Channel", input.channelId);
      const channel = channelId === null ? null : await ctx.services.directory.channel(channelId);
      if (channel?.workspaceId !== ctx.viewer.workspaceId) return notFound("There is no such channel.");
      if (!may(ctx, "RECORD_INBOUND")) return forbidden(MAY_NOT);
      const invalid = faultsOf(
        channel.kind === "CUSTOM" ? null : { path: "channelId", message: "Must be a channel of the kind CUSTOM." },
        keyFault("externalId", input.externalId),
        keyFault("eventId", input.eventId),
        eventTypeFault(input),
        textFault(input),
        jsonFault("payload", input.payload),
        isGiven(input.displayName) && input.displayName !== "" ? keyFault("displayName", input.displayName) : null,
      );
      if (invalid !== null) return invalid;

      const outcome = await carryOutOne(ctx, {
        contactChannel: { channelId: channel.id, externalId: input.externalId },
        command: { type: "ReceiveInbound", entry: entryOf(input) },
      });
      if (outcome.type !== "Accepted") return outcome;
      return { type: "Success", messageId: made(outcome.messageId), changed: outcome.changed };
    },
  }),
);

function eventTypeFault({ kind, eventType }: Input): InvalidField | null {
  const path = "eventType";
  if (kind === "EVENT" && !isGiven(eventType)) return { path, message: "An EVENT needs one." };
  if (kind !== "EVENT" && kind !== "UNSUPPORTED" && isGiven(eventType)) {
    return { path, message: "Only an EVENT, or what is UNSUPPORTED, has one." };
  }
  return keyFault(path, eventType);
}

function textFault({ kind, text }: Input): InvalidField | null {
  if (kind === "TEXT" && (!isGiven(text) || text === "")) return { path: "text", message: "A TEXT needs one." };
  return inboundTextFault("text", text);
}

function entryOf(input: Input): InboundEntry {
  return {
    eventId: input.eventId,
    kind: input.kind,
    eventType: input.eventType ?? null,
    text: input.text ?? null,
    payload: asJson(input.payload ?? null),
    sentAt: instantOf(input.sentAt),
    displayName: input.displayName?.trim() || null,
    providerMessageId: null,
    unsends: null,
    reachable: input.eventType === "follow" ? true : input.eventType === "unfollow" ? false : null,
    automate: true,
  };
}
