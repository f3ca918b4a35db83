import { fromGlobalId, toGlobalId } from "../../domain/global-id.ts";
import type { Prisma } from "../../store/generated/client.ts";
import { requirePermission } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { byActivity, pageOf, SORT_KEY, sortKey } from "../resolve/paging.ts";
import { find, nodeSelection } from "../resolve/rows.ts";
import { containsText, inForceAt, selectInForce } from "../resolve/where.ts";
import { builder } from "./builder.ts";
import { ContactStatus } from "./enums.ts";
import { Node } from "./node.ts";

/** Every selection of a contact's channels uses this order, so that one query loads them all. */
const oldestFirst = { orderBy: [{ createdAt: "asc" }, { id: "asc" }] } satisfies Prisma.ContactChannelFindManyArgs;

const selectBlocked = (now: Date) => ({
  channels: { ...oldestFirst, select: { blocks: selectInForce(now) } },
});

function isBlocked(contact: { readonly channels: readonly { readonly blocks: readonly object[] }[] }): boolean {
  return contact.channels.some(({ blocks }) => blocks.length > 0);
}

export const Contact = builder.prismaObject("Contact", {
  description: "A person who writes to the help desk. Has a ContactChannel for each channel where they were seen.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (contact) => toGlobalId("Contact", contact.id) }),
    name: t.exposeString("name", { nullable: true }),
    status: t.field({
      description: "`BLOCKED` while at least one ContactChannel of the contact is blocked.",
      type: ContactStatus,
      select: (_args, ctx) => selectBlocked(ctx.now),
      resolve: (contact) => (isBlocked(contact) ? "BLOCKED" : "ACTIVE"),
    }),
    blocked: t.boolean({
      description: "Whether `status` is `BLOCKED`.",
      select: (_args, ctx) => selectBlocked(ctx.now),
      resolve: (contact) => isBlocked(contact),
    }),
    lastActivityAt: t.expose("lastActivityAt", { type: "DateTime", nullable: true }),
    sortKey: t.string({
      description: SORT_KEY,
      select: { lastActivityAt: true, id: true },
      resolve: ({ lastActivityAt, id }) => sortKey(lastActivityAt, id),
    }),
    channels: t.relation("channels", {
      description: "The contact's ContactChannels, oldest first.",
      query: oldestFirst,
    }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
  }),
});

const ContactFilter = builder.inputType("ContactFilter", {
  description: "Conditions are combined with AND.",
  fields: (t) => ({
    status: t.field({
      type: ContactStatus,
      description: "Status of the contact; with `channelId`, the status on that channel.",
    }),
    channelId: t.id({ description: "Contacts with a ContactChannel on this channel." }),
    search: t.string({ description: "Case-insensitive substring of the name, a display name or an external id." }),
  }),
});

builder.queryField("contact", (t) =>
  t.prismaField({
    description: "The contact with this id; null if there is none in this workspace.",
    type: Contact,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, args, ctx) => {
      requirePermission(ctx, "READ");
      const id = fromGlobalId("Contact", args.id);
      return id === null ? null : find.contact(ctx, query, id);
    },
  }),
);

builder.queryField("contacts", (t) =>
  t.connection({
    description: "Contacts ordered by last activity, most recent first.",
    type: Contact,
    args: { filter: t.arg({ type: ContactFilter }) },
    resolve: async (_root, { filter, ...args }, ctx, info) => {
      requirePermission(ctx, "READ");
      const page = pageOf(byActivity, args);
      const conditions = toWhere(filter ?? {}, ctx.now);
      if (conditions === null) return page.connection([]);
      const rows = await ctx.prisma.contact.findMany({
        ...nodeSelection(ctx, info),
        ...page.query,
        where: { ...page.query.where, ...conditions, workspaceId: ctx.viewer.workspaceId },
      });
      return page.connection(rows);
    },
  }),
);

/** Applies rule B7. Null if `channelId` is malformed or of another type, so that nothing can match. */
function toWhere(
  { status, channelId, search }: typeof ContactFilter.$inferInput,
  now: Date,
): Prisma.ContactWhereInput | null {
  const channel = isGiven(channelId) ? fromGlobalId("Channel", channelId) : undefined;
  if (channel === null) return null;
  const onChannel = channel === undefined ? {} : { channelId: channel };
  const blockedOnChannel = { ...onChannel, blocks: { some: inForceAt(now) } };
  return {
    ...(channel === undefined && !status
      ? {}
      : {
          channels: {
            ...(channel === undefined && status === "ACTIVE"
              ? {}
              : { some: status === "BLOCKED" ? blockedOnChannel : onChannel }),
            ...(status === "ACTIVE" ? { none: blockedOnChannel } : {}),
          },
        }),
    ...(search
      ? {
          OR: [
            { name: containsText(search) },
            {
              channels: { some: { OR: [{ displayName: containsText(search) }, { externalId: containsText(search) }] } },
            },
          ],
        }
      : {}),
  };
}
