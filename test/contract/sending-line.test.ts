import { describe, expect, test } from "vitest";
import { first } from "../support/answers.ts";
import { GREETING, lineText, rowId } from "../support/app.ts";
import { bootLineTest } from "../support/line-chat.ts";

const it = await bootLineTest();
const { desk, requests } = it;

const texts = (...given: readonly string[]): object[] => given.map((text) => ({ type: "text", text }));

/** A reply as LINE documents it: without a retry key. */
function reply(replyToken: string | undefined, messages: readonly object[], accessToken = "token"): object {
  return {
    method: "POST",
    path: "/v2/bot/message/reply",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
    body: JSON.stringify({ replyToken, messages }),
  };
}

function push(retryKey: string, to: string, messages: readonly object[], accessToken = "token"): object {
  return {
    method: "POST",
    path: "/v2/bot/message/push",
    headers: {
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
      "x-line-retry-key": retryKey,
    },
    body: JSON.stringify({ to, messages }),
  };
}

describe("S3: reply or push", () => {
  test("a greeting is a reply, and the next message is a push with its own id as the retry key", async () => {
    const user = it.user();
    const { event } = await user.writes();
    await it.send();
    expect(requests).toEqual([reply(event.replyToken, texts(GREETING))]);

    const id = await user.isSent("Hi");
    await it.send();
    expect(requests.slice(1)).toEqual([push(rowId(id), user.externalId, texts("Hi"))]);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: SENT"]);
    expect(user.received()).toEqual([GREETING, "Hi"]);
  });

  test("the newest token is used, once", async () => {
    const user = await it.greeted();
    await user.writes("One question");
    const { event } = await user.writes("And another");
    await user.isSent("First answer");
    await it.send();
    const id = await user.isSent("Second answer");
    await it.send();
    expect(requests).toEqual([
      reply(event.replyToken, texts("First answer")),
      push(rowId(id), user.externalId, texts("Second answer")),
    ]);
  });

  test("a postback gives a token, too", async () => {
    const user = await it.greeted();
    await user.taps("more");
    await user.isSent("More");
    await it.send();
    expect(requests).toMatchObject([{ path: "/v2/bot/message/reply" }]);
  });

  test.each([
    [50_000, "reply"],
    [50_001, "push"],
  ])("a token that is %d ms old: %s", async (age, path) => {
    const user = await it.greeted();
    await user.writes("A question");
    desk.clock.advance(age);
    await user.isSent("An answer");
    await it.send();
    expect(requests).toMatchObject([{ path: `/v2/bot/message/${path}` }]);
    expect(user.received()).toEqual([GREETING, "An answer"]);
  });
});

describe("S1, S3: what is queued goes out in the order of recording, up to five messages a call", () => {
  test.each([
    ["five in one call", ["1", "2", "3", "4"], [5]],
    ["six in two", ["1", "2", "3", "4", "5"], [5, 1]],
    ["twelve in three", "123456789ab".split(""), [5, 5, 2]],
  ])("%s, once the channel has an access token", async (name, sent, sizes) => {
    const on = await it.channel();
    const user = it.user(on);
    const { event } = await user.writes();
    const ids: string[] = [];
    for (const text of sent) ids.push(await user.isSent(text));
    await it.send();
    expect(requests).toEqual([]);

    await desk.ada.updateChannel({ channelId: on.channel, line: { accessToken: on.account.issueToken() } });
    await it.send();

    const all = [GREETING, ...sent];
    expect(it.requests.map(({ body }) => JSON.parse(body).messages.length)).toEqual(sizes);
    expect(requests).toMatchObject([
      { body: JSON.stringify({ replyToken: event.replyToken, messages: texts(...all.slice(0, 5)) }) },
      ...sizes.slice(1).map((size, index) => ({
        headers: { "x-line-retry-key": rowId(ids[4 + 5 * index] ?? name) },
        body: JSON.stringify({
          to: user.externalId,
          messages: texts(...all.slice(5 + 5 * index, 5 + 5 * index + size)),
        }),
      })),
    ]);
    expect(user.received()).toEqual(all);
    expect(await user.outbound()).toEqual(all.map((text) => `${text}: SENT`));
  });

  test("a push of five has the first message's id as its retry key", async () => {
    const on = await it.channel();
    const user = it.user(on);
    await user.writes();
    for (const text of ["1", "2", "3", "4"]) await user.isSent(text);
    await it.after(50_001);
    const accessToken = on.account.issueToken();
    await desk.ada.updateChannel({ channelId: on.channel, line: { accessToken } });
    await it.send();
    const [greeting] = (await user.entries()).filter(({ direction }) => direction === "OUTBOUND");
    expect(requests).toEqual([
      push(rowId(greeting?.id ?? ""), user.externalId, texts(GREETING, "1", "2", "3", "4"), accessToken),
    ]);
  });
});

