// Remembers the language of somebody without an account of their own; nothing is drawn.
export default function ({ data }) {
  if (!data.language) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.cookie}=${data.language}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}
