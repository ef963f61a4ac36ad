// EMA, Bollinger bands, VWAP, volume and RSI: which are on, their series, and what they say at a bar.
import { bollinger, BAND_SPAN, BAND_WIDTH, ema, FAST, rsi, RSI_SPAN, SLOW, vwap } from "./indicators.mjs";
import { column, LWC } from "./look.mjs";
import { fixed } from "./numbers.mjs";

export const NAMES = ["volume", "ema", "bollinger", "vwap", "rsi"];
const RSI_SHARE = 0.24;
const QUIET = { lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false, lineWidth: 1 };

/** Lines by indicator: [the palette's colour, how to read a point of the values, dashed]. */
const LINES = {
  ema: [["fast", (at) => at.fast], ["slow", (at) => at.slow]],
  bollinger: [["band", (at) => at.upper], ["band", (at) => at.middle, true], ["band", (at) => at.lower]],
  vwap: [["vwap", (at) => at.value]],
  rsi: [["rsi", (at) => at]],
};

export class Overlays {
  constructor(api) {
    this.api = api;
    this.on = new Set();
    this.series = new Map(); // name -> series in the order of LINES
    this.values = { ema: [], bollinger: [], vwap: [], rsi: [] };
    this.fast = [];
    this.slow = [];
    this.volume = null;
  }

  /** Have exactly *names* on, in the colours of *p*. */
  choose(names, p) {
    for (const name of NAMES) {
      if (names.has(name) === this.on.has(name)) continue;
      if (names.has(name)) this.add(name, p);
      else this.remove(name);
    }
    this.on = new Set(names);
  }

  add(name, p) {
    if (name === "volume") {
      this.volume = this.api.addSeries(LWC.HistogramSeries, {
        priceFormat: { type: "volume" }, priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false,
      });
      this.api.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
      return;
    }
    const pane = name === "rsi" ? 1 : 0;
    const made = LINES[name].map(([tone, , dashed]) =>
      this.api.addSeries(LWC.LineSeries, {
        ...QUIET, color: p[tone], lineStyle: dashed ? LWC.LineStyle.Dashed : LWC.LineStyle.Solid,
        ...(pane ? { lastValueVisible: true, priceFormat: { type: "price", precision: 0, minMove: 1 } } : {}),
      }, pane));
    if (pane) {
      made[0].applyOptions({ autoscaleInfoProvider: () => ({ priceRange: { minValue: 10, maxValue: 90 } }) });
      for (const price of [30, 70]) {
        made[0].createPriceLine({ price, color: p.band, lineWidth: 1, lineStyle: LWC.LineStyle.Dotted, axisLabelVisible: false });
      }
      const [main, lower] = this.api.panes();
      main.setStretchFactor(1 - RSI_SHARE);
      lower.setStretchFactor(RSI_SHARE);
    }
    this.series.set(name, made);
  }

  remove(name) {
    if (name === "volume") {
      this.api.removeSeries(this.volume);
      this.volume = null;
      return;
    }
    for (const one of this.series.get(name)) this.api.removeSeries(one);
    this.series.delete(name);
  }

  paint(p, bars) {
    for (const [name, made] of this.series) made.forEach((one, n) => one.applyOptions({ color: p[LINES[name][n][0]] }));
    this.volume?.setData(bars.map((bar) => column(bar, p)));
  }

  compute(bars, shift, from) {
    const { values } = this;
    if (this.on.has("ema")) {
      ema(bars, FAST, this.fast, from);
      ema(bars, SLOW, this.slow, from);
      for (let i = from; i < bars.length; i++) values.ema[i] = { fast: this.fast[i], slow: this.slow[i] };
      values.ema.length = bars.length;
    }
    if (this.on.has("bollinger")) bollinger(bars, BAND_SPAN, BAND_WIDTH, values.bollinger, from);
    if (this.on.has("vwap")) vwap(bars, shift, values.vwap, from);
    if (this.on.has("rsi")) rsi(bars, RSI_SPAN, values.rsi, from);
  }

  point(name, n, i, time) {
    const at = this.values[name][i];
    const value = at === null || at === undefined ? null : LINES[name][n][1](at);
    return value === null ? { time } : { time, value };
  }

  /** Draw all *bars*. */
  redraw(bars, shift, p) {
    this.compute(bars, shift, 0);
    this.volume?.setData(bars.map((bar) => column(bar, p)));
    for (const [name, made] of this.series) {
      made.forEach((one, n) => one.setData(bars.map((bar, i) => this.point(name, n, i, bar.time))));
    }
  }

  /** Draw the bars from index *from* on, which are the newest. */
  update(bars, shift, p, from) {
    this.compute(bars, shift, from);
    for (let i = from; i < bars.length; i++) {
      this.volume?.update(column(bars[i], p));
      for (const [name, made] of this.series) made.forEach((one, n) => one.update(this.point(name, n, i, bars[i].time)));
    }
  }

  /** What stands at bar *i*: `[label, value, colour]`, value null for none. */
  at(i, p, places, numbers) {
    const write = (value, to = places) => (value === null || value === undefined ? "–" : fixed(value, to, numbers));
    const { values, on } = this;
    const said = [];
    if (on.has("ema")) said.push([`EMA ${FAST}`, write(values.ema[i]?.fast), p.fast], [`EMA ${SLOW}`, write(values.ema[i]?.slow), p.slow]);
    if (on.has("bollinger")) said.push([`BB ${BAND_SPAN}`, `${write(values.bollinger[i]?.lower)} – ${write(values.bollinger[i]?.upper)}`, p.band]);
    if (on.has("vwap")) said.push(["VWAP", write(values.vwap[i]?.value), p.vwap]);
    if (on.has("rsi")) said.push([`RSI ${RSI_SPAN}`, write(values.rsi[i], 1), p.rsi]);
    return said;
  }
}
