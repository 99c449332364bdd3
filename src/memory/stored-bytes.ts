// HOT PATH: rules in src/README.md
/**
 * Byte strings as they lie in the arena: a length prefix and the bytes, unaligned.
 *
 *     length 0..253       | length u8 | bytes |
 *     length 254..65535   | 254 | length u16 | bytes |
 *     longer              | 255 | length u32 | bytes |
 *
 * All functions are O(1).
 */

/** Bytes of the prefix for a string of `length` bytes. */
export function prefixBytes(length: number): number {
  return length < 254 ? 1 : length < 65536 ? 3 : 5;
}

/** Bytes of prefix and string together. */
export function storedBytes(length: number): number {
  return length + prefixBytes(length);
}

/** The length that the prefix at `at` holds. */
export function storedLength(view: DataView, at: number): number {
  const first = view.getUint8(at);
  if (first < 254) return first;
  return first === 254 ? view.getUint16(at + 1, true) : view.getUint32(at + 1, true);
}

/** The offset behind the string whose prefix is at `at`. */
export function storedEnd(view: DataView, at: number): number {
  const first = view.getUint8(at);
  return first < 254 ? at + 1 + first : at + storedBytes(storedLength(view, at));
}

/** Writes the prefix and returns the offset behind it. */
export function writePrefix(view: DataView, at: number, length: number): number {
  if (length < 254) {
    view.setUint8(at, length);
    return at + 1;
  }
  if (length < 65536) {
    view.setUint8(at, 254);
    view.setUint16(at + 1, length, true);
    return at + 3;
  }
  view.setUint8(at, 255);
  view.setUint32(at + 1, length, true);
  return at + 5;
}
