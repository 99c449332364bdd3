// HOT PATH: rules in src/README.md
/**
 * Signed 64-bit integers as two 32-bit words, without bigint.
 *
 * Listpacks and intsets hold int64s. A JavaScript number is exact only up to 2^53, and bigint
 * allocates; so whatever is beyond 2^53 travels as `high` and `low`, both signed 32-bit, with the
 * value high * 2^32 + (low >>> 0). Text is canonical decimal, as in base/integer.ts.
 *
 * Decimals of up to 19 digits are handled as upper * 10^9 + lower: both parts, and all products of
 * a part's 16-bit pieces, are exact doubles. All are O(digits).
 */
import { decimalLength, writeInteger } from "./integer.ts";

const ZERO = 0x30;
const MINUS = 0x2d;
const TEN_TO_9 = 1_000_000_000;
const TWO_TO_16 = 65536;
const TWO_TO_32 = 4294967296;
/** Digits of the largest int64, and their two parts. */
const DIGITS_MAX = 19;
const UPPER_MAX = 9223372036;
const LOWER_MAX = 854775807;

/** An int64 that does not fit a number: a scratch object that its owner reuses. */
export class Int64 {
  high = 0;
  low = 0;

  /** Takes the canonical int64 in the bytes [start, end), or changes nothing and is false. */
  parse(view: DataView, start: number, end: number): boolean {
    const small = parseSafeInteger(view, start, end);
    if (small === small) {
      this.set(small);
      return true;
    }
    if (!isInt64(view, start, end)) return false;
    this.high = int64High(view, start, end);
    this.low = int64Low(view, start, end);
    return true;
  }

  /** Takes a safe integer. */
  set(value: number): void {
    this.high = Math.floor(value / TWO_TO_32);
    this.low = value | 0;
  }

  /** The value, rounded beyond 2^53. */
  toNumber(): number {
    return this.high * TWO_TO_32 + (this.low >>> 0);
  }
}

/**
 * The canonical decimal integer in the bytes [start, end), or NaN when it is none or is not safe:
 * `parseInteger` of base/integer.ts for callers that have a DataView.
 */
export function parseSafeInteger(view: DataView, start: number, end: number): number {
  if (start >= end) return NaN;
  let at = start;
  let digit = view.getUint8(at) - ZERO;
  const isNegative = digit === MINUS - ZERO;
  if (isNegative) {
    if (++at === end) return NaN;
    digit = view.getUint8(at) - ZERO;
    // "-0" is not canonical.
    if (digit === 0) return NaN;
  }
  const length = end - at;
  if (digit < 0 || digit > 9 || length > 16 || (digit === 0 && length > 1)) return NaN;
  // Up to nine digits fit an int32; longer numbers are two such parts.
  const split = length <= 9 ? end : end - 9;
  let value = digit;
  for (at++; at < split; at++) {
    digit = view.getUint8(at) - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = (value * 10 + digit) | 0;
  }
  if (split !== end) {
    let lower = 0;
    for (; at < end; at++) {
      digit = view.getUint8(at) - ZERO;
      if (digit < 0 || digit > 9) return NaN;
      lower = (lower * 10 + digit) | 0;
    }
    value = value * TEN_TO_9 + lower;
    if (value > Number.MAX_SAFE_INTEGER) return NaN;
  }
  return isNegative ? -value : value;
}