describe("menus are quick replies below the last message", () => {
  const option = (n: number, label = `Choice ${n}`) => ({ id: `o${n}`, label, next: "thanks" });
  const chatbot = (options: readonly object[]) => ({
    kind: "CHATBOT" as const,
    definition: {
      steps: [
        { id: "start", text: "Hello!", next: "menu" },
        { id: "menu", text: "What is it about?", options },
        { id: "thanks", text: "Thank you." },
      ],
    },
  });
  const quickReply = (options: readonly { readonly id: string; readonly label: string }[]) => ({
    items: options.map(({ id, label }) => ({
      type: "action",
      action: { type: "postback", label, data: id, displayText: label },
    })),
  });
  const upTo = (count: number) => Array.from({ length: count }, (_, n) => option(n + 1));

  test("13 choices; a tap on one continues the chatbot, with a reply", async () => {
    const on = await it.channel({ accessToken: "chatbot", flows: [chatbot(upTo(13))] });
    const user = it.user(on);
    const { event } = await user.writes();
    await it.send();
    const menu = { type: "text", text: "What is it about?", quickReply: quickReply(upTo(13)) };
    expect(requests).toEqual([reply(event.replyToken, [...texts("Hello!"), menu], "chatbot")]);

    await user.taps("o13");
    await it.send();
    expect(requests.slice(1)).toMatchObject([{ path: "/v2/bot/message/reply" }]);
    expect(user.received()).toEqual(["Hello!", "What is it about?", "Thank you."]);
  });

  test("more than 13 choices are a numbered text, and its answer is a number", async () => {
    const on = await it.channel({ accessToken: "numbers", flows: [chatbot(upTo(14))] });
    const user = it.user(on);
    await user.writes();
    await it.send();
    const numbered = ["What is it about?", ...upTo(14).map(({ label }, n) => `${n + 1}. ${label}`)].join("\n");
    expect(requests.map(({ body }) => JSON.parse(body).messages)).toEqual([texts("Hello!", numbered)]);

    await user.writes("14");
    await it.send();
    expect(user.received()).toEqual(["Hello!", numbered, "Thank you."]);
  });

  test("labels are shortened to 20 characters as a person counts them, and tapped in full", async () => {
    const family = "👨‍👩‍👧‍👦";
    const options = [
      option(1, "Exactly 20 letters !"),
      option(2, "One more than twenty!"),
      option(3, family.repeat(21)),
    ];
    const on = await it.channel({ accessToken: "labels", flows: [chatbot(options)] });
    const user = it.user(on);
    await user.writes();
    await it.send();
    const { messages } = JSON.parse(first(requests).body);
    const items: { action: { label: string; displayText: string } }[] = messages.at(-1).quickReply.items;
    expect(items.map(({ action: { label, displayText } }) => [label, displayText])).toEqual([
      ["Exactly 20 letters !", "Exactly 20 letters !"],
      ["One more than twent…", "One more than twenty!"],
      [`${family.repeat(19)}…`, family.repeat(21)],
    ]);
    expect(await user.outbound()).toEqual([expect.stringMatching(/SENT$/), expect.stringMatching(/SENT$/)]);
  });

  test("nothing travels behind a menu in the same call", async () => {
    const on = await it.channel({ flows: [chatbot(upTo(2))] });
    const user = it.user(on);
    await user.writes();
    await user.writes("What?");
    await desk.ada.updateChannel({ channelId: on.channel, line: { accessToken: on.account.issueToken() } });
    await it.send();
    const menu = { type: "text", text: "What is it about?", quickReply: quickReply(upTo(2)) };
    expect(requests.map(({ body }) => JSON.parse(body).messages)).toEqual([[...texts("Hello!"), menu], [menu]]);
  });
});

test("LINE's ids of sent messages are kept, so that a quote leads to the message", async () => {
  const on = await it.channel();
  const user = it.user(on);
  await user.writes();
  await user.isSent("Quote me");
  await desk.ada.updateChannel({ channelId: on.channel, line: { accessToken: on.account.issueToken() } });
  await it.send();
  const sent = (await user.entries()).filter(({ direction }) => direction === "OUTBOUND");
  const phone = on.account.account.phone(user.externalId).entries.filter(({ from }) => from === "account");
  expect(sent.map(({ providerMessageId }) => providerMessageId)).toEqual(phone.map(({ id }) => id));

  const quote = { type: "text", id: "quote", text: "This?", quotedMessageId: sent[1]?.providerMessageId };
  const event = lineText(user.externalId, "", { message: quote, timestamp: desk.clock.now() });
  await desk.lineWebhook([event], { channel: on.channel });
  expect((await user.entries()).at(-1)).toMatchObject({ text: "This?", quotedMessage: { id: sent[1]?.id } });
});

test("S4: without an access token nothing is ever called, and after 12 hours a message is EXPIRED", async () => {
  const user = it.user(await it.channel());
  await user.writes();
  await it.after(12 * 3_600_000 - 1);
  expect(await user.outbound()).toEqual([`${GREETING}: QUEUED`]);
  await it.after(1);
  expect(await user.outbound()).toEqual([`${GREETING}: FAILED EXPIRED`]);
  expect(requests).toEqual([]);
  expect(it.line.log.all().filter(({ userId }) => userId === user.externalId)).toEqual([]);
});
