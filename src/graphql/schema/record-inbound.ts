import type { InboundEntry } from "../../domain/command.ts";
import { fromGlobalId } from "../../domain/global-id.ts";
import type { MessageId } from "../../domain/id.ts";
import { asJson, checkInboundText, checkJson, checkKey, instantOf, refuseInvalid } from "../../domain/input.ts";
import { forbidden, type InvalidField, notFound } from "../../domain/refusal.ts";
import { hasPermission } from "../resolve/context.ts";
import { executeStep, requiredId } from "../resolve/execute-steps.ts";
import { isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { MessageKind } from "./enums.ts";
import { Message } from "./message.ts";
import { type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

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
        "Required for an `EVENT`, optional for `UNSUPPORTED`. `follow` and `unfollow` set `ContactChannel.reachable`.",
    }),
    text: t.string({ description: "Required for a `TEXT`." }),
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

builder.mutationField("recordInbound", (t) =>
  t.field({
    description:
      "Records an inbound message or event on a partner's `CUSTOM` channel. Requires an API key with the scope `inbound:write`.",
    type: resultUnion("RecordInbound", RecordInboundSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: RecordInboundInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Recorded>> => {
      const channelId = fromGlobalId("Channel", input.channelId);
      const channel = channelId === null ? null : await ctx.services.directory.channel(channelId);
      if (channel?.workspaceId !== ctx.viewer.workspaceId) {
        return notFound("No channel in this workspace has this channelId.");
      }
      if (!hasPermission(ctx, "RECORD_INBOUND")) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(
        channel.kind === "CUSTOM" ? null : { path: "channelId", message: "Must be the id of a CUSTOM channel." },
        checkKey("externalId", input.externalId),
        checkKey("eventId", input.eventId),
        eventTypeFault(input),
        checkText(input),
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
    },
  }),
);

function eventTypeFault({ kind, eventType }: Input): InvalidField | null {
  const path = "eventType";
  if (kind === "EVENT" && !isGiven(eventType)) return { path, message: "Required if kind is EVENT." };
  if (kind !== "EVENT" && kind !== "UNSUPPORTED" && isGiven(eventType)) {
    return { path, message: "Allowed only if kind is EVENT or UNSUPPORTED." };
  }
  return checkKey(path, eventType);
}

function checkText({ kind, text }: Input): InvalidField | null {
  if (kind === "TEXT" && (!isGiven(text) || text === "")) {
    return { path: "text", message: "Must not be empty if kind is TEXT." };
  }
  return checkInboundText("text", text);
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
