// HOT PATH: rules in src/README.md
/**
 * The bytes that one connection sends at a time: the same command as often as the pipeline is long,
 * built once, in which only the digits of random numbers change.
 *
 *     SET key:__rand_int__ xxx   ->   SET key:000000004711 xxx
 *              ^ offsets[i]
 *
 * All connections of a thread share a batch: what the socket does not take at once, the connection
 * copies.
 */
import type { Prng } from "../../base/prng.ts";

const PLACEHOLDER = "__rand_int__";
const ZERO = 0x30;
const UINT32_SPAN = 2 ** 32;

export class RequestBatch {
  readonly bytes: Uint8Array;
  private readonly offsets: Uint32Array;
  /** The digits that can differ from zero. */
  private readonly digits: number;

  /**
   * `keyspace`: how many different numbers take the placeholder's place; 0 is but one, null leaves
   * the placeholder as it is.
   */
  constructor(
    command: Uint8Array,
    pipeline: number,
    private readonly keyspace: number | null,
    private readonly prng: Prng,
  ) {
    this.bytes = Buffer.concat(Array.from({ length: pipeline }, () => command));
    const offsets = keyspace === null ? [] : placeholdersOf(command);
    this.offsets = new Uint32Array(offsets.length * pipeline);
    for (let at = 0; at < this.offsets.length; at++) {
      const copy = Math.floor(at / offsets.length);
      this.offsets[at] = copy * command.length + offsets[at % offsets.length];
    }
    this.digits = String(Math.max(0, (keyspace ?? 0) - 1)).length;
    for (const offset of this.offsets) this.bytes.fill(ZERO, offset, offset + PLACEHOLDER.length);
  }

  /** Draws new numbers for all places. */
  randomize(): void {
    const { bytes, offsets, digits, prng } = this;
    const scale = (this.keyspace ?? 0) / UINT32_SPAN;
    for (let at = 0; at < offsets.length; at++) {
      let rest = (prng.nextUint32() * scale) >>> 0;
      const last = offsets[at] + PLACEHOLDER.length - 1;
      for (let digit = 0; digit < digits; digit++) {
        const tens = (rest / 10) >>> 0;
        bytes[last - digit] = ZERO + rest - tens * 10;
        rest = tens;
      }
    }
  }
}

/** COLD: once per run. */
function placeholdersOf(command: Uint8Array): number[] {
  const bytes = Buffer.from(command.buffer, command.byteOffset, command.byteLength);
  const offsets: number[] = [];
  let at = bytes.indexOf(PLACEHOLDER);
  while (at >= 0) {
    offsets.push(at);
    at = bytes.indexOf(PLACEHOLDER, at + PLACEHOLDER.length);
  }
  return offsets;
}
