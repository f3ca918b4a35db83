import { queryFromInfo } from "@pothos/plugin-prisma";
import type { GraphQLResolveInfo } from "graphql";
import type { Context } from "./context.ts";

/** What a field that is a connection has to load of its rows, to be spread into the call that finds them. */
export function rowsOf(context: Context, info: GraphQLResolveInfo): object {
  return queryFromInfo({ context, info, path: ["edges", "node"] });
}

/** What has to be loaded of the one row that a field answers, taken as this type. */
export function rowOf(context: Context, info: GraphQLResolveInfo, typeName: string): object {
  return queryFromInfo({ context, info, typeName });
}
