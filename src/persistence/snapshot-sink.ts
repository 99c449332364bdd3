/**
 * Makes the file of a snapshot's spans (rdb-writer.ts): compresses, counts, checksums and writes.
 * It runs in the thread of whoever feeds it, or in a Worker (snapshot-worker.ts).
 *
 *     feed     spans, cut anywhere → the file's bytes, in an output buffer
 *     finish   the checksum, fsync, rename over the target, fsync of the directory
 *
 * The file has another name until it is complete, so a reader sees the old one or the new one,
 * whatever happens in between. Every call throws a FileError when the system refuses, and `stage`
 * says what was being done; then `abandon` removes what there is. O(bytes).
 */
import { Crc64 } from "../base/crc64.ts";
import { type FileSystem, writeAll } from "../base/file-system.ts";
import { RdbWriter, SPAN_DEFERRED, SPAN_HEADER_BYTES } from "./rdb-writer.ts";

const WRITE_BYTES = 256 * 1024;
const SYNC_BYTES = 4 * 1024 * 1024;
const CHECKSUM_BYTES = 8;

/** What a sink does: the steps in which saving can fail. */
export const enum SinkStage {
  OPEN = 0,
  WRITE = 1,
  SYNC = 2,
  CLOSE = 3,
  RENAME = 4,
  SYNC_DIRECTORY = 5,
}

export interface SinkSettings {
  /** Where the file is made. */
  readonly temporary: string;
  /** What it becomes, and the directory of both; null: it keeps its name. */
  readonly target: string | null;
  readonly directory: string;
  /** rdbcompression */
  readonly compresses: boolean;
  /** rdbchecksum: without it, zeros stand in the checksum's place. */
  readonly checksums: boolean;
  /** Whether the file is of commands, and so ends without a checksum. */
  readonly isPlain?: boolean;
  /** rdb-save-incremental-fsync */
  readonly syncsAlong: boolean;
}

export class SnapshotSink {
  /** Bytes of the file so far. */
  written = 0;
  stage: SinkStage = SinkStage.OPEN;

  private file = -1;
  private syncedAt = 0;
  private readonly checksum = new Crc64();
  private readonly writer = new RdbWriter();
  /** The header of a span that was cut, and how much of it has come. */
  private readonly header = new Uint8Array(SPAN_HEADER_BYTES);
  private readonly headerView = new DataView(this.header.buffer);
  private headerBytes = 0;
  /** What is missing of the current span, and whether it is a string's text. */
  private spanLeft = 0;
  private isDeferred = false;
  /** The text of a string that was cut. */
  private text = new Uint8Array(0);
  private textBytes = 0;

  constructor(
    private readonly files: FileSystem,
    private readonly settings: SinkSettings,
  ) {
    this.writer.compresses = settings.compresses;
  }

  /** Makes the temporary file. */
  open(): void {
    this.file = this.files.open(this.settings.temporary, "write");
    this.stage = SinkStage.WRITE;
  }

  /** Takes bytes[start, end) of the spans. */
  feed(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end;) {
      if (this.spanLeft === 0 && this.headerBytes === 0) at = this.readWhole(bytes, at, end);
      if (at >= end) return;
      if (this.spanLeft === 0) at = this.readHeader(bytes, at, end);
      else at = this.readSpan(bytes, at, end);
      if (this.writer.length >= WRITE_BYTES) this.writeOut();
    }
  }

  /** The file is complete. Returns its size. */
  finish(): number {
    const { files, settings } = this;
    if (this.spanLeft !== 0 || this.headerBytes !== 0) throw new Error("a span is incomplete");
    this.writeOut();
    if (settings.isPlain !== true) this.writeChecksum();
    this.stage = SinkStage.SYNC;
    files.sync(this.file);
    this.stage = SinkStage.CLOSE;
    const { file } = this;
    this.file = -1;
    files.close(file);
    if (settings.target === null) return this.written;
    this.stage = SinkStage.RENAME;
    files.rename(settings.temporary, settings.target);
    this.stage = SinkStage.SYNC_DIRECTORY;
    files.syncDirectory(settings.directory);
    return this.written;
  }

  private writeChecksum(): void {
    const footer = new Uint8Array(CHECKSUM_BYTES);
    if (this.settings.checksums) this.checksum.write(footer, 0);
    writeAll(this.files, this.file, footer, 0, CHECKSUM_BYTES);
    this.written += CHECKSUM_BYTES;
  }

  /** Gives the file up and removes it. Never throws. */
  abandon(): void {
    const { files, file, settings } = this;
    this.file = -1;
    try {
      if (file >= 0) files.close(file);
    } catch {
      // The descriptor is gone in any case.
    }
    try {
      files.remove(settings.temporary);
    } catch {
      // Whatever keeps it there, nobody takes it for a snapshot.
    }
  }

  /** The spans that are there as a whole, which most are. Returns where the first other begins. */
  private readWhole(bytes: Uint8Array, start: number, end: number): number {
    const { writer } = this;
    let at = start;
    while (at + SPAN_HEADER_BYTES <= end) {
      const from = at + SPAN_HEADER_BYTES;
      const header =
        bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
      const to = from + (header & ~SPAN_DEFERRED);
      if (to > end) return at;
      if (header < 0) writer.string(bytes, from, to);
      else writer.raw(bytes, from, to);
      if (writer.length >= WRITE_BYTES) this.writeOut();
      at = to;
    }
    return at;
  }

  private readHeader(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.headerBytes < SPAN_HEADER_BYTES) {
      this.header[this.headerBytes++] = bytes[at++];
    }
    if (this.headerBytes < SPAN_HEADER_BYTES) return at;
    this.headerBytes = 0;
    const header = this.headerView.getUint32(0, true);
    this.isDeferred = header >= SPAN_DEFERRED;
    this.spanLeft = this.isDeferred ? header - SPAN_DEFERRED : header;
    this.textBytes = 0;
    return at;
  }

  private readSpan(bytes: Uint8Array, start: number, end: number): number {
    const { writer } = this;
    const count = Math.min(this.spanLeft, end - start);
    this.spanLeft -= count;
    if (!this.isDeferred) {
      writer.raw(bytes, start, start + count);
    } else if (this.spanLeft === 0 && this.textBytes === 0) {
      writer.string(bytes, start, start + count);
    } else {
      this.keepText(bytes, start, count);
      if (this.spanLeft === 0) writer.string(this.text, 0, this.textBytes);
    }
    return start + count;
  }

  private keepText(bytes: Uint8Array, start: number, count: number): void {
    const length = this.textBytes + count + this.spanLeft;
    if (this.text.length < length) {
      const text = new Uint8Array(length);
      text.set(this.text.subarray(0, this.textBytes));
      this.text = text;
    }
    this.text.set(bytes.subarray(start, start + count), this.textBytes);
    this.textBytes += count;
  }

  private writeOut(): void {
    const { writer, files, settings } = this;
    if (settings.checksums) this.checksum.update(writer.bytes, 0, writer.length);
    writeAll(files, this.file, writer.bytes, 0, writer.length);
    this.written += writer.length;
    writer.clear();
    if (!settings.syncsAlong || this.written - this.syncedAt < SYNC_BYTES) return;
    this.syncedAt = this.written;
    this.stage = SinkStage.SYNC;
    files.syncData(this.file);
    this.stage = SinkStage.WRITE;
  }
}
