// HOT PATH: rules in src/README.md
/**
 * Whether the entries of a listpack are all different, as sets, hashes and sorted sets need it.
 *
 *     table   two words per slot: hash, and offset of the entry from the listpack's beginning; a
 *             power of two of slots, at least twice as many as there are entries, probed in order
 *
 * Entries are compared as texts, since a damaged listpack may spell a number in several ways. O(bytes)
 * expected. The hash of many entries is keyed, so that no listpack can be made that is slow to check;
 * that of FEW looks at their ends alone.
 *
 * Why not a JS Set of strings: a string per entry was a third of the time of loading a file of small
 * hashes.
 */
import { equalBytes } from "../base/bytes.ts";
import { hashBytes } from "../base/hash.ts";
import { INTEGER_BYTES_MAX } from "../base/integer.ts";
import { ListpackEntry } from "../structures/listpack-entry.ts";
import { Listpack, listpackIsEnd, listpackNext } from "../structures/listpack.ts";

const SLOTS_AT_FIRST = 64;
const FEW = 64;
/** A larger table is not kept. */
const SLOTS_KEPT = 4096;

/** The text of an entry: bytes [start, end) of `view`. */
class EntryText {
  view: DataView;
  start = 0;
  end = 0;

  private readonly entry = new ListpackEntry();
  private readonly digits = new Uint8Array(INTEGER_BYTES_MAX);
  private readonly digitsView = new DataView(this.digits.buffer);

  constructor() {
    this.view = this.digitsView;
  }

  read(view: DataView, at: number): void {
    const { entry } = this;
    entry.read(view, at);
    if (entry.isInteger) {
      this.view = this.digitsView;
      this.start = 0;
      this.end = entry.writeText(this.digits, this.digitsView, 0);
    } else {
      this.view = view;
      this.start = entry.start;
      this.end = entry.start + entry.length;
    }
  }
}

/** A hash of the length, and of the first and the last four bytes. */
function hashEnds(view: DataView, start: number, end: number): number {
  let hash = end - start;
  if (hash >= 4)
    hash ^= Math.imul(view.getInt32(start) ^ Math.imul(view.getInt32(end - 4), 31), 17);
  else for (let at = start; at < end; at++) hash = Math.imul(hash, 31) + view.getUint8(at);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

export class ListpackEntrySet {
  private table = new Int32Array(2 * SLOTS_AT_FIRST);
  private readonly text = new EntryText();
  private readonly other = new EntryText();

  constructor(
    private readonly hashKey0: number,
    private readonly hashKey1: number,
  ) {}

  /**
   * Whether the first entries of each `group` entries are different, of the listpack of `count`
   * entries that begins at `start`. Requires: the listpack is sound.
   */
  areUnique(view: DataView, start: number, count: number, group: number): boolean {
    const { text } = this;
    const members = Math.ceil(count / group);
    const mask = this.clear(members);
    const { table } = this;
    for (let at = start + Listpack.HEADER; !listpackIsEnd(view, at); at = listpackNext(view, at)) {
      text.read(view, at);
      const hash =
        members <= FEW
          ? hashEnds(text.view, text.start, text.end)
          : hashBytes(text.view, text.start, text.end, this.hashKey0, this.hashKey1);
      let slot = hash & mask;
      while (table[2 * slot + 1] !== 0) {
        if (table[2 * slot] === hash && this.isSame(view, start + table[2 * slot + 1]))
          return false;
        slot = (slot + 1) & mask;
      }
      table[2 * slot] = hash;
      table[2 * slot + 1] = at - start;
      for (let skipped = 1; skipped < group; skipped++) at = listpackNext(view, at);
    }
    return true;
  }

  /** Whether the entry at `at` has the text that was read last. */
  private isSame(view: DataView, at: number): boolean {
    const { text, other } = this;
    other.read(view, at);
    const length = text.end - text.start;
    return (
      other.end - other.start === length &&
      equalBytes(text.view, text.start, other.view, other.start, length)
    );
  }

  /** Empties the table for `count` entries; returns the mask of its slots. */
  private clear(count: number): number {
    let slots = SLOTS_AT_FIRST;
    while (slots < 2 * count) slots *= 2;
    const words = 2 * slots;
    const isOversized = this.table.length > 2 * SLOTS_KEPT && slots <= SLOTS_KEPT;
    if (words > this.table.length || isOversized) this.table = new Int32Array(words);
    else this.table.fill(0, 0, words);
    return slots - 1;
  }
}
