// What a browser and its authenticator say to each other, as our routes hear it: JSON with bytes in base64url.

/** Base64url and bytes, as WebAuthn's JSON and the browser want them. */
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const written = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** Have the browser make a passkey (*making*) or show one; its answer as JSON text, null when its owner turned away. */
export async function passkey(options, making) {
  const asked = { ...options, challenge: bytes(options.challenge) };
  const listed = (found) => (found ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  if (making) {
    asked.user = { ...options.user, id: bytes(options.user.id) };
    asked.excludeCredentials = listed(options.excludeCredentials);
  } else asked.allowCredentials = listed(options.allowCredentials);
  const credentials = navigator.credentials;
  const made = await (making ? credentials.create({ publicKey: asked }) : credentials.get({ publicKey: asked })).catch(() => null);
  if (!made) return null;
  const response = { clientDataJSON: written(made.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name]) response[name] = written(made.response[name]);
  }
  return JSON.stringify({ id: made.id, rawId: written(made.rawId), type: made.type, response, clientExtensionResults: {} });
}
