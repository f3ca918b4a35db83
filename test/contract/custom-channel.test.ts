import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { toDeliveryId } from "../../src/domain/global-id.ts";
import { idOf } from "../../src/domain/id.ts";
import { first } from "../support/answers.ts";
import { rowId } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { hangUp, type Partner, type PartnerAnswer, startPartner, status, verify } from "../support/partner.ts";
import { block, type Person, person } from "../support/people.ts";
import { rawServer } from "../support/raw-server.ts";
import { latest, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, MENU } from "./situations.ts";

let desk: AutomatedDesk;
let partner: Partner;
/** The partner's own client. */
let key: Client;
beforeAll(async () => {
  desk = await bootAutomatedDesk({ env: { WEBHOOK_ALLOWED_CIDRS: "127.0.0.0/8" } });
  partner = await startPartner();
  key = desk.as(await desk.key("inbound:write"));
});
afterAll(() => partner[Symbol.asyncDispose]());

/** The channels of the current test. They are archived, because what is left on them would take the next test's answers. */
const pushing: string[] = [];
afterEach(async () => {
  for (const channelId of pushing.splice(0)) await desk.ada.archiveChannel({ channelId });
});

/** A channel whose deliveries are posted to the partner, with its secret. */
async function pushed(deliveryUrl = partner.url) {
  const { channel, deliverySecret } = await desk.ada.createChannel({
    kind: "CUSTOM",
    name: "Pushed",
    custom: { deliveryUrl },
  });
  pushing.push(channel.id);
  return { channelId: channel.id, secret: deliverySecret ?? "" };
}

async function pulled(): Promise<string> {
  return (await desk.ada.createChannel({ kind: "CUSTOM", name: "Pulled" })).channel.id;
}

/** Somebody with an ongoing conversation on the channel. */
async function someoneOn(channel: string): Promise<{ person: Person; conversationId: string }> {
  const someone = await person(desk, "CUSTOM", { channel });
  await someone.says("Hello");
  return { person: someone, conversationId: await latest(desk, someone) };
}

async function send(conversationId: string, ...texts: string[]): Promise<void> {
  for (const text of texts) await desk.ada.sendMessage({ conversationId, text });
}

/** The outbound messages, as `<text>: <status>` with the error. */
async function outbound(someone: Person): Promise<string[]> {
  const { contactChannelId } = await look(desk, someone);
  const rows = await desk.app.database.prisma.message.findMany({
    where: { contactChannelId: rowId(contactChannelId), direction: "OUTBOUND" },
    orderBy: { seq: "asc" },
  });
  return rows.map(({ text, deliveryStatus, deliveryErrorCode, deliveryErrorMessage }) =>
    [`${text}: ${deliveryStatus}`, deliveryErrorCode, deliveryErrorMessage].filter((part) => part !== null).join(" "),
  );
}

/** Resolves when the answer 202 is settled: from then on the lease is not lost after 30 seconds. */
async function isTaken(someone: Person): Promise<void> {
  await expect
    .poll(async () => {
      await later(0);
      return (await delivery(someone))?.lease?.isTaken;
    })
    .toBe(true);
}

async function delivery(someone: Person): Promise<{ lease?: { isTaken?: boolean } } | null> {
  const { contactChannelId } = await look(desk, someone);
  const row = await desk.app.database.prisma.contactChannel.findUniqueOrThrow({
    where: { id: rowId(contactChannelId) },
  });
  return row.delivery === null ? null : Object(row.delivery);
}

async function becomes(someone: Person, ...expected: string[]): Promise<void> {
  await expect.poll(() => outbound(someone)).toEqual(expected);
}

/** Lets the sender repeat what is due in `milliseconds`. */
async function later(milliseconds: number): Promise<void> {
  desk.clock.advance(milliseconds);
  await desk.app.runDue();
}

async function faultOf(channelId: string): Promise<string | null> {
  const { data } = await desk.ada.graphql<{ channels: { id: string; fault: string | null }[] }>(
    "{ channels { id fault } }",
  );
  return data.channels.find(({ id }) => id === channelId)?.fault ?? null;
}

function requestsTo(channelId: string) {
  return partner.requests.filter(({ delivery }) => delivery.channelId === channelId);
}

