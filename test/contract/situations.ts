import type { ChannelKind } from "../../src/domain/channel-kind.ts";
import type { OngoingStatus } from "../../src/domain/conversation.ts";
import { bootDesk, type Desk, type TestFlow } from "../support/app.ts";
import { onLine, type Person } from "../support/people.ts";
import { latest } from "../support/view.ts";

/** A chatbot with a menu: one option leads to a second menu, one to a delayed step, one to a handover. */
export const chatbot: TestFlow = {
  kind: "CHATBOT",
  definition: {
    steps: [
      {
        id: "menu",
        text: "How can we help?",
        options: [
          { id: "prices", label: "Prices", next: "prices" },
          { id: "later", label: "Call me later", next: "later" },
          { id: "human", label: "A person", next: "HANDOVER" },
        ],
      },
      { id: "prices", text: "It is free.", options: [{ id: "back", label: "Back", next: "menu" }] },
      { id: "later", text: "Here I am again.", delay: 30_000 },
    ],
  },
};

export const MENU = "How can we help?\n1. Prices\n2. Call me later\n3. A person";
export const PRICES = "It is free.\n1. Back";

export const keyword: TestFlow = {
  kind: "AUTO_REPLY_KEYWORD",
  definition: { keywords: ["price"], text: "Prices are on our page." },
};

export const greeting: TestFlow = { kind: "AUTO_REPLY_FIRST_MESSAGE", definition: { text: "Welcome!" } };

/** A desk with channels of each kind that have a chatbot, or a keyword reply and the greeting. */
export interface AutomatedDesk extends Desk {
  readonly withChatbot: Readonly<Record<ChannelKind, string>>;
  readonly withKeyword: Readonly<Record<ChannelKind, string>>;
}

export async function bootAutomatedDesk(options: Parameters<typeof bootDesk>[0] = {}): Promise<AutomatedDesk> {
  const desk = await bootDesk(options);
  const ofEachKind = async (flows: readonly TestFlow[]) => ({
    LINE: await desk.channel("LINE", flows),
    WEB_CHAT: await desk.channel("WEB_CHAT", flows),
    CUSTOM: await desk.channel("CUSTOM", flows),
  });
  return { ...desk, withChatbot: await ofEachKind([chatbot]), withKeyword: await ofEachKind([keyword, greeting]) };
}

/** A new contact whose conversation has this status: offered to Ben if `ASSIGNING`, assigned to Ada if `ACTIVE`. */
export async function someoneIn(house: AutomatedDesk, status: OngoingStatus): Promise<Person> {
  const person = onLine(house, status === "BOT" ? { channel: house.withChatbot.LINE } : {});
  await person.says("Hello");
  const conversationId = await latest(house, person);
  if (status === "ASSIGNING") {
    await house.ada.offerConversation({ conversationId, agentId: house.ben.id });
  }
  if (status === "ACTIVE") await house.ada.takeConversation({ conversationId });
  return person;
}
