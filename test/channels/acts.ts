import { type Desk, rowId } from "../support/app.ts";

/** What agents do in these tests, through the API. */

export async function block(desk: Desk, contactId: string): Promise<void> {
  await mutate(
    desk,
    `mutation ($input: BlockContactInput!) { blockContact(input: $input) { __typename } }`,
    { contactId },
    "blockContact",
  );
}

export async function unblock(desk: Desk, contactId: string): Promise<void> {
  await mutate(
    desk,
    `mutation ($input: UnblockContactInput!) { unblockContact(input: $input) { __typename } }`,
    { contactId },
    "unblockContact",
  );
}

export async function reply(desk: Desk, conversationId: string, text: string): Promise<void> {
  await mutate(
    desk,
    `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { __typename } }`,
    { conversationId, text, idempotencyKey: crypto.randomUUID() },
    "sendMessage",
  );
}

async function mutate(desk: Desk, query: string, input: object, name: string): Promise<void> {
  const answer = await desk.graphql<Record<string, { __typename: string }>>(query, { input });
  const typename = answer.data?.[name]?.__typename;
  if (typename !== `${name.charAt(0).toUpperCase()}${name.slice(1)}Success`) {
    throw new Error(`${name} was answered with ${JSON.stringify(answer)}`);
  }
}

/** The timeline of a contact on one channel, in the order of recording. */
export async function timeline(desk: Desk, channel: string, externalId: string) {
  const contactChannel = await desk.app.database.prisma.contactChannel.findUnique({
    where: { channelId_externalId: { channelId: rowId(channel), externalId } },
    include: { messages: { orderBy: { seq: "asc" } } },
  });
  return contactChannel?.messages ?? [];
}
