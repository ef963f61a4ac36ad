// Colours: up and down come from Python for a light and a dark page, the rest is the theme's.
import * as LWC from "../lightweight-charts-5.2.1.mjs?v=5.2.1";

const css = (host, name, otherwise) => getComputedStyle(host).getPropertyValue(name).trim() || otherwise;

const isDark = (colour) => {
  const [, red, green, blue] = /^#(..)(..)(..)/.exec(colour) ?? [];
  return red !== undefined && 0.3 * parseInt(red, 16) + 0.6 * parseInt(green, 16) + 0.1 * parseInt(blue, 16) < 128;
};

/** *colour* (#rrggbb) with *alpha* from 0 to 1. */
export const faded = (colour, alpha) => {
  const hex = /^#([0-9a-f]{6})/i.exec(colour);
  return hex ? `#${hex[1]}${Math.round(alpha * 255).toString(16).padStart(2, "0")}` : colour;
};

/** Every colour the chart uses, by what it is for. */
export function palette(host, colours) {
  const back = css(host, "--st-background-color", "#ffffff");
  const dark = isDark(back);
  const [up, down] = dark ? colours.dark : colours.light;
  return {
    back, up, down, dark,
    live: css(host, "--st-green-color", "#0ecb81"),
    text: css(host, "--st-text-color", "#222222"),
    line: css(host, "--st-border-color", "#dddddd"),
    accent: css(host, "--st-primary-color", "#f0b90b"),
    font: css(host, "--st-font", "sans-serif"),
    danger: dark ? "#ff8a3d" : "#c2410c",
    fast: dark ? "#f5b94f" : "#b7791f",
    slow: dark ? "#5aa9ff" : "#2563eb",
    band: dark ? "#8f9bb3" : "#64748b",
    vwap: dark ? "#c58bff" : "#7c3aed",
    rsi: dark ? "#c58bff" : "#7c3aed",
  };
}

/** The library's options in these colours. */
export const chartOptions = (p) => ({
  layout: {
    background: { type: "solid", color: p.back }, textColor: faded(p.text, 0.75), fontFamily: p.font, fontSize: 11,
    panes: { separatorColor: faded(p.line, 0.9), separatorHoverColor: faded(p.accent, 0.3) },
  },
  grid: { vertLines: { color: faded(p.line, 0.45) }, horzLines: { color: faded(p.line, 0.45) } },
  crosshair: { vertLine: { labelBackgroundColor: "#5b6472" }, horzLine: { labelBackgroundColor: "#5b6472" } },
  rightPriceScale: { borderColor: p.line },
  timeScale: { borderColor: p.line },
});

export const candleOptions = (p) => ({ upColor: p.up, downColor: p.down, wickUpColor: p.up, wickDownColor: p.down });

/** A bar's volume column. */
export const column = (bar, p) => ({
  time: bar.time, value: bar.volume, color: faded(bar.close >= bar.open ? p.up : p.down, 0.35),
});

/** Make an element: *attributes* are set as they are, *children* are elements or text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export { LWC };
