/**
 * The part of the model that sends (rules S1 to S8): it keeps the list of all calls that were ever allowed, and derives
 * from it what may be called next. Like the rest of the model it shares nothing with src/domain.
 */

export type Delivery = "QUEUED" | "SENDING" | "SENT" | "FAILED" | "CANCELED";
export type Kind = "LINE" | "WEB_CHAT" | "CUSTOM";

/** How a call ended, as the act `settle` reports it. */
export type Outcome =
  | { readonly type: "SENT"; readonly ids: readonly string[] }
  | { readonly type: "FAILED" | "TAKEN" | "INVALID_REPLY_TOKEN" | "NOT_BEGUN" }
  | { readonly type: "AGAIN"; readonly maybeArrived: boolean; readonly delay: number };

/** An outbound entry of the timeline. */
interface Letter {
  readonly n: number;
  readonly at: number;
  readonly text: string | null;
  delivery: Delivery | null;
  error: string | null;
}

interface Token {
  readonly name: string;
  readonly at: number;
}

interface Call {
  readonly letters: readonly Letter[];
  readonly number: number;
  /** Null for a push. */
  readonly token: Token | null;
  readonly at: number;
  until: number;
  readonly afterBlock: number;
  isOpen: boolean;
  /** It is known that nothing arrived, so that no success of it can be reported later. */
  isVoid: boolean;
  /** How many calls of the same letters have failed, and whether one of them may have arrived. */
  failures: number;
  maybeArrived: boolean;
  /** When and how to call again. */
  again: { readonly at: number; readonly token: Token | null } | null;
}

/** What sending needs to know of the rest of the model. */
interface Surroundings {
  readonly now: number;
  readonly entries: readonly Letter[];
  readonly blocks: readonly object[];
  note(effect: string): void;
}

const UNKNOWN = "OUTCOME_UNKNOWN";
const HALF_A_DAY = 12 * 3_600_000;

export class Sending {
  readonly calls: Call[] = [];
  token: Token | null = null;
  readonly kind: Kind;
  readonly #desk: Surroundings;

  constructor(kind: Kind, desk: Surroundings) {
    this.kind = kind;
    this.#desk = desk;
  }

  // Queries

  pending(): readonly Letter[] {
    return this.#desk.entries.filter(isPending);
  }

  open(): Call | undefined {
    const call = this.calls.at(-1);
    return call?.isOpen ? call : undefined;
  }

  waiting(): Call | undefined {
    const call = this.calls.at(-1);
    return call?.again ? call : undefined;
  }

  /** When the next call may begin. */
  due(): number | undefined {
    const [head] = this.pending();
    if (head === undefined || this.open() !== undefined || this.kind === "WEB_CHAT") return undefined;
    return Math.min(Math.max(head.at, this.waiting()?.again?.at ?? head.at), head.at + HALF_A_DAY);
  }

  standing(): string {
    const token = this.token && `${this.token.name} of ${this.token.at}`;
    const call = this.open() ?? this.waiting();
    if (call === undefined) return `calls nothing, due ${this.due()}, token ${token}`;
    const { again, until, failures, maybeArrived } = call;
    const letters = again === null ? call.letters : call.letters.filter(isPending);
    return (
      `calls ${numbers(letters)} #${call.number} ${viaOf(again === null ? call : again)} ${failures} failures` +
      `${maybeArrived ? ", maybe arrived" : ""}${this.#isStopped(call) ? ", blocked" : ""},` +
      ` ${again === null ? `until ${until}` : `again at ${again.at}`}, due ${this.due()}, token ${token}`
    );
  }

  // Commands

  receive(name: string | null, at: number): void {
    if (name !== null && (this.token === null || this.token.at <= at)) this.token = { name, at };
  }

