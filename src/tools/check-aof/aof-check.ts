/**
 * Checks the files of an append-only file, and cuts the last one where it is broken (--fix) or
 * where a time has passed (--truncate-to-timestamp). Output and exit codes are those of
 * valkey-check-aof.
 *
 * A file may be the manifest of a multi-part one, the single file of older versions, or such a one
 * that begins with an RDB file.
 */
import { FileError, type FileSystem } from "../../base/file-system.ts";
import {
  type AofManifest,
  ManifestError,
  manifestErrorLines,
  parseManifest,
} from "../../persistence/aof-manifest.ts";
import { readWhole } from "../../persistence/aof-directory.ts";
import { AofText } from "./aof-text.ts";

export interface CheckAofHost {
  readonly files: FileSystem;
  print(text: string): void;
  /** A line that the server's log would have. */
  log(message: string): void;
  /** The answer to a question on the terminal. */
  ask(): string;
  /**
   * Checks the RDB file that a file begins with and says what it finds. The offset behind it, or
   * null if it is damaged.
   */
  checkRdb(path: string): number | null;
}

export interface CheckAofOptions {
  readonly fixes: boolean;
  /** Unix seconds; 0 = no time was given. */
  readonly untilSeconds: number;
  /** The tool's name in messages. */
  readonly toolName: string;
}

/** The tool ends with this exit code; everything is said. */
export class CheckExit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

const enum Outcome {
  VALID,
  EMPTY,
  TRUNCATED,
  CUT_AT_TIME,
}

const NUMBER_LINE_BYTES = 128;
const ANNOTATION_BYTES = 1024;
const MANIFEST_LINE_BYTES = 1025;
/** Enough of a command's name to tell MULTI and EXEC. */
const NAME_BYTES = 8;
const LENGTH_MAX = 2 ** 63;
const RDB_HEADER_BYTES = 8;

/** How a number is read from a line: its value, and what stands behind it. */
interface LineNumber {
  readonly value: number;
  readonly rest: string;
}

export class AofCheck {
  /** What is wrong, and where; one text for all files. */
  private error = "";
  private errorAt = 0;
  /** Lines of RESP read so far, of all files. */
  private line = 1;

  constructor(
    private readonly host: CheckAofHost,
    private readonly options: CheckAofOptions,
  ) {}

  /** Checks the file at `path` and all that it names. Throws CheckExit. */
  run(path: string): void {
    if (this.isManifest(path)) this.checkMultiPart(path);
    else this.checkOldStyle(path, this.isRdb(path));
  }

  private checkMultiPart(path: string): void {
    const { host } = this;
    host.print("Start checking Multi Part AOF\n");
    const manifest = this.readManifest(path);
    const slash = path.lastIndexOf("/");
    const folder = slash < 0 ? "." : path.slice(0, slash) || "/";
    const { base, increments, loaded } = manifest;
    const last = loaded.at(-1);
    const inFolder = (name: string) => `${folder}/${Buffer.from(name, "latin1").toString("utf8")}`;
    if (base !== null) {
      const isRdb = this.isRdb(inFolder(base.name));
      host.print(`Start to check BASE AOF (${isRdb ? "RDB" : "RESP"} format).\n`);
      const outcome = this.checkFile(base.name, inFolder(base.name), base === last, isRdb);
      this.report(outcome, base.name, "BASE AOF");
    }
    if (increments.length > 0) host.print("Start to check INCR files.\n");
    for (const file of increments) {
      const outcome = this.checkFile(file.name, inFolder(file.name), file === last, false);
      this.report(outcome, file.name, "INCR AOF");
    }
    host.print("All AOF files and manifest are valid\n");
  }

  private checkOldStyle(path: string, isRdb: boolean): void {
    this.host.print("Start checking Old-Style AOF\n");
    this.report(this.checkFile(path, path, true, isRdb), path, "AOF");
  }

  private readManifest(path: string): AofManifest {
    try {
      return parseManifest(readWhole(this.host.files, path));
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error;
      for (const message of manifestErrorLines(error)) this.host.log(message);
      throw new CheckExit(1);
    }
  }

  private report(outcome: Outcome, name: string, kind: string): void {
    const { print } = this.host;
    if (outcome === Outcome.VALID) print(`${kind} ${name} is valid\n`);
    else if (outcome === Outcome.EMPTY) print(`${kind} ${name} is empty\n`);
    else if (outcome === Outcome.TRUNCATED) print(`Successfully truncated AOF ${name}\n`);
    else {
      print(`Successfully truncated AOF ${name} to timestamp ${this.options.untilSeconds}\n`);
    }
  }

