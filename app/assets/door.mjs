// Sign in, create an account, keep a guest's, look around: one form that posts to our own REST routes and reloads the page.
// A password never passes through the script that draws the pages. All words come from Python; all text is textContent.
const doors = new WeakMap();

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

const sent = (path, body) => fetch(path, {
  method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

async function post(path, body) {
  const reply = await sent(path, body);
  if (reply.ok) return null;
  const { error, params } = await reply.json().catch(() => ({}));
  return { key: error ?? "refuse.server", params: params ?? {} };
}

const filled = (template, params) => template.replace(/\{(\w+)\}/g, (whole, name) => params[name] ?? whole);

function field(data, name, type, autocomplete, extra = {}) {
  const input = make("input", { name, type, autocomplete, required: true, id: `door-${name}`, ...extra });
  return make("label", { for: `door-${name}` }, make("span", {}, data.text[name]), input);
}

/** A new password: by the link whose token stands after #, or asking for such a link. */
function resetting(root, state) {
  const { data } = state;
  const words = data.text;
  const token = state.token ??= location.hash.slice(1);
  const unnamed = () => { if (location.hash) history.replaceState(null, "", location.pathname); };
  unnamed();
  const alert = make("p", { role: "alert", class: "alert" });
  const back = make("a", { class: "back", href: "/" }, words.reset_back);
  const told = (text) => root.replaceChildren(make("p", { class: "shut" }, text), back);
  if (!token && !data.mails) return told(words.reset_by_operator);
  const first = token
    ? field(data, "reset_password", "password", "new-password", { name: "password", minlength: "10", maxlength: "128" })
    : field(data, "email", "email", "username", { maxlength: "255" });
  const submit = make("button", { type: "submit", class: "primary" }, token ? words.reset_save : words.reset_ask);
  const note = make("small", {}, token ? words.password_rule : words.reset_note);
  const form = make("form", {}, first, note, submit, alert);
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    alert.textContent = "";
    const typed = Object.fromEntries(new FormData(form));
    const body = token ? { token, ...typed } : { ...typed, locale: data.locale };
    const refusal = await post(token ? "/api/auth/reset" : "/api/auth/reset/ask", body)
      .catch(() => ({ key: "refuse.offline", params: {} }));
    submit.disabled = false;
    // Streamlit writes the fragment of an address it was led to once more
    unnamed();
    if (!refusal) return told(token ? words.reset_saved : words.reset_sent);
    alert.textContent = filled(data.errors[refusal.key] ?? data.errors["refuse.server"], refusal.params);
  };
  root.replaceChildren(form, back);
}

/** A new e-mail by the link whose token stands after #: what it does is shown, and done by a click alone. */
async function moving(root, state) {
  const { data } = state;
  const words = data.text;
  const token = state.token ??= location.hash.slice(1);
  const unnamed = () => { if (location.hash) history.replaceState(null, "", location.pathname); };
  unnamed();
  const back = make("a", { class: "back", href: "/" }, words.reset_back);
  const told = (text) => root.replaceChildren(make("p", { class: "shut", role: "status" }, text), back);
  const said = ({ key, params }) => filled(data.errors[key] ?? data.errors["refuse.server"], params);
  const offline = () => ({ key: "refuse.offline", params: {} });
  if (!token) return told(words.email_no_link);
  const reply = await sent("/api/auth/email/look", { token }).catch(() => null);
  const answer = await reply?.json().catch(() => ({})) ?? {};
  // another link was opened meanwhile
  if (token !== state.token) return;
  if (!reply?.ok) return told(said(reply ? { key: answer.error ?? "refuse.server", params: answer.params ?? {} } : offline()));
  const submit = make("button", { type: "submit", class: "primary" }, words.email_do);
  const alert = make("p", { role: "alert", class: "alert" });
  const form = make("form", {}, make("p", { class: "shut" }, filled(words.email_moves, { email: answer.email })), submit, alert);
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    alert.textContent = "";
    const refusal = await post("/api/auth/email", { token }).catch(offline);
    submit.disabled = false;
    unnamed();
    if (!refusal) return told(filled(words.email_moved, { email: answer.email }));
    alert.textContent = said(refusal);
  };
  root.replaceChildren(form, back);
}

