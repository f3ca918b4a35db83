import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../examples/connection.ts";
import { startProxy, type TcpProxy } from "../examples/proxy.ts";
import { bootDesk, type Desk, GREETING } from "./support/app.ts";
import { freshDatabase, type TestDatabase } from "./support/database.ts";
import { portOf, run } from "./support/example-program.ts";
import { onLine, type Person } from "./support/people.ts";
import { cursorNow } from "./support/subscriber.ts";
import { contactIdOf } from "./support/view.ts";

/** A program in examples/, and its output for a contact who writes and is then blocked. */
interface Example {
  readonly name: string;
  /** The output if this happened before it started. */
  readonly snapshot: (who: string) => readonly string[];
  /** The output if this happens while it is subscribed. */
  readonly live: (who: string) => readonly string[];
}

const examples: readonly Example[] = [
  {
    name: "follow.ts",
    snapshot: (who) => [`BLOCKED ${who} on LINE by admin: rude`],
    live: (who) => [`BLOCKED ${who} on LINE by admin: rude`],
  },
  {
    name: "urql.ts",
    snapshot: (who) => [`${who}: ${GREETING}`],
    live: (who) => [`${who}: Hello`, `${who}: ${GREETING}`],
  },
  {
    name: "apollo.ts",
    snapshot: (who) => [`${who}: BLOCKED`],
    live: (who) => [`${who}: new → WAITING`, `${who}: WAITING → BLOCKED`],
  },
];

describe.each(examples)("examples/$name", ({ name, snapshot, live }) => {
  let database: TestDatabase;
  let desk: Desk;
  let proxy: TcpProxy;
  /** The first desk, with the token and channel ids; its workspace stays when the server restarts. */
  let firstDesk: Desk;

  beforeAll(async () => {
    database = await freshDatabase();
    desk = firstDesk = await start();
    proxy = await startProxy(portOf(desk));
  });
  afterAll(async () => {
    await proxy.close();
    await desk.stop();
    await database.drop();
  });

  const start = (): Promise<Desk> => bootDesk({ env: { DATABASE_URL: database.url } });

  async function writeAndBlock(who: string): Promise<void> {
    const person: Person = onLine(desk, { workspace: firstDesk, externalId: who });
    await person.says("Hello");
    const contactId = await contactIdOf(desk, person, firstDesk.ada);
    await desk.as(firstDesk.ada.token).blockContact({ contactId, notes: "rude" });
  }

  test("prints the current state and then each event once, across broken connections and server restarts", async () => {
    await writeAndBlock("first");
    const contacts = Array.from({ length: 12 }, (_, n) => `person-${n + 1}`);
    const wanted = contacts.flatMap(live);
    using program = run(name, [String(wanted.length)], { DESK: proxy.url, TOKEN: firstDesk.ada.token });
    await program.printed(snapshot("first").length);
    for (const [n, who] of contacts.entries()) {
      // In the middle of it, with no connection, with the server stopped, and without any failure.
      if (n === 2) proxy.cut();
      const inProgress = writeAndBlock(who);
      if (n === 4 || n === 5) proxy.cut();
      await inProgress;
      if (n === 8) {
        await desk.stop();
        proxy.cut();
        desk = await start();
        proxy.lead(portOf(desk));
      }
    }
    expect(await program.ended).toBe(0);
    expect(program.lines).toEqual([...snapshot("first"), ...wanted]);
  });

  test("prints an error and exits without a valid token", async () => {
    using program = run(name, [], { DESK: desk.url, TOKEN: "no" });
    expect(await program.ended).toBe(1);
    expect(program.lines).toEqual([]);
    expect(program.errors.join("\n")).toMatch(/token|401/);
  });
});

describe("examples/connection.ts", () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await bootDesk();
  });

  const MESSAGES = "subscription ($after: Cursor) { messageRecorded(after: $after) { cursor message { text } } }";
  type Recorded = { messageRecorded: { message: { text: string } } };

  test("gets another token when one is refused", async () => {
    const tokens = ["no", desk.ada.token];
    const client = connect({ desk: desk.url, token: () => tokens.shift() ?? "" });
    const after = await cursorNow(desk);
    await desk.writes("mika");
    for await (const { data } of client.iterate<Recorded>({ query: MESSAGES, variables: { after } })) {
      expect(data?.messageRecorded.message.text).toBe("Hello");
      break;
    }
    expect(tokens).toEqual([]);
  });

  test("detects a connection that is dead but not closed, and reconnects", async () => {
    const proxy = await startProxy(portOf(desk));
    const client = connect({ desk: proxy.url, token: () => desk.ada.token, pingEvery: 200 });
    const after = await cursorNow(desk);
    await onLine(desk, { externalId: "noor" }).says("One");
    const texts: (string | undefined)[] = [];
    for await (const { data } of client.iterate<Recorded>({ query: MESSAGES, variables: { after } })) {
      texts.push(data?.messageRecorded.message.text);
      if (texts.length === 2) {
        proxy.mute();
        await onLine(desk, { externalId: "noor" }).says("Two");
      }
      if (texts.length === 3) break;
    }
    expect(texts).toEqual(["One", GREETING, "Two"]);
    await proxy.close();
  });
});
