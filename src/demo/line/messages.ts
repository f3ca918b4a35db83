import { z } from "zod";

/**
 * What a message object of the Messaging API has to look like. The members, and which of them are required, were
 * compared with LINE's own description (line/line-openapi, messaging-api.yml, commit 6e4c2a2); limits that only LINE's
 * reference documents are added. Of a Flex message only the container is checked.
 *
 * @see https://developers.line.biz/en/reference/messaging-api/#message-objects
 */

/** LINE counts UTF-16 code units, but grapheme clusters in what is shown of an action. zod counts code points. */
const atMost = (max: number) => limited(max, (text) => text.length);
const textOf = (max: number) => atMost(max).min(1);
const shownOf = (max: number) => limited(max, (text) => [...new Intl.Segmenter().segment(text)].length).min(1);

function limited(max: number, count: (text: string) => number) {
  const error = `Length must be between 0 and ${max}`;
  return z.string().refine((text) => count(text) <= max, { error });
}

const link = z.url().max(2_000);
const size = z.int();

const uriAction = { uri: textOf(1_000), altUri: z.object({ desktop: atMost(1_000) }).partial() };
const data = atMost(300);

function actionsLabeled<Label extends z.ZodType>(label: Label) {
  return z.discriminatedUnion("type", [
    z.object({ type: z.literal("camera"), label }),
    z.object({ type: z.literal("cameraRoll"), label }),
    z.object({ type: z.literal("clipboard"), label, clipboardText: textOf(1_000) }),
    z.object({
      type: z.literal("datetimepicker"),
      label,
      data,
      mode: z.enum(["date", "time", "datetime"]),
      initial: z.string().optional(),
      max: z.string().optional(),
      min: z.string().optional(),
    }),
    z.object({ type: z.literal("location"), label }),
    z.object({ type: z.literal("message"), label, text: shownOf(300) }),
    z.object({
      type: z.literal("postback"),
      label,
      data,
      displayText: shownOf(300).optional(),
      text: shownOf(300).optional(),
      inputOption: z.enum(["closeRichMenu", "openRichMenu", "openKeyboard", "openVoice"]).optional(),
      fillInText: shownOf(300).optional(),
    }),
    z.object({ type: z.literal("richmenuswitch"), label, data, richMenuAliasId: atMost(32) }),
    z.object({ type: z.literal("uri"), label, uri: uriAction.uri, altUri: uriAction.altUri.optional() }),
  ]);
}

/** A button needs a label; a tap on a picture does not. */
const buttonAction = actionsLabeled(shownOf(20));
const pictureAction = actionsLabeled(shownOf(20).optional());

const quickReply = z.object({
  items: z
    .array(z.object({ type: z.literal("action").optional(), imageUrl: link.optional(), action: buttonAction }))
    .min(1)
    .max(13),
});

/** What every message may have. */
const common = {
  quickReply: quickReply.optional(),
  sender: z
    .object({ name: atMost(20), iconUrl: link })
    .partial()
    .optional(),
};
const quoteToken = z.string().min(1).optional();

const area = z.object({ x: size, y: size, width: size, height: size });
const imagemapAction = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message"), area, text: z.string().min(1), label: z.string().optional() }),
  z.object({ type: z.literal("uri"), area, linkUri: z.string().min(1), label: z.string().optional() }),
  z.object({ type: z.literal("clipboard"), area, clipboardText: textOf(1_000), label: z.string().optional() }),
]);

const pictureOfTemplate = {
  thumbnailImageUrl: link.optional(),
  imageBackgroundColor: z.string().optional(),
  title: z.string().min(1).optional(),
  defaultAction: pictureAction.optional(),
};
const shapeOfPictures = { imageAspectRatio: z.string().optional(), imageSize: z.string().optional() };
const templateText = z.string().min(1);

const template = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("buttons"),
    ...pictureOfTemplate,
    ...shapeOfPictures,
    text: templateText,
    actions: z.array(buttonAction).min(1).max(4),
  }),
  z.object({ type: z.literal("confirm"), text: templateText, actions: z.array(buttonAction).length(2) }),
  z.object({
    type: z.literal("carousel"),
    ...shapeOfPictures,
    columns: z
      .array(z.object({ ...pictureOfTemplate, text: templateText, actions: z.array(buttonAction).min(1).max(3) }))
      .min(1)
      .max(10),
  }),
  z.object({
    type: z.literal("image_carousel"),
    columns: z
      .array(z.object({ imageUrl: link, action: pictureAction }))
      .min(1)
      .max(10),
  }),
]);

const substitution = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("mention"),
    mentionee: z.discriminatedUnion("type", [
      z.object({ type: z.literal("user"), userId: z.string().min(1) }),
      z.object({ type: z.literal("all") }),
    ]),
  }),
  z.object({ type: z.literal("emoji"), productId: z.string().min(1), emojiId: z.string().min(1) }),
]);

export const message = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("text"),
    ...common,
    text: textOf(5_000),
    emojis: z.array(z.object({ index: size, productId: z.string(), emojiId: z.string() }).partial()).optional(),
    quoteToken,
  }),
  z.object({
    type: z.literal("textV2"),
    ...common,
    text: textOf(5_000),
    substitution: z.record(z.string(), substitution).optional(),
    quoteToken,
  }),
  z.object({
    type: z.literal("sticker"),
    ...common,
    packageId: z.string().min(1),
    stickerId: z.string().min(1),
    quoteToken,
  }),
  z.object({ type: z.literal("image"), ...common, originalContentUrl: link, previewImageUrl: link }),
  z.object({
    type: z.literal("video"),
    ...common,
    originalContentUrl: link,
    previewImageUrl: link,
    trackingId: z.string().min(1).optional(),
  }),
  z.object({ type: z.literal("audio"), ...common, originalContentUrl: link, duration: size }),
  z.object({
    type: z.literal("location"),
    ...common,
    title: z.string().min(1),
    address: z.string().min(1),
    latitude: z.number(),
    longitude: z.number(),
  }),
  z.object({
    type: z.literal("imagemap"),
    ...common,
    baseUrl: link,
    altText: z.string().min(1),
    baseSize: z.object({ width: size, height: size }),
    actions: z.array(imagemapAction),
    video: z
      .object({
        originalContentUrl: link,
        previewImageUrl: link,
        area,
        externalLink: z.object({ linkUri: link, label: z.string() }).partial(),
      })
      .partial()
      .optional(),
  }),
  z.object({ type: z.literal("template"), ...common, altText: z.string().min(1), template }),
  z.object({
    type: z.literal("flex"),
    ...common,
    altText: z.string().min(1),
    contents: z.discriminatedUnion("type", [
      z.looseObject({ type: z.literal("bubble") }),
      z.looseObject({ type: z.literal("carousel"), contents: z.array(z.looseObject({ type: z.literal("bubble") })) }),
    ]),
  }),
  z.object({
    type: z.literal("coupon"),
    ...common,
    couponId: z.string().min(1),
    deliveryTag: atMost(30).optional(),
  }),
]);

/** A message as an account sends it. */
export type LineMessage = z.infer<typeof message>;
