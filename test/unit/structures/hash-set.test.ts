/** The set of hashes against JavaScript's. */
import { expect, test } from "bun:test";
import { HashSet } from "../../../src/structures/hash-set.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/hash-set.test.ts";
const seed = seedOfRun();

test(`holds what was added (seed ${seed})`, () =>
  withSeed(FILE, seed, (random) => {
    const set = new HashSet();
    const model = new Set<number>();
    // Few values at first, so that many come twice; 0 and negative ones among them.
    for (let i = 0; i < 50_000; i++) {
      const hash = i < 1000 ? random.below(100) - 50 : random.next() | 0;
      expect(set.add(hash)).toBe(!model.has(hash));
      model.add(hash);
    }
    expect(set.size).toBe(model.size);
    const bound = 0x7f000000;
    set.forgetBelow(bound);
    for (const hash of model) if (hash >>> 0 < bound) model.delete(hash);
    for (const hash of model) expect(set.has(hash)).toBe(true);
    for (let i = 0; i < 1000; i++) {
      const hash = random.next() | 0;
      if (hash >>> 0 >= bound) expect(set.has(hash)).toBe(model.has(hash));
    }
  }));
