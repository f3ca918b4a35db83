import type { ObjectFieldsShape, ObjectRef } from "@pothos/core";
import { assertNever } from "../../domain/assert-never.ts";
import { notFound, type Refusal, type InvalidField as RefusedField } from "../../domain/refusal.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { ConversationStatus } from "./enums.ts";

/** What a mutation answers: what it made, or why it did not. */
export type Outcome<Made> = (Made & { readonly type: "Success" }) | Refusal;

type RefusalOf<Type extends Refusal["type"]> = Extract<Refusal, { type: Type }>;

/** Says no more than the permission table does. */
export const MAY_NOT = "You may not do this.";
export const NO_SUCH_CONTACT = notFound("There is no such contact, or they were never seen on that channel.");
export const NO_SUCH_CONVERSATION = notFound("There is no such conversation.");

const ErrorInterface = builder.interfaceRef<Refusal>("Error").implement({
  description: "Why a mutation did not do what was asked.",
  fields: (t) => ({
    message: t.string({ description: "For people, in English.", resolve: messageOf }),
    code: t.string({ description: "For programs.", resolve: codeOf }),
  }),
});

const NotFoundError = builder.objectRef<RefusalOf<"NotFound">>("NotFoundError").implement({
  description: "An id names nothing here: it is malformed, of another type, of another workspace, or gone.",
  interfaces: [ErrorInterface],
});

const ForbiddenError = builder.objectRef<RefusalOf<"Forbidden">>("ForbiddenError").implement({
  description: "The viewer lacks the permission.",
  interfaces: [ErrorInterface],
});

const InvalidField = builder.objectRef<RefusedField>("InvalidField").implement({
  description: "One fault of an input.",
  fields: (t) => ({
    path: t.exposeString("path", { description: "The field of `input` that it is about." }),
    message: t.exposeString("message"),
  }),
});

const InvalidInputError = builder.objectRef<RefusalOf<"InvalidInput">>("InvalidInputError").implement({
  description: "The input cannot be used as it is.",
  interfaces: [ErrorInterface],
  fields: (t) => ({ fields: t.field({ type: [InvalidField], resolve: (refusal) => [...refusal.fields] }) }),
});

const ContactBlockedError = builder.objectRef<RefusalOf<"ContactBlocked">>("ContactBlockedError").implement({
  description: "The contact is blocked on this channel, so nothing may go out to them.",
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
  description: "The conversation cannot go from where it is to where it was asked to go.",
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
type Success<Made> = Made & { readonly type: "Success" };

/** The type of what a mutation made: `<Mutation>Success`. */
export function success<Made extends object>(
  mutation: string,
  fields: ObjectFieldsShape<Types, Success<Made>>,
): ObjectRef<Types, Success<Made>> {
  return builder.objectRef<Success<Made>>(`${mutation}Success`).implement({ fields });
}

/** The union of a mutation's success and the refusals that it can meet: `<Mutation>Result`. */
export function resultUnion<Made extends object>(
  mutation: string,
  made: ObjectRef<Types, Success<Made>>,
  refusals: readonly Refusal["type"][],
) {
  return builder.unionType(`${mutation}Result`, {
    types: [made, ...refusals.map((type) => errorTypes[type])],
    resolveType: (outcome) => (outcome.type === "Success" ? made : errorTypes[outcome.type]),
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
      return "The contact is blocked on this channel. Unblock them first.";
    case "InvalidTransition":
      return `The conversation cannot go from ${refusal.from ?? "none"} to ${refusal.to ?? "none"}.`;
    default:
      return assertNever(refusal);
  }
}

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
