/**
 * Files in memory, any call of which a test lets fail; and what the background would do with them,
 * done when the test says so.
 */
import type { BackgroundFiles } from "../../src/base/background-files.ts";
import { FileError, type FileSystem, type OpenMode } from "../../src/base/file-system.ts";

interface OpenFile {
  /** Null once the file has lost its name. */
  path: string | null;
  readonly mode: OpenMode;
  position: number;
  /** What is in it without a name. */
  nameless: Uint8Array;
}

export class MemoryFiles implements FileSystem {
  readonly contents = new Map<string, Uint8Array>();
  /** What of each file would survive a loss of power. */
  readonly durable = new Map<string, Uint8Array>();
  /** Bytes that all files together may have. */
  room = Infinity;
  /** Calls that fail, by name, and the error's code. */
  readonly failing = new Map<string, string>();
  /** Names of the calls that were made on open files. */
  readonly calls: string[] = [];
  private readonly opened = new Map<number, OpenFile>();
  private nextFile = 3;

  open(path: string, mode: OpenMode): number {
    this.check("open");
    const isThere = this.contents.has(path);
    if (!isThere && (mode === "read" || mode === "update")) throw missing();
    if (mode === "write" || !isThere) this.contents.set(path, new Uint8Array(0));
    this.opened.set(this.nextFile, { path, mode, position: 0, nameless: new Uint8Array(0) });
    return this.nextFile++;
  }

  close(file: number): void {
    this.at(file);
    this.opened.delete(file);
  }

  read(
    file: number,
    bytes: Uint8Array,
    start: number,
    length: number,
    position: number | null,
  ): number {
    this.check("read");
    const open = this.at(file);
    const from = position ?? open.position;
    const part = this.of(open).subarray(from, from + length);
    bytes.set(part, start);
    if (position === null) open.position += part.length;
    return part.length;
  }

  write(file: number, bytes: Uint8Array, start: number, length: number): number {
    this.check("write");
    const open = this.at(file);
    const old = this.of(open);
    let used = 0;
    for (const content of this.contents.values()) used += content.length;
    const count = Math.min(length, this.room - used);
    if (count <= 0) throw new FileError("ENOSPC", "No space left on device");
    const at = open.mode === "append" ? old.length : open.position;
    const grown = new Uint8Array(Math.max(old.length, at + count));
    grown.set(old);
    grown.set(bytes.subarray(start, start + count), at);
    this.replace(open, grown);
    open.position = at + count;
    return count;
  }

  sync(file: number): void {
    this.syncData(file);
  }

  syncData(file: number): void {
    this.check("sync");
    const open = this.at(file);
    if (open.path !== null) this.durable.set(open.path, this.of(open).slice());
  }

  truncate(file: number, length: number): void {
    this.check("truncate");
    const open = this.at(file);
    this.replace(open, this.of(open).slice(0, length));
  }

  size(file: number): number {
    return this.of(this.at(file)).length;
  }

  sizeOf(path: string): number {
    const content = this.contents.get(path);
    if (content === undefined) throw missing();
    return content.length;
  }

  exists(path: string): boolean {
    return this.contents.has(path) || this.isDirectory(path);
  }

  isDirectory(path: string): boolean {
    return [...this.contents.keys()].some((name) => name.startsWith(`${path}/`));
  }

  list(path: string): string[] {
    const names = [...this.contents.keys()].filter((name) => name.startsWith(`${path}/`));
    return names.map((name) => name.slice(path.length + 1));
  }

  makeDirectory(): void {
    this.check("makeDirectory");
  }

  rename(from: string, to: string): void {
    this.check("rename");
    const content = this.contents.get(from);
    if (content === undefined) throw missing();
    this.remove(to);
    this.contents.set(to, content);
    this.contents.delete(from);
    for (const open of this.opened.values()) if (open.path === from) open.path = to;
  }

  remove(path: string): void {
    for (const open of this.opened.values()) {
      if (open.path !== path) continue;
      open.nameless = this.of(open);
      open.path = null;
    }
    this.contents.delete(path);
  }

  syncDirectory(): void {}

  text(path: string): string {
    return Buffer.from(this.contents.get(path) ?? []).toString("latin1");
  }

  private check(call: string): void {
    this.calls.push(call);
    const code = this.failing.get(call);
    if (code !== undefined) throw new FileError(code, `${code} of ${call}`);
  }

  private at(file: number): OpenFile {
    const open = this.opened.get(file);
    if (open === undefined) throw new FileError("EBADF", "Bad file descriptor");
    return open;
  }

  private replace(open: OpenFile, content: Uint8Array): void {
    if (open.path === null) open.nameless = content;
    else this.contents.set(open.path, content);
  }

  private of(open: OpenFile): Uint8Array {
    if (open.path === null) return open.nameless;
    const content = this.contents.get(open.path);
    if (content === undefined) throw missing();
    return content;
  }
}

/** A background that does nothing until the test lets it. */
export class ManualBackground implements BackgroundFiles {
  readonly pending: (() => void)[] = [];

  constructor(private readonly files: MemoryFiles) {}

  syncData(file: number, done: (error: FileError | null) => void): void {
    this.pending.push(() => {
      try {
        this.files.syncData(file);
      } catch (error) {
        if (error instanceof FileError) done(error);
        return;
      }
      done(null);
    });
  }

  close(file: number): void {
    this.files.close(file);
  }

  remove(path: string): void {
    this.files.remove(path);
  }

  /** Does what is pending. */
  run(): void {
    for (const job of this.pending.splice(0)) job();
  }
}

function missing(): FileError {
  return new FileError("ENOENT", "No such file or directory");
}
