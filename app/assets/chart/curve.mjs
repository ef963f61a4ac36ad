// Equity over a period beside holding the coin and doing nothing, the fall from the peak in a pane below, deposits marked.
// Drawn once from what Python sends; called again when that or the theme changes.
// Points are [time in s, equity, holding or null, doing nothing, fall in percent (0 or less)].
import * as LWC from "../lightweight-charts-5.2.1.mjs?v=5.2.1";
import { fixed } from "./numbers.mjs";

const curves = new WeakMap(); // parentElement -> state
const HEIGHT = 400;
const LOWER = 0.26; // of the height, for the fall

const css = (host, name, otherwise) => getComputedStyle(host).getPropertyValue(name).trim() || otherwise;

const isDark = (colour) => {
  const [, red, green, blue] = /^#(..)(..)(..)/.exec(colour) ?? [];
  return red !== undefined && 0.3 * parseInt(red, 16) + 0.6 * parseInt(green, 16) + 0.1 * parseInt(blue, 16) < 128;
};

const faded = (colour, alpha) => {
  const hex = /^#([0-9a-f]{6})/i.exec(colour);
  return hex ? `#${hex[1]}${Math.round(alpha * 255).toString(16).padStart(2, "0")}` : colour;
};

function colours(host, told) {
  const back = css(host, "--st-background-color", "#ffffff");
  const dark = isDark(back);
  const [up, down] = dark ? told.dark : told.light;
  return {
    back, up, down,
    text: css(host, "--st-text-color", "#222222"),
    line: css(host, "--st-border-color", "#dddddd"),
    font: css(host, "--st-font", "sans-serif"),
    equity: css(host, "--st-primary-color", "#f0b90b"),
    hold: dark ? "#b18cff" : "#7a4fd6",
    nothing: dark ? "#848e9c" : "#8a93a0",
  };
}

function make(root, host) {
  const frame = document.createElement("div");
  frame.className = "curve";
  frame.style.cssText = `position:relative;width:100%;height:${HEIGHT}px;overflow:hidden`;
  const legend = document.createElement("div");
  legend.className = "curve-legend";
  legend.style.cssText =
    "position:absolute;left:8px;top:4px;z-index:3;font:12px var(--st-font);font-variant-numeric:tabular-nums;" +
    "pointer-events:none;line-height:1.55;display:flex;flex-wrap:wrap;gap:0 .9em;max-width:calc(100% - 92px)";
  frame.append(legend);
  root.append(frame);
  const api = LWC.createChart(frame, {
    autoSize: true,
    timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 2, minBarSpacing: 0.2, fixLeftEdge: true, fixRightEdge: true },
    rightPriceScale: { scaleMargins: { top: 0.2, bottom: 0.08 } },
    handleScroll: { vertTouchDrag: false, mouseWheel: false },
    handleScale: { mouseWheel: false },
  });
  const written = (value) => fixed(value, 2, curves.get(root)?.data?.numbers);
  const price = { type: "custom", minMove: 0.01, formatter: written };
  const quiet = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerRadius: 3 };
  const state = {
    host, frame, legend, api,
    nothing: api.addSeries(LWC.LineSeries, { ...quiet, priceFormat: price, lineWidth: 1, lineStyle: LWC.LineStyle.Dashed }),
    hold: api.addSeries(LWC.LineSeries, { ...quiet, priceFormat: price, lineWidth: 1 }),
    equity: api.addSeries(LWC.AreaSeries, { ...quiet, lastValueVisible: true, priceFormat: price, lineWidth: 2 }),
    fall: api.addSeries(LWC.AreaSeries, {
      ...quiet, lineWidth: 1, invertFilledArea: true,
      priceFormat: { type: "custom", minMove: 0.01, formatter: (value) => `${written(value)}%` },
    }, 1),
  };
  state.marks = LWC.createSeriesMarkers(state.equity, []);
  const panes = api.panes();
  panes[0].setStretchFactor(1 - LOWER);
  panes[1].setStretchFactor(LOWER);
  api.subscribeCrosshairMove((at) => describe(state, at.time ? at.seriesData : null));
  new ResizeObserver(() => room(state)).observe(legend);
  (window.__curves ??= []).push(state);
  return state;
}

function room(state) {
  // on a phone the names take four lines: curves begin under them
  const top = Math.min(0.5, Math.max(0.2, (state.legend.offsetHeight + 12) / (HEIGHT * (1 - LOWER))));
  state.equity.priceScale().applyOptions({ scaleMargins: { top, bottom: 0.08 } });
}

function paint(state) {
  const c = (state.colours = colours(state.host, state.data.colours));
  state.api.applyOptions({
    layout: {
      background: { type: "solid", color: c.back }, textColor: faded(c.text, 0.75), fontFamily: c.font, fontSize: 11,
      panes: { separatorColor: c.line, separatorHoverColor: c.line, enableResize: false },
    },
    grid: { vertLines: { color: faded(c.line, 0.35) }, horzLines: { color: faded(c.line, 0.45) } },
    crosshair: { vertLine: { labelBackgroundColor: "#5b6472" }, horzLine: { labelBackgroundColor: "#5b6472" } },
    rightPriceScale: { borderColor: c.line },
    timeScale: { borderColor: c.line },
    localization: { locale: state.data.locale, dateFormat: "yyyy-MM-dd" },
  });
  state.equity.applyOptions({ lineColor: c.equity, topColor: faded(c.equity, 0.2), bottomColor: faded(c.equity, 0.01) });
  state.hold.applyOptions({ color: c.hold });
  state.nothing.applyOptions({ color: c.nothing });
  state.fall.applyOptions({ lineColor: c.down, topColor: faded(c.down, 0.04), bottomColor: faded(c.down, 0.32) });
}

function draw(state) {
  const { points, offset, paid } = state.data;
  const at = (place) => points.filter((p) => p[place] !== null).map((p) => ({ time: p[0] + offset, value: p[place] }));
  state.equity.setData(at(1));
  state.hold.setData(at(2));
  state.nothing.setData(at(3));
  state.fall.setData(at(4));
  state.marks.setMarkers(paid.map(({ time, text, up }) => ({
    time: time + offset, position: up ? "belowBar" : "aboveBar", shape: up ? "arrowUp" : "arrowDown",
    color: state.colours.nothing, text, size: 1,
  })));
  state.api.timeScale().fitContent();
}

function describe(state, seen) {
  const { text, points, numbers } = state.data;
  const last = points[points.length - 1] ?? [];
  const places = ["", "equity", "hold", "nothing", "fall"];
  const parts = [1, 2, 3, 4].map((place) => {
    const name = places[place];
    const value = seen ? seen.get(state[name])?.value : last[place];
    const part = document.createElement("span");
    const dot = document.createElement("b");
    dot.textContent = "● ";
    dot.style.color = name === "fall" ? state.colours.down : state.colours[name];
    const shown = value === undefined || value === null ? "–" : `${fixed(value, 2, numbers)}${name === "fall" ? "%" : ""}`;
    part.append(dot, `${text[name]} ${shown}`);
    return part;
  });
  state.legend.replaceChildren(...parts);
}

export default function ({ data, parentElement }) {
  let state = curves.get(parentElement);
  if (!state) {
    state = make(parentElement, parentElement.host ?? parentElement);
    curves.set(parentElement, state);
  }
  state.data = data;
  state.frame.setAttribute("role", "figure");
  state.frame.setAttribute("aria-label", data.text.alt);
  paint(state);
  draw(state);
  describe(state, null);
  return () => {
    state.api.remove();
    state.frame.remove();
    curves.delete(parentElement);
  };
}
