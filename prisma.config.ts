import { defineConfig } from "prisma/config";

// The CLI downloads a schema-engine binary even to generate the client, which does not use it; naming any executable spares that.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
});
