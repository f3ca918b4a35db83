import {
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isCompositeType,
  isLeafType,
  isObjectType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import { requestError } from "../errors.ts";
import { DEFAULT_PAGE, MAX_PAGE, pageSize } from "../resolve/paging.ts";

/** Limits on a single operation. */
export interface Limits {
  /** Maximum nesting of objects. */
  readonly maxDepth: number;
  /**
   * Maximum cost: 1 per default page (20) of objects that the result can contain. A list multiplies the cost of its
   * rows.
   */
  readonly maxCost: number;
}

/** Maximum number of fields in an operation, with fragments expanded and every alias counted. */
const MAX_FIELDS = 500;
/** Number of objects that an introspection field counts as, so that only a few fit into one operation. */
const INTROSPECTION_OBJECTS = 2_000;

/** The size of an operation. */
export interface Complexity {
  /** Levels of nested objects; leaf fields do not count. */
  readonly depth: number;
  readonly fields: number;
  /** Maximum number of objects in the result. */
  readonly objects: number;
  /** Whether it reads a paginated list. */
  readonly pages: boolean;
}

/** Returns an error for each limit that the operation exceeds. */
export function complexityErrors(
  { depth, fields, objects }: Complexity,
  { maxDepth, maxCost }: Limits,
): GraphQLError[] {
  const cost = Math.ceil(objects / DEFAULT_PAGE);
  return [
    ...(depth > maxDepth
      ? [requestError("QUERY_TOO_DEEP", `The operation is nested ${depth} levels deep; the limit is ${maxDepth}.`)]
      : []),
    ...(fields > MAX_FIELDS
      ? [requestError("QUERY_TOO_WIDE", `The operation has ${fields} fields; the limit is ${MAX_FIELDS}.`)]
      : []),
    ...(cost > maxCost
      ? [
          requestError(
            "QUERY_TOO_COSTLY",
            `The operation costs ${cost}; the limit is ${maxCost}. Request smaller pages.`,
          ),
        ]
      : []),
  ];
}

/** Measures a valid operation. Fields that a directive may skip are counted. */
export function measureComplexity(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: { readonly [name: string]: unknown },
): Complexity {
  const root = schema.getRootType(operation.operation);
  if (!root) throw new GraphQLError(`The schema does not support ${operation.operation} operations.`);
  // Each fragment is measured once per type, because nested spreads would otherwise take exponential time.
  const measured = new Map<SelectionSetNode, Map<GraphQLNamedType, Complexity>>();
  return measureSelections(operation.selectionSet, root);

  function measureSelections(selections: SelectionSetNode, type: GraphQLCompositeType): Complexity {
    const cached = measured.get(selections)?.get(type);
    if (cached !== undefined) return cached;
    let depth = 0;
    let fields = 0;
    let objects = 0;
    let pages = false;
    for (const selection of selections.selections) {
      const part =
        selection.kind === Kind.FIELD
          ? measureField(selection, type)
          : measureFragment(
              selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection,
              type,
            );
      depth = Math.max(depth, part.depth);
      fields += part.fields;
      objects += part.objects;
      pages ||= part.pages;
    }
    const total = { depth, fields, objects, pages };
    const byType = measured.get(selections);
    if (byType === undefined) measured.set(selections, new Map([[type, total]]));
    else byType.set(type, total);
    return total;
  }

  function measureFragment(
    fragment:
      | {
          readonly typeCondition?: { readonly name: { readonly value: string } } | undefined;
          readonly selectionSet: SelectionSetNode;
        }
      | undefined,
    type: GraphQLCompositeType,
  ): Complexity {
    if (fragment === undefined) return ZERO;
    const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
    return measureSelections(fragment.selectionSet, isCompositeType(condition) ? condition : type);
  }

  function measureField(
    node: Parameters<typeof getArgumentValues>[1] & { readonly selectionSet?: SelectionSetNode | undefined },
    type: GraphQLCompositeType,
  ): Complexity {
    const name = node.name.value;
    if (name === "__schema" || name === "__type") return { ...ZERO, fields: 1, objects: INTROSPECTION_OBJECTS };
    const field = isUnionType(type) ? undefined : type.getFields()[name];
    const fieldType = field && getNamedType(field.type);
    if (
      field === undefined ||
      !isCompositeType(fieldType) ||
      isLeafType(fieldType) ||
      node.selectionSet === undefined
    ) {
      return { ...ZERO, fields: 1 };
    }
    const inner = measureSelections(node.selectionSet, fieldType);
    const isPage = fieldType.name.endsWith("Connection");
    const rows = isPage ? requestedRows(field, node) : 1;
    return {
      depth: inner.depth + 1,
      fields: inner.fields + 1,
      objects: inner.objects * rows + (isPageWrapper(fieldType) ? 0 : 1),
      pages: inner.pages || isPage,
    };
  }

  function requestedRows(field: GraphQLField<unknown, unknown>, node: Parameters<typeof getArgumentValues>[1]): number {
    const { first, last } = getArgumentValues(field, node, variables);
    const rows = pageSize({
      first: typeof first === "number" ? first : null,
      last: typeof last === "number" ? last : null,
    });
    return Math.min(Math.max(rows, 1), MAX_PAGE);
  }
}

const ZERO: Complexity = { depth: 0, fields: 0, objects: 0, pages: false };

/** Connections, edges and page info are free; only the nodes cost. */
function isPageWrapper(type: GraphQLNamedType): boolean {
  return isObjectType(type) && /(Connection|ConnectionEdge|^PageInfo)$/.test(type.name);
}
