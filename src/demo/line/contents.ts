import { type Answer, notFound, ok, refuse } from "./answer.ts";

export type TranscodingStatus = "processing" | "succeeded" | "failed";

/** A file that a user has sent. */
export interface Content {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** The JPEG preview of an image or a video; none by default. */
  readonly preview?: Buffer;
}

/** The files that users have sent to one channel; the last 100 are kept. */
export interface Contents {
  put(messageId: string, content: Content, status: TranscodingStatus): void;
  get(messageId: string): Content | undefined;
  setTranscoding(messageId: string, status: TranscodingStatus): void;
  /** After an unsend, LINE no longer gives out the file. */
  remove(messageId: string): void;
  /** The answers of the data host. */
  readContent(messageId: string): Answer;
  readPreview(messageId: string): Answer;
  readTranscoding(messageId: string): Answer;
}

export function createContents(): Contents {
  const files = new Map<string, { readonly content: Content; status: TranscodingStatus }>();
  return {
    put: (messageId, content, status) => {
      files.set(messageId, { content, status });
      const [oldest] = files.keys();
      if (files.size > MAX_FILES && oldest !== undefined) files.delete(oldest);
    },
    get: (messageId) => files.get(messageId)?.content,
    setTranscoding: (messageId, status) => {
      const file = files.get(messageId);
      if (file === undefined) throw new Error(`There is no content of the message ${messageId}.`);
      file.status = status;
    },
    remove: (messageId) => {
      files.delete(messageId);
    },
    readContent: (messageId) => read(messageId, ({ bytes, contentType }) => ({ ...ok(bytes), contentType })),
    readPreview: (messageId) =>
      read(messageId, ({ preview }) =>
        preview === undefined ? notFound : { ...ok(preview), contentType: "image/jpeg" },
      ),
    readTranscoding: (messageId) => {
      const file = files.get(messageId);
      return file === undefined ? notFound : ok({ status: file.status });
    },
  };

  function read(messageId: string, toAnswer: (content: Content) => Answer): Answer {
    const file = files.get(messageId);
    if (file === undefined || file.status === "failed") return notFound;
    // LINE answers 202 while it prepares a large file.
    if (file.status === "processing") return refuse(202, { message: "Accepted" });
    return toAnswer(file.content);
  }
}

const MAX_FILES = 100;
