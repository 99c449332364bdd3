// HOT PATH: rules in src/README.md
/**
 * The log of changes: every command that changed the data, as RESP, in the order of execution. It
 * is encoded here once; the append-only file and replicas take the same bytes.
 *
 *     [SELECT n]? command                             one command
 *     MULTI [SELECT n]? command command ... EXEC      several that belong together
 *
 * A unit is what must never be seen half: one command with all that it leads to, a transaction, one
 * waiting request that was served. Its commands are written as they come; when a second one comes,
 * MULTI is put in front of the first.
 *
 * Invariants
 *  1. Outside of a unit, `length` is at the end of a complete command or transaction.
 *  2. Whoever reads the bytes from their beginning ends with database `selected` chosen.
 *
 * O(bytes written); the first two commands of a unit may be moved once.
 */
import { writeAscii } from "../base/ascii.ts";
import { copyBytes } from "../base/bytes.ts";
import { decimalLength, writeBigInt, writeInteger } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";

const CAPACITY_AT_FIRST = 64 * 1024;
/** An empty buffer above this is replaced by a small one. */
const CAPACITY_KEPT = 4 * 1024 * 1024;
/** "*" or "$", digits, CRLF. */
const HEADER_BYTES_MAX = 24;
const CRLF = 0x0a0d;
const STAR = 42;
const DOLLAR = 36;
const MULTI = "*1\r\n$5\r\nMULTI\r\n";
const EXEC = "*1\r\n$4\r\nEXEC\r\n";
const NOT_SELECTED = -1;
const NO_BYTES = new Uint8Array(0);

export class PropagationLog {
  /** Made with the first command: most servers propagate nothing. */
  bytes: Uint8Array = NO_BYTES;
  /** Bytes written and not yet taken. */
  length = 0;

  private view: DataView = new DataView(this.bytes.buffer);
  private selected = NOT_SELECTED;
  /** Units that are open within each other; only the outermost counts. */
  private depth = 0;
  private unitAt = 0;
  private unitCommands = 0;
  /** Arguments that the command begun last still lacks, and where it begins. */
  private missing = 0;
  private commandAt = 0;

  constructor(
    /** There are bytes to take where there were none. */
    private readonly onFirst: () => void,
  ) {}

  /** Drops what was written: whoever takes it has it. Requires: no unit is open. */
  clear(): void {
    this.drop(this.length);
  }

  /** Bytes at the beginning that are complete commands and transactions. */
  get complete(): number {
    return this.depth === 0 ? this.length : this.unitAt;
  }

  /** Drops the first `count` bytes: whoever takes them has them. Requires: they are complete. */
  drop(count: number): void {
    const rest = this.length - count;
    if (rest > 0) this.bytes.copyWithin(0, count, this.length);
    this.length = rest;
    this.unitAt -= count;
    this.commandAt -= count;
    if (rest === 0 && this.bytes.length > CAPACITY_KEPT) this.replaceBuffer(CAPACITY_AT_FIRST);
  }

  /** The next command says which database it is for: a new reader begins here. */
  forgetSelection(): void {
    this.selected = NOT_SELECTED;
  }

  beginUnit(): void {
    if (this.depth++ !== 0) return;
    this.unitAt = this.length;
    this.unitCommands = 0;
  }

  endUnit(): void {
    if (this.missing !== 0) this.dropIncomplete();
    if (--this.depth !== 0) return;
    if (this.unitCommands > 1) this.ascii(EXEC);
    if (this.unitAt === 0 && this.length !== 0) this.onFirst();
  }

  /** Commands that the open unit has so far. */
  get commandsOfUnit(): number {
    return this.unitCommands;
  }

  /** Begins a command of `count` arguments for a database: as many `argument...` calls follow. */
  command(database: number, count: number): void {
    this.beginCommand(database);
    this.reserve(HEADER_BYTES_MAX);
    this.header(STAR, count);
    this.missing = count;
  }

