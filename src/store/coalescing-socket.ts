import { Socket } from "node:net";

type Written = (error?: Error | null) => void;

/**
 * A socket that sends what is written in one turn of the event loop by one system call. The statements of a pipelined
 * transaction are written one by one, and each call would wake PostgreSQL.
 */
export class CoalescingSocket extends Socket {
  #isHeld = false;

  override write(data: Uint8Array | string, written?: Written): boolean;
  override write(data: Uint8Array | string, encoding?: BufferEncoding, written?: Written): boolean;
  override write(data: Uint8Array | string, encoding?: BufferEncoding | Written, written?: Written): boolean {
    if (!this.#isHeld) this.#hold();
    return typeof encoding === "string" ? super.write(data, encoding, written) : super.write(data, encoding ?? written);
  }

  #hold(): void {
    this.#isHeld = true;
    this.cork();
    process.nextTick(() => {
      this.#isHeld = false;
      this.uncork();
    });
  }
}
