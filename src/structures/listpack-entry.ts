// HOT PATH: rules in src/README.md
/**
 * One entry of a listpack: its encodings, and how entries are read, written and compared. The
 * container is structures/listpack.ts.
 *
 *     entry      | encoding and data | backlen |
 *
 *     first byte   data                                   holds
 *     0xxxxxxx                                            integer 0..127
 *     10llllll     l bytes                                string of up to 63 bytes
 *     110xxxxx     8 bits more                            13-bit integer, two's complement
 *     1110llll     8 bits more of l, l bytes              string of up to 4095 bytes
 *     11110000     u32 l, l bytes                         string
 *     11110001     2 bytes                                16-bit integer
 *     11110010     3 bytes                                24-bit integer
 *     11110011     4 bytes                                32-bit integer
 *     11110100     8 bytes                                64-bit integer
 *     11111111                                            no entry: the end of the listpack
 *
 *     backlen      bytes of encoding and data, 7 bits per byte, 1 to 5 bytes, read backwards: the
 *                  last byte holds the lowest bits, and each but the first has its top bit set
 *
 * Multi-byte numbers are little-endian, except the 12- and 13-bit ones, whose first byte holds the
 * upper bits. What is a canonical decimal int64 is stored as an integer, in the shortest form;
 * readers accept any form, as payloads of RESTORE may hold others.
 *
 * Reading is O(1), writing and comparing O(bytes). The format is Redis's and Valkey's, and so what
 * RDB files hold.
 */
import { copyBytes, equalBytes } from "../base/bytes.ts";
import {
  int64High,
  int64Length,
  int64Low,
  isInt64,
  parseSafeInteger,
  writeInt64,
} from "../base/int64.ts";
import { prefixBytes, storedLength } from "../memory/stored-bytes.ts";
import { decimalLength, writeInteger } from "../base/integer.ts";

/** First bytes of an entry. */
const enum Encoding {
  STRING_6 = 0x80,
  INTEGER_13 = 0xc0,
  STRING_12 = 0xe0,
  STRING_32 = 0xf0,
  INTEGER_16 = 0xf1,
  INTEGER_24 = 0xf2,
  INTEGER_32 = 0xf3,
  INTEGER_64 = 0xf4,
  END = 0xff,
}

const TWO_TO_32 = 4294967296;
/** Shorter texts are safe integers if they are integers at all. */
const UNSAFE_DIGITS_MIN = 16;
const INT64_CHARACTERS_MAX = 20;
/** Bytes of encoding and data of a 64-bit integer. */
const INTEGER_64_BYTES = 9;
const BACKLEN_BYTES_MAX = 5;

/** An entry that was read: a cursor that its owner reuses. */
export class ListpackEntry {
  isInteger = false;
  /** The integer, or NaN if it is not safe: `high` and `low` have it then. */
  value = 0;
  high = 0;
  low = 0;
  /** The string: `length` bytes of `view` at `start`. Only `view` is set for an integer. */
  view: DataView = new DataView(new ArrayBuffer(0));
  start = 0;
  length = 0;

  /** Reads the entry at `at`. Requires: an entry and not the end is there. */
  read(view: DataView, at: number): void {
    this.view = view;
    const first = view.getUint8(at);
    if (first < Encoding.STRING_6) {
      this.isInteger = true;
      this.value = first;
    } else if (first < Encoding.INTEGER_13) {
      this.isInteger = false;
      this.start = at + 1;
      this.length = first & 0x3f;
    } else if (first < Encoding.STRING_12) {
      this.isInteger = true;
      this.value = (((first & 0x1f) << 27) >> 19) | view.getUint8(at + 1);
    } else if (first < Encoding.STRING_32) {
      this.isInteger = false;
      this.start = at + 2;
      this.length = ((first & 0x0f) << 8) | view.getUint8(at + 1);
    } else if (first === Encoding.STRING_32) {
      this.isInteger = false;
      this.start = at + 5;
      this.length = view.getUint32(at + 1, true);
    } else {
      this.isInteger = true;
      this.value = longInteger(view, at, first);
      if (this.value !== this.value) {
        this.low = view.getInt32(at + 1, true);
        this.high = view.getInt32(at + 5, true);
      }
    }
  }

  /** Takes an int64 that is in no listpack, given as its two words. */
  setInt64(high: number, low: number): void {
    const value = high * TWO_TO_32 + (low >>> 0);
    this.isInteger = true;
    this.value = Number.isSafeInteger(value) ? value : NaN;
    this.high = high;
    this.low = low;
  }

  /** Takes a string that is in no listpack, so that it can be used like one that is. */
  setString(view: DataView, start: number, length: number): void {
    this.isInteger = false;
    this.view = view;
    this.start = start;
    this.length = length;
  }

  /** Takes a stored string, which begins with its length. */
  setStored(view: DataView, at: number): void {
    const length = storedLength(view, at);
    this.setString(view, at + prefixBytes(length), length);
  }

