import { expect, test } from "vitest";
import { type AddressClass, addressGuard } from "../../src/partners/private-address.ts";

/** The first and the last address of each block, and what lies just outside. */
const blocks: readonly (readonly [
  AddressClass,
  first: string,
  last: string,
  before: string | null,
  after: string | null,
])[] = [
  ["RESERVED", "0.0.0.0", "0.255.255.255", null, "1.0.0.0"],
  ["PRIVATE", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"],
  ["PRIVATE", "100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"],
  ["LOOPBACK", "127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"],
  ["LINK_LOCAL", "169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"],
  ["PRIVATE", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"],
  ["RESERVED", "192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"],
  ["RESERVED", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"],
  ["RESERVED", "192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"],
  ["PRIVATE", "192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"],
  ["RESERVED", "198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"],
  ["RESERVED", "198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"],
  ["RESERVED", "203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"],
  ["MULTICAST", "224.0.0.0", "239.255.255.255", "223.255.255.255", null],
  ["RESERVED", "240.0.0.0", "255.255.255.255", null, null],
  ["RESERVED", "::2", "1fff:ffff::", null, "2000::"],
  ["RESERVED", "2001::", "2001:1ff:ffff::", "2000:ffff::", "2001:200::"],
  ["RESERVED", "2001:db8::", "2001:db8:ffff::", "2001:db7:ffff::", "2001:db9::"],
  ["RESERVED", "2002::", "2002:ffff:ffff::", "2001:ffff::", "2003::"],
  ["RESERVED", "3fff::", "3fff:fff:ffff::", "3ffe:ffff::", "3fff:1000::"],
  ["RESERVED", "4000::", "fbff:ffff::", "3fff:ffff::", null],
  ["PRIVATE", "fc00::", "fdff:ffff::", null, null],
  ["LINK_LOCAL", "fe80::", "febf:ffff::", null, null],
  ["PRIVATE", "fec0::", "feff:ffff::", null, null],
  ["MULTICAST", "ff00::", "ffff:ffff::", null, null],
];

test.each(blocks)("P4: %s from %s to %s", (addressClass, first, last, before, after) => {
  const classOf = addressGuard([]);
  expect([first, last].map(classOf)).toEqual([addressClass, addressClass]);
  for (const outside of [before, after])
    if (outside !== null) expect([outside, classOf(outside)]).toEqual([outside, null]);
});

test.each([
  ["::1", "LOOPBACK"],
  ["::", "RESERVED"],
  ["::1%lo", "LOOPBACK"],
  ["fe80::1%eth0", "LINK_LOCAL"],
  ["169.254.169.254", "METADATA"],
  ["169.254.170.2", "METADATA"],
  ["100.100.100.200", "METADATA"],
  ["168.63.129.16", "METADATA"],
  ["192.0.0.192", "METADATA"],
  ["fd00:ec2::254", "METADATA"],
  ["fd20:ce::254", "METADATA"],
  ["::ffff:169.254.169.254", "METADATA"],
  ["::ffff:127.0.0.1", "LOOPBACK"],
  ["::ffff:a00:1", "PRIVATE"],
  ["::ffff:8.8.8.8", "RESERVED"],
  ["::127.0.0.1", "RESERVED"],
  ["64:ff9b::127.0.0.1", "RESERVED"],
  ["64:ff9b:1::a00:1", "RESERVED"],
  ["2001:0:7f00:1::", "RESERVED"],
  ["2002:7f00:1::", "RESERVED"],
  ["localhost", "RESERVED"],
  ["", "RESERVED"],
])("P4: %s is %s", (address, addressClass) => {
  expect(addressGuard([])(address)).toBe(addressClass);
});

test.each(["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001:82a::200e"])("P4: %s is public", (address) => {
  expect(addressGuard([])(address)).toBeNull();
});

test("P4: allowed networks are let through, and nothing beside them", () => {
  const classOf = addressGuard(["10.20.0.0/16", "fd12:3456::/32", "169.254.169.254/32"]);
  expect(["10.20.255.255", "::ffff:10.20.0.1", "fd12:3456::1", "169.254.169.254"].map(classOf)).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expect(["10.21.0.0", "fd12:3457::1", "169.254.169.253"].map(classOf)).toEqual(["PRIVATE", "PRIVATE", "LINK_LOCAL"]);
});
