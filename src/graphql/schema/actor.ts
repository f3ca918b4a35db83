import { brandWithType } from "@pothos/core";
import type { LoadedActor } from "../resolve/actor-loader.ts";
import { Agent } from "./agent.ts";
import { ApiKey } from "./api-key.ts";
import { builder } from "./builder.ts";
import { Contact } from "./contact.ts";
import { Bot } from "./flow.ts";

const SYSTEM = { name: "System" };

const System = builder.objectRef<typeof SYSTEM>("System").implement({
  description: "Deskgate itself, for example when a block expires or an offer times out.",
  fields: (t) => ({ name: t.exposeString("name", { nullable: true }) }),
});

brandWithType(SYSTEM, System);

export const Actor = builder.unionType("Actor", {
  description: "Who or what performed an action.",
  types: [Agent, ApiKey, Contact, Bot, System],
});

/** Brands a loaded actor so that the `Actor` union resolves its type. */
export function brandActor(actor: LoadedActor) {
  switch (actor.type) {
    case "Agent":
      return Agent.addBrand(actor.row);
    case "ApiKey":
      return ApiKey.addBrand(actor.row);
    case "Contact":
      return Contact.addBrand(actor.row);
    case "Bot":
      return Bot.addBrand(actor.row);
    case "System":
      return SYSTEM;
  }
}
