/**
 * What can take long on a slow disk and nobody has to wait for: the runtime's pool of threads does
 * it. As in base/file-system.ts, errors have the C library's words, and tests let any call fail.
 *
 * Why no Worker of our own: it would cost a second JavaScript heap, for calls that need none.
 */
import { close, fdatasync, openSync, rmSync } from "node:fs";
import { type FileError, fileError } from "./file-system.ts";

export interface BackgroundFiles {
  /** Makes an open file's contents durable. */
  syncData(file: number, done: (error: FileError | null) => void): void;
  close(file: number): void;
  /** Removes a file at once and frees its blocks, which takes long, later. Missing is fine. */
  remove(path: string): void;
}

/** The real file system. Holds no state. */
export const systemBackgroundFiles: BackgroundFiles = {
  syncData(file, done) {
    fdatasync(file, (error) => done(error === null ? null : fileError(error)));
  },
  close(file) {
    close(file, () => {});
  },
  remove(path) {
    let file = -1;
    try {
      // While a file is open, its blocks stay.
      file = openSync(path, "r");
    } catch {
      // It is missing, or its blocks are freed at once.
    }
    try {
      rmSync(path, { force: true });
    } catch {
      // It stays, and is in nobody's way.
    }
    if (file >= 0) close(file, () => {});
  },
};
