// The open position of the symbol that is shown: what it is, what it is worth now, how far its stop and target are, and
// why it was opened. Under it those that are open in other symbols, each the way to its own.
import { act, make, part, write } from "./account.mjs";

const FIGURES = ["entry", "price", "notional", "margin", "liquidation", "stop", "target", "risk"];

/** Of what the account holds, and of what the price moves of it, that of the symbol *data* is about. */
function shown(told, data) {
  if (!data.symbol || !told.positions) return { position: told.position, open: told.open };
  const position = told.positions.find((one) => one.symbol === data.symbol) ?? null;
  return { position, open: told.opens?.[data.symbol] };
}

function build(root, data, place) {
  const { text } = data;
  const flat = make("p", { class: "flat" }, data.several ? `${data.symbol} · ${text.flat}` : text.flat);
  const side = make("b"), size = make("span", { class: "size" });
  const pnl = make("b"), won = make("small", { class: "won" }), share = make("small");
  const close = make("button", { type: "button", class: "close" }, text.close);
  close.disabled = data.read_only;
  const head = make("div", { class: "head" }, side, size, make("span", { class: "pnl" }, pnl, won, share), close);
  const yes = make("button", { type: "button", class: "yes" }, text.close_yes);
  const no = make("button", { type: "button", class: "no" }, text.no);
  const sure = make("p");
  const ask = make("div", { class: "ask", role: "alertdialog", "aria-label": text.close, hidden: true }, sure, make("span", { class: "acts" }, no, yes));
  const cells = Object.fromEntries(FIGURES.map((name) => [name, { value: make("b"), note: make("small") }]));
  for (const [name, cell] of Object.entries(cells)) {
    cell.name = make("dt", {}, text[name]);
    cell.box = make("div", { title: text[`${name}_help`] ?? null }, cell.name, make("dd", {}, cell.value, cell.note));
  }
  const grid = make("dl", {}, ...Object.values(cells).map((cell) => cell.box));
  const why = make("p", { class: "thesis" });
  const more = make("a", { class: "more" }, text.more);
  const thesis = make("div", { class: "why" }, make("small", {}, text.thesis), why, more);
  const unclosed = make("p", { class: "unclosed", role: "status" });
  const body = make("div", { class: "body" }, head, ask, unclosed, grid, thesis);
  const others = make("div", { class: "others", role: "group", "aria-label": text.others, hidden: true });
  root.append(flat, body, others);
  const ways = new Map(); // symbol -> the button that leads to it

  let symbol_shown;
  let side_shown; // what is asked to be closed is what its owner saw
  const asking = (is) => {
    ask.hidden = !is;
    (is ? no : close).focus({ preventScroll: true });
  };
  close.onclick = () => asking(ask.hidden);
  no.onclick = () => asking(false);
  ask.onkeydown = (event) => { if (event.key === "Escape") asking(false); };
  yes.onclick = () => {
    ask.hidden = true;
    const side = side_shown;
    const symbol = symbol_shown;
    const closing = (one) => (one && one.symbol === symbol ? { ...one, closing: true, unclosed: null } : one);
    act({
      path: "/api/close",
      body: () => ({ side, symbol }),
      shows: ({ position, positions }) => ({ position: closing(position), positions: positions?.map(closing) }),
      done: text.asked,
    });
  };

  const drawOthers = (told) => {
    const found = data.several ? (told.positions ?? []).filter((one) => one.symbol !== data.symbol) : [];
    const names = found.map((one) => one.symbol);
    if (names.join() !== [...ways.keys()].join()) {
      ways.clear();
      for (const name of names) {
        const side = make("b"), pnl = make("b");
        const button = make("button", { type: "button", title: text.show }, make("span", {}, name), side, pnl);
        button.onclick = () => place.args.setTriggerValue("symbol", name);
        ways.set(name, { button, side, pnl });
      }
      others.replaceChildren(...[...ways.values()].map((one) => one.button));
    }
    others.hidden = !found.length;
    for (const one of found) {
      const way = ways.get(one.symbol), moving = told.opens?.[one.symbol];
      write(way.side, `${text[one.side]} ${one.qty}`, "", one.side === "long" ? "up" : "down");
      write(way.pnl, moving ? `${moving.pnl} USDT` : "–", "pnl", moving?.tone);
    }
  };

  return ({ told }) => {
    const { standing } = told, { position, open } = shown(told, data);
    root.hidden = !told.account;
    drawOthers(told);
    flat.hidden = Boolean(position);
    body.hidden = !position;
    if (!position) { ask.hidden = true; return; }
    if (position.side !== side_shown) ask.hidden = true; // another position than the one the question was about
    side_shown = position.side;
    symbol_shown = position.symbol;
    const goes_on = standing?.halted ? text.sure_halted : standing?.auto ? text.sure_on : text.sure_off;
    write(sure, `${text.sure} ${goes_on}`);
    write(side, text[position.side], "side", position.side === "long" ? "up" : "down");
    write(size, `${position.symbol} ${position.qty} · ${position.leverage}`);
    write(pnl, open ? `${open.pnl} USDT` : "–", "", open?.tone);
    write(won, open?.won ?? "", "won");
    write(share, open ? `${open.share} · ${open.r}` : "", "share", open?.tone);
    const closing = Boolean(standing?.closing || position.closing);
    close.disabled = data.read_only || closing;
    write(close, closing ? text.closing : text.close);
    write(unclosed, closing ? "" : position.unclosed?.[data.language] ?? "");
    for (const name of FIGURES) {
      const shown = open?.[name] ?? position[name] ?? "–";
      write(cells[name].value, typeof shown === "string" ? shown : shown[data.language]);
    }
    const liquidation = position.estimated ? "estimate" : "liquidation";
    write(cells.liquidation.name, text[liquidation]);
    cells.liquidation.box.title = text[`${liquidation}_help`];
    write(cells.liquidation.note, open?.to_liquidation ?? "");
    write(cells.stop.note, open?.to_stop ?? "");
    write(cells.target.note, open?.to_target ?? "");
    const words = position.thesis[data.language];
    thesis.hidden = !words;
    write(why, words);
    more.hidden = !position.log_id;
    more.href = `${data.log}${position.log_id}`;
  };
}

export default part("position", build);
