/**
 * Exact binary fractions: C's hexadecimal floats ("0x1.8p3"), and rounding to a number of bits.
 *
 * strtod(3) accepts hexadecimal, so Redis does, wherever a float is expected. It is rare enough
 * that bigint is good enough. The layouts of double and of x87's long double differ only in the
 * numbers passed here.
 */

/** significand * 2^exponent. */
export interface BinaryFraction {
  readonly significand: bigint;
  readonly exponent: number;
}

const POINT = 0x2e;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** Exponents beyond this overflow or underflow any format, whatever the significand. */
const EXPONENT_MAX = 1_000_000;

/**
 * The hexadecimal float in bytes[start, end), where "0x" stands at start, or null if it is
 * malformed. The sign is the caller's business.
 */
export function parseHexFloat(
  bytes: Uint8Array,
  start: number,
  end: number,
): BinaryFraction | null {
  let at = start + 2;
  let text = "";
  let exponent = 0;
  let hasPoint = false;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte === POINT && !hasPoint) {
      hasPoint = true;
    } else if (isHexDigit(byte)) {
      text += String.fromCharCode(byte);
      if (hasPoint) exponent -= 4;
    } else {
      break;
    }
  }
  if (text === "") return null;
  if (at < end) {
    if ((bytes[at] | 0x20) !== 0x70) return null;
    const power = parseExponent(bytes, at + 1, end);
    if (power !== power) return null;
    exponent += power;
  }
  return { significand: BigInt(`0x${text}`), exponent };
}

/**
 * The optionally signed decimal exponent in bytes[start, end), limited to ±EXPONENT_MAX, or NaN
 * if it is malformed.
 */
export function parseExponent(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  const isNegative = at < end && bytes[at] === MINUS;
  if (isNegative || (at < end && bytes[at] === PLUS)) at++;
  if (at === end) return NaN;
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at] - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = Math.min(value * 10 + digit, EXPONENT_MAX);
  }
  return isNegative ? -value : value;
}

function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** The number of bits of a non-negative bigint; 0 for 0. */
export function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const text = value.toString(16);
  return text.length * 4 - Math.clz32(parseInt(text[0], 16)) + 28;
}

/**
 * Rounds numerator / denominator * 2^exponent to `bits` significant bits, to nearest, ties to even.
 * No bit below 2^exponentMin is kept, which is how subnormal numbers lose precision.
 * Requires: numerator >= 0, denominator > 0.
 */
export function roundToBits(
  numerator: bigint,
  denominator: bigint,
  exponent: number,
  bits: number,
  exponentMin: number,
): BinaryFraction {
  if (numerator === 0n) return { significand: 0n, exponent: 0 };
  // The quotient has `bits` or bits + 1 bits before the first correction.
  let target = exponent + bitLength(numerator) - bitLength(denominator) - bits;
  if (target < exponentMin) target = exponentMin;
  let rounded = divideRounded(numerator, denominator, target - exponent);
  if (bitLength(rounded) > bits) {
    target++;
    rounded = divideRounded(numerator, denominator, target - exponent);
  }
  return { significand: rounded, exponent: target };
}

/** numerator / (denominator * 2^shift) as the nearest integer, ties to even. */
function divideRounded(numerator: bigint, denominator: bigint, shift: number): bigint {
  const dividend = shift < 0 ? numerator << BigInt(-shift) : numerator;
  const divisor = shift > 0 ? denominator << BigInt(shift) : denominator;
  const quotient = dividend / divisor;
  const twiceRest = 2n * (dividend - quotient * divisor);
  const isUp = twiceRest > divisor || (twiceRest === divisor && (quotient & 1n) === 1n);
  return isUp ? quotient + 1n : quotient;
}