describe("S7: a deliveryUrl", () => {
  test("gets a signed request with everything that the partner needs, and its id of the message is kept", async () => {
    const { channelId, secret } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(status(200, { providerMessageId: "theirs-1" }));
    await send(conversationId, "One");
    await becomes(someone, "One: SENT");
    const request = first(requestsTo(channelId));
    const { contactChannelId } = await look(desk, someone);
    const message = await desk.app.database.prisma.message.findFirstOrThrow({
      where: { contactChannelId: rowId(contactChannelId), direction: "OUTBOUND" },
    });
    expect(message.providerMessageId).toBe("theirs-1");
    const { id, deliveryId } = { id: request.delivery.message.id, deliveryId: request.delivery.deliveryId };
    expect(rowId(id)).toBe(message.id);
    expect(request.delivery).toEqual({
      type: "message.delivery_requested",
      deliveryId,
      channelId,
      contactChannel: { id: contactChannelId, externalId: someone.externalId },
      message: { id, conversationId, text: "One", recordedAt: message.recordedAt.toISOString() },
    });
    expect(request.headers).toMatchObject({ "content-type": "application/json", "webhook-id": deliveryId });
    verify(secret, request);
  });

  test("gets the choices of a menu, too", async () => {
    const { deliverySecret } = await desk.ada.updateChannel({
      channelId: desk.withChatbot.CUSTOM,
      custom: { deliveryUrl: partner.url },
    });
    expect(deliverySecret).toMatch(/^whsec_/);
    const someone = await person(desk, "CUSTOM", { channel: desk.withChatbot.CUSTOM });
    await someone.says("Hello");
    await becomes(someone, `${MENU}: SENT`);
    expect(first(requestsTo(desk.withChatbot.CUSTOM)).delivery.message.menu).toMatchObject({
      text: "How can we help?",
      options: [{ value: expect.any(String), label: "Prices" }, { label: "Call me later" }, { label: "A person" }],
    });
  });

  test.each<[string, PartnerAnswer, number]>([
    ["500", status(500), 1_000],
    ["503 with retry-after", status(503, "", { "retry-after": "7" }), 7_000],
    ["no answer", hangUp, 1_000],
  ])("S3, S4: %s is repeated with the same id and bytes, in order", async (_, answer, longest) => {
    const { channelId } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(answer);
    await send(conversationId, "One", "Two");
    await expect.poll(() => requestsTo(channelId).length).toBe(1);
    await becomes(someone, "One: QUEUED", "Two: QUEUED");
    await later(longest / 2 - 100);
    expect(requestsTo(channelId)).toHaveLength(1);
    await later(longest);
    await becomes(someone, "One: SENT", "Two: SENT");
    const [once, twice, next] = requestsTo(channelId);
    expect(twice?.body).toBe(once?.body);
    expect(twice?.headers["webhook-id"]).toBe(once?.headers["webhook-id"]);
    expect(next?.delivery.message.text).toBe("Two");
  });

  test("S4: 429 pauses the channel, for other contacts, too", async () => {
    const { channelId } = await pushed();
    const [one, two] = [await someoneOn(channelId), await someoneOn(channelId)];
    partner.answer(status(429, "", { "retry-after": "60" }));
    await send(one.conversationId, "One");
    await expect.poll(() => requestsTo(channelId).length).toBe(1);
    await becomes(one.person, "One: QUEUED");
    await send(two.conversationId, "Two");
    await later(59_000);
    expect(requestsTo(channelId)).toHaveLength(1);
    expect(await outbound(two.person)).toEqual(["Two: QUEUED"]);
  });

  test.each<[string, PartnerAnswer, string]>([
    ["400 with a reason", status(400, "No such person."), "The partner refused the message (400): No such person."],
    ["410", status(410), "The partner refused the message (410)."],
    [
      "302",
      status(302, "", { location: "http://169.254.169.254/" }),
      "The deliveryUrl answers with a redirect (302), which is not followed.",
    ],
  ])("S4: %s fails the message, and the next one follows", async (_, answer, reason) => {
    const { channelId } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(answer);
    await send(conversationId, "One", "Two");
    await becomes(someone, `One: FAILED REJECTED ${reason}`, "Two: SENT");
  });

  test.each([401, 403])("S4: %i faults the channel; what waits is sent when its URL is set again", async (code) => {
    const { channelId } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(status(code));
    await send(conversationId, "One", "Two");
    await expect.poll(() => faultOf(channelId)).toContain(`The deliveryUrl answers ${code}: it refuses the signature.`);
    expect(await outbound(someone)).toEqual(["One: QUEUED", "Two: QUEUED"]);
    await desk.ada.updateChannel({ channelId, custom: { deliveryUrl: partner.url } });
    expect(await faultOf(channelId)).toBeNull();
    await desk.app.runDue();
    await becomes(someone, "One: SENT", "Two: SENT");
  });

  test("S4: a connection that does not open is tried again with growing delay, not at once", async () => {
    await using silent = await rawServer(() => {});
    // It accepts the connection, but never answers the handshake of TLS.
    const { channelId } = await pushed(silent.origin.replace("http:", "https:"));
    const { person: someone, conversationId } = await someoneOn(channelId);
    await send(conversationId, "One");
    await expect.poll(() => delivery(someone), { timeout: 5_000 }).toMatchObject({ failures: 1, lease: null });
    expect(await outbound(someone)).toEqual(["One: QUEUED"]);
  });

  test("P4: no request reaches a private address: the channel has a fault that says so", async () => {
    const { channelId } = await pushed("http://169.254.169.254/latest");
    const { person: someone, conversationId } = await someoneOn(channelId);
    await send(conversationId, "One");
    await expect.poll(() => faultOf(channelId)).toContain("The deliveryUrl leads to a METADATA address.");
    expect(await outbound(someone)).toEqual(["One: QUEUED"]);
  });

  test("S7: 202 leaves the message SENDING until it is acknowledged", async () => {
    const { channelId } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(status(202), status(202));
    await send(conversationId, "One", "Two");
    await expect.poll(() => requestsTo(channelId).length).toBe(1);
    await isTaken(someone);
    await later(299_000);
    expect(await outbound(someone)).toEqual(["One: SENDING", "Two: QUEUED"]);
    const { deliveryId } = first(requestsTo(channelId)).delivery;
    expect(await key.acknowledgeDelivery({ deliveryId, status: "SENT", providerMessageId: "t1" })).toMatchObject({
      changed: true,
      message: { text: "One" },
    });
    await desk.app.runDue();
    await expect.poll(() => requestsTo(channelId).length).toBe(2);
    await becomes(someone, "One: SENT", "Two: SENDING");
    const refusal = { code: "GONE", message: "The person has left." };
    const second = requestsTo(channelId)[1]?.delivery.deliveryId;
    await key.acknowledgeDelivery({ deliveryId: second, status: "FAILED", ...refusal });
    await becomes(someone, "One: SENT", "Two: FAILED GONE The person has left.");
  });

  test("S7: what was taken and not acknowledged within 5 minutes is posted again", async () => {
    const { channelId } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(status(202));
    await send(conversationId, "One");
    await expect.poll(() => requestsTo(channelId).length).toBe(1);
    await isTaken(someone);
    await later(300_000);
    await becomes(someone, "One: SENT");
    expect(new Set(requestsTo(channelId).map(({ body }) => body)).size).toBe(1);
  });

  /** Answers only after the partner has reported an outcome. */
  const reportingFirst =
    (report: object, code: number): PartnerAnswer =>
    (response, { delivery: { deliveryId } }) =>
      void key.acknowledgeDelivery({ deliveryId, ...report }).then(() => response.writeHead(code).end());

  test("S7: a report that overtakes the answer counts", async () => {
    const { channelId } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(reportingFirst({ status: "FAILED", code: "MUTED", message: "Muted." }, 202));
    partner.answer(reportingFirst({ status: "SENT", providerMessageId: "t" }, 202));
    await send(conversationId, "One", "Two");
    await becomes(someone, "One: FAILED MUTED Muted.", "Two: SENT");
  });

  test("S2: during a repetition, a failure may be that of an earlier attempt, and changes nothing", async () => {
    const { channelId } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(status(500), reportingFirst({ status: "FAILED" }, 200));
    await send(conversationId, "One");
    await expect.poll(() => requestsTo(channelId).length).toBe(1);
    await becomes(someone, "One: QUEUED");
    await later(1_000);
    await becomes(someone, "One: SENT");
  });

  test("B4: after a block nothing is posted", async () => {
    const { channelId } = await pushed();
    const { person: someone, conversationId } = await someoneOn(channelId);
    partner.answer(status(500));
    await send(conversationId, "One", "Two");
    await becomes(someone, "One: QUEUED", "Two: QUEUED");
    await expect.poll(() => requestsTo(channelId).length).toBe(1);
    await becomes(someone, "One: QUEUED", "Two: QUEUED");
    await block(desk, someone);
    await later(60_000);
    expect(await outbound(someone)).toEqual([
      expect.stringContaining("One: CANCELED OUTCOME_UNKNOWN"),
      "Two: CANCELED",
    ]);
    expect(requestsTo(channelId)).toHaveLength(1);
  });
});

