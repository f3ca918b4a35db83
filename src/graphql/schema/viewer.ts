import { permissions } from "../../auth/permission.ts";
import type { Viewer as SignedIn } from "../../auth/viewer.ts";
import { existing, find } from "../resolve/rows.ts";
import { Actor, present } from "./actor.ts";
import { builder } from "./builder.ts";
import { Permission, Role } from "./enums.ts";
import { Workspace } from "./workspace.ts";

const Viewer = builder.objectRef<SignedIn>("Viewer").implement({
  description: "Who asks.",
  fields: (t) => ({
    actor: t.field({
      type: Actor,
      resolve: async ({ actor }, _args, ctx) => present(await ctx.actors.load(actor)),
    }),
    workspace: t.prismaField({
      type: Workspace,
      resolve: (query, { workspaceId }, _args, ctx) => existing(find.workspace(ctx, query, workspaceId)),
    }),
    role: t.expose("role", { type: Role, nullable: true, description: "Null for a key." }),
    permissions: t.field({
      type: [Permission],
      resolve: (viewer) => permissions.filter((permission) => viewer.permissions.has(permission)),
    }),
  }),
});

builder.queryField("viewer", (t) =>
  t.field({
    description: "Who asks, and what they may do.",
    type: Viewer,
    resolve: (_root, _args, ctx) => ctx.viewer,
  }),
);
