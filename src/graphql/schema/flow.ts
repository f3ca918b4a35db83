import { isDeepStrictEqual } from "node:util";
import { v7 as newId } from "uuid";
import { fromGlobalId, toGlobalId } from "../../domain/global-id.ts";
import { asJson, checkName, refuseInvalid } from "../../domain/input.ts";
import { forbidden, notFound } from "../../domain/refusal.ts";
import { checkDefinition, MAX_KEYWORD_LENGTH, MAX_KEYWORDS, MAX_STEPS } from "../../flows/check-definition.ts";
import { readFlow } from "../../flows/definition.ts";
import { checkQuota, MAX_CHANNEL_FLOWS, MAX_CHANNEL_KEYWORDS } from "../../flows/quota.ts";
import { type AuditedValues, audited } from "../../store/audit-log.ts";
import { findFlowUsage } from "../../store/flow-usage.ts";
import type { Flow as FlowRow } from "../../store/generated/client.ts";
import { changeBy, hasPermission, requirePermission } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { FlowKind } from "./enums.ts";
import { Node } from "./node.ts";
import { type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

export const Bot = builder.prismaObject("Flow", {
  name: "Bot",
  description: "A flow as an actor.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (flow) => toGlobalId("Bot", flow.id) }),
    name: t.exposeString("name", { nullable: true }),
  }),
});

export const Flow = builder.prismaObject("Flow", {
  variant: "Flow",
  interfaces: [Node],
  description: "An auto-reply or a chatbot, triggered by a contact's message.",
  fields: (t) => ({
    id: t.id({ resolve: (flow) => toGlobalId("Flow", flow.id) }),
    name: t.exposeString("name"),
    kind: t.expose("kind", { type: FlowKind }),
    channel: t.relation("channel"),
    enabled: t.exposeBoolean("enabled"),
    definition: t.field({
      description:
        "The content of the flow, in the shape that `kind` requires: `{text}`, `{keywords, text}`, or `{steps}`.",
      type: "JSON",
      // An unreadable row may hold JSON null, which must not make the whole list fail.
      resolve: (flow) => flow.definition ?? {},
    }),
    fault: t.string({
      nullable: true,
      description:
        "Why the flow is skipped, for people to read: its stored definition cannot be used. `updateFlow` with a new definition repairs it. Null if there is no fault.",
      select: { id: true, channelId: true, kind: true, definition: true },
      resolve: (flow) => readFlow(flow).fault,
    }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
  }),
});

builder.prismaObjectField(Bot, "flow", (t) =>
  t.variant(Flow, {
    description: "The flow itself. Null without the permission `ADMINISTER`.",
    isNull: (_bot, _args, ctx) => !hasPermission(ctx, "ADMINISTER"),
  }),
);

builder.queryField("flows", (t) =>
  t.prismaField({
    description: "All flows, in the order in which they are evaluated. Requires the permission `ADMINISTER`.",
    type: [Flow],
    nullable: true,
    resolve: (query, _root, _args, ctx) => {
      requirePermission(ctx, "ADMINISTER");
      return ctx.prisma.flow.findMany({
        ...query,
        where: { workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ createdAt: "asc" }, { id: "asc" }],
      });
    },
  }),
);

interface WrittenFlow {
  readonly flowId: string;
}

const DEFINITION_LIMITS = `At most ${MAX_STEPS} steps; at most ${MAX_KEYWORDS} keywords of at most ${MAX_KEYWORD_LENGTH} characters, and ${MAX_CHANNEL_KEYWORDS} on all flows of a channel together.`;

const CreateFlowInput = builder.inputType("CreateFlowInput", {
  fields: (t) => ({
    channelId: t.id({ required: true }),
    name: t.string({ required: true }),
    kind: t.field({ type: FlowKind, required: true }),
    definition: t.field({ description: DEFINITION_LIMITS, type: "JSON", required: true }),
    enabled: t.boolean({ description: "Defaults to true." }),
  }),
});

const CreateFlowSuccess = success<WrittenFlow>("CreateFlow", (t) => ({
  flow: t.prismaField({
    type: Flow,
    resolve: (query, { flowId }, _args, ctx) => existing(find.flow(ctx, query, flowId)),
  }),
}));

