import type { Command } from "../domain/command.ts";
import type { ContactChannel } from "../domain/contact-channel.ts";
import { decide } from "../domain/decide.ts";
import type { ContactChannelId, Instant, WorkspaceId } from "../domain/id.ts";
import { invalidInput, notFound } from "../domain/refusal.ts";
import type { Accepted } from "../domain/turn.ts";
import type { Clock } from "../platform/clock.ts";
import { removeContactChannels } from "../store/addresses.ts";
import type { PendingToLoad } from "../store/contact-channels.ts";
import { type Database, TransactionNotStarted, type Tx } from "../store/database.ts";
import type { Directory } from "../store/directory.ts";
import type { EventLog } from "../store/event-log.ts";
import { callKey, findCalls, type IdempotencyClaim, type RememberedCall, rememberCall } from "../store/idempotency.ts";
import type { LogEvent } from "../store/log-event.ts";
import type { DecidedEvent } from "../store/row-changes.ts";
import { type AddressBook, type ResolvedWorkItem, resolveAddresses } from "./address-book.ts";
import { type BatchFacts, loadFacts } from "./batch-facts.ts";
import { toLogEvents } from "./to-log-events.ts";
import type { StepResult, WorkItem } from "./work.ts";

/** The store operations of the write path; tests substitute a faulty store. */
export interface AggregateStore {
  lock(tx: Tx, ids: readonly ContactChannelId[]): Promise<void>;
  load(tx: Tx, ids: readonly ContactChannelId[], pending: PendingToLoad): Promise<readonly ContactChannel[]>;
  save(tx: Tx, workspaceId: WorkspaceId, after: readonly ContactChannel[], events: readonly DecidedEvent[]): void;
}

export interface CommitBatchOptions {
  readonly database: Database;
  readonly store: AggregateStore;
  readonly log: EventLog;
  readonly directory: Directory;
  readonly addresses: AddressBook;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Called after each commit with the events that it appended to the workspace's log. */
  readonly onCommitted: (workspaceId: WorkspaceId, events: readonly LogEvent[]) => void;
}

/** The write path: lock, load, decide in memory, save, and assign log positions last (rules O1, O2). */
export function commitBatch(options: CommitBatchOptions) {
  const { database, store, log, directory, addresses, clock, newId, onCommitted } = options;

  return async (workspaceId: WorkspaceId, items: readonly WorkItem[]): Promise<readonly (readonly StepResult[])[]> => {
    const flows = await directory.flows(workspaceId).catch((error: unknown) => {
      throw new TransactionNotStarted(error);
    });
    const outcome = await database.transaction(async (tx) => {
      const { resolved, learned, created } = await resolveAddresses(tx, addresses, workspaceId, items, {
        now: clock.now(),
        newId,
      });
      const ids = idsOf(resolved);
      const claims = resolved.flatMap((work) => work.idempotency ?? []);
      const [, loaded, facts, remembered] = await Promise.all([
        store.lock(tx, ids),
        store.load(tx, ids, pendingToLoad(resolved)),
        loadFacts(tx, resolved),
        findCalls(tx, workspaceId, claims, clock.now()),
      ]);
      const inWorkspace = loaded.filter((state) => state.workspaceId === workspaceId);
      const batch = new Batch(inWorkspace, facts, remembered);
      // Read once, after lock and load: all decisions of this batch share one time (rule O1).
      const now = clock.now();
      const results = resolved.map((work) => decideOnce(batch, work, now));
      // A repeated event under a new address records nothing, so its new contact is removed again (rules O2, O3).
      const unused = created.difference(new Set(batch.changed().map(({ id }) => id)));
      if (unused.size > 0) removeContactChannels(tx, [...unused]);
      await save(tx, batch, now);
      return { results, learned: learned.filter(({ id }) => !unused.has(id)), appended: batch.appended };
    });
    addresses.learn(outcome.learned);
    const appended = await outcome.appended;
    if (appended !== null) onCommitted(workspaceId, appended);
    return outcome.results;

    function decideOnce(batch: Batch, work: ResolvedWorkItem, now: Instant): readonly StepResult[] {
      const earlier = work.idempotency === undefined ? null : batch.earlierCall(work.idempotency);
      if (earlier !== null) return [replay(work, earlier)];
      const results = decideSteps(batch, work, now);
      const [first] = results;
      if (work.idempotency !== undefined && first?.type === "Accepted") batch.remember(work.idempotency, first);
      return results;
    }

    /** Decides the steps of one work. If there are several and one is refused, none takes effect. */
    function decideSteps(batch: Batch, work: ResolvedWorkItem, now: Instant): readonly StepResult[] {
      const states = new Map<ContactChannelId, ContactChannel>();
      const events: DecidedEvent[] = [];
      const results = work.steps.map(({ contactChannelId, command }): StepResult => {
        const before = states.get(contactChannelId) ?? batch.state(contactChannelId);
        if (before === undefined) return notFound("There is no such contact channel in this workspace.");
        const decision = decide(before, command, {
          now,
          newId,
          flows: flows.get(before.channelId) ?? [],
          facts: batch.facts.of(contactChannelId, before.channelId, command),
        });
        states.set(contactChannelId, decision.state);
        for (const event of decision.events) events.push({ of: decision.state, event });
        return decision.result;
      });
      if (results.length > 1 && results.some((result) => result.type !== "Accepted")) return results;
      batch.keep(states.values(), events);
      return results;
    }

    async function save(tx: Tx, batch: Batch, now: Instant): Promise<void> {
      if (batch.events.length > 0) store.save(tx, workspaceId, batch.changed(), batch.events);
      for (const { claim, result } of batch.newCalls) rememberCall(tx, workspaceId, claim, result, now);
      if (batch.events.length > 0)
        batch.appended = log.append(tx, workspaceId, await toLogEvents(tx, batch.events, now));
    }
  };
}

