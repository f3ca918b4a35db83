import type { FastifyReply } from "fastify";
import type { ChannelKind } from "../domain/channel-kind.ts";
import { fromGlobalId } from "../domain/global-id.ts";
import { errorBody } from "../platform/error-body.ts";
import type { ChannelRecord, Directory } from "../store/directory.ts";

/** Path parameters of channel routes; `channelId` is a global id. */
export interface ChannelParams {
  readonly channelId: string;
}

/** Finds the channel of a path; null if the id is malformed or unknown, or the channel is of another kind. */
export async function findChannel(
  directory: Directory,
  { channelId }: ChannelParams,
  kind: ChannelKind,
): Promise<ChannelRecord | null> {
  const id = fromGlobalId("Channel", channelId);
  const channel = id === null ? null : await directory.channel(id);
  return channel?.kind === kind ? channel : null;
}

/** Sends an error in the format of all routes outside GraphQL. */
export function fail(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send(errorBody(code, message));
}
