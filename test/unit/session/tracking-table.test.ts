import { expect, test } from "bun:test";
import { TrackingTable } from "../../../src/session/tracking-table.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/session/tracking-table.test.ts";
const seed = seedOfRun();
/** Above 2^32, as after very many connections. */
const LATE_ID = 2 ** 33 + 5;

function viewOf(text: string): DataView {
  const bytes = Buffer.from(text, "latin1");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function textOf(view: DataView, start: number, end: number): string {
  return Buffer.from(view.buffer, view.byteOffset + start, end - start).toString("latin1");
}

test("the table does what a Map of Sets does", () =>
  withSeed(FILE, seed, (random) => {
    const table = new TrackingTable(random.next() | 0, random.next() | 0);
    const model = new Map<string, Set<number>>();
    const sorted = (ids: Iterable<number>): number[] => [...ids].sort((a, b) => a - b);
    const forgetInModel = (key: string, ids: readonly number[]): void => {
      expect(sorted(ids)).toEqual(sorted(model.get(key) ?? []));
      model.delete(key);
    };
    for (let step = 0; step < 20_000; step++) {
      const key = "k".repeat(random.below(300)) + String(random.below(500));
      const view = viewOf(key);
      const choice = random.below(100);
      if (choice < 70) {
        const id = random.pick([1, 2, 3, LATE_ID, LATE_ID + 1, 4 + random.below(60)]);
        table.add(view, 0, key.length, id);
        model.set(key, (model.get(key) ?? new Set()).add(id));
      } else if (choice < 98) {
        const ids = table.take(view, 0, key.length);
        if (ids === null) expect(model.has(key)).toBe(false);
        else forgetInModel(key, ids);
      } else if (choice === 98) {
        const count = Math.min(random.below(40), model.size);
        let dropped = 0;
        table.dropSome(count, (keyView, start, end, ids) => {
          forgetInModel(textOf(keyView, start, end), ids);
          dropped++;
        });
        expect(dropped).toBe(count);
      } else if (random.oneIn(20)) {
        table.clear();
        model.clear();
      }
      expect(table.keyCount).toBe(model.size);
      let items = 0;
      for (const ids of model.values()) items += ids.size;
      expect(table.itemCount).toBe(items);
    }
  }));
