import { expect, test } from "bun:test";
import { Arena, Ref } from "../../../src/memory/arena.ts";
import { storedBytes, writePrefix } from "../../../src/memory/stored-bytes.ts";
import {
  nameTableBytes,
  nameTableFind,
  nameTableGet,
  nameTableInsert,
  nameTableRemove,
  nameTableSize,
} from "../../../src/structures/name-table.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";
import { bytesOf } from "../../support/test-keyspace.ts";

const FILE = "test/unit/structures/name-table.test.ts";
const seed = seedOfRun();
const NAME_AT = 12;

function named(arena: Arena, name: string): number {
  const block = arena.allocate(NAME_AT + storedBytes(name.length));
  const at = ((block & Ref.GRANULE_MASK) << 3) + NAME_AT;
  const start = writePrefix(arena.views[block >>> Ref.SEGMENT_SHIFT], at, name.length);
  arena.bytes[block >>> Ref.SEGMENT_SHIFT].set(Buffer.from(name, "latin1"), start);
  return block;
}

test("a name table is a sorted map, whatever happens to it", () =>
  withSeed(FILE, seed, (random) => {
    const arena = new Arena();
    const model = new Map<string, number>();
    let table = 0;
    for (let i = 0; i < 3000; i++) {
      const length = random.pick([0, 1, 2, 3, 300]);
      const name = String.fromCharCode(random.below(256)).repeat(length) + random.below(9);
      const index = nameTableFind(arena, table, NAME_AT, bytesOf(name), 0, name.length);
      const known = model.get(name);
      expect(index >= 0).toBe(known !== undefined);
      if (known === undefined && i < 2000) {
        const block = named(arena, name);
        table = nameTableInsert(arena, table, ~index, block);
        model.set(name, block);
      } else if (known !== undefined) {
        expect(nameTableGet(arena, table, index)).toBe(known);
        if (random.oneIn(2)) continue;
        table = nameTableRemove(arena, table, index);
        arena.free(known, NAME_AT + storedBytes(name.length));
        model.delete(name);
      }
    }
    const names = [...model.keys()].sort((a, b) =>
      Buffer.compare(Buffer.from(a, "latin1"), Buffer.from(b, "latin1")),
    );
    const blocks = names.map((_, index) => nameTableGet(arena, table, index));
    expect(nameTableSize(arena, table)).toBe(names.length);
    expect(blocks).toEqual(names.map((name) => model.get(name)!));
    for (const name of names) {
      const index = nameTableFind(arena, table, NAME_AT, bytesOf(name), 0, name.length);
      table = nameTableRemove(arena, table, index);
      arena.free(model.get(name)!, NAME_AT + storedBytes(name.length));
    }
    expect(table).toBe(0);
    expect(nameTableBytes(arena, table)).toBe(0);
    expect(arena.liveBytes).toBe(0);
  }));
