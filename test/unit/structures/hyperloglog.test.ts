/** HyperLogLogs against a BigInt hash, a plain array of registers, and damaged strings. */
import { expect, test } from "bun:test";
import {
  Hll,
  HllResult,
  hllDenseGet,
  hllDenseSet,
  hllElement,
  hllEstimate,
  hllIsValid,
  hllMerge,
  hllSparseSet,
  hllToDense,
  hllWriteDense,
  hllWriteEmpty,
} from "../../../src/structures/hyperloglog.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/hyperloglog.test.ts";
const M = 0xc6a4a7935bd1e995n;
const ROOM = Hll.SPARSE_BYTES_MAX + 8;

/** MurmurHash64A as its author published it, with Redis's seed. */
function murmur(bytes: Uint8Array): bigint {
  const word = (value: bigint) => BigInt.asUintN(64, value);
  let hash = word(0xadc83b19n ^ word(BigInt(bytes.length) * M));
  const whole = bytes.length & ~7;
  for (let at = 0; at < whole; at += 8) {
    let block = word(new DataView(bytes.buffer, bytes.byteOffset + at).getBigUint64(0, true) * M);
    block = word((block ^ (block >> 47n)) * M);
    hash = word((hash ^ block) * M);
  }
  for (let at = bytes.length - 1; at >= whole; at--) {
    hash ^= BigInt(bytes[at]) << BigInt(8 * (at - whole));
  }
  if (whole < bytes.length) hash = word(hash * M);
  hash = word((hash ^ (hash >> 47n)) * M);
  return hash ^ (hash >> 47n);
}

