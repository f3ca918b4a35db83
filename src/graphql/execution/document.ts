import {
  type ASTVisitor,
  type DirectiveNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  type SelectionSetNode,
  specifiedRules,
  type ValidationContext,
  validate,
} from "graphql";

/** What is wrong with a document, by the specification's rules and ours; empty if it can run. */
export type Validate = (document: DocumentNode) => readonly GraphQLError[];

export function validator(schema: GraphQLSchema, { introspection }: { readonly introspection: boolean }): Validate {
  const rules = [...specifiedRules, unconditionalRoot, ...(introspection ? [] : [NoSchemaIntrospectionCustomRule])];
  return (document) => {
    try {
      const faults = validate(schema, document, rules);
      return introspection ? faults : faults.map(withoutSuggestion);
    } catch (error) {
      // graphql-js throws what it finds wrong with `@skip(if: $variable)` on a subscription's field.
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
  };
}

/** "Did you mean …?" would tell the schema name by name to whom it may not be told. */
function withoutSuggestion(fault: GraphQLError): GraphQLError {
  const { message, nodes = null, extensions } = fault;
  return new GraphQLError(message.replace(/ Did you mean [^?]*\?/, ""), { nodes, extensions });
}

/**
 * A subscription's field cannot be left out (GraphQL, September 2025, section 5.2.4.1): graphql-js 16 finds nothing to
 * subscribe to then, and throws.
 */
function unconditionalRoot(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition: ({ operation, selectionSet }) => {
      if (operation !== OperationTypeNode.SUBSCRIPTION) return;
      for (const nodes of conditionsOf(selectionSet, context)) {
        context.reportError(new GraphQLError("A subscription's field takes neither @skip nor @include.", { nodes }));
      }
    },
  };
}

function* conditionsOf(
  { selections }: SelectionSetNode,
  context: ValidationContext,
  seen: Set<string> = new Set(),
): Generator<DirectiveNode> {
  for (const selection of selections) {
    for (const directive of selection.directives ?? []) {
      if (["skip", "include"].includes(directive.name.value)) yield directive;
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) yield* conditionsOf(selection.selectionSet, context, seen);
    if (selection.kind !== Kind.FRAGMENT_SPREAD || seen.has(selection.name.value)) continue;
    seen.add(selection.name.value);
    const fragment = context.getFragment(selection.name.value);
    if (fragment) yield* conditionsOf(fragment.selectionSet, context, seen);
  }
}
