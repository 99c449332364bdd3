/** A snapshot's output in memory: the file that the spans make. */
import type { FileSystem } from "../../src/base/file-system.ts";
import type { SnapshotOutput } from "../../src/persistence/snapshot-encoder.ts";
import { SnapshotSink } from "../../src/persistence/snapshot-sink.ts";
import { concatBytes } from "./resp-client.ts";

const SETTINGS = {
  temporary: "temporary",
  target: "target",
  directory: ".",
  compresses: true,
  checksums: true,
  syncsAlong: true,
};

export class SnapshotMemory implements SnapshotOutput {
  private readonly pieces: Uint8Array[] = [];
  private readonly sink = new SnapshotSink(this.files(), SETTINGS);

  take(bytes: Uint8Array, start: number, end: number): number {
    // Cut anywhere, as a ring does.
    const middle = start + Math.floor((end - start) / 3);
    this.sink.feed(bytes, start, middle);
    this.sink.feed(bytes, middle, end);
    return end - start;
  }

  /** The file. Requires: the snapshot is complete. */
  file(): Uint8Array {
    this.sink.finish();
    return concatBytes(this.pieces);
  }

  private files(): FileSystem {
    const refuse = (): never => {
      throw new Error("not expected");
    };
    const accept = (): void => {};
    return {
      open: () => 1,
      close: accept,
      read: refuse,
      write: (_file, bytes, start, length) => {
        this.pieces.push(bytes.slice(start, start + length));
        return length;
      },
      sync: accept,
      syncData: accept,
      truncate: refuse,
      size: refuse,
      sizeOf: refuse,
      exists: () => true,
      isDirectory: () => false,
      list: refuse,
      makeDirectory: refuse,
      rename: accept,
      remove: accept,
      syncDirectory: accept,
    };
  }
}
