import { fromGlobalId, toGlobalId } from "../../domain/global-id.ts";
import type { Prisma } from "../../store/generated/client.ts";
import { demand } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { byActivity, pageOf } from "../resolve/paging.ts";
import { find, rowsOf } from "../resolve/rows.ts";
import { anyPart, inForceAt, selectInForce } from "../resolve/where.ts";
import { builder } from "./builder.ts";
import { ContactStatus } from "./enums.ts";
import { Node } from "./node.ts";

/** The order of a contact's channels, oldest first; the same wherever they are asked for, so that one statement answers all. */
const presences = { orderBy: [{ createdAt: "asc" }, { id: "asc" }] } satisfies Prisma.ContactChannelFindManyArgs;

const selectBlocked = (now: Date) => ({
  channels: { ...presences, select: { blocks: selectInForce(now) } },
});

function isBlocked(contact: { readonly channels: readonly { readonly blocks: readonly object[] }[] }): boolean {
  return contact.channels.some(({ blocks }) => blocks.length > 0);
}

export const Contact = builder.prismaObject("Contact", {
  description: "A person who writes in, with a ContactChannel for each place they were seen.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (contact) => toGlobalId("Contact", contact.id) }),
    name: t.exposeString("name", { nullable: true }),
    status: t.field({
      description: "`BLOCKED` while at least one of their channels is.",
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
    channels: t.relation("channels", { description: "Where they were seen, oldest first.", query: presences }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
  }),
});

const ContactFilter = builder.inputType("ContactFilter", {
  description: "All that is given must hold.",
  fields: (t) => ({
    status: t.field({ type: ContactStatus, description: "With `channelId`: the status on that channel." }),
    channelId: t.id({ description: "Seen on this channel." }),
    search: t.string({ description: "Any part of name, display name or external id, whatever the case." }),
  }),
});

builder.queryField("contact", (t) =>
  t.prismaField({
    description: "A contact by id; null if there is none here.",
    type: Contact,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, args, ctx) => {
      demand(ctx, "READ");
      const id = fromGlobalId("Contact", args.id);
      return id === null ? null : find.contact(ctx, query, id);
    },
  }),
);

builder.queryField("contacts", (t) =>
  t.connection({
    description: "Contacts by last activity, newest first.",
    type: Contact,
    args: { filter: t.arg({ type: ContactFilter }) },
    resolve: async (_root, { filter, ...args }, ctx, info) => {
      demand(ctx, "READ");
      const page = pageOf(byActivity, args);
      const wanted = filterOf(filter ?? {}, ctx.now);
      if (wanted === null) return page.connection([]);
      const rows = await ctx.prisma.contact.findMany({
        ...rowsOf(ctx, info),
        ...page.query,
        where: { ...page.query.where, ...wanted, workspaceId: ctx.viewer.workspaceId },
      });
      return page.connection(rows);
    },
  }),
);

/** Rule B7; null where nothing can match. */
function filterOf(
  { status, channelId, search }: typeof ContactFilter.$inferInput,
  now: Date,
): Prisma.ContactWhereInput | null {
  const channel = isGiven(channelId) ? fromGlobalId("Channel", channelId) : undefined;
  if (channel === null) return null;
  const there = channel === undefined ? {} : { channelId: channel };
  const blockedThere = { ...there, blocks: { some: inForceAt(now) } };
  return {
    ...(channel === undefined && !status
      ? {}
      : {
          channels: {
            ...(channel === undefined && status === "ACTIVE"
              ? {}
              : { some: status === "BLOCKED" ? blockedThere : there }),
            ...(status === "ACTIVE" ? { none: blockedThere } : {}),
          },
        }),
    ...(search
      ? {
          OR: [
            { name: anyPart(search) },
            { channels: { some: { OR: [{ displayName: anyPart(search) }, { externalId: anyPart(search) }] } } },
          ],
        }
      : {}),
  };
}