  /** A request as it came, if a client sent it in RESP; else the same arguments. */
  request(database: number, args: Args): void {
    this.beginCommand(database);
    const { count, start, end } = args;
    let span = headerBytes(count);
    for (let i = 0; i < count; i++) {
      const length = end[i] - start[i];
      span += headerBytes(length) + length + 2;
    }
    const from = end[count - 1] + 2 - span;
    // Only a request in RESP with the shortest headers has this span and begins so.
    if (from >= 0 && from < start[0] && args.bytes[from] === STAR) {
      this.reserve(span);
      copyBytes(this.view, this.length, args.view, from, span);
      this.length += span;
      return;
    }
    this.reserve(HEADER_BYTES_MAX);
    this.header(STAR, count);
    this.missing = count;
    for (let i = 0; i < count; i++) this.argument(args.view, start[i], end[i]);
  }

  argument(view: DataView, start: number, end: number): void {
    const length = end - start;
    this.reserve(HEADER_BYTES_MAX + length + 2);
    this.header(DOLLAR, length);
    copyBytes(this.view, this.length, view, start, length);
    this.length += length;
    this.lineEnd();
    this.missing--;
  }

  argumentText(text: string): void {
    this.reserve(HEADER_BYTES_MAX + text.length + 2);
    this.header(DOLLAR, text.length);
    this.length = writeAscii(this.bytes, this.length, text);
    this.lineEnd();
    this.missing--;
  }

  /** A safe integer. */
  argumentInteger(value: number): void {
    this.reserve(2 * HEADER_BYTES_MAX);
    this.header(DOLLAR, decimalLength(value));
    this.length = writeInteger(this.bytes, this.length, value);
    this.lineEnd();
    this.missing--;
  }

  /** A signed 64-bit integer. */
  argumentBigInt(value: bigint): void {
    this.reserve(2 * HEADER_BYTES_MAX);
    this.header(DOLLAR, value.toString().length);
    this.length = writeBigInt(this.bytes, this.length, value);
    this.lineEnd();
    this.missing--;
  }

  /** The element of a compact structure, as text. */
  argumentEntry(entry: ListpackEntry): void {
    const length = entry.textLength();
    this.reserve(HEADER_BYTES_MAX + length + 2);
    this.header(DOLLAR, length);
    this.length = entry.writeText(this.bytes, this.view, this.length);
    this.lineEnd();
    this.missing--;
  }

  private beginCommand(database: number): void {
    if (DEBUG && (this.depth === 0 || this.missing !== 0)) {
      throw new Error("a command outside of a unit, or within another one");
    }
    this.unitCommands++;
    if (this.unitCommands === 2) this.wrapUnit();
    if (database !== this.selected) {
      this.selected = database;
      this.reserve(4 * HEADER_BYTES_MAX);
      this.ascii("*2\r\n$6\r\nSELECT\r\n");
      this.argumentInteger(database);
      this.missing = 0;
    }
    this.commandAt = this.length;
  }

  /**
   * COLD: drops a command that its handler did not end, because it threw: half of it would make
   * everything behind it unreadable.
   */
  private dropIncomplete(): void {
    if (DEBUG) throw new Error("a command lacks arguments");
    this.length = this.commandAt;
    this.missing = 0;
  }

  /** The unit becomes a transaction: MULTI goes before what it has written. */
  private wrapUnit(): void {
    this.reserve(MULTI.length);
    this.bytes.copyWithin(this.unitAt + MULTI.length, this.unitAt, this.length);
    writeAscii(this.bytes, this.unitAt, MULTI);
    this.length += MULTI.length;
  }

  private header(type: number, value: number): void {
    this.bytes[this.length++] = type;
    this.length = writeInteger(this.bytes, this.length, value);
    this.lineEnd();
  }

  private lineEnd(): void {
    this.view.setUint16(this.length, CRLF, true);
    this.length += 2;
  }

  private ascii(text: string): void {
    this.reserve(text.length);
    this.length = writeAscii(this.bytes, this.length, text);
  }

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    this.replaceBuffer(Math.max(CAPACITY_AT_FIRST, this.bytes.length * 2, this.length + count));
  }

  /** COLD: the log outgrows its buffer, or is empty again after it did. */
  private replaceBuffer(capacity: number): void {
    const bytes = new Uint8Array(capacity);
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

/** Bytes of a header that says `value`. */
function headerBytes(value: number): number {
  return 3 + decimalLength(value);
}
