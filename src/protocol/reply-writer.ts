// HOT PATH: rules in src/README.md
/**
 * Replies into bytes: RESP2 or RESP3, as the client chose with HELLO.
 *
 * One writer serves a whole engine: the replies of a batch of requests collect in `bytes`, and the
 * connection takes them in one write. The buffer grows to the largest batch and is cut back when
 * it is empty and large. Every method is O(bytes written); a handler writes after its last check,
 * so that no error follows half a reply.
 *
 * Lengths that are known only at the end are written with `deferLength` and `setDeferred`: the
 * header is put in by moving what follows it. Deferred headers nest: the inner ones are set first.
 *
 * A reply that passes `limit` is given up where the buffer would have to grow, so that the check
 * costs nothing while it does not: what was written is dropped, and whatever the handler still
 * writes overwrites itself. The handler runs on, because it may have changed data already; only
 * loops whose length the client alone chooses look at `overflowed`.
 */
import { writeAscii } from "../base/ascii.ts";
import { writeDouble } from "../base/double.ts";
import { int64Length, writeInt64 } from "../base/int64.ts";
import { writeBigInt, writeInteger } from "../base/integer.ts";
import { copyBytes } from "../base/bytes.ts";

const CAPACITY_AT_FIRST = 256 * 1024;
/** An empty buffer above this is replaced by a small one. */
const CAPACITY_KEPT = 4 * 1024 * 1024;
/** Longest header: a type byte, 20 digits and a sign, CRLF. */
const HEADER_BYTES_MAX = 24;
/** Longest reply of all: lengths and offsets stay int32, which the engine computes fastest with. */
export const REPLY_BYTES_MAX = 0x7fff0000;
/** A longer first word of an error is not taken for its code. */
const ERROR_CODE_CHARACTERS_MAX = 30;

const CRLF = 0x0a0d;
const DIGIT_0 = 48;
const OK = 0x0d4b4f2b;
const CR = 13;
const LF = 10;

export const enum ReplyType {
  SIMPLE = 43,
  ERROR = 45,
  INTEGER = 58,
  BULK = 36,
  ARRAY = 42,
  MAP = 37,
  SET = 126,
  PUSH = 62,
  DOUBLE = 44,
  BOOLEAN = 35,
  BIG_NUMBER = 40,
  NULL = 95,
  VERBATIM = 61,
  ATTRIBUTE = 124,
}

/** What `writeShortBulk` writes: bytes of the content and of all, at most. */
export const enum ShortBulk {
  CONTENT_MAX = 99,
  BYTES_MAX = 106,
}

/**
 * Writes a bulk string of at most ShortBulk.CONTENT_MAX bytes and returns the offset behind it.
 * For loops that write many and keep the writer's `view` and `length` in variables meanwhile: half
 * the time of `bulk` each.
 */
export function writeShortBulk(
  target: DataView,
  at: number,
  view: DataView,
  start: number,
  length: number,
): number {
  let to = at + 4;
  if (length < 10) {
    target.setInt32(at, ReplyType.BULK | ((DIGIT_0 + length) << 8) | (CRLF << 16), true);
  } else {
    const tens = (length / 10) | 0;
    const digits = (DIGIT_0 + tens) | ((DIGIT_0 + length - tens * 10) << 8);
    target.setInt32(at, ReplyType.BULK | (digits << 8) | (CR << 24), true);
    target.setUint8(to++, LF);
  }
  if (length < 4) {
    for (let i = 0; i < length; i++) target.setUint8(to + i, view.getUint8(start + i));
  } else {
    // As copyBytes, which would be one call more.
    const last = length - 4;
    for (let i = 0; i < last; i += 4) {
      target.setInt32(to + i, view.getInt32(start + i, true), true);
    }
    target.setInt32(to + last, view.getInt32(start + last, true), true);
  }
  target.setInt16(to + length, CRLF, true);
  return to + length + 2;
}

export class ReplyWriter {
  bytes: Uint8Array = new Uint8Array(CAPACITY_AT_FIRST);
  view: DataView = new DataView(this.bytes.buffer);
  /** Bytes written. */
  length = 0;
  /** Whether the client that is answered speaks RESP3. */
  resp3 = false;
  /** Bytes at which the reply is given up. */
  limit = REPLY_BYTES_MAX;
  /** The reply was given up: nothing in it is of use, and its client is to be closed. */
  overflowed = false;
  /** Told when a reply is given up. */
  onOverflow: (() => void) | null = null;
  /** Error replies written since the writer began, and the last one's code ("ERR", "WRONGTYPE"). */
  errorCount = 0;
  lastErrorCode = "";

  /** Drops everything written; gives back an unusually large buffer. */
  clear(): void {
    this.length = 0;
    this.overflowed = false;
    if (this.bytes.length > CAPACITY_KEPT) {
      this.bytes = new Uint8Array(CAPACITY_AT_FIRST);
      this.view = new DataView(this.bytes.buffer);
    }
  }

