import { actionButton, avatar, choices, element, rows } from "./chat.js";

const byId = (id) => document.getElementById(id);
const base = "/demo/line/users";

let account = { displayName: "", basicId: "" };
let people = [];
/** The user whose phone this is; null before somebody is chosen. */
let userId = null;
let screen = null;
let changes = null;
let loadingTimer = 0;
let isStale = false;
let isReading = false;
let isAtEnd = true;

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
});
byId("text").addEventListener("keydown", (event) => {
  // With an input method, Enter ends the composition.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText();
});
byId("sticker").addEventListener("click", () => act({ type: "sticker" }));
byId("pick-image").addEventListener("click", () => byId("image").click());
byId("image").addEventListener("change", sendImage);
byId("block").addEventListener("click", () => {
  byId("menu").open = false;
  act({ type: screen?.isFriend ? "unfollow" : "follow" });
});
byId("unblock").addEventListener("click", () => act({ type: "follow" }));
byId("person").addEventListener("change", ({ target }) => choose(target.value));
for (const id of ["new-person", "first-person"]) byId(id).addEventListener("submit", addPerson);
document.addEventListener("click", ({ target }) => {
  if (!byId("menu").contains(target)) byId("menu").open = false;
});
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") byId("menu").open = false;
});
byId("chat").addEventListener("scroll", ({ target }) => {
  isAtEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 40;
});
// An image that has loaded, or a keyboard that opens, moves the end. The event of an image does not bubble.
byId("chat").addEventListener("load", keepEnd, true);
new ResizeObserver(keepEnd).observe(byId("chat"));
window.addEventListener("hashchange", () => choose(location.hash.slice(1)));

await start();

async function start() {
  const answer = await ask("");
  if (answer === null) return;
  account = answer.account;
  people = answer.users;
  byId("account-name").textContent = account.displayName;
  byId("account-avatar").replaceWith(avatar(account.basicId, account.displayName));
  choose(location.hash.slice(1) || people[0]?.userId || null);
}

/** Shows the phone of a user; null, or one who is not known, asks who it is. */
function choose(wanted) {
  userId = people.some((person) => person.userId === wanted) ? wanted : null;
  screen = null;
  isAtEnd = true;
  changes?.close();
  clearTimeout(loadingTimer);
  tell(null);
  drawPeople();
  byId("chat").replaceChildren();
  drawControls();
  if (userId === null) return;
  if (location.hash.slice(1) !== userId) history.replaceState(null, "", `#${userId}`);
  changes = new EventSource(`${base}/${encodeURIComponent(userId)}/changes`);
  // Also after a broken connection: what was missed is read then.
  changes.addEventListener("open", () => {
    drawLive(true);
    refresh();
  });
  changes.addEventListener("error", () => drawLive(false));
  changes.addEventListener("message", refresh);
}

/** Reads what the phone shows. A change during the reading is read afterwards. */
async function refresh() {
  isStale = true;
  if (isReading) return;
  isReading = true;
  await readWhileStale();
  isReading = false;
}

async function readWhileStale() {
  while (isStale && userId !== null) {
    isStale = false;
    const asked = userId;
    const answer = await ask(`/${encodeURIComponent(asked)}`);
    if (answer === null) return;
    if (asked !== userId) isStale = true;
    else draw(answer);
  }
}

function draw(next) {
  screen = next;
  patch(byId("chat"), rows(screen, account, { act: tap, unsend: (messageId) => act({ type: "unsend", messageId }) }));
  drawControls();
  keepEnd();
  clearTimeout(loadingTimer);
  if (screen.loadingFor > 0) loadingTimer = setTimeout(refresh, screen.loadingFor + 50);
}

/** Stays at the newest entry, unless the user has scrolled up to read older ones. */
function keepEnd() {
  const chat = byId("chat");
  if (isAtEnd) chat.scrollTop = chat.scrollHeight;
}

