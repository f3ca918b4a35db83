/**
 * A tiny messenger to try the bridge against: its people, their phones and what they write live in memory.
 *
 *     PORT=5000 npx node examples/bridge/messenger.ts
 *
 * For people:     POST /people/<name>/says { text }      the person writes; `edits` is the id of a message to edit
 *                 DELETE /people/<name>/says/<id>        the person unsends a message
 *                 GET /people/<name>                     what the person's phone shows: ["< Hello", "> Hi"]
 * For the bridge: GET /updates?confirmed=<id>            what happened after the update that is confirmed last, oldest first
 *                 POST /people/<name>/messages { key, text }   shows a message, once for each key
 */
import { createServer, type IncomingMessage } from "node:http";

interface Update {
  id: number;
  from: string;
  kind: "message" | "edit" | "unsend";
  messageId: string;
  text?: string;
}

interface Phone {
  shown: string[];
  /** The ids of the messages by the key under which they were sent, so that a repetition is shown once. */
  received: Map<string, string>;
}

const phones = new Map<string, Phone>();
let updates: Update[] = [];
let lastId = 0;

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://messenger");
  const [, place, name = "", what, id] = pathname.split("/");
  const route = [request.method, place, what].filter(Boolean).join(" ");
  const phone = phoneOf(decodeURIComponent(name));
  let answer: object | null = null;
  if (route === "GET updates") answer = unconfirmed(Number(searchParams.get("confirmed") ?? 0));
  if (route === "GET people") answer = phone.shown;
  if (route === "POST people says") answer = says(name, phone, await bodyOf(request));
  if (route === "DELETE people says" && id) answer = happened({ from: name, kind: "unsend", messageId: id });
  if (route === "POST people messages") answer = shows(phone, await bodyOf(request));
  response.writeHead(answer ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(answer));
});

server.listen(Number(process.env.PORT ?? 5000), () => {
  const address = server.address();
  if (typeof address === "object") console.log(`The messenger listens on http://localhost:${address?.port}`);
});

function phoneOf(name: string): Phone {
  const phone = phones.get(name) ?? { shown: [], received: new Map() };
  phones.set(name, phone);
  return phone;
}

/** Keeps each update until it is confirmed, so that a bridge that stops before it has passed it on gets it again. */
function unconfirmed(confirmed: number): Update[] {
  updates = updates.filter(({ id }) => id > confirmed);
  return updates.slice(0, 100);
}

function says(from: string, phone: Phone, { text = "", edits }: Record<string, string>): object {
  phone.shown.push(`> ${text}`);
  if (edits) return happened({ from, kind: "edit", messageId: edits, text });
  return happened({ from, kind: "message", messageId: `m${lastId + 1}`, text });
}

function happened(update: Omit<Update, "id">): object {
  lastId += 1;
  updates.push({ id: lastId, ...update });
  return { id: update.messageId };
}

function shows({ shown, received }: Phone, { key = "", text = "" }: Record<string, string>): object {
  const known = received.get(key);
  if (known) return { id: known };
  const id = `r${received.size + 1}`;
  received.set(key, id);
  shown.push(`< ${text}`);
  return { id };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return JSON.parse(body);
}
