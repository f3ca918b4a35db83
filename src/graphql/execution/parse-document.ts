import { type DocumentNode, GraphQLError, Lexer, parse, Source, syntaxError, TokenKind } from "graphql";

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