/** Replaces only what differs: the focus stays, and a screen reader announces only what is new. */
function patch(container, wanted) {
  wanted.forEach((node, index) => {
    const present = container.children[index];
    if (present === undefined) container.append(node);
    else if (!present.isEqualNode(node)) present.replaceWith(node);
  });
  while (container.children.length > wanted.length) container.lastElementChild.remove();
}

function drawControls() {
  const isFriend = screen?.isFriend ?? true;
  byId("nobody").hidden = userId !== null;
  byId("composer").hidden = userId === null || !isFriend;
  byId("blocked").hidden = userId === null || isFriend;
  byId("menu").hidden = userId === null;
  byId("block").textContent = isFriend ? "Block this account" : "Unblock this account";
  const offered = screen === null ? [] : choices(screen);
  byId("choices").hidden = offered.length === 0;
  patch(
    byId("choices"),
    offered.map((action) => actionButton(action, "choice", tap)),
  );
}

function drawPeople() {
  const options = people.map((person) => element("option", { value: person.userId }, person.displayName));
  byId("person").replaceChildren(...options, element("option", { value: "" }, "Someone else…"));
  byId("person").value = userId ?? "";
  byId("person").parentElement.hidden = people.length === 0;
  byId("people").replaceChildren(
    ...people.map((person) => {
      const button = element(
        "button",
        { type: "button", onclick: () => choose(person.userId) },
        avatar(person.userId, person.displayName),
        person.displayName,
      );
      if (person.userId === userId) button.setAttribute("aria-current", "true");
      return element("li", {}, button);
    }),
  );
}

function drawLive(isLive) {
  byId("live-dot").dataset.state = isLive ? "live" : "reconnecting";
  byId("live-text").textContent = isLive ? account.basicId : "Reconnecting…";
}

async function addPerson(event) {
  event.preventDefault();
  const field = event.target.elements.displayName;
  const added = await ask("", { displayName: field.value });
  if (added === null) return;
  field.value = "";
  people = [...people, added];
  choose(added.userId);
  byId("text").focus();
}

async function sendText() {
  const field = byId("text");
  const text = field.value;
  if (text.trim() === "") return;
  field.value = "";
  // What could not be sent is not lost.
  if (!(await act({ type: "write", text })) && field.value === "") field.value = text;
}

async function sendImage({ target }) {
  const [file] = target.files;
  target.value = "";
  if (file === undefined) return;
  await ask(`/${encodeURIComponent(userId)}/images`, file);
}

/** What a tap on a button of the account does. */
function tap(action) {
  switch (action.type) {
    case "message":
      return act({ type: "write", text: action.text });
    case "postback":
      return act({ type: "tap", data: action.data, displayText: action.displayText ?? action.text });
    case "datetimepicker":
      return act({ type: "tap", data: action.data, params: { [action.mode]: nowAs(action.mode) } });
    case "camera":
    case "cameraRoll":
      return byId("image").click();
    case "clipboard":
      return navigator.clipboard.writeText(action.clipboardText);
    default:
      return tell("This phone cannot do that.");
  }
}

/** The picker itself is left out: it would start with the present time. */
function nowAs(mode) {
  const now = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  return { date: now.slice(0, 10), time: now.slice(11, 16), datetime: now.slice(0, 16) }[mode];
}

/** Does something as the user; false if that was refused. */
async function act(action) {
  if (userId === null) return false;
  return (await ask(`/${encodeURIComponent(userId)}/actions`, action)) !== null;
}

/** Reads, or sends JSON or a file. Null, after telling the user why, if it failed. */
async function ask(path, body) {
  try {
    const response = await fetch(base + path, requestOf(body));
    const answer = await response.json();
    if (response.ok) {
      tell(null);
      return answer;
    }
    tell(answer.error?.message ?? "That did not work. Try again.");
  } catch {
    tell("The server cannot be reached. Try again.");
  }
  return null;
}

function requestOf(body) {
  if (body === undefined) return {};
  if (body instanceof File) return { method: "POST", headers: { "content-type": body.type }, body };
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function tell(notice) {
  byId("notice").hidden = notice === null;
  byId("notice").textContent = notice ?? "";
}
