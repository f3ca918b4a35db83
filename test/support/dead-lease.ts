import type { Delivery } from "../../src/domain/outbox.ts";
import { LEASE_TIMEOUT } from "../../src/domain/outbox.ts";
import { type Desk, rowId } from "./app.ts";
import type { Person } from "./people.ts";
import { look } from "./view.ts";

/** Leaves the first queued message to a person as an instance leaves it that dies after the grant of the lease. */
export async function leaseAsDeadInstance(desk: Desk, person: Person): Promise<void> {
  const { prisma } = desk.app.database;
  const id = rowId((await look(desk, person)).contactChannelId);
  const message = await prisma.message.findFirstOrThrow({
    where: { contactChannelId: id, deliveryStatus: "QUEUED" },
    orderBy: { seq: "asc" },
  });
  const grantedAt = desk.clock.now();
  const expiresAt = grantedAt + LEASE_TIMEOUT;
  const delivery = {
    messageIds: [message.id],
    attempt: 1,
    call: { type: "PUSH" },
    lease: { grantedAt, expiresAt },
    retryAt: null,
    failures: 0,
    isAmbiguous: false,
    isBlocked: false,
  } satisfies Record<keyof Delivery, unknown>;
  await prisma.message.update({
    where: { id: message.id },
    data: { deliveryStatus: "SENDING", leasedAt: new Date(grantedAt), attempts: 1 },
  });
  await prisma.contactChannel.update({
    where: { id },
    data: { delivery, leaseExpiresAt: new Date(expiresAt), outboundDueAt: null },
  });
}
