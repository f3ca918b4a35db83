import { permissions } from "../../auth/permission.ts";
import type { Viewer as AuthenticatedViewer } from "../../auth/viewer.ts";
import { toOpaqueId } from "../../domain/global-id.ts";
import { existing, find } from "../resolve/rows.ts";
import { Actor, brandActor } from "./actor.ts";
import { builder } from "./builder.ts";
import { Permission, Role } from "./enums.ts";
import { Workspace } from "./workspace.ts";

const Viewer = builder.objectRef<AuthenticatedViewer>("Viewer").implement({
  description: "The authenticated agent or API key.",
  fields: (t) => ({
    id: t.id({ resolve: ({ actor }) => toOpaqueId("Viewer", actor.id) }),
    actor: t.field({
      type: Actor,
      resolve: async ({ actor }, _args, ctx) => brandActor(await ctx.actors.load(actor)),
    }),
    workspace: t.prismaField({
      type: Workspace,
      resolve: (query, { workspaceId }, _args, ctx) => existing(find.workspace(ctx, query, workspaceId)),
    }),
    role: t.expose("role", { type: Role, nullable: true, description: "Null for an API key." }),
    permissions: t.field({
      type: [Permission],
      resolve: (viewer) => permissions.filter((permission) => viewer.permissions.has(permission)),
    }),
  }),
});

builder.queryField("viewer", (t) =>
  t.field({
    description: "The authenticated viewer and its permissions.",
    type: Viewer,
    resolve: (_root, _args, ctx) => ctx.viewer,
  }),
);
