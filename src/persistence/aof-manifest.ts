/**
 * The manifest of an append-only file: which files it consists of, in the order of loading.
 *
 *     file appendonly.aof.2.base.rdb seq 2 type b      the data when it was rewritten last
 *     file appendonly.aof.1.incr.aof seq 1 type h      history: replaced, to be removed
 *     file appendonly.aof.4.incr.aof seq 4 type i      what changed since, oldest first
 *     file appendonly.aof.5.incr.aof seq 5 type i
 *
 * At most one base, then the history, then the increments. A name that holds blanks, quotes or
 * bytes outside of ASCII is written quoted. Texts here are byte strings: one character per byte.
 *
 * Invariants
 *  1. Increments stand in ascending order of their numbers.
 *  2. What became history last stands first.
 *
 * Source: the manifest's description in Redis 7's and Valkey's documentation of persistence; checks
 * and error texts are Valkey 8.1's. O(bytes of the text).
 */
import { bytesFromAscii, latin1FromBytes } from "../base/ascii.ts";
import { needsQuotes, quoteBytes } from "../base/sds-quote.ts";
import { splitArgs } from "../base/split-args.ts";

export type AofFileType = "b" | "h" | "i";

export interface AofFile {
  readonly name: string;
  readonly sequence: bigint;
  readonly type: AofFileType;
}

/** A longer line is refused. */
const LINE_BYTES_MAX = 1024;
const SEQUENCE_MAX = 2n ** 63n - 1n;
const INVALID_FORMAT = "Invalid AOF manifest file format";

/** A manifest that cannot be read; `message` says what is wrong. */
export class ManifestError extends Error {
  constructor(
    message: string,
    /** Number and text of the line at fault; null where no line is. */
    readonly line: { readonly number: number; readonly text: string } | null,
  ) {
    super(message);
  }
}

export class AofManifest {
  base: AofFile | null = null;
  increments: AofFile[] = [];
  history: AofFile[] = [];
  /** It differs from the one on the disk. */
  isDirty = false;

  private baseSequence = 0n;
  private incrementSequence = 0n;

  copy(): AofManifest {
    const copy = new AofManifest();
    copy.base = this.base;
    copy.increments = [...this.increments];
    copy.history = [...this.history];
    copy.isDirty = this.isDirty;
    copy.baseSequence = this.baseSequence;
    copy.incrementSequence = this.incrementSequence;
    return copy;
  }

  get isEmpty(): boolean {
    return this.base === null && this.increments.length === 0;
  }

  /** The files that are loaded, in order. */
  get loaded(): readonly AofFile[] {
    return this.base === null ? this.increments : [this.base, ...this.increments];
  }

  /** Takes up a file, as a line of the text or the server names it. */
  add(file: AofFile): void {
    if (file.type === "b") {
      this.base = file;
      this.baseSequence = file.sequence;
    } else if (file.type === "i") {
      this.increments.push(file);
      this.incrementSequence = file.sequence;
    } else this.history.push(file);
  }

  /** A new base takes the place of the old one, which becomes history. Returns its name. */
  addBase(fileName: string, isRdb: boolean): string {
    if (this.base !== null) this.history.unshift({ ...this.base, type: "h" });
    const sequence = ++this.baseSequence;
    const name = `${fileName}.${sequence}.base.${isRdb ? "rdb" : "aof"}`;
    this.base = { name, sequence, type: "b" };
    this.isDirty = true;
    return name;
  }

  /** A new increment, and its name. */
  addIncrement(fileName: string): string {
    const sequence = ++this.incrementSequence;
    const name = `${fileName}.${sequence}.incr.aof`;
    this.increments.push({ name, sequence, type: "i" });
    this.isDirty = true;
    return name;
  }

  /** The increment that is written to: the last one, or a new one. */
  lastIncrement(fileName: string): string {
    return this.increments.at(-1)?.name ?? this.addIncrement(fileName);
  }

