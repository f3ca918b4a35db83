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

/** Maximum number of tokens in a document. */
const MAX_TOKENS = 2_000;
/** Maximum nesting of brackets of all kinds, because graphql-js parses, validates and prints recursively. */
const MAX_NESTING = 300;

/**
 * @throws GraphQLError with the code `GRAPHQL_PARSE_FAILED` if the text is not a document, or is too long or too deeply
 * nested
 */
export function parseDocument(text: string): DocumentNode {
  const source = new Source(text);
  try {
    limitNesting(source);
    return parse(source, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { message, positions = null } = error;
    throw new GraphQLError(message, { source, positions, extensions: { code: "GRAPHQL_PARSE_FAILED" } });
  }
}

const OPENING: readonly string[] = [TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L];
const CLOSING: readonly string[] = [TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R];

function limitNesting(source: Source): void {
  const lexer = new Lexer(source);
  let depth = 0;
  for (let tokens = 0; tokens < MAX_TOKENS && lexer.advance().kind !== TokenKind.EOF; tokens += 1) {
    const { kind, start } = lexer.token;
    if (OPENING.includes(kind)) depth += 1;
    if (CLOSING.includes(kind)) depth -= 1;
    if (depth > MAX_NESTING) throw syntaxError(source, start, `Nested more than ${MAX_NESTING} levels deep.`);
  }
}

/** Returns the errors of a document under the specification's rules and our own; empty if it is valid. */
export type Validate = (document: DocumentNode) => readonly GraphQLError[];

export function validator(schema: GraphQLSchema, { introspection }: { readonly introspection: boolean }): Validate {
  const rules = [
    ...specifiedRules,
    unconditionalSubscriptionRoot,
    ...(introspection ? [] : [NoSchemaIntrospectionCustomRule]),
  ];
  return (document) => {
    try {
      const errors = validate(schema, document, rules);
      return introspection ? errors : errors.map(withoutSuggestion);
    } catch (error) {
      // For `@skip(if: $variable)` on the root field of a subscription, graphql-js throws its error.
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
  };
}

/** Removes "Did you mean …?", which would disclose schema names while introspection is disabled. */
function withoutSuggestion(error: GraphQLError): GraphQLError {
  const { message, nodes = null, extensions } = error;
  return new GraphQLError(message.replace(/ Did you mean [^?]*\?/, ""), { nodes, extensions });
}

/**
 * The root field of a subscription must not be conditional (GraphQL, September 2025, section 5.2.4.1). graphql-js 16
 * does not check this, and throws when the field is skipped.
 */
function unconditionalSubscriptionRoot(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition: ({ operation, selectionSet }) => {
      if (operation !== OperationTypeNode.SUBSCRIPTION) return;
      for (const nodes of conditionalDirectives(selectionSet, context)) {
        context.reportError(
          new GraphQLError("The root field of a subscription must not use @skip or @include.", { nodes }),
        );
      }
    },
  };
}

function* conditionalDirectives(
  { selections }: SelectionSetNode,
  context: ValidationContext,
  seen: Set<string> = new Set(),
): Generator<DirectiveNode> {
  for (const selection of selections) {
    for (const directive of selection.directives ?? []) {
      if (["skip", "include"].includes(directive.name.value)) yield directive;
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) yield* conditionalDirectives(selection.selectionSet, context, seen);
    if (selection.kind !== Kind.FRAGMENT_SPREAD || seen.has(selection.name.value)) continue;
    seen.add(selection.name.value);
    const fragment = context.getFragment(selection.name.value);
    if (fragment) yield* conditionalDirectives(fragment.selectionSet, context, seen);
  }
}
