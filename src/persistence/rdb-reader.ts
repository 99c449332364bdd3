/**
 * Reads numbers and strings in the RDB format from bytes that nobody has checked: from a payload in
 * memory, or from a source of which a window is in memory at a time.
 *
 *     source   |...... taken in ......|== window: texts point here ==|...... to come ......|
 *                                     0        at                 end
 *
 * Nothing outside of the bytes is read, and no input makes a method throw. The first thing that is
 * wrong is noted in `failure`; from then on every method returns 0 or an empty string at once, so
 * that readers check `failure` where they loop and before they use what they have read.
 *
 * The window moves on when a read passes its end. The last RECENT texts that were read then become
 * copies, so that a reader may keep a field while it reads its value, and so does a text that was
 * said to be held; `forgetTexts` says that none is wanted any more. A string longer than the window enlarges it, but only by as many bytes as the source has.
 *
 * All are O(bytes read); a string that is not compressed is not copied.
 */
import { writeInteger } from "../base/integer.ts";
import { Crc64 } from "../base/crc64.ts";
import { FileError } from "../base/file-system.ts";
import { lzfDecompress } from "../base/lzf.ts";
import { RdbLength, RdbString } from "./rdb-format.ts";

const TWO_32 = 4294967296;
/** The longest match of LZF takes three bytes. */
const LZF_RATIO_MAX = 264;
/** No string is longer; the arena could not hold it. */
const STRING_BYTES_MAX = 2 ** 30;
const OWN_BYTES_AT_FIRST = 32;
/** Own memory of a text above this is given back. */
const OWN_BYTES_KEPT = 1024 * 1024;
const NO_BYTES = new Uint8Array(0);
/** Texts that stay valid when the window moves; a power of 2. */
const RECENT = 4;
const WINDOW_BYTES = 1024 * 1024;
/** Bytes behind the window that its owner may use. */
export const SCRATCH_BYTES = 16 * 1024;
/** How a window grows if nobody knows how much is to come. */
const GROWTH = 2;

