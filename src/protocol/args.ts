// HOT PATH: rules in src/README.md
/**
 * One parsed request: argument i is bytes start[i]..end[i] of `bytes`, and of `view`, which covers
 * the same memory. The bytes belong to the socket's chunk or the connection's query buffer and are
 * valid until the command returns: whoever keeps an argument copies it.
 */
import { isWord, latin1FromBytes } from "../base/ascii.ts";

const CAPACITY_AT_FIRST = 64;

export class Args {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  count = 0;
  start = new Int32Array(CAPACITY_AT_FIRST);
  end = new Int32Array(CAPACITY_AT_FIRST);

  /** Appends an argument. Amortised O(1). */
  push(start: number, end: number): void {
    if (this.count === this.start.length) this.grow();
    this.start[this.count] = start;
    this.end[this.count++] = end;
  }

  /** Bytes of argument `index`. */
  lengthOf(index: number): number {
    return this.end[index] - this.start[index];
  }

  /** Whether argument `index` spells `word`, which is in capitals, in any case. */
  is(index: number, word: string): boolean {
    return isWord(this.bytes, this.start[index], this.end[index], word);
  }

  /** Argument `index` with one character per byte. For cold code. */
  text(index: number): string {
    return latin1FromBytes(this.bytes, this.start[index], this.end[index]);
  }

  /** A copy of argument `index`. For cold code and for what is kept. */
  copy(index: number): Uint8Array {
    return this.bytes.slice(this.start[index], this.end[index]);
  }

  /** Moves all offsets by `delta`, after the bytes were moved. O(count). */
  rebase(delta: number): void {
    for (let i = 0; i < this.count; i++) {
      this.start[i] += delta;
      this.end[i] += delta;
    }
  }

  /** Replaces the request by these byte strings. For requests that no socket delivered. */
  assign(parts: readonly Uint8Array[]): void {
    let length = 0;
    for (const part of parts) length += part.length;
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
    this.count = 0;
    let at = 0;
    for (const part of parts) {
      this.bytes.set(part, at);
      this.push(at, at + part.length);
      at += part.length;
    }
  }

  private grow(): void {
    const start = new Int32Array(this.start.length * 2);
    const end = new Int32Array(this.start.length * 2);
    start.set(this.start);
    end.set(this.end);
    this.start = start;
    this.end = end;
  }
}
