// HOT PATH: rules in src/README.md
/**
 * A growable list of entries of a HashIndex with their hashes, to collect them before they are
 * looked at: what is done with an entry may change the index.
 *
 * push is O(1) amortised; the arrays are kept, so that a long walk allocates nothing.
 */

const CAPACITY_AT_FIRST = 64;

export class HashedEntries {
  length = 0;
  entries = new Int32Array(CAPACITY_AT_FIRST);
  hashes = new Int32Array(CAPACITY_AT_FIRST);
  /** The block of the index whose entries were touched last. */
  touchedBlock = 0;

  push(entry: number, hash: number): void {
    if (this.length === this.entries.length) this.grow();
    this.entries[this.length] = entry;
    this.hashes[this.length++] = hash;
  }

  /** COLD: once per doubling. */
  private grow(): void {
    const entries = new Int32Array(this.entries.length * 2);
    const hashes = new Int32Array(this.hashes.length * 2);
    entries.set(this.entries);
    hashes.set(this.hashes);
    this.entries = entries;
    this.hashes = hashes;
  }
}
