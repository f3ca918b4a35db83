import SchemaBuilder from "@pothos/core";
import PrismaPlugin from "@pothos/plugin-prisma";
import RelayPlugin from "@pothos/plugin-relay";
import type PrismaTypes from "../../store/generated/pothos.ts";
import { getDatamodel } from "../../store/generated/pothos.ts";
import type { Context } from "../resolve/context.ts";

/** The Pothos builder that every type and field of the schema is defined with. */
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
    // Our own code decodes global ids: for a malformed id, Pothos would fail the request instead of finding nothing.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    pageInfoTypeOptions: { description: "Position of a page in its list." },
  },
});

builder.queryType({ description: "Read operations. They return only data of the viewer's workspace." });
builder.mutationType({
  description:
    "Write operations. Expected refusals are types of the result union; `errors` report only invalid requests and failures.",
});
builder.subscriptionType({
  description:
    "Live events from the workspace's event log. With `after`, every event later than that cursor is replayed first, in order, without loss or duplicates.",
});
