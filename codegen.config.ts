import type { CodegenConfig } from "@graphql-codegen/cli";
import { addTypenameSelectionDocumentTransform } from "@graphql-codegen/client-preset";

/** Typed documents for the operations of examples/inbox-urql.ts. */
const config: CodegenConfig = {
  schema: "schema.graphql",
  documents: "examples/inbox-urql.graphql",
  generates: {
    "examples/generated/urql/": {
      preset: "client",
      documentTransforms: [addTypenameSelectionDocumentTransform],
      presetConfig: { fragmentMasking: false },
      config: {
        importExtension: ".ts",
        useTypeImports: true,
        strictScalars: true,
        scalars: { ID: "string", Cursor: "string", DateTime: "string", JSON: "unknown" },
      },
    },
  },
};

export default config;
