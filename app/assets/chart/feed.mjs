// Where candles come from: a snapshot over REST, ticks over our WebSocket, gaps refilled with ?since=, older ones of
// the exchange by /api/kline/history. A session that ended (401, 4401) reloads the page, which is the front door then.

const rowsOf = (message) => (Array.isArray(message) ? message : message.rows ?? []);
const LEAST_WAIT = 500;
const MOST_WAIT = 15000;

async function ask(url) {
  const reply = await fetch(url, { credentials: "same-origin", cache: "no-store" });
  if (reply.status === 401) location.reload();
  if (!reply.ok) throw new Error(`${url.split("?")[0]}: ${reply.status}`);
  return reply.json();
}

/** Closed bars of *interval* before *before* (s), *count* at most: `{rows, older}`. */
export const history = (url, symbol, interval, before, count) =>
  ask(`${url}?${new URLSearchParams({ symbol, interval, before: String(before), count: String(count) })}`);

/**
 * Follow one symbol. *tell* hears `snapshot(rows)` once, `merge(rows)` for what changed and `state(name)`: opening, live,
 * closed, failed. *newest* says the newest row's time. Returns how to stop, and how to try again at once.
 */
export function follow({ url, ws }, { snapshot, merge, state, newest }) {
  let socket, timer, ended = false, wait = LEAST_WAIT, first = true;

  async function fill() {
    const rows = rowsOf(await ask(first ? url : `${url}&since=${newest() ?? 0}`));
    if (ended) return;
    if (first) snapshot(rows);
    else merge(rows);
    first = first && rows.length === 0;
  }

  function again(why) {
    if (ended) return;
    state(first ? why : "closed");
    clearTimeout(timer);
    timer = setTimeout(open, wait);
    wait = Math.min(wait * 2, MOST_WAIT);
  }

  function open() {
    // the snapshot is asked for while the socket opens; what fell between the two is fetched afterwards
    const early = [];
    let ready = false, filled = first ? fill() : null;
    filled?.catch(() => {});
    const mine = (socket = new WebSocket(ws.replace(/^\//, location.origin.replace(/^http/, "ws") + "/")));
    mine.onmessage = (event) => {
      const rows = rowsOf(JSON.parse(event.data));
      if (ready) merge(rows);
      else early.push(...rows);
    };
    mine.onopen = async () => {
      try {
        await filled;
        await fill();
      } catch {
        return mine.close();
      }
      if (ended || mine !== socket) return;
      ready = true;
      wait = LEAST_WAIT;
      if (early.length) merge(early);
      state("live");
    };
    mine.onclose = (event) => {
      if (ended || mine !== socket) return;
      if (event.code === 4401) location.reload();
      else again("failed");
    };
  }

  state("opening");
  open();
  return {
    stop: () => { ended = true; clearTimeout(timer); socket?.close(); },
    retry: () => { wait = LEAST_WAIT; clearTimeout(timer); state("opening"); socket.onclose = null; socket.close(); open(); },
  };
}
