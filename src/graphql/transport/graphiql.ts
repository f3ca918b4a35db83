import { renderGraphiQL } from "@graphql-yoga/render-graphiql";

const QUERY = `# Put your token into "Headers" below: { "Authorization": "Bearer …" }
# and press ⟳ to load the schema. Get a demo token: npm run -s token -- ada@demo.test

query Desk {
  viewer {
    workspace { name }
    permissions
  }
  contacts(first: 10) {
    edges {
      node {
        id
        name
        status
        channels {
          channel { name kind }
          activeBlock { notes blockedAt expiresAt }
          currentConversation { id status }
        }
      }
    }
  }
}
`;

/** The GraphiQL page, which loads nothing from other servers. */
export const graphiql: string = renderGraphiQL({
  title: "Deskgate GraphiQL",
  endpoint: "/graphql",
  subscriptionsProtocol: "SSE",
  defaultEditorToolsVisibility: "headers",
  defaultTabs: [{ query: QUERY, headers: '{\n  "Authorization": "Bearer "\n}' }],
});
