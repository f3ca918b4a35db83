import { serverAudits } from "graphql-http";
import { describe, expect, test } from "vitest";
import { bootDesk } from "../support/app.ts";

const desk = await bootDesk();

const audits = serverAudits({
  url: `${desk.url}/graphql`,
  fetchFn: (url: string, init?: RequestInit) => {
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${desk.ada.token}`);
    return fetch(url, { ...init, headers });
  },
});

/** All audits of graphql-http, whether MUST, SHOULD or MAY: https://graphql.github.io/graphql-over-http */
describe("audits of GraphQL over HTTP by graphql-http", () => {
  test("all audits are run", () => {
    expect(audits).toHaveLength(61);
  });

  test.each(audits)("$id: $name", async ({ fn }) => {
    expect(await fn()).toMatchObject({ status: "ok" });
  });
});
