import { fromDeliveryId, toDeliveryId } from "../../domain/global-id.ts";
import { idOf, type MessageId } from "../../domain/id.ts";
import { checkInboundText, checkKey, refuseInvalid } from "../../domain/input.ts";
import type { DeliveryOutcome } from "../../domain/outbox.ts";
import { forbidden, type InvalidField, notFound } from "../../domain/refusal.ts";
import type { ClaimedDelivery as Claimed } from "../resolve/context.ts";
import { type Context, hasPermission } from "../resolve/context.ts";
import { executeStep } from "../resolve/execute-steps.ts";
import { findChannel, isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { ContactChannel } from "./contact-channel.ts";
import { ReportedDeliveryStatus } from "./enums.ts";
import { Message } from "./message.ts";
import { NO_SUCH_CHANNEL, type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

/** The most deliveries of one claim. */
const MAX_CLAIM = 100;

const ClaimedDelivery = builder.objectRef<Claimed>("ClaimedDelivery").implement({
  description: "A message that a partner has to send now, and then to acknowledge with `acknowledgeDelivery`.",
  fields: (t) => ({
    deliveryId: t.id({
      description: "Identifies this attempt to deliver the message. A later attempt has another one.",
      resolve: toDeliveryId,
    }),
    message: t.prismaField({
      description: "The message. Its id is the same at each attempt.",
      type: Message,
      resolve: (query, { messageId }, _args, ctx) => existing(find.message(ctx, query, messageId)),
    }),
    contactChannel: t.prismaField({
      type: ContactChannel,
      resolve: (query, { contactChannelId }, _args, ctx) => existing(find.contactChannel(ctx, query, contactChannelId)),
    }),
    externalId: t.exposeString("externalId", { description: "The contact's id in your system." }),
    expiresAt: t.field({
      description: "What is not acknowledged until then is due again.",
      type: "DateTime",
      resolve: ({ expiresAt }) => new Date(expiresAt),
    }),
  }),
});

const ClaimDeliveriesInput = builder.inputType("ClaimDeliveriesInput", {
  fields: (t) => ({
    channelId: t.id({ required: true, description: "The id of a `CUSTOM` channel without a `deliveryUrl`." }),
    max: t.int({ required: true, description: `The most deliveries to return: 1 to ${MAX_CLAIM}.` }),
  }),
});

const ClaimDeliveriesSuccess = success<{ readonly deliveries: readonly Claimed[] }>("ClaimDeliveries", (t) => ({
  deliveries: t.field({
    description: "At most one of each contact: the next one follows when it is acknowledged.",
    type: [ClaimedDelivery],
    resolve: ({ deliveries }) => [...deliveries],
  }),
}));

builder.mutationField("claimDeliveries", (t) =>
  t.field({
    description:
      "Hands out messages to the contacts of a partner's `CUSTOM` channel, for 30 seconds: send each, then acknowledge it. Requires an API key with the scope `inbound:write`.",
    type: resultUnion("ClaimDeliveries", ClaimDeliveriesSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: ClaimDeliveriesInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<{ deliveries: readonly Claimed[] }>> => {
      const channel = await findChannel(ctx, input.channelId);
      if (channel === null) return NO_SUCH_CHANNEL;
      if (!hasPermission(ctx, "RECORD_INBOUND")) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(checkPull(channel), checkMax(input.max));
      if (invalid !== null) return invalid;

      const claim = await ctx.services.claimDeliveries(channel, input.max);
      ctx.claims.push(claim);
      return { type: "Success", deliveries: claim.deliveries };
    },
  }),
);

function checkPull(channel: { readonly kind: string; readonly deliveryUrl: string | null }): InvalidField | null {
  const path = "channelId";
  if (channel.kind !== "CUSTOM") return { path, message: "Must be the id of a CUSTOM channel." };
  if (channel.deliveryUrl === null) return null;
  return { path, message: "The deliveries of this channel are posted to its deliveryUrl." };
}

function checkMax(max: number): InvalidField | null {
  return max >= 1 && max <= MAX_CLAIM ? null : { path: "max", message: `Must be between 1 and ${MAX_CLAIM}.` };
}

const AcknowledgeDeliveryInput = builder.inputType("AcknowledgeDeliveryInput", {
  fields: (t) => ({
    deliveryId: t.id({ required: true, description: "From `claimDeliveries`, or from a request to `deliveryUrl`." }),
    status: t.field({ type: ReportedDeliveryStatus, required: true }),
    code: t.string({ description: "For `FAILED`: your code of the reason. At most 255 characters." }),
    message: t.string({ description: "For `FAILED`: the reason, for agents to read. At most 500 characters." }),
    providerMessageId: t.string({
      description: "For `SENT`: your id of the message, as `Message.providerMessageId`. At most 255 characters.",
    }),
  }),
});

type Acknowledgement = typeof AcknowledgeDeliveryInput.$inferInput;

interface Acknowledged {
  readonly messageId: MessageId;
  readonly changed: boolean;
}

const AcknowledgeDeliverySuccess = success<Acknowledged>("AcknowledgeDelivery", (t) => ({
  message: t.prismaField({
    type: Message,
    resolve: (query, { messageId }, _args, ctx) => existing(find.message(ctx, query, messageId)),
  }),
  changed: t.exposeBoolean("changed", {
    description: "False if this was a repeat, or the failure of an attempt that is no longer the latest.",
  }),
}));

builder.mutationField("acknowledgeDelivery", (t) =>
  t.field({
    description:
      "Reports how a delivery by the partner ended. A success counts also if it comes late, a failure only for the latest attempt. Requires an API key with the scope `inbound:write`.",
    type: resultUnion("AcknowledgeDelivery", AcknowledgeDeliverySuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: AcknowledgeDeliveryInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Acknowledged>> => {
      const delivery = await findDelivery(ctx, input.deliveryId);
      if (delivery === null) return notFound("No delivery in this workspace has this deliveryId.");
      if (!hasPermission(ctx, "RECORD_INBOUND")) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(...checkAcknowledgement(input));
      if (invalid !== null) return invalid;

      const { contactChannel, messageId, attempt } = delivery;
      const outcome = await executeStep(ctx, {
        contactChannel,
        command: { type: "SettleOutbound", messageIds: [messageId], attempt, outcome: outcomeOf(input) },
      });
      return outcome.type === "Accepted" ? { type: "Success", messageId, changed: outcome.changed } : outcome;
    },
  }),
);

/** Finds a delivery that was handed to a partner. The number of attempts only grows, so this is safe before the lock. */
async function findDelivery(ctx: Context, deliveryId: string) {
  const name = fromDeliveryId(deliveryId);
  const row = name === null ? null : await find.message(ctx, {}, name.messageId);
  if (name === null || row === null || row.attempts < (name.attempt ?? 1)) return null;
  const channel = await ctx.services.directory.channel(idOf<"Channel">(row.channelId));
  if (channel?.kind !== "CUSTOM") return null;
  return { contactChannel: idOf<"ContactChannel">(row.contactChannelId), ...name };
}

function checkAcknowledgement(input: Acknowledgement): (InvalidField | null)[] {
  const { status, code, message, providerMessageId } = input;
  const only = (path: string, value: unknown, when: Acknowledgement["status"]): InvalidField | null =>
    isGiven(value) && status !== when ? { path, message: `Allowed only if status is ${when}.` } : null;
  return [
    only("code", code, "FAILED") ?? checkKey("code", code),
    only("message", message, "FAILED") ?? checkReason(message),
    only("providerMessageId", providerMessageId, "SENT") ?? checkKey("providerMessageId", providerMessageId),
  ];
}

function checkReason(message: string | null | undefined): InvalidField | null {
  if (isGiven(message) && [...message].length > MAX_REASON)
    return { path: "message", message: `Must not be longer than ${MAX_REASON} characters.` };
  return checkInboundText("message", message);
}

const MAX_REASON = 500;

function outcomeOf({ status, code, message, providerMessageId }: Acknowledgement): DeliveryOutcome {
  if (status === "SENT")
    return { type: "SENT", providerMessageIds: isGiven(providerMessageId) ? [providerMessageId] : [] };
  return { type: "FAILED", error: { code: code ?? "REJECTED", message: message || "The partner gave no reason." } };
}
