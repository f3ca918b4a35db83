import { BlockList, isIP } from "node:net";

/** Why an address is not a public one (rule P4). */
export type AddressClass = "LOOPBACK" | "PRIVATE" | "LINK_LOCAL" | "MULTICAST" | "RESERVED" | "METADATA";

/** Addresses that may be reached although they are not public, as CIDR blocks such as `10.0.0.0/8`. */
export type AllowedNetworks = readonly string[];

/**
 * Returns a function that says why an address must not be reached, or null if it may be (rule P4). The function takes
 * an IPv4 or IPv6 address; anything else is `RESERVED`.
 */
export function addressGuard(allowed: AllowedNetworks): (address: string) => AddressClass | null {
  const exceptions = blockList(allowed);
  return (address) => (contains(exceptions, address) ? null : classOf(address));
}

function classOf(address: string): AddressClass | null {
  const found = CLASSES.find(([, list]) => contains(list, address));
  if (found !== undefined) return found[0];
  // Of IPv6, only one block is in use; what lies outside may lead to IPv4 (mapped, NAT64) or get a meaning later.
  return isIP(address) === 4 || contains(GLOBAL_UNICAST, address) ? null : "RESERVED";
}

/** A list of IPv4 blocks also contains their IPv4-mapped IPv6 addresses. */
function contains(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? "ipv4" : "ipv6");
}

function blockList(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = "", prefix] = block.split("/");
    list.addSubnet(address, Number(prefix), isIP(address) === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/**
 * By the registries of special-purpose addresses of IANA. The first class that contains an address is its class:
 * metadata services stand first because they lie within other classes, or among public addresses (Azure).
 */
const CLASSES: readonly (readonly [AddressClass, BlockList])[] = [
  [
    "METADATA",
    blockList([
      // AWS, Google, Azure and others; AWS for containers
      "169.254.169.254/32",
      "169.254.170.2/32",
      "169.254.170.23/32",
      "fd00:ec2::23/128",
      "fd00:ec2::254/128",
      "fd20:ce::254/128",
      // Alibaba, Oracle, Azure's platform
      "100.100.100.200/32",
      "192.0.0.192/32",
      "168.63.129.16/32",
    ]),
  ],
  ["LOOPBACK", blockList(["127.0.0.0/8", "::1/128"])],
  // With the shared addresses of carriers, unique local and site-local ones
  ["PRIVATE", blockList(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"])],
  ["LINK_LOCAL", blockList(["169.254.0.0/16", "fe80::/10"])],
  ["MULTICAST", blockList(["224.0.0.0/4", "ff00::/8"])],
  [
    "RESERVED",
    blockList([
      // This network: Linux takes 0.0.0.0 for the loopback
      "0.0.0.0/8",
      // Protocol assignments, 6to4 relays, benchmarks, documentation, future use and broadcast
      "192.0.0.0/24",
      "192.88.99.0/24",
      "198.18.0.0/15",
      "192.0.2.0/24",
      "198.51.100.0/24",
      "203.0.113.0/24",
      "240.0.0.0/4",
      // Protocol assignments with Teredo, 6to4, documentation
      "2001::/23",
      "2002::/16",
      "2001:db8::/32",
      "3fff::/20",
    ]),
  ],
];

const GLOBAL_UNICAST = blockList(["2000::/3"]);
