import { toGlobalId } from "../../domain/global-id.ts";
import { builder } from "./builder.ts";
import { Node } from "./node.ts";

export const Workspace = builder.prismaObject("Workspace", {
  description: "The tenant. Every object belongs to exactly one workspace.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (workspace) => toGlobalId("Workspace", workspace.id) }),
    name: t.exposeString("name"),
  }),
});
