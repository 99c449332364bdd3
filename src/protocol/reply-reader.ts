/**
 * Replies out of bytes: the client's side of RESP2 and RESP3, for the tools that talk to a server.
 *
 * Chunks go in as the socket delivers them (`push`), complete replies come out (`next`). A reply may
 * be cut anywhere: what is known of unfinished aggregates stays on a stack, so a reply of a million
 * elements costs O(its bytes), however many chunks it came in. `skip` passes over a reply without
 * building it, for whoever only counts.
 *
 *   stack of next():   [array 3 of 5 items] [map 1 of 4 items] ...     the innermost is last
 *   state of skip():   replies still to pass over, and bytes left of the current bulk
 *
 * Texts are byte strings: one character (U+0000 to U+00FF) per byte. Strings, not arrays, because
 * every tool formats and compares them; JavaScriptCore keeps them at one byte per character.
 *
 * Invariants
 * 1. `next` and `skip` are not mixed in the middle of a reply.
 * 2. Nothing before `#start` is needed any more; a chunk is copied only if a reply straddles it.
 * 3. After a ProtocolError the reader is of no further use.
 */

export type Reply =
  | { readonly type: "status" | "error" | "bulk" | "double" | "bignumber"; readonly text: string }
  | { readonly type: "verbatim"; readonly format: string; readonly text: string }
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "null" }
  | AggregateReply;

/** An aggregate; the items of a map alternate between keys and values. */
export interface AggregateReply {
  readonly type: "array" | "set" | "push" | "map";
  readonly items: readonly Reply[];
  /** What an attribute said of this reply, keys and values in turn. Rare: no server sends it unasked. */
  readonly attributes?: readonly Reply[];
}

export class ProtocolError extends Error {}

interface Frame {
  readonly type: AggregateReply["type"] | "attribute";
  readonly items: Reply[];
  left: number;
}

const enum Byte {
  LF = 0x0a,
  CR = 0x0d,
  BANG = 0x21,
  HASH = 0x23,
  DOLLAR = 0x24,
  PERCENT = 0x25,
  PAREN = 0x28,
  STAR = 0x2a,
  PLUS = 0x2b,
  COMMA = 0x2c,
  MINUS = 0x2d,
  ZERO = 0x30,
  COLON = 0x3a,
  EQUALS = 0x3d,
  GREATER = 0x3e,
  UNDERSCORE = 0x5f,
  PIPE = 0x7c,
  TILDE = 0x7e,
}

const NOTHING = new Uint8Array(0);
const NULL: Reply = { type: "null" };
const INTEGER_LINE = /^[+-]?[0-9]{1,20}$/;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
/** A length or count is at most this: what is larger is no reply but noise. */
const LENGTH_MAX = 2 ** 40;

/** Reads replies out of a stream of chunks. */
export class ReplyReader {
  #bytes: Uint8Array = NOTHING;
  #start = 0;
  /** The buffer in which chunks are joined. */
  #joined: Uint8Array = NOTHING;
  readonly #stack: Frame[] = [];
  /** Attributes that came before the reply that is read next. */
  #attributes: readonly Reply[] | null = null;
  #skipReplies = 0;
  #skipBytes = 0;
  #skipType = 0;

  /** Bytes that were pushed and are not yet part of a reply. */
  get pendingBytes(): number {
    return this.#bytes.length - this.#start;
  }

  /** Whether a reply has begun and not ended. */
  get isInsideReply(): boolean {
    return this.pendingBytes > 0 || this.#stack.length > 0 || this.#skipReplies > 0;
  }

