// HOT PATH: rules in src/README.md
/**
 * Reads the commands of an append-only file, a batch at a time.
 *
 *     buffer    [ done | requests of the batch | cut request | room ]      `base` is its offset
 *
 * Annotations ("#TS:1628217470") stand between commands and are passed over. A command that the
 * buffer cuts is moved to its front and read again with what follows; the buffer grows to a large
 * command, but never beyond what the file still holds, whatever lengths it announces.
 *
 * O(bytes of the file).
 */
import type { FileSystem } from "../base/file-system.ts";
import { BATCH_MAX, ParseStatus, RequestParser } from "../protocol/request-parser.ts";

const BUFFER_BYTES = 256 * 1024;
/** The buffer's limit, which offsets of 32 bits set. */
const BUFFER_BYTES_MAX = 2 ** 31 - 2 ** 20;
const HASH = 0x23;
const NEWLINE = 0x0a;

export const enum AofRead {
  /** The parser's batch holds commands. */
  COMMANDS = 0,
  /** The file ends behind a command. */
  END = 1,
  /** The file ends within a command. */
  CUT = 2,
  /** What stands at `offset` is no command. */
  BROKEN = 3,
}

export class AofReader {
  readonly parser = new RequestParser();
  /** Bytes of the file when it was opened. */
  readonly size: number;

  private bytes = new Uint8Array(BUFFER_BYTES);
  private view = new DataView(this.bytes.buffer);
  /** Offset in the file of the buffer's first byte. */
  private base: number;
  private at = 0;
  private end = 0;

  constructor(
    private readonly files: FileSystem,
    private readonly file: number,
    from: number,
  ) {
    this.size = files.size(file);
    this.base = from;
    this.parser.strict = true;
    this.parser.bulkMax = BUFFER_BYTES_MAX;
  }

  /** Where the next read begins: behind all commands that were read. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Where command `index` of the batch ends. */
  endOf(index: number): number {
    return this.base + this.parser.ends[index];
  }

  /** Reads some commands into the parser's batch. The one before is not valid any more. */
  next(): AofRead {
    const { parser } = this;
    for (;;) {
      if (this.at === this.end && !this.fill(0)) return AofRead.END;
      if (this.bytes[this.at] === HASH) {
        this.passLine();
        continue;
      }
      parser.begin(this.bytes, this.view, this.at, this.end);
      const status = parser.nextBatch(BATCH_MAX);
      if (parser.batchCount > 0) {
        this.at = parser.requestAt;
        return AofRead.COMMANDS;
      }
      if (status === ParseStatus.BROKEN) return AofRead.BROKEN;
      if (!this.fill(parser.bytesNeeded())) return AofRead.CUT;
    }
  }

  /** Passes over an annotation. One that the file's end cuts is as good as none. */
  private passLine(): void {
    for (;;) {
      const newline = this.bytes.indexOf(NEWLINE, this.at);
      if (newline >= 0 && newline < this.end) {
        this.at = newline + 1;
        return;
      }
      this.at = this.end;
      if (!this.fill(0)) return;
    }
  }

  /**
   * Reads on behind what is not used up, which is at least `needed` bytes then. False if the file
   * does not hold so many.
   */
  private fill(needed: number): boolean {
    const rest = this.end - this.at;
    const offset = this.base + this.end;
    if (offset >= this.size || this.offset + needed > this.size) return false;
    const capacity = Math.max(needed, rest * 2);
    if (capacity > this.bytes.length) this.grow(capacity);
    else this.bytes.copyWithin(0, this.at, this.end);
    this.base += this.at;
    this.at = 0;
    this.end = rest;
    const count = this.files.read(this.file, this.bytes, rest, this.bytes.length - rest, offset);
    this.end += count;
    return count > 0;
  }

  /** COLD: for a command that is larger than the buffer. */
  private grow(capacity: number): void {
    if (capacity > BUFFER_BYTES_MAX) throw new RangeError("a command exceeds 2 GB");
    const bytes = new Uint8Array(capacity);
    bytes.set(this.bytes.subarray(this.at, this.end));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
