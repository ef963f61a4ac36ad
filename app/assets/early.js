// What Streamlit's front end would learn only from its first answers, told before it starts: the colours and type it will
// draw with, so that nothing is drawn twice, and where its server is, so that it connects at once instead of asking
// whether somebody is there, and below the address of a deep link first.
const told = JSON.parse(document.querySelector("meta[name=maemae]").content);
window.__streamlit = {
  BACKEND_BASE_URL: `${location.origin}/`,
  HOST_CONFIG: { allowedOrigins: [location.origin], useExternalAuthToken: false, enableCustomParentMessages: false },
  LIGHT_THEME: told.light,
  DARK_THEME: told.dark,
};

// A theme somebody chose, where Streamlit looks for one when it starts: by the address it starts at.
const THEMES = { light: "Light", dark: "Dark", system: "System" };
try {
  const place = `stActiveTheme-${location.pathname}-v2`;
  const chosen = THEMES[/(?:^|; )maemae_theme=(light|dark|system)(?:;|$)/.exec(document.cookie)?.[1]];
  if (chosen) localStorage.setItem(place, JSON.stringify(chosen));
  const drawn = localStorage.getItem(place);
  if (drawn === '"Light"' || drawn === '"Dark"') {
    document.documentElement.style.colorScheme = JSON.parse(drawn).toLowerCase();
  }
} catch {
  // no storage in this browser: the device's own theme it is
}
