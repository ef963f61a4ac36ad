// What the system says of itself, in badges; where there is no room, what is well stands behind one of them.
import { make, part } from "./account.mjs";

function build(root, data) {
  const all = make("button", { type: "button", class: "badge all", "aria-expanded": "false" });
  const list = make("div", { class: "badges" });
  root.append(all, list);
  all.onclick = () => {
    const open = root.classList.toggle("open");
    all.setAttribute("aria-expanded", String(open));
  };
  let seen;
  return ({ told }) => {
    if (told.truth === seen) return;
    seen = told.truth;
    const made = told.truth.map(({ tone, icon, text }) =>
      make("span", { class: `badge ${tone}` }, make("i", { class: "icon", "aria-hidden": "true" }, icon), make("span", {}, text[data.language])));
    list.replaceChildren(...made);
    const bad = told.truth.filter(({ tone }) => tone === "red").length;
    all.className = `badge all ${bad ? "red" : "green"}`;
    const sign = make("i", { class: "icon", "aria-hidden": "true" }, bad ? "error" : "check_circle");
    const words = bad ? data.text.bad.replace("{n}", bad) : data.text.well;
    all.setAttribute("aria-label", words); // a narrow phone has room for the sign alone
    all.replaceChildren(sign, make("span", {}, words));
  };
}

export default part("truth", build);
