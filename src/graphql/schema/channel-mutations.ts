import { checkRotation, checkSettings, type GivenSettings } from "../../domain/channel-settings.ts";
import { fromGlobalId } from "../../domain/global-id.ts";
import type { ChannelId } from "../../domain/id.ts";
import { refuseInvalid } from "../../domain/input.ts";
import { forbidden, invalidInput, type Refusal } from "../../domain/refusal.ts";
import type { ChannelSettings } from "../../store/channels.ts";
import type { Channel as ChannelRow } from "../../store/generated/client.ts";
import { type Context, changeBy, hasPermission } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { Channel } from "./channel.ts";
import { ChannelKind, ChannelProblem } from "./enums.ts";
import { NO_SUCH_CHANNEL, type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

interface WrittenChannel {
  readonly channelId: ChannelId;
}

/** A channel with the secret that it got, if it did. */
interface WithSecret extends WrittenChannel {
  readonly deliverySecret: string | null;
}

const DELIVERY_SECRET =
  "The secret that signs the requests to `deliveryUrl`, if this mutation made one. It is shown only here.";

const LineChannelInput = builder.inputType("LineChannelInput", {
  description:
    "Settings of a `LINE` channel. The secret and the token are from the LINE Developers console, and are stored encrypted.",
  fields: (t) => ({
    channelSecret: t.string({ description: "Verifies the signatures of webhooks. Null removes it." }),
    accessToken: t.string({ description: "The long-lived channel access token. Null removes it." }),
    showLoading: t.boolean({
      description:
        "Whether contacts see that an agent writes (`setTyping`) or that a chatbot prepares a delayed step. Null means false.",
    }),
    markAsRead: t.boolean({
      description: "Whether contacts see that their messages were read (`markConversationRead`). Null means false.",
    }),
  }),
});

const WebChatChannelInput = builder.inputType("WebChatChannelInput", {
  description: "Settings of a `WEB_CHAT` channel.",
  fields: (t) => ({
    allowedOrigins: t.stringList({
      description: "The origins whose pages may embed the chat, or `*` for any. Null removes all.",
    }),
  }),
});

const CustomChannelInput = builder.inputType("CustomChannelInput", {
  description: "Settings of a `CUSTOM` channel.",
  fields: (t) => ({
    deliveryUrl: t.string({
      description:
        "Where messages to contacts are posted, with signatures by Standard Webhooks. Null removes it: then `claimDeliveries` hands them out.",
    }),
    rotateDeliverySecret: t.boolean({
      description:
        "True replaces the secret that signs deliveries. The one before it goes on signing, too, until the next rotation.",
    }),
  }),
});

const CreateChannelInput = builder.inputType("CreateChannelInput", {
  description: "Only the block of the channel's own kind may be given.",
  fields: (t) => ({
    kind: t.field({ type: ChannelKind, required: true }),
    name: t.string({ required: true }),
    line: t.field({ type: LineChannelInput }),
    webChat: t.field({ type: WebChatChannelInput }),
    custom: t.field({ type: CustomChannelInput }),
  }),
});

const CreateChannelSuccess = success<WithSecret>("CreateChannel", (t) => ({
  channel: t.prismaField({
    type: Channel,
    resolve: (query, { channelId }, _args, ctx) => existing(find.channel(ctx, query, channelId)),
  }),
  deliverySecret: t.exposeString("deliverySecret", { nullable: true, description: DELIVERY_SECRET }),
}));

builder.mutationField("createChannel", (t) =>
  t.field({
    description: "Creates a channel. Requires the permission `ADMINISTER`.",
    type: resultUnion("CreateChannel", CreateChannelSuccess, ["Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: CreateChannelInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<WithSecret>> => {
      if (!hasPermission(ctx, "ADMINISTER")) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(...checkSettings(input.kind, input), checkRotation(input, null));
      if (invalid !== null) return invalid;

      const settings = { ...settingsOf(input), name: input.name.trim() };
      const { id: channelId, deliverySecret } = await ctx.services.channels.create(changeBy(ctx), input.kind, settings);
      // The id is new, but a webhook may already have asked for it in vain.
      ctx.services.directory.forget();
      return { type: "Success", channelId, deliverySecret };
    },
  }),
);

const UpdateChannelInput = builder.inputType("UpdateChannelInput", {
  description:
    "Fields that are omitted stay unchanged; null removes a value. Only the block of the channel's own kind may be given.",
  fields: (t) => ({
    channelId: t.id({ required: true }),
    name: t.string({ description: "Omit or null to keep the name." }),
    line: t.field({ type: LineChannelInput }),
    webChat: t.field({ type: WebChatChannelInput }),
    custom: t.field({ type: CustomChannelInput }),
  }),
});

const UpdateChannelSuccess = success<WithSecret & { readonly changed: boolean }>("UpdateChannel", (t) => ({
  channel: t.prismaField({
    type: Channel,
    resolve: (query, { channelId }, _args, ctx) => existing(find.channel(ctx, query, channelId)),
  }),
  deliverySecret: t.exposeString("deliverySecret", { nullable: true, description: DELIVERY_SECRET }),
  changed: t.exposeBoolean("changed", { description: "False if the channel already had these settings." }),
}));

builder.mutationField("updateChannel", (t) =>
  t.field({
    description:
      "Changes the settings of a channel. Takes effect within a second. Requires the permission `ADMINISTER`.",
    type: resultUnion("UpdateChannel", UpdateChannelSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: UpdateChannelInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<WithSecret & { changed: boolean }>> => {
      const found = await findAdministered(ctx, input.channelId);
      if ("type" in found) return found;
      const { channelId, row } = found;
      const invalid = refuseInvalid(...checkSettings(row.kind, input), checkRotation(input, row.deliveryUrl));
      if (invalid !== null) return invalid;

      const written = await ctx.services.channels.update(changeBy(ctx), channelId, settingsOf(input));
      ctx.services.directory.forget();
      return { type: "Success", channelId, changed: written.changed, deliverySecret: written.deliverySecret };
    },
  }),
);

const ArchiveChannelInput = builder.inputType("ArchiveChannelInput", {
  fields: (t) => ({ channelId: t.id({ required: true }) }),
});

const ArchiveChannelSuccess = success<WrittenChannel & { readonly changed: boolean }>("ArchiveChannel", (t) => ({
  channel: t.prismaField({
    type: Channel,
    resolve: (query, { channelId }, _args, ctx) => existing(find.channel(ctx, query, channelId)),
  }),
  changed: t.exposeBoolean("changed", { description: "False if the channel was already archived." }),
}));

builder.mutationField("archiveChannel", (t) =>
  t.field({
    description:
      "Archives a channel permanently: ends its conversations and cancels its queued messages. It stays readable and records what contacts send, but nothing starts on it any more. Requires the permission `ADMINISTER`.",
    type: resultUnion("ArchiveChannel", ArchiveChannelSuccess, ["NotFound", "Forbidden"]),
    args: { input: t.arg({ type: ArchiveChannelInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<WrittenChannel & { changed: boolean }>> => {
      const found = await findAdministered(ctx, input.channelId);
      if ("type" in found) return found;

      const { channelId } = found;
      const changed = await ctx.services.channels.archive(changeBy(ctx), channelId);
      // After the commit, so that every command from now on loads the channel as archived.
      await ctx.services.closeArchived(channelId);
      return { type: "Success", channelId, changed };
    },
  }),
);

/** What LINE said about the access token of a channel. */
interface Tested extends WrittenChannel {
  readonly displayName: string | null;
  readonly basicId: string | null;
  readonly problem: (typeof ChannelProblem)["$inferType"] | null;
  readonly detail: string;
}

const TestChannelInput = builder.inputType("TestChannelInput", {
  fields: (t) => ({ channelId: t.id({ required: true, description: "The id of a `LINE` channel." }) }),
});

const TestChannelSuccess = success<Tested>("TestChannel", (t) => ({
  channel: t.prismaField({
    type: Channel,
    resolve: (query, { channelId }, _args, ctx) => existing(find.channel(ctx, query, channelId)),
  }),
  ok: t.boolean({
    description: "Whether LINE accepted the access token.",
    resolve: ({ problem }) => problem === null,
  }),
  displayName: t.exposeString("displayName", { nullable: true, description: "The bot's display name at LINE." }),
  basicId: t.exposeString("basicId", { nullable: true, description: "The bot's basic id at LINE, such as `@shop`." }),
  problem: t.expose("problem", { type: ChannelProblem, nullable: true, description: "What is wrong; null if `ok`." }),
  detail: t.exposeString("detail", { description: "The result in a sentence." }),
}));

builder.mutationField("testChannel", (t) =>
  t.field({
    description:
      "Asks LINE which bot the channel's access token belongs to, within 5 seconds. If LINE accepts it, messages that waited because LINE had refused it are sent. Requires the permission `ADMINISTER`.",
    type: resultUnion("TestChannel", TestChannelSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: TestChannelInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Tested>> => {
      const found = await findAdministered(ctx, input.channelId);
      if ("type" in found) return found;
      if (found.row.kind !== "LINE") return invalidInput("channelId", "Must be the id of a LINE channel.");
      const tested = await test(ctx, found.row);
      if (tested.problem === null) await ctx.services.clearFault(found.channelId);
      return { type: "Success", channelId: found.channelId, ...tested };
    },
  }),
);

async function test({ services }: Context, row: ChannelRow): Promise<Omit<Tested, "channelId">> {
  const { accessToken, fault } = services.secrets.open(row);
  if (accessToken === null) {
    return row.accessToken === null
      ? problem("NO_ACCESS_TOKEN", "The channel has no access token. Set it with updateChannel.")
      : problem("UNREADABLE_SECRET", fault ?? "The access token cannot be decrypted.");
  }
  const bot = await services.fetchBotInfo(accessToken, row.apiUrl);
  switch (bot.type) {
    case "Bot": {
      const { displayName, basicId } = bot;
      return {
        displayName,
        basicId,
        problem: null,
        detail: `The access token is that of ${displayName} (${basicId}).`,
      };
    }
    case "Unauthorized":
      return problem("UNAUTHORIZED", "LINE refuses the access token. Issue a new one and set it with updateChannel.");
    case "Unreachable":
      return problem("UNREACHABLE", bot.detail);
  }
}

function problem(code: Tested["problem"], detail: string): Omit<Tested, "channelId"> {
  return { displayName: null, basicId: null, problem: code, detail };
}

/** Finds a channel that the viewer may administer (rule C5: not found comes before forbidden). */
async function findAdministered(
  ctx: Context,
  globalId: string,
): Promise<{ readonly channelId: ChannelId; readonly row: ChannelRow } | Refusal> {
  const channelId = fromGlobalId("Channel", globalId);
  const row = channelId === null ? null : await find.channel(ctx, {}, channelId);
  if (channelId === null || row === null) return NO_SUCH_CHANNEL;
  return hasPermission(ctx, "ADMINISTER") ? { channelId, row } : forbidden(PERMISSION_DENIED);
}

function settingsOf({ name, line, webChat, custom }: GivenSettings): ChannelSettings {
  return {
    ...(isGiven(name) ? { name: name.trim() } : {}),
    ...(line?.channelSecret === undefined ? {} : { channelSecret: line.channelSecret }),
    ...(line?.accessToken === undefined ? {} : { accessToken: line.accessToken }),
    ...(line?.showLoading === undefined ? {} : { showsLoading: line.showLoading ?? false }),
    ...(line?.markAsRead === undefined ? {} : { marksRead: line.markAsRead ?? false }),
    ...(webChat?.allowedOrigins === undefined ? {} : { allowedOrigins: webChat.allowedOrigins ?? [] }),
    ...(custom?.deliveryUrl === undefined ? {} : { deliveryUrl: custom.deliveryUrl }),
    ...(custom?.rotateDeliverySecret ? { rotateDeliverySecret: true } : {}),
  };
}
