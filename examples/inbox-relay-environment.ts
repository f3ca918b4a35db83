/** A Relay environment whose queries and mutations use HTTP, and whose subscriptions use connection.ts. */
import {
  createOperationDescriptor,
  Environment,
  fetchQuery,
  type GraphQLTaggedNode,
  getRequest,
  Network,
  Observable,
  type OperationType,
  type PayloadData,
  RecordSource,
  type RequestParameters,
  Store,
  type SubscribeFunction,
  type Variables,
} from "relay-runtime";
import { observeQuery } from "relay-runtime/experimental.js";
import { connect } from "./connection.ts";

interface GraphqlError {
  readonly message: string;
  readonly extensions?: { readonly code?: unknown };
}

interface Answer {
  readonly data?: PayloadData | null;
  readonly errors?: readonly GraphqlError[];
}

/** Thrown, and passed to `onError`, if an answer or an event has `errors`. */
export class OperationError extends Error {
  readonly codes: readonly unknown[];

  constructor(errors: readonly GraphqlError[]) {
    super(errors.map(({ message }) => message).join(" "));
    this.codes = errors.map(({ extensions }) => extensions?.code);
  }
}

/** A normalized cache of what one token may read. */
export interface Cache {
  readonly environment: Environment;
  /** Loads a query into the cache and keeps it there. Events wait meanwhile, because they may be newer than the answer. */
  load<Query extends OperationType>(
    query: GraphQLTaggedNode,
    variables: Query["variables"],
  ): Promise<Query["response"]>;
  /** Reads a loaded query from the cache. */
  read<Query extends OperationType>(query: GraphQLTaggedNode, variables: Query["variables"]): Query["response"];
  close(): Promise<void>;
}

export function createCache(desk: string, token: string): Cache {
  const socket = connect({ desk, token: () => token });
  const loading = new Set<Promise<unknown>>();

  const ask = async ({ text }: RequestParameters, variables: Variables) => {
    const response = await fetch(`${desk}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: text, variables }),
    });
    const { data, errors }: Answer = JSON.parse(await response.text());
    if (errors || !data) throw new OperationError(errors ?? []);
    return { data };
  };

  const listen: SubscribeFunction = ({ text }, variables) =>
    Observable.create((sink) => {
      let previous: Promise<unknown> = Promise.resolve();
      return socket.subscribe(
        { query: text ?? "", variables },
        {
          next: ({ data, errors }) => {
            previous = Promise.allSettled([previous, ...loading]).then(() => {
              if (errors) sink.error(new OperationError(errors));
              else if (data) sink.next({ data });
            });
          },
          error: (error) => {
            if (Array.isArray(error)) sink.error(new OperationError(error));
            else sink.error(new Error("The connection has failed.", { cause: error }));
          },
          complete: () => void previous.then(() => sink.complete()),
        },
      );
    });

  const environment = new Environment({
    network: Network.create(ask, listen),
    store: new Store(new RecordSource()),
  });

  return {
    environment,
    load: async (query, variables) => {
      environment.retain(createOperationDescriptor(getRequest(query), variables));
      const answer = fetchQuery(environment, query, variables).toPromise();
      loading.add(answer);
      return answer.finally(() => loading.delete(answer));
    },
    read: (query, variables) => read(environment, query, variables),
    close: async () => socket.dispose(),
  };
}

function read<Query extends OperationType>(
  environment: Environment,
  query: GraphQLTaggedNode,
  variables: Query["variables"],
): Query["response"] {
  const values: Query["response"][] = [];
  observeQuery<Query>(environment, query, variables)
    .subscribe({ next: (state) => void (state.state === "ok" && values.push(state.value)) })
    .unsubscribe();
  const [value] = values;
  if (value === undefined) throw new Error("The query has not been loaded.");
  return value;
}
