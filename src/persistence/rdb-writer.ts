/**
 * Writes numbers and strings in the RDB format into a buffer that grows: its owner clears it,
 * writes a value, and takes `bytes` up to `length`. Everything is O(bytes written), compression
 * included.
 *
 * A snapshot leaves compression, the dearest part, to whoever takes the bytes. Its writer makes
 * spans (`startSpan`, `endSpan`), which snapshot-sink.ts turns into a file:
 *
 *     span     u32 little-endian: bit 31 DEFERRED, bits 0..30 length | so many bytes
 *              finished bytes of the file, or, DEFERRED, the text of one string that is to be
 *              written in its shortest form
 */
import { Crc64 } from "../base/crc64.ts";
import { parseInteger, writeInteger } from "../base/integer.ts";
import { LzfCompressor } from "../base/lzf.ts";
import { RdbLength, RdbString } from "./rdb-format.ts";

const CAPACITY_AT_FIRST = 4096;
/** An empty buffer above this is replaced by a small one. */
const CAPACITY_KEPT = 1024 * 1024;
/** Texts of 32-bit integers are no longer. */
const INT32_CHARACTERS_MAX = 11;
/** Longer strings are compressed, if that gains so many bytes. */
const INCOMPRESSIBLE_BYTES_MAX = 20;
const COMPRESSION_GAIN_MIN = 4;
/** Type byte and two lengths, of an LZF string. */
const HEADER_BYTES_MAX = 19;
const TWO_32 = 4294967296;
const INTEGER_CHARACTERS_MAX = 20;
/** Of spans: the size of the header, and its bit that says that the bytes are a string's text. */
export const SPAN_HEADER_BYTES = 4;
export const SPAN_DEFERRED = 0x80000000;
/** Longer strings are written as they are by a snapshot: whoever compresses holds both forms. */
const DEFERRED_BYTES_MAX = 16 * 1024 * 1024;

export class RdbWriter {
  bytes = new Uint8Array(CAPACITY_AT_FIRST);
  length = 0;
  /** Whether long strings are compressed: rdbcompression. */
  compresses = true;

  /** The same memory as `bytes`. */
  view = new DataView(this.bytes.buffer);
  private compressor: LzfCompressor | null = null;
  private readonly text = new Uint8Array(INTEGER_CHARACTERS_MAX);
  private readonly checksum = new Crc64();

  /** Where the header of the open span is; -1 = no span is open. */
  private spanAt = -1;

  /** Drops everything written; gives back an unusually large buffer. */
  clear(): void {
    this.length = 0;
    this.spanAt = -1;
    if (this.bytes.length > CAPACITY_KEPT) this.replaceBuffer(CAPACITY_AT_FIRST);
  }

  /** Drops the first `count` bytes. Requires: no span is open. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }

  /** Opens a span of finished bytes: everything that follows belongs to it. */
  startSpan(): void {
    this.reserve(SPAN_HEADER_BYTES);
    this.spanAt = this.length;
    this.length += SPAN_HEADER_BYTES;
  }

  /** Closes the open span, and drops it if it is empty. */
  endSpan(): void {
    const count = this.length - this.spanAt - SPAN_HEADER_BYTES;
    if (count === 0) this.length = this.spanAt;
    else this.view.setUint32(this.spanAt, count, true);
    this.spanAt = -1;
  }

  /** Whether a span is open. */
  get hasSpans(): boolean {
    return this.spanAt >= 0;
  }

  /** Whether `string` would take a text of this length apart from the open span. */
  defers(length: number): boolean {
    return (
      this.spanAt >= 0 &&
      this.compresses &&
      length > INCOMPRESSIBLE_BYTES_MAX &&
      length <= DEFERRED_BYTES_MAX
    );
  }

  /** Opens a span for the text of a string, which is written next with `raw`, in any pieces. */
  startDeferred(length: number): void {
    this.endSpan();
    this.reserve(SPAN_HEADER_BYTES);
    this.view.setUint32(this.length, SPAN_DEFERRED + length, true);
    this.length += SPAN_HEADER_BYTES;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    if (end - start > 64) {
      this.bytes.set(bytes.subarray(start, end), this.length);
      this.length += end - start;
      return;
    }
    for (let at = start; at < end; at++) this.bytes[this.length++] = bytes[at];
  }

