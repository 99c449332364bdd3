// HOT PATH: rules in src/README.md
/**
 * The decimal digits of a double, found with Grisu2 (Loitsch, "Printing Floating-Point Numbers
 * Quickly and Accurately with Integers", 2010), and their layout as Valkey 8.1 prints them.
 *
 * Grisu2 yields a decimal that reads back as the same double, and for 996 of 1000 random doubles
 * the shortest one. Why not the language's own conversion: it always finds the shortest, so that
 * the other four replies would differ from Valkey's, and it makes a string.
 *
 * The double and the two midpoints to its neighbours are scaled by a power of ten, so that the
 * binary point falls into the upper half of 64 bits:
 *
 *   upper  = upper midpoint * power - 1 unit     a decimal between the two reads back correctly;
 *   lower  = lower midpoint * power + 1 unit     the unit is what the product's rounding may cost
 *
 * Digits of `upper` are then produced from the left until what is left over is smaller than the
 * gap between the two; at last the final digit is lowered towards the double itself.
 *
 * A 64-bit quantity is a pair of numbers (high, low) of 32 bits each in the scratch array, since
 * bigint would allocate per operation. Pairs are compared by the sign of
 * (aHigh - bHigh) * 2^32 + (aLow - bLow): double arithmetic may round this sum, but never to the
 * other sign, and to zero only if it is zero.
 *
 * O(1): at most 17 digits.
 */

const ZERO = 0x30;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const LETTER_E = 0x65;

const TWO_16 = 65536;
const TWO_32 = 4294967296;
const PER_TWO_16 = 1 / TWO_16;
const PER_TWO_32 = 1 / TWO_32;

/** The powers 10^-348, 10^-340 .. 10^340. */
const POWER_FIRST = -348;
const POWER_STEP = 8;
const POWER_COUNT = 87;
const POWER_HIGH = new Float64Array(POWER_COUNT);
const POWER_LOW = new Float64Array(POWER_COUNT);
const POWER_EXPONENT = new Int16Array(POWER_COUNT);
fillPowers();

/**
 * The scaled midpoint's binary exponent must lie here for the digit loops to work on two halves.
 */
const EXPONENT_MIN = -60;
const EXPONENT_MAX = -32;
const LOG10_2 = 0.30102999566398114;

const UNITS = new Float64Array([1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]);

/** 2^0 .. 2^63: a table, since ** calls the general power function. */
const POWERS_OF_TWO = Float64Array.from({ length: 64 }, (_, exponent) => 2 ** exponent);

/** Pairs of the scratch array. */
const UPPER = 0;
const MIDDLE = 2;
const LOWER = 4;
/** upper - lower */
const GAP = 6;
/** upper - middle */
const DISTANCE = 8;

/** Working space of one call of writeShortest; nothing in it outlives the call. */
const scratch = new Float64Array(10);
const digits = new Uint8Array(18);
const value64 = new Float64Array(1);
const value32 = new Uint32Array(value64.buffer);

/** Each power as a significand of 64 bits, rounded to nearest, and a binary exponent. */
function fillPowers(): void {
  for (let index = 0; index < POWER_COUNT; index++) {
    const exponent = POWER_FIRST + POWER_STEP * index;
    const power = 10n ** BigInt(Math.abs(exponent));
    // 10^348 has 1157 bits; 1400 leave more than 64 significant ones in either direction.
    const scaled = exponent < 0 ? (1n << 1400n) / power : power << 1400n;
    const excess = scaled.toString(2).length - 64;
    const rounded = (scaled >> BigInt(excess)) + ((scaled >> BigInt(excess - 1)) & 1n);
    POWER_HIGH[index] = Number(rounded >> 32n);
    POWER_LOW[index] = Number(rounded & 0xffffffffn);
    POWER_EXPONENT[index] = excess - 1400;
  }
}

/**
 * Writes a double with the fewest digits that Grisu2 finds and returns the offset after it.
 * Requires: value is finite and greater than zero. Needs room for 24 bytes.
 */
