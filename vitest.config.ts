import { defineConfig } from "vitest/config";

/** Tests that need no database: they start at once. */
const pure = [
  "test/domain/**/*.test.ts",
  "test/config.test.ts",
  "test/docs/{facts,form,links}.test.ts",
  "test/architecture/**/*.test.ts",
  "test/platform/**/*.test.ts",
  "test/realtime/hub.test.ts",
  "test/http/client-network.test.ts",
  "test/channels/line/{events,webhook-failure}.test.ts",
  "test/channels/web-chat/{channel-follower,mailbox,stream-bounds}.test.ts",
];

const common = { pool: "forks", testTimeout: 30_000, hookTimeout: 30_000 } as const;

export default defineConfig({
  test: {
    // One PostgreSQL serves them all, on machines with two cores.
    maxWorkers: 2,
    projects: [
      { test: { ...common, name: "pure", include: pure } },
      {
        // Vite would take graphql's ESM build while its peers, loaded by Node, take the other: two copies that reject each other.
        resolve: { alias: { graphql: "graphql/index.js" } },
        test: {
          ...common,
          name: "database",
          include: ["test/**/*.test.ts"],
          exclude: pure,
          globalSetup: "test/support/postgres.ts",
          setupFiles: "test/support/stop-desks.ts",
          // Loading the app takes longer than most files of tests: the files that a worker runs share it.
          isolate: false,
        },
      },
    ],
  },
});
