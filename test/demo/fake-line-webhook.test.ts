import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseLine, verifyLineSignature } from "../../src/channels/line/events.ts";
import type { LineChannel, Sent } from "../../src/demo/line/channel.ts";
import { type FakeLine, startFakeLine } from "../../src/demo/line/server.ts";
import { testClock } from "../support/clock.ts";

const MIKA = "U0000000000000000000000000000000a";

interface Delivery {
  readonly signature: string | undefined;
  readonly raw: string;
}

let line: FakeLine;
let channel: LineChannel;
let receiver: Server;
let deliveries: Delivery[];
/** The statuses of the next answers; 200 once there are none left. */
let statuses: number[];
/** The answer to the user Mika waits for this. */
let held: Promise<void>;

const clock = testClock();

beforeEach(async () => {
  deliveries = [];
  statuses = [];
  held = Promise.resolve();
  receiver = createServer(async (request, response) => {
    const signature = request.headers["x-line-signature"];
    const raw = await text(request);
    deliveries.push({ signature: String(signature), raw });
    if (raw.includes(MIKA)) await held;
    response.writeHead(statuses.shift() ?? 200).end();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  line = await startFakeLine({ clock, redeliverAfter: [1] });
  const { port } = receiver.address() as AddressInfo;
  channel = line.addChannel({ id: "shop", secret: "secret", webhookUrl: `http://127.0.0.1:${port}/` });
});

afterEach(async () => {
  await line.stop();
  receiver.closeAllConnections();
  receiver.close();
});

const bodies = () => deliveries.map(({ raw }) => JSON.parse(raw));
const eventsSent = () => bodies().map(({ events }) => events[0]);

test("a webhook is signed with the channel's secret, for the account, with one event", async () => {
  expect(await channel.writeAs(MIKA, "Hello").delivered).toBe(true);
  const [delivery] = deliveries;
  expect(delivery?.signature).toBe(
    createHmac("sha256", "secret")
      .update(delivery?.raw ?? "")
      .digest("base64"),
  );
  expect(verifyLineSignature("secret", Buffer.from(delivery?.raw ?? ""), delivery?.signature)).toBe(true);
  expect(bodies()).toEqual([
    {
      destination: channel.account.userId,
      events: [
        {
          type: "message",
          mode: "active",
          timestamp: clock.now(),
          source: { type: "user", userId: MIKA },
          webhookEventId: expect.stringMatching(/^[0-9A-Z]{26}$/),
          deliveryContext: { isRedelivery: false },
          replyToken: expect.any(String),
          message: {
            type: "text",
            id: expect.stringMatching(/^\d{18}$/),
            text: "Hello",
            quoteToken: expect.any(String),
            markAsReadToken: expect.any(String),
          },
        },
      ],
    },
  ]);
});

test("an event is redelivered, equal but for isRedelivery, until the receiver answers 200", async () => {
  statuses = [500, 503];
  expect(await channel.writeAs(MIKA, "Hello").delivered).toBe(true);
  const [first, ...again] = eventsSent();
  expect(again).toEqual(Array(2).fill({ ...first, deliveryContext: { isRedelivery: true } }));
});

test("the events of a user are delivered one after another, which delays no other user", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  held = promise;
  const sent = ["One", "Two", "Three"].map((each) => channel.writeAs(MIKA, each));
  expect(await channel.writeAs("U2", "Hello").delivered).toBe(true);
  const ofMika = () => eventsSent().flatMap(({ source, message }) => (source.userId === MIKA ? [message.text] : []));
  expect(ofMika()).toEqual(["One"]);
  resolve();
  await Promise.all(sent.map(({ delivered }) => delivered));
  expect(ofMika()).toEqual(["One", "Two", "Three"]);
});

test("without a URL, and after a stop, nothing is delivered", async () => {
  channel.setWebhookUrl(null);
  expect(await channel.writeAs(MIKA, "Hello").delivered).toBe(false);
  statuses = Array(100).fill(500);
  channel.setWebhookUrl(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`);
  const { delivered } = channel.writeAs(MIKA, "Hello");
  await line.stop();
  expect(await delivered).toBe(false);
});

describe("Deskgate understands what a user does", () => {
  const content = { bytes: Buffer.from("a picture"), contentType: "image/png" };
  const unsendOf = () => channel.unsendAs(MIKA, String(channel.writeAs(MIKA, "Oh").messageId));
  const followAgain = () => {
    channel.unfollowAs(MIKA);
    return channel.followAs(MIKA);
  };

  test.each<[string, () => Sent, object]>([
    ["write", () => channel.writeAs(MIKA, "Hello"), { kind: "TEXT", text: "Hello" }],
    ["sticker", () => channel.sendStickerAs(MIKA), { kind: "STICKER" }],
    ["image", () => channel.sendFileAs(MIKA, "image", content), { kind: "IMAGE" }],
    ["video", () => channel.sendFileAs(MIKA, "video", content, "processing"), { kind: "VIDEO" }],
    ["tap", () => channel.tapAs(MIKA, "a=1", "Yes"), { eventType: "postback", payload: { data: "a=1" } }],
    ["unsend", unsendOf, { eventType: "unsend", unsends: expect.stringMatching(/^\d{18}$/) }],
    ["unfollow", () => channel.unfollowAs(MIKA), { eventType: "unfollow", reachable: false }],
    ["first follow", () => channel.followAs(MIKA), { eventType: "follow", reachable: true }],
    ["follow again", followAgain, { eventType: "follow", payload: { isUnblocked: true } }],
  ])("%s", async (_name, act, entry) => {
    expect(await act().delivered).toBe(true);
    const parsed = parseLine(bodies().at(-1));
    expect(parsed).toMatchObject({ events: [{ externalId: MIKA, entry }], unroutable: [], ignored: 0 });
  });
});
