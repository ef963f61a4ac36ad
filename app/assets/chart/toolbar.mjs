// The line above the chart: symbol, intervals, indicators, table, full screen. Real buttons, all of it by keyboard.
import { element } from "./look.mjs";
import { NAMES } from "./overlays.mjs";
import { STEPS } from "./rows.mjs";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  indicators: "M3 17l5-6 4 3 6-8M3 21h18",
  table: "M4 5h16v14H4zM4 10h16M4 15h16M10 5v14",
  full: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  leave: "M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5",
};

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export const stepLabel = (step) => (step === "1d" ? "1D" : step);

/** *acts*: step(name), toggle(name), table(), full(). */
export class Toolbar {
  constructor(frame, acts) {
    this.acts = acts;
    this.symbols = element("span", { class: "symbol" });
    this.steps = element("div", { class: "steps", role: "group" });
    this.menu = element("div", { class: "menu", role: "menu", hidden: "" });
    this.pick = element("button", { class: "tool", type: "button", "aria-haspopup": "menu", "aria-expanded": "false" });
    this.table = element("button", { class: "tool", type: "button", "aria-pressed": "false" }, icon("table"));
    this.full = element("button", { class: "tool", type: "button" }, icon("full"));
    this.box = element("div", { class: "bar" }, this.symbols, this.steps, element("span", { class: "gap" }),
      element("span", { class: "pick" }, this.pick, this.menu), this.table, this.full);
    frame.append(this.box);
    for (const name of Object.keys(STEPS)) {
      const button = element("button", { type: "button", "data-step": name }, stepLabel(name));
      button.onclick = () => acts.step(name);
      this.steps.append(button);
    }
    this.pick.onclick = () => this.unfold(this.menu.hidden);
    this.table.onclick = () => acts.table();
    this.full.onclick = () => acts.full();
    this.box.onkeydown = (event) => {
      if (event.key === "Escape" && !this.menu.hidden) {
        this.unfold(false);
        this.pick.focus();
      }
    };
    this.outside = (event) => {
      if (!event.composedPath().includes(this.menu.parentElement)) this.unfold(false);
    };
  }

  unfold(open) {
    this.menu.hidden = !open;
    this.pick.setAttribute("aria-expanded", String(open));
    document[open ? "addEventListener" : "removeEventListener"]("pointerdown", this.outside);
    if (open) this.menu.querySelector("button")?.focus();
  }

  /** Words, which Python tells. */
  say({ text }) {
    this.steps.setAttribute("aria-label", text.step);
    this.pick.replaceChildren(icon("indicators"), element("span", {}, text.indicators));
    for (const [button, words] of [[this.table, text.table], [this.pick, text.indicators]]) this.name(button, words);
    this.menu.replaceChildren(...NAMES.map((name) => {
      const button = element("button", { type: "button", role: "menuitemcheckbox", "data-indicator": name }, text[`with_${name}`]);
      button.onclick = () => this.acts.toggle(name);
      return button;
    }));
    this.text = text;
  }

  name(button, words) {
    button.setAttribute("aria-label", words);
    button.title = words;
  }

  /** What is chosen now. */
  show({ step, symbol, on, tabled, full }) {
    for (const button of this.steps.children) button.setAttribute("aria-pressed", String(button.dataset.step === step));
    this.steps.querySelector("[aria-pressed=true]")?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
    for (const button of this.menu.children) button.setAttribute("aria-checked", String(on.has(button.dataset.indicator)));
    this.table.setAttribute("aria-pressed", String(tabled));
    this.full.replaceChildren(icon(full ? "leave" : "full"));
    this.name(this.full, full ? this.text.leave_full : this.text.full);
    this.symbols.replaceChildren(element("b", {}, symbol));
  }

  end() {
    this.unfold(false);
  }
}
