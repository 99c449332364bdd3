import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileError, systemFiles, writeAll } from "../../../src/base/file-system.ts";

const directory = mkdtempSync(join(tmpdir(), "bunsen-files-"));
afterAll(() => rmSync(directory, { recursive: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("a file is written, appended to, read back, truncated, renamed and removed", () => {
  const path = join(directory, "a");
  const other = join(directory, "b");
  let file = systemFiles.open(path, "write");
  writeAll(systemFiles, file, bytes("xhellox"), 1, 6);
  systemFiles.syncData(file);
  systemFiles.close(file);
  file = systemFiles.open(path, "append");
  writeAll(systemFiles, file, bytes(" world"), 0, 6);
  systemFiles.sync(file);
  expect(systemFiles.size(file)).toBe(11);
  systemFiles.close(file);
  file = systemFiles.open(path, "update");
  const read = new Uint8Array(20);
  expect(systemFiles.read(file, read, 2, 18, 6)).toBe(5);
  expect(Buffer.from(read.subarray(2, 7)).toString()).toBe("world");
  systemFiles.truncate(file, 5);
  systemFiles.close(file);
  systemFiles.rename(path, other);
  systemFiles.syncDirectory(directory);
  expect(systemFiles.exists(path)).toBe(false);
  expect(systemFiles.sizeOf(other)).toBe(5);
  expect(systemFiles.list(directory)).toEqual(["b"]);
  systemFiles.remove(other);
  systemFiles.remove(other);
  expect(systemFiles.list(directory)).toEqual([]);
});

test("errors carry the system's code and the C library's text", () => {
  const missing = join(directory, "none", "file");
  let caught: unknown = null;
  try {
    systemFiles.open(missing, "read");
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(FileError);
  expect(caught).toMatchObject({ code: "ENOENT", message: "No such file or directory" });
  expect(systemFiles.isDirectory(missing)).toBe(false);
  expect(systemFiles.isDirectory(directory)).toBe(true);
});
