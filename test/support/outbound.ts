import { type Desk, rowId } from "./app.ts";

/** A message that an agent has sent to a new contact on LINE, still `QUEUED`: the desk's LINE channel has no access token. */
export async function queuedMessage(
  desk: Desk,
): Promise<{ readonly messageId: string; readonly conversationId: string }> {
  const { conversationId } = await desk.writes(`U${crypto.randomUUID()}`);
  const { message } = await desk.ada.sendMessage({ conversationId, text: "Hi" });
  return { messageId: message.id, conversationId };
}

/** Such a message that was canceled. */
export async function canceledMessage(desk: Desk): Promise<Awaited<ReturnType<typeof queuedMessage>>> {
  const queued = await queuedMessage(desk);
  await desk.ada.cancelMessage({ messageId: queued.messageId });
  return queued;
}

/** Such a message of which it is not known whether it arrived, as after a call whose answer was lost. */
export async function unknownOutcome(desk: Desk): Promise<Awaited<ReturnType<typeof queuedMessage>>> {
  const canceled = await canceledMessage(desk);
  await desk.app.database.prisma.message.update({
    where: { id: rowId(canceled.messageId) },
    data: {
      deliveryStatus: "FAILED",
      deliveryErrorCode: "OUTCOME_UNKNOWN",
      deliveryErrorMessage: "It may have arrived.",
    },
  });
  return canceled;
}
