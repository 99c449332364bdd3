// HOT PATH: rules in src/README.md
/**
 * A set of 32-bit hashes, outside the arena: for as long as a snapshot lasts.
 *
 *     slots    Int32Array of 2^n, open addressing, linear probing, by the hash's lower bits;
 *              0 = free, so whether the hash 0 is in the set stands aside
 *
 * Invariant: at most half of the slots are taken. add and has are O(1) expected.
 *
 * Why not a JavaScript Set: three million numbers in one cost 100 MB, and the collector's time.
 */

const SLOTS_AT_FIRST = 64;

export class HashSet {
  size = 0;

  private slots = new Int32Array(SLOTS_AT_FIRST);
  private hasZero = false;

  has(hash: number): boolean {
    if (hash === 0) return this.hasZero;
    const { slots } = this;
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
    if (!place(this.slots, hash)) return false;
    this.size++;
    if (this.size * 2 > this.slots.length) this.grow();
    return true;
  }

  /** COLD: once per doubling. */
  private grow(): void {
    const slots = new Int32Array(this.slots.length * 2);
    for (const hash of this.slots) if (hash !== 0) place(slots, hash);
    this.slots = slots;
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
