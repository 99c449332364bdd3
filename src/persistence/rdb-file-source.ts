/** Where RDB files are read from: an open file, or bytes in memory. */
import type { FileSystem } from "../base/file-system.ts";
import type { RdbSource } from "./rdb-reader.ts";

/** The contents of an open file, from where it stands to the end it has now. */
export class FileSource implements RdbSource {
  remaining: number;

  /** Requires: the file stands at `offset`. */
  constructor(
    private readonly files: FileSystem,
    private readonly file: number,
    offset = 0,
  ) {
    this.remaining = Math.max(0, files.size(file) - offset);
  }

  read(bytes: Uint8Array, start: number, length: number): number {
    const wanted = Math.min(length, this.remaining);
    if (wanted === 0) return 0;
    const count = this.files.read(this.file, bytes, start, wanted, null);
    this.remaining = count === 0 ? 0 : this.remaining - count;
    return count;
  }
}

/** Bytes in memory. */
export class MemorySource implements RdbSource {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  read(bytes: Uint8Array, start: number, length: number): number {
    const count = Math.min(length, this.remaining);
    bytes.set(this.bytes.subarray(this.at, this.at + count), start);
    this.at += count;
    return count;
  }
}
