import { defineConfig } from "vitest/config";

/** Tests that need no database, so they do not wait for one to start. */
const pure = [
  "test/domain/**/*.test.ts",
  "test/config.test.ts",
  "test/docs/{facts,form,links}.test.ts",
  "test/architecture/**/*.test.ts",
  "test/demo/**/*.test.ts",
  "test/platform/**/*.test.ts",
  "test/realtime/hub.test.ts",
  "test/delivery/http-call.test.ts",
  "test/partners/{private-address,guarded-agent,standard-webhooks,post-signed}.test.ts",
  "test/http/{client-network,early-errors,slow-requests}.test.ts",
  "test/channels/line/{events,send,webhook-failure}.test.ts",
  "test/channels/web-chat/{channel-reader,mailbox,stream-bounds}.test.ts",
];

const common = { pool: "forks", testTimeout: 30_000, hookTimeout: 30_000 } as const;

export default defineConfig({
  test: {
    // All workers share one PostgreSQL and, where the tests usually run, two cores.
    maxWorkers: 2,
    projects: [
      { test: { ...common, name: "pure", include: pure } },
      {
        // Without the alias, Vite loads graphql's ESM build for the tests, while Node loads its CommonJS build for the
        // packages that use it: two copies that reject each other.
        resolve: { alias: { graphql: "graphql/index.js" } },
        test: {
          ...common,
          name: "database",
          include: ["test/**/*.test.ts"],
          exclude: pure,
          globalSetup: "test/support/postgres.ts",
          setupFiles: "test/support/stop-desks.ts",
          // Loading the app takes longer than most test files, so all files of a worker share it.
          isolate: false,
        },
      },
    ],
  },
});
