// The open position's price lines, and a mark for each order that filled: hovered it says what and why, a click opens
// the decision. In wide intervals the marks of one bar and kind are one.
import { element, LWC } from "./look.mjs";
import { moment, signed } from "./words.mjs";

const SHAPES = { buy: ["belowBar", "arrowUp", "up"], sell: ["aboveBar", "arrowDown", "down"], exit: ["aboveBar", "circle", "accent"] };
const WORD = 90; // pixels of the chart's width that a mark in sight has for its words
const MOST_TOLD = 4;
const REACH = 52; // pixels from a bar to the farthest of its marks

/** @typedef {{time: number, kind: string, title: string, detail: string, why: string, pnl: string, tone: string, log: ?number}} Mark */

/** The open profit of *position* at *price*; for drawing only. */
export const openPnl = (position, price) => (price - position.entry) * position.qty;

export class Lines {
  constructor(candles) {
    this.candles = candles;
    this.drawn = new Map();
  }

  /** Have exactly *wanted* drawn. */
  draw(wanted, palette) {
    const kept = new Set(wanted.map((line) => line.id));
    for (const [id, { line }] of this.drawn) {
      if (kept.has(id)) continue;
      this.candles.removePriceLine(line);
      this.drawn.delete(id);
    }
    for (const { id, price, title, tone, dashed } of wanted) {
      const options = {
        price, title, color: palette[tone] ?? palette.accent, lineWidth: 1,
        lineStyle: dashed ? LWC.LineStyle.Dashed : LWC.LineStyle.Solid, axisLabelVisible: true,
      };
      const known = this.drawn.get(id);
      if (known) known.line.applyOptions(options);
      else this.drawn.set(id, { line: this.candles.createPriceLine(options) });
      this.drawn.get(id).title = title;
    }
  }

  /** The entry says what the position would bring now. */
  tick(position, price, numbers) {
    const entry = position && this.drawn.get("entry");
    if (!entry) return;
    const title = `${entry.title} ${signed(openPnl(position, price), numbers)}`;
    if (entry.said !== title) entry.line.applyOptions({ title: (entry.said = title) });
  }
}

export class Marks {
  /** *open* is called with the id of a log row and whether in a tab of its own, *barAt* says which bar stands at a place. */
  constructor(api, candles, frame, { open, barAt }) {
    Object.assign(this, { api, candles, barAt, open });
    this.plugin = LWC.createSeriesMarkers(candles, []);
    this.frame = frame;
    this.groups = new Map(); // marker id -> its marks, newest first
    this.tip = element("div", { class: "tip", hidden: "" });
    frame.append(this.tip);
    api.subscribeCrosshairMove((at) => this.hover(at));
    api.subscribeClick((at) => this.click(at));
  }

  /** Draw *marks* over bars of *step*; *first* is the oldest bar's time. */
  draw(marks, palette, { step, shift, zone, first, locale, text }) {
    this.said = { locale, zone, text, palette };
    this.groups = new Map();
    for (const mark of marks) {
      const time = mark.time - (mark.time % step) + shift;
      if (time < first) continue;
      // by the minute each mark is itself; wider, one a bar and kind
      const id = `${time} ${mark.kind}`;
      this.groups.set(id, [mark, ...(this.groups.get(id) ?? [])]);
    }
    this.times = [...this.groups.keys()].map((id) => Number(id.split(" ")[0]));
    this.worded = null;
    this.word();
  }

  /** Words beside the marks while few are in sight. */
  word() {
    if (!this.groups.size && this.worded === null) this.plugin.setMarkers([]);
    const range = this.api.timeScale().getVisibleRange();
    const inSight = range ? this.times.filter((time) => time >= range.from && time <= range.to).length : 0;
    const worded = inSight * WORD <= this.frame.clientWidth;
    if (worded === this.worded) return;
    this.worded = worded;
    const drawn = [...this.groups].map(([id, group]) => {
      const [position, shape, tone] = SHAPES[group[0].kind] ?? SHAPES.exit;
      const many = group.length > 1 ? ` ×${group.length}` : "";
      const text = worded ? `${group[0].title}${many}` : many.trim();
      return { id, time: Number(id.split(" ")[0]), position, shape, color: this.said.palette[tone], text, size: 1 };
    });
    this.plugin.setMarkers(drawn.sort((one, other) => one.time - other.time));
  }

  /** The marks under the pointer: those over or under its bar, a finger's breadth around them. */
  group(at) {
    const bar = at.point && at.logical !== undefined ? this.barAt(Math.round(at.logical)) : undefined;
    if (bar === undefined) return undefined;
    const [top, bottom] = [bar.high, bar.low].map((price) => this.candles.priceToCoordinate(price));
    const side = at.point.y < top + 4 && at.point.y > top - REACH ? "aboveBar" : at.point.y > bottom - 4 && at.point.y < bottom + REACH ? "belowBar" : "";
    const found = Object.keys(SHAPES).filter((kind) => SHAPES[kind][0] === side)
      .flatMap((kind) => this.groups.get(`${bar.time} ${kind}`) ?? []);
    return found.length ? found.sort((one, other) => other.time - one.time) : undefined;
  }

  hover(at) {
    const group = this.group(at);
    this.frame.style.cursor = group?.some((mark) => mark.log !== null) ? "pointer" : "";
    if (!group) {
      this.tip.hidden = true;
      return;
    }
    this.tell(group, at.point);
  }

  tell(group, point) {
    const { text, palette } = this.said;
    const told = group.slice(0, MOST_TOLD).map((mark) => this.entry(mark));
    if (group.length > MOST_TOLD) told.push(element("small", {}, `+${group.length - MOST_TOLD}`));
    if (group.some((mark) => mark.log !== null)) told.push(element("small", {}, text.mark_open));
    this.tip.replaceChildren(...told);
    this.tip.style.borderColor = palette[SHAPES[group[0].kind]?.[2] ?? "accent"];
    this.tip.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const room = { x: this.frame.clientWidth, y: this.frame.clientHeight };
    this.tip.style.left = `${Math.max(4, Math.min(point.x + 14, room.x - width - 8))}px`;
    this.tip.style.top = `${Math.max(4, point.y + 18 + height > room.y ? point.y - height - 14 : point.y + 18)}px`;
  }

  entry(mark) {
    const { locale, palette, zone } = this.said;
    const head = element("b", {}, mark.title);
    head.style.color = palette[SHAPES[mark.kind]?.[2] ?? "accent"];
    const pnl = element("span", {}, mark.pnl);
    pnl.style.color = palette[mark.tone] ?? "inherit";
    const time = element("time", {}, moment(mark.time + zone, locale, 60));
    const made = element("div", {}, element("p", {}, head, " ", pnl, time), element("p", {}, mark.detail));
    if (mark.why) made.append(element("p", { class: "why" }, mark.why));
    return made;
  }

  click(at) {
    const group = this.group(at);
    const log = group?.find((mark) => mark.log !== null)?.log;
    // a finger has not hovered: its first touch tells, the second opens
    if (group && this.tip.hidden) return this.tell(group, at.point);
    if (!group) this.tip.hidden = true;
    if (log !== undefined) this.open(log, Boolean(at.sourceEvent?.ctrlKey || at.sourceEvent?.metaKey));
  }
}
