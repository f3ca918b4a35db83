/** Where contacts write: on LINE, in a web chat of ours, or on a channel that a partner runs. */
export type ChannelKind = "LINE" | "WEB_CHAT" | "CUSTOM";
