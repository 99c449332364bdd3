import { expect, test } from "bun:test";
import { Arena, Ref } from "../../../src/memory/arena.ts";
import { EntryEncoder } from "../../../src/structures/entry-encoder.ts";
import { ListpackEntry } from "../../../src/structures/listpack-entry.ts";
import {
  Listpack,
  listpackAppend,
  listpackBase,
  listpackBytes,
  listpackCreate,
  listpackInsertEncoded,
  listpackIsEnd,
  listpackNext,
  listpackValidate,
} from "../../../src/structures/listpack.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";
import { bytesOf } from "../../support/test-keyspace.ts";

const FILE = "test/unit/structures/entry-encoder.test.ts";
const seed = seedOfRun();

function textsOf(arena: Arena, listpack: number): string[] {
  const view = arena.views[listpack >>> Ref.SEGMENT_SHIFT];
  const base = listpackBase(listpack);
  const entry = new ListpackEntry();
  const texts: string[] = [];
  for (let at = base + Listpack.HEADER; !listpackIsEnd(view, at); at = listpackNext(view, at)) {
    entry.read(view, at);
    const bytes = Buffer.alloc(entry.textLength());
    entry.writeText(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0);
    texts.push(bytes.toString("latin1"));
  }
  return texts;
}

test("what is encoded together is what is appended one by one", () =>
  withSeed(FILE, seed, (random) => {
    const arena = new Arena();
    const encoder = new EntryEncoder();
    for (let round = 0; round < 300; round++) {
      encoder.clear();
      let single = listpackCreate(arena);
      const texts: string[] = [];
      for (let i = random.below(30); i > 0; i--) {
        const bits = BigInt(random.below(64));
        const number = BigInt.asIntN(64, (1n << bits) + BigInt(random.below(5) - 2));
        const text = random.oneIn(2)
          ? String(random.oneIn(2) ? number : BigInt.asIntN(64, -number))
          : "x".repeat(random.pick([0, 1, 63, 64, 200, 4095, 4096, 70_000]));
        const asNumber = text.startsWith("x") || text === "" ? null : BigInt(text);
        if (asNumber !== null && random.oneIn(2)) {
          const low = Number(BigInt.asIntN(32, asNumber));
          encoder.int64(Number(BigInt.asIntN(32, asNumber >> 32n)), low);
        } else encoder.text(bytesOf(text), 0, text.length);
        single = listpackAppend(arena, single, bytesOf(text), 0, text.length);
        texts.push(text);
      }
      let together = listpackCreate(arena);
      const end = listpackBase(together) + Listpack.HEADER;
      const { view, length, count } = encoder;
      together = listpackInsertEncoded(arena, together, end, view, 0, length, count);
      const togetherView = arena.views[together >>> Ref.SEGMENT_SHIFT];
      const base = listpackBase(together);
      const bytes = listpackBytes(togetherView, base);
      expect(listpackValidate(togetherView, base, base + bytes)).toBe(texts.length);
      expect(textsOf(arena, together)).toEqual(texts);
      const singleBase = listpackBase(single);
      const singleBytes = arena.bytes[single >>> Ref.SEGMENT_SHIFT].slice(
        singleBase,
        singleBase + bytes,
      );
      const all = arena.bytes[together >>> Ref.SEGMENT_SHIFT].slice(base, base + bytes);
      expect(Buffer.compare(all, singleBytes)).toBe(0);
    }
  }));