builder.mutationField("createFlow", (t) =>
  t.field({
    description: `Creates a flow on a channel, which has at most ${MAX_CHANNEL_FLOWS}. Requires the permission \`ADMINISTER\`.`,
    type: resultUnion("CreateFlow", CreateFlowSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: CreateFlowInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<WrittenFlow>> => {
      const channelId = fromGlobalId("Channel", input.channelId);
      const channel = channelId === null ? null : await find.channel(ctx, {}, channelId);
      if (channel === null) return notFound("No channel in this workspace has this channelId.");
      if (!hasPermission(ctx, "ADMINISTER")) return forbidden(PERMISSION_DENIED);
      const { definition, keywords, invalid: fields } = checkDefinition(input.kind, input.definition);
      const invalid = refuseInvalid(checkName("name", input.name), ...fields);
      if (invalid !== null) return invalid;

      const change = changeBy(ctx);
      const flowId = newId();
      const locked = { table: "channel", id: channel.id } as const;
      const overQuota = await audited(ctx.services.database, change, locked, async (tx, createdAt) => {
        const refusal = refuseInvalid(checkQuota(await findFlowUsage(tx, channel.id), { flows: 1, keywords }));
        if (refusal !== null) return { result: refusal, entry: null };
        const row = await tx.flow.create({
          data: {
            id: flowId,
            workspaceId: change.workspaceId,
            channelId: channel.id,
            name: input.name.trim(),
            kind: input.kind,
            definition,
            enabled: input.enabled ?? true,
            createdAt,
          },
        });
        const entry = { ...subject(flowId), action: "FLOW_CREATED", before: null, after: valuesOf(row) } as const;
        return { result: null, entry };
      });
      if (overQuota !== null) return overQuota;
      ctx.services.directory.forget();
      return { type: "Success", flowId };
    },
  }),
);

const UpdateFlowInput = builder.inputType("UpdateFlowInput", {
  description: "Fields that are omitted or null stay unchanged.",
  fields: (t) => ({
    flowId: t.id({ required: true }),
    name: t.string(),
    enabled: t.boolean(),
    definition: t.field({ description: DEFINITION_LIMITS, type: "JSON" }),
  }),
});

const UpdateFlowSuccess = success<WrittenFlow>("UpdateFlow", (t) => ({
  flow: t.prismaField({
    type: Flow,
    resolve: (query, { flowId }, _args, ctx) => existing(find.flow(ctx, query, flowId)),
  }),
}));

builder.mutationField("updateFlow", (t) =>
  t.field({
    description:
      "Renames, enables or disables a flow, or replaces its definition. Requires the permission `ADMINISTER`.",
    type: resultUnion("UpdateFlow", UpdateFlowSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: UpdateFlowInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<WrittenFlow>> => {
      const flowId = fromGlobalId("Flow", input.flowId);
      const flow = flowId === null ? null : await find.flow(ctx, {}, flowId);
      if (flow === null) return notFound("No flow in this workspace has this flowId.");
      if (!hasPermission(ctx, "ADMINISTER")) return forbidden(PERMISSION_DENIED);
      const checked = isGiven(input.definition) ? checkDefinition(flow.kind, input.definition) : null;
      const invalid = refuseInvalid(checkName("name", input.name), ...(checked?.invalid ?? []));
      if (invalid !== null) return invalid;

      const locked = { table: "channel", id: flow.channelId } as const;
      const overQuota = await audited(ctx.services.database, changeBy(ctx), locked, async (tx) => {
        if (checked !== null) {
          const used = await findFlowUsage(tx, flow.channelId);
          const own = await findFlowUsage(tx, flow.channelId, flow.id);
          const added = { flows: 0, keywords: checked.keywords - own.keywords };
          const refusal = refuseInvalid(checkQuota(used, added));
          if (refusal !== null) return { result: refusal, entry: null };
        }
        const before = await tx.flow.findUniqueOrThrow({ where: { id: flow.id } });
        const row = await tx.flow.update({
          where: { id: flow.id },
          data: {
            ...(isGiven(input.name) ? { name: input.name.trim() } : {}),
            ...(isGiven(input.enabled) ? { enabled: input.enabled } : {}),
            ...(checked === null ? {} : { definition: checked.definition }),
          },
        });
        const values = { before: valuesOf(before), after: valuesOf(row) };
        const isChanged = !isDeepStrictEqual(values.before, values.after);
        const entry = { ...subject(flow.id), action: "FLOW_UPDATED", ...values } as const;
        return { result: null, entry: isChanged ? entry : null };
      });
      if (overQuota !== null) return overQuota;
      ctx.services.directory.forget();
      return { type: "Success", flowId: flow.id };
    },
  }),
);

function subject(subjectId: string) {
  return { subjectType: "Flow", subjectId } as const;
}

function valuesOf({ name, channelId, kind, enabled, definition }: FlowRow): AuditedValues {
  return { name, channelId: toGlobalId("Channel", channelId), kind, enabled, definition: asJson(definition) };
}
