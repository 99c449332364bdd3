// HOT PATH: rules in src/README.md
/**
 * IDs of stream entries: a time in milliseconds and a sequence number, 64 bits each, unsigned.
 *
 *     StreamId   msHigh | msLow | seqHigh | seqLow       four words, as int32
 *     in memory  the same four words at 4-byte alignment, little-endian
 *     text       <ms>-<seq>
 *
 * Why words and no bigint: IDs are compared on every step of every search, and a bigint allocates.
 *
 * All operations are O(1).
 */
import {
  decimalLength,
  parseUint64,
  parseUnsigned,
  writeBigInt,
  writeInteger,
} from "../base/integer.ts";

/** Words of an ID in memory. */
export const ID_WORDS = 4;
export const ID_BYTES = 16;
/** Characters of the longest ID: two numbers of 20 digits and a hyphen. */
export const ID_TEXT_BYTES_MAX = 41;

const TWO_TO_32 = 4294967296;
/** Bit 31: flipping it turns the order of unsigned words into that of signed ones. */
const SIGN = -0x80000000;
/** High words below this make a safe integer with any low word. */
const SAFE_HIGH_END = 0x200000;
const PARSED_BYTES_MAX = 127;
const HYPHEN = 0x2d;
const PLUS = 0x2b;
const ASTERISK = 0x2a;

/** What an ID that is parsed may look like. */
export const enum IdForm {
  /** `-` and `+` are the smallest and the largest ID. */
  RANGE = 1,
  /** A missing sequence number is the largest one, not 0. */
  MISSING_IS_MAX = 2,
  /** `<ms>-*` leaves the sequence number open. */
  OPEN_SEQUENCE = 4,
}

export const enum IdParse {
  INVALID = 0,
  COMPLETE = 1,
  /** The sequence number was left open; it is 0 in the ID. */
  OPEN = 2,
}

export class StreamId {
  msHigh = 0;
  msLow = 0;
  seqHigh = 0;
  seqLow = 0;

  copy(other: StreamId): void {
    this.msHigh = other.msHigh;
    this.msLow = other.msLow;
    this.seqHigh = other.seqHigh;
    this.seqLow = other.seqLow;
  }

  setMin(): void {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = 0;
  }

  setMax(): void {
    this.msHigh = this.msLow = this.seqHigh = this.seqLow = -1;
  }

  /** The first ID of a millisecond. */
  setTime(ms: number): void {
    this.msHigh = (ms / TWO_TO_32) | 0;
    this.msLow = ms | 0;
    this.seqHigh = this.seqLow = 0;
  }

  isZero(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0;
  }

  isMax(): boolean {
    return (this.msHigh & this.msLow & this.seqHigh & this.seqLow) === -1;
  }

  hasMaxSequence(): boolean {
    return (this.seqHigh & this.seqLow) === -1;
  }

  hasTimeOf(other: StreamId): boolean {
    return this.msHigh === other.msHigh && this.msLow === other.msLow;
  }

  equals(other: StreamId): boolean {
    return (
      this.msLow === other.msLow &&
      this.seqLow === other.seqLow &&
      this.msHigh === other.msHigh &&
      this.seqHigh === other.seqHigh
    );
  }

  /** Negative, zero or positive. */
  compare(other: StreamId): number {
    if (this.msHigh !== other.msHigh) return order(this.msHigh, other.msHigh);
    if (this.msLow !== other.msLow) return order(this.msLow, other.msLow);
    if (this.seqHigh !== other.seqHigh) return order(this.seqHigh, other.seqHigh);
    return this.seqLow === other.seqLow ? 0 : order(this.seqLow, other.seqLow);
  }

  /** `compare` with the ID that lies at `at` of `words`. */
  compareAt(words: Int32Array, at: number): number {
    if (this.msHigh !== words[at]) return order(this.msHigh, words[at]);
    if (this.msLow !== words[at + 1]) return order(this.msLow, words[at + 1]);
    if (this.seqHigh !== words[at + 2]) return order(this.seqHigh, words[at + 2]);
    return this.seqLow === words[at + 3] ? 0 : order(this.seqLow, words[at + 3]);
  }

  read(words: Int32Array, at: number): void {
    this.msHigh = words[at];
    this.msLow = words[at + 1];
    this.seqHigh = words[at + 2];
    this.seqLow = words[at + 3];
  }

  write(words: Int32Array, at: number): void {
    words[at] = this.msHigh;
    words[at + 1] = this.msLow;
    words[at + 2] = this.seqHigh;
    words[at + 3] = this.seqLow;
  }

  /** The next ID; false, and 0-0, if this was the largest. */
  increment(): boolean {
    this.seqLow = (this.seqLow + 1) | 0;
    if (this.seqLow !== 0) return true;
    this.seqHigh = (this.seqHigh + 1) | 0;
    if (this.seqHigh !== 0) return true;
    this.msLow = (this.msLow + 1) | 0;
    if (this.msLow !== 0) return true;
    this.msHigh = (this.msHigh + 1) | 0;
    return this.msHigh !== 0;
  }

  /** The ID before; false, and the largest, if this was 0-0. */
  decrement(): boolean {
    const wasZero = this.isZero();
    this.seqLow = (this.seqLow - 1) | 0;
    if (this.seqLow !== -1) return true;
    this.seqHigh = (this.seqHigh - 1) | 0;
    if (this.seqHigh !== -1) return true;
    this.msLow = (this.msLow - 1) | 0;
    if (this.msLow !== -1) return true;
    this.msHigh = (this.msHigh - 1) | 0;
    return !wasZero;
  }

