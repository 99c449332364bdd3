/**
 * A listpack in memory of its own, built entry by entry: what older encodings in RDB files become
 * before they become structure. Appending is O(bytes of the entry); `structures/listpack.ts` would
 * move the whole listpack for each.
 */
import { parseSafeInteger } from "../base/int64.ts";
import {
  backlenBytes,
  integerDataBytes,
  textDataBytes,
  writeIntegerEntry,
  writeTextEntry,
} from "../structures/listpack-entry.ts";
import { Listpack } from "../structures/listpack.ts";

const CAPACITY_AT_FIRST = 1024;

export class ListpackBuilder {
  bytes = new Uint8Array(CAPACITY_AT_FIRST);
  view = new DataView(this.bytes.buffer);
  /** Bytes of the listpack so far, without its end. */
  length: number = Listpack.HEADER;
  count = 0;

  /** Starts over with an empty listpack. */
  clear(): void {
    this.length = Listpack.HEADER;
    this.count = 0;
  }

  /** Appends the text [start, end) of `other`. */
  text(other: DataView, start: number, end: number): void {
    const integer = parseSafeInteger(other, start, end);
    const dataBytes = textDataBytes(other, start, end, integer);
    this.reserve(dataBytes + backlenBytes(dataBytes));
    writeTextEntry(this.view, this.length, other, start, end, integer, dataBytes);
    this.length += dataBytes + backlenBytes(dataBytes);
    this.count++;
  }

  /** Appends a safe integer. */
  integer(value: number): void {
    const dataBytes = integerDataBytes(value);
    this.reserve(dataBytes + backlenBytes(dataBytes));
    writeIntegerEntry(this.view, this.length, value, dataBytes);
    this.length += dataBytes + backlenBytes(dataBytes);
    this.count++;
  }

  /** Writes header and end: the listpack is `bytes` up to the returned length. */
  finish(): number {
    this.reserve(1);
    this.bytes[this.length++] = Listpack.END;
    this.view.setUint32(0, this.length, true);
    this.view.setUint16(Listpack.COUNT_AT, Math.min(this.count, Listpack.COUNT_UNKNOWN), true);
    return this.length;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
