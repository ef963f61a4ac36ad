// Candles as the chart keeps them, without drawing: rows as the server sends them, bars as the library takes them.
// Newest are one-minute rows, kept up to date by ticks; older ones of any interval come from the exchange. A bar of a
// wide interval is the exchange's own where it has one, and summed up from minutes otherwise.

/** @typedef {[number, number, number, number, number, number]} Row open time in s, open, high, low, close, volume */
/** @typedef {{time: number, open: number, high: number, low: number, close: number, volume: number}} Bar */
/** @typedef {{rows: Row[], before: ?number, state: "idle" | "loading" | "failed"}} Older *before* null: no older ones */

export const STEPS = { "1m": 60, "3m": 180, "5m": 300, "15m": 900, "1h": 3600, "4h": 14400, "1d": 86400 };
export const DAY = 86400;
export const MOST_OLDER = 30000; // bars of one interval beyond the minutes at hand

/** Merge *news* into *rows* (times rise; the newest may be replaced); the first index touched, Infinity for none. */
export function mergeRows(rows, news) {
  let touched = Infinity;
  for (const row of news) {
    let at = rows.length;
    while (at > 0 && rows[at - 1][0] >= row[0]) at--;
    if (at < rows.length && rows[at][0] === row[0]) rows[at] = row;
    else rows.splice(at, 0, row);
    touched = Math.min(touched, at);
  }
  return touched;
}

const bar = ([time, open, high, low, close, volume], shift) => ({ time: time + shift, open, high, low, close, volume });

/** Bars of *step* seconds out of *rows* from index *from* on; *shift* is added to every time. */
export function summed(rows, step, shift, from = 0) {
  const out = [];
  let last = null;
  for (let i = from; i < rows.length; i++) {
    const [time, open, high, low, close, volume] = rows[i];
    const at = time - (time % step) + shift;
    if (last !== null && last.time === at) {
      last.high = Math.max(last.high, high);
      last.low = Math.min(last.low, low);
      last.close = close;
      last.volume += volume;
    } else out.push((last = { time: at, open, high, low, close, volume }));
  }
  return out;
}

/** The candles of one symbol. */
export class Candles {
  constructor() {
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Map<number, Older>} by step */
    this.older = new Map();
  }

  /** What is known beyond the minutes at hand, for *step*. */
  beyond(step) {
    let known = this.older.get(step);
    if (known === undefined) {
      const first = this.rows.length ? Math.ceil(this.rows[0][0] / step) * step : null;
      known = { rows: [], before: first, state: "idle" };
      if (first !== null) this.older.set(step, known);
    }
    return known;
  }

  /** Whether the exchange may have older bars of *step* that are wanted. */
  hasMore(step) {
    const known = this.beyond(step);
    return known.before !== null && known.rows.length < MOST_OLDER;
  }

  /** Take an answer of the history route. */
  prepend(step, { rows, older }) {
    const known = this.beyond(step);
    const first = known.rows.length ? known.rows[0][0] : Infinity;
    known.rows = [...rows.filter((row) => row[0] < first), ...known.rows];
    known.before = older;
  }

  /** Every bar of *step*, oldest first. */
  bars(step, shift) {
    const older = this.beyond(step).rows;
    const last = older.length ? older[older.length - 1][0] + shift : -Infinity;
    const newer = summed(this.rows, step, shift);
    let from = 0;
    while (from < newer.length && newer[from].time <= last) from++;
    return [...older.map((row) => bar(row, shift)), ...(from ? newer.slice(from) : newer)];
  }

  /** The bars of *step* that changed when rows from index *touched* on did. */
  tail(step, shift, touched) {
    const { rows } = this;
    const opened = rows[touched][0] - (rows[touched][0] % step);
    let from = touched;
    while (from > 0 && rows[from - 1][0] >= opened) from--;
    return summed(rows, step, shift, from);
  }
}