  /** Takes a chunk. It is read in place where possible, so it must not change until the next push. */
  push(chunk: Uint8Array): void {
    const rest = this.#bytes.length - this.#start;
    if (rest === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      return;
    }
    const length = rest + chunk.length;
    const end = this.#start + length;
    const isJoined = this.#bytes.buffer === this.#joined.buffer;
    if (!isJoined || end > this.#joined.length) {
      // Twice the need, so that a long reply is not copied anew for each of its chunks.
      const joined = new Uint8Array(2 * length);
      joined.set(this.#bytes.subarray(this.#start));
      this.#joined = joined;
      this.#start = 0;
    }
    const from = this.#start + rest;
    this.#joined.set(chunk, from);
    this.#bytes = this.#joined.subarray(0, from + chunk.length);
  }

  /** The next complete reply, or null when its end has not arrived. Throws ProtocolError. */
  next(): Reply | null {
    while (true) {
      const read = this.#readOne();
      if (read === null) return null;
      const whole = read === OPENED ? null : this.#close(read);
      if (whole !== null) return whole;
    }
  }

  /**
   * Passes over the next reply and returns its type byte ("-" is an error), or 0 when its end has
   * not arrived. Nothing is built; what an attribute says is passed over with its reply.
   */
  skip(): number {
    if (this.#skipReplies === 0 && this.#skipBytes === 0) {
      if (this.pendingBytes === 0) return 0;
      this.#skipReplies = 1;
      this.#skipType = this.#bytes[this.#start];
    }
    while (true) {
      if (this.#skipBytes > 0) {
        const taken = Math.min(this.#skipBytes, this.pendingBytes);
        this.#start += taken;
        this.#skipBytes -= taken;
        if (this.#skipBytes > 0) return 0;
      }
      if (this.#skipReplies === 0) return this.#skipType;
      if (!this.#skipOne()) return 0;
    }
  }

  /** Reads a scalar, or the head of an aggregate onto the stack; null when bytes are missing. */
  #readOne(): Reply | typeof OPENED | null {
    const start = this.#start;
    const lineEnd = this.#findLineEnd(start);
    if (lineEnd < 0) return null;
    const type = this.#bytes[start];
    switch (type) {
      case Byte.DOLLAR:
      case Byte.EQUALS:
      case Byte.BANG: {
        const length = this.#length(start + 1, lineEnd);
        if (length >= 0 && this.#bytes.length < lineEnd + 2 + length + 2) return null;
        this.#start = lineEnd + 2;
        return length < 0 ? NULL : this.#takeBulk(type, length);
      }
      case Byte.STAR:
      case Byte.TILDE:
      case Byte.GREATER:
      case Byte.PERCENT:
      case Byte.PIPE: {
        const count = this.#length(start + 1, lineEnd);
        this.#start = lineEnd + 2;
        return count < 0 ? NULL : this.#open(type, count);
      }
      default:
        this.#start = lineEnd + 2;
        return scalar(type, this.#text(start + 1, lineEnd));
    }
  }

  #takeBulk(type: number, length: number): Reply {
    const start = this.#start;
    this.#start += length + 2;
    if (type === Byte.EQUALS) {
      if (length < 4)
        throw new ProtocolError("Verbatim string 4 bytes of content type are missing");
      const text = this.#text(start + 4, start + length);
      return { type: "verbatim", format: this.#text(start, start + 3), text };
    }
    const text = this.#text(start, start + length);
    return { type: type === Byte.BANG ? "error" : "bulk", text };
  }

  #open(type: number, count: number): Reply | typeof OPENED {
    const frameType = aggregateType(type);
    const left = frameType === "map" || frameType === "attribute" ? 2 * count : count;
    if (left === 0 && frameType !== "attribute") return this.#described(frameType, []);
    if (left === 0) return OPENED;
    this.#stack.push({ type: frameType, items: [], left });
    return OPENED;
  }

  /** Adds a finished reply to the aggregate it is in; returns it if it is in none. */
  #close(finished: Reply): Reply | null {
    let reply = finished;
    while (true) {
      const frame = this.#stack.at(-1);
      if (frame === undefined) return reply;
      frame.items.push(reply);
      if (--frame.left > 0) return null;
      this.#stack.pop();
      if (frame.type === "attribute") {
        this.#attributes = frame.items;
        return null;
      }
      reply = this.#described(frame.type, frame.items);
    }
  }

  #described(type: AggregateReply["type"], items: readonly Reply[]): Reply {
    const attributes = this.#attributes;
    this.#attributes = null;
    return attributes === null ? { type, items } : { type, items, attributes };
  }

  /** Passes over a scalar or a head; false when bytes are missing. */
  #skipOne(): boolean {
    const start = this.#start;
    const lineEnd = this.#findLineEnd(start);
    if (lineEnd < 0) return false;
    this.#start = lineEnd + 2;
    this.#skipReplies--;
    const type = this.#bytes[start];
    switch (type) {
      case Byte.DOLLAR:
      case Byte.EQUALS:
      case Byte.BANG: {
        const length = this.#length(start + 1, lineEnd);
        if (length >= 0) this.#skipBytes = length + 2;
        return true;
      }
      case Byte.STAR:
      case Byte.TILDE:
      case Byte.GREATER:
        this.#skipReplies += Math.max(0, this.#length(start + 1, lineEnd));
        return true;
      case Byte.PERCENT:
        this.#skipReplies += 2 * this.#length(start + 1, lineEnd);
        return true;
      case Byte.PIPE:
        // The reply that is described follows, in place of the attribute.
        this.#skipReplies += 2 * this.#length(start + 1, lineEnd) + 1;
        return true;
      default:
        return true;
    }
  }

  /** Offset of the next CRLF, or -1. */
  #findLineEnd(from: number): number {
    const bytes = this.#bytes;
    let at = bytes.indexOf(Byte.CR, from);
    while (at >= 0 && at + 1 < bytes.length) {
      if (bytes[at + 1] === Byte.LF) return at;
      at = bytes.indexOf(Byte.CR, at + 1);
    }
    return -1;
  }

  /** The length or count in [from, to), -1 for null. */
  #length(from: number, to: number): number {
    const bytes = this.#bytes;
    if (to - from === 2 && bytes[from] === Byte.MINUS && bytes[from + 1] === Byte.ZERO + 1) {
      return -1;
    }
    let value = 0;
    for (let at = from; at < to; at++) {
      const digit = bytes[at] - Byte.ZERO;
      if (digit < 0 || digit > 9) throw new ProtocolError("Bad bulk string length");
      value = value * 10 + digit;
    }
    if (from === to || value > LENGTH_MAX) throw new ProtocolError("Bad bulk string length");
    return value;
  }

