import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  print,
  type TypeNode,
} from "graphql";
import { LRUCache } from "lru-cache";
import type { Viewer } from "../../auth/viewer.ts";
import type { Clock } from "../../platform/clock.ts";
import { LogReader } from "../../realtime/log-reader.ts";
import { type Mask, maskResult, requestError } from "../errors.ts";
import { type Context, createContext, inSnapshot } from "../resolve/context.ts";
import { faultsOfWeight, type Limits, weigh } from "./cost.ts";
import type { Validate } from "./document.ts";
import { parseDocument } from "./document.ts";
import { type Execute, SharedOperations } from "./shared-operation.ts";
import { Subscription } from "./subscription.ts";
import { documentIdOf, type TrustedDocuments } from "./trusted-documents.ts";

/** What a client sends, whatever it sends it over. */
export interface OperationRequest {
  readonly query?: string | null | undefined;
  /** The id of a trusted document. */
  readonly documentId?: string | null | undefined;
  readonly extensions?: { readonly [name: string]: unknown } | null | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: { readonly [name: string]: unknown } | null | undefined;
}

/** The one way through which operations go, over HTTP, SSE and WebSocket alike. */
export interface Operations {
  /** What is to run: the text, or else what the id stands for. Throws a `GraphQLError` for what is no document, or not trusted. */
  documentOf(request: OperationRequest): DocumentNode;
  /** What speaks against running it: all of it is checked before anything runs. */
  check(document: DocumentNode, request: OperationRequest, viewer: Viewer): readonly GraphQLError[];
  execute(args: ExecutionArgs): Promise<ExecutionResult>;
  subscribe(args: ExecutionArgs): Promise<ExecutionResult | Subscription>;
}

export interface OperationsOptions {
  readonly schema: GraphQLSchema;
  readonly limits: Limits;
  readonly validate: Validate;
  /** With them, no others run. */
  readonly trustedDocuments: TrustedDocuments | null;
  readonly clock: Clock;
  readonly mask: Mask;
}

/** How much of documents that came before is kept, in characters. */
const KEPT = 2_000_000;

/** What a request is told that names no document. */
export const NOTHING_ASKED = "Must provide query string.";

/** How many faults of variables are told of: a list can have more of them than anybody would read. */
const MAX_FAULTS = 50;