/** The register and the rank that a hash stands for. */
function placeOf(hash: bigint): [index: number, rank: number] {
  let rest = (hash >> 14n) | (1n << 50n);
  let rank = 1;
  for (; (rest & 1n) === 0n; rest >>= 1n) rank++;
  return [Number(hash & 0x3fffn), rank];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

test("elements of every length hash as MurmurHash64A has it", async () => {
  await withSeed(FILE, seedOfRun(), (random) => {
    for (let length = 0; length < 100; length++) {
      for (let i = 0; i < 20; i++) {
        const bytes = Uint8Array.from({ length }, () => random.below(256));
        const element = hllElement(viewOf(bytes), 0, length);
        expect([element & 0x3fff, element >>> 14]).toEqual(placeOf(murmur(bytes)));
      }
    }
  });
});

test("sparse and dense strings hold the registers that were set", async () => {
  await withSeed(FILE, seedOfRun(), (random) => {
    for (const hot of [16384, 400, 40]) {
      const sparse = new Uint8Array(ROOM);
      const dense = new Uint8Array(Hll.DENSE_BYTES);
      const registers = new Uint8Array(Hll.REGISTERS);
      hllWriteEmpty(viewOf(sparse), 0);
      let length: number = Hll.EMPTY_BYTES;
      for (let i = 0; i < 1000; i++) {
        const index = random.below(hot);
        const rank = 1 + random.below(random.below(2) === 0 ? 3 : 32);
        const isHigher = rank > registers[index];
        if (isHigher) registers[index] = rank;
        const result = hllSparseSet(sparse, 0, length, index, rank, ROOM);
        expect(result > 0 ? "changed" : result).toBe(isHigher ? "changed" : HllResult.UNCHANGED);
        if (result > 0) length = result;
        expect(hllDenseSet(dense, 0, index, rank)).toBe(isHigher);
      }
      const fromSparse = new Uint8Array(Hll.REGISTERS);
      const fromDense = new Uint8Array(Hll.REGISTERS);
      dense.set(sparse.subarray(0, Hll.HEADER));
      dense[Hll.REPRESENTATION_AT] = Hll.DENSE;
      expect(hllIsValid(viewOf(sparse), 0, length)).toBeTrue();
      expect(hllIsValid(viewOf(dense), 0, dense.length)).toBeTrue();
      expect(hllMerge(fromSparse, sparse, 0, length)).toBeTrue();
      expect(hllMerge(fromDense, dense, 0, dense.length)).toBeTrue();
      expect(fromSparse).toEqual(registers);
      expect(fromDense).toEqual(registers);
      const converted = new Uint8Array(Hll.DENSE_BYTES);
      expect(hllToDense(sparse, 0, length, converted, 0)).toBeTrue();
      expect(converted).toEqual(dense);
      const written = dense.slice();
      written.fill(0xff, Hll.HEADER);
      hllWriteDense(registers, written, 0);
      expect(written).toEqual(dense);
    }
  });
});

test("searches in order go on where the last one ended, with the same result", async () => {
  await withSeed(FILE, seedOfRun(), (random) => {
    for (let round = 0; round < 60; round++) {
      const fresh = new Uint8Array(ROOM);
      hllWriteEmpty(viewOf(fresh), 0);
      let length: number = Hll.EMPTY_BYTES;
      const set = (bytes: Uint8Array, index: number, rank: number, resumes: boolean) =>
        hllSparseSet(bytes, 0, length, index, rank, ROOM, resumes);
      for (let i = random.below(1000); i > 0; i--) {
        const result = set(fresh, random.below(16384), 1 + random.below(4), false);
        if (result > 0) length = result;
      }
      const resumed = fresh.slice();
      const lengthBefore = length;
      const stride = 1 + random.below(50);
      const steps: [index: number, rank: number, result: number][] = [];
      for (let index = random.below(9); index < 16384; index += 1 + random.below(stride)) {
        const rank = 1 + random.below(random.below(3) === 0 ? 32 : 4);
        const result = set(fresh, index, rank, false);
        if (result > 0) length = result;
        steps.push([index, rank, result]);
      }
      length = lengthBefore;
      for (const [i, [index, rank, expected]] of steps.entries()) {
        const result = set(resumed, index, rank, i > 0);
        expect(result).toBe(expected);
        if (result > 0) length = result;
      }
      expect(resumed).toEqual(fresh);
    }
  });
});

test("neighbours in a dense string do not touch each other", () => {
  const dense = new Uint8Array(Hll.DENSE_BYTES);
  for (let index = 0; index < Hll.REGISTERS; index += 2) hllDenseSet(dense, 0, index, 63);
  for (let index = 0; index < Hll.REGISTERS; index++) {
    expect(hllDenseGet(dense, 0, index)).toBe(index % 2 === 0 ? 63 : 0);
  }
});

test("what does not fit a sparse string is left to a dense one", () => {
  const sparse = new Uint8Array(ROOM);
  hllWriteEmpty(viewOf(sparse), 0);
  const before = sparse.slice();
  const empty: number = Hll.EMPTY_BYTES;
  expect(hllSparseSet(sparse, 0, empty, 5, 33, ROOM)).toBe(HllResult.MUST_BE_DENSE);
  expect(hllSparseSet(sparse, 0, empty, 5, 1, empty)).toBe(HllResult.MUST_BE_DENSE);
  expect(sparse).toEqual(before);
  expect(hllSparseSet(sparse, 0, empty, 5, 32, empty + 3)).toBe(empty + 2);
});

test("damaged sparse strings are found out or read within their bytes", async () => {
  await withSeed(FILE, seedOfRun(), (random) => {
    for (let round = 0; round < 500; round++) {
      const bytes = new Uint8Array(ROOM).fill(0xee);
      hllWriteEmpty(viewOf(bytes), 0);
      let length: number = Hll.EMPTY_BYTES;
      for (let i = random.below(40); i > 0; i--) {
        const result = hllSparseSet(
          bytes,
          0,
          length,
          random.below(16384),
          1 + random.below(32),
          ROOM,
        );
        if (result > 0) length = result;
      }
      bytes[Hll.HEADER + random.below(length - Hll.HEADER)] = random.below(256);
      const behind = bytes.slice(length + 4);
      const result = hllSparseSet(bytes, 0, length, random.below(16384), 7, ROOM);
      expect(result).toBeLessThanOrEqual(length + 3);
      expect(bytes.slice(length + 4)).toEqual(behind);
      const size = result > 0 ? result : length;
      const dense = new Uint8Array(Hll.DENSE_BYTES);
      const registers = new Uint8Array(Hll.REGISTERS);
      expect(hllToDense(bytes, 0, size, dense, 0)).toBe(hllMerge(registers, bytes, 0, size));
    }
  });
});

test("estimates lie within six standard errors", () => {
  const registers = new Uint8Array(Hll.REGISTERS);
  expect(hllEstimate(registers)).toBe(0);
  const element = new DataView(new ArrayBuffer(8));
  for (let count = 1; count <= 100_000; count++) {
    element.setUint32(0, count);
    const place = hllElement(element, 0, 8);
    registers[place & 0x3fff] = Math.max(registers[place & 0x3fff], place >>> 14);
    if (![1, 10, 100, 1000, 10_000, 100_000].includes(count)) continue;
    expect(Math.abs(hllEstimate(registers) - count)).toBeLessThanOrEqual(
      Math.ceil(((6 * 1.04) / 128) * count),
    );
  }
  registers.fill(51);
  expect(hllEstimate(registers)).toBe(Infinity);
});
