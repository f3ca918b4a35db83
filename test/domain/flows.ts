import { type Chatbot, type Flow, HANDOVER } from "../../src/domain/flow.ts";
import { idOf } from "../../src/domain/id.ts";

/** Minimal flows for the tests. */

export const greeting: Flow = { id: idOf("flow-greeting"), kind: "AUTO_REPLY_FIRST_MESSAGE", text: "Welcome!" };

export const prices: Flow = {
  id: idOf("flow-prices"),
  kind: "AUTO_REPLY_KEYWORD",
  keywords: ["price", "cost"],
  text: "From 10 €.",
};

export const hours: Flow = { id: idOf("flow-hours"), kind: "AUTO_REPLY_KEYWORD", keywords: ["open"], text: "9 to 5." };

/** Starts with a menu, replies at once or after a delay, and finally hands over. */
export const guide: Chatbot = {
  id: idOf("flow-guide"),
  kind: "CHATBOT",
  steps: [
    {
      id: "menu",
      text: "What is it about?",
      options: [
        { id: "offer", label: "An offer", next: "offer" },
        { id: "wait", label: "I have time", next: "pause" },
        { id: "human", label: "A human", next: HANDOVER },
      ],
    },
    { id: "offer", text: "Everything is 10 €.", next: "else" },
    {
      id: "else",
      text: "Anything else?",
      delay: 5_000,
      options: [
        { id: "yes", label: "Yes", next: "menu" },
        { id: "no", label: "No", next: "bye" },
      ],
    },
    { id: "pause", text: "Thank you for waiting.", delay: 30_000, next: HANDOVER },
    { id: "bye", text: "Goodbye." },
  ],
};

/** Starts with a delay. */
export const delayedStart: Chatbot = {
  id: idOf("flow-slow-starter"),
  kind: "CHATBOT",
  steps: [
    { id: "first", text: "Still there?", delay: 10_000, next: "second" },
    { id: "second", text: "A colleague comes.", delay: 1_000 },
  ],
};
