import { v7 as uuidv7 } from "uuid";
import { describe, expect, test } from "vitest";
import { requestOf, resultOf } from "../../../src/channels/line/send.ts";
import type { HttpCallResult } from "../../../src/delivery/http-call.ts";
import type { CallResult } from "../../../src/delivery/sender.ts";
import { idOf } from "../../../src/domain/id.ts";
import type { Menu } from "../../../src/domain/message.ts";
import type { DeliveryCall, GrantedLease } from "../../../src/domain/outbox.ts";
import type { OutboundContents } from "../../../src/store/outbound-contents.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const PUSH: DeliveryCall = { type: "PUSH" };
const REPLY: DeliveryCall = { type: "REPLY", token: "reply-token", receivedAt: NOW };

function leaseOf(call: DeliveryCall, contents: readonly OutboundContents[] = []): GrantedLease {
  return { messageIds: contents.map(({ id }) => id), attempt: 1, call, failures: 0, grantedAt: NOW };
}

function content(text: string, menu: Menu | null = null): OutboundContents {
  return {
    id: idOf<"Message">(uuidv7()),
    conversationId: null,
    contactChannelId: idOf<"ContactChannel">(uuidv7()),
    externalId: "U1",
    text,
    menu,
    recordedAt: NOW,
  };
}

describe("the request", () => {
  test("of a reply has its token and no retry key", () => {
    const contents = [content("Hi"), content("Ho")];
    expect(requestOf(leaseOf(REPLY, contents), contents)).toEqual({
      path: "/v2/bot/message/reply",
      headers: {},
      body: {
        replyToken: "reply-token",
        messages: [
          { type: "text", text: "Hi" },
          { type: "text", text: "Ho" },
        ],
      },
    });
  });

  test("of a push has the first message's id as its retry key, at each attempt", () => {
    const contents = [content("Hi"), content("Ho")];
    const first = requestOf(leaseOf(PUSH, contents), contents);
    expect(first).toEqual({
      path: "/v2/bot/message/push",
      headers: { "x-line-retry-key": contents[0]?.id },
      body: {
        to: "U1",
        messages: [
          { type: "text", text: "Hi" },
          { type: "text", text: "Ho" },
        ],
      },
    });
    expect(requestOf({ ...leaseOf(PUSH, contents), attempt: 7, failures: 6 }, contents)).toEqual(first);
  });

  const choices = (count: number): Menu["options"] =>
    Array.from({ length: count }, (_, n) => ({ id: `${n}`, label: `Choice ${n}` }));
  const shown = (text: string, options: Menu["options"]) => {
    const contents = [content("numbered", { text, options })];
    return requestOf(leaseOf(PUSH, contents), contents).body.messages[0];
  };

  test.each<[string, string, Menu["options"], boolean]>([
    ["one choice", "Which?", choices(1), true],
    ["13 choices", "Which?", choices(13), true],
    ["14 choices", "Which?", choices(14), false],
    ["no text above them", "", choices(1), false],
    ["data of 300", "Which?", [{ id: "x".repeat(300), label: "A" }], true],
    ["data of 301", "Which?", [{ id: "x".repeat(301), label: "A" }], false],
  ])("of a menu with %s", (_name, text, options, areButtons) => {
    const action = ({ id, label }: Menu["options"][number]) => ({
      type: "action",
      action: { type: "postback", label, data: id, displayText: label },
    });
    expect(shown(text, options)).toEqual(
      areButtons
        ? { type: "text", text, quickReply: { items: options.map(action) } }
        : { type: "text", text: "numbered" },
    );
  });

  test.each([
    ["a".repeat(20), "a".repeat(20), "a".repeat(20)],
    ["a".repeat(21), `${"a".repeat(19)}…`, "a".repeat(21)],
    ["é".repeat(21).normalize("NFD"), `${"é".repeat(19).normalize("NFD")}…`, "é".repeat(21).normalize("NFD")],
    ["a".repeat(301), `${"a".repeat(19)}…`, `${"a".repeat(299)}…`],
  ])("shortens a label: %s", (label, shortened, displayText) => {
    expect(shown("Which?", [{ id: "1", label }])).toMatchObject({
      quickReply: { items: [{ action: { label: shortened, displayText } }] },
    });
  });
});

