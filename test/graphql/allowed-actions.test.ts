import { describe, expect, test } from "vitest";
import { at, nodesAt } from "../support/answers.ts";
import { bootDesk } from "../support/app.ts";
import { countingStatements } from "../support/statements.ts";

const desk = await bootDesk();
const person = "allowed-actions";
for (let index = 0; index < 12; index++) {
  const { contactId, conversationId } = await desk.writes(`${person} ${index}`);
  if (index % 4 === 0) await desk.ada.blockContact({ contactId });
  if (index % 4 === 1) await desk.ada.offerConversation({ conversationId, agentId: desk.ben.id });
  if (index % 4 === 2) await desk.ada.endConversation({ conversationId });
}

describe("allowedActions costs no statement, whatever the length of the page", () => {
  const conversations = (fields: string) =>
    `query ($first: Int!) { conversations(first: $first) { edges { node { id ${fields} } } } }`;
  const contacts = (fields: string) =>
    `query ($first: Int!) { contacts(first: $first) { edges { node { id channels { id ${fields} } } } } }`;
  const everything =
    "status blocked activeBlock { id notes } currentConversation { id status offeredTo { name } allowedActions } allowedActions";

  test.each([
    ["conversations", conversations("allowedActions"), conversations("")],
    [
      "conversations",
      conversations(`status blocked allowedActions contactChannel { ${everything} }`),
      conversations("status blocked contactChannel { status }"),
    ],
    ["contacts", contacts("allowedActions"), contacts("")],
    ["contacts", contacts(everything), contacts("status")],
  ])("%s: %s", async (list, query, without) => {
    const few = await countingStatements(() => desk.ben.graphql(query, { first: 2 }));
    const many = await countingStatements(() => desk.ben.graphql(query, { first: 12 }));
    const plain = await countingStatements(() => desk.ben.graphql(without, { first: 12 }));
    expect(many.result.errors).toBeUndefined();
    expect(nodesAt(many.result.data, list)).toHaveLength(12);
    expect([few.statements.length, many.statements.length]).toEqual([plain.statements.length, plain.statements.length]);
  });

  test("each row has its own", async () => {
    const { data } = await desk.ben.graphql(conversations("status allowedActions"), { first: 100 });
    const seen = new Map(
      nodesAt(data, "conversations").map((node) => [at(node, "status"), at(node, "allowedActions")]),
    );
    expect(Object.fromEntries(seen)).toEqual({
      BLOCKED: [],
      ENDED: [],
      WAITING: ["REPLY", "TAKE", "OFFER", "END"],
      ASSIGNING: ["REPLY", "TAKE", "ACCEPT", "DECLINE", "END"],
    });
  });
});
