import { brandWithType } from "@pothos/core";
import type { GraphQLResolveInfo } from "graphql";
import { parseGlobalId } from "../../domain/global-id.ts";
import { type Context, hasPermission, requirePermission } from "../resolve/context.ts";
import { find, rowSelection } from "../resolve/rows.ts";
import { Agent } from "./agent.ts";
import { ApiKey } from "./api-key.ts";
import { AuditLogEntry } from "./audit-log.ts";
import { Block } from "./block.ts";
import { builder } from "./builder.ts";
import { Channel } from "./channel.ts";
import { Contact } from "./contact.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Conversation } from "./conversation.ts";
import { Bot, Flow } from "./flow.ts";
import { Message } from "./message.ts";
import { Node } from "./node.ts";
import { Workspace } from "./workspace.ts";

builder.queryField("node", (t) =>
  t.field({
    description: "The object with this global id; null if there is none in this workspace.",
    type: Node,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, args, ctx, info) => {
      requirePermission(ctx, "READ");
      return load(ctx, info, args.id);
    },
  }),
);

async function load(ctx: Context, info: GraphQLResolveInfo, globalId: string): Promise<object | null> {
  const node = parseGlobalId(globalId);
  if (node === null) return null;
  const { id } = node;
  switch (node.type) {
    case "Agent":
      return branded(Agent, find.agent(ctx, rowSelection(ctx, info, "Agent"), id));
    case "ApiKey":
      return branded(ApiKey, find.apiKey(ctx, rowSelection(ctx, info, "ApiKey"), id));
    case "AuditLogEntry":
      return hasPermission(ctx, "ADMINISTER")
        ? branded(AuditLogEntry, find.auditLogEntry(ctx, rowSelection(ctx, info, "AuditLogEntry"), id))
        : null;
    case "Block":
      return branded(Block, find.block(ctx, rowSelection(ctx, info, "Block"), id));
    case "Channel":
      return branded(Channel, find.channel(ctx, rowSelection(ctx, info, "Channel"), id));
    case "Contact":
      return branded(Contact, find.contact(ctx, rowSelection(ctx, info, "Contact"), id));
    case "ContactChannel":
      return branded(ContactChannel, find.contactChannel(ctx, rowSelection(ctx, info, "ContactChannel"), id));
    case "Conversation":
      return branded(Conversation, find.conversation(ctx, rowSelection(ctx, info, "Conversation"), id));
    case "Bot":
      return branded(Bot, find.flow(ctx, rowSelection(ctx, info, "Bot"), id));
    case "Flow":
      return hasPermission(ctx, "ADMINISTER")
        ? branded(Flow, find.flow(ctx, rowSelection(ctx, info, "Flow"), id))
        : null;
    case "Message":
      return branded(Message, find.message(ctx, rowSelection(ctx, info, "Message"), id));
    case "Workspace":
      return branded(Workspace, find.workspace(ctx, rowSelection(ctx, info, "Workspace"), id));
    default:
      return null;
  }
}

/** Brands the row with its schema type, because the interface cannot resolve the type of a plain row. */
async function branded(type: Parameters<typeof brandWithType>[1], row: Promise<object | null>): Promise<object | null> {
  const found = await row;
  brandWithType(found, type);
  return found;
}
