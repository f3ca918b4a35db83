import { readFile } from "node:fs/promises";
import { isInterfaceType, isObjectType, isUnionType, parse, print, visit } from "graphql";
import { describe, expect, test } from "vitest";
import { schema } from "../../src/graphql/schema/index.ts";
import { printedSchema } from "../../src/graphql/schema/print.ts";

/** The names pinned by the contract (section 3), verbatim; arguments of connections are omitted. */
const pinned = `
  enum ContactStatus { ACTIVE BLOCKED }
  enum ConversationStatus { BOT WAITING ASSIGNING ACTIVE ENDED BLOCKED }
  enum ConversationEndReason { RESOLVED BLOCKED INACTIVITY }
  enum ContactStatusCause { BLOCKED UNBLOCKED EXPIRED UPDATED }
  enum ChannelKind { LINE WEB_CHAT CUSTOM }
  enum MessageDirection { INBOUND OUTBOUND }
  enum MessageKind { TEXT IMAGE VIDEO AUDIO FILE LOCATION STICKER EVENT UNSUPPORTED }
  enum DeliveryStatus { QUEUED SENDING SENT FAILED CANCELED }
  enum Role { ADMIN AGENT VIEWER }

  type Contact implements Node { id: ID! name: String status: ContactStatus! blocked: Boolean! lastActivityAt: DateTime
    channels: [ContactChannel!]! conversations: ContactConversationsConnection! createdAt: DateTime! }
  type ContactChannel implements Node { id: ID! contact: Contact! channel: Channel! externalId: String!
    displayName: String status: ContactStatus! blocked: Boolean! reachable: Boolean! activeBlock: Block
    currentConversation: Conversation blockHistory: ContactChannelBlockHistoryConnection!
    messages: ContactChannelMessagesConnection! }
  type Block implements Node { id: ID! contactChannel: ContactChannel! notes: String blockedAt: DateTime! blockedBy: Actor!
    expiresAt: DateTime liftedAt: DateTime liftedBy: Actor liftNotes: String endedConversations: [Conversation!]!
    suppressedMessageCount: Int! }
  type Conversation implements Node { id: ID! contact: Contact! contactChannel: ContactChannel! channel: Channel!
    status: ConversationStatus! blocked: Boolean! assignee: Agent offeredTo: Agent startedAt: DateTime! endedAt: DateTime
    endedBy: Actor endReason: ConversationEndReason statusBeforeEnd: ConversationStatus lastActivityAt: DateTime!
    messages: ConversationMessagesConnection! }
  type Message implements Node { id: ID! contactChannel: ContactChannel! conversation: Conversation
    direction: MessageDirection! kind: MessageKind! eventType: String text: String payload: JSON author: Actor!
    sentAt: DateTime! recordedAt: DateTime! unsentAt: DateTime receivedWhileBlocked: Boolean!
    deliveryStatus: DeliveryStatus }
  type Channel implements Node { id: ID! name: String! kind: ChannelKind! fault: String archivedAt: DateTime
    webhookUrl: String }
  type Agent implements Node { id: ID! name: String email: String! role: Role! }
  type ApiKey implements Node { id: ID! name: String prefix: String! }
  type Bot implements Node { id: ID! name: String flow: Flow }
  type Flow implements Node { id: ID! name: String! }
  type System { name: String }
  type Workspace implements Node { id: ID! name: String! }
  type Viewer { actor: Actor! workspace: Workspace! role: Role permissions: [Permission!]! }
  type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  union Actor = Agent | ApiKey | Contact | Bot | System

  type Query {
    viewer: Viewer! logCursor: Cursor! contact(id: ID!): Contact conversation(id: ID!): Conversation node(id: ID!): Node
    contacts(filter: ContactFilter, first: Int, after: String, last: Int, before: String): QueryContactsConnection!
    conversations(filter: ConversationFilter, first: Int, after: String, last: Int, before: String): QueryConversationsConnection!
    blocks(filter: BlockFilter, first: Int, after: String, last: Int, before: String): QueryBlocksConnection!
    channels: [Channel!]! agents: [Agent!]!
    auditLog(filter: AuditLogFilter, first: Int, after: String, last: Int, before: String): QueryAuditLogConnection
  }
  input ContactFilter { status: ContactStatus channelId: ID search: String }
  input ConversationFilter { status: [ConversationStatus!] channelId: ID contactId: ID assigneeId: ID }
  input BlockFilter { active: Boolean channelId: ID contactId: ID blockedById: ID search: String }

  type Mutation {
    blockContact(input: BlockContactInput!): BlockContactResult!
    unblockContact(input: UnblockContactInput!): UnblockContactResult!
    updateBlock(input: UpdateBlockInput!): UpdateBlockResult!
    sendMessage(input: SendMessageInput!): SendMessageResult!
    startConversation(input: StartConversationInput!): StartConversationResult!
    takeConversation(input: TakeConversationInput!): TakeConversationResult!
    offerConversation(input: OfferConversationInput!): OfferConversationResult!
    acceptConversation(input: AcceptConversationInput!): AcceptConversationResult!
    declineConversation(input: DeclineConversationInput!): DeclineConversationResult!
    transferConversation(input: TransferConversationInput!): TransferConversationResult!
    endConversation(input: EndConversationInput!): EndConversationResult!
    setTyping(input: SetTypingInput!): SetTypingResult!
    markConversationRead(input: MarkConversationReadInput!): MarkConversationReadResult!
    recordInbound(input: RecordInboundInput!): RecordInboundResult!
    createChannel(input: CreateChannelInput!): CreateChannelResult!
    updateChannel(input: UpdateChannelInput!): UpdateChannelResult!
    archiveChannel(input: ArchiveChannelInput!): ArchiveChannelResult!
    testChannel(input: TestChannelInput!): TestChannelResult!
  }
  input CreateChannelInput { kind: ChannelKind! name: String! line: LineChannelInput webChat: WebChatChannelInput
    custom: CustomChannelInput }
  input UpdateChannelInput { channelId: ID! name: String line: LineChannelInput webChat: WebChatChannelInput
    custom: CustomChannelInput }
  input LineChannelInput { channelSecret: String accessToken: String showLoading: Boolean markAsRead: Boolean }
  input WebChatChannelInput { allowedOrigins: [String!] }
  input CustomChannelInput { deliveryUrl: String }
  input ArchiveChannelInput { channelId: ID! }
  input TestChannelInput { channelId: ID! }
  input BlockContactInput { contactId: ID! channelId: ID contactChannelId: ID notes: String expiresAt: DateTime }
  input UnblockContactInput { contactId: ID! channelId: ID contactChannelId: ID notes: String }
  input UpdateBlockInput { blockId: ID! notes: String expiresAt: DateTime }
  input SendMessageInput { conversationId: ID! text: String! idempotencyKey: String }
  input StartConversationInput { contactId: ID! channelId: ID! contactChannelId: ID text: String! idempotencyKey: String }
  input TakeConversationInput { conversationId: ID! }
  input OfferConversationInput { conversationId: ID! agentId: ID! }
  input AcceptConversationInput { conversationId: ID! }
  input DeclineConversationInput { conversationId: ID! }
  input TransferConversationInput { conversationId: ID! agentId: ID }
  input EndConversationInput { conversationId: ID! }
  input SetTypingInput { conversationId: ID! typing: Boolean! }
  input MarkConversationReadInput { conversationId: ID! upToMessageId: ID! }
  input RecordInboundInput { channelId: ID! externalId: String! eventId: String! kind: MessageKind! eventType: String
    text: String payload: JSON sentAt: DateTime displayName: String }

  type BlockContactSuccess { contact: Contact! blocks: [Block!]! endedConversations: [Conversation!]! changed: Boolean! }
  type UnblockContactSuccess { contact: Contact! blocks: [Block!]! changed: Boolean! }
  type UpdateBlockSuccess { block: Block! changed: Boolean! }
  type SendMessageSuccess { message: Message! }
  type StartConversationSuccess { conversation: Conversation! message: Message! }
  type SetTypingSuccess { conversation: Conversation! }
  type MarkConversationReadSuccess { conversation: Conversation! }
  type RecordInboundSuccess { message: Message! changed: Boolean! }
  type TakeConversationSuccess { conversation: Conversation! changed: Boolean! }
  type OfferConversationSuccess { conversation: Conversation! changed: Boolean! }
  type AcceptConversationSuccess { conversation: Conversation! changed: Boolean! }
  type DeclineConversationSuccess { conversation: Conversation! changed: Boolean! }
  type TransferConversationSuccess { conversation: Conversation! changed: Boolean! }
  type EndConversationSuccess { conversation: Conversation! changed: Boolean! }

  interface Error { message: String! code: String! }
  interface Node { id: ID! }
  type NotFoundError implements Error { message: String! code: String! }
  type ForbiddenError implements Error { message: String! code: String! }
  type InvalidInputError implements Error { message: String! code: String! fields: [InvalidField!]! }
  type InvalidField { path: String! message: String! }
  type ContactBlockedError implements Error { message: String! code: String! block: Block! }
  type InvalidTransitionError implements Error { message: String! code: String! from: ConversationStatus to: ConversationStatus }
  scalar Cursor scalar DateTime scalar JSON

  type Subscription {
    conversationEnded(filter: ConversationEndedFilter, after: Cursor): ConversationEndedEvent!
    messageRecorded(filter: MessageRecordedFilter, after: Cursor): MessageRecordedEvent!
    contactStatusChanged(filter: ContactStatusChangedFilter, after: Cursor): ContactStatusChangedEvent!
    conversationChanged(filter: ConversationChangedFilter, after: Cursor): ConversationChangedEvent!
  }
  input ConversationEndedFilter { contactId: ID channelId: ID conversationId: ID assigneeId: ID }
  input MessageRecordedFilter { contactId: ID channelId: ID conversationId: ID assigneeId: ID }
  input ContactStatusChangedFilter { contactId: ID channelId: ID }
  input ConversationChangedFilter { contactId: ID channelId: ID conversationId: ID assigneeId: ID }
  interface DeskEvent { id: ID! cursor: Cursor! occurredAt: DateTime! actor: Actor! }
  type ConversationEndedEvent implements DeskEvent { id: ID! cursor: Cursor! occurredAt: DateTime! actor: Actor!
    conversation: Conversation! reason: ConversationEndReason! }
  type MessageRecordedEvent implements DeskEvent { id: ID! cursor: Cursor! occurredAt: DateTime! actor: Actor! message: Message! }
  type ContactStatusChangedEvent implements DeskEvent { id: ID! cursor: Cursor! occurredAt: DateTime! actor: Actor!
    contactChannel: ContactChannel! status: ContactStatus! contactStatus: ContactStatus! block: Block! cause: ContactStatusCause! }
  type ConversationChangedEvent implements DeskEvent { id: ID! cursor: Cursor! occurredAt: DateTime! actor: Actor!
    conversation: Conversation! from: ConversationStatus to: ConversationStatus! }
`;

