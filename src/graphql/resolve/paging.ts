import { requestError } from "../errors.ts";

/** Rows per page if neither `first` nor `last` is given. */
export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;

/** The arguments of a Relay connection. */
export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** A side of a cursor, in list order. */
type Side = "before" | "after";

/** The order of a list: by a value, then by id, so that the order is total. */
interface Order<Row, Where, OrderBy> {
  /** Part of each cursor, so that a cursor of another kind of list is rejected. */
  readonly name: string;
  valueOf(row: Row): number;
  beyond(side: Side, value: number, id: string): Where;
  orderBy(forwards: boolean): OrderBy;
}

/** Contacts and conversations: by last activity, most recent first. */
export const byActivity = {
  name: "activity",
  valueOf: (row: { readonly lastActivityAt: Date }) => row.lastActivityAt.getTime(),
  beyond: (side: Side, value: number, id: string) => {
    const at = new Date(value);
    return {
      // Redundant, but an index can serve it.
      lastActivityAt: side === "after" ? { lte: at } : { gte: at },
      OR: [
        { lastActivityAt: side === "after" ? { lt: at } : { gt: at } },
        { id: side === "after" ? { lt: id } : { gt: id } },
      ],
    };
  },
  orderBy: (forwards: boolean) => {
    const direction = forwards ? ("desc" as const) : ("asc" as const);
    return [{ lastActivityAt: direction }, { id: direction }];
  },
};

/** Blocks: newest first. */
export const byBlockedAt = {
  name: "blocked",
  valueOf: (row: { readonly blockedAt: Date }) => row.blockedAt.getTime(),
  beyond: (side: Side, value: number, id: string) => {
    const at = new Date(value);
    return {
      blockedAt: side === "after" ? { lte: at } : { gte: at },
      OR: [
        { blockedAt: side === "after" ? { lt: at } : { gt: at } },
        { id: side === "after" ? { lt: id } : { gt: id } },
      ],
    };
  },
  orderBy: (forwards: boolean) => {
    const direction = forwards ? ("desc" as const) : ("asc" as const);
    return [{ blockedAt: direction }, { id: direction }];
  },
};

/** The audit log: newest first. */
export const byTime = {
  name: "time",
  valueOf: (row: { readonly at: Date }) => row.at.getTime(),
  beyond: (side: Side, value: number, id: string) => {
    const at = new Date(value);
    return {
      at: side === "after" ? { lte: at } : { gte: at },
      OR: [{ at: side === "after" ? { lt: at } : { gt: at } }, { id: side === "after" ? { lt: id } : { gt: id } }],
    };
  },
  orderBy: (forwards: boolean) => {
    const direction = forwards ? ("desc" as const) : ("asc" as const);
    return [{ at: direction }, { id: direction }];
  },
};

/** The description of the field `sortKey`. */
export const SORT_KEY =
  "Lists of this type are sorted by this key in descending order, compared as text. It combines the list's timestamp with a tie-breaker.";

/** A text that orders rows like a list by this timestamp and id, newest first, if compared in descending order. */
export function sortKey(timestamp: Date, id: string): string {
  return `${timestamp.toISOString()}/${id}`;
}

/** Messages: in the order of recording, oldest first. `seq` is unique within a timeline. */
export const bySeq = {
  name: "seq",
  valueOf: (row: { readonly seq: number }) => row.seq,
  beyond: (side: Side, value: number) => ({ seq: side === "after" ? { gt: value } : { lt: value } }),
  orderBy: (forwards: boolean) => [{ seq: forwards ? ("asc" as const) : ("desc" as const) }],
};

/** One page of a list: the query that loads its rows, and the connection built from them. */
export interface Page<Row, Where, OrderBy> {
  readonly query: { readonly where: { readonly AND: Where[] }; readonly orderBy: OrderBy; readonly take: number };
  connection<Each extends Row>(
    rows: readonly Each[],
  ): {
    edges: { cursor: string; node: Each }[];
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  };
}

/**
 * Keyset pagination: a page starts at the value and id of an edge row, not at an offset. A row that moves between pages
 * does not repeat or hide others, and a deep page costs as much as the first.
 *
 * @throws GraphQLError `INVALID_INPUT` if a size or a cursor is invalid
 */
export function pageOf<Row, Where, OrderBy>(
  order: Order<Row, Where, OrderBy>,
  args: PageArguments,
): Page<Row & { readonly id: string }, Where, OrderBy> {
  const size = checkedSize(args);
  const forwards = args.last === null || args.last === undefined;
  const after = parseCursor(order.name, "after", args.after);
  const before = parseCursor(order.name, "before", args.before);
  const bounds = [
    ...(after === null ? [] : [order.beyond("after", after.value, after.id)]),
    ...(before === null ? [] : [order.beyond("before", before.value, before.id)]),
  ];
  return {
    // One row more than requested, to know whether there are more.
    query: { where: { AND: bounds }, orderBy: order.orderBy(forwards), take: size + 1 },
    connection: (rows) => {
      const page = forwards ? rows.slice(0, size) : rows.slice(0, size).toReversed();
      const edges = page.map((node) => ({ cursor: formatCursor(order.name, order.valueOf(node), node.id), node }));
      const more = rows.length > size;
      return {
        edges,
        pageInfo: {
          hasNextPage: forwards ? more : before !== null,
          hasPreviousPage: forwards ? after !== null : more,
          startCursor: edges.at(0)?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
      };
    },
  };
}

/** The requested page size, not validated. */
export function pageSize({ first, last }: PageArguments): number {
  return first ?? last ?? DEFAULT_PAGE;
}

function checkedSize(args: PageArguments): number {
  const given = (["first", "last"] as const).filter((name) => args[name] !== null && args[name] !== undefined);
  const size = pageSize(args);
  if (given.length > 1) throw requestError("INVALID_INPUT", "Use either first or last, not both.");
  if (size < 0 || size > MAX_PAGE) {
    throw requestError("INVALID_INPUT", `${given[0]} must be between 0 and ${MAX_PAGE}.`);
  }
  return size;
}

function formatCursor(list: string, value: number, id: string): string {
  return Buffer.from(`${list}:${value}:${id}`).toString("base64url");
}

const CURSOR = /^([a-z]+):(-?\d{1,15}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

function parseCursor(
  list: string,
  argument: Side,
  cursor: string | null | undefined,
): { value: number; id: string } | null {
  if (cursor === null || cursor === undefined) return null;
  const [, name, value, id] = CURSOR.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (name !== list || value === undefined || id === undefined) {
    throw requestError("INVALID_INPUT", `${argument} must be a cursor of this list.`);
  }
  return { value: Number(value), id };
}
