import { buffer } from "node:stream/consumers";
import { HTTPFetchError, messagingApi } from "@line/bot-sdk";
import { afterAll, beforeAll, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { LineChannel } from "../../src/demo/line/channel.ts";
import type { LineMessage } from "../../src/demo/line/messages.ts";
import { type FakeLine, startFakeLine } from "../../src/demo/line/server.ts";

/** LINE's own client, which was generated from LINE's own description, takes the fake for LINE. */

const MIKA = "U0000000000000000000000000000000a";
const KEY = "123e4567-e89b-12d3-a456-426614174000";
const HI = { type: "text", text: "Hi" } as const;

let line: FakeLine;
let channel: LineChannel;
let client: messagingApi.MessagingApiClient;
let blobs: messagingApi.MessagingApiBlobClient;
beforeAll(async () => {
  line = await startFakeLine();
  channel = line.addChannel({ id: "shop", secret: "secret", displayName: "Shop", monthlyLimit: 100 });
  const channelAccessToken = channel.issueToken();
  client = new messagingApi.MessagingApiClient({ channelAccessToken, baseURL: line.url });
  blobs = new messagingApi.MessagingApiBlobClient({ channelAccessToken, baseURL: line.dataUrl });
});
afterAll(() => line.stop());

const refusal = (called: Promise<unknown>) =>
  called.then(
    () => null,
    (error: unknown) => {
      if (!(error instanceof HTTPFetchError)) throw error;
      return { status: error.status, body: JSON.parse(error.body), headers: error.headers };
    },
  );

test("push, and its repeat", async () => {
  const push = () => client.pushMessageWithHttpInfo({ to: MIKA, messages: [HI] }, KEY);
  const { httpResponse, body } = await push();
  expect(body.sentMessages).toEqual([{ id: expect.any(String), quoteToken: expect.any(String) }]);
  const repeat = await refusal(push());
  expect(repeat?.status).toBe(409);
  expect(repeat?.body.sentMessages).toEqual(body.sentMessages);
  expect(repeat?.headers.get("x-line-accepted-request-id")).toBe(httpResponse.headers.get("x-line-request-id"));
});

test("reply with a menu, loading and mark as read", async () => {
  const { event } = channel.writeAs(MIKA, "Hello");
  const { replyToken, message } = z
    .object({ replyToken: z.string(), message: z.object({ markAsReadToken: z.string() }) })
    .parse(event);
  await client.showLoadingAnimation({ chatId: MIKA, loadingSeconds: 5 });
  await client.markMessagesAsReadByToken({ markAsReadToken: message.markAsReadToken });
  const action = { type: "message", label: "Yes", text: "Yes" } as const;
  const menu = { ...HI, quickReply: { items: [{ type: "action", action }] } };
  expect((await client.replyMessage({ replyToken, messages: [menu] })).sentMessages).toHaveLength(1);
  expect(await refusal(client.replyMessage({ replyToken, messages: [menu] }))).toMatchObject({
    status: 400,
    body: { message: "Invalid reply token" },
  });
});

test("profile, bot, quota and files", async () => {
  channel.addUser(MIKA, "Mika");
  expect(await client.getProfile(MIKA)).toMatchObject({ userId: MIKA, displayName: "Mika" });
  expect(await client.getBotInfo()).toMatchObject({ displayName: "Shop", chatMode: "chat", markAsReadMode: "manual" });
  expect(await client.getMessageQuota()).toEqual({ type: "limited", value: 100 });
  expect(await client.getMessageQuotaConsumption()).toEqual({ totalUsage: expect.any(Number) });
  const file = { bytes: Buffer.from("a picture"), contentType: "image/png" };
  const messageId = String(channel.sendFileAs(MIKA, "image", file).messageId);
  expect(await buffer(await blobs.getMessageContent(messageId))).toEqual(file.bytes);
  expect(await blobs.getMessageContentTranscodingByMessageId(messageId)).toEqual({ status: "succeeded" });
});

type MembersByType<Union extends { type: string }> = {
  [Type in Union["type"]]: keyof Extract<Union, { type: Type }>;
};

test("the fake knows exactly the types of messages, and members of each, that LINE's client knows", () => {
  expectTypeOf<MembersByType<LineMessage>>().toEqualTypeOf<MembersByType<messagingApi.Message>>();
  type Action = NonNullable<LineMessage["quickReply"]>["items"][number]["action"];
  expectTypeOf<MembersByType<Action>>().toEqualTypeOf<MembersByType<messagingApi.Action>>();
});
