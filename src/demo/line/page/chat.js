/** Draws a chat: what the user and the account have written, and the buttons that the account offers. */

/** Creates an element; `properties` are set on it, and strings among the children become text. */
export function element(name, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const created = Object.assign(document.createElement(name), rest);
  Object.assign(created.dataset, dataset);
  created.append(...children.filter((child) => child !== null));
  return created;
}

/** The initials of a name, and one of six colours that stays the same for an id. */
export function avatar(id, name) {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
  const hue = [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
  return element("span", { className: "avatar", dataset: { hue: String(hue) }, ariaHidden: "true" }, initials);
}

/**
 * The rows of a chat from the oldest to the newest.
 *
 * @param screen what the server says that the phone shows
 * @param handlers `act(action)` for a tap on a button, `unsend(id)` for taking a message back
 */
export function rows(screen, account, handlers) {
  const drawn = [];
  let day = "";
  screen.entries.forEach((entry, index) => {
    const date = new Date(entry.at);
    const entryDay = date.toLocaleDateString(undefined, { weekday: "short", month: "short", day: "numeric" });
    if (entryDay !== day) drawn.push(element("div", { className: "day" }, entryDay));
    const isFirst = entryDay !== day || screen.entries[index - 1]?.from !== entry.from;
    day = entryDay;
    drawn.push(entry.from === "user" ? ownRow(entry, screen, handlers) : accountRow(entry, account, isFirst, handlers));
  });
  if (drawn.length === 0) drawn.push(element("div", { className: "day" }, `Say hello to ${account.displayName}.`));
  if (screen.loadingFor > 0) drawn.push(loadingRow(account));
  return drawn;
}

/** The quick replies of the newest entry; none once the user has answered. */
export function choices(screen) {
  const last = screen.entries.at(-1);
  if (last?.from !== "account" || !screen.isFriend) return [];
  return (last.message.quickReply?.items ?? []).map(({ action }) => action);
}

/** A button for an action of the Messaging API. */
export function actionButton(action, className, act) {
  const label = action.label ?? "Open";
  if (action.type === "uri") {
    return element("a", { className, href: safeLink(action.uri), target: "_blank", rel: "noreferrer" }, label);
  }
  return element("button", { type: "button", className, onclick: () => act(action) }, label);
}

function ownRow(entry, screen, { unsend }) {
  if (entry.unsent) return element("div", { className: "event" }, "You unsent a message");
  const takeBack =
    entry.message.type === "postback" || !screen.isFriend
      ? null
      : element("button", { type: "button", className: "unsend", onclick: () => unsend(entry.id) }, "Unsend");
  const read = entry.read ? element("span", {}, "Read") : null;
  const meta = element("span", { className: "meta" }, takeBack, read, timeOf(entry));
  return element("div", { className: "row own", dataset: { id: entry.id } }, meta, ownContent(entry, screen));
}

function ownContent({ id, message }, { userId }) {
  switch (message.type) {
    case "text":
    case "postback":
      return element("p", { className: "bubble" }, message.text ?? "");
    case "sticker":
      return sticker();
    case "image":
      return element("img", {
        className: "picture",
        src: `/demo/line/users/${encodeURIComponent(userId)}/images/${id}`,
        alt: "An image that you sent",
      });
    default:
      return element("p", { className: "bubble" }, `A ${message.type}`);
  }
}

function accountRow(entry, account, isFirst, { act }) {
  const content = accountContent(entry.message, act);
  const side = isFirst ? avatar(account.basicId, account.displayName) : element("span", { className: "avatar none" });
  return element(
    "div",
    { className: "row", dataset: { id: entry.id } },
    side,
    content,
    element("span", { className: "meta" }, timeOf(entry)),
  );
}

function accountContent(message, act) {
  switch (message.type) {
    case "text":
    case "textV2":
      return element("p", { className: "bubble" }, message.text);
    case "sticker":
      return sticker();
    case "image":
    case "video":
    case "audio":
      return card(
        { image: "An image", video: "A video", audio: "A voice message" }[message.type],
        element(
          "a",
          { className: "card-button", href: safeLink(message.originalContentUrl), target: "_blank", rel: "noreferrer" },
          "Open",
        ),
      );
    case "location":
      return card(message.title, element("p", {}, message.address));
    case "template":
      return template(message.template, act);
    default:
      return card(message.altText ?? `A ${message.type} message`);
  }
}

function template({ type, title, text, actions = [], columns = [] }, act) {
  const buttons = (list) => list.map((action) => actionButton(action, "card-button", act));
  if (type === "buttons" || type === "confirm") {
    return card(title ?? null, element("p", {}, text), ...buttons(actions));
  }
  const cards = columns.map((column) =>
    type === "carousel"
      ? card(column.title ?? null, element("p", {}, column.text), ...buttons(column.actions))
      : card(null, ...buttons([column.action])),
  );
  return element("div", { className: "carousel", tabIndex: 0 }, ...cards);
}

function card(title, ...content) {
  return element("div", { className: "card" }, title === null ? null : element("strong", {}, title), ...content);
}

function loadingRow(account) {
  const dots = element("p", { className: "bubble loading", role: "status" }, element("i"), element("i"), element("i"));
  dots.append(element("span", { className: "hidden" }, `${account.displayName} is writing`));
  return element("div", { className: "row" }, avatar(account.basicId, account.displayName), dots);
}

function sticker() {
  return document.getElementById("sticker-picture").content.firstElementChild.cloneNode(true);
}

function timeOf({ at }) {
  const date = new Date(at);
  return element(
    "time",
    { dateTime: date.toISOString(), title: date.toLocaleString() },
    date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" }),
  );
}

/** An account may send any link; only those that open a page, a call or a mail are offered. */
function safeLink(link) {
  return /^(https?|tel|mailto|line):/i.test(link) ? link : "#";
}