  #text(from: number, to: number): string {
    const bytes = this.#bytes;
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1", from, to);
  }
}

/** What #readOne returns for the head of an aggregate whose items follow. */
const OPENED = "opened";

function aggregateType(type: number): Frame["type"] {
  switch (type) {
    case Byte.STAR:
      return "array";
    case Byte.TILDE:
      return "set";
    case Byte.GREATER:
      return "push";
    case Byte.PERCENT:
      return "map";
    default:
      return "attribute";
  }
}

/** The reply in a line of its own, its type byte taken off. */
function scalar(type: number, line: string): Reply {
  switch (type) {
    case Byte.PLUS:
      return { type: "status", text: line };
    case Byte.MINUS:
      return { type: "error", text: line };
    case Byte.COLON:
      return { type: "integer", value: integerOf(line) };
    case Byte.COMMA:
      return { type: "double", text: line };
    case Byte.PAREN:
      return { type: "bignumber", text: line };
    case Byte.HASH:
      if (!/^[tf]$/i.test(line)) throw new ProtocolError("Bad bool value");
      return { type: "boolean", value: line.toLowerCase() === "t" };
    case Byte.UNDERSCORE:
      if (line !== "") throw new ProtocolError("Bad nil value");
      return NULL;
    default:
      throw new ProtocolError(`Protocol error, got ${quotedByte(type)} as reply type byte`);
  }
}

function integerOf(line: string): bigint {
  if (!INTEGER_LINE.test(line)) throw new ProtocolError("Bad integer value");
  const value = BigInt(line);
  if (value < INT64_MIN || value > INT64_MAX) throw new ProtocolError("Bad integer value");
  return value;
}

function quotedByte(byte: number): string {
  if (byte >= 0x20 && byte < 0x7f) return JSON.stringify(String.fromCharCode(byte));
  return `"\\x${byte.toString(16).padStart(2, "0")}"`;
}