export function writeShortest(bytes: Uint8Array, offset: number, value: number): number {
  value64[0] = value;
  let low = value32[0];
  let high = value32[1] & 0xfffff;
  let exponent = value32[1] >>> 20;
  if (exponent !== 0) {
    high += 0x100000;
    exponent -= 1075;
  } else {
    exponent = -1074;
  }
  // Below a power of two the neighbours lie half as far apart as above it.
  const isPowerOfTwo = low === 0 && high === 0x100000;

  // Normalize to 64 bits. `half` is half the distance to the next double in the same units.
  const shift = high !== 0 ? Math.clz32(high) : 32 + Math.clz32(low);
  const half = POWERS_OF_TWO[shift - 1];
  exponent -= shift;
  if (shift >= 32) {
    high = (low << (shift - 32)) >>> 0;
    low = 0;
  } else {
    high = ((high << shift) | (low >>> (32 - shift))) >>> 0;
    low = (low << shift) >>> 0;
  }

  const power = findPower(exponent);
  scale(MIDDLE, high, low, power);
  scale(UPPER, high, low + half, power);
  scale(LOWER, high, low - (isPowerOfTwo ? half / 2 : half), power);
  scratch[UPPER + 1] -= 1;
  scratch[LOWER + 1] += 1;
  subtract(GAP, LOWER);
  subtract(DISTANCE, MIDDLE);
  carry(UPPER);

  const binaryPoint = -(exponent + POWER_EXPONENT[power] + 64);
  const lastPlace = generateDigits(binaryPoint);
  const count = digits[0];
  return layOut(bytes, offset, count, lastPlace - (POWER_FIRST + POWER_STEP * power));
}

/** The index of the power that brings a number with this binary exponent into the wanted range. */
function findPower(exponent: number): number {
  const estimate = Math.trunc(-(exponent + POWER_COUNT) * LOG10_2);
  let index = Math.trunc((estimate - POWER_FIRST) / POWER_STEP);
  // Two powers may fit. Starting from the same estimate takes the one that Valkey takes.
  while (true) {
    const scaled = exponent + POWER_EXPONENT[index] + 64;
    if (scaled < EXPONENT_MIN) index++;
    else if (scaled > EXPONENT_MAX) index--;
    else return index;
  }
}

/**
 * scratch[pair] = the upper 64 bits of (high, low) * power, rounded to nearest. `low` may be out
 * of its 32 bits by what a midpoint adds or takes away.
 */
function scale(pair: number, high: number, low: number, power: number): void {
  const excess = Math.floor(low * PER_TWO_32);
  const aHigh = high + excess;
  const aLow = low - excess * TWO_32;
  const bHigh = POWER_HIGH[power];
  const bLow = POWER_LOW[power];
  const rounded =
    lowOfProduct(aHigh, bLow) + lowOfProduct(aLow, bHigh) + highOfProduct(aLow, bLow) + 0x80000000;
  scratch[pair] = highOfProduct(aHigh, bHigh);
  scratch[pair + 1] =
    lowOfProduct(aHigh, bHigh) +
    highOfProduct(aHigh, bLow) +
    highOfProduct(aLow, bHigh) +
    Math.floor(rounded * PER_TWO_32);
  carry(pair);
}

/** Bits 32 to 63 of the product of two 32-bit numbers; all intermediates are below 2^49. */
function highOfProduct(a: number, b: number): number {
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  return Math.floor((a * bHigh + Math.floor(a * bLow * PER_TWO_16)) * PER_TWO_16);
}

function lowOfProduct(a: number, b: number): number {
  return Math.imul(a, b) >>> 0;
}

/** Brings the low half of a pair into [0, 2^32). */
function carry(pair: number): void {
  const low = scratch[pair + 1];
  const excess = Math.floor(low * PER_TWO_32);
  if (excess !== 0) {
    scratch[pair] += excess;
    scratch[pair + 1] = low - excess * TWO_32;
  }
}

/** scratch[target] = upper - scratch[pair]. */
function subtract(target: number, pair: number): void {
  scratch[target] = scratch[UPPER] - scratch[pair];
  scratch[target + 1] = scratch[UPPER + 1] - scratch[pair + 1];
  carry(target);
}

/**
 * Produces the digits of `upper`, whose fraction has `binaryPoint` bits (32 to 60). Leaves their
 * count in digits[0] and the digits themselves, as numbers, behind it. Returns the decimal place of
 * the last one: 0 for units, negative behind the point.
 */
