// The candles an analyst was shown, as they were: a still picture with the prices of its order. Nothing is fetched.
// Candles are [open time in s, open, high, low, close, volume].
import * as LWC from "../lightweight-charts-5.2.1.mjs?v=5.2.1";
import { fixed } from "./numbers.mjs";

const seen = new WeakMap(); // parentElement -> state
const HEIGHT = 300;

const css = (host, name, otherwise) => getComputedStyle(host).getPropertyValue(name).trim() || otherwise;

const isDark = (colour) => {
  const [, red, green, blue] = /^#(..)(..)(..)/.exec(colour) ?? [];
  return red !== undefined && 0.3 * parseInt(red, 16) + 0.6 * parseInt(green, 16) + 0.1 * parseInt(blue, 16) < 128;
};

const faded = (colour, alpha) => {
  const hex = /^#([0-9a-f]{6})/i.exec(colour);
  return hex ? `#${hex[1]}${Math.round(alpha * 255).toString(16).padStart(2, "0")}` : colour;
};

function make(root, host) {
  const frame = document.createElement("div");
  frame.className = "seen";
  frame.style.cssText = `width:100%;height:${HEIGHT}px;overflow:hidden`;
  frame.setAttribute("role", "figure");
  root.append(frame);
  const api = LWC.createChart(frame, {
    autoSize: true,
    timeScale: { timeVisible: true, secondsVisible: false, fixLeftEdge: true, fixRightEdge: true },
    handleScroll: false,
    handleScale: false,
  });
  const candles = api.addSeries(LWC.CandlestickSeries, { borderVisible: false, priceLineVisible: false, lastValueVisible: false });
  const volume = api.addSeries(LWC.HistogramSeries, {
    priceFormat: { type: "volume" }, priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false,
  });
  api.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  api.priceScale("right").applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });
  return { host, frame, api, candles, volume, lines: [] };
}

function draw(state, data) {
  const back = css(state.host, "--st-background-color", "#ffffff");
  const [up, down] = isDark(back) ? data.colours.dark : data.colours.light;
  const line = css(state.host, "--st-border-color", "#dddddd");
  const accent = css(state.host, "--st-primary-color", "#f0b90b");
  const step = 10 ** -data.precision;
  state.frame.setAttribute("aria-label", data.alt);
  state.api.applyOptions({
    layout: {
      background: { type: "solid", color: back }, textColor: faded(css(state.host, "--st-text-color", "#222222"), 0.75),
      fontFamily: css(state.host, "--st-font", "sans-serif"), fontSize: 11,
    },
    grid: { vertLines: { color: faded(line, 0.35) }, horzLines: { color: faded(line, 0.45) } },
    rightPriceScale: { borderColor: line },
    timeScale: { borderColor: line },
    localization: { locale: data.locale, dateFormat: "yyyy-MM-dd" },
  });
  state.candles.applyOptions({
    upColor: up, downColor: down, wickUpColor: up, wickDownColor: down,
    priceFormat: { type: "custom", minMove: step, formatter: (value) => fixed(value, data.precision, data.numbers) },
    autoscaleInfoProvider: (original) => roomFor(original(), data.lines),
  });
  const at = (row) => row[0] + data.offset;
  state.candles.setData(data.rows.map((r) => ({ time: at(r), open: r[1], high: r[2], low: r[3], close: r[4] })));
  state.volume.setData(data.rows.map((r) => ({ time: at(r), value: r[5], color: faded(r[4] >= r[1] ? up : down, 0.35) })));
  for (const one of state.lines) state.candles.removePriceLine(one);
  state.lines = data.lines.map(({ price, title, tone, dashed }) => state.candles.createPriceLine({
    price, title, color: { up, down }[tone] ?? accent, lineWidth: 1, axisLabelVisible: true,
    lineStyle: dashed ? LWC.LineStyle.Dashed : LWC.LineStyle.Solid,
  }));
  state.api.timeScale().fitContent();
}

/** The prices of the order are in the picture, unless they are so far that the candles would vanish. */
function roomFor(info, lines) {
  const range = info?.priceRange;
  if (!range) return info;
  const reach = 2.5 * (range.maxValue - range.minValue);
  const [low, high] = [range.minValue - reach, range.maxValue + reach];
  for (const { price } of lines) {
    if (price < range.minValue && price > low) range.minValue = price;
    if (price > range.maxValue && price < high) range.maxValue = price;
  }
  return info;
}

export default function ({ data, parentElement }) {
  let state = seen.get(parentElement);
  if (!state) {
    state = make(parentElement, parentElement.host ?? parentElement);
    seen.set(parentElement, state);
  }
  draw(state, data);
  return () => {
    state.api.remove();
    state.frame.remove();
    seen.delete(parentElement);
  };
}
