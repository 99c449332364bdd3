/**
 * A ring of bytes in shared memory: how a snapshot gets from the thread that walks the keyspace to
 * the one that writes the file.
 *
 *     offset  size      meaning
 *          0  u32       head: bytes written, modulo 2^32
 *          4  u32       tail: bytes read, modulo 2^32
 *          8  i32       request, of the walking thread (RingRequest)
 *         12  i32       phase, of the writing thread (RingPhase)
 *         16  i32       of a failure: the sink's stage
 *         20  u32       of a failure: bytes of its text
 *         24  i32       signal: counts the writes and requests of the walking thread
 *         64  512       the text, UTF-8
 *       1024  2^22      the ring
 *
 * One thread writes and one reads; each owns its words. The writing thread sleeps on
 * `signal`, and the walking one, if it waits at all, on `tail`.
 */

const RING_AT = 1024;
const RING_BYTES = 4 * 1024 * 1024;
const TEXT_AT = 64;
const TEXT_BYTES_MAX = 512;

const enum Word {
  HEAD = 0,
  TAIL = 1,
  REQUEST = 2,
  PHASE = 3,
  STAGE = 4,
  TEXT_BYTES = 5,
  SIGNAL = 6,
}

export const enum RingRequest {
  WRITE = 0,
  /** Nothing more comes: the file is complete. */
  FINISH = 1,
  /** The file is not wanted any more. */
  ABANDON = 2,
}

export const enum RingPhase {
  STARTING = 0,
  WRITING = 1,
  DONE = 2,
  FAILED = 3,
  ABANDONED = 4,
}

/** What went wrong in the writing thread: the sink's stage, and the system's words. */
export interface RingFailure {
  readonly stage: number;
  readonly text: string;
}

export class SnapshotRing {
  private readonly words: Int32Array;
  private readonly bytes: Uint8Array;
  private readonly textBytes: Uint8Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(RING_AT + RING_BYTES)) {
    this.words = new Int32Array(memory, 0, TEXT_AT >> 2);
    this.bytes = new Uint8Array(memory, RING_AT, RING_BYTES);
    this.textBytes = new Uint8Array(memory, TEXT_AT, TEXT_BYTES_MAX);
  }

  // --- The walking thread

  /** Takes bytes[start, end), or as many as there is room for, and returns how many. */
  write(bytes: Uint8Array, start: number, end: number): number {
    const head = Atomics.load(this.words, Word.HEAD);
    const used = (head - Atomics.load(this.words, Word.TAIL)) >>> 0;
    const count = Math.min(end - start, RING_BYTES - used);
    if (count === 0) return 0;
    const at = head & (RING_BYTES - 1);
    const first = Math.min(count, RING_BYTES - at);
    this.bytes.set(bytes.subarray(start, start + first), at);
    if (first < count) this.bytes.set(bytes.subarray(start + first, start + count), 0);
    Atomics.store(this.words, Word.HEAD, (head + count) | 0);
    this.signal();
    return count;
  }

  request(request: RingRequest): void {
    Atomics.store(this.words, Word.REQUEST, request);
    this.signal();
  }

  get phase(): RingPhase {
    return Atomics.load(this.words, Word.PHASE);
  }

  /** The reason of phase FAILED. */
  failure(): RingFailure {
    const length = this.words[Word.TEXT_BYTES];
    return {
      stage: this.words[Word.STAGE],
      text: Buffer.from(this.textBytes.slice(0, length)).toString(),
    };
  }

  /** Sleeps until the other thread has read something or its phase has changed, or some ms. */
  awaitReader(ms: number): void {
    const tail = Atomics.load(this.words, Word.TAIL);
    const isFull = (Atomics.load(this.words, Word.HEAD) - tail) >>> 0 === RING_BYTES;
    if (isFull) Atomics.wait(this.words, Word.TAIL, tail, ms);
  }

  /** Sleeps until the phase is not this one, or some ms. */
  awaitPhase(phase: RingPhase, ms: number): void {
    Atomics.wait(this.words, Word.PHASE, phase, ms);
  }

  // --- The writing thread

  setPhase(phase: RingPhase): void {
    Atomics.store(this.words, Word.PHASE, phase);
    Atomics.notify(this.words, Word.PHASE);
    Atomics.notify(this.words, Word.TAIL);
  }

  fail({ stage, text }: RingFailure): void {
    const bytes = Buffer.from(text).subarray(0, TEXT_BYTES_MAX);
    this.textBytes.set(bytes);
    this.words[Word.STAGE] = stage;
    this.words[Word.TEXT_BYTES] = bytes.length;
    this.setPhase(RingPhase.FAILED);
  }

  /** Whether the file is not wanted any more. */
  get isAbandoned(): boolean {
    return Atomics.load(this.words, Word.REQUEST) === RingRequest.ABANDON;
  }

  /** Calls `visit` with a piece of what was written. Returns what was asked for with the last one. */
  read(
    visit: (bytes: Uint8Array, start: number, end: number) => void,
    sleepMs: number,
  ): RingRequest {
    const signal = Atomics.load(this.words, Word.SIGNAL);
    const request: RingRequest = Atomics.load(this.words, Word.REQUEST);
    if (request === RingRequest.ABANDON) return request;
    const tail = Atomics.load(this.words, Word.TAIL);
    const head = Atomics.load(this.words, Word.HEAD);
    const count = (head - tail) >>> 0;
    if (count === 0) {
      if (request === RingRequest.WRITE) Atomics.wait(this.words, Word.SIGNAL, signal, sleepMs);
      return request;
    }
    const at = tail & (RING_BYTES - 1);
    const end = Math.min(RING_BYTES, at + count, at + PIECE_BYTES_MAX);
    visit(this.bytes, at, end);
    Atomics.store(this.words, Word.TAIL, (tail + end - at) | 0);
    Atomics.notify(this.words, Word.TAIL);
    return RingRequest.WRITE;
  }

  private signal(): void {
    Atomics.add(this.words, Word.SIGNAL, 1);
    Atomics.notify(this.words, Word.SIGNAL);
  }
}

/** Room is given back in pieces, so that the walk need not wait for all of it. */
const PIECE_BYTES_MAX = 256 * 1024;
