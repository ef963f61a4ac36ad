// The person's account as the server tells it: one socket a tab, shared by every part of the page that shows it.
// An act is shown at once (a wish), sent over REST, and confirmed or taken back by the server's answer. While the
// socket is away, acts and readings go on over REST, and everybody is told that what they see is not live.

/** @typedef {{told: Object, live: "opening"|"live"|"closed", pending: boolean}} View */
/** @typedef {{error: string, params: Object}} Refusal */

const FIRST_WAIT = 500; // ms before the first try to connect again
const LONGEST_WAIT = 15000;
const PATIENCE = 4000; // ms to wait for the channel to confirm what REST has answered
const LINGER = 3000; // ms without a part that watches, before the socket is given up
const ACT = "x-maemae-act"; // the number under which the channel will tell of an act

const watchers = new Set();
const listeners = new Set();
const wishes = [];
let told = {};
let live = "opening";
let socket, timer, leaving, wait = FIRST_WAIT, confirming = [];

/** What is shown: what the server told, with what was wished for on top. @returns {View} */
function view() {
  let shown = told;
  for (const wish of wishes) shown = { ...shown, ...wish(shown) };
  return { told: shown, live, pending: wishes.length > 0 };
}

function tell() {
  const shown = view();
  for (const draw of watchers) draw(shown);
}

/** Call *draw* with every view from now on. @param {(view: View) => void} draw @returns {() => void} stops it */
export function watch(draw) {
  watchers.add(draw);
  clearTimeout(leaving);
  if (!socket) open();
  if (told.market) draw(view());
  return () => {
    watchers.delete(draw);
    clearTimeout(leaving);
    // a change of page takes every part away and brings the next ones at once
    leaving = setTimeout(() => { if (!watchers.size) close(); }, LINGER);
  };
}

/** What is to be said to the person: *hear* gets {text} or a refusal. */
export function listen(hear) {
  listeners.add(hear);
  return () => listeners.delete(hear);
}

/** @param {{text: string}|Refusal} word */
export const say = (word) => listeners.forEach((hear) => hear(word));

/** What the server told last, without wishes. */
export const known = () => told;

const address = (path) => location.origin.replace(/^http/, "ws") + path;

function heard(message, whole) {
  told = whole ? message : { ...told, ...message };
  confirming = confirming.filter((one) => !one(told.acts ?? 0));
  tell();
}

function open() {
  clearTimeout(timer);
  let whole = true;
  const mine = (socket = new WebSocket(address("/api/ws/account")));
  mine.onmessage = (event) => {
    if (mine !== socket) return;
    live = "live";
    wait = FIRST_WAIT;
    heard(JSON.parse(event.data), whole);
    whole = false;
  };
  mine.onclose = (event) => {
    if (mine !== socket) return;
    if (event.code === 4401) return location.reload();
    live = "closed";
    // nobody will confirm over this socket any more
    confirming = confirming.filter((one) => !one(Infinity));
    tell();
    timer = setTimeout(() => { open(); refresh(); }, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  };
}

function close() {
  clearTimeout(timer);
  const mine = socket;
  socket = undefined;
  told = {};
  live = "opening";
  mine?.close();
}

/** Read everything over REST, while the channel does not tell it. */
async function refresh() {
  try {
    const reply = await fetch("/api/account", { credentials: "same-origin", cache: "no-store" });
    if (reply.status === 401) return location.reload();
    if (reply.ok && live !== "live") heard(await reply.json(), true);
  } catch { /* the next try comes with the next connection */ }
}

for (const name of ["online", "pageshow"]) {
  window.addEventListener(name, () => { if (socket && live === "closed") { clearTimeout(timer); open(); } });
}

/** Until the channel has told of act *number*, or cannot any more. */
const confirmed = (number) => new Promise((done) => {
  if (live !== "live" || !(number > 0) || (told.acts ?? 0) >= number) return done();
  const late = setTimeout(done, PATIENCE);
  confirming.push((acts) => {
    if (acts < number) return false;
    clearTimeout(late);
    done();
    return true;
  });
});

/** POST *body* to *path*. @returns {Promise<{refusal: Refusal?, status: number, act: number}>} */
async function post(path, body) {
  try {
    const reply = await fetch(path, {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (reply.status === 401) location.reload();
    const said = await reply.json().catch(() => ({}));
    const refusal = reply.ok ? null : { params: {}, ...said, error: said.error ?? "refuse.server" };
    return { refusal, status: reply.status, act: Number(reply.headers.get(ACT)) };
  } catch {
    return { refusal: { error: "refuse.offline", params: {} }, status: 0, act: 0 };
  }
}

/**
 * Do something: *shows* is what is seen from now until the server has answered, *done* the words for a success. It is
 * sent once *after* has ended; *again* says whether it is sent once more when something else was changed meanwhile.
 * @param {{path: string, body?: () => Object, shows: (told: Object) => Object, done?: string,
 *   after?: Promise<any>, again?: (said: Object) => boolean}} what
 * @returns {Promise<boolean>} whether it was done
 */
export async function act({ path, body = () => ({}), shows, done, after, again = () => false }) {
  wishes.push(shows);
  tell();
  await after;
  let answer = await post(path, body());
  // refused for something else that changed: asked once more, with what stands now
  if (answer.status === 409 && again(answer.refusal)) answer = await post(path, body());
  if (!answer.refusal) {
    await confirmed(answer.act);
    if (live !== "live") await refresh();
  } else if (answer.status === 409 && live !== "live") await refresh();
  wishes.splice(wishes.indexOf(shows), 1);
  tell();
  if (answer.refusal) say(answer.refusal);
  else if (done) say({ text: done });
  return !answer.refusal;
}

/** An element with its classes, attributes and children; every text is a text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Write *text* into *element*, and *tone* as its class beside *name*, if they changed. */
export function write(element, text, name, tone) {
  if (element.textContent !== text) element.textContent = text;
  const wanted = name === undefined ? element.className : `${name} ${tone || ""}`.trim();
  if (element.className !== wanted) element.className = wanted;
}

/**
 * A part of the page: built once for its place, drawn at every view, built anew when Python's data changed.
 * Its place has the newest way to speak to the script (`args`), and takes what must end with it (`atEnd`).
 * @param {(root: HTMLElement, data: Object, place: {args: Object, atEnd: (end: () => void) => void}) => (view: View) => void} build
 */
export function part(name, build) {
  const made = new WeakMap();
  return (args) => {
    const { data, parentElement } = args;
    let state = made.get(parentElement);
    if (!state) {
      state = { root: make("div", { class: name }), place: {} };
      parentElement.append(state.root);
      made.set(parentElement, state);
    }
    state.place.args = args;
    const fresh = JSON.stringify(data);
    if (fresh !== state.seen) {
      state.stop?.();
      state.seen = fresh;
      state.root.replaceChildren();
      const ends = [];
      state.place.atEnd = (end) => ends.push(end);
      const draw = build(state.root, data, state.place);
      const unwatch = watch((shown) => { if (shown.told.market) draw(shown); });
      state.stop = () => [unwatch, ...ends].forEach((end) => end());
    }
    return () => { state.stop(); state.root.remove(); made.delete(parentElement); };
  };
}
