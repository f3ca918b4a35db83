import { beforeAll, expect, test } from "vitest";
import { listAt } from "../support/answers.ts";
import { bootDesk, type Desk, rowId } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { countingStatements } from "../support/statements.ts";

let desk: Desk;
let key: Client;
beforeAll(async () => {
  desk = await bootDesk();
  key = desk.as(await desk.key("inbound:write"));
});

const RECORD = `mutation ($items: [RecordInboundInput!]!) { recordInbounds(input: { items: $items }) {
  ... on RecordInboundsSuccess { results { ... on RecordInboundSuccess { message { id text } } } }
} }`;
const CLAIM = `mutation ($channelId: ID!) { claimDeliveries(input: { channelId: $channelId, max: 100 }) {
  ... on ClaimDeliveriesSuccess { deliveries { message { id text } contactChannel { id } } }
} }`;

test("the rows of a batch are read by one statement of each type, however many they are", async () => {
  const channelId = await desk.channel("CUSTOM");
  const items = Array.from({ length: 20 }, (_, n) => ({
    channelId,
    externalId: `person ${n}`,
    eventId: `event ${n}`,
    kind: "TEXT",
    text: "Hello",
  }));
  const messages = ({ text }: { readonly text: string }): boolean => /FROM "public"\."message"/.test(text);
  const recorded = await countingStatements(() => key.graphql(RECORD, { items }));
  expect(listAt(recorded.result.data, "recordInbounds.results")).toHaveLength(20);
  expect(recorded.statements.filter(messages)).toHaveLength(1);

  const claimed = await countingStatements(() => key.graphql(CLAIM, { channelId }));
  expect(listAt(claimed.result.data, "claimDeliveries.deliveries")).toHaveLength(20);
  const contactChannels = claimed.statements.filter(({ text }) => /FROM "public"\."contact_channel"/.test(text));
  expect([claimed.statements.filter(messages).length, contactChannels.length]).toEqual([1, 1]);
});

test("viewers of different workspaces at the same moment each find their own rows only", async () => {
  const { messageId } = await desk.writes("Mika");
  const stranger = await desk.workspace();
  const { message } = desk.app.database.prisma;
  const found = [desk, stranger].map(({ id: workspace }) =>
    message.findUnique({ where: { id: rowId(messageId), workspaceId: rowId(workspace) }, select: { id: true } }),
  );
  expect(await Promise.all(found)).toEqual([{ id: rowId(messageId) }, null]);
});
