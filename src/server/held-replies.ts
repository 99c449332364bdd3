// HOT PATH: rules in src/README.md
/**
 * Replies that wait until the changes of their turn are in the append-only file: nobody is told of
 * a change, or shown it, before it is written (and, with appendfsync always, durable).
 *
 *     bytes    | reply | reply | reply | ...      in the order of sending
 *     ends     each reply's end, beside the connection it is for
 *
 * While nothing is to be written, `isOn` is false, and replies go to their sockets directly. The
 * copy costs less than a system call, and one write and one fdatasync serve all clients of a turn.
 */

/** The connection's side. */
export interface HeldConnection {
  /** Replies are held: it must not end before they are sent. */
  isHeld: boolean;
  send(bytes: Uint8Array, from: number, to: number): void;
  /** All replies that were held are sent. */
  onReleased(): void;
}

const CAPACITY_AT_FIRST = 64 * 1024;
/** Shorter replies are copied byte by byte: that is faster than to make a view. */
const LOOP_BYTES_MAX = 64;
/** More is not held: the changes are written at once. */
const HELD_BYTES_MAX = 1024 * 1024;

export class HeldReplies {
  isOn = false;
  /** Replies that wait; several in a row for one connection count once. */
  count = 0;

  private bytes = new Uint8Array(CAPACITY_AT_FIRST);
  private length = 0;
  private readonly connections: HeldConnection[] = [];
  private readonly ends: number[] = [];

  /** Whether so many bytes more may be held. */
  hasRoom(count: number): boolean {
    return this.length + count <= HELD_BYTES_MAX;
  }

  /** Keeps a copy of bytes[from, to) for a connection. */
  add(connection: HeldConnection, bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.length + length > this.bytes.length) this.grow(this.length + length);
    if (length > LOOP_BYTES_MAX) this.bytes.set(bytes.subarray(from, to), this.length);
    else for (let i = 0; i < length; i++) this.bytes[this.length + i] = bytes[from + i];
    this.length += length;
    const { connections, ends, count } = this;
    if (count > 0 && connections[count - 1] === connection) {
      ends[count - 1] = this.length;
      return;
    }
    connections[count] = connection;
    ends[count] = this.length;
    this.count++;
    connection.isHeld = true;
  }

  /** The changes are written: sends all replies. */
  release(): void {
    this.isOn = false;
    const { connections, ends, count } = this;
    let from = 0;
    for (let i = 0; i < count; i++) {
      connections[i].isHeld = false;
      connections[i].send(this.bytes, from, ends[i]);
      from = ends[i];
    }
    for (let i = 0; i < count; i++) connections[i].onReleased();
    connections.length = 0;
    this.length = 0;
    this.count = 0;
  }

  /** COLD: a turn with more replies than any before. */
  private grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }
}