  /** A length, which is a safe integer. */
  size(value: number): void {
    if (value >= TWO_32) {
      this.word64(Math.floor(value / TWO_32), value | 0);
      return;
    }
    this.reserve(5);
    if (value < 64) {
      this.bytes[this.length++] = value;
    } else if (value < 16384) {
      this.bytes[this.length++] = RdbLength.BITS_14 | (value >>> 8);
      this.bytes[this.length++] = value;
    } else {
      this.bytes[this.length++] = RdbLength.BITS_32;
      this.view.setUint32(this.length, value);
      this.length += 4;
    }
  }

  /** A length of 64 bits, as two words. */
  size64(high: number, low: number): void {
    if (high === 0) this.size(low >>> 0);
    else this.word64(high, low);
  }

  /** A signed 64-bit integer of eight bytes, little-endian: times, and such. */
  int64(high: number, low: number): void {
    this.reserve(8);
    this.view.setInt32(this.length, low, true);
    this.view.setInt32(this.length + 4, high, true);
    this.length += 8;
  }

  double(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** The string bytes[start, end) in its shortest form. */
  string(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= INT32_CHARACTERS_MAX) {
      const value = parseInteger(bytes, start, end);
      if (value === (value | 0)) {
        this.encodedInteger(value);
        return;
      }
    }
    if (this.compresses && length > INCOMPRESSIBLE_BYTES_MAX) {
      if (this.spanAt >= 0) {
        if (length <= DEFERRED_BYTES_MAX) {
          this.startDeferred(length);
          this.raw(bytes, start, end);
          this.startSpan();
          return;
        }
      } else if (this.compressed(bytes, start, end)) return;
    }
    this.size(length);
    this.raw(bytes, start, end);
  }

  /** The decimal text of a safe integer as a string. */
  integerString(value: number): void {
    if (value === (value | 0)) {
      this.encodedInteger(value);
      return;
    }
    const count = writeInteger(this.text, 0, value);
    this.size(count);
    this.raw(this.text, 0, count);
  }

  /** The RDB version and the checksum of everything before: the end of a DUMP payload. */
  footer(version: number): void {
    this.byte(version);
    this.byte(version >>> 8);
    const { checksum } = this;
    checksum.reset();
    checksum.update(this.bytes, 0, this.length);
    this.reserve(8);
    checksum.write(this.bytes, this.length);
    this.length += 8;
  }

  private word64(high: number, low: number): void {
    this.reserve(9);
    this.bytes[this.length] = RdbLength.BITS_64;
    this.view.setInt32(this.length + 1, high);
    this.view.setInt32(this.length + 5, low);
    this.length += 9;
  }

  private encodedInteger(value: number): void {
    this.reserve(5);
    if (value === (value << 24) >> 24) {
      this.bytes[this.length] = RdbString.INT8;
      this.view.setInt8(this.length + 1, value);
      this.length += 2;
    } else if (value === (value << 16) >> 16) {
      this.bytes[this.length] = RdbString.INT16;
      this.view.setInt16(this.length + 1, value, true);
      this.length += 3;
    } else {
      this.bytes[this.length] = RdbString.INT32;
      this.view.setInt32(this.length + 1, value, true);
      this.length += 5;
    }
  }

  /** Writes the string compressed if that is shorter. */
  private compressed(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    this.compressor ??= new LzfCompressor();
    this.reserve(length + HEADER_BYTES_MAX);
    // Compressed behind the longest header, and moved when the header's length is known.
    const from = this.length + HEADER_BYTES_MAX;
    const room = length - COMPRESSION_GAIN_MIN;
    const count = this.compressor.compress(bytes, start, end, this.bytes, from, from + room);
    if (count === 0) return false;
    this.bytes[this.length++] = RdbString.LZF;
    this.size(count);
    this.size(length);
    this.bytes.copyWithin(this.length, from, from + count);
    this.length += count;
    return true;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    this.replaceBuffer(Math.max(this.bytes.length * 2, this.length + count));
  }

  private replaceBuffer(capacity: number): void {
    const bytes = new Uint8Array(capacity);
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
