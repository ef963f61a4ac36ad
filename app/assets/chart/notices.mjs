// What stands over the candles: the legend, what covers the chart while there is nothing to see, how far back it goes.
import { element } from "./look.mjs";
import { fixed } from "./numbers.mjs";
import { signed, volume } from "./words.mjs";

const part = (words, colour) => {
  const span = element("span", {}, words);
  if (colour) span.style.color = colour;
  return span;
};

/** Write into *legend* how alive the chart is, one *bar*, and what the indicators *told* there. */
export function describe(legend, bar, told, { said, data: { text, numbers }, palette, places, on }) {
  const state = said === "failed" ? "closed" : said;
  const first = element("div", {}, part(`● ${text[state] ?? state}`, state === "live" ? palette.live : palette.accent));
  legend.replaceChildren(first);
  if (!bar) return;
  const change = ((bar.close - bar.open) / bar.open) * 100;
  for (const name of ["open", "high", "low", "close"]) first.append(part(`${text[name]} ${fixed(bar[name], places, numbers)}`));
  first.append(part(`${signed(change, numbers)}%`, change >= 0 ? palette.up : palette.down));
  if (on.has("volume")) first.append(part(`${text.volume} ${volume(bar.volume, numbers)}`));
  if (told.length) legend.append(element("div", {}, ...told.map(([label, value, colour]) => part(`${label} ${value}`, colour))));
}

const button = (words, act) => {
  const made = element("button", { type: "button" }, words);
  made.onclick = act;
  return made;
};

/** Loading, trouble, or nothing yet. */
export class Veil {
  constructor() {
    this.box = element("div", { class: "veil", role: "status" });
  }

  /** *state* of the feed while there are no candles; "" when there are. */
  show(state, text, retry) {
    const name = { opening: "loading", live: "empty", failed: "failed", closed: "failed" }[state] ?? "";
    const said = name && text[name];
    if (this.said === said) return;
    this.said = said;
    this.box.hidden = name === "";
    this.box.replaceChildren(...(name ? [element("p", {}, said)] : []));
    if (name === "failed") this.box.append(button(text.retry, retry));
    if (name === "loading") this.box.prepend(element("div", { class: "bones", "aria-hidden": "true" }, ...Array.from({ length: 14 }, () => element("i"))));
  }
}

/** How it goes with older candles, at the left end. */
export class Pill {
  constructor() {
    this.box = element("div", { class: "pill", role: "status", hidden: "" });
  }

  /** *state*: loading, failed, none (there are no older ones); anything else says nothing. */
  show(state, text, retry) {
    const said = text[`older_${state}`] ?? "";
    if (this.said === said) return;
    this.said = said;
    this.box.hidden = said === "";
    this.box.replaceChildren(said);
    if (state === "failed") this.box.append(" ", button(text.retry, retry));
  }
}
