// HOT PATH: rules in src/README.md
/**
 * From a command's name, in bytes of any case, to its number in the table.
 *
 *     slots    open-addressed table of 16-bit numbers + 1; 0 = empty; load below 1/4
 *     names    `stride` bytes per command: length u8, then the name in lower case
 *
 * The hash takes the name's length and its bytes with the case bit set; a hit is confirmed byte by
 * byte. A lookup costs about one cache line of `slots` and one of `names`. O(length of the name).
 */
import { writeAscii } from "../base/ascii.ts";
import type { Args } from "../protocol/args.ts";

/** Room for a name and its length, at least; renamed commands may need more. */
const STRIDE_MIN = 32;
/** A longer name does not fit its length's byte. */
export const NAME_BYTES_MAX = 255;

export class CommandLookup {
  private readonly slots: Int16Array;
  private readonly mask: number;
  private readonly names: Uint8Array;
  private readonly stride: number;

  /** `entries` says the numbers of names, which are in lower case. */
  constructor(entries: ReadonlyMap<string, number>) {
    let size = 16;
    while (size < entries.size * 4) size *= 2;
    this.mask = size - 1;
    this.slots = new Int16Array(size);
    let stride = STRIDE_MIN;
    let count = 0;
    for (const [name, number] of entries) {
      if (name.length > NAME_BYTES_MAX) throw new Error(`the name ${name} is too long`);
      if (name.length >= stride) stride = name.length + 1;
      if (number >= count) count = number + 1;
    }
    this.stride = stride;
    this.names = new Uint8Array(count * stride);
    for (const [name, number] of entries) {
      const at = number * stride + 1;
      this.names[at - 1] = name.length;
      writeAscii(this.names, at, name);
      let slot = hashName(this.names, at, at + name.length) & this.mask;
      while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
      this.slots[slot] = number + 1;
    }
  }

  /** The number of the command that argument `index` names, or -1. */
  find(args: Args, index: number): number {
    const bytes = args.bytes;
    const start = args.start[index];
    const end = args.end[index];
    const length = end - start;
    if (length === 0 || length >= this.stride) return -1;
    let slot = hashName(bytes, start, end) & this.mask;
    for (;;) {
      const number = this.slots[slot] - 1;
      if (number < 0) return -1;
      if (this.isNamed(number, bytes, start, length)) return number;
      slot = (slot + 1) & this.mask;
    }
  }

  private isNamed(number: number, bytes: Uint8Array, start: number, length: number): boolean {
    const names = this.names;
    let at = number * this.stride;
    if (names[at++] !== length) return false;
    for (let i = 0; i < length; i++) {
      const byte = bytes[start + i];
      // Capitals differ from small letters in one bit; other bytes must be equal.
      const lower = (byte - 65) >>> 0 < 26 ? byte | 0x20 : byte;
      if (lower !== names[at + i]) return false;
    }
    return true;
  }
}

function hashName(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = Math.imul(hash, 33) ^ (bytes[at] | 0x20);
  return hash ^ (hash >>> 7);
}
