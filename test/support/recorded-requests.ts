import { Agent, type Dispatcher } from "undici";

/** A request as it is handed to a connection. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: unknown;
  readonly body: string;
}

/** A dispatcher that records what is sent through it, oldest first. */
export function recordingDispatcher(): { readonly dispatcher: Dispatcher; readonly requests: RecordedRequest[] } {
  const requests: RecordedRequest[] = [];
  const dispatcher = new Agent({ allowH2: false }).compose((dispatch) => (options, handler) => {
    const { method, path, headers, body } = options;
    requests.push({ method, path, headers, body: String(body) });
    return dispatch(options, handler);
  });
  return { dispatcher, requests };
}
