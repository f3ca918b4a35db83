import { once } from "node:events";
import { type Client, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { first, nodesOf } from "./answers.ts";
import { type Desk, lineText, type TestWorkspace } from "./app.ts";

/** The selection of each subscription's events. */
const EVENT = "id cursor occurredAt actor { __typename ... on Node { id } }";
const selections = {
  messageRecorded: `${EVENT} message { id text eventType direction receivedWhileBlocked contactChannel { externalId } conversation { id } }`,
  conversationChanged: `${EVENT} conversation { id status contactChannel { externalId } } from to`,
  conversationEnded: `${EVENT} conversation { id status contactChannel { externalId } } reason`,
  contactStatusChanged: `${EVENT} contactChannel { externalId } conversations { id blocked } status contactStatus block { id notes } cause`,
} as const;
/** The selections of subscriptions that the tests of all subscriptions leave out. */
const furtherSelections = {
  messageChanged: `${EVENT} message { id text unsentAt deliveryStatus } change deliveryStatus`,
  contactChanged: `${EVENT} contact { id name } contactChannel { externalId reachable } changed`,
  deskEvents: `__typename ${EVENT}`,
} as const;

export type Subscription = keyof typeof selections;
export const subscriptions = Object.keys(selections) as readonly Subscription[];

export interface ReceivedEvent {
  readonly id: string;
  readonly cursor: string;
  readonly occurredAt: string;
  readonly actor: { readonly __typename: string; readonly id?: string };
  readonly message?: {
    readonly id: string;
    readonly text: string | null;
    readonly eventType: string | null;
    readonly direction: string;
    readonly receivedWhileBlocked: boolean;
    readonly conversation: { readonly id: string } | null;
    readonly contactChannel: { readonly externalId: string };
  };
  readonly conversation?: {
    readonly id: string;
    readonly status: string;
    readonly contactChannel: { readonly externalId: string };
  };
  readonly from?: string | null;
  readonly to?: string;
  readonly reason?: string;
  readonly status?: string;
  readonly contactStatus?: string;
  readonly contactChannel?: { readonly externalId: string };
  readonly block?: { readonly id: string; readonly notes: string | null };
  readonly cause?: string;
  readonly conversations?: readonly { readonly id: string; readonly blocked: boolean }[];
  readonly __typename?: string;
  readonly change?: string;
  readonly deliveryStatus?: string | null;
  readonly contact?: { readonly id: string; readonly name: string | null };
  readonly changed?: readonly string[];
}

/** One subscription over WebSocket. */
export interface Listener {
  next(): Promise<ReceivedEvent>;
  take(count: number): Promise<ReceivedEvent[]>;
  /** The error code with which it was refused or ended. */
  errorCode(): Promise<unknown>;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly after?: string;
  readonly filter?: object;
  readonly token?: string;
}

/** The current cursor. Take it before the action whose events are expected. */
export async function cursorNow(desk: Desk, token = desk.ada.token): Promise<string> {
  const { data } = await desk.as(token).graphql<{ logCursor: string }>("{ logCursor }");
  return data.logCursor;
}

export function listen(
  desk: Desk,
  subscription: Subscription | keyof typeof furtherSelections,
  options: ListenOptions = {},
): Listener {
  const type = subscription.charAt(0).toUpperCase() + subscription.slice(1);
  const events = clientOf(desk, options.token ?? desk.ada.token).iterate<Record<string, ReceivedEvent>>({
    query: `subscription ($filter: ${type}Filter, $after: Cursor) {
      ${subscription}(filter: $filter, after: $after) { ${{ ...selections, ...furtherSelections }[subscription]} }
    }`,
    variables: { filter: options.filter ?? null, after: options.after ?? null },
  });

  const next = async (): Promise<ReceivedEvent> => {
    const step = await events.next();
    const event: ReceivedEvent | undefined = step.done === true ? undefined : step.value.data?.[subscription];
    if (event === undefined) throw new Error(`${subscription}: ${JSON.stringify(step)}`);
    return event;
  };
  return {
    next,
    take: async (count) => {
      const received: ReceivedEvent[] = [];
      while (received.length < count) received.push(await next());
      return received;
    },
    errorCode: async () => {
      const step = await events.next();
      return step.done === true ? "no error" : step.value.errors?.[0]?.extensions?.code;
    },
    close: async () => {
      await events.return?.();
    },
  };
}

/** A subscription on its own socket; `closed` resolves to the close code. */
export async function subscribed(
  { url }: Desk,
  token: string,
  after: string | null = null,
): Promise<{ readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }));
  await once(socket, "message");
  const query = "subscription ($after: Cursor) { messageRecorded(after: $after) { id } }";
  socket.send(JSON.stringify({ type: "subscribe", id: "1", payload: { query, variables: { after } } }));
  return { closed };
}

const clients = new Map<string, Client>();

/** One socket for all listeners with the same token; it closes after a while without use, or with the desk. */
function clientOf({ url }: Desk, token: string): Client {
  const name = `${url} ${token}`;
  const client =
    clients.get(name) ??
    createClient({
      url: `${url.replace("http", "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
      lazyCloseTimeout: 1_000,
    });
  clients.set(name, client);
  return client;
}

/** The first `count` results of a subscription. */
export async function replay(desk: Desk, query: string, count: number): Promise<unknown[]> {
  const results = clientOf(desk, desk.ada.token).iterate({ query });
  const received: unknown[] = [];
  while (received.length < count) {
    const step = await results.next();
    if (step.done === true || step.value.errors !== undefined) throw new Error(JSON.stringify(step));
    received.push(step.value.data);
  }
  await results.return?.();
  return received;
}

/**
 * Exactly the events of a subscription between a cursor and now: a new contact writes, and is blocked if the
 * subscription needs that, to mark where reading ends.
 */
export async function eventsSince(
  desk: Desk,
  after: string,
  subscription: Subscription,
  { filter, workspace = desk }: { readonly filter?: object; readonly workspace?: TestWorkspace } = {},
): Promise<ReceivedEvent[]> {
  const { token } = workspace.ada;
  const listener = listen(desk, subscription, { after, token, ...(filter === undefined ? {} : { filter }) });
  const mark = await leaveMark(desk, workspace, subscription);
  const received: ReceivedEvent[] = [];
  for (let event = await listener.next(); externalIdOf(event) !== mark; event = await listener.next()) {
    if (externalIdOf(event)?.startsWith(MARK) === false) received.push(event);
  }
  await listener.close();
  return received;
}

/** The external id of the contact that an event is about. */
export function externalIdOf(event: ReceivedEvent): string | undefined {
  return (event.contactChannel ?? event.message?.contactChannel ?? event.conversation?.contactChannel)?.externalId;
}

const MARK = "mark-";

async function leaveMark(
  desk: Desk,
  { line: channel, ada }: TestWorkspace,
  subscription: Subscription,
): Promise<string> {
  const mark = MARK + crypto.randomUUID();
  await desk.lineWebhook([lineText(mark, "mark", { timestamp: desk.clock.now() })], { channel });
  if (subscription === "conversationEnded" || subscription === "contactStatusChanged") {
    const { data } = await desk
      .as(ada.token)
      .graphql<{ contacts: { edges: { node: { id: string } }[] } }>(
        "query ($mark: String!) { contacts(filter: { search: $mark }) { edges { node { id } } } }",
        { mark },
      );
    await desk.as(ada.token).blockContact({ contactId: first(nodesOf(data.contacts)).id });
  }
  return mark;
}
