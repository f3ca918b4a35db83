import { z } from "zod";
import { toOpaqueId } from "../../domain/global-id.ts";
import type { Menu as MenuOffer } from "../../domain/message.ts";
import { builder } from "./builder.ts";

interface MenuOf {
  readonly messageId: string;
  readonly menu: MenuOffer;
}

interface OptionOf {
  readonly messageId: string;
  readonly index: number;
  readonly option: MenuOffer["options"][number];
}

const MenuOption = builder.objectRef<OptionOf>("MenuOption").implement({
  description: "One choice of a menu.",
  fields: (t) => ({
    // A client's cache merges objects by type and id, and menus of different chatbots may have an option in common.
    id: t.id({ resolve: ({ messageId, index }) => toOpaqueId("MenuOption", `${messageId}:${index}`) }),
    value: t.string({
      description:
        "The option's id in the flow, which an answer by a button carries: as `data` of a postback on LINE, as the text on web chat.",
      resolve: ({ option }) => option.id,
    }),
    label: t.string({ resolve: ({ option }) => option.label }),
  }),
});

export const Menu = builder.objectRef<MenuOf>("Menu").implement({
  description:
    "The choices that a chatbot's message offers. Channels with buttons show it instead of the message's text.",
  fields: (t) => ({
    text: t.string({ description: "The message without its numbered choices.", resolve: ({ menu }) => menu.text }),
    options: t.field({
      type: [MenuOption],
      resolve: ({ messageId, menu }) => menu.options.map((option, index) => ({ messageId, index, option })),
    }),
  }),
});

/** The column `menu` of a message. */
export const menuColumn = z
  .object({ text: z.string(), options: z.array(z.object({ id: z.string(), label: z.string() })) })
  .nullable();
