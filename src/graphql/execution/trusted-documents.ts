import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type DocumentNode, GraphQLError, print } from "graphql";
import { z } from "zod";
import { ConfigError } from "../../config.ts";
import type { Validate } from "./document.ts";
import { parseDocument } from "./document.ts";

/** The documents that clients were built with. */
export interface TrustedDocuments {
  /** By its id in the file, or by the SHA-256 of its text; `sha256:` before it is what the standard wants and may be absent. */
  byId(id: string): DocumentNode | null;
  /** By its text as it is in the file or, parsed, however it is spaced. */
  byText(text: string): DocumentNode | null;
}

/**
 * Which document a client names instead of its text: by `documentId` (GraphQL over HTTP, appendix on persisted documents),
 * or as Apollo Client and urql do. Null if it names none.
 */
export function documentIdOf(request: {
  readonly documentId?: string | null | undefined;
  readonly extensions?: { readonly [name: string]: unknown } | null | undefined;
}): string | null {
  if (typeof request.documentId === "string") return request.documentId;
  const apollos = request.extensions?.persistedQuery;
  if (typeof apollos !== "object" || apollos === null || !("sha256Hash" in apollos)) return null;
  return typeof apollos.sha256Hash === "string" ? apollos.sha256Hash : null;
}

/** `{ "<id>": "<document>" }`: what codegen's client preset writes as persisted-documents.json, and Relay as its own. */
const contents = z.record(z.string().min(1), z.string());

/**
 * Reads the file that `TRUSTED_DOCUMENTS` names.
 *
 * @throws ConfigError naming each document that is none of this schema, by its id
 */
export async function readTrustedDocuments(path: string, validate: Validate): Promise<TrustedDocuments> {
  const byId = new Map<string, DocumentNode>();
  const byText = new Map<string, DocumentNode>();
  const faults: string[] = [];
  for (const [id, text] of Object.entries(await textsIn(path))) {
    try {
      const document = parseDocument(text);
      for (const { message } of validate(document)) faults.push(faultOf(id, message));
      for (const name of [createHash("sha256").update(text).digest("hex"), withoutPrefix(id)]) byId.set(name, document);
      for (const spelling of [text, print(document)]) byText.set(spelling, document);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      faults.push(faultOf(id, error.message));
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    byId: (id) => byId.get(withoutPrefix(id)) ?? null,
    byText: (text) => byText.get(text) ?? null,
  };
}

async function textsIn(path: string): Promise<z.output<typeof contents>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`TRUSTED_DOCUMENTS cannot be read: ${why}`]);
  }
  const { success, data } = contents.safeParse(jsonOf(text));
  if (success) return data;
  throw new ConfigError([
    `TRUSTED_DOCUMENTS names ${path}, which holds something else: use a JSON object of ids and documents, { "<id>": "query …" }`,
  ]);
}

/** Undefined for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withoutPrefix(id: string): string {
  return id.replace(/^sha256:/, "");
}

function faultOf(id: string, message: string): string {
  return `TRUSTED_DOCUMENTS has a document "${id}" that cannot run here: ${message}`;
}
