// HOT PATH: rules in src/README.md
/**
 * Doubles as bytes: what commands accept as a float, and how scores and RESP3 doubles are printed.
 *
 * Accepted is what strtod(3) accepts as a whole in the C locale, minus what Redis takes away:
 *
 *   [+-] digits [. digits] [e [+-] digits]     a digit on one side of the point is enough
 *   [+-] 0x hex [. hex] [p [+-] digits]
 *   [+-] inf | infinity                        in any case
 *
 * Refused are the empty text, spaces, anything behind the number, nan, and a number other than
 * zero that is too large or too small for a double ("1e400", "1e-400").
 *
 * Most numbers' digits are below 2^53, and their exponent is small. Then digits and power of ten are
 * exact doubles and one division or multiplication rounds correctly (Clinger's fast path); no string
 * is made. Other decimals go through the language's own conversion, exact for any length.
 */

import { isWord, latin1FromBytes, writeAscii } from "./ascii.ts";
import { writeShortest } from "./grisu.ts";
import { bitLength, parseExponent, parseHexFloat, roundToBits } from "./hex-float.ts";
import { writeInteger, writeScaled } from "./integer.ts";

/** The longest text that writeDouble produces: a sign, 17 digits and seven zeros. */
export const DOUBLE_BYTES_MAX = 25;

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;

/** 10^22 is the largest power of ten that is exact. */
const POWERS_OF_TEN = new Float64Array([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]);
const EXACT_EXPONENT_MAX = 22;

const SIGNIFICAND_BITS = 53;
const EXPONENT_MIN = -1074;
const EXPONENT_MAX = 1024;

/** Valkey prints integral doubles up to here with all their digits. */
const INTEGER_MAX = 2 ** 62;
const TWO_16 = 65536;
const TWO_32 = 4294967296;

/** The double in bytes[start, end), or NaN when it is none. */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const isNegative = at < end && bytes[at] === MINUS;
  if (isNegative || (at < end && bytes[at] === PLUS)) at++;
  const first = at;
  let value = 0;
  let scale = 0;
  let pointAt = -1;
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) {
      // Exact up to 2^53. What is larger is not used below, so that its rounding does not matter.
      value = value * 10 + digit;
      if (pointAt >= 0) scale--;
    } else if (bytes[at] === POINT && pointAt < 0) {
      pointAt = at;
    } else {
      break;
    }
  }
  const digitCount = at - first - (pointAt >= 0 ? 1 : 0);
  if (digitCount === 0) return parseInfinity(bytes, first, end, isNegative);
  if (at < end) {
    const marker = bytes[at] | 0x20;
    if (marker === 0x78 && at === first + 1 && bytes[first] === ZERO) {
      return parseHexadecimal(bytes, first, end, isNegative);
    }
    if (marker !== 0x65) return NaN;
    const exponent = parseExponent(bytes, at + 1, end);
    if (exponent !== exponent) return NaN;
    scale += exponent;
  }
  if (value === 0) return isNegative ? -0 : 0;
  const isLong = value > Number.MAX_SAFE_INTEGER;
  if (isLong || scale < -EXACT_EXPONENT_MAX || scale > EXACT_EXPONENT_MAX) {
    value = Number(latin1FromBytes(bytes, first, end));
    if (value === 0 || value === Infinity) return NaN;
  } else if (scale < 0) {
    value /= POWERS_OF_TEN[-scale];
  } else {
    value *= POWERS_OF_TEN[scale];
  }
  return isNegative ? -value : value;
}

function parseInfinity(bytes: Uint8Array, start: number, end: number, isNegative: boolean): number {
  if (!isWord(bytes, start, end, "INF") && !isWord(bytes, start, end, "INFINITY")) return NaN;
  return isNegative ? -Infinity : Infinity;
}

function parseHexadecimal(
  bytes: Uint8Array,
  start: number,
  end: number,
  isNegative: boolean,
): number {
  const fraction = parseHexFloat(bytes, start, end);
  if (fraction === null) return NaN;
  if (fraction.significand === 0n) return isNegative ? -0 : 0;
  const magnitude = bitLength(fraction.significand) + fraction.exponent;
  if (magnitude > EXPONENT_MAX || magnitude < EXPONENT_MIN - 1) return NaN;
  const rounded = roundToBits(
    fraction.significand,
    1n,
    fraction.exponent,
    SIGNIFICAND_BITS,
    EXPONENT_MIN,
  );
  // In two steps, since 2^exponent alone may be too small for a double although the product is not.
  const half = Math.trunc(rounded.exponent / 2);
  const value = Number(rounded.significand) * 2 ** half * 2 ** (rounded.exponent - half);
  if (value === 0 || value === Infinity) return NaN;
  return isNegative ? -value : value;
}

/**
 * Writes a double as Valkey 8.1 prints it and returns the offset after it: "nan", "inf", "-inf" and
 * "-0" in words, integers up to 2^62 with all digits, others as writeShortest has them. Needs room
 * for DOUBLE_BYTES_MAX bytes.
 */
export function writeDouble(bytes: Uint8Array, offset: number, value: number): number {
  const magnitude = value < 0 ? -value : value;
  if (magnitude <= Number.MAX_SAFE_INTEGER && magnitude === Math.floor(magnitude)) {
    if (value === 0 && 1 / value < 0) return writeAscii(bytes, offset, "-0");
    return writeInteger(bytes, offset, value);
  }
  if (value !== value) return writeAscii(bytes, offset, "nan");
  let at = offset;
  if (value < 0) bytes[at++] = MINUS;
  if (magnitude === Infinity) return writeAscii(bytes, at, "inf");
  if (magnitude > Number.MAX_SAFE_INTEGER && magnitude <= INTEGER_MAX) {
    return writeLargeInteger(bytes, at, magnitude);
  }
  if (magnitude >= 0.001 && magnitude < 1e7) {
    // What writeShortest has for every decimal of up to eight digits (all were compared), in a tenth
    // of its time. Of longer ones it makes some longer still, as Valkey does.
    const scale = magnitude < 1e5 ? 1000 : magnitude < 1e6 ? 100 : 10;
    const scaled = Math.round(magnitude * scale);
    if (scaled / scale === magnitude) return writeScaled(bytes, at, scaled, scale);
  }
  return writeShortest(bytes, at, magnitude);
}

/** Writes an integral double from 2^53 to 2^62 with all its digits. */
function writeLargeInteger(bytes: Uint8Array, offset: number, value: number): number {
  // Long division by 10^9 in steps of 16 bits, whose dividends stay below 2^46.
  const high = Math.floor(value / TWO_32);
  const low = value - high * TWO_32;
  const quotientHigh = Math.floor(high / 1e9);
  const middle = (high - quotientHigh * 1e9) * TWO_16 + Math.floor(low / TWO_16);
  const quotientMiddle = Math.floor(middle / 1e9);
  const last = (middle - quotientMiddle * 1e9) * TWO_16 + (low % TWO_16);
  const quotientLast = Math.floor(last / 1e9);
  const at = writeInteger(
    bytes,
    offset,
    quotientHigh * TWO_32 + quotientMiddle * TWO_16 + quotientLast,
  );
  let rest = last - quotientLast * 1e9;
  for (let index = 8; index >= 0; index--) {
    bytes[at + index] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + 9;
}
