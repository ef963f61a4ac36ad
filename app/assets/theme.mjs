// Has every page of this browser drawn light, dark or as the device has it (early.js reads the cookie); nothing is drawn.
/** @param {{data: {cookie: string, theme: string}}} component */
export default function ({ data }) {
  const held = document.cookie.split("; ").find((one) => one.startsWith(`${data.cookie}=`))?.split("=")[1];
  if (data.theme === (held ?? "system")) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.cookie}=${data.theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  // Streamlit takes its theme when it starts, and never again
  if (document.cookie.includes(`${data.cookie}=${data.theme}`)) location.reload();
}
