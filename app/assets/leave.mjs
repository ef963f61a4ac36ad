// The sign-out button: ends the session at the server, then opens the front page without a way back.
// Where something would be lost with the session (`data.ask`), the first click asks and the second leaves.
const made = new WeakMap();

const make = (tag, text = "", className = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
};

const button = (text, className, act) => {
  const element = make("button", text, className);
  element.type = "button";
  element.onclick = act;
  return element;
};

async function leave(root) {
  root.querySelectorAll("button").forEach((each) => { each.disabled = true; });
  await fetch("/api/auth/logout", {
    method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: "{}",
  }).catch(() => null);
  location.replace("/");
}

function closed(root, data) {
  root.replaceChildren(button(data.label, "leave", () => (data.ask ? asking(root, data) : leave(root))));
}

function asking(root, data) {
  const stay = button(data.ask.no, "leave", () => { closed(root, data); root.querySelector("button").focus(); });
  const text = make("p", data.ask.text);
  text.setAttribute("role", "alert");
  root.replaceChildren(text, button(data.ask.yes, "leave sure", () => leave(root)), stay);
  stay.focus();
}

export default function ({ data, parentElement }) {
  let state = made.get(parentElement);
  if (!state) {
    state = { root: make("div", "", "leaving") };
    parentElement.append(state.root);
    made.set(parentElement, state);
  }
  const fresh = JSON.stringify(data);
  if (fresh !== state.seen) {
    state.seen = fresh;
    closed(state.root, data);
  }
  return () => { state.root.remove(); made.delete(parentElement); };
}
