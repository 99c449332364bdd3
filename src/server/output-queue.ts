// HOT PATH: rules in src/README.md
/**
 * Bytes that a peer has not taken yet, in order. Empty for every client that reads its replies:
 * what a write takes at once never comes here.
 */

export class OutputQueue {
  /** Bytes that wait. */
  length = 0;
  private chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that are sent already. */
  private sent = 0;

  get buffers(): number {
    return this.chunks.length;
  }

  /** Appends a copy of bytes from..to. O(bytes). */
  push(bytes: Uint8Array, from: number, to: number): void {
    this.chunks.push(bytes.slice(from, to));
    this.length += to - from;
  }

  /** Offers what waits to `write`, which returns how many bytes it took; true when all are gone. */
  drain(write: (bytes: Uint8Array, from: number, count: number) => number): boolean {
    let done = 0;
    while (done < this.chunks.length) {
      const chunk = this.chunks[done];
      const count = chunk.length - this.sent;
      const taken = Math.max(0, write(chunk, this.sent, count));
      this.length -= taken;
      if (taken < count) {
        this.sent += taken;
        break;
      }
      this.sent = 0;
      done++;
    }
    if (done > 0) this.chunks.splice(0, done);
    return this.chunks.length === 0;
  }

  clear(): void {
    this.chunks.length = 0;
    this.length = 0;
    this.sent = 0;
  }
}
