import { builder } from "./builder.ts";

/** Whatever can be asked for by a global id. */
export const Node = builder.interfaceRef<object>("Node").implement({
  description: "Something that can be read again by its id: `node(id:)`.",
  fields: (t) => ({
    id: t.id({
      description: "An opaque id, unique over all types.",
      resolve: () => {
        throw new Error("Each type has an id of its own.");
      },
    }),
  }),
});
