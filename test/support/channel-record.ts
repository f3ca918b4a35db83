import type { ChannelKind } from "../../src/domain/channel-kind.ts";
import { idOf } from "../../src/domain/id.ts";
import type { ChannelRecord } from "../../src/store/directory.ts";

/** A channel as the directory returns it, without any settings but those given. */
export function channelRecord(kind: ChannelKind, settings: Partial<ChannelRecord> = {}): ChannelRecord {
  return {
    id: idOf("channel"),
    workspaceId: idOf("workspace"),
    name: kind,
    kind,
    secret: null,
    accessToken: null,
    allowedOrigins: [],
    deliveryUrl: null,
    deliverySecret: null,
    apiUrl: null,
    showsLoading: false,
    marksRead: false,
    fault: null,
    sendFault: null,
    credentials: { accessToken: null, deliveryUrl: null, deliverySecret: null },
    ...settings,
  };
}
