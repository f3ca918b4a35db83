import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { adding, type Check, replacing, runChecks } from "./check.ts";
import { anchorsOf, linksOf, type Page, root } from "./pages.ts";

interface Link {
  readonly from: string;
  /** From the root of the project. */
  readonly to: string;
  readonly anchor: string | null;
}

const checks: readonly Check[] = [
  {
    name: "every link leads to a page or a file of the project",
    refuseInvalid: (these) =>
      these
        .flatMap(linksIn)
        .filter(({ to }) => to.startsWith("..") || !existsSync(join(root, to)))
        .map(({ from, to }) => `${from}: ${to}`),
    violations: [adding("[gone](gone.md)"), adding("[elsewhere](../../README.md)"), adding("[tour](docs/tour.md)")],
  },
  {
    name: "every anchor is a heading of the page that it leads to",
    refuseInvalid: (these) => {
      const anchors = new Map(these.map((page) => [page.path, anchorsOf(page)]));
      return these
        .flatMap(linksIn)
        .filter(({ to, anchor }) => anchor !== null && anchors.get(to)?.includes(anchor) !== true)
        .map(({ from, to, anchor }) => `${from}: ${to}#${anchor}`);
    },
    violations: [
      adding("[gone](#gone)"),
      adding("[gone](rules.md#gone)"),
      adding("[a file has none](../LICENSE#license)"),
      replacing("## Subscribe\n", "## Live\n"),
    ],
  },
  {
    name: "no two headings of a page have the same anchor",
    refuseInvalid: (these) =>
      these.flatMap((page) => {
        const anchors = anchorsOf(page);
        return anchors
          .filter((anchor, index) => anchors.indexOf(anchor) !== index)
          .map((anchor) => `${page.path}#${anchor}`);
      }),
    violations: [adding("## Subscribe")],
  },
  {
    name: "the README links to each page",
    refuseInvalid: (these) => {
      const linked = these.flatMap(linksIn).filter(({ from }) => from === "README.md");
      return these
        .filter(({ path }) => path !== "README.md" && !linked.some(({ to }) => to === path))
        .map(({ path }) => path);
    },
    violations: [replacing("(docs/benchmarks.md)", "(docs/tour.md)")],
  },
];

runChecks("the links of the docs", checks);

function linksIn(page: Page): readonly Link[] {
  return linksOf(page).map((target) => {
    const [path = "", anchor = null] = target.split("#");
    return { from: page.path, to: path === "" ? page.path : join(dirname(page.path), path), anchor };
  });
}
