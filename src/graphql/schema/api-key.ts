import { v7 as newId } from "uuid";
import { newApiKey } from "../../auth/api-key.ts";
import { scopes } from "../../auth/permission.ts";
import { fromGlobalId, toGlobalId } from "../../domain/global-id.ts";
import { checkName, refuseInvalid } from "../../domain/input.ts";
import { forbidden, invalidInput, notFound } from "../../domain/refusal.ts";
import { type AuditedValues, audited } from "../../store/audit-log.ts";
import type { ApiKey as ApiKeyRow } from "../../store/generated/client.ts";
import { changeBy, hasPermission, requirePermission } from "../resolve/context.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { ApiKeyScope } from "./enums.ts";
import { Node } from "./node.ts";
import { type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

export const ApiKey = builder.prismaObject("ApiKey", {
  description: "A partner's API key, which is also an actor.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (apiKey) => toGlobalId("ApiKey", apiKey.id) }),
    name: t.exposeString("name", { nullable: true }),
    prefix: t.exposeString("prefix", { description: "The first characters of the key, shown to identify it." }),
    scopes: t.field({
      type: [ApiKeyScope],
      resolve: (apiKey) => scopes.filter((scope) => apiKey.scopes.includes(scope)),
    }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    revokedAt: t.expose("revokedAt", { type: "DateTime", nullable: true }),
  }),
});

builder.queryField("apiKeys", (t) =>
  t.prismaField({
    description: "All API keys, revoked ones included, newest first. Requires the permission `ADMINISTER`.",
    type: [ApiKey],
    nullable: true,
    resolve: (query, _root, _args, ctx) => {
      requirePermission(ctx, "ADMINISTER");
      return ctx.prisma.apiKey.findMany({
        ...query,
        where: { workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ createdAt: "desc" }, { id: "desc" }],
      });
    },
  }),
);

const CreateApiKeySuccess = success<{ apiKeyId: string; key: string }>("CreateApiKey", (t) => ({
  apiKey: t.prismaField({
    type: ApiKey,
    resolve: (query, { apiKeyId }, _args, ctx) => existing(find.apiKey(ctx, query, apiKeyId)),
  }),
  key: t.exposeString("key", {
    description: "The API key in plain text. It is returned only here; Deskgate stores a hash.",
  }),
}));

const CreateApiKeyInput = builder.inputType("CreateApiKeyInput", {
  fields: (t) => ({
    name: t.string({ required: true }),
    scopes: t.field({ type: [ApiKeyScope], required: true }),
  }),
});

builder.mutationField("createApiKey", (t) =>
  t.field({
    description: "Creates an API key for a partner. Requires the permission `ADMINISTER`.",
    type: resultUnion("CreateApiKey", CreateApiKeySuccess, ["Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: CreateApiKeyInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<{ apiKeyId: string; key: string }>> => {
      if (!hasPermission(ctx, "ADMINISTER")) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(checkName("name", input.name));
      if (invalid !== null) return invalid;
      if (input.scopes.length === 0) return invalidInput("scopes", "Must contain at least one scope.");

      const { key, prefix, hash } = newApiKey();
      const change = changeBy(ctx);
      const apiKeyId = await audited(ctx.services.database, change, null, async (tx, createdAt) => {
        const row = await tx.apiKey.create({
          data: {
            id: newId(),
            workspaceId: change.workspaceId,
            name: input.name.trim(),
            prefix,
            hash,
            scopes: [...new Set(input.scopes)],
            createdAt,
          },
        });
        return {
          result: row.id,
          entry: { ...subject(row.id), action: "API_KEY_CREATED", before: null, after: valuesOf(row) },
        };
      });
      return { type: "Success", apiKeyId, key };
    },
  }),
);

const RevokeApiKeySuccess = success<{ apiKeyId: string; changed: boolean }>("RevokeApiKey", (t) => ({
  apiKey: t.prismaField({
    type: ApiKey,
    resolve: (query, { apiKeyId }, _args, ctx) => existing(find.apiKey(ctx, query, apiKeyId)),
  }),
  changed: t.exposeBoolean("changed", { description: "False if the key was already revoked." }),
}));

const RevokeApiKeyInput = builder.inputType("RevokeApiKeyInput", {
  fields: (t) => ({ apiKeyId: t.id({ required: true }) }),
});

builder.mutationField("revokeApiKey", (t) =>
  t.field({
    description: "Revokes an API key permanently. Takes effect within a second. Requires the permission `ADMINISTER`.",
    type: resultUnion("RevokeApiKey", RevokeApiKeySuccess, ["NotFound", "Forbidden"]),
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<{ apiKeyId: string; changed: boolean }>> => {
      const id = fromGlobalId("ApiKey", input.apiKeyId);
      const found = id === null ? null : await find.apiKey(ctx, {}, id);
      if (found === null) return notFound("No API key in this workspace has this apiKeyId.");
      if (!hasPermission(ctx, "ADMINISTER")) return forbidden(PERMISSION_DENIED);

      const row = { table: "api_key", id: found.id } as const;
      const changed = await audited(ctx.services.database, changeBy(ctx), row, async (tx, revokedAt) => {
        const before = await tx.apiKey.findUniqueOrThrow({ where: { id: found.id } });
        if (before.revokedAt !== null) return { result: false, entry: null };
        const after = await tx.apiKey.update({ where: { id: found.id }, data: { revokedAt } });
        const values = { before: valuesOf(before), after: valuesOf(after) };
        return { result: true, entry: { ...subject(found.id), action: "API_KEY_REVOKED", ...values } };
      });
      ctx.services.directory.forget();
      return { type: "Success", apiKeyId: found.id, changed };
    },
  }),
);

function subject(subjectId: string) {
  return { subjectType: "ApiKey", subjectId } as const;
}

/** For the audit log: neither the key nor its hash. */
function valuesOf({ name, prefix, scopes: held, revokedAt }: ApiKeyRow): AuditedValues {
  return { name, prefix, scopes: held, revokedAt: revokedAt?.toISOString() ?? null };
}
