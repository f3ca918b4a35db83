import { expect, test } from "vitest";
import { textAt } from "../support/answers.ts";
import { bootDesk, globalId, lineText, rowId } from "../support/app.ts";
import type { Answer } from "../support/client.ts";

const desk = await bootDesk();

const keywordFlow = (keywords: number) => ({
  kind: "AUTO_REPLY_KEYWORD" as const,
  definition: { keywords: Array.from({ length: keywords }, (_, n) => `word ${n}`), text: "x" },
});

function create(channelId: string, flow: object): Promise<Answer> {
  return desk.ada.attempt("createFlow", { channelId, name: "A flow", ...flow }, "flow { id }");
}

test("quota: a channel has at most 100 flows, also if two are created at the same moment", async () => {
  const channelId = await desk.channel("CUSTOM", Array(99).fill(keywordFlow(1)));
  const answers = await Promise.all([create(channelId, keywordFlow(1)), create(channelId, keywordFlow(1))]);
  expect(answers.map(({ __typename }) => __typename).sort()).toEqual(["CreateFlowSuccess", "InvalidInputError"]);
  const message = "The channel has 100 flows, and may have at most 100: change one of them instead.";
  expect(await create(channelId, keywordFlow(1))).toMatchObject({ fields: [{ path: "channelId", message }] });
});

test("quota: the flows of a channel have at most 1,000 keywords together", async () => {
  const channelId = await desk.channel("CUSTOM", Array(5).fill(keywordFlow(190)));
  const flowId = textAt(await create(channelId, keywordFlow(50)), "flow.id");
  const message =
    "The flows of the channel would have 1001 keywords, and may have at most 1000 together: use fewer here, or remove some from another flow.";
  const refused = { fields: [{ path: "definition.keywords", message }] };
  expect(await create(channelId, keywordFlow(1))).toMatchObject(refused);
  const { definition } = keywordFlow(51);
  expect(await desk.ada.attempt("updateFlow", { flowId, definition })).toMatchObject(refused);
});

test("quota: a flow stored earlier over the limits works, can be renamed, and can be cut down", async () => {
  const channelId = await desk.channel("LINE", [keywordFlow(30_000), keywordFlow(150)]);
  const flow = await desk.app.database.prisma.flow.findFirstOrThrow({
    where: { channelId: rowId(channelId) },
    orderBy: { id: "asc" },
  });
  const flowId = globalId("Flow", flow.id);
  await desk.lineWebhook([lineText("early", "word 29999", { timestamp: desk.clock.now() })], { channel: channelId });
  const replies = { channelId: rowId(channelId), authorId: flow.id };
  expect(await desk.app.database.prisma.message.count({ where: replies })).toBe(1);
  await desk.ada.updateFlow({ flowId, name: "Renamed" });
  await desk.ada.updateFlow({ flowId, definition: keywordFlow(149).definition });
});
