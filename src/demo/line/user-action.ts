import { z } from "zod";
import type { LineChannel, Sent } from "./channel.ts";

/** What a user can do from outside this process: by the phone page and by the control API. */
export const userAction = z.discriminatedUnion("type", [
  z.object({ type: z.literal("write"), text: z.string().min(1).max(5_000) }),
  z.object({ type: z.literal("sticker"), packageId: z.string().optional(), stickerId: z.string().optional() }),
  z.object({
    type: z.literal("tap"),
    data: z.string().max(300),
    displayText: z.string().optional(),
    params: z.record(z.string(), z.string()).optional(),
  }),
  z.object({ type: z.literal("unsend"), messageId: z.string() }),
  z.object({ type: z.literal("follow") }),
  z.object({ type: z.literal("unfollow") }),
]);

export type UserAction = z.infer<typeof userAction>;

export type Performed =
  | { readonly type: "Sent"; readonly sent: Sent }
  | { readonly type: "Refused"; readonly reason: string };

/** Does what a user asks for. Refuses to send for a user who blocks the account, and to unsend another's message. */
export function perform(channel: LineChannel, userId: string, action: UserAction): Performed {
  const phone = channel.account.phone(userId);
  if (!phone.isFriend && action.type !== "follow" && action.type !== "unfollow") {
    return { type: "Refused", reason: "A user who blocks the account can send it nothing. Unblock it first." };
  }
  switch (action.type) {
    case "write":
      return sent(channel.writeAs(userId, action.text));
    case "sticker":
      return sent(channel.sendStickerAs(userId, action.packageId, action.stickerId));
    case "tap":
      return sent(channel.tapAs(userId, action.data, action.displayText, action.params));
    case "unsend":
      if (!phone.hasSent(action.messageId)) return { type: "Refused", reason: "The user has sent no such message." };
      return sent(channel.unsendAs(userId, action.messageId));
    case "follow":
      return sent(channel.followAs(userId));
    case "unfollow":
      return sent(channel.unfollowAs(userId));
  }
}

function sent(action: Sent): Performed {
  return { type: "Sent", sent: action };
}
