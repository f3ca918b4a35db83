import { v7 as newId } from "uuid";
import { fromGlobalId, toGlobalId } from "../../domain/global-id.ts";
import { faultsOf, nameFault } from "../../domain/input.ts";
import { forbidden, notFound } from "../../domain/refusal.ts";
import { checkDefinition } from "../../flows/definition.ts";
import { demand, may } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { FlowKind } from "./enums.ts";
import { Node } from "./node.ts";
import { MAY_NOT, type Outcome, resultUnion, success } from "./result.ts";

export const Bot = builder.prismaObject("Flow", {
  name: "Bot",
  description: "A flow as an actor.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (flow) => toGlobalId("Flow", flow.id) }),
    name: t.exposeString("name"),
  }),
});

const Flow = builder.prismaObject("Flow", {
  variant: "Flow",
  description: "An automation that a contact's message triggers by itself, for those who manage them.",
  fields: (t) => ({
    id: t.id({ description: "The id of the `Bot` that it acts as.", resolve: (flow) => toGlobalId("Flow", flow.id) }),
    name: t.exposeString("name"),
    kind: t.expose("kind", { type: FlowKind }),
    channel: t.relation("channel"),
    enabled: t.exposeBoolean("enabled"),
    definition: t.field({
      description: "What it says and when, by kind: `{text}`, `{keywords, text}`, or `{steps}`.",
      type: "JSON",
      resolve: (flow) => flow.definition,
    }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
  }),
});

builder.queryField("flows", (t) =>
  t.prismaField({
    description: "All flows, in the order in which they are tried; for admins.",
    type: [Flow],
    resolve: (query, _root, _args, ctx) => {
      demand(ctx, "ADMINISTER");
      return ctx.prisma.flow.findMany({
        ...query,
        where: { workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ createdAt: "asc" }, { id: "asc" }],
      });
    },
  }),
);

interface Written {
  readonly flowId: string;
}

const CreateFlowInput = builder.inputType("CreateFlowInput", {
  fields: (t) => ({
    channelId: t.id({ required: true }),
    name: t.string({ required: true }),
    kind: t.field({ type: FlowKind, required: true }),
    definition: t.field({ type: "JSON", required: true }),
    enabled: t.boolean({ description: "True unless told otherwise." }),
  }),
});

const CreateFlowSuccess = success<Written>("CreateFlow", (t) => ({
  flow: t.prismaField({
    type: Flow,
    resolve: (query, { flowId }, _args, ctx) => existing(find.flow(ctx, query, flowId)),
  }),
}));

builder.mutationField("createFlow", (t) =>
  t.field({
    description: "Adds an automation to a channel; for admins.",
    type: resultUnion("CreateFlow", CreateFlowSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: CreateFlowInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Written>> => {
      const channelId = fromGlobalId("Channel", input.channelId);
      const channel = channelId === null ? null : await find.channel(ctx, {}, channelId);
      if (channel === null) return notFound("There is no such channel.");
      if (!may(ctx, "ADMINISTER")) return forbidden(MAY_NOT);
      const { definition, faults } = checkDefinition(input.kind, input.definition);
      const invalid = faultsOf(nameFault("name", input.name), ...faults);
      if (invalid !== null) return invalid;

      const { workspaceId } = ctx.viewer;
      const flowId = newId();
      await ctx.prisma.flow.create({
        data: {
          id: flowId,
          workspaceId,
          channelId: channel.id,
          name: input.name.trim(),
          kind: input.kind,
          definition,
          enabled: input.enabled ?? true,
          createdAt: ctx.now,
        },
      });
      ctx.services.directory.forget();
      return { type: "Success", flowId };
    },
  }),
);

const UpdateFlowInput = builder.inputType("UpdateFlowInput", {
  description: "What is absent or null stays as it is.",
  fields: (t) => ({
    flowId: t.id({ required: true }),
    name: t.string(),
    enabled: t.boolean(),
    definition: t.field({ type: "JSON" }),
  }),
});

const UpdateFlowSuccess = success<Written>("UpdateFlow", (t) => ({
  flow: t.prismaField({
    type: Flow,
    resolve: (query, { flowId }, _args, ctx) => existing(find.flow(ctx, query, flowId)),
  }),
}));

builder.mutationField("updateFlow", (t) =>
  t.field({
    description: "Renames an automation, switches it on or off, or changes what it says; for admins.",
    type: resultUnion("UpdateFlow", UpdateFlowSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: UpdateFlowInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Written>> => {
      const flowId = fromGlobalId("Flow", input.flowId);
      const flow = flowId === null ? null : await find.flow(ctx, {}, flowId);
      if (flow === null) return notFound("There is no such flow.");
      if (!may(ctx, "ADMINISTER")) return forbidden(MAY_NOT);
      const checked = isGiven(input.definition) ? checkDefinition(flow.kind, input.definition) : null;
      const invalid = faultsOf(nameFault("name", input.name), ...(checked?.faults ?? []));
      if (invalid !== null) return invalid;

      await ctx.prisma.flow.update({
        where: { id: flow.id, workspaceId: ctx.viewer.workspaceId },
        data: {
          ...(isGiven(input.name) ? { name: input.name.trim() } : {}),
          ...(isGiven(input.enabled) ? { enabled: input.enabled } : {}),
          ...(checked === null ? {} : { definition: checked.definition }),
        },
      });
      ctx.services.directory.forget();
      return { type: "Success", flowId: flow.id };
    },
  }),
);
