import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Fastify from "fastify";
import type { ExecutionArgs } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { createPubSub, createSchema, createYoga } from "graphql-yoga";
import mercurius from "mercurius";
import { WebSocketServer } from "ws";
import { type DeskEvent, TYPES } from "./fanout-message.ts";

/** A server that only delivers events to subscribers. */
export interface Publisher {
  readonly port: number;
  publish(event: DeskEvent): void;
}

/** GraphQL Yoga with graphql-ws as in Yoga's documentation, and with Yoga's own `createPubSub`. */
export async function stockYoga(): Promise<Publisher> {
  const pubSub = createPubSub<{ messageRecorded: [event: DeskEvent] }>();
  const yoga = createYoga({
    logging: false,
    schema: createSchema({
      typeDefs: TYPES,
      resolvers: {
        Subscription: {
          messageRecorded: {
            subscribe: () => pubSub.subscribe("messageRecorded"),
            resolve: (event: DeskEvent) => event,
          },
        },
      },
    }),
  });
  const http = createServer(yoga);
  const wss = new WebSocketServer({ server: http, path: yoga.graphqlEndpoint });
  useServer(
    {
      execute: (args) => enveloped(args).execute(args),
      subscribe: (args) => enveloped(args).subscribe(args),
      onSubscribe: async (context, _id, params) => {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...context,
          req: context.extra.request,
          socket: context.extra.socket,
          params,
        });
        const args = {
          schema,
          operationName: params.operationName,
          document: parse(params.query),
          variableValues: params.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        };
        const errors = validate(args.schema, args.document);
        return errors.length > 0 ? errors : args;
      },
    },
    wss,
  );
  http.listen(0);
  await once(http, "listening");
  return { port: portOf(http.address()), publish: (event) => pubSub.publish("messageRecorded", event) };
}

/** Returns the functions that Yoga created for this operation; the documented setup passes them in `rootValue`. */
function enveloped({ rootValue }: ExecutionArgs): ReturnType<ReturnType<typeof createYoga>["getEnveloped"]> {
  return rootValue as ReturnType<ReturnType<typeof createYoga>["getEnveloped"]>;
}

/** Mercurius on Fastify, with its own subscriptions. */
export async function mercuriusServer(): Promise<Publisher> {
  const app = Fastify();
  await app.register(mercurius, {
    schema: TYPES,
    resolvers: {
      Subscription: {
        messageRecorded: { subscribe: (_root, _args, { pubsub }) => pubsub.subscribe("messageRecorded") },
      },
    },
    subscription: true,
  });
  await app.listen({ port: 0 });
  return {
    port: portOf(app.server.address()),
    publish: (event) =>
      app.graphql.pubsub.publish({ topic: "messageRecorded", payload: { messageRecorded: event } }, () => {}),
  };
}

/** The lower bound of the cost of WebSockets: sends one prepared string to every connection. */
export async function rawWebSocket(): Promise<Publisher> {
  const wss = new WebSocketServer({ port: 0, handleProtocols: () => "graphql-transport-ws" });
  await once(wss, "listening");
  // The clients wait for this before they subscribe.
  wss.on("connection", (socket) => socket.send('{"type":"connection_ack"}'));
  return {
    port: portOf(wss.address()),
    publish: (event) => {
      const frame = JSON.stringify({ id: "1", type: "next", payload: { data: { messageRecorded: event } } });
      for (const socket of wss.clients) socket.send(frame);
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("The server does not listen on a port.");
  return address.port;
}
