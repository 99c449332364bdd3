// HOT PATH: rules in src/README.md
/**
 * RESP requests out of bytes, in place.
 *
 *     multibulk   *<count>\r\n  then count times  $<length>\r\n<bytes>\r\n
 *     inline      a line of words, quoted as in a shell: for people with telnet
 *
 * `begin` names the input, then each `next` yields one request's offsets in `args`. A request that
 * the input cuts off leaves the parser in the middle of it; `suspend` hands that state to the
 * connection, which collects bytes in its query buffer and resumes with `resume`, so that, wherever
 * the network cuts, no argument is looked at twice; only a cut line is read again from its start.
 *
 * A frame that breaks the protocol is an error text for the client and the end of the connection.
 * Source: Redis's documentation, "Redis serialization protocol specification"; limits and error
 * texts are Valkey 8.1's. `next` is O(bytes of the request).
 */
import { parseInt64 } from "../base/integer.ts";
import { splitArgs } from "../base/split-args.ts";
import { Args } from "./args.ts";

export const enum ParseStatus {
  /** `args` holds a request. */
  READY = 0,
  /** The input ends within a request, or exactly behind one: where `requestAt` is its end. */
  MORE = 1,
  /** `error` says what is wrong. */
  BROKEN = 2,
}

/** A request that more input must complete; offsets count from the request's first byte. */
export interface PartialRequest {
  args: Args;
  /** Arguments announced; 0 = the count is not known yet. */
  expected: number;
  /** Bytes of the argument being read; -1 = not known yet. */
  bulkLength: number;
  /** Where to look on. */
  scanAt: number;
}

const NUL = 0;
const LF = 10;
const CR = 13;
const MINUS = 45;
const DOLLAR = 36;
const STAR = 42;
const DIGIT_0 = 48;
/** A line without its end may be this long. */
const LINE_BYTES_MAX = 65536;
const COUNT_MAX = 2147483647;
const COUNT_MAX_UNAUTHENTICATED = 10;
const BULK_MAX_UNAUTHENTICATED = 16384;

/** Requests that are read ahead of the one that runs, see `nextBatch`. */
export const BATCH_MAX = 16;

export class RequestParser {
  args = new Args();
  /** The requests of the last `nextBatch`, and where each ends. */
  readonly batch: Args[] = [];
  readonly ends = new Int32Array(BATCH_MAX);
  batchCount = 0;
  error = "";
  /** Offset behind the last request; where the current one begins. */
  requestAt = 0;
  /** proto-max-bulk-len. */
  bulkMax = 512 * 1024 * 1024;
  /** Set while the client that is parsed has not authenticated: small requests only. */
  limited = false;
  /** Set for files: requests in RESP that are not empty, and nothing else. */
  strict = false;

  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private at = 0;
  private end = 0;
  private expected = 0;
  private bulkLength = -1;
  /** The number that the last readNumber read. */
  private number = 0;

  constructor() {
    for (let i = 0; i < BATCH_MAX; i++) this.batch.push(new Args());
  }

  /** Takes bytes from..end as input, at the start of a request. */
  begin(bytes: Uint8Array, view: DataView, from: number, end: number): void {
    this.bytes = bytes;
    this.view = view;
    this.at = from;
    this.end = end;
    this.requestAt = from;
    this.expected = 0;
    this.bulkLength = -1;
    this.args.count = 0;
  }

  /** Takes up a suspended request, whose bytes, and all that came since, begin at 0. */
  resume(bytes: Uint8Array, view: DataView, end: number, partial: PartialRequest): void {
    this.bytes = bytes;
    this.view = view;
    this.args = partial.args;
    this.at = partial.scanAt;
    this.end = end;
    this.requestAt = 0;
    this.expected = partial.expected;
    this.bulkLength = partial.bulkLength;
  }

  /**
   * The state in the middle of a request, after MORE. The parser goes on with other `args`.
   * COLD: for a request that the network cut.
   */
  suspend(): PartialRequest {
    const partial = {
      args: this.args,
      expected: this.expected,
      bulkLength: this.bulkLength,
      scanAt: this.at - this.requestAt,
    };
    this.args.rebase(-this.requestAt);
    this.args = new Args();
    if (this.batchCount < BATCH_MAX) this.batch[this.batchCount] = this.args;
    return partial;
  }

  /**
   * The input from the request at hand on.
   * COLD: for the log, when it is broken.
   */
  unparsed(): Uint8Array {
    return this.bytes.subarray(this.requestAt, this.end);
  }

  /** Bytes from the request's first that are needed to go on, as far as known. */
  bytesNeeded(): number {
    return this.bulkLength < 0 ? 0 : this.at - this.requestAt + this.bulkLength + 2;
  }

  /**
   * Reads up to `max` (at most BATCH_MAX) requests into `batch`. READY when it is full; otherwise
   * the status of the request behind the last one read, of which there may be none.
   */
  nextBatch(max: number): ParseStatus {
    this.batchCount = 0;
    while (this.batchCount < max) {
      if (this.expected === 0) this.args = this.batch[this.batchCount];
      const status = this.next();
      if (status !== ParseStatus.READY) return status;
      this.batch[this.batchCount] = this.args;
      this.ends[this.batchCount++] = this.requestAt;
    }
    return ParseStatus.READY;
  }

