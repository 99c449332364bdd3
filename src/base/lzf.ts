// HOT PATH: rules in src/README.md
/**
 * LZF, the compression of long strings in RDB files.
 *
 * A compressed text is a sequence of literal runs and references into what has been written so far:
 *
 *   000LLLLL  bytes...             L + 1 literal bytes (1..32)
 *   LLLooooo  oooooooo             copy L + 2 bytes (3..8) from o + 1 back (1..8192), L = 1..6
 *   111ooooo  LLLLLLLL  oooooooo   copy L + 9 bytes (9..264) from o + 1 back
 *
 * The offset's high five bits come first. A copy may overlap its own output, which repeats a short
 * text.
 *
 * The compressor finds references through a table of the last position of each three-byte hash.
 * Clearing the table per text would cost more than a short text itself, so positions are stored
 * plus a base that grows with every text, and what is below the current base is void. Any valid
 * output is legal: readers do not care which references were chosen. Compression and decompression
 * are O(bytes).
 */

const LITERALS_MAX = 32;
const DISTANCE_MAX = 8192;
const MATCH_MAX = 264;
const MATCH_MIN = 3;

const HASH_BITS = 14;
const BASE_MAX = 0x40000000;

/**
 * Decompresses input[inputStart, inputEnd) to output[outputStart, outputEnd). Returns the number of
 * bytes written, or -1 if the input is corrupt or does not fit; then the output holds garbage.
 * Reads and writes only in its ranges.
 */
export function lzfDecompress(
  input: Uint8Array,
  inputStart: number,
  inputEnd: number,
  output: Uint8Array,
  outputStart: number,
  outputEnd: number,
): number {
  let from = inputStart;
  let to = outputStart;
  while (from < inputEnd) {
    const control = input[from++];
    if (control < LITERALS_MAX) {
      const stop = from + control + 1;
      if (stop > inputEnd || to + control + 1 > outputEnd) return -1;
      while (from < stop) output[to++] = input[from++];
      continue;
    }
    let length = (control >>> 5) + 2;
    if (length === 9) {
      if (from >= inputEnd) return -1;
      length += input[from++];
    }
    if (from >= inputEnd) return -1;
    let source = to - ((control & 0x1f) << 8) - input[from++] - 1;
    const stop = to + length;
    if (source < outputStart || stop > outputEnd) return -1;
    // Byte by byte, since the source may run into what this very copy writes.
    while (to < stop) output[to++] = output[source++];
  }
  return to - outputStart;
}

/** The compressor with its table; keep one and use it for many texts. 64 KiB. */
export class LzfCompressor {
  readonly #lastPosition = new Int32Array(1 << HASH_BITS);
  /**
   * Positions of the current text are stored as base + position; smaller entries are of older
   * texts.
   */
  #base = 1;

  /**
   * Compresses input[inputStart, inputEnd) to output[outputStart, outputEnd). Returns the number of
   * bytes written, or 0 if they would not fit: give less room than the input to ask for a gain.
   * Requires: input below 2^30 bytes.
   */
  compress(
    input: Uint8Array,
    inputStart: number,
    inputEnd: number,
    output: Uint8Array,
    outputStart: number,
    outputEnd: number,
  ): number {
    const size = inputEnd - inputStart;
    if (this.#base + size > BASE_MAX) {
      this.#lastPosition.fill(0);
      this.#base = 1;
    }
    const table = this.#lastPosition;
    const shift = this.#base - inputStart;
    this.#base += size;

    let to = outputStart;
    let literalStart = inputStart;
    let at = inputStart;
    const lastStart = inputEnd - MATCH_MIN;
    while (at <= lastStart) {
      const slot = hashAt(input, at);
      const candidate = table[slot] - shift;
      table[slot] = at + shift;
      if (
        candidate < inputStart ||
        at - candidate > DISTANCE_MAX ||
        input[candidate] !== input[at] ||
        input[candidate + 1] !== input[at + 1] ||
        input[candidate + 2] !== input[at + 2]
      ) {
        at++;
        continue;
      }
      to = writeLiterals(input, literalStart, at, output, to, outputEnd);
      if (to < 0 || to + 3 > outputEnd) return 0;
      const stop = Math.min(inputEnd, at + MATCH_MAX);
      let end = at + MATCH_MIN;
      while (end < stop && input[candidate + end - at] === input[end]) end++;
      to = writeReference(output, to, at - candidate - 1, end - at);
      // Positions inside the match are worth finding too; the last ones are where the next match
      // tends to start.
      for (let inside = Math.max(at + 1, end - 2); inside < end && inside <= lastStart; inside++) {
        table[hashAt(input, inside)] = inside + shift;
      }
      at = end;
      literalStart = end;
    }
    to = writeLiterals(input, literalStart, inputEnd, output, to, outputEnd);
    return to < 0 ? 0 : to - outputStart;
  }
}

/**
 * Slot of the three bytes at an offset: Knuth's multiplicative hash, of which the high bits mix
 * best.
 */
function hashAt(input: Uint8Array, at: number): number {
  const bytes = (input[at] << 16) | (input[at + 1] << 8) | input[at + 2];
  return Math.imul(bytes, 0x9e3779b1) >>> (32 - HASH_BITS);
}

/** Writes a range as literal runs and returns the offset after them, or -1 if there is no room. */
function writeLiterals(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  offset: number,
  outputEnd: number,
): number {
  let from = start;
  let to = offset;
  while (from < end) {
    const stop = Math.min(end, from + LITERALS_MAX);
    if (to + 1 + (stop - from) > outputEnd) return -1;
    output[to++] = stop - from - 1;
    while (from < stop) output[to++] = input[from++];
  }
  return to;
}

function writeReference(
  output: Uint8Array,
  offset: number,
  distance: number,
  length: number,
): number {
  let to = offset;
  const high = distance >>> 8;
  if (length < 9) {
    output[to++] = ((length - 2) << 5) | high;
  } else {
    output[to++] = 0xe0 | high;
    output[to++] = length - 9;
  }
  output[to++] = distance;
  return to;
}
