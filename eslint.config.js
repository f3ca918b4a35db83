import graphql from "@graphql-eslint/eslint-plugin";

// ESLint checks GraphQL only: that schema.graphql keeps Relay's rules, and the operations of the examples. Biome checks the rest.

const plugins = { "@graphql-eslint": graphql };
const languageOptions = {
  parser: graphql.parser,
  parserOptions: { graphQLConfig: { schema: "schema.graphql", documents: "examples/inbox-*.{graphql,ts}" } },
};

/** Finds the documents in TypeScript. The plugin's processor returns the TypeScript, too, for which ESLint has no parser. */
const processor = {
  ...graphql.processor,
  preprocess: (code, path) => graphql.processor.preprocess(code, path).filter((block) => typeof block !== "string"),
};

export default [
  { ignores: ["**/generated", "**/__generated__"] },
  {
    files: ["schema.graphql"],
    plugins,
    languageOptions,
    rules: {
      ...graphql.configs["flat/schema-relay"].rules,
      // Lists that are always short, such as the channels of a contact, are plain.
      "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
    },
  },
  { files: ["examples/inbox-*.ts"], plugins, processor },
  {
    files: ["examples/**/*.graphql"],
    plugins,
    languageOptions,
    rules: graphql.configs["flat/operations-recommended"].rules,
  },
  {
    // Relay's compiler prescribes names, has directives of its own, and selects ids by itself.
    files: ["examples/inbox-relay*.ts/*.graphql"],
    rules: {
      "@graphql-eslint/known-directives": "off",
      "@graphql-eslint/naming-convention": "off",
      "@graphql-eslint/require-selections": "off",
    },
  },
];