  /** Bytes of the entry's text: of the string, or of the integer in decimal. */
  textLength(): number {
    if (!this.isInteger) return this.length;
    if (this.value === this.value) return decimalLength(this.value);
    return int64Length(this.high, this.low);
  }

  /** Writes the entry's text and returns the offset behind it. `bytes` and `view` are one memory. */
  writeText(bytes: Uint8Array, view: DataView, at: number): number {
    if (!this.isInteger) {
      copyBytes(view, at, this.view, this.start, this.length);
      return at + this.length;
    }
    if (this.value === this.value) return writeInteger(bytes, at, this.value);
    return writeInt64(bytes, at, this.high, this.low);
  }
}

/** The integer of an entry with one of the encodings from 0xF1 on, or NaN if it is not safe. */
function longInteger(view: DataView, at: number, first: number): number {
  if (first === Encoding.INTEGER_16) return view.getInt16(at + 1, true);
  if (first === Encoding.INTEGER_24) {
    return view.getUint16(at + 1, true) | (view.getInt8(at + 3) << 16);
  }
  if (first === Encoding.INTEGER_32) return view.getInt32(at + 1, true);
  const value = view.getInt32(at + 5, true) * TWO_TO_32 + view.getUint32(at + 1, true);
  return Number.isSafeInteger(value) ? value : NaN;
}

/** Bytes of encoding and data of the entry at `at`; 0 if no entry begins like this. */
export function entryDataBytes(view: DataView, at: number): number {
  const first = view.getUint8(at);
  if (first < Encoding.STRING_6) return 1;
  if (first < Encoding.INTEGER_13) return 1 + (first & 0x3f);
  if (first < Encoding.STRING_12) return 2;
  if (first < Encoding.STRING_32) return 2 + (((first & 0x0f) << 8) | view.getUint8(at + 1));
  if (first === Encoding.STRING_32) return 5 + view.getUint32(at + 1, true);
  if (first === Encoding.INTEGER_64) return INTEGER_64_BYTES;
  return first > Encoding.INTEGER_64 ? 0 : first - Encoding.STRING_32 + 2;
}

/** Length of the string at `at` if it is shorter than 64 bytes, its first byte its prefix; else -1. */
export function shortStringLength(view: DataView, at: number): number {
  const first = view.getUint8(at);
  return (first & 0xc0) === Encoding.STRING_6 ? first & 0x3f : -1;
}

/** Bytes that say how long the entry is which begins with `first`; 0 if no entry does. */
export function entryPrefixBytes(first: number): number {
  if (first < Encoding.STRING_12) return 1;
  if (first < Encoding.STRING_32) return 2;
  if (first === Encoding.STRING_32) return 5;
  return first > Encoding.INTEGER_64 ? 0 : 1;
}

/** Bytes of the backlen behind `dataBytes` bytes. The limits of 2 to 4 bytes are Redis's. */
export function backlenBytes(dataBytes: number): number {
  if (dataBytes <= 127) return 1;
  if (dataBytes < 16383) return 2;
  if (dataBytes < 2097151) return 3;
  return dataBytes < 268435455 ? 4 : 5;
}

/** Offset behind the entry at `at`. */
export function entryEnd(view: DataView, at: number): number {
  const length = shortStringLength(view, at);
  // Most entries: the prefix and the backlen are a byte each.
  if (length >= 0) return at + length + 2;
  const dataBytes = entryDataBytes(view, at);
  return at + dataBytes + backlenBytes(dataBytes);
}

/** The backlen that ends before `end`, or -1 if it is longer than any. */
export function readBacklen(view: DataView, end: number): number {
  let value = 0;
  let unit = 1;
  for (let at = end - 1; at >= end - BACKLEN_BYTES_MAX; at--) {
    const byte = view.getUint8(at);
    value += (byte & 127) * unit;
    if (byte < 128) return value;
    unit *= 128;
  }
  return -1;
}

/** Offset of the entry that ends before `end`. */
export function entryBefore(view: DataView, end: number): number {
  const dataBytes = readBacklen(view, end);
  return end - dataBytes - backlenBytes(dataBytes);
}

/** Bytes of encoding and data that a safe integer takes. */
export function integerDataBytes(value: number): number {
  if (value >= -4096 && value < 4096) return value >= 0 && value < 128 ? 1 : 2;
  if (value >= -32768 && value < 32768) return 3;
  if (value >= -8388608 && value < 8388608) return 4;
  return value >= -2147483648 && value < 2147483648 ? 5 : INTEGER_64_BYTES;
}

/**
 * Bytes of encoding and data that the text [start, end) takes. `integer` is `parseSafeInteger` of
 * the text, which the caller passes on to `writeTextEntry` too.
 */
export function textDataBytes(view: DataView, start: number, end: number, integer: number): number {
  if (integer === integer) return integerDataBytes(integer);
  const length = end - start;
  if (isUnsafeInteger(view, start, end)) return INTEGER_64_BYTES;
  return length + (length < 64 ? 1 : length < 4096 ? 2 : 5);
}

/** Whether a text that is no safe integer is an int64. */
function isUnsafeInteger(view: DataView, start: number, end: number): boolean {
  const length = end - start;
  return length >= UNSAFE_DIGITS_MIN && length <= INT64_CHARACTERS_MAX && isInt64(view, start, end);
}

