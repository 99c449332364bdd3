// HOT PATH: rules in src/README.md
/**
 * HyperLogLogs: estimates of how many different elements were added, in strings of Redis's bytes.
 *
 *     offset  size  meaning
 *          0  4     "HYLL"
 *          4  u8    representation: 0 dense, 1 sparse
 *          5  3     unused
 *          8  u64   cardinality as last computed; its highest bit = outdated
 *         16        registers
 *
 *     dense   16384 registers of 6 bits, from the least significant bit of each byte on: 12288 bytes
 *     sparse  runs of registers:  00xxxxxx           x + 1 zeros             (ZERO, 1..64)
 *                                 01xxxxxx yyyyyyyy  xy + 1 zeros            (XZERO, 1..16384)
 *                                 1vvvvvxx           x + 1 times value v + 1 (VAL, 1..4 times 1..32)
 *
 * An element's 64-bit hash chooses a register by its low 14 bits; the register keeps the largest
 * rank seen, the position of the lowest one among the other 50 bits. The estimate is that of
 * O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017). The hash is
 * MurmurHash64A with Redis's seed, in 32-bit halves, since bigint allocates.
 *
 * A sparse string is what the same elements in the same order make of it in Redis: runs are split
 * and merged by the same rules, so that strings can be compared and replicated as bytes.
 *
 * Invariant: a valid sparse string has at most 2 bytes for each register, `Hll.SPARSE_BYTES_MAX` in
 * all. Whatever users wrote over a string, nothing outside of it is read or written.
 *
 * Hashing is O(length), setting a register O(1) dense and O(bytes) sparse, the rest O(registers).
 */

export const enum Hll {
  HEADER = 16,
  REGISTERS = 16384,
  DENSE_BYTES = 12304,
  SPARSE_BYTES_MAX = 32784,
  /** A sparse string without elements. */
  EMPTY_BYTES = 18,
  REPRESENTATION_AT = 4,
  CARDINALITY_AT = 8,
  OUTDATED_AT = 15,
  DENSE = 0,
  SPARSE = 1,
}

/** Results of `hllSparseSet` that are no length. */
export const enum HllResult {
  UNCHANGED = 0,
  CORRUPT = -1,
  MUST_BE_DENSE = -2,
}

const MAGIC = 0x4c4c5948;
const INDEX_BITS = 14;
const INDEX_MASK = 16383;
/** Bits of a hash beside the register's index; a rank is at most one more. */
const RANK_BITS = 50;
const VAL_MAX = 32;
const VAL_RUN_MAX = 4;
const ZERO_RUN_MAX = 64;
/** A merge of equal neighbours looks at so many runs. */
const MERGED_RUNS_MAX = 5;
/** 0.5 / ln 2 */
const ALPHA = 0.7213475204444817;

const SEED = 0xadc83b19 | 0;
const M_HIGH = 0xc6a4a793 | 0;
const M_LOW = 0x5bd1e995;
const M_LOW_UPPER = 0x5bd1;
const M_LOW_LOWER = 0xe995;

/** The register of an element in the low 14 bits, its rank above. */
export function hllElement(view: DataView, start: number, end: number): number {
  const length = end - start;
  let low = SEED ^ Math.imul(length, M_LOW);
  let high = (highOfProduct(length) + Math.imul(length, M_HIGH)) | 0;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    let wordLow = view.getInt32(at, true);
    let wordHigh = view.getInt32(at + 4, true);
    wordHigh =
      (highOfProduct(wordLow) + Math.imul(wordLow, M_HIGH) + Math.imul(wordHigh, M_LOW)) | 0;
    wordLow = Math.imul(wordLow, M_LOW);
    wordLow ^= wordHigh >>> 15;
    wordHigh =
      (highOfProduct(wordLow) + Math.imul(wordLow, M_HIGH) + Math.imul(wordHigh, M_LOW)) | 0;
    low ^= Math.imul(wordLow, M_LOW);
    high ^= wordHigh;
    high = (highOfProduct(low) + Math.imul(low, M_HIGH) + Math.imul(high, M_LOW)) | 0;
    low = Math.imul(low, M_LOW);
  }
  const rest = end - at;
  if (rest > 0) {
    for (let i = 0; i < rest; i++) {
      const byte = view.getUint8(at + i);
      if (i < 4) low ^= byte << (i * 8);
      else high ^= byte << (i * 8 - 32);
    }
    high = (highOfProduct(low) + Math.imul(low, M_HIGH) + Math.imul(high, M_LOW)) | 0;
    low = Math.imul(low, M_LOW);
  }
  low ^= high >>> 15;
  high = (highOfProduct(low) + Math.imul(low, M_HIGH) + Math.imul(high, M_LOW)) | 0;
  low = Math.imul(low, M_LOW);
  low ^= high >>> 15;
  return (low & INDEX_MASK) | (rankOf(low, high) << INDEX_BITS);
}

