import { randomUUID } from "node:crypto";
import { type ExecutionResult, GraphQLError } from "graphql";
import type { Logger } from "pino";
import { Overloaded } from "../commands/work.ts";
import { describeError } from "../platform/describe-error.ts";
import { CursorExpired } from "../realtime/feed.ts";

/** The `extensions.code` of an error that its receiver can do something about. */
export type RequestErrorCode =
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "INVALID_INPUT"
  | "BAD_REQUEST"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "NOT_ACCEPTABLE"
  | "ORIGIN_NOT_ALLOWED"
  | "OPERATION_RESOLUTION_FAILURE"
  | "PERSISTED_QUERY_NOT_FOUND"
  | "PERSISTED_QUERY_NOT_SUPPORTED"
  | "QUERY_NOT_IN_SAFELIST"
  | "CURSOR_EXPIRED"
  | "OVERLOADED"
  | "TOO_MANY_SUBSCRIPTIONS"
  | "TOO_SLOW"
  | "TOO_MANY_CONNECTIONS"
  | "RATE_LIMITED"
  | "PAYLOAD_TOO_LARGE"
  | "QUERY_TOO_DEEP"
  | "QUERY_TOO_WIDE"
  | "QUERY_TOO_COSTLY";

export function requestError(code: RequestErrorCode, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}

/** Turns whatever was thrown into what the client may know of it. */
export type Mask = (error: unknown) => GraphQLError;

/**
 * Passes errors that are meant for the client. Of any other it tells nothing but an id, under which the log has the rest:
 * no arguments, no text of messages, no tokens.
 */
export function createMask(logger: Logger): Mask {
  return (error) => {
    const cause = rootCause(error);
    if (error instanceof GraphQLError && cause instanceof GraphQLError) return error;
    if (cause instanceof CursorExpired) return at(error, requestError("CURSOR_EXPIRED", cause.message));
    if (cause instanceof Overloaded) {
      return at(error, requestError("OVERLOADED", "Too much is waiting already. Try again in a moment."));
    }
    const id = randomUUID();
    const path = error instanceof GraphQLError ? error.path?.join(".") : undefined;
    logger.error({ errorId: id, path, error: describeError(cause) }, "unexpected error in GraphQL");
    return at(error, new GraphQLError("Unexpected error.", { extensions: { code: "INTERNAL", id } }));
  };
}

export function maskResult(mask: Mask, result: ExecutionResult): ExecutionResult {
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(mask) };
}

function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError !== undefined ? rootCause(error.originalError) : error;
}

/** Keeps the place in the operation where it happened. */
function at(where: unknown, { message, extensions }: GraphQLError): GraphQLError {
  if (!(where instanceof GraphQLError)) return new GraphQLError(message, { extensions });
  const { nodes = null, path = null } = where;
  return new GraphQLError(message, { nodes, path, extensions });
}
