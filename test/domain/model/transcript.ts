/** The common text format of the core's and the model's effects, which makes them comparable and readable line by line. */

/** The resulting state on one line, for both the core and the model. */
export function standing(things: {
  readonly block: string | undefined;
  readonly ongoing: string | undefined;
  readonly latest: number | undefined;
  readonly bot: string | undefined;
  readonly awaiting: boolean;
  readonly reachable: boolean;
  readonly pending: readonly string[];
  readonly sending: string;
  readonly due: number | undefined;
}): string {
  const { block, ongoing, latest, bot, awaiting, reachable, pending, sending, due } = things;
  return (
    `standing: block ${block}; conversation ${ongoing}; latest ${latest}; bot ${bot}; ` +
    `${awaiting ? "awaiting" : "settled"}, ${reachable ? "reachable" : "unreachable"}; pending ${pending.join()}; ${sending}; due ${due}`
  );
}

export function accepted(
  changed: boolean,
  made: { message?: number | undefined; conversation?: number | undefined; block?: number | undefined },
  more = "",
): string {
  return `accepted, ${changed ? "changed" : "unchanged"}: ${made.message} ${made.conversation} ${made.block}${more}`;
}

export function invalidTransition(from: string | null, to: string | null): string {
  return `invalid transition ${from}→${to}`;
}

export function describe(conversation: {
  readonly assignee: string | null;
  readonly offeredTo: string | null;
  readonly deadline: number | null;
  readonly startedAt: number;
  readonly end: string;
}): string {
  const { assignee, offeredTo, deadline, startedAt, end } = conversation;
  return `${assignee}, offered ${offeredTo} till ${deadline}, from ${startedAt}, ${end}`;
}

export function agentsOf(...agents: readonly (string | null | undefined)[]): string {
  const present = new Set(agents.filter((agent) => agent !== null && agent !== undefined));
  return present.size === 0 ? "" : ` for ${[...present].sort().join()}`;
}
