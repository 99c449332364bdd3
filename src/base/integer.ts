// HOT PATH: rules in src/README.md
/**
 * Decimal integers as bytes.
 *
 * The integers of the protocol and of the commands are signed 64-bit. A JavaScript number holds 53
 * of those bits, so every direction exists twice: a fast form on numbers that refuses what it
 * cannot hold, and an exact form on bigint.
 *
 *   parseInteger   bytes -> number | NaN     canonical and within ±(2^53 - 1)
 *   parseInt64     bytes -> bigint | null    canonical and within int64
 *   parseUnsigned  bytes -> number | NaN     canonical, not negative, at most 2^53 - 1
 *   parseUint64    bytes -> bigint | null    what strtoull(3) takes, as stream IDs need it
 *   writeInteger   safe integer -> bytes
 *   writeBigInt    int64 or uint64 -> bytes
 *
 * "Canonical" means that writing the value gives back the same bytes: an optional '-', no leading
 * zero, no "-0", no '+', no space. This is what lets a string value be stored as an integer without
 * losing its spelling.
 *
 * All are O(digits) and allocate nothing, except that bigint values themselves live on the heap.
 * Writers need room for INTEGER_BYTES_MAX bytes at the offset.
 */

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;

/**
 * The longest text that any writer here produces: "-9223372036854775808" and
 * "18446744073709551615".
 */
export const INTEGER_BYTES_MAX = 20;

export const INT64_MAX = 9223372036854775807n;
export const INT64_MIN = -9223372036854775808n;
const UINT64_MAX = 18446744073709551615n;

const TEN_TO_16 = 10_000_000_000_000_000n;
const TEN_TO_8 = 100_000_000;

/**
 * The canonical decimal integer in bytes[start, end), or NaN when it is none or does not fit a safe
 * integer. A caller for which integers beyond 2^53 are legal asks parseInt64 after a NaN.
 */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  if (start < end && bytes[start] === MINUS) {
    const magnitude = parseUnsigned(bytes, start + 1, end);
    // "-0" is not canonical; NaN stays NaN.
    return magnitude === 0 ? NaN : -magnitude;
  }
  return parseUnsigned(bytes, start, end);
}

/** As parseInteger, without a sign. */
export function parseUnsigned(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length <= 0 || length > 16) return NaN;
  let value = bytes[start] - ZERO;
  if (value < 0 || value > 9 || (value === 0 && length > 1)) return NaN;
  // Up to nine digits fit an int32. Longer numbers are two such halves, as integer arithmetic is
  // several times faster than double arithmetic here.
  const split = length <= 9 ? end : end - 9;
  for (let at = start + 1; at < split; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = (value * 10 + digit) | 0;
  }
  if (split === end) return value;
  let low = 0;
  for (let at = split; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    low = (low * 10 + digit) | 0;
  }
  // Sixteen digits may exceed 2^53; rounding is monotonic, so the sum cannot fall below the limit.
  const sum = value * 1e9 + low;
  return sum <= Number.MAX_SAFE_INTEGER ? sum : NaN;
}

/** The canonical decimal int64 in bytes[start, end), exactly, or null when it is none. */
export function parseInt64(bytes: Uint8Array, start: number, end: number): bigint | null {
  const small = parseInteger(bytes, start, end);
  if (small === small) return BigInt(small);
  const isNegative = start < end && bytes[start] === MINUS;
  const first = isNegative ? start + 1 : start;
  const length = end - first;
  if (length < 16 || length > 19 || bytes[first] === ZERO) return null;
  const magnitude = parseDigits(bytes, first, end);
  if (magnitude === null) return null;
  if (isNegative) return magnitude > -INT64_MIN ? null : -magnitude;
  return magnitude > INT64_MAX ? null : magnitude;
}

/**
 * The uint64 in bytes[start, end) with the tolerance of C's strtoull, or null. Like there, leading
 * spaces, leading zeros and '+' are accepted, the text ends at a NUL byte, and a '-' wraps around
 * 2^64, except that a canonical negative int64 is refused. Stream IDs are read this way.
 */
export function parseUint64(bytes: Uint8Array, start: number, end: number): bigint | null {
  const small = parseUnsigned(bytes, start, end);
  if (small === small) return BigInt(small);
  const terminator = bytes.indexOf(0, start);
  const stop = terminator >= 0 && terminator < end ? terminator : end;
  const canonical = parseInt64(bytes, start, stop);
  if (canonical !== null) return canonical < 0n ? null : canonical;
  let at = start;
  while (at < stop && (bytes[at] === 0x20 || (bytes[at] >= 9 && bytes[at] <= 13))) at++;
  const isNegative = at < stop && bytes[at] === MINUS;
  if (isNegative || (at < stop && bytes[at] === PLUS)) at++;
  if (at === stop) return null;
  while (at < stop - 1 && bytes[at] === ZERO) at++;
  const magnitude = stop - at <= INTEGER_BYTES_MAX ? parseDigits(bytes, at, stop) : null;
  if (magnitude === null || magnitude > UINT64_MAX) return null;
  return isNegative ? BigInt.asUintN(64, -magnitude) : magnitude;
}

