// Seconds to the next cycle, counted in the browser against the server's clock: no script run a second.
const clocks = new WeakMap();

export default function ({ data, parentElement }) {
  let clock = clocks.get(parentElement);
  if (!clock) {
    const label = document.createElement("span");
    const time = document.createElement("b");
    const bar = document.createElement("i");
    const box = document.createElement("div");
    box.className = "countdown";
    box.append(label, time, bar);
    parentElement.append(box);
    clock = { box, label, time, bar };
    clocks.set(parentElement, clock);
  }
  const skew = data.now_ms - Date.now();
  const show = () => {
    const left = data.period_ms - ((Date.now() + skew) % data.period_ms);
    const seconds = Math.ceil(left / 1000);
    clock.time.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    clock.bar.style.width = `${100 - (100 * left) / data.period_ms}%`;
  };
  clock.label.textContent = data.label;
  clearInterval(clock.timer);
  clock.timer = setInterval(show, 250);
  show();
  return () => { clearInterval(clock.timer); clock.box.remove(); clocks.delete(parentElement); };
}
