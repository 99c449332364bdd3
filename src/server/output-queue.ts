// HOT PATH: rules in src/README.md
/**
 * Bytes that a peer has not taken yet, in order. Empty for every client that reads its replies:
 * what a write takes at once never comes here.
 *
 *     [ sent | waiting ] [ waiting ] ... [ waiting | room ]      blocks, oldest first
 *
 * Small pieces share blocks, so that a slow subscriber costs the bytes of its messages and not an
 * object for each, and is sent them in few writes.
 */

/** Capacity of a block, unless a single piece needs more. */
const BLOCK_BYTES = 16 * 1024;

export class OutputQueue {
  /** Bytes that wait. */
  length = 0;
  private blocks: Uint8Array[] = [];
  /** Bytes of the first block that are sent already. */
  private sent = 0;
  /** Bytes of the last block that are used. */
  private used = 0;

  get buffers(): number {
    return this.blocks.length;
  }

  /** Appends a copy of bytes from..to. O(bytes). */
  push(bytes: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (count === 0) return;
    const { blocks } = this;
    this.length += count;
    if (blocks.length > 0) {
      const last = blocks[blocks.length - 1];
      if (last.length - this.used >= count) {
        last.set(bytes.subarray(from, to), this.used);
        this.used += count;
        return;
      }
      // Only the last block may have room behind its bytes.
      blocks[blocks.length - 1] = last.subarray(0, this.used);
    }
    const block = new Uint8Array(Math.max(count, BLOCK_BYTES));
    block.set(bytes.subarray(from, to));
    blocks.push(block);
    this.used = count;
  }

  /** Offers what waits to `write`, which returns how many bytes it took; true when all are gone. */
  drain(write: (bytes: Uint8Array, from: number, count: number) => number): boolean {
    const { blocks } = this;
    const last = blocks.length - 1;
    let done = 0;
    while (done <= last) {
      const block = blocks[done];
      const end = done === last ? this.used : block.length;
      const count = end - this.sent;
      const taken = Math.max(0, write(block, this.sent, count));
      this.length -= taken;
      if (taken < count) {
        this.sent += taken;
        break;
      }
      this.sent = 0;
      done++;
    }
    if (done > 0) blocks.splice(0, done);
    return blocks.length === 0;
  }

  clear(): void {
    this.blocks.length = 0;
    this.length = 0;
    this.sent = 0;
    this.used = 0;
  }
}