/**
 * The digits of bytes[start, end) as a number of any size up to 32 digits, or null at the first
 * other byte.
 */
function parseDigits(bytes: Uint8Array, start: number, end: number): bigint | null {
  let high = 0;
  let low = 0;
  const split = end - 16;
  for (let at = start; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return null;
    // Sixteen digits could exceed 2^53, so the low part is gathered in two halves of eight.
    if (at < split) high = high * 10 + digit;
    else if (at < end - 8) low = low * 10 + digit;
  }
  let tail = 0;
  for (let at = Math.max(start, end - 8); at < end; at++) tail = tail * 10 + (bytes[at] - ZERO);
  return BigInt(high) * TEN_TO_16 + BigInt(low) * BigInt(TEN_TO_8) + BigInt(tail);
}

/** How many bytes writeInteger produces for a safe integer, its sign included. */
export function decimalLength(value: number): number {
  if (value < 0) return 1 + digitCount(-value);
  return digitCount(value);
}

function digitCount(value: number): number {
  if (value < 1e4) return value < 1e2 ? (value < 1e1 ? 1 : 2) : value < 1e3 ? 3 : 4;
  if (value < 1e8) return value < 1e6 ? (value < 1e5 ? 5 : 6) : value < 1e7 ? 7 : 8;
  if (value < 1e12) return value < 1e10 ? (value < 1e9 ? 9 : 10) : value < 1e11 ? 11 : 12;
  return value < 1e14 ? (value < 1e13 ? 13 : 14) : value < 1e15 ? 15 : 16;
}

/**
 * Writes a safe integer in decimal and returns the offset after it. Requires: value is a safe
 * integer.
 */
export function writeInteger(bytes: Uint8Array, offset: number, value: number): number {
  let rest = value;
  let at = offset;
  if (rest < 0) {
    bytes[at++] = MINUS;
    rest = -rest;
  }
  if (rest < 10) {
    bytes[at] = ZERO + rest;
    return at + 1;
  }
  const end = at + digitCount(rest);
  if (rest < 0x7fffffff) {
    writeDigits(bytes, at, end, rest | 0);
    return end;
  }
  // Below 2^53 the quotient is exact: the nearest double of k - 1e-8 is below k for every k up to
  // 2^27.
  let high = Math.floor(rest / TEN_TO_8);
  writeDigits(bytes, end - 8, end, (rest - high * TEN_TO_8) | 0);
  // What is left has up to nine digits.
  high |= 0;
  writeDigits(bytes, at, end - 8, high);
  return end;
}

/**
 * Fills bytes[start, end) with the digits of an int32, zero-padded on the left, two digits at a
 * time.
 */
function writeDigits(bytes: Uint8Array, start: number, end: number, value: number): void {
  let rest = value;
  let at = end;
  while (at - start >= 2) {
    const quotient = (rest / 100) | 0;
    const pair = rest - quotient * 100;
    // The tens digit: pair / 10 without a division, exact for pair < 100.
    const tens = (pair * 205) >>> 11;
    bytes[--at] = ZERO + (pair - tens * 10);
    bytes[--at] = ZERO + tens;
    rest = quotient;
  }
  if (at > start) bytes[start] = ZERO + rest;
}

/**
 * Writes an int64 or uint64 in decimal and returns the offset after it. Requires: at most 20
 * characters.
 */
export function writeBigInt(bytes: Uint8Array, offset: number, value: bigint): number {
  let at = offset;
  let rest = value;
  if (rest < 0n) {
    bytes[at++] = MINUS;
    rest = -rest;
  }
  if (rest <= 9007199254740991n) return writeInteger(bytes, at, Number(rest));
  const high = rest / TEN_TO_16;
  if (high > 0n) at = writeInteger(bytes, at, Number(high));
  const low = rest - high * TEN_TO_16;
  const middle = Number(low / BigInt(TEN_TO_8));
  // With a high part the lower sixteen digits are padded; without one they are exactly sixteen
  // already.
  writeDigits(bytes, at, at + 8, middle);
  writeDigits(bytes, at + 8, at + 16, Number(low % BigInt(TEN_TO_8)));
  return at + 16;
}

/**
 * Writes value / scale without zeros behind the point, and returns the offset after it. Requires: a
 * safe integer, and a power of ten up to 10^15.
 */
export function writeScaled(
  bytes: Uint8Array,
  offset: number,
  value: number,
  scale: number,
): number {
  let at = offset;
  if (value < 0) bytes[at++] = MINUS;
  const rest = Math.abs(value);
  const whole = Math.floor(rest / scale);
  at = writeInteger(bytes, at, whole);
  const fraction = rest - whole * scale;
  if (fraction === 0) return at;
  // A digit in front keeps the zeros behind the point, which then takes its place.
  let end = writeInteger(bytes, at, scale + fraction);
  bytes[at] = POINT;
  while (bytes[end - 1] === ZERO) end--;
  return end;
}
