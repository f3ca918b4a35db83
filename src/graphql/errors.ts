import { randomUUID } from "node:crypto";
import { type ExecutionResult, GraphQLError } from "graphql";
import type { Logger } from "pino";
import { isTemporary, Overloaded } from "../commands/work.ts";
import { describeError } from "../platform/describe-error.ts";
import { CursorExpired } from "../realtime/feed.ts";

/** The `extensions.code` of an error that the client can act on. */
export type RequestErrorCode =
  | "UNAUTHENTICATED"
  | "FORBIDDEN"
  | "NOT_FOUND"
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
  | "UNAVAILABLE"
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

/** Converts a thrown value to an error that is safe to return to the client. */
export type Mask = (error: unknown) => GraphQLError;

/**
 * Passes errors that are meant for the client through unchanged. For any other error, the client gets only an error id;
 * the log has the details under that id, without arguments, message texts or tokens.
 */
export function createMask(logger: Logger): Mask {
  return (error) => {
    const cause = rootCause(error);
    if (error instanceof GraphQLError && cause instanceof GraphQLError) return error;
    if (cause instanceof CursorExpired) return withLocationOf(error, requestError("CURSOR_EXPIRED", cause.message));
    if (cause instanceof Overloaded) {
      return withLocationOf(error, requestError("OVERLOADED", "Too many commands are waiting. Try again in a moment."));
    }
    if (isTemporary(cause)) {
      logger.warn({ error: describeError(cause) }, "a command could not be carried out for now");
      return withLocationOf(error, requestError("UNAVAILABLE", "Nothing was changed. Try again in a moment."));
    }
    const id = randomUUID();
    const path = error instanceof GraphQLError ? error.path?.join(".") : undefined;
    logger.error({ errorId: id, path, error: describeError(cause) }, "unexpected error in GraphQL");
    return withLocationOf(error, new GraphQLError("Unexpected error.", { extensions: { code: "INTERNAL", id } }));
  };
}

export function maskResult(mask: Mask, result: ExecutionResult): ExecutionResult {
  return result.errors === undefined ? result : { ...result, errors: result.errors.map(mask) };
}

function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError !== undefined ? rootCause(error.originalError) : error;
}

/** Keeps the path and the locations of the original error. */
function withLocationOf(original: unknown, { message, extensions }: GraphQLError): GraphQLError {
  if (!(original instanceof GraphQLError)) return new GraphQLError(message, { extensions });
  const { nodes = null, path = null } = original;
  return new GraphQLError(message, { nodes, path, extensions });
}
