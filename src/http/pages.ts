import { readdir, readFile } from "node:fs/promises";
import type { FastifyPluginAsync, FastifyReply } from "fastify";
import { Marked } from "marked";
import { errorBody } from "../platform/error-body.ts";

export interface PagesOptions {
  /** Whether `/graphql` serves GraphiQL to a browser. */
  readonly graphiql: boolean;
}

const DOCS = new URL("../../docs/", import.meta.url);
const STYLESHEET = new URL("./pages.css", import.meta.url);

/**
 * The pages for a person who opens the server in a browser: `/` with links, and the documentation under `/docs/`. An
 * installation without the folder docs/ serves neither the pages nor links to them.
 */
export async function pages({ graphiql }: PagesOptions): Promise<FastifyPluginAsync> {
  const docs = await readDocs();
  const stylesheet = await readFile(STYLESHEET, "utf8");
  const home = page("Deskgate", homeBody(graphiql, [...docs.values()]));

  return async (http) => {
    http.get("/", async (_request, reply) => sendPage(reply, home));
    http.get("/pages.css", async (_request, reply) =>
      reply
        .headers({ "cache-control": "no-cache", "x-content-type-options": "nosniff" })
        .type("text/css")
        .send(stylesheet),
    );
    http.get<{ Params: { name: string } }>("/docs/:name", async (request, reply) => {
      const found = docs.get(request.params.name);
      if (found === undefined) return reply.code(404).send(errorBody("NOT_FOUND", "There is no such page."));
      return sendPage(reply, found.html);
    });
  };
}

interface DocsPage {
  /** The name of the file without the extension, which is the last part of the path. */
  readonly name: string;
  readonly title: string;
  readonly html: string;
}

/** The pages of docs/ by name, in alphabetical order. */
async function readDocs(): Promise<ReadonlyMap<string, DocsPage>> {
  const files = await readdir(DOCS).catch(() => []);
  const names = files.flatMap((file) => /^([\w-]+)\.md$/.exec(file)?.[1] ?? []).toSorted();
  const entries = names.map(async (name): Promise<[string, DocsPage]> => {
    const text = await readFile(new URL(`${name}.md`, DOCS), "utf8");
    const title = /^# (.+)$/m.exec(text)?.[1] ?? name;
    const body = `<nav><a href="/">Deskgate</a></nav><article>${await markdown.parse(text)}</article>`;
    return [name, { name, title, html: page(`${title} · Deskgate`, body) }];
  });
  return new Map(await Promise.all(entries));
}

/** Markdown as GitHub shows it: headings have anchors, and links between the pages of docs/ work here, too. */
const markdown = new Marked({
  renderer: {
    heading({ tokens, depth, text }) {
      return `<h${depth} id="${anchorOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      const target = hrefHere(href);
      return target === null ? text : `<a href="${escaped(target)}">${text}</a>`;
    },
    html: () => "",
  },
});

/** A link of a page in docs/ as it is served here; null for a file of the repository that is not served. */
function hrefHere(href: string): string | null {
  if (/^(https?:|#)/.test(href)) return href;
  const [, name, anchor = ""] = /^(?:\.\/)?([\w-]+)\.md(#.*)?$/.exec(href) ?? [];
  return name === undefined ? null : `/docs/${name}${anchor}`;
}

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-");
}

function homeBody(graphiql: boolean, docs: readonly DocsPage[]): string {
  const links = [
    ...(graphiql ? [["/graphql", "GraphiQL", "Write and run GraphQL queries in the browser"]] : []),
    ["/health", "Health", "Whether the process is alive"],
    ["/ready", "Readiness", "Whether the database is reachable and up to date"],
    ["/metrics", "Metrics", "Prometheus metrics"],
  ];
  const documentation = docs
    .map(({ name, title }) => `<li><a href="/docs/${name}">${escaped(title)}</a></li>`)
    .join("");
  return `<main>
<h1>Deskgate</h1>
<p>The conversation backend of a help desk is running.</p>
<ul class="cards">${links.map(([href, title, text]) => `<li><a href="${href}"><b>${title}</b><span>${text}</span></a></li>`).join("")}</ul>
${documentation === "" ? "" : `<h2>Documentation</h2><ul class="docs">${documentation}</ul>`}
</main>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/pages.css">
</head>
<body>
${body}
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .headers({
      "cache-control": "no-cache",
      "content-security-policy": CONTENT_SECURITY_POLICY,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    })
    .type("text/html; charset=utf-8")
    .send(html);
}

/** Allows no scripts, and no styles except our stylesheet. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