describe("the result of", () => {
  const DELAY = 4_000;
  const answer = (status: number, body: unknown = {}, headers: Record<string, string> = {}): HttpCallResult => ({
    type: "Responded",
    status,
    headers: new Map(Object.entries(headers)),
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    isBodyCut: false,
  });
  const again = (isAmbiguous: boolean, delay = DELAY): CallResult => ({ type: "AGAIN", isAmbiguous, delay });
  const sent = (...providerMessageIds: string[]): CallResult => ({ type: "SENT", providerMessageIds });
  const rejected = (message: string): CallResult => ({
    type: "FAILED",
    error: { code: "REJECTED", message: `LINE refused the message ${message}` },
  });
  const quota: CallResult = {
    type: "FAILED",
    error: { code: "QUOTA_EXCEEDED", message: "You have reached your monthly limit." },
  };
  const limited = (delay = DELAY): CallResult => ({ type: "RATE_LIMITED", delay });
  const fault = (reason: string): CallResult => ({
    type: "CHANNEL_FAULT",
    reason: `LINE refuses the access token (${reason}). Set a new one with updateChannel.`,
  });
  const ids = { sentMessages: [{ id: "1", quoteToken: "q" }, { id: "2" }] };
  const invalidToken = { message: "Invalid reply token" };
  const monthly = { message: "You have reached your monthly limit." };

  test.each<[string, HttpCallResult, CallResult, CallResult]>([
    ["200", answer(200, ids), sent("1", "2"), sent("1", "2")],
    ["202 without ids", answer(202), sent(), sent()],
    ["200 with another body", answer(200, "<html>"), sent(), sent()],
    ["200 that breaks off", answer(200, '{"sent'), sent(), sent()],
    ["409", answer(409, ids), sent("1", "2"), rejected("(409): no reason given")],
    ["400", answer(400, { message: "Bad." }), rejected("(400): Bad."), rejected("(400): Bad.")],
    [
      "400 with details",
      answer(400, {
        message: "2 errors",
        details: [{ message: "May not be empty", property: "messages[0].text" }, {}],
      }),
      rejected("(400): 2 errors messages[0].text: May not be empty. ?: ?."),
      rejected("(400): 2 errors messages[0].text: May not be empty. ?: ?."),
    ],
    [
      "400 with another body",
      answer(400, "no"),
      rejected("(400): no reason given"),
      rejected("(400): no reason given"),
    ],
    [
      "400 with a long reason",
      answer(400, { message: "x".repeat(501) }),
      rejected(`(400): ${"x".repeat(500)}`),
      rejected(`(400): ${"x".repeat(500)}`),
    ],
    [
      "an invalid reply token",
      answer(400, invalidToken),
      rejected("(400): Invalid reply token"),
      { type: "INVALID_REPLY_TOKEN" },
    ],
    ["302", answer(302), rejected("(302): no reason given"), rejected("(302): no reason given")],
    ["404", answer(404), rejected("(404): no reason given"), rejected("(404): no reason given")],
    ["401", answer(401, { message: "No." }), fault("401: No."), fault("401: No.")],
    ["403", answer(403), fault("403: no reason given"), fault("403: no reason given")],
    ["429", answer(429), limited(), limited()],
    ["429 with retry-after", answer(429, {}, { "retry-after": "9" }), limited(9_000), limited(9_000)],
    [
      "429 with a date",
      answer(429, {}, { "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }),
      limited(30_000),
      limited(30_000),
    ],
    ["429 with a shorter retry-after", answer(429, {}, { "retry-after": "1" }), limited(), limited()],
    ["429 with nonsense", answer(429, {}, { "retry-after": "soon" }), limited(), limited()],
    ["429 for the month", answer(429, monthly), quota, quota],
    ["500", answer(500), again(true), again(true, 1_000)],
    ["503 with retry-after", answer(503, {}, { "retry-after": "9" }), again(true, 9_000), again(true, 1_000)],
    ["no answer in time", { type: "Ambiguous", reason: "TIMED_OUT" }, again(true), again(true, 1_000)],
    ["a lost connection", { type: "Ambiguous", reason: "CONNECTION_LOST" }, again(true), again(true, 1_000)],
    ["a call that began too late", { type: "NotBegun", reason: "BEGIN_DEADLINE_PASSED" }, again(false), again(false)],
    [
      "no connection",
      { type: "NotBegun", reason: "CONNECT_FAILED", error: new Error("refused") },
      again(false),
      again(false),
    ],
  ])("%s, for a push and for a reply", (_name, result, push, reply) => {
    expect(resultOf(result, leaseOf(PUSH), DELAY, NOW)).toEqual(push);
    expect(resultOf(result, leaseOf(REPLY), DELAY, NOW)).toEqual(reply);
  });
});
