import { brandWithType } from "@pothos/core";
import type { GraphQLResolveInfo } from "graphql";
import { parseGlobalId } from "../../domain/global-id.ts";
import { type Context, demand } from "../resolve/context.ts";
import { find, rowOf } from "../resolve/rows.ts";
import { Agent } from "./agent.ts";
import { ApiKey } from "./api-key.ts";
import { Block } from "./block.ts";
import { builder } from "./builder.ts";
import { Channel } from "./channel.ts";
import { Contact } from "./contact.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Conversation } from "./conversation.ts";
import { Bot } from "./flow.ts";
import { Message } from "./message.ts";
import { Node } from "./node.ts";
import { Workspace } from "./workspace.ts";

builder.queryField("node", (t) =>
  t.field({
    description: "Anything that has an id; null if there is nothing by that id here.",
    type: Node,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, args, ctx, info) => {
      demand(ctx, "READ");
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
      return as(Agent, find.agent(ctx, rowOf(ctx, info, "Agent"), id));
    case "ApiKey":
      return as(ApiKey, find.apiKey(ctx, rowOf(ctx, info, "ApiKey"), id));
    case "Block":
      return as(Block, find.block(ctx, rowOf(ctx, info, "Block"), id));
    case "Channel":
      return as(Channel, find.channel(ctx, rowOf(ctx, info, "Channel"), id));
    case "Contact":
      return as(Contact, find.contact(ctx, rowOf(ctx, info, "Contact"), id));
    case "ContactChannel":
      return as(ContactChannel, find.contactChannel(ctx, rowOf(ctx, info, "ContactChannel"), id));
    case "Conversation":
      return as(Conversation, find.conversation(ctx, rowOf(ctx, info, "Conversation"), id));
    case "Flow":
      return as(Bot, find.flow(ctx, rowOf(ctx, info, "Bot"), id));
    case "Message":
      return as(Message, find.message(ctx, rowOf(ctx, info, "Message"), id));
    case "Workspace":
      return as(Workspace, find.workspace(ctx, rowOf(ctx, info, "Workspace"), id));
    default:
      return null;
  }
}

/** Marks the row with its type in the schema, which the interface cannot tell by itself. */
async function as(type: Parameters<typeof brandWithType>[1], row: Promise<object | null>): Promise<object | null> {
  const found = await row;
  brandWithType(found, type);
  return found;
}
