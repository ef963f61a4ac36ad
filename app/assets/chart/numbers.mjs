// How numbers are written: *style* is the reader's, as Python hands it over with a component's data (app/ui/write.py).
const MARKS = { point: [",", "."], comma: [".", ","], space: ["\u202f", ","] }; // between thousands, before the fraction

/** *number*, written with `,` between thousands and `.` before the fraction, as the reader has it. */
export function shown(number, style) {
  const [thousands, point] = MARKS[style] ?? MARKS.point;
  return number.replace(/[,.]/g, (mark) => (mark === "," ? thousands : point));
}

/** *value* with exactly *places* after the point, its thousands apart. */
export const fixed = (value, places, style) =>
  shown(value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }), style);
