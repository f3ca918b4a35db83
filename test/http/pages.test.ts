import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bootDesk, type Desk } from "../support/app.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

const docs = readdirSync(join(import.meta.dirname, "../../docs"))
  .filter((file) => file.endsWith(".md"))
  .map((file) => `/docs/${file.replace(".md", "")}`);

test("/ links to GraphiQL, the health checks and every page of the documentation, and each link works", async () => {
  const home = await get("/");
  expect(home.status).toBe(200);
  const links = linksOf(home.body).filter((link) => link.startsWith("/"));
  expect(links.toSorted()).toEqual(["/graphql", "/health", "/metrics", "/pages.css", "/ready", ...docs].toSorted());
  for (const link of links) expect([link, (await get(link)).status]).toEqual([link, 200]);
});

test("links between the pages, anchors included, work as served", async () => {
  expect(docs.length).toBeGreaterThan(5);
  for (const path of docs) {
    for (const link of linksOf((await get(path)).body).filter((each) => /^[/#]/.test(each))) {
      const [target = "", anchor] = (link.startsWith("#") ? path + link : link).split("#");
      const { status, body } = await get(target);
      expect([path, link, status]).toEqual([path, link, 200]);
      if (anchor !== undefined) expect(body).toContain(`id="${anchor}"`);
    }
  }
});

test("a page runs no script and cannot be framed", async () => {
  for (const path of ["/", ...docs]) {
    const { headers, body } = await get(path);
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(body).not.toMatch(/<script|<style|\sstyle=|\son\w+=/);
  }
});

describe("an unknown page", () => {
  test.each(["/docs/nothing", "/docs/..%2Fpackage", "/docs/"])("%s is 404", async (path) => {
    expect((await get(path)).status).toBe(404);
  });
});

test("with trusted documents only, / does not link to GraphiQL", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "deskgate-pages-")), "documents.json");
  writeFileSync(file, "{}");
  const trusted = await bootDesk({ env: { TRUSTED_DOCUMENTS: file } });
  const home = await (await fetch(`${trusted.url}/`)).text();
  expect(home).not.toContain("/graphql");
  expect(home).toContain("/health");
});

async function get(path: string): Promise<{ status: number; headers: Headers; body: string }> {
  const response = await fetch(desk.url + path, { headers: { accept: "text/html" } });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/ href="([^"]*)"/g)].map(([, href = ""]) => href);
}