  /** Rules S1 and S3. */
  lease(): { readonly letter: number; readonly what: string } | null {
    const { now } = this.#desk;
    const last = this.waiting();
    const letters = last === undefined ? this.#together() : last.letters.filter(isPending);
    if (letters[0] === undefined || this.open() !== undefined || (last?.again?.at ?? now) > now) return null;

    const own = last === undefined ? this.token : (last.again?.token ?? null);
    const token = own !== null && isFresh(own, now) ? own : null;
    if (last === undefined && token !== null) this.token = null;
    if (last !== undefined) last.again = null;
    const before = this.calls.filter((call) => letters.some((letter) => call.letters.includes(letter)));
    const call: Call = {
      letters,
      number: 1 + Math.max(0, ...before.map(({ number }) => number)),
      token,
      at: now,
      until: now + 30_000,
      afterBlock: this.#desk.blocks.length,
      isOpen: true,
      isVoid: false,
      failures: last?.failures ?? 0,
      maybeArrived: last?.maybeArrived ?? false,
      again: null,
    };
    this.calls.push(call);
    for (const letter of letters) this.#become(letter, "SENDING");
    const what = `lease ${numbers(letters)} #${call.number} ${viaOf(call)} ${call.failures} failures at ${now}`;
    return { letter: letters[0].n, what };
  }

  /** Rules S2 and S4 to S7. */
  settle(call: Call, outcome: Outcome): void {
    if (!call.isOpen) {
      if (outcome.type === "SENT") this.#arrive(call, outcome.ids);
      return;
    }
    call.isOpen = false;
    call.isVoid = outcome.type === "NOT_BEGUN" || outcome.type === "INVALID_REPLY_TOKEN";
    const left = call.letters.filter(isPending);
    if (left.length === 0) this.#desk.note("outbox");
    else if (outcome.type === "SENT") this.#arrive(call, outcome.ids);
    else if (outcome.type === "FAILED") this.#end(left, "FAILED", "REJECTED");
    else if (outcome.type === "AGAIN") this.#fail(call, outcome.maybeArrived, outcome.delay);
    else if (outcome.type === "TAKEN") {
      call.isOpen = true;
      call.until = this.#desk.now + 300_000;
      this.#desk.note("outbox");
    } else if (outcome.type === "INVALID_REPLY_TOKEN") {
      if (call.maybeArrived) this.#end(left, "SENT");
      else this.#repeat(call, 0, null);
    } else {
      this.#repeat(call, 0);
      // Nothing was called, so nothing is fixed.
      if (call.again !== null && call.failures === 0) {
        call.again = null;
        this.token ??= call.token;
      }
    }
  }

  /** Rules S2, S4 and S5. */
  expire(): void {
    const { now, entries } = this.#desk;
    const open = this.open();
    if (open !== undefined && open.until <= now) {
      open.isOpen = false;
      const left = open.letters.filter(isPending);
      if (left.length === 0) this.#desk.note("outbox");
      else if (this.#isStopped(open)) this.#end(left, "FAILED", UNKNOWN);
      else this.#fail(open, true, 0);
    }
    const last = this.waiting();
    if (last?.maybeArrived && last.again?.token && !isFresh(last.again.token, now)) {
      this.#end(last.letters, "FAILED", UNKNOWN);
    }
    if (this.kind === "WEB_CHAT") return;
    this.withdraw(
      entries.filter(({ delivery, at }) => delivery === "QUEUED" && at + HALF_A_DAY <= now),
      "FAILED",
      "EXPIRED",
    );
  }

  /** Takes letters out of the queue. What travels with one that may have arrived can no longer be repeated. */
  withdraw(letters: readonly Letter[], to: Delivery, error?: string): void {
    const last = this.waiting();
    const isTorn = last?.maybeArrived === true && last.letters.some((letter) => letters.includes(letter));
    for (const letter of letters) {
      const isUnknown = isTorn && last.letters.includes(letter) && to === "CANCELED";
      this.#become(letter, to, isUnknown ? UNKNOWN : error);
    }
    if (isTorn) this.#end(last.letters.filter(isPending), "FAILED", UNKNOWN);
    if (last?.letters.every((letter) => !isPending(letter))) last.again = null;
  }

  /** Rules B4 and S6. */
  block(): string {
    const queued = this.pending().filter(({ delivery }) => delivery === "QUEUED");
    this.withdraw(queued, "CANCELED");
    return ` cancels ${queued.length}${this.opened()}`;
  }

  opened(): string {
    const open = this.open();
    return open === undefined ? "" : ` while ${open.letters[0]?.n} #${open.number} is open since ${open.at}`;
  }

  // Steps

  /** Rule S1: five with LINE, but a menu is the last. */
  #together(): readonly Letter[] {
    const letters: Letter[] = [];
    for (const letter of this.pending()) {
      letters.push(letter);
      const hasMenu = /\n1\. /.test(letter.text ?? "");
      if (letters.length === (this.kind === "LINE" ? 5 : 1) || hasMenu) break;
    }
    return letters;
  }

