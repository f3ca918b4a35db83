import { defineConfig } from "prisma/config";

// Even `prisma generate` downloads a schema-engine binary, which it does not use. Naming any executable prevents that.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
});
