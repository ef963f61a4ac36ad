// The live chart: one snapshot over REST, ticks over our WebSocket, gaps refilled with ?since=.
// Called again whenever Python's data or the theme changes; the chart object and its zoom survive that.
// Rows are [open time in s, open, high, low, close, volume] of one-minute candles; wider intervals are summed up here.
import * as LWC from "./lightweight-charts-5.2.1.mjs?v=5.2.1";

const charts = new WeakMap(); // parentElement -> state
const VISIBLE = 150; // bars shown at first
const MOST = 20000; // one-minute rows kept in the browser

const css = (host, name, otherwise) => getComputedStyle(host).getPropertyValue(name).trim() || otherwise;

/** Up and down come from Python, for a light and a dark page; the rest is the theme's. */
function palette(host, colours) {
  const back = css(host, "--st-background-color", "#ffffff");
  const [up, down] = isDark(back) ? colours.dark : colours.light;
  return {
    back, up, down,
    live: css(host, "--st-green-color", "#0ecb81"),
    text: css(host, "--st-text-color", "#222222"),
    line: css(host, "--st-border-color", "#dddddd"),
    accent: css(host, "--st-primary-color", "#f0b90b"),
    font: css(host, "--st-font", "sans-serif"),
  };
}

const isDark = (colour) => {
  const [, red, green, blue] = /^#(..)(..)(..)/.exec(colour) ?? [];
  return red !== undefined && 0.3 * parseInt(red, 16) + 0.6 * parseInt(green, 16) + 0.1 * parseInt(blue, 16) < 128;
};

const faded = (colour, alpha) => {
  const hex = /^#([0-9a-f]{6})/i.exec(colour);
  return hex ? `#${hex[1]}${Math.round(alpha * 255).toString(16).padStart(2, "0")}` : colour;
};

function paint(chart) {
  const p = (chart.palette = palette(chart.host, chart.data.colours));
  chart.api.applyOptions({
    layout: { background: { type: "solid", color: p.back }, textColor: faded(p.text, 0.75), fontFamily: p.font, fontSize: 11 },
    grid: { vertLines: { color: faded(p.line, 0.45) }, horzLines: { color: faded(p.line, 0.45) } },
    crosshair: { vertLine: { labelBackgroundColor: "#5b6472" }, horzLine: { labelBackgroundColor: "#5b6472" } },
    rightPriceScale: { borderColor: p.line },
    timeScale: { borderColor: p.line },
  });
  chart.candles.applyOptions({ upColor: p.up, downColor: p.down, wickUpColor: p.up, wickDownColor: p.down });
}

function make(root, host) {
  const frame = document.createElement("div");
  frame.className = "tvchart";
  frame.style.cssText = "position:relative;width:100%;overflow:hidden";
  const legend = document.createElement("div");
  legend.className = "tvchart-legend";
  legend.style.cssText =
    "position:absolute;left:8px;top:4px;z-index:3;font:11px var(--st-font);font-variant-numeric:tabular-nums;" +
    "pointer-events:none;line-height:1.5;display:flex;flex-wrap:wrap;gap:0 .6em;max-width:82%";
  frame.append(legend);
  root.append(frame);
  const api = LWC.createChart(frame, {
    autoSize: true,
    timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 6, minBarSpacing: 1 },
    crosshair: { mode: LWC.CrosshairMode.Normal },
    // the page scrolls vertically under a finger; a pinch and a sideways drag are the chart's
    handleScroll: { vertTouchDrag: false },
  });
  const candles = api.addSeries(LWC.CandlestickSeries, { borderVisible: false });
  candles.applyOptions({ autoscaleInfoProvider: (original) => roomFor(chart, original()) });
  const volume = api.addSeries(LWC.HistogramSeries, {
    priceFormat: { type: "volume" }, priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false,
  });
  api.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  api.priceScale("right").applyOptions({ scaleMargins: { top: 0.1, bottom: 0.2 } });
  const chart = {
    host, frame, legend, api, candles, volume, rows: [], lines: new Map(), markers: LWC.createSeriesMarkers(candles, []),
    live: "opening", created: Date.now(), ticks: 0, data: null, hover: null,
  };
  api.subscribeCrosshairMove((at) => {
    chart.hover = at.time ? at.seriesData.get(candles) : null;
    describe(chart);
  });
  (window.__charts ??= []).push(chart);
  return chart;
}

