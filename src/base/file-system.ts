/**
 * Files, as everything that persists data sees them: a narrow interface, so that tests can let any
 * call fail, and one implementation of it over the real file system. All calls are synchronous:
 * who must not wait for the disk makes them in a Worker.
 *
 * Every failing call throws a `FileError` with the system's code and the C library's text for it,
 * which is what Redis puts into its messages. Paths are JavaScript strings.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EBADF: "Bad file descriptor",
  EDQUOT: "Disk quota exceeded",
  EEXIST: "File exists",
  EFBIG: "File too large",
  EIO: "Input/output error",
  EISDIR: "Is a directory",
  EMFILE: "Too many open files",
  ENAMETOOLONG: "File name too long",
  ENOENT: "No such file or directory",
  ENOSPC: "No space left on device",
  ENOTDIR: "Not a directory",
  ENOTEMPTY: "Directory not empty",
  EPERM: "Operation not permitted",
  EROFS: "Read-only file system",
};

/** A file operation that failed; `message` is the C library's text. */
export class FileError extends Error {
  constructor(
    /** The system's name of the error, as "ENOSPC"; "" if it has none. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** An open file is a descriptor: a small integer. */
export type OpenMode = "read" | "write" | "append" | "update";

export interface FileSystem {
  /**
   * Opens a file. "write" empties or creates it, "append" creates it where it is missing and writes
   * at its end, "update" lets an existing file be read, written and truncated.
   */
  open(path: string, mode: OpenMode): number;
  close(file: number): void;
  /** Reads up to `length` bytes at `position` of the file (null: where it stands); 0 at its end. */
  read(
    file: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    position: number | null,
  ): number;
  /** Writes some of bytes[start, start + length) and returns how many; throws if none. */
  write(file: number, bytes: Uint8Array, start: number, length: number): number;
  /** Makes contents and attributes durable. */
  sync(file: number): void;
  /** Makes contents durable, and of the attributes what is needed to read them. */
  syncData(file: number): void;
  truncate(file: number, length: number): void;
  /** Bytes of an open file. */
  size(file: number): number;
  /** Bytes of the file at a path. */
  sizeOf(path: string): number;
  exists(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Names in a directory, in no order. */
  list(path: string): string[];
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  /** Removes a file; missing is fine. */
  remove(path: string): void;
  /** Makes the names in a directory durable; without effect where a system cannot. */
  syncDirectory(path: string): void;
}

const FLAGS: Readonly<Record<OpenMode, string>> = {
  read: "r",
  write: "w",
  append: "a",
  update: "r+",
};
const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;

/** The real file system. Holds no state. */
export const systemFiles: FileSystem = {
  open: (path, mode) => guarded(() => openSync(path, FLAGS[mode], FILE_MODE)),
  close: (file) => guarded(() => closeSync(file)),
  read: (file, bytes, start, length, position) =>
    guarded(() => readSync(file, bytes, start, length, position)),
  write: (file, bytes, start, length) => guarded(() => writeSync(file, bytes, start, length)),
  sync: (file) => guarded(() => fsyncSync(file)),
  syncData: (file) => guarded(() => fdatasyncSync(file)),
  truncate: (file, length) => guarded(() => ftruncateSync(file, length)),
  size: (file) => guarded(() => fstatSync(file).size),
  sizeOf: (path) => guarded(() => statSync(path).size),
  exists: (path) => existsSync(path),
  isDirectory: (path) =>
    guarded(() => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false),
  list: (path) => guarded(() => readdirSync(path)),
  makeDirectory: (path) => guarded(() => mkdirSync(path, { mode: DIRECTORY_MODE })),
  rename: (from, to) => guarded(() => renameSync(from, to)),
  remove: (path) => guarded(() => rmSync(path, { force: true })),
  syncDirectory(path) {
    let file: number;
    try {
      file = openSync(path, "r");
    } catch {
      // Windows does not open directories; it keeps names durable by itself.
      return;
    }
    try {
      fsyncSync(file);
    } catch {
      // Some file systems do not sync directories.
    } finally {
      closeSync(file);
    }
  },
};

/** Writes all of bytes[start, end), however little the system takes at a time. */
export function writeAll(
  files: FileSystem,
  file: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  for (let at = start; at < end;) at += files.write(file, bytes, at, end - at);
}

function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fileError(error);
  }
}

/** The error of a failed system call, in the words of the C library. */
export function fileError(error: unknown): FileError {
  if (error instanceof FileError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return new FileError(code, TEXTS[code] ?? (error instanceof Error ? error.message : ""));
}
