import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { errorBody } from "../platform/error-body.ts";

/** Answers bytes that are no HTTP request, or one that did not arrive in time, and closes the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  if (socket.writable) {
    const [status, code, message] = answerTo(error.code);
    const body = JSON.stringify(errorBody(code, message));
    const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, "Connection: close", "Content-Type: application/json"];
    socket.write(`${head.join("\r\n")}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }
  socket.destroy(error);
}

function answerTo(code: string | undefined): readonly [status: number, code: string, message: string] {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [408, "REQUEST_TIMEOUT", "The request did not arrive in time."];
    case "HPE_HEADER_OVERFLOW":
      return [431, "HEADERS_TOO_LARGE", "The headers must not exceed 16 KB."];
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return [413, "PAYLOAD_TOO_LARGE", "The chunk extensions are too long."];
    default:
      return [400, "BAD_REQUEST", "This is not a valid HTTP request."];
  }
}
