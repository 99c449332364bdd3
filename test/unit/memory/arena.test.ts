import { describe, expect, test } from "bun:test";
import { Arena, Ref, blockBytes } from "../../../src/memory/arena.ts";
import { Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/memory/arena.test.ts";
const seed = seedOfRun();

const KIB = 1024;
const MIB = 1024 * KIB;
const SEGMENT = 64 * MIB;
/** Of larger blocks only this much is filled and looked at, at either end. */
const EDGE = 2 * KIB;

interface Block {
  readonly reference: number;
  readonly size: number;
  readonly fill: number;
}

/** An arena, and what it should hold. */
class Model {
  readonly arena = new Arena();
  readonly blocks: Block[] = [];
  liveBytes = 0;
  private fill = 0;

  allocate(size: number): Block {
    const reference = this.arena.allocate(size);
    expect(reference).not.toBe(0);
    expect(reference | 0).toBe(reference);
    const block = { reference, size, fill: (this.fill = (this.fill % 255) + 1) };
    for (const part of this.parts(block)) part.fill(block.fill);
    this.liveBytes += blockBytes(size);
    this.blocks.push(block);
    return block;
  }

  free(index: number): void {
    const block = this.blocks[index];
    this.check(block);
    this.blocks[index] = this.blocks[this.blocks.length - 1];
    this.blocks.pop();
    this.arena.free(block.reference, block.size);
    this.liveBytes -= blockBytes(block.size);
  }

  freeAll(random: Random): void {
    while (this.blocks.length > 0) this.free(random.below(this.blocks.length));
  }

  check(block: Block): void {
    for (const part of this.parts(block)) {
      if (!part.every((byte) => byte === block.fill)) {
        throw new Error(`${block.size} bytes at ${block.reference} were overwritten`);
      }
    }
  }

  /** Every invariant, every sum, every block's bytes; and that no two blocks overlap. */
  checkAll(): void {
    this.arena.verify();
    expect(this.arena.liveBytes).toBe(this.liveBytes);
    for (const block of this.blocks) this.check(block);
    const ranges = this.blocks
      .map((block) => ({ start: block.reference >>> 0, granules: blockBytes(block.size) / 8 }))
      .sort((a, b) => a.start - b.start);
    for (let i = 1; i < ranges.length; i++) {
      const before = ranges[i - 1];
      // A block with a segment of its own may be longer than the references of a segment reach.
      const end = before.start + Math.min(before.granules, SEGMENT / 8);
      expect(ranges[i].start).toBeGreaterThanOrEqual(end);
    }
  }

  private parts(block: Block): Uint8Array[] {
    const bytes = this.arena.bytes[block.reference >>> Ref.SEGMENT_SHIFT];
    const start = (block.reference & Ref.GRANULE_MASK) << 3;
    const end = start + blockBytes(block.size);
    expect(end).toBeLessThanOrEqual(bytes.length);
    if (block.size <= 2 * EDGE) return [bytes.subarray(start, end)];
    return [bytes.subarray(start, start + EDGE), bytes.subarray(end - EDGE, end)];
  }
}

/** Sizes of all kinds: mostly small, some that take spans, few that take segments. */
function anySize(random: Random): number {
  const kind = random.below(1000);
  if (kind < 500) return 1 + random.below(128);
  if (kind < 900) return 1 + random.below(4 * KIB);
  if (kind < 980) return 1 + random.below(32 * KIB);
  if (kind < 997) return 32 * KIB + random.below(2 * MIB);
  if (kind < 999) return 16 * MIB + random.below(16 * MIB);
  return 32 * MIB + random.below(80 * MIB);
}

describe("blocks", () => {
  test("are at most an eighth larger than asked, from 64 bytes on", () => {
    for (let size = 1; size < 70_000; size++) {
      expect(blockBytes(size)).toBeGreaterThanOrEqual(size);
      expect(blockBytes(size) % 8).toBe(0);
      if (size >= 64) expect((blockBytes(size) - size) / blockBytes(size)).toBeLessThan(0.125);
    }
    expect(blockBytes(128)).toBe(128);
    expect(blockBytes(129)).toBe(144);
    expect(blockBytes(32 * KIB + 1)).toBe(36 * KIB);
    expect(blockBytes(512 * MIB)).toBe(512 * MIB);
  });

  test("of every class are filled, and given back", () => {
    const model = new Model();
    for (let size = 1; size <= 40 * KIB; size += size < 300 ? 1 : 97) model.allocate(size);
    model.checkAll();
    for (const report of model.arena.report()) {
      expect(report.liveBlocks * report.blockBytes).toBeLessThanOrEqual(report.spanBytes);
    }
    model.freeAll(new Random(1));
    model.checkAll();
  });

  test("are allocated and freed at random without overlap", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      for (let round = 0; round < 20; round++) {
        // Rounds of growth and of decline in turn, so that spans come, thin out and go.
        const growth = random.below(100);
        for (let step = 0; step < 600; step++) {
          if (model.blocks.length === 0 || random.below(100) < growth) {
            model.allocate(anySize(random));
          } else model.free(random.below(model.blocks.length));
        }
        if (random.oneIn(3)) model.arena.trim();
        if (random.oneIn(3)) model.arena.planDraining();
        model.checkAll();
      }
      model.freeAll(random);
      model.arena.trim();
      model.checkAll();
      expect(model.arena.liveBytes).toBe(0);
      expect(model.arena.spanBytes).toBe(0);
      expect(model.arena.reservedBytes).toBe(SEGMENT);
      expect(model.arena.report()).toEqual([]);
    }));

  test("are reused last freed first", () => {
    const arena = new Arena();
    const a = arena.allocate(40);
    const b = arena.allocate(40);
    arena.free(a, 40);
    arena.free(b, 40);
    expect(arena.allocate(40)).toBe(b);
    expect(arena.allocate(37)).toBe(a);
  });

  test("freed wrongly are noticed while debugging", () => {
    const arena = new Arena();
    const block = arena.allocate(64);
    arena.allocate(64);
    expect(() => arena.free(block, 65)).toThrow("another class");
    expect(() => arena.free(block + 1, 64)).toThrow("no block");
    expect(() => arena.free(block + 800, 64)).toThrow("no block");
    expect(() => arena.free(block, 40 * KIB)).toThrow("no large block");
    expect(() => arena.free(1 << Ref.SEGMENT_SHIFT, 64)).toThrow("no span");
    expect(() => arena.allocate(0)).toThrow();
    arena.verify();
  });
});

