// How the money stands: a tile a figure, with the curve behind it. Figures come written; nothing is reckoned here.
import { make, part, write } from "./account.mjs";

const SVG = "http://www.w3.org/2000/svg";

/** Tiles that say won too, where a rate is set: their line has its place before the first figures come. */
const WORTH = new Set(["equity", "today", "open_pnl", "balance"]);

const drawing = (tag, attributes) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

function build(root, data) {
  const tiles = new Map(data.tiles.map(({ key, label, hint }) => {
    const [first, second] = data.size;
    const picture = drawing("svg", { viewBox: `0 0 ${first} ${second}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const fill = drawing("path", { class: "fill" });
    const line = drawing("path", { class: "line", "vector-effect": "non-scaling-stroke" });
    picture.append(fill, line);
    const value = make("div"), note = make("div"), won = make("div", { class: "won", hidden: !WORTH.has(key) || !data.won });
    const tile = make("div", { class: "tile", title: hint }, picture, make("div", { class: "label" }, label), value, note, won);
    root.append(tile);
    return [key, { picture, fill, line, value, note, won }];
  }));
  let curves;
  return ({ told }) => {
    root.hidden = !told.account;
    for (const { key, value, tone, won, note, note_tone } of told.tiles ?? []) {
      write(tiles.get(key).value, value, "value", tone);
      write(tiles.get(key).note, note[data.language], "note", note_tone);
      if (won) tiles.get(key).won.hidden = false;
      write(tiles.get(key).won, won ?? "", "won");
    }
    if (told.curves === curves) return;
    curves = told.curves;
    for (const [key, { picture, fill, line }] of tiles) {
      const curve = curves?.[key];
      picture.setAttribute("class", curve?.tone ?? "");
      line.setAttribute("d", curve?.line ?? "");
      fill.setAttribute("d", curve ? `${curve.line} L${data.size[0]},${data.size[1]} L0,${data.size[1]} Z` : "");
    }
  };
}

export default part("tiles", build);