/** The aggregates of one transaction, including the decisions made so far. */
class Batch {
  readonly facts: BatchFacts;
  readonly events: DecidedEvent[] = [];
  /** The events with their log positions, which are known once the transaction has committed. */
  appended: Promise<readonly LogEvent[]> | null = null;
  readonly newCalls: { readonly claim: IdempotencyClaim; readonly result: Accepted }[] = [];
  readonly #states: Map<ContactChannelId, ContactChannel>;
  readonly #calls: Map<string, RememberedCall>;

  constructor(states: readonly ContactChannel[], facts: BatchFacts, calls: ReadonlyMap<string, RememberedCall>) {
    this.facts = facts;
    this.#states = new Map(states.map((state) => [state.id, state]));
    this.#calls = new Map(calls);
  }

  state(id: ContactChannelId): ContactChannel | undefined {
    return this.#states.get(id);
  }

  keep(states: Iterable<ContactChannel>, events: readonly DecidedEvent[]): void {
    for (const state of states) this.#states.set(state.id, state);
    for (const decided of events) {
      this.events.push(decided);
      this.facts.observe(decided);
    }
  }

  changed(): ContactChannel[] {
    const ids = new Set(this.events.map(({ of }) => of.id));
    return [...ids].flatMap((id) => this.#states.get(id) ?? []);
  }

  earlierCall(claim: IdempotencyClaim): RememberedCall | null {
    return this.#calls.get(callKey(claim)) ?? null;
  }

  /** Remembers a call, so that the same call later in this batch is a repeat. */
  remember(claim: IdempotencyClaim, result: Accepted): void {
    this.newCalls.push({ claim, result });
    this.#calls.set(callKey(claim), { ...result, inputHash: claim.inputHash });
  }
}

function replay(work: ResolvedWorkItem, earlier: RememberedCall): StepResult {
  if (earlier.inputHash !== work.idempotency?.inputHash) {
    return invalidInput(
      "idempotencyKey",
      "This key was already used with different input. Use a new key for each new request.",
    );
  }
  const { messageId, conversationId } = earlier;
  return { type: "Accepted", changed: false, messageId, conversationId, blockId: null, canceledMessageCount: 0 };
}

function idsOf(items: readonly ResolvedWorkItem[]): ContactChannelId[] {
  return [...new Set(items.flatMap((work) => work.steps.map((step) => step.contactChannelId)))].toSorted();
}

/** The cost of other commands must not depend on the number of pending messages, nor that of delivery on their whole number. */
function pendingToLoad(items: readonly ResolvedWorkItem[]): PendingToLoad {
  const steps = items.flatMap((work) => work.steps);
  const idsOfCommands = (types: ReadonlySet<Command["type"]>): ContactChannelId[] =>
    steps.filter(({ command }) => types.has(command.type)).map(({ contactChannelId }) => contactChannelId);
  return { all: idsOfCommands(needAllPending), first: idsOfCommands(needFirstPending) };
}

const needAllPending: ReadonlySet<Command["type"]> = new Set([
  "Block",
  "CancelMessage",
  "CloseArchived",
  "ExpireOutbound",
]);
const needFirstPending: ReadonlySet<Command["type"]> = new Set(["LeaseOutbound", "SettleOutbound"]);
