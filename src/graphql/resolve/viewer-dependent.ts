import { BREAK, type DocumentNode, type GraphQLSchema, TypeInfo, visit, visitWithTypeInfo } from "graphql";

/** The extensions of a field whose value depends on who the viewer is, not only on the viewer's permissions. */
export const viewerDependent = { viewerDependent: true } as const;

/** Whether a valid document selects a field that is marked as `viewerDependent`. */
export function selectsViewerDependent(schema: GraphQLSchema, document: DocumentNode): boolean {
  const typeInfo = new TypeInfo(schema);
  let found = false;
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      Field: () => {
        if (typeInfo.getFieldDef()?.extensions.viewerDependent !== true) return undefined;
        found = true;
        return BREAK;
      },
    }),
  );
  return found;
}
