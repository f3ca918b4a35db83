import type { ObjectFieldsShape, ObjectRef } from "@pothos/core";
import { assertNever } from "../../domain/assert-never.ts";
import { isOngoing, type ConversationStatus as Status } from "../../domain/conversation.ts";
import { notFound, type Refusal, type InvalidField as RefusedField } from "../../domain/refusal.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { ConversationStatus } from "./enums.ts";

/** What a mutation resolves to: the payload of its success type, or a refusal. */
export type Outcome<Payload> = (Payload & { readonly type: "Success" }) | Refusal;

type RefusalOf<Type extends Refusal["type"]> = Extract<Refusal, { type: Type }>;

/** Identical for all mutations, so that it reveals nothing beyond the permissions in docs/api.md. */
export const PERMISSION_DENIED =
  "Your role or the scopes of your key do not permit this: `viewer { permissions }` lists what they permit.";
export const NO_SUCH_CONTACT = notFound(
  "No contact in this workspace matches contactId, channelId and contactChannelId.",
);
export const NO_SUCH_OUTBOUND_MESSAGE = notFound("No outbound message in this workspace has this messageId.");
export const NO_SUCH_CHANNEL = notFound("No channel in this workspace has this channelId.");
export const NO_SUCH_CONVERSATION = notFound("No conversation in this workspace has this conversationId.");

const ErrorInterface = builder.interfaceRef<Refusal>("Error").implement({
  description: "Why a mutation was refused.",
  fields: (t) => ({
    message: t.string({ description: "Human-readable explanation in English.", resolve: messageOf }),
    code: t.string({ description: "Machine-readable code.", resolve: codeOf }),
  }),
});

const NotFoundError = builder.objectRef<RefusalOf<"NotFound">>("NotFoundError").implement({
  description: "An id in the input does not exist in this workspace, is malformed, or is of another type.",
  interfaces: [ErrorInterface],
});

const ForbiddenError = builder.objectRef<RefusalOf<"Forbidden">>("ForbiddenError").implement({
  description: "The viewer lacks the required permission.",
  interfaces: [ErrorInterface],
});

const InvalidField = builder.objectRef<RefusedField>("InvalidField").implement({
  description: "One invalid field of an input.",
  fields: (t) => ({
    path: t.exposeString("path", { description: "The path of the field within `input`." }),
    message: t.exposeString("message"),
  }),
});

const InvalidInputError = builder.objectRef<RefusalOf<"InvalidInput">>("InvalidInputError").implement({
  description: "The input is invalid.",
  interfaces: [ErrorInterface],
  fields: (t) => ({ fields: t.field({ type: [InvalidField], resolve: (refusal) => [...refusal.fields] }) }),
});

const ContactBlockedError = builder.objectRef<RefusalOf<"ContactBlocked">>("ContactBlockedError").implement({
  description: "The contact is blocked on this channel, so every action towards the contact is refused.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    block: t.prismaField({
      description: "The block in force.",
      type: "Block",
      resolve: (query, { blockId }, _args, ctx) => existing(find.block(ctx, query, blockId)),
    }),
  }),
});

const InvalidTransitionError = builder.objectRef<RefusalOf<"InvalidTransition">>("InvalidTransitionError").implement({
  description:
    "The conversation cannot change from its current status to the requested one. `from` and `to` are null if the delivery status of a message forbids the change.",
  interfaces: [ErrorInterface],
  fields: (t) => ({
    from: t.expose("from", { type: ConversationStatus, nullable: true }),
    to: t.expose("to", { type: ConversationStatus, nullable: true }),
  }),
});

const errorTypes = {
  NotFound: NotFoundError,
  Forbidden: ForbiddenError,
  InvalidInput: InvalidInputError,
  ContactBlocked: ContactBlockedError,
  InvalidTransition: InvalidTransitionError,
} satisfies { [Type in Refusal["type"]]: ObjectRef<Types, RefusalOf<Type>> };

type Types = typeof builder.$inferSchemaTypes;
type Success<Payload> = Payload & { readonly type: "Success" };

/** Defines `<Mutation>Success`, the type that a mutation returns when it succeeds. */
export function success<Payload extends object>(
  mutation: string,
  fields: ObjectFieldsShape<Types, Success<Payload>>,
): ObjectRef<Types, Success<Payload>> {
  return builder.objectRef<Success<Payload>>(`${mutation}Success`).implement({ fields });
}

/** Defines `<Mutation>Result`, the union of a mutation's success type and the errors that it can return. */
export function resultUnion<Payload extends object>(
  mutation: string,
  successType: ObjectRef<Types, Success<Payload>>,
  refusals: readonly Refusal["type"][],
) {
  return builder.unionType(`${mutation}Result`, {
    types: [successType, ...refusals.map((type) => errorTypes[type])],
    resolveType: (outcome) => (outcome.type === "Success" ? successType : errorTypes[outcome.type]),
  });
}

function messageOf(refusal: Refusal): string {
  switch (refusal.type) {
    case "NotFound":
    case "Forbidden":
      return refusal.message;
    case "InvalidInput":
      return refusal.fields.map(({ path, message }) => `${path}: ${message}`).join(" ");
    case "ContactBlocked":
      return "The contact is blocked on this channel. Unblock the contact first.";
    case "InvalidTransition":
      if (refusal.from === null && refusal.to === null) return WRONG_DELIVERY_STATUS;
      return `The conversation cannot change from ${refusal.from ?? "none"} to ${refusal.to ?? "none"}.${isOver(refusal.from) ? CONVERSATION_OVER : ""}`;
    default:
      return assertNever(refusal);
  }
}

const isOver = (status: Status | null): boolean => status !== null && !isOngoing(status);

const CONVERSATION_OVER = " It is over: the contact's next message or startConversation begins a new one.";

const WRONG_DELIVERY_STATUS =
  "The delivery status of the message does not allow this: only a QUEUED message can be canceled, and only a FAILED or CANCELED one can be sent again.";

function codeOf(refusal: Refusal): string {
  switch (refusal.type) {
    case "NotFound":
      return "NOT_FOUND";
    case "Forbidden":
      return "FORBIDDEN";
    case "InvalidInput":
      return "INVALID_INPUT";
    case "ContactBlocked":
      return "CONTACT_BLOCKED";
    case "InvalidTransition":
      return "INVALID_TRANSITION";
    default:
      return assertNever(refusal);
  }
}
