import type { Actor } from "../domain/actor.ts";
import { assertNever } from "../domain/assert-never.ts";
import { idOf } from "../domain/id.ts";

/** The two columns that store an actor; `System` has no id. */
export interface ActorColumns {
  readonly type: Actor["type"];
  readonly id: string | null;
}

export function toActorColumns(actor: Actor): ActorColumns {
  return { type: actor.type, id: actor.type === "System" ? null : actor.id };
}

export function toActor({ type, id }: ActorColumns): Actor {
  if (type === "System") return { type };
  if (id === null) throw new Error(`An actor of type ${type} has no id.`);
  switch (type) {
    case "Agent":
      return { type, id: idOf(id) };
    case "ApiKey":
      return { type, id: idOf(id) };
    case "Contact":
      return { type, id: idOf(id) };
    case "Bot":
      return { type, id: idOf(id) };
    default:
      return assertNever(type);
  }
}
