import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type DocumentNode, GraphQLError, print } from "graphql";
import { z } from "zod";
import { ConfigError } from "../../config.ts";
import type { Validate } from "./document.ts";
import { parseDocument } from "./document.ts";

/** The only documents that may run: those that the clients were built with. */
export interface TrustedDocuments {
  /**
   * Finds a document by its id in the file or the SHA-256 of its text, with or without the standard prefix `sha256:`.
   */
  byId(id: string): DocumentNode | null;
  /** Finds a document by its text, either as in the file or as `print` formats it. */
  byText(text: string): DocumentNode | null;
}

/**
 * The id of the document that a request refers to: `documentId` (GraphQL over HTTP, appendix on persisted documents),
 * or the extension that Apollo Client and urql send. Null if the request has neither.
 */
export function documentIdOf(request: {
  readonly documentId?: string | null | undefined;
  readonly extensions?: { readonly [name: string]: unknown } | null | undefined;
}): string | null {
  if (typeof request.documentId === "string") return request.documentId;
  const persistedQuery = request.extensions?.persistedQuery;
  if (typeof persistedQuery !== "object" || persistedQuery === null || !("sha256Hash" in persistedQuery)) return null;
  return typeof persistedQuery.sha256Hash === "string" ? persistedQuery.sha256Hash : null;
}

/** `{ "<id>": "<document>" }`: the format of persisted documents that codegen's client preset and Relay write. */
const fileSchema = z.record(z.string().min(1), z.string());

/**
 * Reads the file at `TRUSTED_DOCUMENTS`.
 *
 * @throws ConfigError if the file cannot be read, or with the id and error of each document that is not valid for the
 * schema
 */
export async function readTrustedDocuments(path: string, validate: Validate): Promise<TrustedDocuments> {
  const byId = new Map<string, DocumentNode>();
  const byText = new Map<string, DocumentNode>();
  const errors: string[] = [];
  for (const [id, text] of Object.entries(await readTexts(path))) {
    try {
      const document = parseDocument(text);
      for (const { message } of validate(document)) errors.push(documentError(id, message));
      for (const key of [createHash("sha256").update(text).digest("hex"), withoutPrefix(id)]) byId.set(key, document);
      for (const key of [text, print(document)]) byText.set(key, document);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      errors.push(documentError(id, error.message));
    }
  }
  if (errors.length > 0) throw new ConfigError(errors);
  return {
    byId: (id) => byId.get(withoutPrefix(id)) ?? null,
    byText: (text) => byText.get(text) ?? null,
  };
}

async function readTexts(path: string): Promise<z.output<typeof fileSchema>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`TRUSTED_DOCUMENTS cannot be read: ${reason}`]);
  }
  const { success, data } = fileSchema.safeParse(parseJson(text));
  if (success) return data;
  throw new ConfigError([
    `TRUSTED_DOCUMENTS: ${path} must contain a JSON object that maps ids to documents: { "<id>": "query …" }`,
  ]);
}

/** Undefined if the text is not valid JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withoutPrefix(id: string): string {
  return id.replace(/^sha256:/, "");
}

function documentError(id: string, message: string): string {
  return `TRUSTED_DOCUMENTS contains an invalid document "${id}": ${message}`;
}