  /** Reads one request into `args`. Empty ones are skipped. */
  next(): ParseStatus {
    for (;;) {
      if (this.expected === 0) {
        if (this.at >= this.end) return ParseStatus.MORE;
        if (this.bytes[this.at] !== STAR) {
          if (this.strict) return this.broken("expected '*'");
          const status = this.inline();
          if (status !== ParseStatus.READY || this.args.count > 0) return status;
          continue;
        }
        const status = this.readNumber(this.at + 1, "too big mbulk count string");
        if (status !== ParseStatus.READY) {
          if (status === ParseStatus.BROKEN && this.error === "") {
            this.error = "invalid multibulk length";
          }
          return status;
        }
        if (this.number > COUNT_MAX) return this.broken("invalid multibulk length");
        if (this.limited && this.number > COUNT_MAX_UNAUTHENTICATED) {
          return this.broken("unauthenticated multibulk length");
        }
        if (this.number <= 0) {
          if (this.strict) return this.broken("invalid multibulk length");
          this.requestAt = this.at;
          continue;
        }
        this.expected = this.number;
        this.args.count = 0;
      }
      return this.arguments();
    }
  }

  /** Reads the arguments that are missing. */
  private arguments(): ParseStatus {
    const args = this.args;
    const bytes = this.bytes;
    const end = this.end;
    while (args.count < this.expected) {
      let length = this.bulkLength;
      if (length < 0) {
        // The usual case first: "$", one or two digits, CRLF, all there.
        let at = this.at;
        if (at + 5 < end && bytes[at] === DOLLAR) {
          length = bytes[at + 1] - DIGIT_0;
          if (length >>> 0 <= 9) {
            at += 2;
            const digit = bytes[at] - DIGIT_0;
            if (digit >>> 0 <= 9 && length !== 0) {
              length = length * 10 + digit;
              at++;
            }
            if (bytes[at] === CR) at += 2;
            else length = -1;
          } else length = -1;
        }
        if (length < 0) {
          const status = this.bulkHeader();
          if (status !== ParseStatus.READY) return status;
          length = this.number;
          at = this.at;
        }
        this.at = at;
      }
      if (this.at + length + 2 > end) {
        this.bulkLength = length;
        return ParseStatus.MORE;
      }
      args.push(this.at, this.at + length);
      this.at += length + 2;
      this.bulkLength = -1;
    }
    args.bytes = bytes;
    args.view = this.view;
    this.expected = 0;
    this.requestAt = this.at;
    return ParseStatus.READY;
  }

  /** Reads "$<length>\r\n" with all checks; the length is left in `number`. */
  private bulkHeader(): ParseStatus {
    if (this.at >= this.end) return ParseStatus.MORE;
    const first = this.bytes[this.at];
    if (first !== DOLLAR) {
      // The line must be there before it is judged, as in Redis.
      const lineEnd = this.lineEnd(this.at);
      if (lineEnd === -1) return this.missingLine("too big bulk count string");
      return this.broken(`expected '$', got '${String.fromCharCode(first)}'`);
    }
    const status = this.readNumber(this.at + 1, "too big bulk count string");
    if (status !== ParseStatus.READY) {
      if (status === ParseStatus.BROKEN && this.error === "") this.error = "invalid bulk length";
      return status;
    }
    if (this.number < 0 || this.number > this.bulkMax) return this.broken("invalid bulk length");
    if (this.limited && this.number > BULK_MAX_UNAUTHENTICATED) {
      return this.broken("unauthenticated bulk length");
    }
    return ParseStatus.READY;
  }

  /** Reads digits up to CRLF into `number` and moves behind it. BROKEN without `error` = no number. */
  private readNumber(from: number, tooBig: string): ParseStatus {
    const lineEnd = this.lineEnd(from);
    if (lineEnd === -1) return this.missingLine(tooBig);
    const isNegative = this.bytes[from] === MINUS;
    const first = isNegative ? from + 1 : from;
    let value = 0;
    for (let at = first; at < lineEnd; at++) {
      const digit = this.bytes[at] - DIGIT_0;
      if (digit >>> 0 > 9) return this.broken("");
      value = value * 10 + digit;
    }
    const digits = lineEnd - first;
    const leadsWithZero = this.bytes[first] === DIGIT_0 && (digits > 1 || isNegative);
    if (digits < 1 || digits > 19 || leadsWithZero) return this.broken("");
    if (digits === 19 && parseInt64(this.bytes, from, lineEnd) === null) return this.broken("");
    this.number = isNegative ? -value : value;
    this.at = lineEnd + 2;
    return ParseStatus.READY;
  }

  /** Offset of the CR whose following byte is there too, or -1. */
  private lineEnd(from: number): number {
    const bytes = this.bytes;
    // Not indexOf: a query buffer is larger than its input.
    for (let at = from, last = this.end - 1; at < last; at++) if (bytes[at] === CR) return at;
    return -1;
  }

  private missingLine(tooBig: string): ParseStatus {
    const isEnding = this.bytes[this.end - 1] === CR;
    if (isEnding || this.end - this.at <= LINE_BYTES_MAX) return ParseStatus.MORE;
    return this.broken(tooBig);
  }

  private broken(error: string): ParseStatus {
    this.error = error;
    return ParseStatus.BROKEN;
  }

  /**
   * Reads a line of words. An empty line is a request of no arguments. As in Redis, a line is
   * searched for its end up to the first NUL only, and so one with a NUL never ends.
   */
  private inline(): ParseStatus {
    let found = this.at;
    while (found < this.end && this.bytes[found] !== LF && this.bytes[found] !== NUL) found++;
    if (found === this.end || this.bytes[found] === NUL) {
      return this.end - this.at > LINE_BYTES_MAX
        ? this.broken("too big inline request")
        : ParseStatus.MORE;
    }
    const lineEnd = found > this.at && this.bytes[found - 1] === CR ? found - 1 : found;
    const words = splitArgs(this.bytes, this.at, lineEnd);
    if (words === null) return this.broken("unbalanced quotes in request");
    this.args.assign(words);
    this.at = found + 1;
    this.requestAt = this.at;
    return ParseStatus.READY;
  }
}
