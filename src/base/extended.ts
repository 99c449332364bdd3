/**
 * The long double of x86, as INCRBYFLOAT and HINCRBYFLOAT compute with it.
 *
 * Redis adds in C's long double, which on x86 is x87's extended format: a significand of 64 bits
 * and 15 bits of exponent. Its results are visible: they print with 17 digits behind the point, and
 * 3 + 0.2 is 3.2 there, while the same sum of 53 bits would print as 3.20000000000000018. So the
 * format is emulated, in bigint, where every operation is exact until its one rounding.
 *
 *   value = significand * 2^exponent       the significand is signed and at most 2^64
 *   infinity has the exponent Infinity     and the significand 1 or -1; NaN has it 0
 *
 * A sign of zero is not kept, as no output of Redis shows it.
 *
 *   parse   nearest value, ties to even    then addition, rounded likewise
 *   write   exact decimal expansion rounded to 17 places, ties to even, trailing zeros removed
 *
 * Costs are O(digits) and O(exponent), a few microseconds for everyday numbers.
 */

import { isWord, latin1FromBytes, writeAscii } from "./ascii.ts";
import {
  bitLength,
  type BinaryFraction,
  parseExponent,
  parseHexFloat,
  roundToBits,
} from "./hex-float.ts";
import { parseInteger, writeInteger } from "./integer.ts";

/** A value in extended precision; see the header for infinity and NaN. */
export type Extended = BinaryFraction;

/** The longest text that is parsed, and more than the longest that is written. */
export const EXTENDED_BYTES_MAX = 5119;

const SIGNIFICAND_BITS = 64;
/** The weight of the last bit of the smallest number, and one above the exponent of the largest. */
const EXPONENT_MIN = -16445;
const EXPONENT_MAX = 16384;

/**
 * Digits times more than 10^this overflow; digits that fit times less than its inverse underflow.
 */
const SCALE_MAX = 5100;

const PLACES = 17;
const TEN_TO_PLACES = 10n ** BigInt(PLACES);

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;

const NOT_A_NUMBER: Extended = { significand: 0n, exponent: Infinity };

/**
 * The number in bytes[start, end), or null if there is none: what strtold(3) accepts as a whole,
 * without leading space and nan, and without numbers other than zero that overflow or underflow.
 * Infinity is accepted.
 */
export function parseExtended(bytes: Uint8Array, start: number, end: number): Extended | null {
  const small = parseInteger(bytes, start, end);
  if (small === small) return { significand: BigInt(small), exponent: 0 };
  if (end - start > EXTENDED_BYTES_MAX) return null;
  let at = start;
  const isNegative = at < end && bytes[at] === MINUS;
  if (isNegative || (at < end && bytes[at] === PLUS)) at++;
  const magnitude = parseMagnitude(bytes, at, end);
  if (magnitude === null || !isNegative) return magnitude;
  return { significand: -magnitude.significand, exponent: magnitude.exponent };
}

function parseMagnitude(bytes: Uint8Array, start: number, end: number): Extended | null {
  if (isWord(bytes, start, end, "INF") || isWord(bytes, start, end, "INFINITY")) {
    return { significand: 1n, exponent: Infinity };
  }
  if (end - start > 2 && bytes[start] === ZERO && (bytes[start + 1] | 0x20) === 0x78) {
    const fraction = parseHexFloat(bytes, start, end);
    if (fraction === null || fraction.significand === 0n) return fraction;
    const top = bitLength(fraction.significand) + fraction.exponent;
    if (top > EXPONENT_MAX || top < EXPONENT_MIN) return null;
    return finite(round(fraction.significand, 1n, fraction.exponent));
  }
  return parseDecimal(bytes, start, end);
}

function parseDecimal(bytes: Uint8Array, start: number, end: number): Extended | null {
  let at = start;
  let pointAt = -1;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte === POINT && pointAt < 0) pointAt = at;
    else if (byte < ZERO || byte > ZERO + 9) break;
  }
  let text = latin1FromBytes(bytes, start, at);
  let scale = 0;
  if (pointAt >= 0) {
    text = text.slice(0, pointAt - start) + text.slice(pointAt - start + 1);
    scale = pointAt + 1 - at;
  }
  if (text === "") return null;
  if (at < end) {
    if ((bytes[at] | 0x20) !== 0x65) return null;
    const exponent = parseExponent(bytes, at + 1, end);
    if (exponent !== exponent) return null;
    scale += exponent;
  }
  const digits = BigInt(text);
  if (digits === 0n) return { significand: 0n, exponent: 0 };
  if (scale > SCALE_MAX || scale < -SCALE_MAX - EXTENDED_BYTES_MAX) return null;
  const power = 10n ** BigInt(Math.abs(scale));
  return finite(scale < 0 ? round(digits, power, 0) : round(digits * power, 1n, 0));
}

