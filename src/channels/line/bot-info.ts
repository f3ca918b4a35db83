import { z } from "zod";
import type { BotInfo } from "../../graphql/resolve/context.ts";

/** Asks LINE (`GET /v2/bot/info`) which bot the access token belongs to. Takes at most 5 s; never throws. */
export async function fetchBotInfo(apiUrl: string, accessToken: string): Promise<BotInfo> {
  try {
    const response = await fetch(`${apiUrl}/v2/bot/info`, {
      headers: { authorization: `Bearer ${accessToken}` },
      // LINE does not redirect; the token must not travel elsewhere.
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (response.status === 401) {
      await response.body?.cancel();
      return { type: "Unauthorized" };
    }
    if (!response.ok) {
      await response.body?.cancel();
      return { type: "Unreachable", detail: `LINE responded with status ${response.status}.` };
    }
    const bot = botInfo.safeParse(await response.json());
    if (!bot.success) return { type: "Unreachable", detail: "The response is not that of LINE's Messaging API." };
    return { type: "Bot", ...bot.data };
  } catch (error) {
    if (error instanceof SyntaxError) {
      return { type: "Unreachable", detail: "The response is not that of LINE's Messaging API." };
    }
    const isLate = error instanceof Error && error.name === "TimeoutError";
    return {
      type: "Unreachable",
      detail: isLate ? `LINE did not respond within ${TIMEOUT / 1_000} seconds.` : "LINE could not be reached.",
    };
  }
}

/** In milliseconds. */
const TIMEOUT = 5_000;

const botInfo = z.object({ displayName: z.string(), basicId: z.string() });
