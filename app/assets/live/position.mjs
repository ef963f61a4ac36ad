// The open position: what it is, what it is worth now, how far its stop and target are, and why it was opened.
import { act, make, part, write } from "./account.mjs";

const FIGURES = ["entry", "price", "notional", "margin", "liquidation", "stop", "target", "risk"];

function build(root, data) {
  const { text } = data;
  const flat = make("p", { class: "flat" }, text.flat);
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
  root.append(flat, body);

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
    act({
      path: "/api/close",
      body: () => ({ side }),
      shows: ({ position }) => ({ position: position && { ...position, closing: true, unclosed: null } }),
      done: text.asked,
    });
  };

  return ({ told }) => {
    const { position, open, standing } = told;
    root.hidden = !told.account;
    flat.hidden = Boolean(position);
    body.hidden = !position;
    if (!position) { ask.hidden = true; return; }
    if (position.side !== side_shown) ask.hidden = true; // another position than the one the question was about
    side_shown = position.side;
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