  #fail(call: Call, maybeArrived: boolean, delay: number): void {
    const isSecond = call.maybeArrived && maybeArrived;
    call.failures += 1;
    call.maybeArrived ||= maybeArrived;
    const isTooLate = call.token !== null && !isFresh(call.token, this.#desk.now + delay);
    if (call.token !== null && call.maybeArrived && (isSecond || isTooLate)) this.#end(call.letters, "FAILED", UNKNOWN);
    else this.#repeat(call, delay);
  }

  #repeat(call: Call, delay: number, token = call.token): void {
    const letters = call.letters.filter(isPending);
    if (this.#isStopped(call)) {
      this.#end(letters, "CANCELED", call.maybeArrived ? UNKNOWN : undefined);
      return;
    }
    for (const letter of letters) this.#become(letter, "QUEUED");
    call.again = { at: this.#desk.now + delay, token };
  }

  #arrive(call: Call, ids: readonly string[]): void {
    const unsent = call.letters.filter(({ delivery }) => delivery !== "SENT");
    const queued = unsent.filter(({ delivery }) => delivery === "QUEUED");
    for (const letter of unsent) {
      if (!queued.includes(letter)) this.#become(letter, "SENT", undefined, ids[call.letters.indexOf(letter)]);
    }
    const last = this.waiting();
    const rest = last?.letters.filter((letter) => isPending(letter) && !queued.includes(letter)) ?? [];
    for (const letter of queued) this.#become(letter, "SENT", undefined, ids[call.letters.indexOf(letter)]);
    if (last === undefined || queued.every((letter) => !last.letters.includes(letter))) return;
    if (last.maybeArrived) this.#end(rest, "FAILED", UNKNOWN);
    if (rest.every((letter) => !isPending(letter))) last.again = null;
  }

  /** Ends what was called, or was to be called again. */
  #end(letters: readonly Letter[], to: Delivery, error?: string): void {
    for (const letter of letters.filter(isPending)) this.#become(letter, to, error);
    const last = this.calls.at(-1);
    if (last !== undefined) last.again = null;
  }

  #become(letter: Letter, to: Delivery, error?: string, id?: string): void {
    this.#desk.note(`delivery ${letter.n} ${letter.delivery}→${to} ${error} as ${id}`);
    letter.delivery = to;
    letter.error = error ?? null;
  }

  #isStopped(call: Call): boolean {
    return this.#desk.blocks.length > call.afterBlock;
  }
}

function isPending({ delivery }: Letter): boolean {
  return delivery === "QUEUED" || delivery === "SENDING";
}

function isFresh(token: Token, now: number): boolean {
  return now - token.at <= 50_000;
}

function numbers(letters: readonly Letter[]): string {
  return letters.map(({ n }) => n).join();
}

function viaOf({ token }: { readonly token: Token | null }): string {
  return token === null ? "push" : `reply ${token.name} of ${token.at}`;
}
