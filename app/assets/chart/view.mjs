// Which stretch of time is looked at. What the person chose by hand is kept through ticks, older bars, other intervals,
// a reload (of this tab) and a restart of the server: an interval shows the same time, made wider where that would be
// fewer than LEAST bars, and going back shows exactly what was there before.

const KEY = "maemae.chart.view";
const LEAST = 48;
const USUAL = 150; // bars at first, where they are wide enough to be told apart
const WIDTH = 6.4;
export const THINNEST = 0.5; // pixels of a bar
const ROOM = 6; // empty bars to the right of the newest

/** @typedef {{span: number, right: ?number, gap: number}} Wish seconds; *right* null: at the newest bar, *gap* bars after it */

const timeAt = (bars, step, at) => {
  const last = bars.length - 1;
  if (at <= 0) return bars[0].time + at * step;
  if (at >= last) return bars[last].time + (at - last) * step;
  const low = Math.floor(at);
  return bars[low].time + (at - low) * (bars[low + 1].time - bars[low].time);
};

const indexAt = (bars, step, time) => {
  const last = bars.length - 1;
  if (time <= bars[0].time) return (time - bars[0].time) / step;
  if (time >= bars[last].time) return last + (time - bars[last].time) / step;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (bars[middle].time <= time) low = middle;
    else high = middle;
  }
  return low + (time - bars[low].time) / (bars[high].time - bars[low].time);
};

/** What somebody sees who looks at the logical *range* of *bars*. */
function seen(range, bars, step, shift) {
  const last = bars.length - 1;
  const span = timeAt(bars, step, range.to) - timeAt(bars, step, range.from);
  if (range.to >= last) return { span, right: null, gap: range.to - last };
  return { span, right: timeAt(bars, step, range.to) - shift, gap: 0 };
}

const same = (one, other, step) =>
  other !== null &&
  (one.right === null) === (other.right === null) &&
  Math.abs(one.gap - other.gap) < 0.01 &&
  Math.abs(one.span - other.span) < step * 0.02 &&
  Math.abs((one.right ?? 0) - (other.right ?? 0)) < step * 0.02;

export class View {
  constructor() {
    /** @type {?Wish} */
    this.wish = null;
    this.shown = null; // what was last set from the wish, as `seen` tells it
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEY));
      if (Number.isFinite(kept?.span) && kept.span > 0) {
        this.wish = { span: kept.span, right: Number.isFinite(kept.right) ? kept.right : null, gap: Number(kept.gap) || 0 };
      }
    } catch { /* no storage, or not ours */ }
  }

  /** Remember where the person went by hand, if they did. */
  note(api, bars, step, shift, width) {
    const range = api.timeScale().getVisibleLogicalRange();
    // another width shows more or less of the same: that was not by hand
    if (!range || bars.length < 2 || this.shown === null || width !== this.width) return;
    const now = seen(range, bars, step, shift);
    if (same(now, this.shown, step)) return;
    this.wish = this.shown = now;
    this.keep();
  }

  keep() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.wish));
    } catch { /* no storage */ }
  }

  /** Show what is wished for, with these *bars*. */
  show(api, bars, step, shift, width) {
    if (bars.length < 2 || width === 0) return;
    this.width = width;
    const wish = this.wish ?? { span: Math.min(USUAL, width / WIDTH) * step, right: null, gap: ROOM };
    const last = bars.length - 1;
    const to = wish.right === null ? last + Math.min(wish.gap, ROOM * 4) : indexAt(bars, step, wish.right + shift);
    const most = Math.max(LEAST, (api.timeScale().width() || width) / THINNEST);
    let from = indexAt(bars, step, timeAt(bars, step, to) - wish.span);
    from = to - Math.min(most, Math.max(LEAST, to - from));
    api.timeScale().setVisibleLogicalRange({ from, to });
    this.shown = seen({ from, to }, bars, step, shift);
  }

  /** At the newest bar again, as wide as now. */
  toNow(api, bars, step, shift) {
    const range = api.timeScale().getVisibleLogicalRange();
    if (!range || bars.length < 2) return;
    const last = bars.length - 1;
    api.timeScale().setVisibleLogicalRange({ from: last + ROOM - (range.to - range.from), to: last + ROOM });
  }

  /** Another symbol comes: the same time is shown once its bars are there, and nothing is noted until then. */
  reset() {
    this.shown = null;
  }
}
