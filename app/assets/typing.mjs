// Text that is being typed is never lost: it is kept in this tab at every key, and handed to Python at each pause,
// so that its length is told while typing and a click on a link takes nothing away. Nothing is drawn.
const watching = new WeakMap();
const PAUSE = 250; // ms without a key
const write = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;

/** What Streamlit takes for "done typing". */
const hand_over = (area) => area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));

function restore(area, text) {
  if (area.value === text) return;
  write.call(area, text);
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

export default function ({ data, parentElement }) {
  const name = `maemae.typing.${data.name}.${data.who}`;
  const kept = JSON.parse(sessionStorage.getItem(name) ?? "null");
  // saved or discarded since: what was kept has had its end
  if (kept && kept.cleared !== data.cleared) sessionStorage.removeItem(name);
  const state = watching.get(parentElement);
  if (state) {
    state.data = data;
    return state.leave;
  }
  const made = { data };
  watching.set(parentElement, made);
  const typed = (event) => {
    const area = event.target;
    if (!area.matches?.(data.field)) return;
    sessionStorage.setItem(name, JSON.stringify({ cleared: made.data.cleared, text: area.value }));
    clearTimeout(made.timer);
    // a Korean syllable is not handed over half-made
    if (!event.isComposing) made.timer = setTimeout(() => hand_over(area), PAUSE);
  };
  document.addEventListener("input", typed, true);
  document.addEventListener("compositionend", typed, true);
  const area = document.querySelector(data.field);
  if (area && kept && kept.cleared === data.cleared) restore(area, kept.text);
  made.leave = () => {
    clearTimeout(made.timer);
    document.removeEventListener("input", typed, true);
    document.removeEventListener("compositionend", typed, true);
    watching.delete(parentElement);
  };
  return made.leave;
}