function generateDigits(binaryPoint: number): number {
  const one = POWERS_OF_TWO[binaryPoint - 32];
  const perOne = 1 / one;
  let high = scratch[UPPER];
  let low = scratch[UPPER + 1];
  let gapHigh = scratch[GAP];
  let gapLow = scratch[GAP + 1];

  let integer = Math.floor(high * perOne);
  high -= integer * one;
  let count = 0;
  let place = 9;
  while (UNITS[place] > integer) place--;
  for (; place >= 0; place--) {
    const unit = UNITS[place];
    const digit = (integer / unit) | 0;
    integer -= digit * unit;
    digits[++count] = digit;
    const restHigh = integer * one + high;
    if ((gapHigh - restHigh) * TWO_32 + (gapLow - low) >= 0) {
      roundLastDigit(count, restHigh, low, unit * one);
      return place;
    }
  }
  while (true) {
    low *= 10;
    let excess = (low * PER_TWO_32) | 0;
    low -= excess * TWO_32;
    high = high * 10 + excess;
    gapLow *= 10;
    excess = (gapLow * PER_TWO_32) | 0;
    gapLow -= excess * TWO_32;
    gapHigh = gapHigh * 10 + excess;

    const digit = (high * perOne) | 0;
    high -= digit * one;
    digits[++count] = digit;
    if ((gapHigh - high) * TWO_32 + (gapLow - low) > 0) {
      scratch[GAP] = gapHigh;
      scratch[GAP + 1] = gapLow;
      scaleDistance(-place);
      roundLastDigit(count, high, low, one);
      return place;
    }
    place--;
  }
}

/** Multiplies the distance by 10^exponent, in steps whose intermediates stay below 2^53. */
function scaleDistance(exponent: number): void {
  for (let rest = exponent; rest > 0; rest -= 6) {
    const factor = UNITS[rest < 6 ? rest : 6];
    scratch[DISTANCE] *= factor;
    scratch[DISTANCE + 1] *= factor;
    carry(DISTANCE);
  }
}

/**
 * Lowers the last digit as long as that brings the decimal nearer to the double. (restHigh,
 * restLow) is how far the decimal is below `upper`; one step of the digit is unitHigh * 2^32.
 */
function roundLastDigit(count: number, restHigh: number, restLow: number, unitHigh: number): void {
  const gapHigh = scratch[GAP];
  const lowToGap = scratch[GAP + 1] - restLow;
  const distanceHigh = scratch[DISTANCE];
  const lowToDouble = scratch[DISTANCE + 1] - restLow;
  let last = digits[count];
  let high = restHigh;
  while (
    (distanceHigh - high) * TWO_32 + lowToDouble > 0 &&
    (gapHigh - high - unitHigh) * TWO_32 + lowToGap >= 0 &&
    (2 * (distanceHigh - high) - unitHigh) * TWO_32 + 2 * lowToDouble > 0
  ) {
    last--;
    high += unitHigh;
  }
  digits[count] = last;
  digits[0] = count;
}

/** Writes the digits d1..dn, which mean d1..dn * 10^place, in one of the three forms. */
function layOut(bytes: Uint8Array, offset: number, count: number, place: number): number {
  const exponent = place + count - 1;
  let at = offset;
  if (place >= 0 && place < 8) {
    at = writeDigits(bytes, at, 1, count);
    return writeZeros(bytes, at, place);
  }
  if (place < 0 && (place > -7 || (exponent > -4 && exponent < 4))) {
    const integerCount = count + place;
    if (integerCount > 0) {
      at = writeDigits(bytes, at, 1, integerCount);
      bytes[at++] = POINT;
      return writeDigits(bytes, at, integerCount + 1, count);
    }
    bytes[at++] = ZERO;
    bytes[at++] = POINT;
    at = writeZeros(bytes, at, -integerCount);
    return writeDigits(bytes, at, 1, count);
  }
  at = writeDigits(bytes, at, 1, 1);
  if (count > 1) {
    bytes[at++] = POINT;
    at = writeDigits(bytes, at, 2, count);
  }
  bytes[at++] = LETTER_E;
  bytes[at++] = exponent < 0 ? MINUS : PLUS;
  const magnitude = exponent < 0 ? -exponent : exponent;
  if (magnitude > 99) bytes[at++] = ZERO + Math.floor(magnitude / 100);
  if (magnitude > 9) bytes[at++] = ZERO + (Math.floor(magnitude / 10) % 10);
  bytes[at++] = ZERO + (magnitude % 10);
  return at;
}

/** Writes digits[first..last] as ASCII. */
function writeDigits(bytes: Uint8Array, offset: number, first: number, last: number): number {
  let at = offset;
  for (let index = first; index <= last; index++) bytes[at++] = ZERO + digits[index];
  return at;
}

function writeZeros(bytes: Uint8Array, offset: number, count: number): number {
  for (let index = 0; index < count; index++) bytes[offset + index] = ZERO;
  return offset + count;
}
