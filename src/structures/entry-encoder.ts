// HOT PATH: rules in src/README.md
/**
 * Builds a run of listpack entries outside any listpack, so that they go in with one move:
 * `listpackInsertEncoded` takes `view`, 0, `length` and `count`. The buffer is kept and grows.
 *
 * Every method is O(bytes written).
 */
import { parseSafeInteger } from "../base/int64.ts";
import {
  backlenBytes,
  integerDataBytes,
  textDataBytes,
  writeIntegerEntry,
  writeTextEntry,
} from "./listpack-entry.ts";

const CAPACITY_AT_FIRST = 1024;
const CAPACITY_KEPT = 1024 * 1024;
/** Encoding, data and backlen of the longest integer; prefix and backlen of the longest string. */
const OVERHEAD_MAX = 16;
const TWO_TO_32 = 4294967296;
const INTEGER_64 = 0xf4;
const INTEGER_64_BYTES = 9;

export class EntryEncoder {
  view: DataView = new DataView(new ArrayBuffer(CAPACITY_AT_FIRST));
  length = 0;
  count = 0;

  /** Begins anew. */
  clear(): void {
    this.length = 0;
    this.count = 0;
    if (this.view.byteLength > CAPACITY_KEPT) this.resize(CAPACITY_AT_FIRST);
  }

  /** A safe integer. */
  integer(value: number): void {
    if (this.length + OVERHEAD_MAX > this.view.byteLength) this.grow(OVERHEAD_MAX);
    const dataBytes = integerDataBytes(value);
    writeIntegerEntry(this.view, this.length, value, dataBytes);
    this.length += dataBytes + 1;
    this.count++;
  }

  /** A signed 64-bit integer. */
  int64(high: number, low: number): void {
    const value = high * TWO_TO_32 + (low >>> 0);
    if (Number.isSafeInteger(value)) {
      this.integer(value);
      return;
    }
    if (this.length + OVERHEAD_MAX > this.view.byteLength) this.grow(OVERHEAD_MAX);
    this.view.setUint8(this.length, INTEGER_64);
    this.view.setInt32(this.length + 1, low, true);
    this.view.setInt32(this.length + 5, high, true);
    this.view.setUint8(this.length + INTEGER_64_BYTES, INTEGER_64_BYTES);
    this.length += INTEGER_64_BYTES + 1;
    this.count++;
  }

  /** The text [start, end) of `view`. */
  text(view: DataView, start: number, end: number): void {
    const room = end - start + OVERHEAD_MAX;
    if (this.length + room > this.view.byteLength) this.grow(room);
    const integer = parseSafeInteger(view, start, end);
    const dataBytes = textDataBytes(view, start, end, integer);
    writeTextEntry(this.view, this.length, view, start, end, integer, dataBytes);
    this.length += dataBytes + backlenBytes(dataBytes);
    this.count++;
  }

  private grow(room: number): void {
    this.resize(Math.max(this.view.byteLength * 2, this.length + room));
  }

  /** COLD: the buffer is kept. */
  private resize(capacity: number): void {
    const bytes = new Uint8Array(capacity);
    bytes.set(new Uint8Array(this.view.buffer, 0, this.length));
    this.view = new DataView(bytes.buffer);
  }
}
