import type { DeliveryError as Reason } from "../../domain/outbox.ts";
import { builder } from "./builder.ts";

export const DeliveryError = builder.objectRef<Reason>("DeliveryError").implement({
  description: "Why a message was not delivered, or may not have been.",
  fields: (t) => ({
    code: t.exposeString("code", {
      description: "`OUTCOME_UNKNOWN`, `EXPIRED`, `QUOTA_EXCEEDED`, `REJECTED`, or the code that a partner reported.",
    }),
    message: t.exposeString("message", { description: "Human-readable explanation, in part the provider's." }),
  }),
});
