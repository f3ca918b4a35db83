import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { GraphQLError } from "graphql";
import type { GraphQLParams } from "graphql-yoga";
import { type RequestErrorCode, requestError } from "../errors.ts";
import { MISSING_QUERY } from "../execution/operations.ts";
import { documentIdOf } from "../execution/trusted-documents.ts";

/** An error and the HTTP status of the response. */
export interface HttpError {
  readonly status: number;
  readonly error: GraphQLError;
}

const EVENT_STREAM = "text/event-stream";
/** Media types of responses; subscriptions use the event stream. */
const RESPONSE_TYPES = ["application/json", "application/graphql-response+json", EVENT_STREAM];

/**
 * Checks the headers and the encoding of a request; null if they are valid. Only JSON is accepted, because browsers
 * send forms and plain text to other origins without a preflight request (CSRF).
 */
export function checkRequest(method: string, headers: IncomingHttpHeaders, body: unknown): HttpError | null {
  if (!RESPONSE_TYPES.some((type) => accepts(headers.accept, type))) {
    const error = requestError("NOT_ACCEPTABLE", `The Accept header must allow one of ${RESPONSE_TYPES.join(", ")}.`);
    return { status: 406, error };
  }
  if (method === "POST" && !/^application\/(graphql\+)?json\s*(;|$)/i.test(headers["content-type"] ?? "")) {
    return { status: 415, error: requestError("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.") };
  }
  if (Buffer.isBuffer(body) && !isUtf8(body)) {
    return { status: 400, error: requestError("BAD_REQUEST", "The body is not valid UTF-8.") };
  }
  return null;
}

/** Whether the client accepts a stream explicitly. A wildcard is not enough, because browsers accept any type. */
export function acceptsStream(accept: string | null | undefined): boolean {
  return accept?.toLowerCase().includes(EVENT_STREAM) ?? false;
}

function accepts(header: string | undefined, type: string): boolean {
  if (header === undefined || header.trim() === "") return true;
  const [main] = type.split("/");
  const ranges = header
    .toLowerCase()
    .split(",")
    .map((range) => range.split(";")[0]?.trim());
  return [type, `${main}/*`, "*/*"].some((range) => ranges.includes(range));
}

/** Reads the operation from the URL of a GET or the JSON body of a POST. Unknown parameters are ignored. */
export async function operationRequest(request: Request): Promise<GraphQLParams & { documentId?: string }> {
  const given =
    request.method === "GET"
      ? fromQuery(new URL(request.url).searchParams)
      : parseJson(await request.text(), "The body");
  if (Array.isArray(given)) throw badRequest("Batching is not supported.");
  if (!isObject(given)) throw badRequest("The body must be a JSON object.");
  const params: GraphQLParams & { documentId?: string } = {};
  for (const name of ["query", "documentId", "operationName"] as const) {
    const value = given[name] ?? undefined;
    if (typeof value === "string") params[name] = value;
    else if (value !== undefined) throw badRequest(`\`${name}\` must be a string.`);
  }
  for (const name of ["variables", "extensions"] as const) {
    const value = given[name] ?? undefined;
    if (isObject(value)) params[name] = value;
    else if (value !== undefined) throw badRequest(`\`${name}\` must be an object.`);
  }
  if (!params.query && documentIdOf(params) === null) throw badRequest(MISSING_QUERY);
  // Yoga requires `query` to be a string.
  return { query: "", ...params };
}

function fromQuery(search: URLSearchParams): Record<string, unknown> {
  const given = Object.fromEntries([...search].filter(([, text]) => text !== ""));
  const parsed = (name: string): unknown =>
    given[name] === undefined ? undefined : parseJson(given[name], `\`${name}\``);
  return { ...given, variables: parsed("variables"), extensions: parsed("extensions") };
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(`${what} is not valid JSON.`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badRequest(message: string): GraphQLError {
  return errorWithStatus("BAD_REQUEST", message, 400);
}

/**
 * An error with an HTTP status for Yoga. `spec: false` applies it to `application/json` too, where errors would be 200.
 */
export function errorWithStatus(code: RequestErrorCode, message: string, status: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status, spec: false } } });
}