describe("the secret that signs deliveries", () => {
  test("is made with the first URL, shown once and stored sealed", async () => {
    const created = await desk.ada.createChannel({ kind: "CUSTOM", name: "x" });
    expect(created.deliverySecret).toBeNull();
    const channelId = created.channel.id;
    const update = async (custom: object) => (await desk.ada.updateChannel({ channelId, custom })).deliverySecret;
    const secret = await update({ deliveryUrl: partner.url });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await update({ deliveryUrl: null })).toBeNull();
    expect(await update({ deliveryUrl: `${partner.url}?again` })).toBeNull();
    const { prisma } = desk.app.database;
    const rows = JSON.stringify([await prisma.auditLogEntry.findMany(), await prisma.channel.findMany()]);
    expect(rows).not.toContain("whsec_");
  });

  test("is rotated on demand; the one before it signs, too", async () => {
    const { channelId, secret } = await pushed();
    const { deliverySecret } = await desk.ada.updateChannel({ channelId, custom: { rotateDeliverySecret: true } });
    const { person: someone, conversationId } = await someoneOn(channelId);
    await send(conversationId, "One");
    await becomes(someone, "One: SENT");
    const request = first(requestsTo(channelId));
    verify(secret, request);
    verify(deliverySecret ?? "", request);
    const third = await desk.ada.updateChannel({ channelId, custom: { rotateDeliverySecret: true } });
    await send(conversationId, "Two");
    await becomes(someone, "One: SENT", "Two: SENT");
    const next = requestsTo(channelId)[1] ?? request;
    verify(third.deliverySecret ?? "", next);
    expect(() => verify(secret, next)).toThrow();
    const audit = await desk.app.database.prisma.auditLogEntry.findMany({ where: { subjectId: rowId(channelId) } });
    expect(audit.at(-1)?.after).toMatchObject({ hasDeliverySecret: true, replaced: ["deliverySecret"] });
  });

  test("cannot be rotated without a URL", async () => {
    const input = { channelId: desk.custom, custom: { rotateDeliverySecret: true } };
    const { fields } = await desk.ada.attempt("updateChannel", input);
    expect(fields?.map(({ path }) => path)).toEqual(["custom.rotateDeliverySecret"]);
  });

  test("a channel whose URL is older than its secrets says what to do", async () => {
    const channelId = await pulled();
    await desk.app.database.prisma.channel.update({
      where: { id: rowId(channelId) },
      data: { deliveryUrl: partner.url },
    });
    const { person: someone, conversationId } = await someoneOn(channelId);
    await send(conversationId, "One");
    await desk.app.runDue();
    await expect.poll(() => faultOf(channelId)).toContain("updateChannel with rotateDeliverySecret");
    await desk.ada.updateChannel({ channelId, custom: { rotateDeliverySecret: true } });
    await desk.app.runDue();
    await becomes(someone, "One: SENT");
  });
});