describe("large blocks", () => {
  test("share segments up to half of one", () => {
    const arena = new Arena();
    const reference = arena.allocate(32 * MIB);
    expect(arena.reservedBytes).toBe(SEGMENT);
    expect(arena.spanBytes).toBe(32 * MIB);
    arena.free(reference, 32 * MIB);
    expect(arena.spanBytes).toBe(0);
    arena.verify();
  });

  test("above have their own, which goes when they are freed", () => {
    const arena = new Arena();
    const sizes = [32 * MIB + 1, 64 * MIB, 64 * MIB + 1, 200 * MIB];
    const references = sizes.map((size) => arena.allocate(size));
    arena.verify();
    expect(arena.spanBytes).toBe(arena.liveBytes);
    expect(arena.reservedBytes).toBe(SEGMENT + arena.liveBytes);
    expect(new Set(references.map((reference) => reference >>> Ref.SEGMENT_SHIFT)).size).toBe(4);
    // A whole segment's worth of one block is not mistaken for an empty shared segment.
    arena.trim();
    arena.verify();
    const last = references[3];
    arena.views[last >>> Ref.SEGMENT_SHIFT].setUint8(200 * MIB - 1, 7);
    references.forEach((reference, i) => arena.free(reference, sizes[i]));
    expect(arena.reservedBytes).toBe(SEGMENT);
    expect(arena.segmentsDropped).toBe(4);
    expect(arena.spanBytes).toBe(0);
    arena.verify();
  });

  test("of 2 GiB are refused, and change nothing", () => {
    const arena = new Arena();
    expect(() => arena.allocate(2 ** 31)).toThrow(RangeError);
    expect(() => arena.allocate(2 ** 31 - 1)).toThrow(RangeError);
    expect(() => arena.allocate(2 ** 32 + 8)).toThrow(RangeError);
    expect(arena.reservedBytes).toBe(SEGMENT);
    arena.verify();
  });

  test("take over the number of a dropped segment, small ones too", () => {
    const arena = new Arena();
    const own = arena.allocate(40 * MIB);
    arena.free(own, 40 * MIB);
    const shared = [1, 2, 3].map(() => arena.allocate(30 * MIB));
    expect(arena.bytes.length).toBe(2);
    arena.verify();
    for (const reference of shared) arena.free(reference, 30 * MIB);
    arena.trim();
    expect(arena.reservedBytes).toBe(SEGMENT);
    arena.verify();
  });
});