/** The price range with the lines of the open position in it, unless they are so far that the candles would vanish. */
function roomFor(chart, info) {
  const range = info?.priceRange;
  if (!range) return info;
  const reach = 1.5 * (range.maxValue - range.minValue);
  for (const { price } of chart.data?.lines ?? []) {
    if (price < range.minValue && price > range.minValue - reach) range.minValue = price;
    if (price > range.maxValue && price < range.maxValue + reach) range.maxValue = price;
  }
  return info;
}

const bucket = (chart, time) => time - (time % chart.data.step);
const shown = (chart, time) => bucket(chart, time) + chart.data.offset; // the axis has no time zones: shift the data

/** Sum one-minute rows from index *from* on into bars of the chosen step. */
function bars(chart, from) {
  const out = [];
  for (let i = from; i < chart.rows.length; i++) {
    const [time, open, high, low, close, volume] = chart.rows[i];
    const at = shown(chart, time);
    const last = out[out.length - 1];
    if (last && last.time === at) {
      last.high = Math.max(last.high, high);
      last.low = Math.min(last.low, low);
      last.close = close;
      last.volume += volume;
    } else out.push({ time: at, open, high, low, close, volume });
  }
  return out;
}

const column = (chart, bar) => ({
  time: bar.time, value: bar.volume, color: faded(bar.close >= bar.open ? chart.palette.up : chart.palette.down, 0.35),
});

function redraw(chart) {
  const all = bars(chart, 0);
  chart.candles.setData(all);
  chart.volume.setData(all.map((bar) => column(chart, bar)));
  chart.last = all[all.length - 1];
  describe(chart);
}

function frameNewest(chart) {
  const count = Math.ceil(chart.rows.length / (chart.data.step / 60));
  chart.api.timeScale().setVisibleLogicalRange({ from: Math.max(0, count - VISIBLE), to: count + 6 });
}

/** Merge rows into the one-minute list (times rise; the newest may be replaced) and draw what changed. */
function merge(chart, rows) {
  let touched = Infinity;
  for (const row of rows) {
    let i = chart.rows.length;
    while (i > 0 && chart.rows[i - 1][0] >= row[0]) i--;
    if (i < chart.rows.length && chart.rows[i][0] === row[0]) chart.rows[i] = row;
    else chart.rows.splice(i, 0, row);
    touched = Math.min(touched, i);
  }
  if (touched === Infinity) return;
  const newest = chart.last ? chart.last.time : 0;
  let from = touched;
  while (from > 0 && bucket(chart, chart.rows[from - 1][0]) === bucket(chart, chart.rows[touched][0])) from--;
  const changed = bars(chart, from);
  // the library only updates at the end; history that changed is drawn anew, keeping the view
  if (changed.some((bar) => bar.time < newest)) return redraw(chart);
  for (const bar of changed) {
    chart.candles.update(bar);
    chart.volume.update(column(chart, bar));
  }
  chart.last = changed[changed.length - 1] ?? chart.last;
  if (chart.rows.length > MOST) chart.rows.splice(0, chart.rows.length - MOST + 1000);
  chart.ticks++;
  describe(chart);
}

function describe(chart) {
  const { text, precision } = chart.data;
  const bar = chart.hover ?? chart.last;
  const part = (words, colour) => {
    const span = document.createElement("span");
    span.textContent = words;
    if (colour) span.style.color = colour;
    return span;
  };
  const dot = chart.live === "live" ? chart.palette.live : chart.palette.accent;
  const parts = [part(`● ${text[chart.live] ?? chart.live}`, dot)];
  if (bar) {
    const price = (value) => value.toLocaleString("en-US", { minimumFractionDigits: precision, maximumFractionDigits: precision });
    const change = ((bar.close - bar.open) / bar.open) * 100;
    const colour = change >= 0 ? chart.palette.up : chart.palette.down;
    parts.push(part(`${text.open} ${price(bar.open)}`), part(`${text.high} ${price(bar.high)}`));
    parts.push(part(`${text.low} ${price(bar.low)}`), part(`${text.close} ${price(bar.close)}`));
    parts.push(part(`${change >= 0 ? "+" : ""}${change.toFixed(2)}%`, colour));
  }
  chart.legend.replaceChildren(...parts);
}

