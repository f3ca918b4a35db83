import SchemaBuilder from "@pothos/core";
import PrismaPlugin from "@pothos/plugin-prisma";
import RelayPlugin from "@pothos/plugin-relay";
import type PrismaTypes from "../../store/generated/pothos.ts";
import { getDatamodel } from "../../store/generated/pothos.ts";
import type { Context } from "../resolve/context.ts";

/** How the schema is written: every type and field of it goes through this builder. */
export const builder = new SchemaBuilder<{
  Context: Context;
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    Cursor: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
  };
}>({
  plugins: [RelayPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  prisma: {
    client: (context) => context.prisma,
    dmmf: getDatamodel(),
  },
  relay: {
    cursorType: "String",
    // Ids are decoded by our own code: a malformed one is not found, not a fault of the request.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    pageInfoTypeOptions: { description: "Where a page lies in its list." },
  },
});

builder.queryType({ description: "What can be read. Everything is of the viewer's own workspace." });
builder.mutationType({
  description:
    "What can be changed. Refusals are answered as types of the result; `errors` are for what nobody expected.",
});
builder.subscriptionType({
  description:
    "What can be followed live. With `after` everything later than that cursor comes first, in order, nothing lost or repeated.",
});
