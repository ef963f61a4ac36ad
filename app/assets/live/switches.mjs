// What is chosen at one touch: the auto-trading switch, the risk level, the leverage cap. Each is saved by itself, with
// the version of the settings it rests on; where another tab was faster, only a change of the same choice is refused.
import { act, known, make, part, write } from "./account.mjs";

const PAUSE = 350; // ms without a move of the slider, before it is meant

function build(root, data) {
  const { text } = data;
  const frozen = data.read_only;
  const auto = make("button", { type: "button", role: "switch", class: "switch", disabled: frozen }, make("i"));
  const reason = make("small");
  const head = make("label", { class: "auto" }, make("span", {}, make("b", {}, text.auto_trade), reason), auto);
  const levels = Object.keys(data.levels).map((name) =>
    make("button", { type: "button", role: "radio", value: name, disabled: frozen }, data.levels[name].label));
  const group = make("div", { class: "levels", role: "radiogroup", "aria-label": text.risk_level }, ...levels);
  const means = make("small");
  const range = make("input", { type: "range", min: "1", max: String(data.most), step: "1", disabled: frozen, "aria-label": text.max_leverage });
  const most = make("output");
  const capped = make("small");
  root.append(head, make("span", { class: "name" }, text.risk_level), group, means,
    make("span", { class: "name split" }, make("span", {}, text.max_leverage), most), range, capped);

  auto.onclick = () => {
    const on = auto.getAttribute("aria-checked") !== "true";
    act({
      path: "/api/auto-trade",
      body: () => ({ on }),
      shows: ({ standing }) => ({
        standing: { ...standing, auto: on, why: null, state: standing.halted ? standing.state : on ? "on" : "off" },
      }),
      done: on ? text.switched_on : text.switched_off,
    });
  };

  let turn = Promise.resolve(); // one save after another: each rests on the version the one before has made
  const choose = (name, value) => {
    const before = known().settings?.[name];
    let version;
    turn = act({
      path: "/api/settings",
      body: () => ({ [name]: value, settings_version: version ?? known().settings.version }),
      shows: ({ settings }) => ({ settings: { ...settings, [name]: value } }),
      done: text.saved,
      after: turn,
      again: ({ now }) => {
        version = now?.settings_version;
        return now !== undefined && now.settings[name] === before;
      },
    });
  };
  for (const level of levels) level.onclick = () => choose("risk_level", level.value);
  group.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = levels[(levels.indexOf(event.target) + step + levels.length) % levels.length];
    next.focus();
    next.click();
  };

  let meant, moving = false;
  range.oninput = () => {
    moving = true;
    clearTimeout(meant);
    show(Number(range.value));
    meant = setTimeout(() => { moving = false; choose("max_leverage", Number(range.value)); }, PAUSE);
  };

  let level = "";
  const show = (leverage) => {
    write(most, `${leverage}×`);
    range.style.setProperty("--share", `${(100 * (leverage - 1)) / (data.most - 1)}%`);
    const cap = data.levels[level]?.cap ?? data.most;
    write(capped, leverage > cap ? text.capped.replace("{leverage}", cap) : "");
  };

  return ({ told, pending }) => {
    root.hidden = !told.account;
    if (!told.account) return;
    const { standing, settings } = told;
    root.classList.toggle("pending", pending);
    auto.setAttribute("aria-checked", String(standing.auto));
    auto.setAttribute("aria-label", text.auto_trade);
    write(reason, standing.auto ? text.auto_on : text.auto_off);
    level = settings.risk_level;
    for (const one of levels) {
      const is = one.value === level;
      one.setAttribute("aria-checked", String(is));
      one.tabIndex = is ? 0 : -1;
    }
    write(means, data.levels[level]?.means ?? "");
    const leverage = Math.min(settings.max_leverage, data.most);
    if (moving) return;
    range.value = String(leverage);
    show(leverage);
  };
}

export default part("switches", build);