// Windows counts reserved memory as used, so arenas of this size are for systems that do not.
describe("references", () => {
  test.skipIf(process.platform === "win32")("above 16 GiB are negative, and work", () => {
    const arena = new Arena();
    // Segments without a page touched take no memory; 256 of them end where the sign bit begins.
    const references = Array.from({ length: 2 * 257 }, () => arena.allocate(30 * MIB));
    const high = references.filter((reference) => reference < 0);
    expect(high.length).toBeGreaterThan(0);
    const small = Array.from({ length: 200_000 / 50 }, () => arena.allocate(4 * KIB));
    arena.verify();
    for (const reference of small) arena.free(reference, 4 * KIB);
    for (const reference of references) arena.free(reference, 30 * MIB);
    arena.trim();
    arena.verify();
    expect(arena.spanBytes).toBe(0);
    expect(arena.reservedBytes).toBe(SEGMENT);
  });

  test.skipIf(process.platform === "win32")(
    "end at 32 GiB with a RangeError, after which freeing makes room",
    () => {
      const arena = new Arena();
      const references: number[] = [];
      const fill = (): void => {
        for (;;) references.push(arena.allocate(32 * MIB));
      };
      expect(fill).toThrow("the arena is full");
      // Segment 0 lacks the page that would be reference 0.
      expect(references.length).toBe(2 * 512 - 1);
      const small: number[] = [];
      // What is left of segment 0 is the arena's last memory: its spans reach the very end.
      const fillSmall = (): void => {
        for (;;) small.push(arena.allocate(32 * KIB));
      };
      expect(fillSmall).toThrow("the arena is full");
      expect(small.length).toBeGreaterThan(900);
      arena.verify();
      arena.free(references.pop()!, 32 * MIB);
      for (let i = 0; i < 1000; i++) small.push(arena.allocate(32 * KIB));
      arena.verify();
      expect(small.some((reference) => reference < 0)).toBe(true);
      for (const reference of small) arena.free(reference, 32 * KIB);
      for (const reference of references) arena.free(reference, 32 * MIB);
      arena.trim();
      arena.verify();
      expect(arena.reservedBytes).toBe(SEGMENT);
    },
  );
});

describe("spans", () => {
  test("merge into the runs around them", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      for (let i = 0; i < 40; i++) model.allocate(33 * KIB + random.below(MIB));
      model.freeAll(random);
      const runs: number[] = [];
      model.arena.eachFreeRun((_segment, _offset, length) => runs.push(length));
      expect(runs).toEqual([SEGMENT - 4 * KIB]);
    }));

  test("keep one empty span per class until trim", () => {
    const arena = new Arena();
    const references = Array.from({ length: 5000 }, () => arena.allocate(64));
    const held = arena.spanBytes;
    for (const reference of references) arena.free(reference, 64);
    expect(arena.liveBytes).toBe(0);
    expect(arena.spanBytes).toBe(64 * KIB);
    expect(held).toBeGreaterThan(4 * 64 * KIB);
    arena.verify();
    arena.trim();
    expect(arena.spanBytes).toBe(0);
    // So little of segment 0 was touched that it stays.
    expect(arena.segmentsDropped).toBe(0);
    arena.verify();
  });

  test("segment 0 starts over when it is empty and much of it was touched", () => {
    const arena = new Arena();
    for (const empty of [(): void => arena.trim(), (): void => arena.reset()]) {
      const dropped = arena.segmentsDropped;
      const block = arena.allocate(16 * MIB);
      if (arena.liveBytes > 0) arena.free(block, 16 * MIB);
      empty();
      expect(arena.segmentsDropped).toBe(dropped + 1);
      empty();
      expect(arena.segmentsDropped).toBe(dropped + 1);
      arena.verify();
    }
  });

  test("that are sparse are named so, and moving their blocks empties them", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      for (let i = 0; i < 20_000; i++) model.allocate(48);
      const full = model.arena.spanBytes;
      while (model.blocks.length > 3000) model.free(random.below(model.blocks.length));
      expect(model.arena.spanBytes).toBe(full);
      // A block moves only to a fuller span, so one pass leaves spans that are alike: as the
      // compactor does, passes are repeated, each from the fullest spans on.
      for (let pass = 0; pass < 4; pass++) {
        model.arena.planDraining();
        for (const block of model.blocks.splice(0)) {
          if (model.arena.isSparse(block.reference, block.size)) {
            model.allocate(block.size);
            model.arena.free(block.reference, block.size);
            model.liveBytes -= 48;
          } else model.blocks.push(block);
        }
      }
      model.checkAll();
      expect(model.blocks.length).toBe(3000);
      expect(model.arena.spanBytes).toBeLessThan(full / 2);
    }));

  test("are not sparse where moving gains nothing", () => {
    const arena = new Arena();
    const only = arena.allocate(48);
    expect(arena.isSparse(only, 48)).toBe(false);
    expect(arena.isSparse(arena.allocate(40 * KIB), 40 * KIB)).toBe(false);
    const more = Array.from({ length: 1365 }, () => arena.allocate(48));
    // Two spans, one full: the other's blocks would move within it.
    const last = more[more.length - 1];
    expect(arena.isSparse(last, 48)).toBe(false);
    // The blocks of a span that is as good as full stay.
    expect(arena.isSparse(only, 48)).toBe(false);
  });

  test("start over, empty, after a reset, whatever was held", () => {
    const arena = new Arena();
    for (let i = 1; i < 400; i++) arena.allocate(i * i);
    arena.allocate(40 * 1024 * 1024);
    const dropped = arena.segmentsDropped;
    arena.reset();
    arena.verify();
    expect([arena.liveBytes, arena.spanBytes, arena.bytes.length]).toEqual([0, 0, 1]);
    expect(arena.segmentsDropped).toBeGreaterThan(dropped);
    const block = arena.allocate(100);
    arena.verify();
    arena.free(block, 100);
    arena.trim();
    expect(arena.spanBytes).toBe(0);
  });
});
