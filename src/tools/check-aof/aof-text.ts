/**
 * A file of commands, read as the checker wants it: by lines and byte counts, with the position of
 * each, as C's stdio would. A window of the file is in memory; what is only skipped is not read.
 */
import type { FileSystem } from "../../base/file-system.ts";

const WINDOW_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export class AofText {
  /** Where the next read begins. */
  position = 0;
  readonly size: number;
  /** Whether a read met the end of the file. */
  isAtEnd = false;

  private readonly window = new Uint8Array(WINDOW_BYTES);
  private windowAt = 0;
  private windowLength = 0;

  constructor(
    private readonly files: FileSystem,
    private readonly file: number,
  ) {
    this.size = files.size(file);
  }

  /** The next byte, which is not consumed; -1 at the end. */
  peek(): number {
    if (!this.load(this.position)) {
      this.isAtEnd = true;
      return -1;
    }
    return this.window[this.position - this.windowAt];
  }

  /**
   * Up to `max` - 1 bytes, through the next newline, one character per byte; null at the end of
   * the file.
   */
  line(max: number): string | null {
    let text = "";
    while (text.length < max - 1) {
      const byte = this.peek();
      if (byte < 0) break;
      this.position++;
      text += String.fromCharCode(byte);
      if (byte === NEWLINE) return text;
    }
    return text === "" ? null : text;
  }

  /** Up to `count` bytes, of which at most `keep` are returned and the others skipped. */
  bytes(count: number, keep: number): string {
    const available = Math.min(count, this.size - this.position);
    if (available < count) this.isAtEnd = true;
    const end = this.position + available;
    let text = "";
    while (this.position < end && text.length < keep) {
      if (!this.load(this.position)) break;
      text += String.fromCharCode(this.window[this.position - this.windowAt]);
      this.position++;
    }
    this.position = end;
    return text;
  }

  /** Gets the byte at `position` into the window; false behind the end. */
  private load(position: number): boolean {
    const { windowAt, windowLength } = this;
    if (position >= windowAt && position < windowAt + windowLength) return true;
    if (position >= this.size) return false;
    this.windowAt = position;
    this.windowLength = this.files.read(this.file, this.window, 0, WINDOW_BYTES, position);
    return this.windowLength > 0;
  }
}
