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
import { type Claim, type Context, createContext, inSnapshot } from "../resolve/context.ts";
import { selectsViewerDependent } from "../resolve/viewer-dependent.ts";
import { complexityErrors, type Limits, measureComplexity } from "./cost.ts";
import type { Validate } from "./document.ts";
import { parseDocument } from "./document.ts";
import { type Execute, SharedOperations } from "./shared-operation.ts";
import { Subscription } from "./subscription.ts";
import { documentIdOf, type TrustedDocuments } from "./trusted-documents.ts";

/** An operation request, independent of the transport. */
export interface OperationRequest {
  readonly query?: string | null | undefined;
  /** The id of a trusted document. */
  readonly documentId?: string | null | undefined;
  readonly extensions?: { readonly [name: string]: unknown } | null | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: { readonly [name: string]: unknown } | null | undefined;
}

/** Runs operations. HTTP, SSE and WebSocket all use it, so that they behave the same. */
export interface Operations {
  /**
   * The document to run, from the query text or else from the document id. Throws a `GraphQLError` if it is invalid or
   * not trusted.
   */
  documentOf(request: OperationRequest): DocumentNode;
  /** Validation errors: the document, its variables, the limits and permissions. Nothing runs before this check. */
  check(document: DocumentNode, request: OperationRequest, viewer: Viewer): readonly GraphQLError[];
  execute(args: ExecutionArgs): Promise<ExecutionResult>;
  subscribe(args: ExecutionArgs): Promise<ExecutionResult | Subscription>;
}

export interface OperationsOptions {
  readonly schema: GraphQLSchema;
  readonly limits: Limits;
  readonly validate: Validate;
  /** If set, no other documents run. */
  readonly trustedDocuments: TrustedDocuments | null;
  readonly clock: Clock;
  readonly mask: Mask;
}

/** Size of the cache of parsed documents, in characters of their text. */
const DOCUMENT_CACHE_SIZE = 2_000_000;

/** The error message for a request without a query or document id. */
export const MISSING_QUERY = "Must provide query string.";

/** Maximum number of variable errors reported: a long list could produce thousands. */
const MAX_VARIABLE_ERRORS = 50;

export function operations(options: OperationsOptions): Operations {
  const { schema, limits, validate, trustedDocuments, clock, mask } = options;
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: DOCUMENT_CACHE_SIZE,
    sizeCalculation: (_, query) => query.length + 1,
  });
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  const perViewer = new WeakMap<DocumentNode, boolean>();
  const sharedOperations = new SharedOperations(clock);

  return { documentOf, check, execute: executeMasked, subscribe };

  function documentOf(request: OperationRequest): DocumentNode {
    const { query } = request;
    if (query) return trustedDocuments === null ? parseOnce(query) : trustedText(query, trustedDocuments);
    const id = documentIdOf(request);
    if (id === null) throw requestError("BAD_REQUEST", MISSING_QUERY);
    // Clients recognise these two errors by their messages.
    if (trustedDocuments === null) throw requestError("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported");
    const document = trustedDocuments.byId(id);
    if (document === null) throw requestError("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound");
    return document;
  }

  function trustedText(query: string, { byText }: TrustedDocuments): DocumentNode {
    const document = byText(query) ?? byText(print(parseOnce(query)));
    if (document === null) {
      throw requestError(
        "QUERY_NOT_IN_SAFELIST",
        "This document is not one of the trusted documents. Only trusted documents may run.",
      );
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
    const errors = validated.get(document) ?? validate(document).map(validationError);
    validated.set(document, errors);
    if (errors.length > 0) return errors;

    const { variableDefinitions = [] } = operation;
    const variables = getVariableValues(schema, variableDefinitions, request.variables ?? {}, {
      maxErrors: MAX_VARIABLE_ERRORS,
    });
    if (variables.errors !== undefined) return variables.errors.map(validationError);
    const complexity = measureComplexity(schema, operation, fragmentsOf(document), variables.coerced);
    const mayReadPages = viewer.permissions.has("READ") || operation.operation !== "mutation";
    return [
      ...complexityErrors(complexity, limits),
      ...(mayReadPages || !complexity.pages
        ? []
        : [requestError("FORBIDDEN", "Selecting lists in a mutation requires the READ permission.")]),
    ];
  }

  /** Executes a query in one database snapshot, so that all its fields see the same state. */
  async function executeMasked(args: ExecutionArgs): Promise<ExecutionResult> {
    const operation = getOperationAST(args.document, args.operationName);
    try {
      const result =
        operation && readsState(operation)
          ? await inSnapshot(contextOf(args), async (contextValue) => execute({ ...args, contextValue }))
          : await execute(args);
      if (operation?.operation === "mutation" && !(await begin(contextOf(args).claims)))
        return { errors: [ANSWER_LATE] };
      return maskResult(mask, result);
    } catch (error) {
      // The snapshot failed. Throwing would close the WebSocket and with it the client's other operations.
      return { errors: [mask(error)] };
    }
  }

  /** Subscribers with the same document, variables and visibility share the execution of each event. */
  async function subscribe(args: ExecutionArgs): Promise<ExecutionResult | Subscription> {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return maskResult(mask, source);
    if (!(source instanceof LogReader)) throw new Error("The source of a subscription must be a LogReader.");
    const { session, viewer } = contextOf(args);
    const operation = sharedOperations.join(args.document, sharingKeyOf(args, viewer, dependsOnViewer(args)), () =>
      executor(args),
    );
    return new Subscription({ reader: source, operation, session, mask });
  }

  function dependsOnViewer({ document }: ExecutionArgs): boolean {
    const known = perViewer.get(document) ?? selectsViewerDependent(schema, document);
    perViewer.set(document, known);
    return known;
  }

  /** Returns the function that executes a shared subscription for one event. */
  function executor(args: ExecutionArgs): Execute {
    const { services, session, viewer } = contextOf(args);
    return (event) =>
      executeMasked({ ...args, rootValue: event, contextValue: createContext(services, session, viewer) });
  }
}

