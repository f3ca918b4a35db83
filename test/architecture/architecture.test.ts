import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isGenerated, rules, type Sources } from "./rules.ts";

const root = join(import.meta.dirname, "../..");

const sources: Sources = new Map(
  ["src", "bench", "examples", "test"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((file) => `${folder}/${file}`)
      .filter((file) => /\.tsx?$/.test(file) && !isGenerated(file))
      .map((file): [string, string] => [file, readFileSync(join(root, file), "utf8")]),
  ),
);

/** For each rule, files that break it and the violations that must be reported; nothing else may be. */
const controls: Record<string, { readonly files: Record<string, string>; readonly violations: readonly string[] }[]> = {
  "every file of src/ is in a room": [
    { files: { "src/utils/strings.ts": "" }, violations: ["src/utils/strings.ts"] },
    { files: { "src/news.ts": "" }, violations: ["src/news.ts"] },
  ],
  "imports point down": [
    {
      files: { "src/store/rows.ts": 'import { decide } from "../commands/executor.ts";' },
      violations: ["src/store/rows.ts -> src/commands/executor.ts"],
    },
    {
      files: { "src/channels/line/send.ts": 'import type { Mailbox } from "../web-chat/mailbox.ts";' },
      violations: ["src/channels/line/send.ts -> src/channels/web-chat/mailbox.ts"],
    },
    {
      files: { "src/graphql/execution/plan.ts": 'export {\n  http,\n} from "../transport/http.ts";' },
      violations: ["src/graphql/execution/plan.ts -> src/graphql/transport/http.ts"],
    },
    {
      files: { "src/platform/lazy.ts": 'const app = await import("../app.ts");' },
      violations: ["src/platform/lazy.ts -> src/app.ts"],
    },
  ],
  "pages import nothing of the server, and nothing imports them": [
    {
      files: { "src/console/main.tsx": 'import { decide } from "../domain/decide.ts";' },
      violations: ["src/console/main.tsx -> src/domain/decide.ts"],
    },
    {
      files: { "src/http/files.ts": 'import "../widget/widget.tsx";' },
      violations: ["src/http/files.ts -> src/widget/widget.tsx"],
    },
  ],
  "src/ imports nothing of tests, benches and examples": [
    {
      files: { "src/domain/seed.ts": 'import { testClock } from "../../test/support/clock.ts";' },
      violations: ["src/domain/seed.ts -> test/support/clock.ts"],
    },
  ],
  "there is no import cycle": [
    {
      files: {
        "src/flows/a.ts": 'import { b } from "./b.ts";',
        "src/flows/b.ts": 'import type { A } from "./a.ts";',
      },
      violations: ["src/flows/a.ts -> src/flows/b.ts -> src/flows/a.ts"],
    },
    {
      files: { "bench/a.ts": 'import { b } from "./b.ts";', "bench/b.ts": 'import "./a.ts";' },
      violations: ["bench/a.ts -> bench/b.ts -> bench/a.ts"],
    },
  ],
  "domain/ imports nothing outside itself: no library, no Node API": [
    {
      files: { "src/domain/hash.ts": 'import { createHash } from "node:crypto";\nimport { z } from "zod";' },
      violations: ["src/domain/hash.ts -> node:crypto", "src/domain/hash.ts -> zod"],
    },
  ],
  "domain/ reads no clock, no randomness and no global of Node": [
    { files: { "src/domain/now.ts": "export const now = Date.now();" }, violations: ["src/domain/now.ts"] },
    { files: { "src/domain/id.ts": "export const id = crypto.randomUUID();" }, violations: ["src/domain/id.ts"] },
    { files: { "src/domain/at.ts": "// Date.now() is not called.\nexport const at = new Date(0);" }, violations: [] },
  ],
  "SQL stands in store/ and embedded-postgres/ only": [
    {
      files: { "src/jobs/prune.ts": 'await pool.query("DELETE FROM event WHERE position < $1");' },
      violations: ["src/jobs/prune.ts"],
    },
    {
      files: { "src/relay/cursor.ts": "const text = `\n  SELECT position\n  FROM log_head`;" },
      violations: ["src/relay/cursor.ts"],
    },
    {
      // A comment about SQL is none, and the store may have it.
      files: {
        "src/http/notes.ts": "// SELECT id FROM contact would be slow.",
        "src/store/rows.ts": 'const text = "SELECT id FROM contact";',
      },
      violations: [],
    },
  ],
  "prom-client is used in platform/metrics.ts only": [
    {
      files: { "src/http/gauges.ts": 'import { Gauge } from "prom-client";' },
      violations: ["src/http/gauges.ts"],
    },
  ],
};

describe.each(rules)("$name", ({ name, check }) => {
  test("the project keeps the rule", () => {
    expect(sources.size).toBeGreaterThan(200);
    expect(check(sources)).toEqual([]);
  });

  test.each(controls[name] ?? [])("control: $files", ({ files, violations }) => {
    expect(check(new Map([...sources, ...Object.entries(files)]))).toEqual(violations);
  });

  test("the rule has a control that breaks it", () => {
    expect(controls[name]?.some(({ violations }) => violations.length > 0)).toBe(true);
  });
});