function round(numerator: bigint, denominator: bigint, exponent: number): Extended {
  return roundToBits(numerator, denominator, exponent, SIGNIFICAND_BITS, EXPONENT_MIN);
}

/** The rounded number, unless it left the range at either end. */
function finite(rounded: Extended): Extended | null {
  if (rounded.significand === 0n) return null;
  return isTooLarge(rounded) ? null : rounded;
}

function isTooLarge(value: Extended): boolean {
  return bitLength(value.significand) + value.exponent > EXPONENT_MAX;
}

/** Whether the value is neither infinite nor NaN. */
export function isFiniteExtended(value: Extended): boolean {
  return value.exponent !== Infinity;
}

/** The sum, rounded to nearest, ties to even; infinite if it overflows, NaN for inf - inf. */
export function addExtended(a: Extended, b: Extended): Extended {
  if (!isFiniteExtended(a) || !isFiniteExtended(b)) return addInfinite(a, b);
  const exponent = Math.min(a.exponent, b.exponent);
  const sum =
    (a.significand << BigInt(a.exponent - exponent)) +
    (b.significand << BigInt(b.exponent - exponent));
  const isNegative = sum < 0n;
  const rounded = round(isNegative ? -sum : sum, 1n, exponent);
  const sign = isNegative ? -1n : 1n;
  if (isTooLarge(rounded)) return { significand: sign, exponent: Infinity };
  return { significand: sign * rounded.significand, exponent: rounded.exponent };
}

function addInfinite(a: Extended, b: Extended): Extended {
  if (isFiniteExtended(a)) return b;
  if (isFiniteExtended(b) || a.significand === b.significand) return a;
  return NOT_A_NUMBER;
}

/** The value of a double, exactly. */
export function extendedFromNumber(value: number): Extended {
  if (!Number.isFinite(value)) {
    return { significand: BigInt(Math.sign(value) || 0), exponent: Infinity };
  }
  // Scaled until it is integral: in two steps, since 2^1074 is too large for a double.
  let scaled = value;
  let exponent = 0;
  while (scaled !== Math.trunc(scaled)) {
    scaled *= 2 ** 537;
    exponent -= 537;
  }
  return { significand: BigInt(scaled), exponent };
}

/**
 * Writes the value as Redis prints long doubles for people: without exponent, 17 places behind the
 * point, trailing zeros removed, "inf", "-inf" or "nan". Returns the offset after it. Needs room
 * for EXTENDED_BYTES_MAX bytes in the worst case.
 */
export function writeExtended(bytes: Uint8Array, offset: number, value: Extended): number {
  const { significand, exponent } = value;
  const isNegative = significand < 0n;
  if (exponent === Infinity) {
    return writeAscii(bytes, offset, significand === 0n ? "nan" : isNegative ? "-inf" : "inf");
  }
  if (exponent === 0) {
    const integer = Number(significand);
    if (Number.isSafeInteger(integer)) return writeInteger(bytes, offset, integer);
  }
  const text = fixedText(isNegative ? -significand : significand, exponent);
  const at = isNegative && text !== "0" ? writeAscii(bytes, offset, "-") : offset;
  return writeAscii(bytes, at, text);
}

/** The magnitude with up to 17 places behind the point. */
function fixedText(significand: bigint, exponent: number): string {
  if (exponent >= 0) return (significand << BigInt(exponent)).toString();
  const shift = BigInt(-exponent);
  const scaled = significand * TEN_TO_PLACES;
  let units = scaled >> shift;
  const rest = scaled - (units << shift);
  const half = 1n << (shift - 1n);
  if (rest > half || (rest === half && (units & 1n) === 1n)) units++;
  const digits = units.toString().padStart(PLACES + 1, "0");
  const integer = digits.slice(0, -PLACES);
  const fraction = digits.slice(-PLACES).replace(/0+$/, "");
  return fraction === "" ? integer : `${integer}.${fraction}`;
}
