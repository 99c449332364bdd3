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

/** Below this a bigint converts to a finite double, whose logarithm tells its length. */
const LOG2_SAFE_MAX = 2 ** 1000;

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
  const rounded = Number(value);
  if (rounded === 0) return 0;
  if (rounded > LOG2_SAFE_MAX) {
    const text = value.toString(16);
    return text.length * 4 - Math.clz32(parseInt(text[0], 16)) + 28;
  }
  // The conversion and the logarithm may round across a power of two, by one in either direction.
  const estimate = Math.floor(Math.log2(rounded));
  const rest = value >> BigInt(estimate);
  return rest === 0n ? estimate : rest === 1n ? estimate + 1 : estimate + 2;
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
  // A quotient of one or two bits too many, plus whether anything was left over.
  let target = exponent + bitLength(numerator) - bitLength(denominator) - bits - 1;
  const shift = target - exponent;
  const dividend = shift < 0 ? numerator << BigInt(-shift) : numerator;
  const divisor = shift > 0 ? denominator << BigInt(shift) : denominator;
  let quotient = dividend;
  let isExact = true;
  if (divisor !== 1n) {
    quotient = dividend / divisor;
    isExact = quotient * divisor === dividend;
  }

  const excess = Math.max(bitLength(quotient) - bits, exponentMin - target);
  const drop = BigInt(excess);
  const half = 1n << (drop - 1n);
  const rest = quotient & ((half << 1n) - 1n);
  quotient >>= drop;
  target += excess;
  const isAboveHalf = rest > half || (rest === half && !isExact);
  const isTieToEven = rest === half && isExact && (quotient & 1n) === 1n;
  if (isAboveHalf || isTieToEven) quotient++;
  return { significand: quotient, exponent: target };
}
