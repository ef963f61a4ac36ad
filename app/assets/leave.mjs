// The sign-out button: ends the session at the server, then opens the front page without a way back.
const made = new WeakMap();

export default function ({ data, parentElement }) {
  let button = made.get(parentElement);
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.className = "leave";
    button.onclick = async () => {
      button.disabled = true;
      await fetch("/api/auth/logout", {
        method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: "{}",
      }).catch(() => null);
      location.replace("/");
    };
    parentElement.append(button);
    made.set(parentElement, button);
  }
  button.textContent = data.label;
  return () => { button.remove(); made.delete(parentElement); };
}
