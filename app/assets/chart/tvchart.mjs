// The live chart: mounted once a page, called again when Python's data or the theme changed. Candles come by feed.mjs,
// never through Python; what Python tells is a symbol's places, the position's lines, the marks and the words.
// Only what changed is drawn: a tick draws a bar, an unchanged rerun nothing.
import { candleOptions, chartOptions, element, LWC, palette } from "./look.mjs";
import { follow, history } from "./feed.mjs";
import { describe, Pill, Veil } from "./notices.mjs";
import { Lines, Marks } from "./marks.mjs";
import { fixed } from "./numbers.mjs";
import { NAMES, Overlays } from "./overlays.mjs";
import { dress } from "./style.mjs";
import { Candles, DAY, mergeRows, STEPS } from "./rows.mjs";
import { Table } from "./table.mjs";
import { stepLabel, Toolbar } from "./toolbar.mjs";
import { THINNEST, View } from "./view.mjs";
import { filled, moment, tick } from "./words.mjs";

const charts = new WeakMap(); // parentElement -> Chart
const KEY = "maemae.chart";
const USUAL = ["volume", "ema"];
const NEAR = 30; // bars from the left end at which older ones are fetched
const AT_ONCE = { "4h": 160, "1d": 100 }; // bars asked for: a screen of them is weeks
const AGAIN_MS = 4000;
/** Without a candle for so long, prices are not called live any more. */
const LATE_MS = 60_000;

const remembered = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
};

