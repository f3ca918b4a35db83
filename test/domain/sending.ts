import { ada, seconds } from "./cast.ts";
import { contactChannel, type Desk } from "./support.ts";

/** Situations of sending, for the tests of delivery. */

export const minutes = (n: number) => seconds(60 * n);
export const hours = (n: number) => minutes(60 * n);

/** An active conversation in which ada has sent these texts; the contact's message came at 0, with the reply token "t". */
export function queued(...texts: readonly string[]): Desk {
  const desk = contactChannel().inbound("hi", { replyToken: "t" }).take(ada);
  for (const text of texts) desk.reply(ada, text);
  return desk;
}

/** The same when the reply token has died, so that calls are pushes. */
export function pushed(...texts: readonly string[]): Desk {
  return queued(...texts).at(seconds(60));
}

/** Lets the time pass until the next call is due. */
export function atDue(desk: Desk): Desk {
  return desk.at(Math.max(desk.now, desk.state.outbox.dueAt ?? desk.now));
}

/** The texts of the messages that were leased. */
export function leased(desk: Desk): readonly (string | null)[] {
  if (desk.result.type !== "Accepted" || desk.result.lease === undefined) return [];
  const { messageIds } = desk.result.lease;
  return desk.messages.filter(({ id }) => messageIds.includes(id)).map(({ text }) => text);
}
