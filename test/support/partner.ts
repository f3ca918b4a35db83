import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import { z } from "zod";

/** A request to a partner's `deliveryUrl`. */
export interface PartnerRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly delivery: z.infer<typeof delivery>;
}

const delivery = z.strictObject({
  type: z.literal("message.delivery_requested"),
  deliveryId: z.string(),
  channelId: z.string(),
  contactChannel: z.strictObject({ id: z.string(), externalId: z.string() }),
  message: z.strictObject({
    id: z.string(),
    conversationId: z.string().nullable(),
    text: z.string(),
    menu: z
      .object({ text: z.string(), options: z.array(z.object({ value: z.string(), label: z.string() })) })
      .optional(),
    recordedAt: z.string(),
  }),
});

/** Answers a request. */
export type PartnerAnswer = (response: ServerResponse, request: PartnerRequest) => void;

export interface Partner extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly PartnerRequest[];
  /** The texts that arrived, in order, repetitions included. */
  texts(): string[];
  /** Answers the next requests in this way, each with the next; then with 200 again. */
  answer(...answers: readonly PartnerAnswer[]): void;
}

export async function startPartner(): Promise<Partner> {
  const requests: PartnerRequest[] = [];
  const answers: PartnerAnswer[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", () => {});
    incoming.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const request = { headers: incoming.headers, body, delivery: delivery.parse(JSON.parse(body)) };
      requests.push(request);
      (answers.shift() ?? status(200))(response, request);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/deliveries`,
    requests,
    texts: () => requests.map(({ delivery: { message } }) => message.text),
    answer: (...more) => void answers.push(...more),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export function status(code: number, body: object | string = "", headers: Record<string, string> = {}): PartnerAnswer {
  return (response) =>
    void response.writeHead(code, headers).end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Breaks the connection without an answer. */
export const hangUp: PartnerAnswer = (response) => void response.destroy();

/** Throws unless one of the signatures is that of the secret. The clock of the tests is not the library's. */
export function verify(secret: string, { headers, body }: PartnerRequest): void {
  const id = String(headers["webhook-id"]);
  const at = new Date(Number(headers["webhook-timestamp"]) * 1_000);
  const expected = new Webhook(secret).sign(id, at, body);
  const signatures = String(headers["webhook-signature"]).split(" ");
  if (!signatures.includes(expected)) throw new Error(`None of ${signatures.length} signatures is of this secret.`);
}
