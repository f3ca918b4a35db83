import { CloseCode } from "graphql-ws";
import type { RawData, WebSocket } from "ws";
import type { Mask } from "../errors.ts";

/** Most bytes that a close frame's reason may have (RFC 6455, section 5.5). */
const MAX_REASON = 123;

/** Hands on what a client says. What is none of the protocol's messages closes the socket with 4400, as the protocol wants. */
export function receiveMessages(socket: WebSocket, receive: (message: string) => Promise<void>, mask: Mask): void {
  socket.on("message", (data: RawData, isBinary: boolean) => {
    if (isBinary) {
      socket.close(CloseCode.BadRequest, "Invalid message received");
      return;
    }
    receive(String(data)).catch((error: unknown) => {
      if (isServersMessage(error)) {
        socket.close(CloseCode.BadRequest, "Invalid message received");
      } else {
        mask(error);
        socket.close(CloseCode.InternalServerError, "Unexpected error");
      }
    });
  });
}

/** Closes as graphql-ws asks, whose reasons may repeat an id of any length. */
export function closeWith(socket: WebSocket, code?: number, reason = ""): void {
  socket.close(code, Buffer.byteLength(reason) <= MAX_REASON ? reason : "");
}

/** graphql-ws throws when it gets what only a server says, such as `next`. */
function isServersMessage(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Unexpected message of type ");
}
