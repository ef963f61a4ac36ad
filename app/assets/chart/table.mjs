// The same as numbers: the newest bars in sight, the price lines, the marks. For who cannot see a drawing or wants
// figures; made when it is opened and at each new bar, not at each tick.
import { element } from "./look.mjs";
import { fixed } from "./numbers.mjs";
import { moment, volume } from "./words.mjs";

const MOST = 60;

const row = (cells, kind = "td") => element("tr", {}, ...cells.map((cell) => element(kind, kind === "th" ? { scope: "col" } : {}, cell)));

function listed(caption, heads, rows) {
  return element("table", {}, element("caption", {}, caption), element("thead", {}, row(heads, "th")),
    element("tbody", {}, ...rows.map((cells) => row(cells))));
}

export class Table {
  constructor(stage) {
    this.box = element("div", { class: "table", hidden: "", tabindex: "0", role: "region" });
    stage.append(this.box);
  }

  get open() {
    return !this.box.hidden;
  }

  show(open) {
    this.box.hidden = !open;
    if (open) this.box.focus();
  }

  /** *bars* are those in sight, oldest first; *logHref* makes an address of a log id. */
  fill({ name, bars, lines, marks, step, places, zone, data, logHref }) {
    const { text, locale, numbers } = data;
    const at = (time) => moment(time, locale, step);
    const made = [listed(`${name} · ${data.zone}`, [text.time, text.open, text.high, text.low, text.close, text.volume],
      bars.slice(-MOST).reverse().map((one) => [
        at(one.time), ...[one.open, one.high, one.low, one.close].map((value) => fixed(value, places, numbers)), volume(one.volume, numbers)]))];
    if (lines.length) made.unshift(listed(text.lines, [text.line, text.price], lines.map((line) => [line.title, fixed(line.price, places, numbers)])));
    if (marks.length) {
      made.push(listed(text.marks, [text.time, text.mark, text.pnl], marks.slice(-MOST).reverse().map((mark) => [
        moment(mark.time + zone, locale, 60),
        mark.log === null ? `${mark.title} ${mark.detail}` : element("a", { href: logHref(mark.log) }, `${mark.title} ${mark.detail}`),
        mark.pnl])));
    }
    this.box.setAttribute("aria-label", name);
    this.box.replaceChildren(...made);
  }
}

