import { parseGlobalId, toGlobalId } from "../../domain/global-id.ts";
import { toActor } from "../../store/actor-columns.ts";
import type { Prisma } from "../../store/generated/client.ts";
import { requirePermission } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { byTime, pageOf } from "../resolve/paging.ts";
import { nodeSelection } from "../resolve/rows.ts";
import { Actor, brandActor } from "./actor.ts";
import { builder } from "./builder.ts";
import { AuditAction } from "./enums.ts";
import { Node } from "./node.ts";

export const AuditLogEntry = builder.prismaObject("AuditLogEntry", {
  description: "A change by an administrator, or of a block. Requires the permission `ADMINISTER`.",
  interfaces: [Node],
  select: { id: true, at: true },
  fields: (t) => ({
    id: t.id({ resolve: (entry) => toGlobalId("AuditLogEntry", entry.id) }),
    at: t.expose("at", { type: "DateTime" }),
    actor: t.field({
      type: Actor,
      select: { actorType: true, actorId: true },
      resolve: async ({ actorType, actorId }, _args, ctx) =>
        brandActor(await ctx.actors.load(toActor({ type: actorType, id: actorId }))),
    }),
    action: t.expose("action", { type: AuditAction }),
    subjectId: t.id({
      description: "The id of what was changed: a channel, an API key, a flow, or the contact of a block.",
      select: { subjectType: true, subjectId: true },
      resolve: ({ subjectType, subjectId }) => toGlobalId(subjectType, subjectId),
    }),
    before: t.field({
      type: "JSON",
      nullable: true,
      description: "The values before the change, without secrets; null if there were none.",
      select: { before: true },
      resolve: ({ before }) => before,
    }),
    after: t.field({
      type: "JSON",
      nullable: true,
      description: "The values after the change, without secrets. `replaced` names secrets that replaced others.",
      select: { after: true },
      resolve: ({ after }) => after,
    }),
  }),
});

const AuditLogFilter = builder.inputType("AuditLogFilter", {
  description: "Conditions are combined with AND.",
  fields: (t) => ({
    actorId: t.id({ description: "The id of an `Agent` or an `ApiKey`." }),
    subjectId: t.id({ description: "The id of a channel, an API key, a flow or a contact." }),
    occurredAfter: t.field({ type: "DateTime", description: "At this time or later." }),
    occurredBefore: t.field({ type: "DateTime", description: "Earlier than this time." }),
  }),
});

builder.queryField("auditLog", (t) =>
  t.connection({
    description:
      "What administrators changed, and every change of a block, newest first (by `at`, then id). Requires the permission `ADMINISTER`; null without it.",
    type: AuditLogEntry,
    // Nullable, so that a viewer who may not read it gets the rest of the query.
    nullable: true,
    args: { filter: t.arg({ type: AuditLogFilter }) },
    resolve: async (_root, { filter, ...args }, ctx, info) => {
      requirePermission(ctx, "ADMINISTER");
      const page = pageOf(byTime, args);
      const conditions = toWhere(filter ?? {});
      if (conditions === null) return page.connection([]);
      const rows = await ctx.prisma.auditLogEntry.findMany({
        ...nodeSelection(ctx, info),
        ...page.query,
        where: { ...page.query.where, ...conditions, workspaceId: ctx.viewer.workspaceId },
      });
      return page.connection(rows);
    },
  }),
);

/** Null if an id is malformed or of another type, so that nothing can match. */
function toWhere({
  actorId,
  subjectId,
  occurredAfter,
  occurredBefore,
}: typeof AuditLogFilter.$inferInput): Prisma.AuditLogEntryWhereInput | null {
  const actor = isGiven(actorId) ? idOfEither(actorId, actorTypes) : undefined;
  const subject = isGiven(subjectId) ? idOfEither(subjectId, subjectTypes) : undefined;
  if (actor === null || subject === null) return null;
  return {
    ...(actor === undefined ? {} : { actorType: actor.type, actorId: actor.id }),
    ...(subject === undefined ? {} : { subjectType: subject.type, subjectId: subject.id }),
    ...(isGiven(occurredAfter) || isGiven(occurredBefore)
      ? {
          at: {
            ...(isGiven(occurredAfter) ? { gte: occurredAfter } : {}),
            ...(isGiven(occurredBefore) ? { lt: occurredBefore } : {}),
          },
        }
      : {}),
  };
}

const actorTypes = ["Agent", "ApiKey"] as const;
const subjectTypes = ["Channel", "ApiKey", "Flow", "Contact"] as const;

function idOfEither<Type extends string>(globalId: string, types: readonly Type[]): { type: Type; id: string } | null {
  const node = parseGlobalId(globalId);
  const type = types.find((each) => each === node?.type);
  return node === null || type === undefined ? null : { type, id: node.id };
}
