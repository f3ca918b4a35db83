import { Agent, buildConnector, type Dispatcher } from "undici";

/** Makes HTTP calls over connections that open only when the test lets them. */
export interface HeldConnections {
  readonly dispatcher: Dispatcher;
  /** Resolves when a call waits for a connection. */
  readonly dialed: Promise<void>;
  /** Opens the connections that are held, and all later ones at once. */
  release(): void;
}

export function heldConnections(): HeldConnections {
  const dial = buildConnector({ allowH2: false });
  const released = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const dispatcher = new Agent({
    allowH2: false,
    connect: (options, callback) => {
      waiting.resolve();
      dial(options, (...connection) => void released.promise.then(() => callback(...connection)));
    },
  });
  return { dispatcher, dialed: waiting.promise, release: released.resolve };
}
