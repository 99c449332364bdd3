// HOT PATH: rules in src/README.md
/**
 * ASCII text inside byte arrays: option words, case folding, comparison, and the bridges between
 * strings and bytes.
 *
 * Redis folds case for command names, options and configuration only, and only for A-Z: no locale,
 * no Unicode. A handler recognises an option where it lies in the request:
 *
 *   if (isWord(bytes, start, end, "EX")) ...
 *
 * This costs a length comparison in nearly every miss and allocates nothing. Why not a string: it
 * would be allocated per request. Why not a byte array per word: it hides the word from the reader.
 *
 * All functions are O(bytes). Ranges are [start, end).
 */

const UPPER_A = 0x41;
const LOWER_A = 0x61;
const LETTERS = 26;
const CASE_BIT = 0x20;

/** The byte in lower case if it is an ASCII capital, else itself. */
export function toLowerByte(byte: number): number {
  return (byte - UPPER_A) >>> 0 < LETTERS ? byte | CASE_BIT : byte;
}

/** The byte in upper case if it is an ASCII small letter, else itself. */
function toUpperByte(byte: number): number {
  return (byte - LOWER_A) >>> 0 < LETTERS ? byte & ~CASE_BIT : byte;
}

/**
 * Whether the range spells `word` in any case. Requires: word is ASCII without small letters ("EX",
 * "GT", "STORE").
 */
export function isWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  const length = word.length;
  if (end - start !== length) return false;
  for (let index = 0; index < length; index++) {
    if (toUpperByte(bytes[start + index]) !== word.charCodeAt(index)) return false;
  }
  return true;
}

/** Whether the range and `literal` are equal when the case of A-Z is ignored. */
export function equalsIgnoreCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  literal: Uint8Array,
): boolean {
  const length = literal.length;
  if (end - start !== length) return false;
  for (let index = 0; index < length; index++) {
    if (toLowerByte(bytes[start + index]) !== toLowerByte(literal[index])) return false;
  }
  return true;
}

/** Turns A-Z into a-z within the range, in place. */
export function lowerInPlace(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at++) bytes[at] = toLowerByte(bytes[at]);
}

/** Whether two ranges hold the same bytes. */
export function equalBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  const length = aEnd - aStart;
  if (length !== bEnd - bStart) return false;
  for (let index = 0; index < length; index++) {
    if (a[aStart + index] !== b[bStart + index]) return false;
  }
  return true;
}

/**
 * Order of two ranges as memcmp gives it, a prefix before its extension: negative, zero or
 * positive. This is the order of sorted set members with equal scores, of ZRANGEBYLEX and of SORT
 * ALPHA.
 */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart;
  const bLength = bEnd - bStart;
  const common = aLength < bLength ? aLength : bLength;
  for (let index = 0; index < common; index++) {
    const difference = a[aStart + index] - b[bStart + index];
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/**
 * Writes an ASCII string and returns the offset after it. Requires: every character is below 0x80.
 */
export function writeAscii(bytes: Uint8Array, offset: number, text: string): number {
  const length = text.length;
  for (let index = 0; index < length; index++) bytes[offset + index] = text.charCodeAt(index);
  return offset + length;
}

/** The bytes of an ASCII or Latin-1 string, one per character; for constants and cold code. */
export function bytesFromAscii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeAscii(bytes, 0, text);
  return bytes;
}

/**
 * The range as a string with one character per byte, so that no byte sequence is lost or replaced;
 * bytesFromAscii is its inverse. For cold code: logs, configuration, map keys.
 */
export function latin1FromBytes(bytes: Uint8Array, start: number, end: number): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.toString("latin1", start, end);
}
