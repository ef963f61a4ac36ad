// The bar that stays: the one word for the account, price, open P&L, and the buttons that stop it, on every page.
// What would close positions asks once more, in the bar itself.
import { act, listen, make, part, write } from "./account.mjs";

const SHOWN = 6000; // ms a word to the person stays
const UNKNOWN = "\u00a0"; // keeps the line of what is not known yet, so that nothing moves when it is

const halted = (standing, closing) => ({ ...standing, own: true, closing, halted: true, state: "stopping", why: null });
const WISHES = {
  pause: ({ standing }) => ({ standing: halted(standing, standing.closing) }),
  flatten: ({ standing }) => ({ standing: halted(standing, true) }),
  resume: ({ standing }) => ({
    standing: { ...standing, own: false, closing: false, halted: false, state: standing.auto ? "on" : "off", why: null },
  }),
};

const filled = (template, params) => template.replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);

function build(root, data, place) {
  const { text } = data;
  const icon = (name) => make("i", { class: "icon", "aria-hidden": "true" }, name);
  const state = make("b", {}, UNKNOWN);
  const chip = make("span", { class: "state" }, make("i", { class: "dot" }), state);
  const price = make("b", { class: "price" }, UNKNOWN);
  const symbol = make("span", { class: "symbol" });
  const change = make("em", { title: text.day });
  const pnl = make("b"), won = make("small", { class: "won" }), share = make("small");
  const open = make("span", { class: "pnl" }, make("small", { class: "label" }, text.open_pnl), pnl, won, share);
  const dead = make("span", { class: "dead", role: "status" }, icon("cloud_off"), make("span", {}, text.dead));
  const button = (name, sign, label, short) => {
    const sized = [make("span", { class: "long" }, label), make("span", { class: "short" }, short)];
    return make("button", { type: "button", class: name, title: data.read_only ? text.read_only : label, "aria-label": label },
      icon(sign), ...sized);
  };
  const pause = button("pause", "pause", text.pause, text.pause_short);
  const resume = button("resume", "play_arrow", text.resume, text.resume_short);
  const close = button("close", "close", text.flatten, text.flatten_short);
  const acts = make("span", { class: "acts" }, pause, resume, close);
  const why = make("p", { class: "why" });
  const quote = make("span", { class: "quote" }, symbol, price, change);
  const row = make("div", { class: "row" }, make("span", { class: "who" }, chip, quote), open, dead, why, acts);
  const yes = make("button", { type: "button", class: "yes" }, text.flatten_yes);
  const no = make("button", { type: "button", class: "no" }, text.no);
  const ask = make("div", { class: "ask", role: "alertdialog", "aria-label": text.flatten, hidden: true },
    make("p", {}, text.flatten_sure), make("span", { class: "acts" }, no, yes));
  const note = make("p", { class: "note", role: "status" });
  root.append(row, ask, note);
  // until the first word is here: what stops is in reach, what is not known is not said
  resume.hidden = open.hidden = dead.hidden = true;
  for (const one of [pause, close, yes]) one.disabled = data.read_only;

  const asking = (is) => {
    ask.hidden = !is;
    (is ? no : close).focus({ preventScroll: true });
  };
  const doing = (name, done) => act({ path: `/api/${name}`, shows: WISHES[name], done });
  pause.onclick = () => doing("pause", text.paused);
  resume.onclick = () => doing("resume", text.resumed);
  close.onclick = () => asking(ask.hidden);
  no.onclick = () => asking(false);
  ask.onkeydown = (event) => { if (event.key === "Escape") asking(false); };
  yes.onclick = () => { asking(false); doing("flatten", text.flatten_asked); };

  let hiding;
  place.atEnd(listen((word) => {
    const refused = word.error !== undefined;
    // what matters most asks once more who it is: the page does that
    if (word.error === "refuse.step_up") place.args.setTriggerValue("proof", Date.now());
    write(note, refused ? filled(data.errors[word.error] ?? data.errors["refuse.server"], word.params) : word.text,
      "note", refused ? "refused" : "done");
    clearTimeout(hiding);
    hiding = setTimeout(() => write(note, "", "note", ""), SHOWN);
  }));

  const shownState = ({ standing }) => (standing ? standing.state : "none");
  return ({ told, live, pending }) => {
    const { account, standing } = told;
    const market = told.quotes?.[data.symbol] ?? told.market;
    const moving = told.total ?? told.open;
    root.classList.toggle("several", Boolean(told.quotes));
    const word = account ? shownState(told) : "none";
    write(state, text[`state_${word}`], "", "");
    chip.className = `state ${word}${pending ? " pending" : ""}`;
    write(symbol, market.symbol);
    write(price, market.price, "price", "");
    write(change, market.change === "–" ? "" : market.change, "change", market.tone);
    open.hidden = !account || !moving;
    write(pnl, moving?.pnl ?? "", "", moving?.tone);
    write(won, moving?.won ?? "", "won");
    write(share, moving?.share ? `${moving.share} · ${moving.r}` : "", "share", "");
    dead.hidden = live !== "closed";
    root.classList.toggle("stale", live === "closed");
    acts.hidden = !account;
    pause.hidden = Boolean(standing?.own);
    resume.hidden = !standing?.own;
    close.hidden = Boolean(standing?.closing);
    for (const one of [pause, resume, close, yes]) one.disabled = data.read_only;
    const sentences = account && standing.why ? standing.why[data.language] : [];
    const tells = word === "stopping" || word === "stopped" || word === "locked";
    write(why, data.read_only ? text.read_only : tells ? sentences.join(" · ") : "");
    why.title = why.textContent;
  };
}

export default part("bar", build);
