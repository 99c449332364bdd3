// HOT PATH: rules in src/README.md
/**
 * A list of records that a walk over an index has collected, to be worked on afterwards: a visitor
 * must not change the index that it is shown. One list serves many walks and keeps its capacity.
 *
 * Removing one of the collected records leaves the other references valid. `push` is amortised O(1).
 */
const CAPACITY_AT_FIRST = 64;

export class RecordList {
  records = new Int32Array(CAPACITY_AT_FIRST);
  length = 0;

  /** Visitor for HashIndex.scan and eachEntry: made once, so that a walk allocates nothing. */
  readonly push = (record: number): void => {
    if (this.length === this.records.length) this.grow();
    this.records[this.length++] = record;
  };

  private grow(): void {
    const records = new Int32Array(this.records.length * 2);
    records.set(this.records);
    this.records = records;
  }
}
