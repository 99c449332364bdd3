/** Numbers as C's library reads and prints them, which is what users of the tools are used to. */

const LEADING_INTEGER = /^[ \t\n\v\f\r]*[+-]?\d+/;
const LEADING_NUMBER = /^[ \t\n\v\f\r]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/;
/** More digits than this have no double of the sizes that are printed. */
const EXACT_DIGITS = 60;

/** The integer at the beginning of a text, 0 if there is none: atoi(3). */
export function leadingInteger(text: string): number {
  return Number(LEADING_INTEGER.exec(text)?.[0] ?? 0);
}

/** The number at the beginning of a text, 0 if there is none: atof(3). */
export function leadingNumber(text: string): number {
  return Number(LEADING_NUMBER.exec(text)?.[0] ?? 0);
}

/**
 * printf's "%.{digits}f", padded with zeros to `width`. Unlike Number.toFixed it rounds halves to
 * the even digit, as C does.
 */
export function formatFixed(value: number, digits: number, width = 0): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  }
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const magnitude = Math.abs(value);
  const exact = magnitude.toFixed(EXACT_DIGITS);
  const point = exact.length - EXACT_DIGITS - 1;
  const rest = exact.slice(point + 1 + digits);
  let text = magnitude.toFixed(digits);
  if (/^50*$/.test(rest)) {
    const truncated = exact.slice(0, digits === 0 ? point : point + 1 + digits);
    if (Number(truncated.at(-1)) % 2 === 0) text = truncated;
  }
  return sign + text.padStart(width - sign.length, "0");
}
