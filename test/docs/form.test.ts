import { adding, type Check, replacing, runChecks } from "./check.ts";
import { examplesOf, type Fence, fencesOf, filesUnder, type Page, proseOf, read } from "./pages.ts";

const COMMANDS = "npm ci && npm start\nnpm ci && npm test\n";
/** Languages of what a reader may run. */
const RUNNABLE = ["sh", "bash", "sql", "graphql"];

const checks: readonly Check[] = [
  {
    name: "the README begins with the two commands",
    refuseInvalid: (these) => {
      const readme = pageAt(these, "README.md");
      const first = fencesOf(readme)[0];
      const isFirst = first?.marker === null && first.language === "sh" && first.text === COMMANDS;
      return isFirst && readme.text.indexOf(COMMANDS) < readme.text.indexOf("\n## ") ? [] : ["README.md"];
    },
    violations: [
      replacing("npm ci && npm test\n", "npm install && npm test\n"),
      replacing("```sh\nnpm ci && npm start", "## Start\n\n```sh\nnpm ci && npm start"),
    ],
  },
  {
    name: "the README has at most 150 lines",
    refuseInvalid: (these) => (pageAt(these, "README.md").text.split("\n").length > 151 ? ["README.md"] : []),
    violations: [adding("\n".repeat(150), "README.md")],
  },
  {
    name: "each page begins with one sentence that says whom it is for",
    refuseInvalid: (these) =>
      these
        .filter(({ path }) => path !== "README.md")
        .filter(({ text }) => !/^# .+\n\nThis page is for [^.]+\.\n/.test(text))
        .map(({ path }) => path),
    violations: [replacing("This page is for operators", "Operators")],
  },
  {
    name: "every command is run by the tests, or says why not",
    refuseInvalid: (these) =>
      fencesIn(these)
        .filter(({ language, text }) => RUNNABLE.includes(language) && text !== COMMANDS)
        .filter(({ marker }) => !/^((not )?run: |from examples\/)./.test(marker ?? ""))
        .map(({ text }) => text),
    violations: [adding("```sh\nls\n```"), adding("<!-- not run: -->\n\n```sql\nSELECT 1\n```")],
  },
  {
    name: "every output follows the command that prints it, and no two examples have one name",
    refuseInvalid: (these) => {
      const examples = these.flatMap(examplesOf);
      const outputs = fencesIn(these).filter(({ marker }) => marker === "prints");
      const expected = new Set(examples.map(({ prints }) => prints?.text));
      const names = examples.map(({ name }) => name);
      return [
        ...outputs.map(({ text }) => text).filter((text) => !expected.has(text)),
        ...(outputs.length > examples.filter(({ prints }) => prints !== null).length
          ? ["an output without command"]
          : []),
        ...names.filter((name, index) => names.indexOf(name) !== index),
      ];
    },
    violations: [adding("<!-- prints -->\n\n```text\nnothing\n```"), adding("<!-- run: helpers -->\n\n```sh\nls\n```")],
  },
  {
    name: "every fenced block names its language",
    refuseInvalid: (these) =>
      these
        .filter((page) => page.text.match(/^```/gm)?.length !== 2 * fencesOf(page).length && /^```/m.test(page.text))
        .map(({ path }) => path),
    violations: [adding("```\nls\n```")],
  },
  {
    name: "every marker is one that the tests know",
    refuseInvalid: (these) =>
      these.flatMap((page) =>
        [...proseOf(page).matchAll(/<!-- (.+?) -->/g)]
          .map(([, marker = ""]) => marker)
          .filter((marker) => !/^(run: .+|not run: .+|prints|npm start prints|from examples\/\S+)$/.test(marker)),
      ),
    violations: [adding("<!-- runs: it -->\n\n```text\nls\n```")],
  },
  {
    name: "what is shown of a program in examples/ is in that program, and each program is shown",
    refuseInvalid: (these) => {
      const shown = fencesIn(these).flatMap(partsOf);
      const paths = new Set(shown.map(({ path }) => path));
      return [
        ...filesUnder("examples").filter((path) => !/\/(generated|__generated__)\//.test(path) && !paths.has(path)),
        ...shown.filter(({ path, part }) => !unindented(read(path)).includes(part)).map(({ part }) => part),
        ...fencesIn(these)
          .filter(({ language, marker }) => language === "ts" && !marker?.startsWith("from examples/"))
          .map(({ text }) => text),
      ];
    },
    violations: [
      adding("```ts\nlet left = 0;\n```"),
      adding("<!-- from examples/urql.ts -->\n\n```ts\nlet right = 0;\n```"),
      replacing("<!-- from examples/connection.ts -->", "<!-- from examples/urql.ts -->"),
    ],
  },
];

runChecks("the form of the docs", checks);

function pageAt(these: readonly Page[], path: string): Page {
  const page = these.find((each) => each.path === path);
  if (page === undefined) throw new Error(`There is no ${path}.`);
  return page;
}

function fencesIn(these: readonly Page[]): readonly Fence[] {
  return these.flatMap(fencesOf);
}

/** The parts of a program that a block shows: a line with "…" stands for what is left out. Indentation does not count. */
function partsOf({ marker, text }: Fence): readonly { readonly path: string; readonly part: string }[] {
  const [, path] = /^from (examples\/.+)$/.exec(marker ?? "") ?? [];
  return path === undefined ? [] : text.split(/^ *….*\n/m).map((part) => ({ path, part: unindented(part) }));
}

function unindented(code: string): string {
  return code.replaceAll(/^ +/gm, "");
}
