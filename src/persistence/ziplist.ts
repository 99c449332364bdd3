/**
 * Ziplists and zipmaps, which listpacks replaced: read once, entry by entry, checked, and turned
 * into listpacks.
 *
 *     ziplist   u32 bytes, u32 offset of the last entry, u16 count (65535 = unknown), entries, 0xFF
 *     entry     | bytes of the entry before | encoding | data |
 *
 *     bytes of the entry before   below 254: one byte; else 254 and a u32
 *
 *     encoding   00llllll                   string of up to 63 bytes
 *                01llllll + 1 byte          string of up to 16383 bytes, length big-endian
 *                10000000 + 4 bytes         string, length big-endian
 *                11000000                   16-bit integer, little-endian, as all of them
 *                11010000                   32-bit integer
 *                11100000                   64-bit integer
 *                11110000                   24-bit integer
 *                11111110                   8-bit integer
 *                1111xxxx                   integer x - 1, x from 1 to 13
 *
 *     zipmap    u8 count (254 = unknown), then per field:
 *               length, field, length, u8 spare bytes, value, spare bytes; at last 0xFF
 *     length    below 254: one byte; 254 and a u32, little-endian
 *
 * Everything is O(bytes), and nothing outside of [start, end) is read.
 */
import { writeBigInt } from "../base/integer.ts";
import type { ListpackBuilder } from "./listpack-builder.ts";

const ZIPLIST_HEADER_BYTES = 10;
const TAIL_AT = 4;
const COUNT_AT = 8;
const COUNT_UNKNOWN = 0xffff;
const END = 0xff;
const LONG = 254;

const enum Encoding {
  STRING_14 = 0x40,
  STRING_32 = 0x80,
  INTEGER_16 = 0xc0,
  INTEGER_32 = 0xd0,
  INTEGER_64 = 0xe0,
  INTEGER_24 = 0xf0,
  INTEGER_8 = 0xfe,
}

/** Appends the entries of the ziplist [start, end) to `target`; false if it is corrupt. */
export function appendZiplist(
  target: ListpackBuilder,
  view: DataView,
  start: number,
  end: number,
): boolean {
  const first = start + ZIPLIST_HEADER_BYTES;
  const last = end - 1;
  if (last < first || view.getUint32(start, true) !== end - start) return false;
  if (view.getUint8(last) !== END) return false;
  let at = first;
  let previousBytes = 0;
  let previous = first;
  let count = 0;
  while (at < last) {
    const dataAt = skipPreviousLength(view, at, last, previousBytes);
    if (dataAt < 0) return false;
    const next = appendEntry(target, view, dataAt, last);
    if (next < 0) return false;
    previousBytes = next - at;
    previous = at;
    at = next;
    count++;
  }
  const noted = view.getUint16(start + COUNT_AT, true);
  if (noted !== COUNT_UNKNOWN && noted !== count) return false;
  return start + view.getUint32(start + TAIL_AT, true) === previous;
}

/** Offset behind the length of the entry before, or -1 if that is not `previousBytes`. */
function skipPreviousLength(view: DataView, at: number, last: number, expected: number): number {
  const first = view.getUint8(at);
  if (first < LONG) return first === expected && at + 1 < last ? at + 1 : -1;
  if (first !== LONG || at + 5 >= last) return -1;
  return view.getUint32(at + 1, true) === expected ? at + 5 : -1;
}

/** Appends the entry whose encoding is at `at`; returns the offset behind it, or -1. */
function appendEntry(target: ListpackBuilder, view: DataView, at: number, last: number): number {
  const first = view.getUint8(at);
  if (first >= Encoding.INTEGER_16) return appendInteger(target, view, at, last);
  let textAt = at + 1;
  let length = first & 0x3f;
  if (first >= Encoding.STRING_32) {
    textAt = at + 5;
    if (first !== Encoding.STRING_32 || textAt > last) return -1;
    length = view.getUint32(at + 1);
  } else if (first >= Encoding.STRING_14) {
    textAt = at + 2;
    if (textAt > last) return -1;
    length = (length << 8) | view.getUint8(at + 1);
  }
  if (textAt + length > last) return -1;
  target.text(view, textAt, textAt + length);
  return textAt + length;
}

function appendInteger(target: ListpackBuilder, view: DataView, at: number, last: number): number {
  const first = view.getUint8(at);
  const bytes = integerBytes(first);
  const from = at + 1;
  if (bytes < 0 || from + bytes > last) return -1;
  if (bytes === 0) target.integer((first & 0x0f) - 1);
  else if (bytes === 1) target.integer(view.getInt8(from));
  else if (bytes === 2) target.integer(view.getInt16(from, true));
  else if (bytes === 3) {
    target.integer((view.getInt8(from + 2) << 16) | view.getUint16(from, true));
  } else if (bytes === 4) target.integer(view.getInt32(from, true));
  else {
    const text = new Uint8Array(20);
    const length = writeBigInt(text, 0, view.getBigInt64(from, true));
    target.text(new DataView(text.buffer), 0, length);
  }
  return from + bytes;
}

/** Bytes of an integer's data by its encoding; -1 for no encoding. */
function integerBytes(encoding: number): number {
  switch (encoding) {
    case Encoding.INTEGER_8:
      return 1;
    case Encoding.INTEGER_16:
      return 2;
    case Encoding.INTEGER_24:
      return 3;
    case Encoding.INTEGER_32:
      return 4;
    case Encoding.INTEGER_64:
      return 8;
    default:
      return encoding > Encoding.INTEGER_24 && encoding < Encoding.INTEGER_8 ? 0 : -1;
  }
}

/** Appends fields and values of the zipmap [start, end) to `target`; false if it is corrupt. */
export function appendZipmap(
  target: ListpackBuilder,
  view: DataView,
  start: number,
  end: number,
): boolean {
  const last = end - 1;
  if (last < start + 1 || view.getUint8(last) !== END) return false;
  let at = start + 1;
  let count = 0;
  while (at < last) {
    for (let part = 0; part < 2; part++) {
      let length = view.getUint8(at++);
      if (length > LONG) return false;
      if (length === LONG) {
        if (at + 4 > last) return false;
        length = view.getUint32(at, true);
        at += 4;
      }
      // Behind the length of a value stands how many bytes follow it unused.
      const spare = part === 1 && at < last ? view.getUint8(at++) : 0;
      if (at + length + spare > last) return false;
      target.text(view, at, at + length);
      at += length + spare;
      // A field is followed by its value.
      if (part === 0 && at >= last) return false;
    }
    count++;
  }
  const noted = view.getUint8(start);
  return noted >= LONG || noted === count;
}
