// How the chart writes times and numbers: the reader's order, the reader's zone. Bar times are shifted into that zone
// already, so everything here reads them as UTC.
import { fixed, shown } from "./numbers.mjs";

const two = (number) => String(number).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const isKorean = (locale) => locale.startsWith("ko");

/** A day: `2026. 11. 29.` or `29 Nov 2026`. */
export function day(time, locale) {
  const at = new Date(time * 1000);
  const [year, month, date] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  return isKorean(locale) ? `${year}. ${month + 1}. ${date}.` : `${date} ${MONTHS[month]} ${year}`;
}

/** Hours and minutes. */
export const hour = (time) => {
  const at = new Date(time * 1000);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
};

/** A bar's time in full; a day's bar has no hour. */
export const moment = (time, locale, step) => (step >= 86400 ? day(time, locale) : `${day(time, locale)} ${hour(time)}`);

/** A mark on the axis; *kind* is the library's TickMarkType: year, month, day, minute, second. */
export function tick(time, kind, locale) {
  const at = new Date(time * 1000);
  if (kind === 0) return isKorean(locale) ? `${at.getUTCFullYear()}년` : String(at.getUTCFullYear());
  if (kind === 1) return isKorean(locale) ? `${at.getUTCMonth() + 1}월` : MONTHS[at.getUTCMonth()];
  if (kind === 2) return isKorean(locale) ? `${at.getUTCMonth() + 1}. ${at.getUTCDate()}.` : `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
  return hour(time);
}

/** A sum of money with its sign, as Python writes it. */
export const signed = (value, style) => {
  const text = fixed(Math.abs(value), 2, style);
  return /[1-9]/.test(text) ? `${value < 0 ? "-" : "+"}${text}` : text;
};

/** A volume in as few places as tell it apart. */
export const volume = (value, style) =>
  value >= 1000 ? fixed(value, 0, style) : shown(String(Number(value.toPrecision(4))), style);

/** Fill the {names} of a sentence. */
export const filled = (text, names) => text.replace(/\{(\w+)\}/g, (_, name) => names[name] ?? "");
