// What guards an account, in forms that post to our own REST routes: passwords, codes and secrets never pass through the
// script that draws the pages. All words come from Python; all text is textContent, and nothing is asked of another host.

/**
 * @typedef {{name: string, label: string, type: string, autocomplete: string, numeric?: boolean}} Field
 * @typedef {{kind: "form"|"factor"|"codes"|"export"|"passkey", path: string, method?: string, fields: Field[], text: Record<string, string>,
 *   errors: Record<string, string>, danger?: boolean, leaves?: boolean,
 *   passkeys?: boolean, module?: string}} Data
 */

const shown = new WeakMap();

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

const filled = (template, params) => template.replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);

/** Ask one of our routes: `{answer}` or `{refusal: {key, params}}`. */
async function ask(path, body, method = "POST") {
  try {
    const reply = await fetch(path, {
      method, credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    const said = await reply.json().catch(() => ({}));
    return reply.ok ? { answer: said } : { refusal: { key: said.error ?? "refuse.server", params: said.params ?? {} } };
  } catch {
    return { refusal: { key: "refuse.offline", params: {} } };
  }
}

function alertLine(data) {
  const line = make("p", { role: "alert", class: "alert" });
  const say = (refusal) => {
    line.textContent = refusal ? filled(data.errors[refusal.key] ?? data.errors["refuse.server"], refusal.params) : "";
  };
  return [line, say];
}

function input(state, { name, label, type, autocomplete, numeric }) {
  const id = `${state.id}-${name}`;
  const field = make("input", {
    id, name, type, autocomplete, required: true, maxlength: "255", inputmode: numeric ? "numeric" : null,
    autocapitalize: "off", spellcheck: "false",
  });
  return make("label", { for: id }, make("span", {}, label), field);
}

/** A form of the given fields; *then* gets the answer of the route. */
function form(state, fields, path, method, label, then) {
  const { data } = state;
  const [line, say] = alertLine(data);
  const button = make("button", { type: "submit", class: data.danger ? "danger" : "primary" }, label);
  const made = make("form", {}, ...fields.map((field) => input(state, field)), button, line);
  made.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    say(null);
    const { answer, refusal } = await ask(path, Object.fromEntries(new FormData(made)), method);
    button.disabled = false;
    if (refusal) return say(refusal);
    made.reset();
    then(answer);
  };
  return made;
}

const done = (state) => (state.data.leaves ? location.assign("/") : state.trigger("done", Date.now()));

/** The fresh recovery codes, shown this once: to copy, to keep as a file, and on. */
function codes(state, { codes: fresh }) {
  const { text } = state.data;
  const written = fresh.join("\n");
  const copy = make("button", { type: "button" }, text.copy);
  copy.onclick = async () => { await navigator.clipboard.writeText(written); copy.textContent = text.copied; };
  const file = make("a", { download: "maemae-recovery-codes.txt", class: "button" }, text.save);
  file.href = URL.createObjectURL(new Blob([`${written}\n`], { type: "text/plain" }));
  const on = make("button", { type: "button", class: "primary" }, text.kept);
  on.onclick = () => { URL.revokeObjectURL(file.href); done(state); };
  state.root.replaceChildren(
    make("p", { class: "told" }, text.codes_note),
    make("ol", { class: "codes" }, ...fresh.map((code) => make("li", {}, code))),
    make("div", { class: "row" }, copy, file), on,
  );
}

/** The secret as image and as text, and the field for its first code. */
function enrol(state, { secret, image }) {
  const { text } = state.data;
  const code = [{ name: "code", label: text.code, type: "text", autocomplete: "one-time-code", numeric: true }];
  const groups = secret.match(/.{1,4}/g).join(" ");
  const confirm = form(state, code, "/api/account/factor/confirm", "POST", text.confirm, (answer) => codes(state, answer));
  state.root.replaceChildren(
    make("p", { class: "told" }, text.scan),
    make("img", { class: "qr", src: image, alt: text.qr, width: "196", height: "196" }),
    make("p", { class: "told" }, text.by_hand, make("code", {}, groups)),
    confirm,
  );
  confirm.querySelector("input")?.focus();
}

/** One button that asks a route and goes on with its answer. */
function start(state, path, label, then) {
  const [line, say] = alertLine(state.data);
  const button = make("button", { type: "button", class: "primary" }, label);
  button.onclick = async () => {
    button.disabled = true;
    const { answer, refusal } = await ask(path, {});
    button.disabled = false;
    if (refusal) say(refusal); else then(answer);
  };
  state.root.replaceChildren(button, line);
}

/** The person's own data, as a file that the browser keeps. */
function exporting(state) {
  const [line, say] = alertLine(state.data);
  const button = make("button", { type: "button" }, state.data.text.submit);
  button.onclick = async () => {
    button.disabled = true;
    say(null);
    const reply = await fetch("/api/account/export", { credentials: "same-origin" }).catch(() => null);
    button.disabled = false;
    if (!reply) return say({ key: "refuse.offline", params: {} });
    if (!reply.ok) {
      const said = await reply.json().catch(() => ({}));
      return say({ key: said.error ?? "refuse.server", params: said.params ?? {} });
    }
    const file = make("a", { download: "maemae-account.json" });
    file.href = URL.createObjectURL(await reply.blob());
    file.click();
    URL.revokeObjectURL(file.href);
  };
  state.root.replaceChildren(button, line);
}

/** A button by which a passkey is made or shown; the route of the same path and `begin` says what the browser needs. */
function passkeyButton(state, path, making) {
  const [line, say] = alertLine(state.data);
  const button = make("button", { type: "button", class: "plain" }, state.data.text.passkey ?? state.data.text.submit);
  if (!globalThis.PublicKeyCredential) button.hidden = true;
  button.onclick = async () => {
    button.disabled = true;
    say(null);
    const begun = await ask(`${path}/begin`, {});
    const { passkey } = await import(new URL(state.data.module, location.origin).href);
    const answer = begun.refusal ? null : await passkey(begun.answer.options, making);
    const { refusal } = begun.refusal ? begun : answer ? await ask(path, { answer }) : { refusal: { key: "refuse.passkey", params: {} } };
    button.disabled = false;
    if (refusal) say(refusal); else done(state);
  };
  return [button, line];
}

function build(state) {
  const { data, root } = state;
  if (data.kind === "export") return exporting(state);
  if (data.kind === "factor") return start(state, "/api/account/factor/begin", data.text.submit, (answer) => enrol(state, answer));
  if (data.kind === "codes") return start(state, "/api/account/factor/codes", data.text.submit, (answer) => codes(state, answer));
  if (data.kind === "passkey") return root.replaceChildren(...passkeyButton(state, "/api/account/passkeys", true));
  const typed = form(state, data.fields, data.path, data.method, data.text.submit, () => done(state));
  const other = data.passkeys ? passkeyButton(state, "/api/account/passkeys/prove", false) : [];
  return root.replaceChildren(typed, ...other);
}

/** @param {{data: Data, key: string, parentElement: HTMLElement, setTriggerValue: (name: string, value: unknown) => void}} args */
export default function ({ data, key, parentElement, setTriggerValue }) {
  let state = shown.get(parentElement);
  if (!state) {
    const root = make("div", { class: "door" });
    parentElement.append(root);
    state = { root, id: `safety-${key}` };
    shown.set(parentElement, state);
  }
  state.trigger = setTriggerValue;
  const fresh = JSON.stringify(data);
  if (fresh !== state.seen) {
    state.seen = fresh;
    state.data = data;
    build(state);
  }
  return () => { state.root.remove(); shown.delete(parentElement); };
}