/** Whether the bytes [start, end) are a canonical decimal int64. */
export function isInt64(view: DataView, start: number, end: number): boolean {
  const isNegative = start < end && view.getUint8(start) === MINUS;
  const first = isNegative ? start + 1 : start;
  const length = end - first;
  if (length < 1 || length > DIGITS_MAX) return false;
  if (view.getUint8(first) === ZERO) return length === 1 && !isNegative;
  for (let at = first; at < end; at++) {
    const digit = view.getUint8(at) - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  if (length < DIGITS_MAX) return true;
  const upper = digits(view, first, end - 9);
  if (upper !== UPPER_MAX) return upper < UPPER_MAX;
  return digits(view, end - 9, end) <= LOWER_MAX + (isNegative ? 1 : 0);
}

/** The high word of the int64 in the bytes [start, end). Requires: isInt64. */
export function int64High(view: DataView, start: number, end: number): number {
  const isNegative = view.getUint8(start) === MINUS;
  const first = isNegative ? start + 1 : start;
  const split = Math.max(first, end - 9);
  const upper = digits(view, first, split);
  const lower = digits(view, split, end);
  const high = productHigh(upper, lower);
  // A negative number is the complement plus one; the one reaches the high word over a zero.
  return isNegative ? (~high + (productLow(upper, lower) === 0 ? 1 : 0)) | 0 : high;
}

/** The low word of the int64 in the bytes [start, end). Requires: isInt64. */
export function int64Low(view: DataView, start: number, end: number): number {
  const isNegative = view.getUint8(start) === MINUS;
  const first = isNegative ? start + 1 : start;
  const split = Math.max(first, end - 9);
  const low = productLow(digits(view, first, split), digits(view, split, end));
  return isNegative ? -low | 0 : low;
}

/** How many bytes `writeInt64` writes. */
export function int64Length(high: number, low: number): number {
  const isNegative = high < 0;
  const magnitudeLow = isNegative ? -low | 0 : low;
  const magnitudeHigh = isNegative ? ~high + (magnitudeLow === 0 ? 1 : 0) : high;
  const sign = isNegative ? 1 : 0;
  const upper = quotient(magnitudeHigh, magnitudeLow);
  if (upper === 0) return sign + decimalLength(magnitudeLow >>> 0);
  return sign + decimalLength(upper) + 9;
}

/** Writes an int64 in decimal and returns the offset behind it. */
export function writeInt64(bytes: Uint8Array, offset: number, high: number, low: number): number {
  let at = offset;
  let magnitudeHigh = high;
  let magnitudeLow = low;
  if (high < 0) {
    bytes[at++] = MINUS;
    magnitudeLow = -low | 0;
    magnitudeHigh = ~high + (magnitudeLow === 0 ? 1 : 0);
  }
  const upper = quotient(magnitudeHigh, magnitudeLow);
  // Modulo 2^32, which is enough for a remainder below 10^9.
  let rest = (magnitudeLow - Math.imul(upper | 0, TEN_TO_9)) >>> 0;
  if (upper === 0) return writeInteger(bytes, at, rest);
  at = writeInteger(bytes, at, upper);
  const end = at + 9;
  for (let digitAt = end - 1; digitAt >= at; digitAt--) {
    const tenth = (rest / 10) | 0;
    bytes[digitAt] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

function digits(view: DataView, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (view.getUint8(at) - ZERO);
  return value;
}

/** Bits 32..63 of upper * 10^9 + lower. Requires: upper < 2^34, lower < 10^9. */
function productHigh(upper: number, lower: number): number {
  const upperHigh = Math.floor(upper / TWO_TO_16);
  const middle = upperHigh * TEN_TO_9;
  const shifted = Math.floor(middle / TWO_TO_16);
  const rest = (middle - shifted * TWO_TO_16) * TWO_TO_16;
  const sum = rest + (upper - upperHigh * TWO_TO_16) * TEN_TO_9 + lower;
  return (shifted + Math.floor(sum / TWO_TO_32)) | 0;
}

/** Bits 0..31 of upper * 10^9 + lower. */
function productLow(upper: number, lower: number): number {
  return (Math.imul(upper | 0, TEN_TO_9) + lower) | 0;
}

/** The unsigned 64-bit integer (at most 2^63) divided by 10^9, rounded down. */
function quotient(high: number, low: number): number {
  const unsignedHigh = high >>> 0;
  const first = Math.floor(unsignedHigh / TEN_TO_9);
  const middle = (unsignedHigh - first * TEN_TO_9) * TWO_TO_16 + (low >>> 16);
  const second = Math.floor(middle / TEN_TO_9);
  const last = (middle - second * TEN_TO_9) * TWO_TO_16 + (low & 0xffff);
  return first * TWO_TO_32 + second * TWO_TO_16 + Math.floor(last / TEN_TO_9);
}