class Chart {
  constructor(root, host, data) {
    Object.assign(this, { host, data, live: "opening", ticks: 0, draws: 0, last: null, bars: [], dead: false, hover: null });
    const asked = new URLSearchParams(location.search);
    const kept = remembered();
    this.step = [asked.get("step"), kept.step, data.step].find((name) => name in STEPS);
    this.symbol = data.symbol;
    this.on = new Set((Array.isArray(kept.on) ? kept.on : USUAL).filter((name) => NAMES.includes(name)));
    this.candlesOf = new Candles();
    this.view = new View();
    this.build(root);
    this.palette = palette(host, data.colours);
    this.api = LWC.createChart(this.stage, {
      autoSize: true,
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 6, minBarSpacing: THINNEST },
      crosshair: { mode: LWC.CrosshairMode.Normal },
      // the page scrolls vertically under a finger; a pinch and a sideways drag are the chart's
      handleScroll: { vertTouchDrag: false },
    });
    this.api.applyOptions(chartOptions(this.palette));
    this.candles = this.api.addSeries(LWC.CandlestickSeries, { borderVisible: false, ...candleOptions(this.palette) });
    this.candles.applyOptions({ autoscaleInfoProvider: (original) => this.roomFor(original()) });
    this.api.priceScale("right").applyOptions({ scaleMargins: { top: 0.12, bottom: 0.2 } });
    this.lines = new Lines(this.candles);
    this.marks = new Marks(this.api, this.candles, this.stage, { open: (log, apart) => this.open(log, apart), barAt: (at) => this.bars[at] });
    this.overlays = new Overlays(this.api);
    this.overlays.choose(this.on, this.palette);
    this.api.subscribeCrosshairMove((at) => {
      this.hover = at.time === undefined || at.logical === undefined ? null : Math.round(at.logical);
      this.describe();
    });
    // the library tells in the middle of its own work: look once it is done
    this.api.timeScale().subscribeVisibleLogicalRangeChange(() => this.soon());
    this.sized = new ResizeObserver(() => this.soon(true));
    this.sized.observe(this.stage);
    this.leaving = () => this.note();
    window.addEventListener("pagehide", this.leaving);
    // a phone that wakes up does not wait for the next try
    this.waking = () => { if (!document.hidden && this.live === "closed") this.feed.retry(); };
    document.addEventListener("visibilitychange", this.waking);
    this.aging = setInterval(() => this.describe(), 5_000);
    this.follow();
  }

  build(root) {
    this.frame = element("div", { class: "tvchart", role: "group" });
    this.toolbar = new Toolbar(this.frame, {
      step: (name) => this.chooseStep(name), toggle: (name) => this.toggle(name), table: () => this.tabled(!this.table.open), full: () => this.full(),
    });
    this.stage = element("div", { class: "stage", tabindex: "0", role: "application" });
    this.legend = element("div", { class: "tvchart-legend" });
    this.corner = element("div", { class: "zone", "aria-hidden": "true" });
    this.pill = new Pill();
    this.veil = new Veil();
    this.now = element("button", { class: "now", type: "button", hidden: "" }, "»");
    this.now.onclick = () => this.view.toNow(this.api, this.bars, this.seconds, this.shift);
    this.stage.append(this.legend, this.corner, this.pill.box, this.now, this.veil.box);
    this.table = new Table(this.stage);
    this.frame.append(this.stage);
    root.append(this.frame);
    dress(this.frame);
    this.stage.onkeydown = (event) => this.key(event);
    this.fullscreen = () => this.afterFull();
    document.addEventListener("fullscreenchange", this.fullscreen);
  }

  get seconds() {
    return STEPS[this.step];
  }

  /** The axis has no time zones, so times are shifted into the reader's; a day is the exchange's, which is UTC's. */
  get shift() {
    return this.seconds >= DAY ? 0 : this.data.offset;
  }

  get places() {
    return this.data.symbols.find((one) => one.name === this.symbol)?.precision ?? 2;
  }

  // --- what comes in --------------------------------------------------------------------------------------------------

  follow() {
    this.feed?.stop();
    const mine = (this.candlesOf = new Candles());
    this.bars = [];
    this.last = null;
    const asked = new URLSearchParams({ symbol: this.symbol, interval: "1m" });
    const hears = (act) => (...what) => { if (mine === this.candlesOf && !this.dead) act(...what); };
    this.feed = follow({ url: `${this.data.url}?${asked}&count=5000`, ws: `${this.data.ws}?${asked}` }, {
      snapshot: hears((rows) => this.begin(rows)),
      merge: hears((rows) => this.merge(rows)),
      state: hears((name) => { this.live = name; this.describe(); this.cover(); }),
      newest: () => mine.rows.at(-1)?.[0],
    });
  }

  begin(rows) {
    Object.assign(this.candlesOf, { rows, older: new Map() });
    // a snapshot may be old already; a clock that is wrong is put right by the first tick
    this.heard = performance.now() - Math.max(0, Date.now() - ((rows.at(-1)?.[0] ?? 0) + 60) * 1000);
    this.redraw();
    this.look();
    this.moved();
  }

  merge(news) {
    const { rows } = this.candlesOf;
    if (news.length) this.heard = performance.now();
    const newest = rows.at(-1)?.[0];
    // longer away than the server remembers: what is between would be a hole
    if (newest !== undefined && news.length > 1 && news[0][0] > newest + 60) return this.begin(news);
    const touched = mergeRows(rows, news);
    if (touched === Infinity) return;
    this.ticks++;
    const changed = this.candlesOf.tail(this.seconds, this.shift, touched);
    // the library only updates at the end; history that changed is drawn anew, keeping the view
    if (this.last === null || changed.some((bar) => bar.time < this.last.time)) return this.redraw();
    const from = changed[0].time === this.last.time ? this.bars.length - 1 : this.bars.length;
    this.bars.splice(from, this.bars.length, ...changed);
    for (const bar of changed) this.candles.update(bar);
    this.overlays.update(this.bars, this.shift, this.palette, from);
    const isNew = this.bars.at(-1).time !== this.last.time;
    this.last = this.bars.at(-1);
    this.lines.tick(this.data.position, this.last.close, this.data.numbers);
    this.describe();
    if (isNew && this.table.open) this.tabled(true);
  }

  /** Fetch older bars where the person looks, or is about to. */
  async reach() {
    const range = this.api.timeScale().getVisibleLogicalRange();
    if (!range || this.last === null || range.from > NEAR) return;
    const [mine, step] = [this.candlesOf, this.step];
    const known = mine.beyond(STEPS[step]);
    if (!mine.hasMore(STEPS[step]) || known.state === "loading" || Date.now() < (known.notBefore ?? 0)) return;
    known.state = "loading";
    this.tellOlder();
    try {
      const answer = await history(this.data.history, this.symbol, step, known.before, AT_ONCE[step] ?? 500);
      known.state = "idle";
      if (mine !== this.candlesOf || this.dead) return;
      mine.prepend(STEPS[step], answer);
      if (step === this.step) this.grown();
    } catch {
      known.state = "failed";
      known.notBefore = Date.now() + AGAIN_MS;
      setTimeout(() => { if (!this.dead) this.reach(); }, AGAIN_MS + 50);
    }
    if (!this.dead) this.tellOlder();
  }

  /** Older bars have come: the same bars stay in sight, and more are fetched while there is room. */
  grown() {
    const before = this.bars.length;
    const range = this.api.timeScale().getVisibleLogicalRange();
    this.redraw();
    const added = this.bars.length - before;
    if (range) this.api.timeScale().setVisibleLogicalRange({ from: range.from + added, to: range.to + added });
    const isLost = range && range.to + added < 2 && !this.candlesOf.hasMore(this.seconds);
    if (isLost) this.view.toNow(this.api, this.bars, this.seconds, this.shift);
    this.moved();
  }

  // --- what is drawn --------------------------------------------------------------------------------------------------

  redraw() {
    this.draws++;
    this.bars = this.candlesOf.bars(this.seconds, this.shift);
    this.last = this.bars.at(-1) ?? null;
    this.candles.setData(this.bars);
    this.overlays.redraw(this.bars, this.shift, this.palette);
    this.drawOwn();
    this.describe();
    this.cover();
    if (this.table.open) this.tabled(true);
  }

  /** The position's lines and the marks. */
  drawOwn() {
    const { data } = this;
    this.lines.draw(data.lines, this.palette);
    if (this.last) this.lines.tick(data.position, this.last.close, data.numbers);
    this.marks.draw(this.bars.length ? data.marks : [], this.palette, {
      step: this.seconds, shift: this.shift, zone: data.offset, first: this.bars[0]?.time ?? 0, locale: data.locale, text: data.text,
    });
  }

  /** The price range with the lines of the open position in it, unless they are so far that the candles would vanish. */
  roomFor(info) {
    const range = info?.priceRange;
    if (!range) return info;
    const reach = 1.5 * (range.maxValue - range.minValue);
    for (const { price: at } of this.data.lines) {
      if (at < range.minValue && at > range.minValue - reach) range.minValue = at;
      if (at > range.maxValue && at < range.maxValue + reach) range.maxValue = at;
    }
    return info;
  }

  paint() {
    const p = palette(this.host, this.data.colours);
    if (JSON.stringify(p) === JSON.stringify(this.palette)) return;
    this.palette = p;
    this.api.applyOptions(chartOptions(p));
    this.candles.applyOptions(candleOptions(p));
    this.overlays.paint(p, this.bars);
    this.drawOwn();
    this.describe();
  }

  describe() {
    const at = this.hover !== null && this.bars[this.hover] ? this.hover : this.bars.length - 1;
    const isLate = this.live === "live" && this.last !== null && performance.now() - this.heard > LATE_MS;
    this.said = isLate ? "late" : this.live;
    describe(this.legend, this.bars[at], this.overlays.at(at, this.palette, this.places, this.data.numbers), this);
  }

  /** What covers the chart while there is nothing to see. */
  cover() {
    this.veil.show(this.last !== null ? "" : this.live, this.data.text, () => this.feed.retry());
  }

  tellOlder() {
    const range = this.api.timeScale().getVisibleLogicalRange();
    const known = this.candlesOf.beyond(this.seconds);
    const isEnd = this.last !== null && range?.from < 0 && !this.candlesOf.hasMore(this.seconds);
    const says = range === null || range.from > NEAR ? "" : isEnd ? "none" : known.state;
    this.pill.show(says, this.data.text, () => { known.notBefore = 0; this.reach(); });
  }

  // --- what the person does -------------------------------------------------------------------------------------------

  soon(resized = false) {
    this.resized = this.resized || resized;
    this.frameAsked ??= requestAnimationFrame(() => {
      this.frameAsked = null;
      if (this.dead) return;
      if (this.resized) this.look();
      this.resized = false;
      this.moved();
    });
  }

  /** Show what the person wishes to see. */
  look() {
    this.view.show(this.api, this.bars, this.seconds, this.shift, this.stage.clientWidth);
  }

  moved() {
    const range = this.api.timeScale().getVisibleLogicalRange();
    if (!range || this.dead) return;
    this.now.hidden = this.last === null || range.to >= this.bars.length - 1;
    this.marks.word();
    this.reach();
    this.tellOlder();
    clearTimeout(this.noting);
    this.noting = setTimeout(() => this.note(), 400);
  }

  note() {
    if (!this.dead) this.view.note(this.api, this.bars, this.seconds, this.shift, this.stage.clientWidth);
  }

  chooseStep(name) {
    if (name === this.step) return;
    this.note();
    this.step = name;
    this.hover = null;
    this.redraw();
    this.look();
    this.remember();
    this.say();
    this.moved();
  }

  chooseSymbol(name) {
    if (name === this.symbol) return;
    this.note();
    this.view.reset();
    this.symbol = name;
    this.hover = null;
    this.places_();
    this.follow();
    this.redraw();
    this.remember();
    this.say();
  }

  toggle(name) {
    if (this.on.has(name)) this.on.delete(name);
    else this.on.add(name);
    this.overlays.choose(this.on, this.palette);
    this.overlays.redraw(this.bars, this.shift, this.palette);
    this.remember();
    this.say();
    this.describe();
  }

  remember() {
    try {
      localStorage.setItem(KEY, JSON.stringify({ step: this.step, on: [...this.on] }));
    } catch { /* no storage */ }
    const address = new URL(location.href);
    const put = (key, value, usual) => (value === usual ? address.searchParams.delete(key) : address.searchParams.set(key, value));
    put("step", this.step, null);
    window.history.replaceState(window.history.state, "", address);
  }

  tabled(open) {
    this.table.show(open);
    if (open) {
      const range = this.api.timeScale().getVisibleLogicalRange() ?? { from: 0, to: this.bars.length };
      this.table.fill({
        name: this.name, bars: this.bars.slice(Math.max(0, Math.floor(range.from)), Math.ceil(range.to) + 1), step: this.seconds,
        lines: this.data.lines, marks: this.data.marks, places: this.places,
        zone: this.data.offset, data: this.data, logHref: (log) => `${this.data.log}${log}`,
      });
    }
    this.toolbar.show(this.chosen);
  }

  full() {
    const isFull = document.fullscreenElement !== null || this.frame.classList.contains("full");
    if (isFull) {
      if (document.fullscreenElement) document.exitFullscreen();
      this.frame.classList.remove("full");
    } else if (this.frame.requestFullscreen) {
      this.frame.requestFullscreen().catch(() => { this.frame.classList.add("full"); this.afterFull(); });
    } else this.frame.classList.add("full"); // a phone's browser without it
    this.afterFull();
  }

  afterFull() {
    this.toolbar.show(this.chosen);
  }

  key(event) {
    const scale = this.api.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range || event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const width = range.to - range.from;
    const by = { ArrowLeft: -width / 8, ArrowRight: width / 8, PageUp: -width, PageDown: width }[event.key];
    const zoom = { "+": 0.8, "=": 0.8, "-": 1.25 }[event.key];
    if (by) scale.setVisibleLogicalRange({ from: range.from + by, to: range.to + by });
    else if (zoom) scale.setVisibleLogicalRange({ from: range.to - width * zoom, to: range.to });
    else if (event.key === "End") this.view.toNow(this.api, this.bars, this.seconds, this.shift);
    else if (event.key === "Escape" && this.frame.classList.contains("full")) this.full();
    else return;
    event.preventDefault();
  }

  /** Go to a decision. By its address: a page switched by a script run now and then stayed blank. */
  open(log, apart) {
    const address = `${this.data.log}${log}`;
    if (apart) window.open(address, "_blank", "noopener");
    else location.assign(address);
  }

  // --- what Python tells ----------------------------------------------------------------------------------------------

  get name() {
    return filled(this.data.text.name, { symbol: this.symbol, step: stepLabel(this.step) });
  }

  get chosen() {
    const full = document.fullscreenElement !== null || this.frame.classList.contains("full");
    return { step: this.step, symbol: this.symbol, on: this.on, tabled: this.table.open, full };
  }

  say() {
    const { text, zone } = this.data;
    this.frame.setAttribute("aria-label", this.name);
    this.stage.setAttribute("aria-label", `${this.name}. ${text.keys}`);
    this.now.setAttribute("aria-label", text.now);
    this.now.title = text.now;
    this.corner.textContent = this.seconds >= DAY ? "UTC" : zone;
    this.toolbar.show(this.chosen);
  }

  places_() {
    const formatter = (value) => fixed(value, this.places, this.data.numbers);
    this.candles.applyOptions({ priceFormat: { type: "custom", formatter, minMove: 10 ** -this.places } });
  }

  words() {
    const { locale } = this.data;
    this.api.applyOptions({
      localization: { locale, timeFormatter: (time) => moment(time, locale, this.seconds) },
      timeScale: { tickMarkFormatter: (time, kind) => tick(time, kind, locale) },
    });
    this.toolbar.say(this.data);
    this.cover();
    this.say();
  }

  /** Take Python's newest *data*; what is the same in it costs nothing. */
  apply(data) {
    const before = this.data;
    this.data = data;
    const differs = (...names) => names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]));
    this.paint();
    if (before === data || differs("text", "locale", "numbers", "symbols", "zone")) {
      this.words();
      this.places_();
      this.describe();
    }
    if (before === data) return;
    if (differs("symbol")) this.chooseSymbol(data.symbol);
    else if (differs("offset")) this.redraw();
    else if (differs("lines", "marks", "position", "text", "locale", "numbers")) this.drawOwn();
  }

  end() {
    this.note();
    this.dead = true;
    clearTimeout(this.noting);
    this.sized.disconnect();
    clearInterval(this.aging);
    window.removeEventListener("pagehide", this.leaving);
    document.removeEventListener("visibilitychange", this.waking);
    document.removeEventListener("fullscreenchange", this.fullscreen);
    this.toolbar.end();
    this.feed.stop();
    this.api.remove();
    this.frame.remove();
  }
}

/** The charts on the page, for whoever looks from outside: a browser's console, a test. */
const alive = (window.__charts ??= []);

export default function ({ data, parentElement }) {
  let chart = charts.get(parentElement);
  if (!chart) {
    chart = new Chart(parentElement, parentElement.host ?? parentElement, data);
    charts.set(parentElement, chart);
    alive.push(chart);
  }
  chart.apply(data);
  return () => {
    chart.end();
    charts.delete(parentElement);
    alive.splice(alive.indexOf(chart), 1);
  };
}
