/**
 * The machine, as the server sees it: implemented by main.ts for a real process, so that nothing
 * below it reads `process` or the file system. Paths and texts are plain strings.
 */
import type { BackgroundFiles } from "../base/background-files.ts";
import type { FileSystem } from "../base/file-system.ts";
import type { StartSnapshotWorker } from "../persistence/snapshot-channel.ts";
import type { ConfigFiles } from "../runtime/config/config-file.ts";
import type { ConfigHost } from "../runtime/config/config.ts";

export interface ProcessMemory {
  residentBytes: number;
  heapBytes: number;
  heapCapacityBytes: number;
}

export interface Host extends Omit<ConfigHost, "warn"> {
  readonly pid: number;
  readonly executable: string;
  readonly platform: string;
  readonly totalMemoryBytes: number;
  /** How many files may be open at once; Infinity = unknown. */
  readonly openFilesMax: number;
  readonly files: ConfigFiles;
  /** Where data are kept. Relative paths begin in the configured directory. */
  readonly fileSystem: FileSystem;
  readonly backgroundFiles: BackgroundFiles;
  /** Starts a Worker of persistence/snapshot-worker.ts; where it is missing, there are no threads. */
  readonly startSnapshotWorker?: StartSnapshotWorker;
  /** Writes to standard output, unbuffered. */
  print(text: string): void;
  /** Opens a log file for appending: its writer, or the system's error text. */
  openLog(path: string): { write(text: string): void } | { error: string };
  /** Replaces a file's contents atomically (temporary file, fsync, rename). Error text or null. */
  replaceFile(path: string, text: string): string | null;
  /** Removes a file if it exists. */
  removeFile(path: string): void;
  setFileMode(path: string, mode: number): void;
  memory(): ProcessMemory;
  /** CPU seconds of the process. */
  cpu(): { userSeconds: number; systemSeconds: number };
  /** CPU microseconds of the thread that serves. */
  threadCpuUs(): number;
  /** Much work is to follow: from now on the engine may take time to make it fast. */
  expectWork(): void;
  /** Asks for a collection, which runs beside the server's work. */
  collectGarbage(): void;
  /** Blocks the thread, for fractions of a millisecond too. */
  sleepMs(ms: number): void;
  exit(code: number): void;
  /** Ends the process as a crash would. */
  abort(): void;
}
