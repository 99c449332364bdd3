/** Whether entries of listpacks are different: against a Set of their texts. */
import { expect, test } from "bun:test";
import { ListpackEntrySet } from "../../../src/persistence/listpack-entry-set.ts";
import { listpack } from "../../support/rdb-payload.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/persistence/listpack-entry-set.test.ts";

function areUnique(entries: readonly (string | number)[], group: number): boolean {
  const bytes = listpack(entries);
  const set = new ListpackEntrySet(1, 2);
  return set.areUnique(new DataView(bytes.buffer), 0, entries.length, group);
}

test("random entries, few and many, in groups of one to three", async () => {
  await withSeed(FILE, seedOfRun(), (random) => {
    const set = new ListpackEntrySet(random.next() | 0, random.next() | 0);
    for (let i = 0; i < 300; i++) {
      const group = 1 + random.below(3);
      const groups = random.pick([0, 1, 2, 5, 30, 64, 65, 300, 3000]);
      const range = groups * random.pick([1, 20, 400]) + 1;
      const entries: (string | number)[] = [];
      for (let j = 0; j < groups * group; j++) {
        const number = random.below(range);
        entries.push(random.pick([number, `t${number}`, "ab".repeat(number % 300) + number]));
      }
      const firsts = entries.filter((_, j) => j % group === 0).map(String);
      const bytes = listpack(entries);
      const view = new DataView(bytes.buffer);
      expect(set.areUnique(view, 0, entries.length, group)).toBe(
        new Set(firsts).size === firsts.length,
      );
    }
  });
});

test("texts alike at their ends, empty ones, and what comes twice at another place of its group", () => {
  expect(areUnique(["aaaa1bbbb", "aaaa2bbbb", "aaaa3bbbb"], 1)).toBeTrue();
  expect(areUnique(["", "a", "b", "ab", "ba"], 1)).toBeTrue();
  expect(areUnique(["a", ""], 1)).toBeTrue();
  expect(areUnique(["", ""], 1)).toBeFalse();
  expect(areUnique(["a", "b", "b", "a"], 2)).toBeTrue();
  expect(areUnique([-1, -2, "-1"], 1)).toBeFalse();
});
