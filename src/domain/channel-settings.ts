import type { ChannelKind } from "./channel-kind.ts";
import { checkName } from "./input.ts";
import type { InvalidField } from "./refusal.ts";

/** The settings of a channel as an API caller gives them: one block for each kind of channel. */
export interface GivenSettings {
  readonly name?: string | null | undefined;
  readonly line?:
    | {
        readonly channelSecret?: string | null | undefined;
        readonly accessToken?: string | null | undefined;
        readonly showLoading?: boolean | null | undefined;
        readonly markAsRead?: boolean | null | undefined;
      }
    | null
    | undefined;
  readonly webChat?: { readonly allowedOrigins?: readonly string[] | null | undefined } | null | undefined;
  readonly custom?:
    | {
        readonly deliveryUrl?: string | null | undefined;
        readonly rotateDeliverySecret?: boolean | null | undefined;
      }
    | null
    | undefined;
}

/** Validates the settings of a channel of this kind: a block for another kind is invalid. */
export function checkSettings(kind: ChannelKind, { name, line, webChat, custom }: GivenSettings): InvalidField[] {
  const fields = [
    checkName("name", name),
    line && kind !== "LINE" ? wrongBlock("line", "LINE") : null,
    webChat && kind !== "WEB_CHAT" ? wrongBlock("webChat", "WEB_CHAT") : null,
    custom && kind !== "CUSTOM" ? wrongBlock("custom", "CUSTOM") : null,
    checkSecret("line.channelSecret", line?.channelSecret),
    checkSecret("line.accessToken", line?.accessToken),
    checkOrigins("webChat.allowedOrigins", webChat?.allowedOrigins),
    checkUrl("custom.deliveryUrl", custom?.deliveryUrl),
  ];
  return fields.filter((field) => field !== null);
}

/** A new secret is of use only if deliveries are posted. `deliveryUrl` is the one before the change. */
export function checkRotation({ custom }: GivenSettings, deliveryUrl: string | null): InvalidField | null {
  const after = custom?.deliveryUrl === undefined ? deliveryUrl : custom.deliveryUrl;
  if (!custom?.rotateDeliverySecret || after !== null) return null;
  return { path: "custom.rotateDeliverySecret", message: "Allowed only for a channel with a deliveryUrl." };
}

function wrongBlock(path: string, kind: ChannelKind): InvalidField {
  return { path, message: `Allowed only for a channel of the kind ${kind}.` };
}

/** Secrets and tokens are sent in HTTP headers, so only visible ASCII is possible. The value is never repeated. */
function checkSecret(path: string, secret: string | null | undefined): InvalidField | null {
  if (secret === null || secret === undefined || /^[\x21-\x7e]{1,2000}$/.test(secret)) return null;
  return { path, message: "Must be 1 to 2,000 ASCII characters without spaces, as the provider shows it." };
}

function checkOrigins(path: string, origins: readonly string[] | null | undefined): InvalidField | null {
  if (origins === null || origins === undefined) return null;
  if (origins.length > MAX_ORIGINS) return { path, message: `Must not contain more than ${MAX_ORIGINS} origins.` };
  const index = origins.findIndex((origin) => origin !== "*" && !isOrigin(origin));
  if (index === -1) return null;
  return { path: `${path}.${index}`, message: "Must be * or an origin as browsers send it: https://shop.example" };
}

function isOrigin(text: string): boolean {
  return text.length <= MAX_URL && /^https?:[^*]+$/.test(text) && URL.parse(text)?.origin === text;
}

function checkUrl(path: string, text: string | null | undefined): InvalidField | null {
  if (text === null || text === undefined) return null;
  const url = text.length <= MAX_URL && /^[\x21-\x7e]+$/.test(text) ? URL.parse(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "") return null;
  return { path, message: "Must be a web address without a user name: https://partner.example/deliveries" };
}

const MAX_ORIGINS = 100;
const MAX_URL = 2_000;