/** Where bytes come from that are read once, from the beginning to the end. */
export interface RdbSource {
  /** Bytes that `read` has not delivered yet; Infinity if nobody knows. */
  readonly remaining: number;
  /** Reads up to `length` bytes to bytes[start...], at least one; 0 at the end. */
  read(bytes: Uint8Array, start: number, length: number): number;
}

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
    if (this.ownBytes.length < length || this.ownBytes.length > OWN_BYTES_KEPT + length) {
      this.ownBytes = new Uint8Array(length);
      this.ownView = new DataView(this.ownBytes.buffer);
    }
    this.set(this.ownBytes, this.ownView, 0, length);
  }

  /** Becomes a copy of what it points at. */
  keep(): void {
    const { bytes, start, end } = this;
    this.own(end - start);
    if (end > start) this.bytes.set(bytes.subarray(start, end), 0);
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

  /** Where the input failed: bytes from its beginning. */
  failedAt = 0;
  /** Whether it failed because it ends too early. */
  isShort = false;

  /** The bytes at hand are bytes[at, end), of which `view` is a view. */
  bytes: Uint8Array = NO_BYTES;
  view: DataView = new DataView(NO_BYTES.buffer);
  at = 0;
  end = 0;

  /** Where the window's memory ends and SCRATCH_BYTES begin that last until the window moves. */
  capacity = 0;

  private source: RdbSource | null = null;
  /** Offset of the window's first byte from the beginning of the source. */
  private windowOffset = 0;
  /** The checksum of everything before `checksumAt`, if anybody asked for one. */
  private checksum: Crc64 | null = null;
  private checksumAt = 0;
  private readonly recent: RdbText[] = Array.from({ length: RECENT }, () => new RdbText());
  private recentCount = 0;
  private held: RdbText | null = null;

  /** Begins to read bytes[start, end), which `view` covers too. */
  begin(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.bytes = bytes;
    this.view = view;
    this.at = start;
    this.end = end;
    this.failure = null;
    this.isShort = false;
    this.source = null;
    this.windowOffset = -start;
    this.checksum = null;
    this.forgetTexts();
  }

  /** Begins to read a source. With `sums`, `checksumMatches` can be asked. */
  beginSource(source: RdbSource, sums: boolean): void {
    const capacity = Math.max(Math.min(WINDOW_BYTES, source.remaining), 1);
    const bytes = new Uint8Array(capacity + SCRATCH_BYTES);
    this.begin(bytes, new DataView(bytes.buffer), 0, 0);
    this.capacity = capacity;
    this.source = source;
    this.checksum = sums ? new Crc64() : null;
    this.checksumAt = 0;
  }

  /** Whether a checksum is kept. */
  get sums(): boolean {
    return this.checksum !== null;
  }

  /** Bytes that can follow at most. */
  get remaining(): number {
    return this.end - this.at + (this.source === null ? 0 : this.source.remaining);
  }

  /** Bytes from the beginning of the input to what is read next. */
  get offset(): number {
    return this.windowOffset + this.at;
  }

  /** Notes what is wrong with the input, unless something was before. */
  fail(reason: string): void {
    if (this.failure === null) {
      this.failure = reason;
      this.failedAt = this.offset;
    }
    this.at = this.end;
  }

  /** Allows the window to move on without the texts that were read: nobody holds any. */
  forgetTexts(): void {
    this.recentCount = 0;
    this.held = null;
  }

  /** Keeps a text that was read just now, however many follow, until `forgetTexts`. */
  hold(text: RdbText): void {
    this.held = text;
  }

  /**
   * Reads the eight bytes of a checksum: 1 if it is that of everything before, 0 if it is not, -1 if
   * it is 0, which stands for none. Requires: `beginSource` was told to sum.
   */
  checksumState(): number {
    const { checksum } = this;
    if (checksum === null) return -1;
    checksum.update(this.bytes, this.checksumAt, this.at);
    this.checksumAt = this.at;
    // May move the window, over nothing that is not summed up.
    if (!this.has(8)) return 0;
    const from = this.at;
    this.at += 8;
    if (this.view.getInt32(from) === 0 && this.view.getInt32(from + 4) === 0) return -1;
    return checksum.matches(this.bytes, from) ? 1 : 0;
  }

  /** The checksum so far, and the eight bytes read last, in hexadecimal: for messages. */
  checksumTexts(): { expected: string; found: string } {
    const expected = (this.checksum?.digest() ?? 0n).toString(16);
    return { expected, found: this.view.getBigUint64(this.at - 8, true).toString(16) };
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
    this.isShort ||= this.failure === null;
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

  /** A signed 32-bit integer of four bytes. */
  int32(): number {
    if (!this.has(4)) return 0;
    this.at += 4;
    return this.view.getInt32(this.at - 4, true);
  }

  double(): number {
    if (!this.has(8)) return 0;
    this.at += 8;
    return this.view.getFloat64(this.at - 8, true);
  }

  /** The next `length` bytes as they are. */
  raw(length: number, text: RdbText): void {
    if (length > STRING_BYTES_MAX) this.fail("String too long");
    if (!this.has(length)) {
      text.own(0);
      return;
    }
    text.set(this.bytes, this.view, this.at, this.at + length);
    this.recent[this.recentCount++ & (RECENT - 1)] = text;
    this.at += length;
  }

  string(text: RdbText): void {
    const first = this.has(1) ? this.bytes[this.at] : 0;
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

  /** Whether `count` more bytes are at hand; without them the input has failed. Moves the window. */
  has(count: number): boolean {
    if (this.failure !== null) return false;
    if (count <= this.end - this.at) return true;
    if (this.source !== null && this.refill(this.source, count)) return true;
    this.isShort = this.failure === null;
    this.fail("Unexpected end");
    return false;
  }

  /** Moves the window on so that `count` bytes are at hand; false if the source has too few. */
  private refill(source: RdbSource, count: number): boolean {
    if (count > this.remaining) return false;
    this.keepTexts();
    this.checksum?.update(this.bytes, this.checksumAt, this.at);
    this.windowOffset += this.at;
    const kept = this.end - this.at;
    const isLarge = this.capacity > WINDOW_BYTES && Math.max(count, kept) <= WINDOW_BYTES;
    if (isLarge) this.replaceWindow(WINDOW_BYTES);
    else this.bytes.copyWithin(0, this.at, this.end);
    this.at = 0;
    this.checksumAt = 0;
    this.end = kept;
    try {
      while (this.end < count) {
        if (this.end === this.capacity) this.growWindow(source, count);
        const got = source.read(this.bytes, this.end, this.capacity - this.end);
        if (got === 0) return false;
        this.end += got;
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.fail(`Read error: ${error.message}`);
      return false;
    }
    return true;
  }

  /** Makes the window large enough for `count` bytes, or for some of them if they may not exist. */
  private growWindow(source: RdbSource, count: number): void {
    const wanted = source.remaining === Infinity ? this.capacity * GROWTH : count;
    this.replaceWindow(Math.min(count, wanted));
  }

  /** Gives the window other memory, with bytes[at, end) at its beginning. */
  private replaceWindow(capacity: number): void {
    const bytes = new Uint8Array(capacity + SCRATCH_BYTES);
    this.capacity = capacity;
    bytes.set(this.bytes.subarray(this.at, this.end));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  private keepTexts(): void {
    const count = Math.min(this.recentCount, RECENT);
    for (let i = 0; i < count; i++) {
      const text = this.recent[(this.recentCount - 1 - i) & (RECENT - 1)];
      if (text.bytes === this.bytes) text.keep();
    }
    if (this.held?.bytes === this.bytes) this.held.keep();
    this.recentCount = 0;
  }
}
