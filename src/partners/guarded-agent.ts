import { lookup } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector } from "undici";
import { type AddressClass, type AllowedNetworks, addressGuard } from "./private-address.ts";

export interface GuardedAgentOptions {
  /** The networks of WEBHOOK_ALLOWED_CIDRS. */
  readonly allowedNetworks: AllowedNetworks;
  /** Maximum number of connections to each origin. */
  readonly connections?: number;
  /** Certificates of authorities, in PEM, instead of Node's own list. */
  readonly ca?: string;
  /** All addresses of a name; rejects if there is none. The system's resolver by default. */
  readonly resolve?: (name: string) => Promise<readonly ResolvedAddress[]>;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** The host leads to an address that must not be reached (rule P4). It names no address: the caller only gave a name. */
export class RefusedAddressError extends Error {
  override name = "RefusedAddressError";
  readonly addressClass: AddressClass;

  constructor(host: string, addressClass: AddressClass) {
    super(
      `${host} leads to a ${addressClass} address: use a public host, or allow its network in WEBHOOK_ALLOWED_CIDRS`,
    );
    this.addressClass = addressClass;
  }
}

/**
 * An agent for URLs that were given through the API (rule P4): it connects to public addresses and allowed networks
 * only; if any address of a name is refused, the name is. A request to another address fails with RefusedAddressError
 * before a connection is opened. Speaks HTTP/1.1 and follows no redirects.
 */
export function guardedAgent({ allowedNetworks, resolve = resolveName, ...options }: GuardedAgentOptions): Agent {
  const classOf = addressGuard(allowedNetworks);

  function refusalOf(host: string, found: readonly { readonly address: string }[]): RefusedAddressError | null {
    const addressClass = found.map(({ address }) => classOf(address)).find((refused) => refused !== null);
    return addressClass === undefined ? null : new RefusedAddressError(host, addressClass);
  }

  // Node connects to exactly these addresses and looks nothing up again, so a name cannot change between check and use.
  const lookupChecked: LookupFunction = (host, _options, callback) => {
    resolve(host).then(
      (found) => callback(refusalOf(host, found), [...found]),
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };

  const dial = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT,
    autoSelectFamily: true,
    lookup: lookupChecked,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  return new Agent({
    allowH2: false,
    ...(options.connections === undefined ? {} : { connections: options.connections }),
    connect: (target, callback) => {
      // Node does not call `lookup` for a literal address.
      const literals = isIP(target.hostname) === 0 ? [] : [{ address: target.hostname }];
      const refusal = refusalOf(target.hostname, literals);
      if (refusal === null) dial(target, callback);
      else callback(refusal, null);
    },
  });
}

/** Milliseconds, with the lookup of the name and the handshake of TLS. */
const CONNECT_TIMEOUT = 5_000;

function resolveName(name: string): Promise<readonly ResolvedAddress[]> {
  return lookup(name, { all: true });
}