  /** Makes room for `count` more bytes: cached `bytes` and `view` are stale after this call. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.grow(count);
  }

  ok(): void {
    this.reserve(5);
    this.view.setInt32(this.length, OK, true);
    this.bytes[this.length + 4] = LF;
    this.length += 5;
  }

  /** A simple string. Requires: ASCII without CR and LF. */
  simple(text: string): void {
    this.reserve(text.length + 3);
    this.bytes[this.length] = ReplyType.SIMPLE;
    this.length = writeAscii(this.bytes, this.length + 1, text);
    this.crlf();
  }

  /**
   * An error: its code, a space, its text. CR and LF become spaces. Latin-1.
   * COLD: its text is a string anyway.
   */
  error(text: string): void {
    this.errorCount++;
    const space = text.indexOf(" ");
    const hasCode = space > 0 && space <= ERROR_CODE_CHARACTERS_MAX;
    this.lastErrorCode = hasCode ? text.slice(0, space) : "ERR";
    this.reserve(text.length + 3);
    this.bytes[this.length] = ReplyType.ERROR;
    this.length = writeAscii(this.bytes, this.length + 1, text.replace(/[\r\n]/g, " "));
    this.crlf();
  }

  integer(value: number): void {
    this.reserve(HEADER_BYTES_MAX);
    this.bytes[this.length] = ReplyType.INTEGER;
    this.length = writeInteger(this.bytes, this.length + 1, value);
    this.crlf();
  }

  bigInteger(value: bigint): void {
    this.reserve(HEADER_BYTES_MAX);
    this.bytes[this.length] = ReplyType.INTEGER;
    this.length = writeBigInt(this.bytes, this.length + 1, value);
    this.crlf();
  }

  /** A bulk string: `count` bytes of `view` from `start`. */
  bulk(view: DataView, start: number, count: number): void {
    if (count <= ShortBulk.CONTENT_MAX && this.length + ShortBulk.BYTES_MAX <= this.bytes.length) {
      this.length = writeShortBulk(this.view, this.length, view, start, count);
      return;
    }
    this.reserve(count + HEADER_BYTES_MAX + 2);
    this.header(ReplyType.BULK, count);
    const at = this.length;
    copyBytes(this.view, at, view, start, count);
    this.view.setInt16(at + count, CRLF, true);
    this.length = at + count + 2;
  }

  /** A bulk string with one byte per character. */
  bulkText(text: string): void {
    this.reserve(text.length + HEADER_BYTES_MAX + 2);
    this.header(ReplyType.BULK, text.length);
    this.length = writeAscii(this.bytes, this.length, text);
    this.crlf();
  }

