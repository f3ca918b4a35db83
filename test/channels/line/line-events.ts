/** Events as in LINE's reference, with the ids of one person and one group. */

export const person = "U4af4980629000000000000000000000a";
export const fromPerson = { type: "user", userId: person };
export const fromGroup = { type: "group", groupId: "Ca56f94637c00000000000000000000a1", userId: person };
export const fromRoom = { type: "room", roomId: "Ra8dbf4673c00000000000000000000a1", userId: person };

export const SENT_AT = 1_767_225_600_123;
export const REPLY_TOKEN = "38ef843bde154d9b91c21320ffd17a0f";

/** A webhook event object with the common properties. */
export function lineEvent(type: string, rest: object = {}): Record<string, unknown> {
  return {
    type,
    mode: "active",
    timestamp: SENT_AT,
    source: fromPerson,
    webhookEventId: "01FZ74A0TDDPYRVKNK77XKC3ZR",
    deliveryContext: { isRedelivery: false },
    ...rest,
  };
}

export function lineMessage(message: object, rest: object = {}): Record<string, unknown> {
  return lineEvent("message", { replyToken: REPLY_TOKEN, message, ...rest });
}

export const messages = {
  text: {
    id: "444573844083572737",
    type: "text",
    quoteToken: "q3Plxr4AgKd...",
    markAsReadToken: "30yhdy232...",
    text: "@All @example Good Morning!! (love)",
    emojis: [{ index: 29, length: 6, productId: "5ac1bfd5040ab15980c9b435", emojiId: "001" }],
    mention: {
      mentionees: [
        { index: 0, length: 4, type: "all" },
        { index: 5, length: 8, userId: "U49585cd0d5...", type: "user", isSelf: false },
      ],
    },
    quotedMessageId: "444573844083572700",
  },
  image: {
    type: "image",
    id: "354718705033693859",
    quoteToken: "q3Plxr4AgKd...",
    contentProvider: { type: "line" },
    imageSet: { id: "E005D41A7288F41B65593ED38FF6E9834B046AB36A37921A56BC236F13A91855", index: 1, total: 2 },
  },
  video: {
    id: "325708",
    type: "video",
    quoteToken: "yHAz4Ua2wx7...",
    duration: 60_000,
    contentProvider: {
      type: "external",
      originalContentUrl: "https://example.com/original.mp4",
      previewImageUrl: "https://example.com/preview.jpg",
    },
  },
  audio: { type: "audio", id: "325709", duration: 60_000, contentProvider: { type: "line" } },
  file: { type: "file", id: "325710", fileName: "file.txt", fileSize: 2138 },
  location: {
    id: "325711",
    type: "location",
    title: "my location",
    address: "日本、〒160-0004 東京都新宿区四谷一丁目6番1号",
    latitude: 35.687574,
    longitude: 139.72922,
  },
  sticker: {
    type: "sticker",
    id: "1501597916",
    quoteToken: "q3Plxr4AgKd...",
    stickerId: "52002738",
    packageId: "11537",
    stickerResourceType: "MESSAGE",
    keywords: ["cony", "sally", "Staring", "hi"],
    text: "Let's\nhang out\nthis weekend!",
  },
};
