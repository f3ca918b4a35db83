import type { LineChannel } from "../../src/demo/line/channel.ts";
import { type FakeLine, startFakeLine } from "../../src/demo/line/server.ts";
import { type BootOptions, bootDesk, type Desk, LINE_SECRET } from "./app.ts";
import { testClock } from "./clock.ts";

/** A desk whose LINE channel is connected to a LINE to try against. */
export interface LineDesk {
  readonly desk: Desk;
  readonly line: FakeLine;
  readonly account: LineChannel;
  stop(): Promise<void>;
}

export async function bootLineDesk(options: BootOptions = {}): Promise<LineDesk> {
  const clock = testClock();
  const line = await startFakeLine({ clock });
  const account = line.addChannel({ id: "shop", secret: LINE_SECRET, accessToken: "token" });
  const desk = await bootDesk({ clock, ...options, env: { LINE_API_URL: line.url, ...options.env } });
  account.setWebhookUrl(`${desk.url}/webhooks/line/${desk.line}`);
  await desk.ada.updateChannel({ channelId: desk.line, line: { accessToken: "token" } });
  return { desk, line, account, stop: line.stop };
}

/** The texts that the user's phone has received from the account, in order. */
export function textsOn(account: LineChannel, userId: string): string[] {
  return account.account
    .phone(userId)
    .entries.flatMap((entry) =>
      entry.from === "account" && entry.message.type === "text" ? [entry.message.text] : [],
    );
}
