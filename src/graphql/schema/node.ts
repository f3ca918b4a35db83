import { builder } from "./builder.ts";

export const Node = builder.interfaceRef<object>("Node").implement({
  description: "An object that can be fetched by its global id with `node(id:)`.",
  fields: (t) => ({
    id: t.id({
      description: "An opaque id, unique across all types.",
      resolve: () => {
        throw new Error("Every type that implements Node must define its own id field.");
      },
    }),
  }),
});