  private checkFile(name: string, path: string, isLast: boolean, isRdb: boolean): Outcome {
    const { files } = this.host;
    let file: number;
    try {
      file = files.open(path, "update");
    } catch (error) {
      this.fail(`Cannot open file ${path}: ${textOf(error)}, aborting...\n`);
    }
    try {
      const text = new AofText(files, file);
      if (text.size === 0) return Outcome.EMPTY;
      if (isRdb) this.checkPreamble(text, path);
      return this.checkCommands(text, file, { name, path, isLast });
    } finally {
      files.close(file);
    }
  }

  private checkPreamble(text: AofText, path: string): void {
    const end = this.host.checkRdb(path);
    if (end === null) this.fail("RDB preamble of AOF file is not sane, aborting.\n");
    this.host.print("RDB preamble is OK, proceeding with AOF tail...\n");
    text.position = end;
  }

  private checkCommands(
    text: AofText,
    file: number,
    { name, path, isLast }: { name: string; path: string; isLast: boolean },
  ): Outcome {
    const { print } = this.host;
    const { untilSeconds } = this.options;
    const transaction = { depth: 0 };
    let validUpTo = 0;
    for (;;) {
      if (transaction.depth === 0) validUpTo = text.position;
      const first = text.peek();
      if (first < 0) break;
      if (first === 0x23) {
        if (this.isPastTime(text, file, path, isLast)) return Outcome.CUT_AT_TIME;
      } else if (first === 0x2a) {
        if (!this.checkCommand(text, path, transaction)) break;
      } else {
        print(`AOF ${name} format error\n`);
        break;
      }
    }
    if (text.isAtEnd && transaction.depth !== 0 && this.error === "") {
      this.note("Reached EOF before reading EXEC for MULTI");
    }
    if (this.error !== "") print(`${this.error}\n`);
    const excess = text.size - validUpTo;
    if (excess === 0 && untilSeconds !== 0) {
      print(`Truncate nothing in AOF ${name} to timestamp ${untilSeconds}\n`);
      return Outcome.VALID;
    }
    print(
      `AOF analyzed: filename=${name}, size=${text.size}, ok_up_to=${validUpTo}, ` +
        `ok_up_to_line=${this.line}, diff=${excess}\n`,
    );
    if (excess === 0) return Outcome.VALID;
    this.fix(file, name, isLast, text.size, validUpTo);
    return Outcome.TRUNCATED;
  }

  private fix(file: number, name: string, isLast: boolean, size: number, validUpTo: number): void {
    const { print, ask, files } = this.host;
    if (!this.options.fixes) {
      this.fail(`AOF ${name} is not valid. Use the --fix option to try fixing it.\n`);
    }
    if (!isLast) this.fail(`Failed to truncate AOF ${name} because it is not the last file\n`);
    print(
      `This will shrink the AOF ${name} from ${size} bytes, with ${size - validUpTo} bytes, to ${validUpTo} bytes\n`,
    );
    print("Continue? [y/N]: ");
    if (!/^y/i.test(ask())) this.fail("Aborting...\n");
    try {
      files.truncate(file, validUpTo);
    } catch {
      this.fail(`Failed to truncate AOF ${name}\n`);
    }
  }

  /** One command in RESP; false if it is cut or broken. */
  private checkCommand(text: AofText, path: string, transaction: { depth: number }): boolean {
    const count = this.number(text, "*");
    if (count === null) return false;
    for (let i = 0; i < count; i++) {
      const argument = this.argument(text);
      if (argument === null) return false;
      if (i > 0) continue;
      const name = argument.toLowerCase();
      if (name === "multi" && transaction.depth++ !== 0) {
        this.note(`Unexpected MULTI in AOF ${path}`);
        return false;
      }
      if (name === "exec" && --transaction.depth !== 0) {
        this.note(`Unexpected EXEC in AOF ${path}`);
        return false;
      }
    }
    return true;
  }

  /** A line of a prefix and a number. */
  private number(text: AofText, prefix: string): number | null {
    this.errorAt = text.position;
    const line = text.line(NUMBER_LINE_BYTES);
    if (line === null) return null;
    if (line[0] !== prefix) {
      this.note(`Expected prefix '${prefix}', got: '${line[0]}'`);
      return null;
    }
    const { value, rest } = leadingNumber(line.slice(1));
    return this.consumesNewline(rest) ? value : null;
  }