/** The upper 32 bits of the unsigned product of a word and M_LOW. */
function highOfProduct(word: number): number {
  const upper = word >>> 16;
  const lower = word & 0xffff;
  const middle = upper * M_LOW_LOWER + ((lower * M_LOW_LOWER) >>> 16);
  const middleLower = lower * M_LOW_UPPER + (middle & 0xffff);
  return (upper * M_LOW_UPPER + (middle >>> 16) + (middleLower >>> 16)) | 0;
}

function rankOf(low: number, high: number): number {
  const rest = low >>> INDEX_BITS;
  if (rest !== 0) return 32 - Math.clz32(rest & -rest);
  if (high === 0) return RANK_BITS + 1;
  return 32 - INDEX_BITS + 32 - Math.clz32(high & -high);
}

/** Writes a HyperLogLog without elements, `Hll.EMPTY_BYTES` long. */
export function hllWriteEmpty(view: DataView, at: number): void {
  view.setInt32(at, MAGIC, true);
  view.setInt32(at + 4, Hll.SPARSE, true);
  view.setInt32(at + 8, 0, true);
  view.setInt32(at + 12, 0, true);
  view.setUint16(at + Hll.HEADER, 0x7fff);
}

/** Whether a string looks like a HyperLogLog. Its sparse runs may be corrupt nevertheless. */
export function hllIsValid(view: DataView, at: number, length: number): boolean {
  if (length < Hll.HEADER || view.getInt32(at, true) !== MAGIC) return false;
  const representation = view.getUint8(at + Hll.REPRESENTATION_AT);
  if (representation === Hll.DENSE) return length === Hll.DENSE_BYTES;
  return representation === Hll.SPARSE;
}

/** Raises a register of a dense string to `rank`; false if it was as high already. */
export function hllDenseSet(bytes: Uint8Array, at: number, index: number, rank: number): boolean {
  if (rank <= hllDenseGet(bytes, at, index)) return false;
  denseWrite(bytes, at, index, rank);
  return true;
}

/** A register of a dense string. */
export function hllDenseGet(bytes: Uint8Array, at: number, index: number): number {
  const bit = index * 6;
  const byteAt = at + Hll.HEADER + (bit >>> 3);
  const shift = bit & 7;
  if (shift <= 2) return (bytes[byteAt] >>> shift) & 63;
  return ((bytes[byteAt] >>> shift) | (bytes[byteAt + 1] << (8 - shift))) & 63;
}

function denseWrite(bytes: Uint8Array, at: number, index: number, value: number): void {
  const bit = index * 6;
  const byteAt = at + Hll.HEADER + (bit >>> 3);
  const shift = bit & 7;
  bytes[byteAt] = (bytes[byteAt] & ~(63 << shift)) | (value << shift);
  if (shift <= 2) return;
  const taken = 8 - shift;
  bytes[byteAt + 1] = (bytes[byteAt + 1] & ~(63 >>> taken)) | (value >>> taken);
}

/** Registers of each run of one byte; for XZERO, which has two, more than there are. */
const RUN_REGISTERS = new Uint16Array(256);
const IS_XZERO = 32768;
for (let first = 0; first < 256; first++) {
  RUN_REGISTERS[first] = first >= 0x80 ? (first & 3) + 1 : first < 0x40 ? first + 1 : IS_XZERO;
}

