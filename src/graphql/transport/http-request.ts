import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { GraphQLError } from "graphql";
import type { GraphQLParams } from "graphql-yoga";
import { type RequestErrorCode, requestError } from "../errors.ts";
import { NOTHING_ASKED } from "../execution/operations.ts";
import { documentIdOf } from "../execution/trusted-documents.ts";

/** A fault of a request over HTTP, with the status that it is answered with. */
export interface HttpFault {
  readonly status: number;
  readonly error: GraphQLError;
}

/** What answers can be: a query's, and a stream of a subscription's. */
const ANSWERS = ["application/json", "application/graphql-response+json", "text/event-stream"];
const STREAM = "text/event-stream";

/**
 * What speaks against a request by its headers and bytes alone. A body that a browser sends to anybody without asking first
 * (a form, plain text) is none of ours: pages of other sites can make it (CSRF).
 */
export function faultOfRequest(method: string, headers: IncomingHttpHeaders, body: unknown): HttpFault | null {
  if (!ANSWERS.some((type) => accepts(headers.accept, type))) {
    const error = requestError("NOT_ACCEPTABLE", `Accept one of ${ANSWERS.join(", ")}.`);
    return { status: 406, error };
  }
  if (method === "POST" && !/^application\/(graphql\+)?json\s*(;|$)/i.test(headers["content-type"] ?? "")) {
    return { status: 415, error: requestError("UNSUPPORTED_MEDIA_TYPE", "Send a body of the type application/json.") };
  }
  if (Buffer.isBuffer(body) && !isUtf8(body)) {
    return { status: 400, error: requestError("BAD_REQUEST", "The body is not UTF-8.") };
  }
  return null;
}

/** Whether a client is ready for a stream, which is more than not to mind: browsers accept anything. */
export function acceptsStream(accept: string | null | undefined): boolean {
  return accept?.toLowerCase().includes(STREAM) ?? false;
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

/** What a request asks for: by the query of its URL if it is a GET, else by its JSON. Whatever else it carries is ignored. */
export async function operationRequest(request: Request): Promise<GraphQLParams & { documentId?: string }> {
  const given = request.method === "GET" ? fromQuery(new URL(request.url).searchParams) : json(await request.text());
  if (Array.isArray(given)) throw badRequest("Batching is not supported.");
  if (!isMap(given)) throw badRequest("The body must be a JSON object.");
  const asked: GraphQLParams & { documentId?: string } = {};
  for (const name of ["query", "documentId", "operationName"] as const) {
    const value = given[name] ?? undefined;
    if (typeof value === "string") asked[name] = value;
    else if (value !== undefined) throw badRequest(`\`${name}\` must be a string.`);
  }
  for (const name of ["variables", "extensions"] as const) {
    const value = given[name] ?? undefined;
    if (isMap(value)) asked[name] = value;
    else if (value !== undefined) throw badRequest(`\`${name}\` must be an object.`);
  }
  if (!asked.query && documentIdOf(asked) === null) throw badRequest(NOTHING_ASKED);
  // Yoga insists on a text.
  return { query: "", ...asked };
}

function fromQuery(search: URLSearchParams): Record<string, unknown> {
  const given = Object.fromEntries([...search].filter(([, text]) => text !== ""));
  const map = (text: string | undefined): unknown => (text === undefined ? undefined : json(text));
  return { ...given, variables: map(given.variables), extensions: map(given.extensions) };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest("This is not valid JSON.");
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function badRequest(message: string): GraphQLError {
  return errorWithStatus("BAD_REQUEST", message, 400);
}

/** An error that tells Yoga the status, also for those who accept only the older media type, in which faults are 200. */
export function errorWithStatus(code: RequestErrorCode, message: string, status: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status, spec: false } } });
}