function drawLines(chart, wanted) {
  const kept = new Set(wanted.map((line) => line.id));
  for (const [id, line] of chart.lines) {
    if (!kept.has(id)) {
      chart.candles.removePriceLine(line);
      chart.lines.delete(id);
    }
  }
  for (const { id, price, title, tone, dashed } of wanted) {
    const options = {
      price, title, color: chart.palette[tone] ?? chart.palette.accent, lineWidth: 1,
      lineStyle: dashed ? LWC.LineStyle.Dashed : LWC.LineStyle.Solid, axisLabelVisible: true,
    };
    if (chart.lines.has(id)) chart.lines.get(id).applyOptions(options);
    else chart.lines.set(id, chart.candles.createPriceLine(options));
  }
}

const SHAPES = { buy: ["belowBar", "arrowUp", "up"], sell: ["aboveBar", "arrowDown", "down"], exit: ["aboveBar", "circle", "accent"] };

function drawMarkers(chart, wanted) {
  const first = chart.rows.length ? chart.rows[0][0] : Infinity;
  const within = wanted.filter((mark) => mark.time >= first);
  chart.markers.setMarkers(within.map(({ time, kind, text }) => {
    const [position, shape, tone] = SHAPES[kind] ?? SHAPES.exit;
    return { time: shown(chart, time), position, shape, color: chart.palette[tone], text, size: 1 };
  }));
}

const rowsOf = (message) => (Array.isArray(message) ? message : message.rows ?? []);

/** Snapshot, then the socket; every (re)connect refills from the newest row on. Returns how to stop. */
function follow(chart, { url, ws }) {
  let socket, timer, ended = false, wait = 500, first = true;
  const say = (state) => { chart.live = state; describe(chart); };
  const again = () => {
    if (ended) return;
    say("closed");
    timer = setTimeout(open, wait);
    wait = Math.min(wait * 2, 15000);
  };
  async function snapshot() {
    const since = first ? "" : `&since=${chart.rows.length ? chart.rows[chart.rows.length - 1][0] : 0}`;
    const reply = await fetch(url + since, { credentials: "same-origin", cache: "no-store" });
    if (reply.status === 401) return location.reload();
    if (!reply.ok) throw new Error(`snapshot: ${reply.status}`);
    const rows = rowsOf(await reply.json());
    if (ended) return;
    if (!first) return merge(chart, rows);
    chart.rows = rows;
    redraw(chart);
    frameNewest(chart);
    drawMarkers(chart, chart.data.markers);
    first = rows.length === 0;
  }
  async function open() {
    // subscribe first, so that no tick falls between the snapshot and the socket
    socket = new WebSocket(ws.replace(/^\//, location.origin.replace(/^http/, "ws") + "/"));
    const early = [];
    let ready = false;
    socket.onmessage = (event) => {
      const rows = rowsOf(JSON.parse(event.data));
      if (ready) merge(chart, rows);
      else early.push(...rows);
    };
    socket.onopen = async () => {
      try {
        await snapshot();
      } catch {
        return socket.close();
      }
      ready = true;
      wait = 500;
      if (!ended) { merge(chart, early); say("live"); }
    };
    socket.onclose = (event) => {
      if (ended) return;
      if (event.code === 4401) location.reload();
      else again();
    };
  }
  open();
  return () => { ended = true; clearTimeout(timer); socket?.close(); };
}

function apply(chart, data) {
  const before = chart.data;
  chart.data = data;
  chart.frame.style.height = `${Math.min(data.height, Math.max(320, window.innerHeight - 220))}px`;
  paint(chart);
  const step = 10 ** -data.precision;
  chart.candles.applyOptions({ priceFormat: { type: "price", precision: data.precision, minMove: step } });
  chart.api.applyOptions({ localization: { locale: data.locale, dateFormat: "yyyy-MM-dd" } });
  if (!before || before.url !== data.url) {
    chart.stop?.();
    chart.rows = [];
    chart.last = null;
    redraw(chart);
    chart.stop = follow(chart, data);
  } else if (before.step !== data.step || before.offset !== data.offset) {
    redraw(chart);
    if (before.step !== data.step) frameNewest(chart);
  } else redraw(chart); // colours of the volume columns follow the theme
  drawLines(chart, data.lines);
  drawMarkers(chart, data.markers);
}

export default function ({ data, parentElement }) {
  let chart = charts.get(parentElement);
  if (!chart) {
    chart = make(parentElement, parentElement.host ?? parentElement);
    charts.set(parentElement, chart);
  }
  apply(chart, data);
  return () => {
    chart.stop?.();
    chart.api.remove();
    chart.frame.remove();
    charts.delete(parentElement);
    chart.dead = true;
  };
}
