import type { Executor } from "../commands/executor.ts";
import { toGlobalId } from "../domain/global-id.ts";
import { idOf } from "../domain/id.ts";
import type { ChannelSecrets } from "../store/channel-secrets.ts";
import type { Database } from "../store/database.ts";

/** Fixed ids, so that two servers that start on one empty database cannot seed it twice. */
const WORKSPACE = "01900000-0000-7000-8000-000000000001";
const CHANNELS = {
  line: "01900000-0000-7000-8000-000000000011",
  webChat: "01900000-0000-7000-8000-000000000012",
  custom: "01900000-0000-7000-8000-000000000013",
};

export const demoAgents = [
  { id: "01900000-0000-7000-8000-000000000021", name: "Ada", email: "ada@demo.test", role: "ADMIN" },
  { id: "01900000-0000-7000-8000-000000000022", name: "Ben", email: "ben@demo.test", role: "AGENT" },
  { id: "01900000-0000-7000-8000-000000000023", name: "Vic", email: "vic@demo.test", role: "VIEWER" },
] as const;

const channels = [
  { id: CHANNELS.line, name: "Demo LINE", kind: "LINE" },
  { id: CHANNELS.webChat, name: "Demo web chat", kind: "WEB_CHAT" },
  { id: CHANNELS.custom, name: "Demo custom", kind: "CUSTOM" },
] as const;

/** The contact whom the printed commands block; the tour in the docs needs the others as they are. */
const SPAMMER = "Rex";

/** People who have already written: contacts to look at, to answer and to block. */
const contacts = [
  {
    channelId: CHANNELS.line,
    externalId: "Udemo0000000000000000000000000001",
    name: "Mika",
    text: "Is my order on its way?",
  },
  {
    channelId: CHANNELS.custom,
    externalId: "demo-noor",
    name: "Noor",
    text: "Hello, I would like to change my booking.",
  },
  {
    channelId: CHANNELS.custom,
    externalId: "demo-sam",
    name: "Sam",
    text: "BUY CHEAP WATCHES NOW!!! BUY CHEAP WATCHES NOW!!!",
  },
  {
    channelId: CHANNELS.webChat,
    externalId: "demo-rex",
    name: SPAMMER,
    text: "You have won a prize! Claim it at https://prize.example",
  },
];

/** What connects the demo's LINE channel to a LINE to try against. */
export const demoLine = {
  channelId: CHANNELS.line,
  accessToken: "demo-line-access-token",
  users: contacts.filter(({ channelId }) => channelId === CHANNELS.line),
};

/** Seeds an empty database with the demo workspace, or completes an interrupted seed; leaves any other unchanged. */
export async function seedDemo(
  database: Database,
  executor: Executor,
  secrets: Pick<ChannelSecrets, "seal">,
): Promise<void> {
  const { prisma } = database;
  const hasOtherWorkspace = (await prisma.workspace.count({ where: { id: { not: WORKSPACE } } })) > 0;
  if (hasOtherWorkspace || (await prisma.contact.count()) > 0) return;
  const common = { workspaceId: WORKSPACE, createdAt: new Date() };
  await prisma.$transaction([
    prisma.workspace.createMany({
      data: [{ id: WORKSPACE, name: "Demo", createdAt: common.createdAt }],
      skipDuplicates: true,
    }),
    prisma.logHead.createMany({ data: [{ workspaceId: WORKSPACE }], skipDuplicates: true }),
    prisma.agent.createMany({ data: demoAgents.map((agent) => ({ ...agent, ...common })), skipDuplicates: true }),
    prisma.channel.createMany({
      data: channels.map((channel) => ({
        ...channel,
        ...common,
        secret: channel.kind === "LINE" ? secrets.seal(channel.id, "secret", "demo-line-secret") : null,
        allowedOrigins: [],
        showsLoading: channel.kind === "LINE",
        marksRead: channel.kind === "LINE",
      })),
      skipDuplicates: true,
    }),
    prisma.flow.createMany({
      data: channels.map((channel, index) => ({
        id: `01900000-0000-7000-8000-00000000003${index}`,
        ...common,
        channelId: channel.id,
        name: "Demo greeting",
        kind: "AUTO_REPLY_FIRST_MESSAGE" as const,
        definition: { text: "Thanks for writing to us! Somebody will be with you shortly." },
      })),
      skipDuplicates: true,
    }),
  ]);
  await executor.execute({
    workspaceId: idOf(WORKSPACE),
    steps: contacts.map(({ channelId, externalId, name, text }) => ({
      contactChannel: { channelId: idOf<"Channel">(channelId), externalId },
      command: {
        type: "ReceiveInbound",
        entry: {
          eventId: `demo-${name}`,
          kind: "TEXT",
          eventType: null,
          text,
          payload: null,
          sentAt: null,
          displayName: name,
          providerMessageId: null,
          unsends: null,
          reachable: null,
          automate: true,
        },
      },
    })),
  });
}

/** Whether this database has the demo workspace. */
export async function hasDemoWorkspace(database: Database): Promise<boolean> {
  return (await database.prisma.workspace.count({ where: { id: WORKSPACE } })) > 0;
}

/** The demo contact whom the printed commands block; null if this database does not have the demo workspace. */
export async function demoSpammer(database: Database): Promise<{ readonly id: string; readonly name: string } | null> {
  const row = await database.prisma.contact.findFirst({
    where: { workspaceId: WORKSPACE, name: SPAMMER },
    orderBy: { createdAt: "asc" },
  });
  return row === null ? null : { id: toGlobalId("Contact", row.id), name: row.name ?? "" };
}

/** The global ids of the demo channels, as used in URLs and the API. */
export const demoChannelIds = {
  line: toGlobalId("Channel", CHANNELS.line),
  webChat: toGlobalId("Channel", CHANNELS.webChat),
  custom: toGlobalId("Channel", CHANNELS.custom),
};