describe("S7: without a URL", () => {
  const claim = async (channelId: string, max = 100) => (await key.claimDeliveries({ channelId, max })).deliveries;

  test("S1: the partner claims the next message of each contact, and the one after it when that is acknowledged", async () => {
    const channelId = await pulled();
    const [one, two] = [await someoneOn(channelId), await someoneOn(channelId)];
    await send(one.conversationId, "One", "Two");
    desk.clock.advance(1);
    await send(two.conversationId, "Three");
    const claimed = await claim(channelId);
    expect(claimed).toEqual([
      {
        deliveryId: expect.any(String),
        message: { id: expect.any(String), text: "One" },
        externalId: one.person.externalId,
        expiresAt: new Date(desk.clock.now() + 30_000).toISOString(),
      },
      expect.objectContaining({
        externalId: two.person.externalId,
        message: expect.objectContaining({ text: "Three" }),
      }),
    ]);
    expect(await claim(channelId)).toEqual([]);
    expect(await outbound(one.person)).toEqual(["One: SENDING", "Two: QUEUED"]);
    const { deliveryId } = first(claimed);
    const sent = { deliveryId, status: "SENT", providerMessageId: "theirs" };
    expect((await key.acknowledgeDelivery(sent)).changed).toBe(true);
    expect((await key.acknowledgeDelivery(sent)).changed).toBe(false);
    expect((await claim(channelId)).map(({ message }) => message.text)).toEqual(["Two"]);
  });

  test("at most max deliveries are claimed, the longest overdue first", async () => {
    const channelId = await pulled();
    for (const text of ["One", "Two", "Three"]) {
      await send((await someoneOn(channelId)).conversationId, text);
      desk.clock.advance(1);
    }
    expect((await claim(channelId, 2)).map(({ message }) => message.text)).toEqual(["One", "Two"]);
    expect((await claim(channelId, 2)).map(({ message }) => message.text)).toEqual(["Three"]);
  });

  test("S2: a claim that is not acknowledged is due again after 30 s; its late failure changes nothing, its late success counts", async () => {
    const channelId = await pulled();
    const { person: someone, conversationId } = await someoneOn(channelId);
    await send(conversationId, "One");
    const [earlier] = await claim(channelId);
    await later(30_000);
    const [again] = await claim(channelId);
    expect(again?.message).toEqual(earlier?.message);
    expect(again?.deliveryId).not.toBe(earlier?.deliveryId);
    const late = { deliveryId: earlier?.deliveryId, status: "FAILED" };
    expect((await key.acknowledgeDelivery(late)).changed).toBe(false);
    expect(await outbound(someone)).toEqual(["One: SENDING"]);
    expect((await key.acknowledgeDelivery({ ...late, status: "SENT" })).changed).toBe(true);
    // The later attempt is over, too; its failure does not undo the success.
    await key.acknowledgeDelivery({ deliveryId: again?.deliveryId, status: "FAILED" });
    expect(await outbound(someone)).toEqual(["One: SENT"]);
  });

  test("S2: a claim that was lost across a block is OUTCOME_UNKNOWN, until a late success says that it arrived", async () => {
    const channelId = await pulled();
    const { person: someone, conversationId } = await someoneOn(channelId);
    await send(conversationId, "One");
    const [claimed] = await claim(channelId);
    desk.clock.advance(2_000);
    await block(desk, someone);
    await later(30_000);
    expect(await outbound(someone)).toEqual([expect.stringContaining("One: FAILED OUTCOME_UNKNOWN")]);
    expect(await claim(channelId)).toEqual([]);
    await key.acknowledgeDelivery({ deliveryId: claimed?.deliveryId, status: "SENT" });
    expect(await outbound(someone)).toEqual(["One: SENT"]);
  });

  test("a failure has the partner's code and reason, and others if it gives none", async () => {
    const channelId = await pulled();
    const { person: someone, conversationId } = await someoneOn(channelId);
    await send(conversationId, "One", "Two");
    const fail = async (more: object) => {
      const { deliveryId } = first(await claim(channelId));
      await key.acknowledgeDelivery({ deliveryId, status: "FAILED", ...more });
    };
    await fail({ code: "MUTED", message: "Muted." });
    await fail({});
    expect(await outbound(someone)).toEqual([
      "One: FAILED MUTED Muted.",
      "Two: FAILED REJECTED The partner gave no reason.",
    ]);
  });

  test("only deliveries that were made can be acknowledged, and only on partners' channels", async () => {
    const channelId = await pulled();
    const { conversationId } = await someoneOn(channelId);
    await send(conversationId, "One");
    const { deliveryId, message } = first(await claim(channelId));
    const onLine = await desk.writes("somebody");
    const sent = await desk.ada.sendMessage({ conversationId: onLine.conversationId, text: "Hi" });
    const names = [
      { messageId: rowId(message.id), attempt: 2 },
      { messageId: rowId(onLine.messageId), attempt: 1 },
      { messageId: rowId(sent.message.id), attempt: null },
    ];
    for (const { messageId, attempt } of names) {
      const forged = toDeliveryId({ messageId: idOf(messageId), attempt });
      expect((await key.attempt("acknowledgeDelivery", { deliveryId: forged, status: "SENT" })).code).toBe("NOT_FOUND");
    }
    expect((await key.acknowledgeDelivery({ deliveryId, status: "SENT" })).changed).toBe(true);
  });

  test("a partner who claims and a partner's URL exclude each other", async () => {
    const { channelId } = await pushed();
    for (const id of [channelId, desk.line, desk.webChat]) {
      const { fields } = await key.attempt("claimDeliveries", { channelId: id, max: 1 });
      expect(fields?.map(({ path }) => path)).toEqual(["channelId"]);
    }
  });

  describe("S6: a claim begins when it is answered", () => {
    // Reading the assignee's name waits for the lock, after the lease was granted.
    const SLOW = "deliveries { message { text conversation { assignee { name } } } }";
    const CLAIM = `mutation ($input: ClaimDeliveriesInput!) { claimDeliveries(input: $input) { ... on ClaimDeliveriesSuccess { ${SLOW} } } }`;
    const BLOCK = `mutation ($input: BlockContactInput!) { blockContact(input: $input) { __typename } }`;

    async function race(release: (blocked: Promise<unknown>, unlock: () => Promise<void>) => Promise<void>) {
      const channelId = await pulled();
      const { person: someone, conversationId } = await someoneOn(channelId);
      await desk.ada.takeConversation({ conversationId });
      await send(conversationId, "One");
      const { contactId } = await look(desk, someone);
      const blocker = desk.as(await desk.key("contacts:block"));
      await blocker.graphql("{ viewer { role } }");
      const answers: string[] = [];
      const lock = await desk.app.database.pool.connect();
      await lock.query("BEGIN; LOCK TABLE agent IN ACCESS EXCLUSIVE MODE");
      const claiming = key.graphql(CLAIM, { input: { channelId, max: 1 } }).then((answer) => {
        answers.push("claimed");
        return answer;
      });
      await becomesSending(channelId);
      const blocking = blocker.graphql(BLOCK, { input: { contactId } }).then((answer) => {
        answers.push("blocked");
        return answer;
      });
      await expect
        .poll(() =>
          desk.app.database.prisma.block.count({ where: { contactChannel: { externalId: someone.externalId } } }),
        )
        .toBe(1);
      await release(blocking, async () => {
        await lock.query("COMMIT");
        lock.release();
      });
      const claimed = await claiming;
      await blocking;
      return { someone, claimed, answers };
    }

    async function becomesSending(channelId: string): Promise<void> {
      const where = { channelId: rowId(channelId), deliveryStatus: "SENDING" as const };
      await expect.poll(() => desk.app.database.prisma.message.count({ where })).toBe(1);
    }

    test("blockContact waits for the answer", async () => {
      const { claimed, answers } = await race(async (_, unlock) => unlock());
      expect(claimed.data).toMatchObject({ claimDeliveries: { deliveries: [{ message: { text: "One" } }] } });
      expect(answers).toEqual(["claimed", "blocked"]);
    });

    test("an answer later than 1 s hands out nothing, and blockContact does not wait for it", async () => {
      const { someone, claimed, answers } = await race(async (blocked, unlock) => {
        await blocked;
        await unlock();
      });
      expect(answers).toEqual(["blocked", "claimed"]);
      expect(claimed.data ?? null).toBeNull();
      expect(claimed.errors?.map(({ extensions }) => extensions.code)).toEqual(["OVERLOADED"]);
      expect(await outbound(someone)).toEqual(["One: CANCELED"]);
    });
  });
});