  bulkBytes(bytes: Uint8Array): void {
    this.reserve(bytes.length + HEADER_BYTES_MAX + 2);
    this.header(ReplyType.BULK, bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
    this.crlf();
  }

  /** A bulk string of a safe integer's digits. */
  bulkInteger(value: number): void {
    this.reserve(2 * HEADER_BYTES_MAX);
    const digitsAt = this.length + 4;
    const count = writeInteger(this.bytes, digitsAt, value) - digitsAt;
    this.header(ReplyType.BULK, count);
    // The header has one byte more than was left for it.
    if (count >= 10) writeInteger(this.bytes, this.length, value);
    this.length += count;
    this.crlf();
  }

  /** A bulk string of the digits of an int64, given as its two words. */
  bulkInt64(high: number, low: number): void {
    this.reserve(2 * HEADER_BYTES_MAX);
    this.header(ReplyType.BULK, int64Length(high, low));
    this.length = writeInt64(this.bytes, this.length, high, low);
    this.crlf();
  }

  /** A double as a bulk string. */
  bulkDouble(value: number): void {
    // Most are small integers, and -0 is none.
    if (value === (value | 0) && (value !== 0 || 1 / value > 0)) {
      this.bulkInteger(value);
      return;
    }
    this.reserve(64);
    const digitsAt = this.length + 32;
    const count = writeDouble(this.bytes, digitsAt, value) - digitsAt;
    this.header(ReplyType.BULK, count);
    // The digits are fewer than the bytes between: they do not overlap with what they become.
    copyBytes(this.view, this.length, this.view, digitsAt, count);
    this.length += count;
    this.crlf();
  }

  /** A double: RESP3's own type, or a bulk string. */
  double(value: number): void {
    if (!this.resp3) {
      this.bulkDouble(value);
      return;
    }
    this.reserve(32);
    this.bytes[this.length] = ReplyType.DOUBLE;
    this.length = writeDouble(this.bytes, this.length + 1, value);
    this.crlf();
  }

  /** A double that is given as its digits: RESP3's own type, or a bulk string. */
  doubleText(digits: string): void {
    if (!this.resp3) {
      this.bulkText(digits);
      return;
    }
    this.reserve(digits.length + 3);
    this.bytes[this.length] = ReplyType.DOUBLE;
    this.length = writeAscii(this.bytes, this.length + 1, digits);
    this.crlf();
  }

  /** Null: RESP3's own, or a bulk of length -1. */
  nil(): void {
    this.reserve(5);
    if (this.resp3) {
      this.bytes[this.length++] = ReplyType.NULL;
      this.crlf();
      return;
    }
    this.length = writeAscii(this.bytes, this.length, "$-1\r\n");
  }

  /** Null where an array was expected: differs from `nil` in RESP2. */
  nilArray(): void {
    this.reserve(5);
    if (this.resp3) {
      this.bytes[this.length++] = ReplyType.NULL;
      this.crlf();
      return;
    }
    this.length = writeAscii(this.bytes, this.length, "*-1\r\n");
  }

  boolean(value: boolean): void {
    if (!this.resp3) {
      this.integer(value ? 1 : 0);
      return;
    }
    this.reserve(4);
    this.bytes[this.length++] = ReplyType.BOOLEAN;
    this.bytes[this.length++] = value ? 116 : 102;
    this.crlf();
  }

  /** A number of any size, given as its decimal digits. */
  bigNumber(digits: string): void {
    if (!this.resp3) {
      this.bulkText(digits);
      return;
    }
    this.reserve(digits.length + 3);
    this.bytes[this.length] = ReplyType.BIG_NUMBER;
    this.length = writeAscii(this.bytes, this.length + 1, digits);
    this.crlf();
  }

  /** Text with a three-letter format ("txt", "mkd"); a plain bulk in RESP2. Latin-1. */
  verbatim(format: string, text: string): void {
    if (!this.resp3) {
      this.bulkText(text);
      return;
    }
    this.reserve(text.length + HEADER_BYTES_MAX + 6);
    this.header(ReplyType.VERBATIM, text.length + 4);
    this.length = writeAscii(this.bytes, this.length, format);
    this.bytes[this.length++] = 58;
    this.length = writeAscii(this.bytes, this.length, text);
    this.crlf();
  }

  array(count: number): void {
    this.reserve(HEADER_BYTES_MAX);
    this.header(ReplyType.ARRAY, count);
  }

  /** A map of `count` pairs; RESP2 sees an array of twice as many. */
  map(count: number): void {
    this.reserve(HEADER_BYTES_MAX);
    if (this.resp3) this.header(ReplyType.MAP, count);
    else this.header(ReplyType.ARRAY, count * 2);
  }

  set(count: number): void {
    this.reserve(HEADER_BYTES_MAX);
    this.header(this.resp3 ? ReplyType.SET : ReplyType.ARRAY, count);
  }

  push(count: number): void {
    this.reserve(HEADER_BYTES_MAX);
    this.header(this.resp3 ? ReplyType.PUSH : ReplyType.ARRAY, count);
  }

  /** Attributes before a reply. Requires: RESP3. */
  attribute(count: number): void {
    this.reserve(HEADER_BYTES_MAX);
    this.header(ReplyType.ATTRIBUTE, count);
  }

  /** The mark of a header whose count is not known yet; `setDeferred` puts it in. */
  deferLength(): number {
    return this.length;
  }

  /**
   * Puts the header of `count` elements (pairs, of a map) at `mark`, in front of what was written
   * since. Requires: an aggregate type; marks further on have theirs already. O(bytes since).
   */
  setDeferred(mark: number, type: ReplyType, count: number): void {
    this.reserve(HEADER_BYTES_MAX);
    if (this.overflowed) return;
    const end = this.length;
    const isFlatMap = type === ReplyType.MAP && !this.resp3;
    const shown = isFlatMap ? count * 2 : count;
    const shownType = this.resp3 ? type : ReplyType.ARRAY;
    // Written behind the rest first, to see how long it is.
    this.header(shownType, shown);
    const headerBytes = this.length - end;
    this.bytes.copyWithin(mark + headerBytes, mark, end);
    this.length = mark;
    this.header(shownType, shown);
    this.length = end + headerBytes;
  }

  /** Bytes that are already encoded as RESP. */
  raw(bytes: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    this.bytes.set(bytes.subarray(start, end), this.length);
    this.length += end - start;
  }

  private header(type: ReplyType, count: number): void {
    const { view, length: at } = this;
    if (count >= 0 && count < 10) {
      view.setInt32(at, type | ((DIGIT_0 + count) << 8) | (CRLF << 16), true);
      this.length = at + 4;
    } else if (count >= 10 && count < 100) {
      const tens = (count / 10) | 0;
      const ones = count - tens * 10;
      view.setInt32(at, type | ((DIGIT_0 + tens) << 8) | ((DIGIT_0 + ones) << 16), true);
      view.setInt16(at + 3, CRLF, true);
      this.length = at + 5;
    } else {
      view.setUint8(at, type);
      this.length = writeInteger(this.bytes, at + 1, count);
      this.crlf();
    }
  }

  private crlf(): void {
    this.view.setInt16(this.length, CRLF, true);
    this.length += 2;
  }

  private grow(count: number): void {
    if (this.overflowed || this.length + count > this.limit) this.giveUp();
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(Math.min(this.bytes.length * 2, this.limit), needed));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** COLD: drops what was written, and makes room by it. */
  private giveUp(): void {
    this.length = 0;
    if (this.overflowed) return;
    this.overflowed = true;
    this.onOverflow?.();
  }
}