test("schema.graphql matches the code; `npm run schema` writes it", async () => {
  expect(await readFile("schema.graphql", "utf8")).toBe(printedSchema());
});

describe("the contract's names, types and nullability", () => {
  const actual = parse(printedSchema(), { noLocation: true });
  const definitions = new Map(
    actual.definitions.flatMap((each) => ("name" in each && each.name ? [[each.name.value, each]] : [])),
  );

  for (const definition of parse(pinned, { noLocation: true }).definitions) {
    if (!("name" in definition) || !definition.name) continue;
    const name = definition.name.value;
    test(name, () => {
      const found = definitions.get(name);
      expect(found?.kind).toBe(definition.kind);
      if (found === undefined) return;
      // Additions are allowed; pinned names must match exactly.
      const [wanted, given] = [partsOf(definition), partsOf(found)];
      expect(given).toEqual(expect.arrayContaining(wanted));
    });
  }
});

test("each refusal is listed only where it can occur", () => {
  const union = (mutation: string): string[] => {
    const type = schema.getType(`${mutation}Result`);
    return isUnionType(type) ? type.getTypes().map(({ name }) => name) : [];
  };
  const towardsContact = ["SendMessage", "StartConversation", "TakeConversation", "AcceptConversation"];
  for (const mutation of towardsContact) expect(union(mutation)).toContain("ContactBlockedError");
  for (const mutation of ["BlockContact", "UnblockContact", "UpdateBlock", "DeclineConversation", "EndConversation"]) {
    expect(union(mutation)).not.toContain("ContactBlockedError");
  }
  for (const mutation of Object.keys(schema.getMutationType()?.getFields() ?? {})) {
    const members = union(mutation.charAt(0).toUpperCase() + mutation.slice(1));
    expect(members).toContain("ForbiddenError");
    expect(members.filter((name) => name.endsWith("Success"))).toHaveLength(1);
  }
});

test("no field exposes a secret", () => {
  const names = Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type) || isInterfaceType(type) ? Object.keys(type.getFields()) : [],
  );
  for (const secret of ["secret", "hash", "dueAt", "clock"]) expect(names).not.toContain(secret);
});

/** The parts of a definition: `name(arguments): Type!`, a value, a member, an interface. */
function partsOf(definition: Parameters<typeof print>[0]): string[] {
  const parts: string[] = [];
  visit(definition, {
    FieldDefinition: (node) => {
      const args = (node.arguments ?? []).map((arg) => `${arg.name.value}: ${print(arg.type)}`).toSorted();
      // The contract abbreviates a connection's arguments as "…".
      const shown = /Connection!$/.test(print(node.type)) && !args.some((arg) => arg.startsWith("filter")) ? [] : args;
      parts.push(`${node.name.value}(${shown.join(", ")}): ${print(node.type)}`);
      return false;
    },
    InputValueDefinition: (node) => {
      parts.push(`${node.name.value}: ${print(node.type)}`);
      return false;
    },
    EnumValueDefinition: (node) => {
      parts.push(node.name.value);
    },
    NamedType: (node) => {
      parts.push(node.name.value);
    },
  });
  return parts;
}
