// HOT PATH: rules in src/README.md
/**
 * Strings of bits in bytes. Bit 0 is the most significant bit of the first byte, as the bitmap
 * commands count; a string may have up to 2^32 bits and more, so positions are not int32.
 *
 *   countBits   how many bits of a range are set        O(bytes), 256 bits at a time
 *   findBit     the first set or clear bit of a range   O(bytes), 32 bits at a time
 *   readBits    up to 52 bits as a number               O(bytes)
 *   writeBits   and back
 *
 * `at` is where the first byte lies in the view. Ranges of bits are inclusive, and not empty.
 */

/** The set bits of a 32-bit integer. */
function popcount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
  return Math.imul(bits, 0x01010101) >>> 24;
}

/** The bits of a range's first byte that belong to it. */
function firstMask(first: number): number {
  return 0xff >>> (first & 7);
}

/** The bits of a range's last byte that belong to it. */
function lastMask(last: number): number {
  return (0xff << (7 - (last & 7))) & 0xff;
}

/** The set bits among bits first..last. */
export function countBits(view: DataView, at: number, first: number, last: number): number {
  const from = at + Math.floor(first / 8);
  const to = at + Math.floor(last / 8);
  if (from === to) return popcount(view.getUint8(from) & firstMask(first) & lastMask(last));
  let count = popcount(view.getUint8(from) & firstMask(first));
  count += popcount(view.getUint8(to) & lastMask(last));
  const words = (to - from - 1) >>> 2;
  count += countWords(view, from + 1, words);
  for (let byte = from + 1 + words * 4; byte < to; byte++) count += popcount(view.getUint8(byte));
  return count;
}

/**
 * The set bits of so many 32-bit words. Eight at a time are added up by full adders, each bit for
 * itself, so that only one of nine results needs to be counted (Harley and Seal).
 */
function countWords(view: DataView, start: number, words: number): number {
  let at = start;
  let count = 0;
  let ones = 0;
  let twos = 0;
  let fours = 0;
  for (const end = start + (words & ~7) * 4; at < end; at += 32) {
    const a = view.getInt32(at, true);
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    const e = view.getInt32(at + 16, true);
    const f = view.getInt32(at + 20, true);
    const g = view.getInt32(at + 24, true);
    const h = view.getInt32(at + 28, true);
    const twosA = carries(ones, a, b);
    ones ^= a ^ b;
    const twosB = carries(ones, c, d);
    ones ^= c ^ d;
    const foursA = carries(twos, twosA, twosB);
    twos ^= twosA ^ twosB;
    const twosC = carries(ones, e, f);
    ones ^= e ^ f;
    const twosD = carries(ones, g, h);
    ones ^= g ^ h;
    const foursB = carries(twos, twosC, twosD);
    twos ^= twosC ^ twosD;
    count += popcount(carries(fours, foursA, foursB));
    fours ^= foursA ^ foursB;
  }
  count = count * 8 + popcount(fours) * 4 + popcount(twos) * 2 + popcount(ones);
  for (const end = start + words * 4; at < end; at += 4) count += popcount(view.getInt32(at, true));
  return count;
}

/** For each bit, whether two or three of the words have it. */
function carries(a: number, b: number, c: number): number {
  return (a & b) | ((a ^ b) & c);
}

/** The first of bits first..last that is `bit` (0 or 1), or -1. */
export function findBit(
  view: DataView,
  at: number,
  first: number,
  last: number,
  bit: number,
): number {
  const flip = bit === 0 ? -1 : 0;
  const from = at + Math.floor(first / 8);
  const to = at + Math.floor(last / 8);
  let byte = from;
  let candidates = (view.getUint8(byte) ^ flip) & firstMask(first);
  while (byte < to) {
    if (candidates !== 0) return positionOf(byte - at, candidates);
    byte++;
    while (byte <= to - 4 && view.getInt32(byte) === flip) byte += 4;
    candidates = (view.getUint8(byte) ^ flip) & 0xff;
  }
  candidates &= lastMask(last);
  return candidates === 0 ? -1 : positionOf(byte - at, candidates);
}

/** The position of the highest bit of byte number `byte`. Requires: `bits` is not 0. */
function positionOf(byte: number, bits: number): number {
  return byte * 8 + Math.clz32(bits) - 24;
}

/**
 * Bits offset..offset + count - 1 as an unsigned number; those behind the `length` bytes are 0.
 * Requires: count <= 52.
 */
export function readBits(
  view: DataView,
  at: number,
  length: number,
  offset: number,
  count: number,
): number {
  let byte = Math.floor(offset / 8);
  let room = 8 - (offset & 7);
  let value = 0;
  for (let rest = count; rest > 0; byte++) {
    const taken = Math.min(room, rest);
    const bits = byte < length ? view.getUint8(at + byte) : 0;
    value = value * (1 << taken) + ((bits >>> (room - taken)) & ((1 << taken) - 1));
    rest -= taken;
    room = 8;
  }
  return value;
}

/** Sets bits offset..offset + count - 1. Requires: count <= 52, 0 <= value < 2^count, they exist. */
export function writeBits(
  view: DataView,
  at: number,
  offset: number,
  count: number,
  value: number,
): void {
  let end = offset + count;
  let left = value;
  for (let rest = count; rest > 0;) {
    // The last byte has `used` bits up to the end, `taken` of which are ours.
    const used = ((end - 1) & 7) + 1;
    const taken = Math.min(used, rest);
    const byte = at + Math.floor((end - 1) / 8);
    const shift = 8 - used;
    const mask = ((1 << taken) - 1) << shift;
    const high = Math.floor(left / (1 << taken));
    const bits = left - high * (1 << taken);
    view.setUint8(byte, (view.getUint8(byte) & ~mask) | (bits << shift));
    left = high;
    rest -= taken;
    end -= taken;
  }
}
