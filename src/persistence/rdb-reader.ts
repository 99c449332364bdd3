/**
 * Reads numbers and strings in the RDB format from bytes that nobody has checked.
 *
 * Nothing outside of the bytes is read, and no input makes a method throw. The first thing that is
 * wrong is noted in `failure`; from then on every method returns 0 or an empty string at once, so
 * that readers check `failure` where they loop and before they use what they have read.
 *
 * All are O(bytes read); a string that is not compressed is not copied.
 */
import { writeInteger } from "../base/integer.ts";
import { lzfDecompress } from "../base/lzf.ts";
import { RdbLength, RdbString } from "./rdb-format.ts";

const TWO_32 = 4294967296;
/** The longest match of LZF takes three bytes. */
const LZF_RATIO_MAX = 264;
/** No string is longer; the arena could not hold it. */
const STRING_BYTES_MAX = 2 ** 30;
const OWN_BYTES_AT_FIRST = 32;
const NO_BYTES = new Uint8Array(0);

/** A string that was read: [start, end) of both `bytes` and `view`, until the next one is read. */
export class RdbText {
  bytes: Uint8Array = NO_BYTES;
  view: DataView = new DataView(NO_BYTES.buffer);
  start = 0;
  end = 0;

  private ownBytes = new Uint8Array(OWN_BYTES_AT_FIRST);
  private ownView = new DataView(this.ownBytes.buffer);

  get length(): number {
    return this.end - this.start;
  }

  /** Points at bytes of somebody else. */
  set(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.end = end;
  }

  /** Makes room for a string of `length` bytes, to be written to `bytes` from 0 on. */
  own(length: number): void {
    if (this.ownBytes.length < length) {
      this.ownBytes = new Uint8Array(length);
      this.ownView = new DataView(this.ownBytes.buffer);
    }
    this.set(this.ownBytes, this.ownView, 0, length);
  }

  /** Takes the decimal text of a safe integer. */
  setInteger(value: number): void {
    this.own(OWN_BYTES_AT_FIRST);
    this.end = writeInteger(this.bytes, 0, value);
  }
}

export class RdbReader {
  /** What is wrong with the input, or null. */
  failure: string | null = null;
  /** The 64-bit number that `size64` or `int64` read last, as two words. */
  high = 0;
  low = 0;

  private bytes: Uint8Array = NO_BYTES;
  private view: DataView = new DataView(NO_BYTES.buffer);
  private at = 0;
  private end = 0;

  /** Begins to read bytes[start, end), which `view` covers too. */
  begin(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.bytes = bytes;
    this.view = view;
    this.at = start;
    this.end = end;
    this.failure = null;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  /** Notes what is wrong with the input, unless something was before. */
  fail(reason: string): void {
    this.failure ??= reason;
    this.at = this.end;
  }

  byte(): number {
    return this.has(1) ? this.bytes[this.at++] : 0;
  }

  /** A length that is a safe integer. */
  size(): number {
    this.size64();
    if (this.high >>> 0 < 0x200000) return (this.high >>> 0) * TWO_32 + (this.low >>> 0);
    this.fail("Length out of range");
    return 0;
  }

  /**
   * A count of elements that take at least `bytesMin` bytes each: more than can follow is refused
   * before anything is allocated for them.
   */
  count(bytesMin: number): number {
    const count = this.size();
    if (count * bytesMin <= this.remaining) return count;
    this.fail("More elements than bytes");
    return 0;
  }

  /** A length of 64 bits, into `high` and `low`. */
  size64(): void {
    this.high = 0;
    this.low = 0;
    const first = this.byte();
    if (first < RdbLength.BITS_14) {
      this.low = first;
    } else if (first < RdbLength.BITS_32) {
      this.low = ((first & 0x3f) << 8) | this.byte();
    } else if (first === RdbLength.BITS_32) {
      if (!this.has(4)) return;
      this.low = this.view.getInt32(this.at);
      this.at += 4;
    } else if (first === RdbLength.BITS_64) {
      if (!this.has(8)) return;
      this.high = this.view.getInt32(this.at);
      this.low = this.view.getInt32(this.at + 4);
      this.at += 8;
    } else {
      this.fail("Unknown length encoding");
    }
  }

  /** A signed 64-bit integer of eight bytes, into `high` and `low`. */
  int64(): void {
    this.high = 0;
    this.low = 0;
    if (!this.has(8)) return;
    this.low = this.view.getInt32(this.at, true);
    this.high = this.view.getInt32(this.at + 4, true);
    this.at += 8;
  }

  double(): number {
    if (!this.has(8)) return 0;
    this.at += 8;
    return this.view.getFloat64(this.at - 8, true);
  }

  /** The next `length` bytes as they are. */
  raw(length: number, text: RdbText): void {
    if (!this.has(length)) {
      text.own(0);
      return;
    }
    text.set(this.bytes, this.view, this.at, this.at + length);
    this.at += length;
  }

  string(text: RdbText): void {
    const first = this.at < this.end ? this.bytes[this.at] : 0;
    if (first < RdbLength.ENCODED) {
      this.raw(this.size(), text);
      return;
    }
    this.at++;
    text.own(0);
    switch (first) {
      case RdbString.INT8:
        if (this.has(1)) text.setInteger(this.view.getInt8(this.at));
        this.at += 1;
        break;
      case RdbString.INT16:
        if (this.has(2)) text.setInteger(this.view.getInt16(this.at, true));
        this.at += 2;
        break;
      case RdbString.INT32:
        if (this.has(4)) text.setInteger(this.view.getInt32(this.at, true));
        this.at += 4;
        break;
      case RdbString.LZF:
        this.compressed(text);
        break;
      default:
        this.fail("Unknown RDB string encoding type");
    }
    if (this.failure !== null) {
      this.at = this.end;
      text.own(0);
    }
  }

  private compressed(text: RdbText): void {
    const compressedLength = this.size();
    const length = this.size();
    if (length > compressedLength * LZF_RATIO_MAX || length > STRING_BYTES_MAX) {
      this.fail("Invalid LZF compressed string");
    }
    if (!this.has(compressedLength)) return;
    const from = this.at;
    this.at += compressedLength;
    text.own(length);
    if (lzfDecompress(this.bytes, from, this.at, text.bytes, 0, length) !== length) {
      this.fail("Invalid LZF compressed string");
    }
  }

  /** Whether `count` more bytes are there; without them the input has failed. */
  private has(count: number): boolean {
    if (count <= this.end - this.at && this.failure === null) return true;
    this.fail("Unexpected end");
    return false;
  }
}
