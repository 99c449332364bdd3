// HOT PATH: rules in src/README.md
/**
 * A set of 32-bit hashes, outside the arena: for as long as a snapshot lasts.
 *
 *     parts    256, by the hash's upper bits; made when they are needed, dropped when the walk has
 *              passed them
 *     part     Int32Array of 2^n slots, open addressing, linear probing, by the hash's lower bits;
 *              0 = free, so whether the hash 0 is in the set stands aside
 *
 * Invariant: at most half of a part's slots are taken. add and has are O(1) expected; a part that
 * grows holds a 256th of the hashes, so that nobody waits for millions of them.
 *
 * Why not a JavaScript Set: three million numbers in one cost 100 MB, and the collector's time.
 */

const PARTS = 256;
const PART_SHIFT = 24;
const SLOTS_AT_FIRST = 64;
const NO_SLOTS = new Int32Array(0);

export class HashSet {
  /** Hashes that were added. */
  size = 0;

  private readonly parts: Int32Array[] = [];
  private readonly sizes = new Int32Array(PARTS);
  private hasZero = false;
  /** Parts below this one are freed. */
  private forgotten = 0;

  constructor() {
    for (let part = 0; part < PARTS; part++) this.parts.push(NO_SLOTS);
  }

  has(hash: number): boolean {
    if (hash === 0) return this.hasZero;
    const slots = this.parts[hash >>> PART_SHIFT];
    if (slots.length === 0) return false;
    const mask = slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      if (slots[at] === hash) return true;
      if (slots[at] === 0) return false;
    }
  }

  /** Adds a signed 32-bit hash; false if it is in the set already. */
  add(hash: number): boolean {
    if (hash === 0) {
      if (this.hasZero) return false;
      this.hasZero = true;
      this.size++;
      return true;
    }
    const part = hash >>> PART_SHIFT;
    // Twice as many slots as hashes after this one.
    if (this.sizes[part] * 2 >= this.parts[part].length) this.grow(part);
    if (!place(this.parts[part], hash)) return false;
    this.sizes[part]++;
    this.size++;
    return true;
  }

  /** Frees the parts with hashes below this one only: nobody asks for them any more. */
  forgetBelow(hash: number): void {
    const end = hash >>> PART_SHIFT;
    while (this.forgotten < end) this.parts[this.forgotten++] = NO_SLOTS;
  }

  /** COLD: once per doubling. */
  private grow(part: number): void {
    const old = this.parts[part];
    const slots = new Int32Array(Math.max(SLOTS_AT_FIRST, old.length * 2));
    for (const hash of old) if (hash !== 0) place(slots, hash);
    this.parts[part] = slots;
  }
}

/** Puts a hash, not 0, into the slots; false if it is there already. */
function place(slots: Int32Array, hash: number): boolean {
  const mask = slots.length - 1;
  let at = hash & mask;
  for (; slots[at] !== 0; at = (at + 1) & mask) if (slots[at] === hash) return false;
  slots[at] = hash;
  return true;
}
