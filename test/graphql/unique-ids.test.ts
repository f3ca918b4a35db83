import {
  type GraphQLField,
  type GraphQLOutputType,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isNonNullType,
  isObjectType,
} from "graphql";
import { beforeAll, expect, test } from "vitest";
import { schema } from "../../src/graphql/schema/index.ts";
import { chatbot } from "../contract/situations.ts";
import { bootDesk, type Desk } from "../support/app.ts";
import { onLine } from "../support/people.ts";
import { cursorNow, replay } from "../support/subscriber.ts";
import { contactIdOf, latest } from "../support/view.ts";

/** Levels of objects below a root field. */
const DEPTH = 2;

let desk: Desk;
let after: string;
/** Values for the arguments that root fields require. */
let ids: Record<string, string>;
beforeAll(async () => {
  desk = await bootDesk();
  after = await cursorNow(desk);
  await desk.key("read");
  // Its first message has a menu.
  const someone = onLine(desk, { channel: await desk.channel("LINE", [chatbot]) });
  await someone.says("Hello");
  await someone.does("unfollow");
  const conversationId = await latest(desk, someone);
  const contactId = await contactIdOf(desk, someone);
  await desk.ada.sendMessage({ conversationId, text: "Hello" });
  await desk.ada.blockContact({ contactId });
  await desk.ada.unblockContact({ contactId });
  ids = {
    "conversation.id": conversationId,
    "contact.id": contactId,
    "node.id": conversationId,
    "previewBlock.contactId": contactId,
  };
});

/** How many events of each subscription the beginning made, if more than one. */
const eventCounts: Record<string, number> = { deskEvents: 10, messageRecorded: 3, conversationChanged: 2 };

test("no id of any query or subscription stands under two types", async () => {
  const typesById = new Map<string, Set<string>>();
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    const { data, errors } = await desk.ada.graphql(`{ ${rootSelection(field)} }`);
    expect([field.name, errors]).toEqual([field.name, undefined]);
    collect(data, typesById);
  }
  const subscriptions = Object.values(schema.getSubscriptionType()?.getFields() ?? {});
  for (const field of subscriptions) {
    const events = await replay(desk, `subscription { ${rootSelection(field)} }`, eventCounts[field.name] ?? 1);
    collect(events, typesById);
  }

  expect([...typesById].filter(([, types]) => types.size > 1)).toEqual([]);
  const seen = new Set([...typesById.values()].flatMap((types) => [...types]));
  const withIds = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && "id" in type.getFields());
  expect(withIds.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
});

function rootSelection(field: GraphQLField<unknown, unknown>): string {
  const args = field.args.flatMap(({ name, type }) => {
    if (name === "first") return ["first: 3"];
    if (name === "after" && schema.getSubscriptionType()?.getFields()[field.name] === field)
      return [`after: "${after}"`];
    return isNonNullType(type) ? [`${name}: ${JSON.stringify(ids[`${field.name}.${name}`])}`] : [];
  });
  return `${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""}${selectionOf(field.type, DEPTH)}`;
}

/** `__typename`, `id` and every object below, as far as it needs no arguments; empty for a plain value. */
function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return "";
  const fragments = isAbstractType(named)
    ? schema
        .getPossibleTypes(named)
        .map((possible) => ` ... on ${possible.name} ${selectionOf(possible, named.name === "DeskEvent" ? 1 : 0)}`)
    : [];
  if (!isObjectType(named)) return ` { __typename ${fragments.join("")} }`;
  const fields = Object.values(named.getFields()).flatMap((field) => {
    if (field.name === "id") return ["id"];
    const inner = getNamedType(field.type);
    if (isLeafType(inner) || field.args.some((arg) => isNonNullType(arg.type))) return [];
    const isWrapper = /(Connection|Edge|Menu)$/.test(named.name);
    if (depth === 0 && !isWrapper) return [];
    if (inner.name === "PageInfo") return [];
    // Union members may have fields of one name with different types.
    const alias = isInterfaceType(named) ? "" : `${named.name}_${field.name}: `;
    const page = field.args.some(({ name }) => name === "first") ? "(first: 2)" : "";
    return [`${alias}${field.name}${page}${selectionOf(field.type, isWrapper ? depth : depth - 1)}`];
  });
  return ` { __typename ${fields.join(" ")} }`;
}

function collect(value: unknown, typesById: Map<string, Set<string>>): void {
  if (Array.isArray(value)) for (const each of value) collect(each, typesById);
  if (typeof value !== "object" || value === null) return;
  if ("id" in value && typeof value.id === "string" && "__typename" in value) {
    const types = typesById.get(value.id) ?? new Set();
    typesById.set(value.id, types.add(String(value.__typename)));
  }
  for (const each of Object.values(value)) collect(each, typesById);
}
