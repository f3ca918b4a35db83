import type { Flow } from "../../../src/domain/flow.ts";
import { delayedStart, greeting, guide, hours, prices } from "../flows.ts";
import type { Automation } from "./model.ts";

const keywords = { price: "From 10 €.", cost: "From 10 €.", open: "9 to 5." };
const menu = "What is it about?\n1. An offer\n2. I have time\n3. A human";
const anythingElse = "Anything else?\n1. Yes\n2. No";
const offer = { says: ["Everything is 10 €."], next: { step: "else", in: 5_000 } };
const pause = { says: [], next: { step: "pause", in: 30_000 } };
const human = { says: [], next: "hand over" } as const;
const again = { says: [menu], next: { step: "menu" } };
const bye = { says: ["Goodbye."], next: "hand over" } as const;

/** The flows of a channel, and an independent description of their behavior. */
export const channels: Record<string, { readonly flows: readonly Flow[]; readonly automation: Automation }> = {
  "no flows": { flows: [], automation: { greeting: null, keywords: {}, bot: null } },
  "auto-replies": {
    flows: [greeting, prices, hours],
    automation: { greeting: "Welcome!", keywords, bot: null },
  },
  "a chatbot before auto-replies": {
    flows: [greeting, prices, hours, guide],
    automation: {
      greeting: "Welcome!",
      keywords,
      bot: {
        opening: again,
        steps: {
          menu: {
            menu,
            answers: {
              "1": offer,
              offer,
              "an offer": offer,
              "2": pause,
              wait: pause,
              "i have time": pause,
              "3": human,
              human,
              "a human": human,
            },
          },
          else: {
            menu: anythingElse,
            answers: { "1": again, yes: again, "2": bye, no: bye },
            due: { says: [anythingElse], next: { step: "else" } },
          },
          pause: { due: { says: ["Thank you for waiting."], next: "hand over" } },
        },
      },
    },
  },
  "a chatbot that takes its time": {
    flows: [delayedStart],
    automation: {
      greeting: null,
      keywords: {},
      bot: {
        opening: { says: [], next: { step: "first", in: 10_000 } },
        steps: {
          first: { due: { says: ["Still there?"], next: { step: "second", in: 1_000 } } },
          second: { due: { says: ["A colleague comes."], next: "hand over" } },
        },
      },
    },
  },
};
