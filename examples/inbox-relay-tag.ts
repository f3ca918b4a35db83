/** Lets Node run modules with Relay's `graphql` tags. With Relay's Babel plugin, import `graphql` from react-relay instead. */
import { createRequire } from "node:module";
import type { GraphQLTaggedNode } from "relay-runtime";

const require = createRequire(import.meta.url);

/** Returns the artifact that relay-compiler has generated for the operation or fragment in the tag. */
export function graphql([text = ""]: TemplateStringsArray): GraphQLTaggedNode {
  const [, name] = /(?:query|mutation|subscription|fragment) (\w+)/.exec(text) ?? [];
  return require(`./__generated__/${name}.graphql.ts`).default;
}
