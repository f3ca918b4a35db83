/** First byte of an unfragmented text frame (RFC 6455, section 5.2). */
const FINAL_TEXT = 0x81;

/** The consecutive parts of one message. */
export type Message = readonly Uint8Array[];

/** Encodes each message as a text frame, all in one buffer, so that a single system call sends them. */
export function textFrames(messages: readonly Message[]): Buffer {
  const lengths = messages.map((parts) => parts.reduce((sum, part) => sum + part.length, 0));
  const frames = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headerLength(length) + length, 0));
  let at = 0;
  messages.forEach((parts, index) => {
    at = writeHeader(frames, at, lengths[index] ?? 0);
    for (const part of parts) {
      frames.set(part, at);
      at += part.length;
    }
  });
  return frames;
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 2 ** 16 ? 4 : 10;
}

function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = FINAL_TEXT;
  if (length < 126) {
    frames[at + 1] = length;
  } else if (length < 2 ** 16) {
    frames[at + 1] = 126;
    frames.writeUInt16BE(length, at + 2);
  } else {
    frames[at + 1] = 127;
    frames.writeBigUInt64BE(BigInt(length), at + 2);
  }
  return at + headerLength(length);
}
