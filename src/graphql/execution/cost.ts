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

/** How much one operation may ask for. */
export interface Limits {
  /** Deepest nesting of objects. */
  readonly maxDepth: number;
  /** Greatest cost: each default page (20) of objects that may come back costs 1; a list multiplies what its rows ask for. */
  readonly maxCost: number;
}

/** Most fields of an operation, aliases and fragments spelt out. */
const MAX_FIELDS = 500;
/** As how many objects a look at the whole schema counts: few of them fit into one operation. */
const INTROSPECTION_OBJECTS = 2_000;

/** What an operation asks for. */
export interface Weight {
  /** Levels of objects; fields with a plain value are not a level. */
  readonly depth: number;
  readonly fields: number;
  /** How many may come back at most. */
  readonly objects: number;
  /** Whether it reads any list by pages. */
  readonly pages: boolean;
}

export function faultsOfWeight({ depth, fields, objects }: Weight, { maxDepth, maxCost }: Limits): GraphQLError[] {
  const cost = Math.ceil(objects / DEFAULT_PAGE);
  return [
    ...(depth > maxDepth
      ? [requestError("QUERY_TOO_DEEP", `Nested ${depth} levels deep; ${maxDepth} are allowed.`)]
      : []),
    ...(fields > MAX_FIELDS ? [requestError("QUERY_TOO_WIDE", `${fields} fields; ${MAX_FIELDS} are allowed.`)] : []),
    ...(cost > maxCost
      ? [requestError("QUERY_TOO_COSTLY", `A cost of ${cost}; ${maxCost} is allowed. Ask for smaller pages.`)]
      : []),
  ];
}

/** Weighs an operation that is valid. Fields that a directive may skip count too. */
export function weigh(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: { readonly [name: string]: unknown },
): Weight {
  const root = schema.getRootType(operation.operation);
  if (!root) throw new GraphQLError(`There are no operations of the kind ${operation.operation}.`);
  // A fragment is weighed once for each type, however often it is spread: else nested spreads take exponential time.
  const known = new Map<SelectionSetNode, Map<GraphQLNamedType, Weight>>();
  return weighSelections(operation.selectionSet, root);

  function weighSelections(selections: SelectionSetNode, type: GraphQLCompositeType): Weight {
    const before = known.get(selections)?.get(type);
    if (before !== undefined) return before;
    let depth = 0;
    let fields = 0;
    let objects = 0;
    let pages = false;
    for (const selection of selections.selections) {
      const weight =
        selection.kind === Kind.FIELD
          ? weighField(selection, type)
          : weighFragment(
              selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection,
              type,
            );
      depth = Math.max(depth, weight.depth);
      fields += weight.fields;
      objects += weight.objects;
      pages ||= weight.pages;
    }
    const weight = { depth, fields, objects, pages };
    const ofType = known.get(selections);
    if (ofType === undefined) known.set(selections, new Map([[type, weight]]));
    else ofType.set(type, weight);
    return weight;
  }

  function weighFragment(
    fragment:
      | {
          readonly typeCondition?: { readonly name: { readonly value: string } } | undefined;
          readonly selectionSet: SelectionSetNode;
        }
      | undefined,
    type: GraphQLCompositeType,
  ): Weight {
    if (fragment === undefined) return NOTHING;
    const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value);
    return weighSelections(fragment.selectionSet, isCompositeType(condition) ? condition : type);
  }

  function weighField(
    node: Parameters<typeof getArgumentValues>[1] & { readonly selectionSet?: SelectionSetNode | undefined },
    type: GraphQLCompositeType,
  ): Weight {
    const name = node.name.value;
    if (name === "__schema" || name === "__type") return { ...NOTHING, fields: 1, objects: INTROSPECTION_OBJECTS };
    const field = isUnionType(type) ? undefined : type.getFields()[name];
    const fieldType = field && getNamedType(field.type);
    if (
      field === undefined ||
      !isCompositeType(fieldType) ||
      isLeafType(fieldType) ||
      node.selectionSet === undefined
    ) {
      return { ...NOTHING, fields: 1 };
    }
    const inner = weighSelections(node.selectionSet, fieldType);
    const isPage = fieldType.name.endsWith("Connection");
    const rows = isPage ? rowsAskedFor(field, node) : 1;
    return {
      depth: inner.depth + 1,
      fields: inner.fields + 1,
      objects: inner.objects * rows + (isPartOfPage(fieldType) ? 0 : 1),
      pages: inner.pages || isPage,
    };
  }

  function rowsAskedFor(field: GraphQLField<unknown, unknown>, node: Parameters<typeof getArgumentValues>[1]): number {
    const { first, last } = getArgumentValues(field, node, variables);
    const rows = pageSize({
      first: typeof first === "number" ? first : null,
      last: typeof last === "number" ? last : null,
    });
    return Math.min(Math.max(rows, 1), MAX_PAGE);
  }
}

const NOTHING: Weight = { depth: 0, fields: 0, objects: 0, pages: false };

/** The wrapping of a page around its rows is free. */
function isPartOfPage(type: GraphQLNamedType): boolean {
  return isObjectType(type) && /(Connection|ConnectionEdge|^PageInfo)$/.test(type.name);
}
