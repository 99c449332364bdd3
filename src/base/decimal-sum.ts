/**
 * Sums of short decimals, where the long double of x86 (base/extended.ts) provably prints the exact
 * decimal sum, so that counters of everyday numbers need neither bigint nor strings.
 *
 * Both numbers are integers A and B of at most 15 digits, over one power of ten. In the format of
 * 64 significant bits, reading a and b and adding them rounds three times, each time by at most
 * 2^-64 of the value, and so by 2^-63 (|a| + |b|) in all. The sum prints with 17 places, exactly if
 *
 *   this is less than half of the last place     |a| + |b| < 2^63 * 10^-17 / 2 = 46.1...
 *   or nothing is rounded                        A and B divide by 5^places: a and b are binary
 *                                                fractions of fewer than 64 bits
 *
 * O(digits).
 */
import { writeScaled } from "./integer.ts";

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;

const DIGITS_MAX = 15;
/** Integers up to here are exact as doubles, and so is what is calculated with them. */
const MAGNITUDE_MAX = 1e15;
const SMALL_MAX = 46;

const POWERS_OF_TEN = new Float64Array(DIGITS_MAX + 1);
const POWERS_OF_FIVE = new Float64Array(DIGITS_MAX + 1);
for (let power = 0; power <= DIGITS_MAX; power++) {
  POWERS_OF_TEN[power] = 10 ** power;
  POWERS_OF_FIVE[power] = 5 ** power;
}

/** Digits behind the point of the decimal that was parsed last. */
let places = 0;

/** The digits of bytes[start, end) as an integer; NaN if they are no short, plain decimal. */
function parseDigits(bytes: Uint8Array, start: number, end: number): number {
  const isNegative = start < end && bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  // A point may be among the digits, but there is one digit at least.
  if (end - first > DIGITS_MAX || end === first) return NaN;
  let value = 0;
  let pointAt = -1;
  for (let at = first; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (bytes[at] === POINT && pointAt < 0 && end - first > 1) pointAt = at;
    else return NaN;
  }
  places = pointAt < 0 ? 0 : end - pointAt - 1;
  return isNegative ? -value : value;
}

/**
 * Writes the sum of the decimals a[aStart, aEnd) and b[bStart, bEnd) as Redis prints it, and returns
 * the offset after it; or -1 if it takes base/extended.ts to find out, or what is wrong with them.
 * Needs room for 18 bytes.
 */
export function writeDecimalSum(
  target: Uint8Array,
  offset: number,
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  let first = parseDigits(a, aStart, aEnd);
  const firstPlaces = places;
  let second = parseDigits(b, bStart, bEnd);
  if (firstPlaces > places) {
    second *= POWERS_OF_TEN[firstPlaces - places];
    places = firstPlaces;
  } else first *= POWERS_OF_TEN[places - firstPlaces];
  const scale = POWERS_OF_TEN[places];
  const magnitude = Math.abs(first) + Math.abs(second);
  // NaN is none of these.
  if (!(magnitude < MAGNITUDE_MAX)) return -1;
  if (magnitude >= SMALL_MAX * scale) {
    const five = POWERS_OF_FIVE[places];
    if (first % five !== 0 || second % five !== 0) return -1;
  }
  return writeScaled(target, offset, first + second, scale);
}

/** Whether bytes[start, end) is a decimal that `writeDecimalSum` may add. */
export function isShortDecimal(bytes: Uint8Array, start: number, end: number): boolean {
  return !Number.isNaN(parseDigits(bytes, start, end));
}