/** Registers of the run at `at`. The second byte of one that the string's end cuts off counts as 0. */
function runRegisters(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at];
  const count = RUN_REGISTERS[first];
  if (count !== IS_XZERO) return count;
  return (((first & 0x3f) << 8) | (at + 1 < end ? bytes[at + 1] : 0)) + 1;
}

function isXzero(first: number): boolean {
  return first >= 0x40 && first < 0x80;
}

function valOf(first: number): number {
  return ((first >>> 2) & 31) + 1;
}

function valRun(value: number, count: number): number {
  return 0x80 | ((value - 1) << 2) | (count - 1);
}

/** Writes a run of zeros and returns the offset behind it. */
function writeZeros(bytes: Uint8Array, at: number, count: number): number {
  if (count <= ZERO_RUN_MAX) {
    bytes[at] = count - 1;
    return at + 1;
  }
  bytes[at] = 0x40 | ((count - 1) >>> 8);
  bytes[at + 1] = count - 1;
  return at + 2;
}

/**
 * Where `hllSparseFind` found a register, as offsets from the string's beginning: its run, that
 * run's first register and their count, and the run before.
 */
let foundRun = 0;
let foundFirst = 0;
let foundCount = 0;
let foundPrevious = 0;
/** The run before the run before, and its first register: no change at the found run moves it. */
let resumeRun = 0;
let resumeFirst = 0;

/**
 * The value of a register of the sparse string bytes[at, at + length), or `HllResult.CORRUPT`.
 * `resumes`: the last search was in the same string, maybe changed by `hllSparseRaise` since, for a
 * register before this one. It goes on near there.
 */
export function hllSparseFind(
  bytes: Uint8Array,
  at: number,
  length: number,
  index: number,
  resumes: boolean,
): number {
  const end = at + length;
  let run = at + (resumes ? resumeRun : Hll.HEADER);
  let first = resumes ? resumeFirst : 0;
  let previous = run;
  let previousFirst = first;
  let before = run;
  let beforeFirst = first;
  let count = 0;
  while (run < end) {
    if (run + 4 <= end) {
      // Most runs have one byte: four of them that end before the register are one step.
      const third = RUN_REGISTERS[bytes[run + 2]];
      const fourth = RUN_REGISTERS[bytes[run + 3]];
      const next = first + RUN_REGISTERS[bytes[run]] + RUN_REGISTERS[bytes[run + 1]];
      if (next + third + fourth <= index) {
        run += 4;
        first = next + third + fourth;
        previous = run - 1;
        previousFirst = first - fourth;
        before = run - 2;
        beforeFirst = previousFirst - third;
        continue;
      }
    }
    let size = 1;
    count = RUN_REGISTERS[bytes[run]];
    if (count === IS_XZERO) {
      count = runRegisters(bytes, run, end);
      size = 2;
    }
    if (index < first + count) break;
    before = previous;
    beforeFirst = previousFirst;
    previous = run;
    previousFirst = first;
    run += size;
    first += count;
  }
  if (before === previous && before !== at + Hll.HEADER) {
    // It began so near that it missed a run.
    return hllSparseFind(bytes, at, length, index, false);
  }
  foundRun = run - at;
  foundFirst = first;
  foundCount = count;
  foundPrevious = previous - at;
  resumeRun = before - at;
  resumeFirst = beforeFirst;
  if (run >= end) return HllResult.CORRUPT;
  const opcode = bytes[run];
  return opcode >= 0x80 ? valOf(opcode) : 0;
}

/**
 * Raises a register of the sparse string bytes[at, at + length) to `rank`. Returns the new length,
 * `HllResult.UNCHANGED` if it was as high already, `HllResult.MUST_BE_DENSE` if the sparse representation
 * cannot hold it or would grow beyond `bytesMax` (then nothing has changed), or `HllResult.CORRUPT`.
 * `resumes` as for `hllSparseFind`. Requires: room for 3 more bytes.
 */