/** Deliveries that a partner has claimed begin with the answer, which is sent now, or not at all (rule S6). */
async function begin(claims: readonly Claim[]): Promise<boolean> {
  for (const claim of claims) if (!(await claim.begin())) return false;
  return true;
}

const ANSWER_LATE = requestError(
  "OVERLOADED",
  "It took too long to answer, so the deliveries that were claimed are due again. Claim them in a moment.",
);

/** Whether a query reads data that can change: the viewer and the schema do not need a snapshot. */
function readsState({ operation, selectionSet }: OperationDefinitionNode): boolean {
  const constantFields = ["viewer", "__schema", "__type", "__typename"];
  return (
    operation === "query" &&
    selectionSet.selections.some((field) => field.kind !== Kind.FIELD || !constantFields.includes(field.name.value))
  );
}

/**
 * Identifies everything that a result depends on, except the document and the event: visibility, operation and
 * variables; with `perViewer`, also who the viewer is.
 */
function sharingKeyOf(args: ExecutionArgs, { workspaceId, permissions, actor }: Viewer, perViewer: boolean): string {
  const { operationName } = args;
  const visibility = [workspaceId, [...permissions].toSorted(), perViewer ? actor.id : null];
  return JSON.stringify([...visibility, operationName ?? null, variablesOf(args)]);
}

/**
 * The values of the variables that the operation declares. Undeclared ones have no effect. Cursors are left out because
 * they only set where a subscription starts: clients that resume from different cursors can share executions.
 */
function variablesOf({ document, operationName, variableValues }: ExecutionArgs): Record<string, unknown> {
  const { variableDefinitions = [] } = getOperationAST(document, operationName) ?? {};
  const relevant = variableDefinitions.filter(({ type }) => !isCursor(type));
  return Object.fromEntries(relevant.map(({ variable: { name } }) => [name.value, variableValues?.[name.value]]));
}

function isCursor(type: TypeNode): boolean {
  return type.kind === Kind.NAMED_TYPE ? type.name.value === "Cursor" : isCursor(type.type);
}

function contextOf(args: ExecutionArgs): Context {
  const { contextValue } = args;
  if (!isContext(contextValue)) throw new Error("The operation has no context.");
  return contextValue;
}

function isContext(value: unknown): value is Context {
  return typeof value === "object" && value !== null && "services" in value && "session" in value && "viewer" in value;
}

/** Adds the error code that clients check. */
function validationError(error: GraphQLError): GraphQLError {
  const code = "GRAPHQL_VALIDATION_FAILED";
  const { message, nodes = null, source = null, positions = null, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, extensions: { code, ...extensions } });
}

function fragmentsOf(document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> {
  return new Map(
    document.definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each]] : [])),
  );
}
