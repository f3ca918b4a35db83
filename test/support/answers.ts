/** The value at a path such as `contacts.edges.0.node.id`; undefined if there is none. */
export function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => {
    return typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined;
  }, value);
}

export function textAt(value: unknown, path: string): string {
  const text = at(value, path);
  if (typeof text !== "string") throw new Error(`There is no text at ${path} of ${JSON.stringify(value)}.`);
  return text;
}

export function listAt(value: unknown, path: string): readonly unknown[] {
  const list = at(value, path);
  if (!Array.isArray(list)) throw new Error(`There is no list at ${path} of ${JSON.stringify(value)}.`);
  return list;
}

/** The nodes of a connection at a path. */
export function nodesAt(value: unknown, path: string): readonly unknown[] {
  return listAt(value, `${path}.edges`).map((edge) => at(edge, "node"));
}

export interface Edges<Node> {
  readonly edges: readonly { readonly node: Node }[];
}

export function nodesOf<Node>({ edges }: Edges<Node>): Node[] {
  return edges.map(({ node }) => node);
}

export function first<Value>(values: readonly Value[] | undefined): Value {
  const [value] = values ?? [];
  if (value === undefined) throw new Error("The value is undefined.");
  return value;
}
