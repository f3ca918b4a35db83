import DataLoader from "dataloader";
import type { Actor } from "../../domain/actor.ts";
import type { WorkspaceId } from "../../domain/id.ts";
import type { Reads } from "../../store/database.ts";
import type { Agent, ApiKey, Contact, Flow } from "../../store/generated/client.ts";

/** An actor with its row. The row of a `Bot` is its flow. */
export type LoadedActor =
  | { readonly type: "Agent"; readonly row: Agent }
  | { readonly type: "ApiKey"; readonly row: ApiKey }
  | { readonly type: "Contact"; readonly row: Contact }
  | { readonly type: "Bot"; readonly row: Flow }
  | { readonly type: "System" };

/** Loads all actors of a page with one query per actor type, regardless of the page size. */
export interface ActorLoader {
  load(actor: Actor): Promise<LoadedActor>;
}

export function actorLoader(prisma: Reads, workspaceId: WorkspaceId): ActorLoader {
  const where = (ids: readonly string[]) => ({ where: { workspaceId, id: { in: [...ids] } } });
  const agents = byId((ids) => prisma.agent.findMany(where(ids)));
  const apiKeys = byId((ids) => prisma.apiKey.findMany(where(ids)));
  const contacts = byId((ids) => prisma.contact.findMany(where(ids)));
  const flows = byId((ids) => prisma.flow.findMany(where(ids)));

  return {
    load: async (actor) => {
      switch (actor.type) {
        case "Agent":
          return { type: actor.type, row: await agents.load(actor.id) };
        case "ApiKey":
          return { type: actor.type, row: await apiKeys.load(actor.id) };
        case "Contact":
          return { type: actor.type, row: await contacts.load(actor.id) };
        case "Bot":
          return { type: actor.type, row: await flows.load(actor.id) };
        case "System":
          return actor;
      }
    },
  };
}

function byId<Row extends { readonly id: string }>(
  find: (ids: readonly string[]) => Promise<Row[]>,
): DataLoader<string, Row> {
  return new DataLoader(async (ids) => {
    const rows = new Map((await find(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? new Error("An actor does not exist in this workspace."));
  });
}
