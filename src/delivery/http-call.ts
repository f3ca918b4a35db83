import { type Dispatcher, errors } from "undici";

/** One HTTP request that is made once: no redirect is followed, and nothing is tried again. */
export interface HttpCall {
  readonly method: Dispatcher.HttpMethod;
  /** Uses `http:` or `https:`. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Milliseconds from now until the end of the response, connecting included. */
  readonly timeout: number;
  readonly begin?: Begin;
}

/** A call begins when its bytes are given to an open connection (rule S6). */
export interface Begin {
  /** The time, as `performance.now()` tells it, after which the call must not begin. */
  readonly deadline: number;
  /** Called as soon as the bytes were given to the connection; must not throw. */
  readonly onBegun: () => void;
}

export type HttpCallResult = Responded | NotBegun | Ambiguous;

/** The server answered. Its status is final even if the body broke off. */
export interface Responded {
  readonly type: "Responded";
  readonly status: number;
  /** By name in lower case; values of repeated headers are joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** At most the first 4 KB. */
  readonly body: Buffer;
  /** Whether there is more than `body`: it was longer, or it broke off. */
  readonly isBodyCut: boolean;
}

/** Not one byte of the request was sent, so that the call can be made again. */
export type NotBegun =
  /** Also if the time-out passed first. */
  | { readonly type: "NotBegun"; readonly reason: "BEGIN_DEADLINE_PASSED" }
  /** The error of DNS, TCP, TLS or the dispatcher's own connector; its message may name resolved addresses. */
  | { readonly type: "NotBegun"; readonly reason: "CONNECT_FAILED"; readonly error: Error };

/** The call began, but there is no answer: whether the server acted on it is unknown. */
export interface Ambiguous {
  readonly type: "Ambiguous";
  readonly reason: "TIMED_OUT" | "CONNECTION_LOST";
}

/**
 * Makes a call and tells whether it began, also when it fails. The dispatcher should use HTTP/1.1 only (`allowH2: false`
 * in the agent and in its connector), where a request has a connection of its own while it lasts.
 *
 * @throws InvalidArgumentError of undici for a header or a URL that HTTP does not allow
 */
export function httpCall(dispatcher: Dispatcher, call: HttpCall): Promise<HttpCallResult> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpCallResult>();
  const end = performance.now() + call.timeout;
  const beginBy = Math.min(call.begin?.deadline ?? end, end);
  if (performance.now() > beginBy) return Promise.resolve(DEADLINE_PASSED);

  let phase: "WAITING" | "BEGUN" | "SETTLED" = "WAITING";
  let connection: Dispatcher.DispatchController | undefined;
  let response: { status: number; headers: ReadonlyMap<string, string>; body: Buffer[]; missing: number } | undefined;
  let timer = setTimeout(() => settle(DEADLINE_PASSED), beginBy - performance.now());

  dispatcher.dispatch(
    {
      origin: call.url.origin,
      path: call.url.pathname + call.url.search,
      method: call.method,
      headers: { ...call.headers },
      body: call.body ?? null,
      // One timer limits the whole call instead.
      headersTimeout: 0,
      bodyTimeout: 0,
    },
    {
      // undici calls this with an open connection at hand, and writes the request in the same turn of the event loop. An
      // error thrown here fails the request before it writes, and keeps the connection.
      onRequestStart(controller) {
        if (phase === "WAITING" && performance.now() > beginBy) settle(DEADLINE_PASSED);
        // After a lost connection undici may start a request again, but it may have arrived the first time.
        if (phase !== "WAITING") throw new Error("The call must not begin now.");
        phase = "BEGUN";
        connection = controller;
        clearTimeout(timer);
        timer = setTimeout(() => stop(response ? responded(true) : TIMED_OUT), end - performance.now());
      },
      onRequestSent() {
        call.begin?.onBegun();
      },
      onResponseStart(_controller, status, headers) {
        // What comes before the final answer, such as 103 Early Hints.
        if (status < 200) return;
        response = { status, headers: joined(headers), body: [], missing: MAX_BODY };
      },
      onResponseData(_controller, chunk) {
        if (response === undefined) return;
        response.body.push(chunk.subarray(0, response.missing));
        if (chunk.length > response.missing) stop(responded(true));
        else response.missing -= chunk.length;
      },
      onResponseEnd() {
        settle(responded(false));
      },
      onResponseError(_controller, error) {
        if (error instanceof errors.InvalidArgumentError) reject(error);
        if (phase === "WAITING") settle({ type: "NotBegun", reason: "CONNECT_FAILED", error });
        else settle(response ? responded(true) : CONNECTION_LOST);
      },
    },
  );
  return promise;

  function settle(result: HttpCallResult): void {
    phase = "SETTLED";
    clearTimeout(timer);
    resolve(result);
  }

  /** Settles before the response has ended, which costs the connection. */
  function stop(result: HttpCallResult): void {
    settle(result);
    connection?.abort(new Error("The call has ended."));
  }

  function responded(isBodyCut: boolean): HttpCallResult {
    if (response === undefined) return CONNECTION_LOST;
    const { status, headers, body } = response;
    return { type: "Responded", status, headers, body: Buffer.concat(body), isBodyCut };
  }
}

const MAX_BODY = 4_096;

const DEADLINE_PASSED: HttpCallResult = { type: "NotBegun", reason: "BEGIN_DEADLINE_PASSED" };
const TIMED_OUT: HttpCallResult = { type: "Ambiguous", reason: "TIMED_OUT" };
const CONNECTION_LOST: HttpCallResult = { type: "Ambiguous", reason: "CONNECTION_LOST" };

function joined(headers: Record<string, string | string[] | undefined>): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, [value ?? []].flat().join(", ")]));
}