  /** A rewrite is done: its increments become history, but for the last one if that is in use. */
  retireIncrements(keepsLast: boolean): void {
    const { increments } = this;
    if (increments.length === 0) return;
    const kept = keepsLast ? 1 : 0;
    const retired = increments.splice(0, increments.length - kept);
    this.history.unshift(...retired.map((file) => ({ ...file, type: "h" as const })));
    this.isDirty = true;
  }

  /** The text of the file. */
  format(): string {
    return [...(this.base === null ? [] : [this.base]), ...this.history, ...this.increments]
      .map((file) => `file ${quoted(file.name)} seq ${file.sequence} type ${file.type}\n`)
      .join("");
  }
}

/** Reads a manifest's text. Throws a ManifestError. */
export function parseManifest(bytes: Uint8Array): AofManifest {
  const manifest = new AofManifest();
  if (bytes.length === 0) throw new ManifestError("Found an empty AOF manifest", null);
  let number = 0;
  for (let at = 0; at < bytes.length;) {
    // A line is read in pieces, each of which is judged by itself, as in Redis.
    const newline = bytes.indexOf(0x0a, at);
    const lineEnd = newline < 0 ? bytes.length : newline + 1;
    const end = Math.min(lineEnd, at + LINE_BYTES_MAX);
    const text = latin1FromBytes(bytes, at, end);
    at = end;
    number++;
    if (text.startsWith("#")) continue;
    if (!text.endsWith("\n") || text.includes("\0")) {
      throw new ManifestError("The AOF manifest file contains too long line", null);
    }
    const line = { number, text: text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "") };
    const file = parseLine(line.text, (message) => {
      throw new ManifestError(message, line);
    });
    if (file.type === "b" && manifest.base !== null) {
      throw new ManifestError("Found duplicate base file information", line);
    }
    const last = manifest.increments.at(-1)?.sequence ?? 0n;
    if (file.type === "i" && file.sequence <= last) {
      throw new ManifestError("Found a non-monotonic sequence number", line);
    }
    manifest.add(file);
  }
  return manifest;
}

/** What the log says of a manifest that cannot be read, message by message. */
export function manifestErrorLines(error: ManifestError): string[] {
  const place =
    error.line === null
      ? []
      : [`Reading the manifest file, at line ${error.line.number}\n`, `>>> '${error.line.text}'\n`];
  return ["\n*** FATAL AOF MANIFEST FILE ERROR ***\n", ...place, `${error.message}\n`];
}

/** Pairs of a key and a value; unknown keys are for later versions, and skipped. */
function parseLine(line: string, fail: (message: string) => never): AofFile {
  const bytes = bytesFromAscii(line);
  const parts = splitArgs(bytes, 0, bytes.length);
  if (parts === null || parts.length < 6 || parts.length % 2 !== 0) return fail(INVALID_FORMAT);
  const words = parts.map((part) => latin1FromBytes(part, 0, part.length));
  let name = "";
  let sequence = 0n;
  let type = "";
  for (let i = 0; i < words.length; i += 2) {
    const value = words[i + 1];
    switch (words[i].toLowerCase()) {
      case "file":
        if (/[/\\]/.test(value)) return fail("File can't be a path, just a filename");
        name = value;
        break;
      case "seq":
        sequence = leadingInteger(value);
        break;
      case "type":
        type = value.slice(0, 1);
        break;
    }
  }
  if (name === "" || sequence === 0n || type === "") return fail(INVALID_FORMAT);
  if (type !== "b" && type !== "h" && type !== "i") return fail("Unknown AOF file type");
  return { name, sequence, type };
}

/** The integer that a text begins with, in the range of 64 bits; 0 without one. */
function leadingInteger(text: string): bigint {
  const digits = /^\s*([+-]?\d+)/.exec(text)?.[1];
  if (digits === undefined) return 0n;
  const value = BigInt(digits.replace("+", ""));
  if (value > SEQUENCE_MAX) return SEQUENCE_MAX;
  return value < -SEQUENCE_MAX ? -SEQUENCE_MAX : value;
}

function quoted(name: string): string {
  const bytes = bytesFromAscii(name);
  if (!needsQuotes(bytes, 0, bytes.length)) return name;
  const output = quoteBytes(bytes, 0, bytes.length);
  return latin1FromBytes(output, 0, output.length);
}
