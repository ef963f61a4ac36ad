// The lines over the candles, with the formulas of lib/simulator/analyst/indicators.py where it has them, so that an
// opinion that names "RSI 24" can be looked up in the chart. Each function fills *out* from index *from* on and reads
// what stands before, so a tick costs one bar. null where there is too little to say.

export const FAST = 8;
export const SLOW = 21;
export const RSI_SPAN = 14;
export const BAND_SPAN = 20;
export const BAND_WIDTH = 2;
const DAY = 86400;

/** Exponential moving average of the closes, seeded with the first. */
export function ema(bars, span, out, from = 0) {
  const weight = 2 / (span + 1);
  for (let i = from; i < bars.length; i++) {
    out[i] = i === 0 ? bars[0].close : out[i - 1] + (bars[i].close - out[i - 1]) * weight;
  }
  out.length = bars.length;
  return out;
}

/** Mean of the newest closes, and that plus and minus so many standard deviations (of the whole window). */
export function bollinger(bars, span, width, out, from = 0) {
  for (let i = from; i < bars.length; i++) {
    if (i < span - 1) {
      out[i] = null;
      continue;
    }
    let sum = 0;
    for (let j = i - span + 1; j <= i; j++) sum += bars[j].close;
    const mean = sum / span;
    let squares = 0;
    for (let j = i - span + 1; j <= i; j++) squares += (bars[j].close - mean) ** 2;
    const reach = width * Math.sqrt(squares / span);
    out[i] = { middle: mean, upper: mean + reach, lower: mean - reach };
  }
  out.length = bars.length;
  return out;
}

/** Volume-weighted mean of the typical price since midnight UTC; *shift* is what was added to the bars' times. */
export function vwap(bars, shift, out, from = 0) {
  for (let i = from; i < bars.length; i++) {
    const { time, high, low, close, volume } = bars[i];
    const before = i > 0 && Math.floor((bars[i - 1].time - shift) / DAY) === Math.floor((time - shift) / DAY) ? out[i - 1] : null;
    const traded = (before?.traded ?? 0) + volume;
    const paid = (before?.paid ?? 0) + ((high + low + close) / 3) * volume;
    out[i] = { traded, paid, value: traded > 0 ? paid / traded : null };
  }
  out.length = bars.length;
  return out;
}

/** Cutler's RSI (simple means), 0 to 100; 50 where nothing moved. */
export function rsi(bars, span, out, from = 0) {
  for (let i = from; i < bars.length; i++) {
    if (i < span) {
      out[i] = null;
      continue;
    }
    let ups = 0;
    let total = 0;
    for (let j = i - span + 1; j <= i; j++) {
      const move = bars[j].close - bars[j - 1].close;
      if (move > 0) ups += move;
      total += Math.abs(move);
    }
    out[i] = total > 0 ? (100 * ups) / total : 50;
  }
  out.length = bars.length;
  return out;
}
