import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { permissionsOfRole, permissionsOfScopes, roles, scopes } from "../../src/auth/permission.ts";
import { settings } from "../../src/config.ts";
import { ongoingStatuses, terminalStatuses } from "../../src/domain/conversation.ts";
import { adding, type Check, replacing, runChecks } from "./check.ts";
import { codeInProse, fencesOf, filesUnder, type Page, proseOf, read, root, tableUnder } from "./pages.ts";

const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"));
const sources = filesUnder("src")
  .filter((path) => path.endsWith(".ts") && !path.includes("/generated/"))
  .map(read);
const names = new Set(
  [...sources, ...filesUnder("examples").map(read), read("schema.graphql"), read("prisma/schema.prisma")]
    .join("\n")
    .match(/\w+/g),
);
const namesOfLibraries = ["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"];

const checks: readonly Check[] = [
  {
    name: "the configuration is what the server reads",
    refuseInvalid: (these) =>
      difference(
        tableUnder(these, "setting", "default", "meaning"),
        settings.map(({ name, default: value, meaning }) => [`\`${name}\``, value, meaning]),
      ),
    violations: [replacing("| `PORT` ", "| `PORTS` "), replacing("Minimum level of log entries", "Log level")],
  },
  {
    name: "roles and scopes are what is enforced",
    refuseInvalid: (these) =>
      difference(
        tableUnder(these, "permission", "what", ...roles.map((role) => `\`${role}\``), "a key's scope").map(
          ([permission = "", , ...granted]) => [permission, ...granted],
        ),
        [...permissionsOfRole("ADMIN")].toSpliced(-1, 0, "RECORD_INBOUND").map((permission) => {
          const scope = scopes.find((each) => permissionsOfScopes([each]).has(permission));
          return [
            `\`${permission}\``,
            ...roles.map((role) => (permissionsOfRole(role).has(permission) ? "yes" : "–")),
            scope === undefined ? "–" : `\`${scope.replaceAll(/[^a-z]/g, "_").toUpperCase()}\``,
          ];
        }),
      ),
    violations: [
      replacing("`CONTACTS_BLOCK`", "`MESSAGES_WRITE`"),
      replacing("| yes     | yes     | yes ", "| yes | yes | – "),
    ],
  },
  {
    name: "every npm script that is named exists, and every one that exists is named",
    refuseInvalid: (these) => {
      const code = these
        .flatMap((page) => [...codeInProse(page), ...fencesOf(page).map(({ text }) => text)])
        .join("\n");
      const named = [...code.matchAll(/\bnpm (?:run )?(?:-s )?([a-z]+(?:-[a-z]+)*)/g)].map(([, name = ""]) => name);
      return [
        ...named.filter((name) => name !== "ci" && scripts[name] === undefined),
        ...Object.keys(scripts).filter((name) => name !== "postinstall" && !named.includes(name)),
      ];
    },
    violations: [adding("`npm run build`"), replacing("npm run schema", "npm test")],
  },
  {
    name: "every file and folder that is named exists",
    refuseInvalid: (these) => {
      const named = these
        .flatMap(codeInProse)
        .filter((code) => /^(src|test|prisma|bench|examples|docs)\/|^[\w.]+\.(graphql|json|md|ts|yaml)$/.test(code));
      return [...named, ...foldersShown(these)].filter((path) => !exists(path) && !path.startsWith("bench/results/"));
    },
    violations: [adding("`src/gone.ts`"), adding("`gone.ts`"), replacing("  commands/  ", "  orders/    ")],
  },
  {
    name: "every folder of src/ is named",
    refuseInvalid: (these) => {
      const shown = foldersShown(these);
      const folders = new Set(filesUnder("src").map((path) => dirname(path)));
      return [...folders]
        .filter((folder) => folder !== "src" && !folder.includes("/generated"))
        .filter((folder) => !shown.includes(folder));
    },
    violations: [replacing("  commands/  ", "  domain/    "), replacing("    transport/", "    schema/   ")],
  },
  {
    name: "every name in code style, and in a diagram, exists",
    refuseInvalid: (these) => {
      const used = these
        .flatMap((page) => [...codeInProse(page), ...wordsOfDiagrams(page)])
        .filter((code) => /^(?:[A-Z]{2,}|[A-Z]+(?:_[A-Z]+)+|[A-Za-z]+[a-z][A-Z]\w+)$/.test(code));
      if (used.length <= 60) return ["There are too few names to be all of them."];
      return used.filter((name) => !names.has(name) && !namesOfLibraries.includes(name));
    },
    violations: [
      adding("`blockEverybody`"),
      adding("`NO_SUCH_CODE`"),
      adding("```mermaid\nflowchart\n  a -->|blockEverybody| b\n```"),
    ],
  },
  {
    name: "every error code that the server gives is named",
    refuseInvalid: (these) => {
      const calls =
        /\b(?:requestError|fail|errorBody)\([^";]*"([A-Z_]+)"|\bcode: "([A-Z_]+)"|\breturn "([A-Z]+_[A-Z]+)"/g;
      const given = sources.flatMap((text) => [...text.matchAll(calls)].map(([, a, b, c]) => a ?? b ?? c ?? ""));
      if (given.length <= 20) return ["There are too few codes to be all of them."];
      const named = new Set(these.flatMap(codeInProse));
      // The fallback for errors of Fastify that have no code.
      return [...new Set(given)].filter((code) => !named.has(code) && code !== "BAD_REQUEST");
    },
    violations: [replacing("`RATE_LIMITED`", "rate limited"), replacing("`INVALID_SIGNATURE`", "")],
  },
  {
    name: "the diagram of a conversation has its statuses",
    refuseInvalid: (these) => {
      const diagram = these
        .flatMap(fencesOf)
        .find(({ language, text }) => language === "mermaid" && text.includes("state ongoing"));
      const arrows = [...(diagram?.text ?? "").matchAll(/^ +(\S+) --> ([^\s:]+)/gm)];
      const states = new Set(arrows.flatMap(([, from = "", to = ""]) => [from, to]));
      return difference(
        [...states].filter((state) => !["[*]", "ongoing"].includes(state)).sort(),
        [...ongoingStatuses, ...terminalStatuses].sort(),
      );
    },
    violations: [replacing("WAITING --> ASSIGNING", "WAITING --> OFFERED"), replacing("ongoing --> ENDED: end", "")],
  },
  {
    name: "every rule is named once, and by a test",
    refuseInvalid: (these) => {
      const rules = these.filter(({ path }) => path === "docs/rules.md").flatMap(codesIn);
      const tests = filesUnder("test")
        .filter((path) => path.endsWith(".test.ts") && !path.startsWith("test/docs/"))
        .map(read)
        .join("\n");
      const tested = new Set(tests.match(/\b[BDUCOS]\d+\b/g));
      return [
        ...(rules.length <= 30 ? ["There are too few rules to be all of them."] : []),
        ...rules.filter((rule, index) => rules.indexOf(rule) !== index),
        ...rules.filter((rule) => !tested.has(rule)),
      ];
    },
    violations: [adding("Nothing is as it seems [B9].", "docs/rules.md"), replacing("[B2]", "[B3]")],
  },
];

runChecks("what the docs say about the code", checks);

/** A value of each list that is not in the other at the same place. */
function difference(shown: readonly unknown[], real: readonly unknown[]): readonly string[] {
  const [these, those] = [shown, real].map((values) => values.map((value) => JSON.stringify(value)));
  if (these === undefined || those === undefined) return [];
  return [
    ...these.filter((value, index) => value !== those[index]),
    ...those.filter((value, index) => value !== these[index]),
  ];
}

/** The files and folders of the tree in the architecture, as paths from the root. */
function foldersShown(these: readonly Page[]): readonly string[] {
  const tree = these.flatMap(fencesOf).find(({ text }) => text.startsWith("src/\n"))?.text ?? "";
  const above: string[] = [];
  return tree.split("\n").flatMap((line) => {
    const [, indentation = "", name] = /^( *)([\w.-]+)\/? /.exec(`${line} `) ?? [];
    if (name === undefined) return [];
    const depth = indentation.length / 2;
    above[depth] = name;
    return [above.slice(0, depth + 1).join("/")];
  });
}

/** Whether the path exists, from the root or from src/. */
function exists(path: string): boolean {
  return existsSync(join(root, path)) || existsSync(join(root, "src", path));
}

/** Without the first line of each diagram, which names its kind. */
function wordsOfDiagrams(page: Page): readonly string[] {
  return fencesOf(page)
    .filter(({ language }) => language === "mermaid")
    .flatMap(({ text }) => text.slice(text.indexOf("\n")).match(/\w+/g) ?? []);
}

function codesIn(page: Page): readonly string[] {
  return [...proseOf(page).matchAll(/\[([A-Z]\d+)\]/g)].map(([, code = ""]) => code);
}
