import {
  type ASTVisitor,
  type DirectiveNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  Kind,
  Lexer,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
  Source,
  specifiedRules,
  syntaxError,
  TokenKind,
  type ValidationContext,
  validate,
} from "graphql";

/** Most words and signs of a document. */
const MAX_TOKENS = 2_000;
/** Deepest nesting of brackets of all kinds: graphql-js reads, checks and prints them by recursion. */
const MAX_NESTING = 300;

/** @throws GraphQLError with the code `GRAPHQL_PARSE_FAILED` for what is no document, or one too long or too nested to read */
export function parseDocument(text: string): DocumentNode {
  const source = new Source(text);
  try {
    refuseNesting(source);
    return parse(source, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { message, positions = null } = error;
    throw new GraphQLError(message, { source, positions, extensions: { code: "GRAPHQL_PARSE_FAILED" } });
  }
}

const OPENING: readonly string[] = [TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L];
const CLOSING: readonly string[] = [TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R];

function refuseNesting(source: Source): void {
  const lexer = new Lexer(source);
  let depth = 0;
  for (let tokens = 0; tokens < MAX_TOKENS && lexer.advance().kind !== TokenKind.EOF; tokens += 1) {
    const { kind, start } = lexer.token;
    if (OPENING.includes(kind)) depth += 1;
    if (CLOSING.includes(kind)) depth -= 1;
    if (depth > MAX_NESTING) throw syntaxError(source, start, `Nested more than ${MAX_NESTING} levels deep.`);
  }
}

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
