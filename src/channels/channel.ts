import type { FastifyReply } from "fastify";
import type { ChannelKind } from "../domain/contact-channel.ts";
import { fromGlobalId } from "../domain/global-id.ts";
import { errorBody } from "../platform/error-body.ts";
import type { ChannelRecord, Directory } from "../store/directory.ts";

/** The routes' `:channelId`. */
export interface ChannelParams {
  readonly channelId: string;
}

/** The channel that a path names by its global id; null for a malformed id, an unknown one, and a channel of another kind. */
export async function findChannel(
  directory: Directory,
  { channelId }: ChannelParams,
  kind: ChannelKind,
): Promise<ChannelRecord | null> {
  const id = fromGlobalId("Channel", channelId);
  const channel = id === null ? null : await directory.channel(id);
  return channel?.kind === kind ? channel : null;
}

/** Answers an error in the form that all routes outside GraphQL use. */
export function fail(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send(errorBody(code, message));
}