export function hllSparseSet(
  bytes: Uint8Array,
  at: number,
  length: number,
  index: number,
  rank: number,
  bytesMax: number,
  resumes = false,
): number {
  if (rank > VAL_MAX) return HllResult.MUST_BE_DENSE;
  const value = hllSparseFind(bytes, at, length, index, resumes);
  if (value < 0) return HllResult.CORRUPT;
  if (value >= rank) return HllResult.UNCHANGED;
  return hllSparseRaise(bytes, at, length, index, rank, bytesMax);
}

/**
 * Raises the register that `hllSparseFind` found last, in this string or in one of which it is a
 * copy; as `hllSparseSet`. Requires: it was lower.
 */
export function hllSparseRaise(
  bytes: Uint8Array,
  at: number,
  length: number,
  index: number,
  rank: number,
  bytesMax: number,
): number {
  if (rank > VAL_MAX) return HllResult.MUST_BE_DENSE;
  const end = at + length;
  const run = at + foundRun;
  const previous = at + foundPrevious;
  const first = foundFirst;
  const count = foundCount;
  const opcode = bytes[run];
  const isVal = opcode >= 0x80;
  if (count === 1 && !isXzero(opcode)) {
    bytes[run] = valRun(rank, 1);
    return mergeRuns(bytes, at, previous, end);
  }
  const before = index - first;
  const after = first + count - 1 - index;
  const oldBytes = isXzero(opcode) ? 2 : 1;
  const newBytes = isVal
    ? 1 + (before > 0 ? 1 : 0) + (after > 0 ? 1 : 0)
    : 1 + zerosBytes(before) + zerosBytes(after);
  const growth = newBytes - oldBytes;
  if (growth > 0 && length + growth > bytesMax) return HllResult.MUST_BE_DENSE;
  const next = Math.min(run + oldBytes, end);
  if (growth !== 0) bytes.copyWithin(next + growth, next, end);
  let to = run;
  if (before > 0) {
    if (isVal) bytes[to++] = valRun(valOf(opcode), before);
    else to = writeZeros(bytes, to, before);
  }
  bytes[to++] = valRun(rank, 1);
  if (after > 0) {
    if (isVal) bytes[to] = valRun(valOf(opcode), after);
    else writeZeros(bytes, to, after);
  }
  return mergeRuns(bytes, at, previous, end + growth);
}

function zerosBytes(count: number): number {
  return count === 0 ? 0 : count <= ZERO_RUN_MAX ? 1 : 2;
}

/** Merges neighbours with one value near `from`; returns the length of the string at `at`. */
function mergeRuns(bytes: Uint8Array, at: number, from: number, stringEnd: number): number {
  let end = stringEnd;
  let run = from;
  for (let looks = MERGED_RUNS_MAX; run < end && looks > 0; looks--) {
    const opcode = bytes[run];
    if (opcode < 0x80) {
      run += isXzero(opcode) ? 2 : 1;
      continue;
    }
    const neighbour = bytes[run + 1];
    if (run + 1 < end && neighbour >= 0x80 && valOf(neighbour) === valOf(opcode)) {
      const count = (opcode & 3) + (neighbour & 3) + 2;
      if (count <= VAL_RUN_MAX) {
        bytes[run + 1] = valRun(valOf(opcode), count);
        bytes.copyWithin(run, run + 1, end);
        end--;
        continue;
      }
    }
    run++;
  }
  return end - at;
}

/**
 * Writes the dense form of a sparse string to target[targetAt, + Hll.DENSE_BYTES), header included;
 * false if the sparse one is corrupt. Requires: the two do not overlap.
 */
export function hllToDense(
  bytes: Uint8Array,
  at: number,
  length: number,
  target: Uint8Array,
  targetAt: number,
): boolean {
  for (let i = 0; i < Hll.HEADER; i++) target[targetAt + i] = bytes[at + i];
  target[targetAt + Hll.REPRESENTATION_AT] = Hll.DENSE;
  target.fill(0, targetAt + Hll.HEADER, targetAt + Hll.DENSE_BYTES);
  const end = at + length;
  let index = 0;
  for (let run = at + Hll.HEADER; run < end;) {
    const opcode = bytes[run];
    if (isXzero(opcode) && run + 1 === end) return false;
    const count = runRegisters(bytes, run, end);
    if (index + count > Hll.REGISTERS) return false;
    if (opcode >= 0x80) {
      for (let i = 0; i < count; i++) denseWrite(target, targetAt, index + i, valOf(opcode));
    }
    index += count;
    run += isXzero(opcode) ? 2 : 1;
  }
  return index === Hll.REGISTERS;
}

