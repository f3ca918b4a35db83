import { brandWithType } from "@pothos/core";
import type { LoadedActor } from "../resolve/actor-loader.ts";
import { Agent } from "./agent.ts";
import { ApiKey } from "./api-key.ts";
import { builder } from "./builder.ts";
import { Contact } from "./contact.ts";
import { Bot } from "./flow.ts";

const SYSTEM = { name: "System" };

const System = builder.objectRef<typeof SYSTEM>("System").implement({
  description: "Deskgate itself: expiries and time-outs.",
  fields: (t) => ({ name: t.exposeString("name") }),
});

brandWithType(SYSTEM, System);

export const Actor = builder.unionType("Actor", {
  description: "Who acts.",
  types: [Agent, ApiKey, Contact, Bot, System],
});

/** What a field of type `Actor` answers. */
export function present(actor: LoadedActor) {
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
