import { CloseCode } from "graphql-ws";
import type { RawData, WebSocket } from "ws";
import type { Mask } from "../errors.ts";

/** Maximum length of a close reason in bytes (RFC 6455, section 5.5). */
const MAX_REASON = 123;

/**
 * Passes on the client's messages. A message that is not part of the protocol closes the socket with 4400, as
 * specified.
 */
export function receiveMessages(socket: WebSocket, receive: (message: string) => Promise<void>, mask: Mask): void {
  socket.on("message", (data: RawData, isBinary: boolean) => {
    if (isBinary) {
      socket.close(CloseCode.BadRequest, "Invalid message received");
      return;
    }
    receive(String(data)).catch((error: unknown) => {
      if (isServerMessageError(error)) {
        socket.close(CloseCode.BadRequest, "Invalid message received");
      } else {
        mask(error);
        socket.close(CloseCode.InternalServerError, "Unexpected error");
      }
    });
  });
}

/** Closes the socket. A reason that is too long is left out: those of graphql-ws can contain an id of any length. */
export function closeWith(socket: WebSocket, code?: number, reason = ""): void {
  socket.close(code, Buffer.byteLength(reason) <= MAX_REASON ? reason : "");
}

/** graphql-ws throws this error for a message that only servers send, such as `next`. */
function isServerMessageError(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Unexpected message of type ");
}