/** Writes the entry of a text. `dataBytes` and `integer` as `textDataBytes` got and gave them. */
export function writeTextEntry(
  target: DataView,
  at: number,
  view: DataView,
  start: number,
  end: number,
  integer: number,
  dataBytes: number,
): void {
  if (integer === integer) {
    writeIntegerEntry(target, at, integer, dataBytes);
    return;
  }
  const length = end - start;
  let dataAt = at;
  if (dataBytes === INTEGER_64_BYTES && length >= UNSAFE_DIGITS_MIN) {
    target.setUint8(at, Encoding.INTEGER_64);
    target.setInt32(at + 1, int64Low(view, start, end), true);
    target.setInt32(at + 5, int64High(view, start, end), true);
    writeBacklen(target, at + INTEGER_64_BYTES, INTEGER_64_BYTES);
    return;
  }
  if (length < 64) target.setUint8(dataAt++, Encoding.STRING_6 | length);
  else if (length < 4096) {
    target.setUint8(dataAt++, Encoding.STRING_12 | (length >>> 8));
    target.setUint8(dataAt++, length & 0xff);
  } else {
    target.setUint8(dataAt, Encoding.STRING_32);
    target.setUint32(dataAt + 1, length, true);
    dataAt += 5;
  }
  copyBytes(target, dataAt, view, start, length);
  writeBacklen(target, dataAt + length, dataBytes);
}

/** Writes the entry of a safe integer. `dataBytes` is its `integerDataBytes`. */
export function writeIntegerEntry(
  target: DataView,
  at: number,
  value: number,
  dataBytes: number,
): void {
  if (dataBytes === 1) target.setUint8(at, value);
  else if (dataBytes === 2) {
    target.setUint8(at, Encoding.INTEGER_13 | ((value >> 8) & 0x1f));
    target.setUint8(at + 1, value & 0xff);
  } else if (dataBytes === 3) {
    target.setUint8(at, Encoding.INTEGER_16);
    target.setInt16(at + 1, value, true);
  } else if (dataBytes === 4) {
    target.setUint8(at, Encoding.INTEGER_24);
    target.setUint16(at + 1, value & 0xffff, true);
    target.setInt8(at + 3, value >> 16);
  } else if (dataBytes === 5) {
    target.setUint8(at, Encoding.INTEGER_32);
    target.setInt32(at + 1, value, true);
  } else {
    target.setUint8(at, Encoding.INTEGER_64);
    target.setInt32(at + 1, value | 0, true);
    target.setInt32(at + 5, Math.floor(value / TWO_TO_32), true);
  }
  target.setUint8(at + dataBytes, dataBytes);
}

/** Writes the backlen behind `dataBytes` bytes: `backlenBytes` bytes at `at`. */
export function writeBacklen(target: DataView, at: number, dataBytes: number): void {
  if (dataBytes <= 127) {
    target.setUint8(at, dataBytes);
    return;
  }
  const count = backlenBytes(dataBytes);
  let rest = dataBytes;
  for (let byteAt = at + count - 1; byteAt > at; byteAt--) {
    target.setUint8(byteAt, (rest & 127) | 128);
    rest >>>= 7;
  }
  target.setUint8(at, rest);
}

/** Whether the entry at `at` has the text [start, end) of `other`. */
export function entryEquals(
  view: DataView,
  at: number,
  other: DataView,
  start: number,
  end: number,
): boolean {
  const first = view.getUint8(at);
  const length = end - start;
  if (first >= Encoding.STRING_6 && first < Encoding.INTEGER_13) {
    return (first & 0x3f) === length && equalBytes(view, at + 1, other, start, length);
  }
  return entryEqualsParsed(view, at, other, start, end, parseSafeInteger(other, start, end));
}

/** As `entryEquals`. Requires: `integer` is `parseSafeInteger` of the text. */
export function entryEqualsParsed(
  view: DataView,
  at: number,
  other: DataView,
  start: number,
  end: number,
  integer: number,
): boolean {
  const first = view.getUint8(at);
  const length = end - start;
  if (first < Encoding.STRING_6) return first === integer;
  if (first < Encoding.INTEGER_13) {
    return (first & 0x3f) === length && equalBytes(view, at + 1, other, start, length);
  }
  if (first < Encoding.STRING_12) {
    return ((((first & 0x1f) << 27) >> 19) | view.getUint8(at + 1)) === integer;
  }
  if (first <= Encoding.STRING_32) {
    const prefix = entryPrefixBytes(first);
    if (entryDataBytes(view, at) - prefix !== length) return false;
    return equalBytes(view, at + prefix, other, start, length);
  }
  const value = longInteger(view, at, first);
  if (value === value) return value === integer;
  if (integer === integer || !isUnsafeInteger(other, start, end)) return false;
  return (
    view.getInt32(at + 1, true) === int64Low(other, start, end) &&
    view.getInt32(at + 5, true) === int64High(other, start, end)
  );
}
