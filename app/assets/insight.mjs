// Brings what was just opened into sight: once for each id, and only where it is not in sight already.
const shown = new WeakMap();
const HEADER = 64; // of the page, which stays at the top

export default function ({ data, parentElement }) {
  if (shown.get(parentElement) === data.id) return;
  shown.set(parentElement, data.id);
  const host = parentElement.host ?? parentElement;
  // after the page has drawn what is opened
  setTimeout(() => {
    const { top } = host.getBoundingClientRect();
    if (top >= HEADER && top < window.innerHeight * 0.5) return;
    host.style.scrollMarginTop = `${HEADER}px`;
    host.scrollIntoView({ block: "start", behavior: "smooth" });
  }, 120);
}
