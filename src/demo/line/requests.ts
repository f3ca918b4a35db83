import { z } from "zod";
import { message } from "./messages.ts";

/** The bodies of the calls that Deskgate makes, by the same source as messages.ts. */

const messages = z.array(message).min(1).max(5);
const notificationDisabled = z.boolean().optional();

export const pushRequest = z.object({
  to: z.string().min(1),
  messages,
  notificationDisabled,
  customAggregationUnits: z.array(z.string()).optional(),
});

export const replyRequest = z.object({ replyToken: z.string().min(1), messages, notificationDisabled });

export const loadingRequest = z.object({
  chatId: z.string().min(1),
  /** In seconds; LINE takes 20 if it is left out. */
  loadingSeconds: z.int().min(5).max(60).multipleOf(5).optional(),
});

export const markAsReadRequest = z.object({ markAsReadToken: z.string().min(1) });

/** The body of LINE's error responses. */
export interface LineError {
  readonly message: string;
  readonly details?: readonly { readonly message: string; readonly property: string }[];
}

/** Describes what is wrong with a body in LINE's words. */
export function invalidBody({ issues }: z.ZodError): LineError {
  const mistyped = issues.find((issue) => isMistyped(issue));
  // LINE's parser gives up at a member of another type, before any rule is checked.
  if (mistyped !== undefined) {
    const property = mistyped.path.findLast((key) => typeof key === "string") ?? "";
    return { message: `The property, '${String(property)}', in the request body is invalid (line: -, column: -)` };
  }
  return {
    message: `The request body has ${issues.length} error(s)`,
    details: issues.map((issue) => ({ message: describe(issue), property: propertyAt(issue.path) })),
  };
}

type Issue = z.core.$ZodIssue;

/** zod reports a missing member as one of a wrong type. */
function isMistyped(issue: Issue): boolean {
  return issue.code === "invalid_type" && !issue.message.endsWith("received undefined");
}

function describe(issue: Issue): string {
  switch (issue.code) {
    case "too_small":
      if (issue.origin === "string" && issue.minimum === 1) return "May not be empty";
      return issue.origin === "array" ? `Size must be at least ${issue.minimum}` : `Must be at least ${issue.minimum}`;
    case "too_big":
      if (issue.origin === "string") return `Length must be between 0 and ${issue.maximum}`;
      return issue.origin === "array" ? `Size must be at most ${issue.maximum}` : `Must be at most ${issue.maximum}`;
    case "invalid_union":
      return `Must be one of the following values: [${"options" in issue ? String(issue.options) : ""}]`;
    case "invalid_value":
      return `Must be one of the following values: [${String(issue.values)}]`;
    case "invalid_type":
      return "May not be empty";
    case "not_multiple_of":
      return `Must be a multiple of ${issue.divisor}`;
    case "custom":
      return issue.message;
    default:
      return "Invalid value";
  }
}

/** As LINE writes it: `messages[0].text`. */
function propertyAt(path: readonly PropertyKey[]): string {
  return path.reduce<string>((property, key) => {
    if (typeof key === "number") return `${property}[${key}]`;
    return property === "" ? String(key) : `${property}.${String(key)}`;
  }, "");
}