export function operations(options: OperationsOptions): Operations {
  const { schema, limits, validate, trustedDocuments, clock, mask } = options;
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: KEPT,
    sizeCalculation: (_, query) => query.length + 1,
  });
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  const sharing = new SharedOperations(clock);

  return { documentOf, check, execute: executeMasked, subscribe };

  function documentOf(request: OperationRequest): DocumentNode {
    const { query } = request;
    if (query) return trustedDocuments === null ? parseOnce(query) : trustedText(query, trustedDocuments);
    const id = documentIdOf(request);
    if (id === null) throw requestError("BAD_REQUEST", NOTHING_ASKED);
    // Clients know these two by their messages.
    if (trustedDocuments === null) throw requestError("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported");
    const document = trustedDocuments.byId(id);
    if (document === null) throw requestError("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
    return document;
  }

  function trustedText(query: string, { byText }: TrustedDocuments): DocumentNode {
    const document = byText(query) ?? byText(print(parseOnce(query)));
    if (document === null) {
      throw requestError("QUERY_NOT_IN_SAFELIST", "This is none of the documents that may run here.");
    }
    return document;
  }

  function parseOnce(query: string): DocumentNode {
    const known = documents.get(query);
    if (known !== undefined) return known;
    const document = parseDocument(query);
    documents.set(query, document);
    return document;
  }

  function check(document: DocumentNode, request: OperationRequest, viewer: Viewer): readonly GraphQLError[] {
    const operation = getOperationAST(document, request.operationName);
    if (!operation) {
      return [requestError("OPERATION_RESOLUTION_FAILURE", "Could not determine what operation to execute.")];
    }
    const faults = validated.get(document) ?? validate(document).map(invalid);
    validated.set(document, faults);
    if (faults.length > 0) return faults;

    const { variableDefinitions = [] } = operation;
    const variables = getVariableValues(schema, variableDefinitions, request.variables ?? {}, {
      maxErrors: MAX_FAULTS,
    });
    if (variables.errors !== undefined) return variables.errors.map(invalid);
    const weight = weigh(schema, operation, fragmentsOf(document), variables.coerced);
    const isOpen = viewer.permissions.has("READ") || operation.operation !== "mutation";
    return [
      ...faultsOfWeight(weight, limits),
      ...(isOpen || !weight.pages
        ? []
        : [requestError("FORBIDDEN", "Without the permission READ a mutation's result has no lists to read.")]),
    ];
  }

  /** A query reads in one snapshot. */
  async function executeMasked(args: ExecutionArgs): Promise<ExecutionResult> {
    const operation = getOperationAST(args.document, args.operationName);
    try {
      const result =
        operation && readsState(operation)
          ? await inSnapshot(contextOf(args), async (contextValue) => execute({ ...args, contextValue }))
          : await execute(args);
      return maskResult(mask, result);
    } catch (error) {
      // No snapshot to be had. Thrown, this would close a socket with all else that goes on over it.
      return { errors: [mask(error)] };
    }
  }

  /** Those who asked the same and see the same share what an event is executed to. */
  async function subscribe(args: ExecutionArgs): Promise<ExecutionResult | Subscription> {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return maskResult(mask, source);
    if (!(source instanceof LogReader)) throw new Error("A subscription follows something that is not the log.");
    const { session, viewer } = contextOf(args);
    const operation = sharing.join(args.document, samenessOf(args, viewer), () => executor(args));
    return new Subscription({ reader: source, operation, session, mask });
  }

  /** Executes a subscription for one event after another, on behalf of all who have the same. */
  function executor(args: ExecutionArgs): Execute {
    const { services, session, viewer } = contextOf(args);
    return (event) =>
      executeMasked({ ...args, rootValue: event, contextValue: createContext(services, session, viewer) });
  }
}

/** Whether it is a query of what changes: who asks, and the schema, are the same in every state. */
function readsState({ operation, selectionSet }: OperationDefinitionNode): boolean {
  const constant = ["viewer", "__schema", "__type", "__typename"];
  return (
    operation === "query" &&
    selectionSet.selections.some((field) => field.kind !== Kind.FIELD || !constant.includes(field.name.value))
  );
}

/** All that a result depends on besides the document and the event: whose rows are seen, and what was asked. */
function samenessOf(args: ExecutionArgs, { workspaceId, permissions }: Viewer): string {
  const { operationName } = args;
  return JSON.stringify([workspaceId, [...permissions].toSorted(), operationName ?? null, variablesOf(args)]);
}

/**
 * The values of the variables that the operation has; others, which may be anything, are nothing to it. A cursor says only
 * where somebody begins: all who come back after a break share as well, wherever each of them had stopped.
 */
function variablesOf({ document, operationName, variableValues }: ExecutionArgs): Record<string, unknown> {
  const { variableDefinitions = [] } = getOperationAST(document, operationName) ?? {};
  const told = variableDefinitions.filter(({ type }) => !isCursor(type));
  return Object.fromEntries(told.map(({ variable: { name } }) => [name.value, variableValues?.[name.value]]));
}

function isCursor(type: TypeNode): boolean {
  return type.kind === Kind.NAMED_TYPE ? type.name.value === "Cursor" : isCursor(type.type);
}

function contextOf(args: ExecutionArgs): Context {
  const { contextValue } = args;
  if (!isContext(contextValue)) throw new Error("An operation came without its context.");
  return contextValue;
}

function isContext(value: unknown): value is Context {
  return typeof value === "object" && value !== null && "services" in value && "session" in value && "viewer" in value;
}

/** Says by a code, too, what kind of fault it is. */
function invalid(error: GraphQLError): GraphQLError {
  const code = "GRAPHQL_VALIDATION_FAILED";
  const { message, nodes = null, source = null, positions = null, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, extensions: { code, ...extensions } });
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each]] : [])),
  );
}