  /** An argument's first bytes. */
  private argument(text: AofText): string | null {
    const length = this.number(text, "$");
    if (length === null) return null;
    if (length < 0 || length >= LENGTH_MAX) {
      this.note(`Expected to read string of ${length} bytes, which is not in the suitable range`);
      return null;
    }
    this.errorAt = text.position;
    const available = text.size - text.position;
    if (available < length + 2) {
      text.bytes(length + 2, 0);
      this.note(`Expected to read ${length + 2} bytes, got ${available} bytes`);
      return null;
    }
    const start = text.bytes(length, NAME_BYTES);
    return this.consumesNewline(text.bytes(2, 2)) ? start : null;
  }

  private consumesNewline(text: string): boolean {
    if (text.startsWith("\r\n")) {
      this.line++;
      return true;
    }
    this.note(`Expected \\r\\n, got: ${hexOfChar(text, 0)}${hexOfChar(text, 1)}`);
    return false;
  }

  /** An annotation. True if the file was cut before it, as its time is past the one asked for. */
  private isPastTime(text: AofText, file: number, path: string, isLast: boolean): boolean {
    const { untilSeconds, toolName } = this.options;
    this.errorAt = text.position;
    const line = text.line(ANNOTATION_BYTES) ?? "";
    if (untilSeconds === 0 || !line.startsWith("#TS:")) return false;
    const { value, rest } = leadingNumber(line.slice(4));
    if (!rest.startsWith("\r")) this.fail("Invalid timestamp annotation\n");
    if (value <= untilSeconds) return false;
    if (this.errorAt === 0) {
      this.fail(`AOF ${path} has nothing before timestamp ${untilSeconds}, aborting...\n`);
    }
    if (!isLast) {
      this.fail(
        `Failed to truncate AOF ${path} to timestamp ${untilSeconds} to offset ${this.errorAt} because it is not the last file.\n` +
          "If you insist, please delete all files after this file according to the manifest " +
          `file and delete the corresponding records in manifest file manually. Then re-run ${toolName}.\n`,
      );
    }
    try {
      this.host.files.truncate(file, this.errorAt);
    } catch {
      this.fail(`Failed to truncate AOF ${path} to timestamp ${untilSeconds}\n`);
    }
    return true;
  }

  private isRdb(path: string): boolean {
    return this.withFile(path, (text) => {
      return text.size >= RDB_HEADER_BYTES && text.bytes(5, 5) === "REDIS";
    });
  }

  /** Whether the first line that is no comment begins as a manifest's. */
  private isManifest(path: string): boolean {
    return this.withFile(path, (text) => {
      for (let line = text.line(MANIFEST_LINE_BYTES); line !== null;) {
        if (!line.startsWith("#")) return line.startsWith("file");
        line = text.line(MANIFEST_LINE_BYTES);
      }
      return false;
    });
  }

  private withFile(path: string, use: (text: AofText) => boolean): boolean {
    const { files } = this.host;
    let file: number;
    try {
      file = files.open(path, "read");
    } catch (error) {
      this.fail(`Cannot open file ${path}: ${textOf(error)}\n`);
    }
    try {
      return use(new AofText(files, file));
    } catch {
      this.fail(`Cannot read file: ${path}\n`);
    } finally {
      files.close(file);
    }
  }

  private note(message: string): void {
    this.error = `0x${this.errorAt.toString(16).padStart(16, " ")}: ${message}`;
  }

  private fail(message: string): never {
    this.host.print(message);
    throw new CheckExit(1);
  }
}

/** The number that a text begins with, 0 without one, and what follows it: C's strtol. */
function leadingNumber(text: string): LineNumber {
  const digits = /^\s*[+-]?\d+/.exec(text)?.[0];
  if (digits === undefined) return { value: 0, rest: text };
  return { value: Number(digits), rest: text.slice(digits.length) };
}

/** A byte in hexadecimal as C prints a signed char. */
function hexOfChar(text: string, index: number): string {
  const byte = index < text.length ? text.charCodeAt(index) : 0;
  return (((byte << 24) >> 24) >>> 0).toString(16).padStart(2, "0");
}

function textOf(error: unknown): string {
  return error instanceof FileError ? error.message : String(error);
}
