/** `npm run schema`: prints the schema to schema.graphql. */
import { writeFile } from "node:fs/promises";
import { lexicographicSortSchema, printSchema } from "graphql";
import { schema } from "./index.ts";

export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}

if (import.meta.main) await writeFile(new URL("../../../schema.graphql", import.meta.url), printedSchema());