  /** Adds a signed 64-bit number to the time, modulo 2^64. */
  addTime(high: number, low: number): void {
    const sum = (this.msLow >>> 0) + (low >>> 0);
    this.msLow = sum | 0;
    this.msHigh = (this.msHigh + high + (sum >= TWO_TO_32 ? 1 : 0)) | 0;
  }

  /** Adds a signed 64-bit number to the sequence number, modulo 2^64. */
  addSequence(high: number, low: number): void {
    const sum = (this.seqLow >>> 0) + (low >>> 0);
    this.seqLow = sum | 0;
    this.seqHigh = (this.seqHigh + high + (sum >= TWO_TO_32 ? 1 : 0)) | 0;
  }

  /** Writes the ID's text and returns the offset behind it. */
  writeText(bytes: Uint8Array, at: number): number {
    const hyphenAt = writeWords(bytes, at, this.msHigh, this.msLow);
    bytes[hyphenAt] = HYPHEN;
    return writeWords(bytes, hyphenAt + 1, this.seqHigh, this.seqLow);
  }

  /** How many bytes `writeText` writes. */
  textLength(): number {
    return wordsLength(this.msHigh, this.msLow) + 1 + wordsLength(this.seqHigh, this.seqLow);
  }

  /** Takes the ID in bytes[start, end), of the given `IdForm`s. Changed at random if invalid. */
  parse(bytes: Uint8Array, start: number, end: number, forms: number): IdParse {
    if (end - start > PARSED_BYTES_MAX) return IdParse.INVALID;
    let hyphenAt = -1;
    let stop = start;
    // C strings: a NUL ends the text.
    for (; stop < end && bytes[stop] !== 0; stop++) {
      if (hyphenAt < 0 && bytes[stop] === HYPHEN) hyphenAt = stop;
    }
    if (stop === start + 1 && (bytes[start] === HYPHEN || bytes[start] === PLUS)) {
      if ((forms & IdForm.RANGE) === 0) return IdParse.INVALID;
      if (bytes[start] === HYPHEN) this.setMin();
      else this.setMax();
      return IdParse.COMPLETE;
    }
    if (!this.parseTime(bytes, start, hyphenAt < 0 ? stop : hyphenAt)) return IdParse.INVALID;
    if (hyphenAt < 0) {
      this.seqHigh = this.seqLow = (forms & IdForm.MISSING_IS_MAX) !== 0 ? -1 : 0;
      return IdParse.COMPLETE;
    }
    const isOpen = stop === hyphenAt + 2 && bytes[stop - 1] === ASTERISK;
    if (isOpen && (forms & IdForm.OPEN_SEQUENCE) !== 0) {
      this.seqHigh = this.seqLow = 0;
      return IdParse.OPEN;
    }
    return this.parseSequence(bytes, hyphenAt + 1, stop) ? IdParse.COMPLETE : IdParse.INVALID;
  }

  private parseTime(bytes: Uint8Array, start: number, end: number): boolean {
    const small = parseUnsigned(bytes, start, end);
    if (small === small) {
      this.msHigh = (small / TWO_TO_32) | 0;
      this.msLow = small | 0;
      return true;
    }
    const large = parseUint64(bytes, start, end);
    if (large === null) return false;
    this.msHigh = Number(BigInt.asIntN(32, large >> 32n));
    this.msLow = Number(BigInt.asIntN(32, large));
    return true;
  }

  private parseSequence(bytes: Uint8Array, start: number, end: number): boolean {
    const small = parseUnsigned(bytes, start, end);
    if (small === small) {
      this.seqHigh = (small / TWO_TO_32) | 0;
      this.seqLow = small | 0;
      return true;
    }
    const large = parseUint64(bytes, start, end);
    if (large === null) return false;
    this.seqHigh = Number(BigInt.asIntN(32, large >> 32n));
    this.seqLow = Number(BigInt.asIntN(32, large));
    return true;
  }
}

/** The texts of IDs, one after the other. In a row they are often of one millisecond: its text stays. */
export class StreamIdText {
  /** The text written last: from the beginning of the bytes. */
  readonly bytes = new Uint8Array(ID_TEXT_BYTES_MAX);
  readonly view = new DataView(this.bytes.buffer);

  /** The time whose text, with the hyphen, is in the bytes before `sequenceAt`. */
  private msHigh = 0;
  private msLow = 0;
  private sequenceAt = 0;

  /** Writes the ID's text, and returns its length. */
  write(id: StreamId): number {
    if (id.msLow !== this.msLow || id.msHigh !== this.msHigh || this.sequenceAt === 0) {
      this.msHigh = id.msHigh;
      this.msLow = id.msLow;
      const hyphenAt = writeWords(this.bytes, 0, id.msHigh, id.msLow);
      this.bytes[hyphenAt] = HYPHEN;
      this.sequenceAt = hyphenAt + 1;
    }
    return writeWords(this.bytes, this.sequenceAt, id.seqHigh, id.seqLow);
  }
}

/** The order of two different words as unsigned numbers. */
function order(a: number, b: number): number {
  return (a ^ SIGN) < (b ^ SIGN) ? -1 : 1;
}

function writeWords(bytes: Uint8Array, at: number, high: number, low: number): number {
  if (high === 0 && low >= 0) return writeInteger(bytes, at, low);
  if (high >>> 0 < SAFE_HIGH_END) return writeInteger(bytes, at, high * TWO_TO_32 + (low >>> 0));
  return writeBigInt(bytes, at, bigintOf(high, low));
}

/** COLD: only digests want the length, and numbers that long are rare. */
function wordsLength(high: number, low: number): number {
  if (high >>> 0 < SAFE_HIGH_END) return decimalLength(high * TWO_TO_32 + (low >>> 0));
  return String(bigintOf(high, low)).length;
}

function bigintOf(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
