import type { Outcome } from "./sending.ts";

export type Agent = "ada" | "ben" | "cyd";

/** One command, with all references resolved. */
export type Act =
  | {
      readonly do: "receive";
      readonly eventId: string;
      readonly text: string | null;
      /** follow, unfollow, postback, …; null for a message. */
      readonly event: string | null;
      readonly sentAt: number | null;
      readonly standby: boolean;
      readonly messageId: string | null;
      readonly unsends: string | null;
      /** LINE's reply token. */
      readonly token: string | null;
    }
  | { readonly do: "block"; readonly by: string; readonly notes: string | null; readonly until: number | null }
  | { readonly do: "unblock"; readonly by: string; readonly notes: string | null }
  | {
      readonly do: "update";
      readonly by: string;
      readonly block: number;
      readonly notes: string | null | undefined;
      readonly until: number | null | undefined;
    }
  | { readonly do: "start"; readonly by: string; readonly text: string }
  | { readonly do: "send"; readonly by: string; readonly conversation: number; readonly text: string }
  | { readonly do: "take" | "accept" | "decline"; readonly by: Agent; readonly conversation: number }
  | { readonly do: "offer"; readonly by: string; readonly conversation: number; readonly to: Agent }
  | { readonly do: "transfer"; readonly by: string; readonly conversation: number; readonly to: Agent }
  | { readonly do: "requeue" | "end"; readonly by: string; readonly conversation: number }
  | { readonly do: "lease" | "expire" }
  /** The call is the number of its lease. */
  | { readonly do: "settle"; readonly call: number; readonly outcome: Outcome }
  | { readonly do: "cancel"; readonly by: string; readonly entry: number }
  | { readonly do: "retry"; readonly by: string; readonly entry: number; readonly acceptDuplicate: boolean }
  | { readonly do: "run due" };

export type ConversationAct = Extract<Act, { conversation: number }>;