function build(root, state) {
  if (state.data.mode === "email") return moving(root, state);
  if (state.data.mode === "reset") return resetting(root, state);
  const { data, mode } = state;
  const words = data.text;
  const keeping = mode === "keep";
  const joining = mode === "register" || keeping;
  const alert = make("p", { role: "alert", class: "alert" });
  const say = (refusal) => { alert.textContent = refusal ? filled(data.errors[refusal.key] ?? data.errors["refuse.server"], refusal.params) : ""; };

  const tab = (name) => {
    const button = make("button", { type: "button", role: "tab", "aria-selected": String(mode === name) }, words[name]);
    button.onclick = () => { state.mode = name; build(root, state); root.querySelector("#door-email")?.focus(); };
    return button;
  };
  const accept = make("input", { type: "checkbox", name: "accepted_risk", required: true, id: "door-risk" });
  const submit = make("button", { type: "submit", class: "primary" }, words[{ register: "create", keep: "keep" }[mode] ?? "enter"]);
  const password = field(data, "password", "password", joining ? "new-password" : "current-password", {
    minlength: joining ? "10" : null, maxlength: "128",
  });
  const form = make("form", { novalidate: false }, field(data, "email", "email", "username", { maxlength: "255" }), password);
  if (joining) {
    form.append(make("small", {}, words.password_rule));
    if (data.registration === "invite") {
      // an invitation's address carries the code behind #, which no server is sent
      const code = new URLSearchParams(location.hash.slice(1)).get("invite");
      form.append(field(data, "invite", "text", "off", {
        maxlength: "40", autocapitalize: "characters", spellcheck: "false", value: code,
      }));
      form.append(make("small", {}, words.invite_note));
    }
    if (!keeping) form.append(make("label", { class: "check", for: "door-risk" }, accept, make("span", {}, words.accept)));
  }
  const second = field(data, "code", "text", "one-time-code", { required: null, maxlength: "40", spellcheck: "false", autocapitalize: "off" });
  const reveal = make("button", { type: "button", class: "small" }, words.code_open);
  const show = () => { second.hidden = false; reveal.hidden = true; };
  if (!joining) {
    second.hidden = !state.coded;
    reveal.hidden = state.coded;
    reveal.onclick = () => { state.coded = true; show(); second.querySelector("input").focus(); };
    form.append(second, make("div", { class: "links" }, reveal, make("a", { class: "back", href: "/reset" }, words.forgot)));
  }
  form.append(submit, alert);

  const working = (busy) => root.querySelectorAll("button").forEach((button) => { button.disabled = busy; });
  const act = async (path, body) => {
    working(true);
    say(null);
    try {
      const refusal = await post(path, body);
      if (!refusal) return location.reload();
      say(refusal);
      if (refusal.key === "refuse.code") reveal.onclick();
    } catch {
      say({ key: "refuse.offline", params: {} });
    }
    working(false);
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const { email, password: secret, invite = "", code = "" } = Object.fromEntries(new FormData(form));
    const known = { email, password: secret };
    if (keeping) return act("/api/auth/keep", { ...known, invite });
    if (joining) return act("/api/auth/register", { ...known, invite, locale: data.locale, accepted_risk: accept.checked });
    return act("/api/auth/login", { ...known, code });
  };
  const quick = (label, path, body, classes) => {
    const button = make("button", { type: "button", class: classes }, label);
    button.onclick = () => act(path, body);
    return button;
  };
  // the server decides; here nobody is asked to fill in what will be refused
  const shut = joining && data.registration === "closed";
  const shown = shut ? make("p", { class: "shut" }, words.closed) : form;
  if (keeping) return root.replaceChildren(shown);
  const guest = data.guests === false ? [] : [
    quick(words.try, "/api/auth/try", { accepted_risk: true, locale: data.locale }, "primary"),
    make("small", {}, words.try_note),
  ];
  const byPasskey = quick(words.passkey, "", {}, "plain passkey");
  byPasskey.hidden = !globalThis.PublicKeyCredential || joining;
  byPasskey.onclick = async () => {
    working(true);
    const begun = await fetch("/api/auth/passkey/begin", {
      method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: "{}",
    }).then((reply) => (reply.ok ? reply.json() : null)).catch(() => null);
    const { passkey } = await import(new URL(data.module, location.origin).href);
    const answer = begun && await passkey(begun.options, false);
    working(false);
    if (!answer) return say({ key: begun ? "refuse.passkey" : "refuse.offline", params: {} });
    await act("/api/auth/passkey", { answer });
  };
  root.replaceChildren(
    make("div", { class: "quick" }, ...guest, quick(words.demo, "/api/auth/demo", {}, "plain")),
    make("div", { class: "or" }, make("span", {}, words.or)),
    make("div", { role: "tablist", class: "tabs" }, tab("sign_in"), tab("register")),
    shown, byPasskey,
  );
  if (guest.length) submit.classList.add("second");
}

export default function ({ data, parentElement }) {
  let state = doors.get(parentElement);
  if (!state) {
    const root = make("div", { class: "door" });
    parentElement.append(root);
    state = { root, mode: data.mode };
    // a mailed link opened where this page stands already is a new fragment and no new document
    state.linked = () => {
      const token = location.hash.slice(1);
      if (!["reset", "email"].includes(state.data.mode) || !token || token === state.token) return;
      state.token = token;
      build(state.root, state);
    };
    addEventListener("hashchange", state.linked);
    doors.set(parentElement, state);
  }
  const fresh = JSON.stringify(data);
  if (fresh !== state.seen) {
    state.seen = fresh;
    state.data = data;
    build(state.root, state);
  }
  return () => { removeEventListener("hashchange", state.linked); state.root.remove(); doors.delete(parentElement); };
}