/**
 * Raises registers[0..16383], one byte each, to those of a string; false if that is corrupt, and
 * then some may have been raised. Requires: `hllIsValid`.
 */
export function hllMerge(
  registers: Uint8Array,
  bytes: Uint8Array,
  at: number,
  length: number,
): boolean {
  if (bytes[at + Hll.REPRESENTATION_AT] === Hll.DENSE) {
    mergeDense(registers, bytes, at + Hll.HEADER);
    return true;
  }
  const end = at + length;
  let index = 0;
  for (let run = at + Hll.HEADER; run < end;) {
    const opcode = bytes[run];
    if (isXzero(opcode) && run + 1 === end) return false;
    const count = runRegisters(bytes, run, end);
    if (index + count > Hll.REGISTERS) return false;
    if (opcode >= 0x80) {
      const value = valOf(opcode);
      for (let i = 0; i < count; i++) {
        if (registers[index + i] < value) registers[index + i] = value;
      }
    }
    index += count;
    run += isXzero(opcode) ? 2 : 1;
  }
  return index === Hll.REGISTERS;
}

/** Four registers lie in three bytes. */
function mergeDense(registers: Uint8Array, bytes: Uint8Array, at: number): void {
  for (let index = 0, from = at; index < Hll.REGISTERS; index += 4, from += 3) {
    const bits = bytes[from] | (bytes[from + 1] << 8) | (bytes[from + 2] << 16);
    const first = bits & 63;
    const second = (bits >>> 6) & 63;
    const third = (bits >>> 12) & 63;
    const fourth = bits >>> 18;
    if (registers[index] < first) registers[index] = first;
    if (registers[index + 1] < second) registers[index + 1] = second;
    if (registers[index + 2] < third) registers[index + 2] = third;
    if (registers[index + 3] < fourth) registers[index + 3] = fourth;
  }
}

/** Writes registers, one byte each, over those of a dense string. */
export function hllWriteDense(registers: Uint8Array, bytes: Uint8Array, at: number): void {
  let to = at + Hll.HEADER;
  for (let index = 0; index < Hll.REGISTERS; index += 4, to += 3) {
    const bits =
      registers[index] |
      (registers[index + 1] << 6) |
      (registers[index + 2] << 12) |
      (registers[index + 3] << 18);
    bytes[to] = bits;
    bytes[to + 1] = bits >>> 8;
    bytes[to + 2] = bits >>> 16;
  }
}

/** The estimate for registers of one byte each. Infinity where Redis's sum of them is zero. */
export function hllEstimate(registers: Uint8Array): number {
  const histogram = new Int32Array(64);
  for (let index = 0; index < Hll.REGISTERS; index++) histogram[registers[index]]++;
  // Bytes above the largest rank are corrupt; they count for nothing, as in Redis.
  let sum = Hll.REGISTERS * tau((Hll.REGISTERS - histogram[RANK_BITS + 1]) / Hll.REGISTERS);
  for (let rank = RANK_BITS; rank >= 1; rank--) {
    sum += histogram[rank];
    sum *= 0.5;
  }
  sum += Hll.REGISTERS * sigma(histogram[0] / Hll.REGISTERS);
  return Math.round((ALPHA * Hll.REGISTERS * Hll.REGISTERS) / sum);
}

function sigma(of: number): number {
  if (of === 1) return Infinity;
  let x = of;
  let y = 1;
  let z = x;
  for (;;) {
    const before = z;
    x *= x;
    z += x * y;
    y += y;
    if (before === z) return z;
  }
}

function tau(of: number): number {
  if (of === 0 || of === 1) return 0;
  let x = of;
  let y = 1;
  let z = 1 - x;
  for (;;) {
    const before = z;
    x = Math.sqrt(x);
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
    if (before === z) return z / 3;
  }
}
