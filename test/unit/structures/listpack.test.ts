import { describe, expect, test } from "bun:test";
import { Arena, Ref, blockBytes } from "../../../src/memory/arena.ts";
import { ListpackEntry, entryEquals } from "../../../src/structures/listpack-entry.ts";
import {
  Listpack,
  listpackAppend,
  listpackAppendInteger,
  listpackBase,
  listpackBytes,
  listpackCompact,
  listpackCreate,
  listpackDuplicate,
  listpackFind,
  listpackFirst,
  listpackFree,
  listpackFromBytes,
  listpackInsert,
  listpackInsertEncoded,
  listpackInsertInteger,
  listpackIsEnd,
  listpackLast,
  listpackLength,
  listpackMemoryBytes,
  listpackMerge,
  listpackNext,
  listpackPrepend,
  listpackPrevious,
  listpackRemove,
  listpackRemoveRange,
  listpackReplace,
  listpackReplaceInteger,
  listpackSeek,
  listpackValidate,
} from "../../../src/structures/listpack.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/listpack.test.ts";
const INTEGERS = [0, 127, 128, -1, 4095, 4096, -4096, -4097, 32767, 32768, -32768, -32769]
  .concat([8388607, 8388608, -8388608, -8388609, 2147483647, 2147483648, -2147483648])
  .concat([-2147483649, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
  .map(String)
  .concat("9007199254740992", "-9007199254740992", "1234567890123456789")
  .concat("9223372036854775807", "-9223372036854775808");
const LENGTHS = [0, 1, 20, 62, 63, 64, 65, 126, 127, 128, 4095, 4096, 4097, 16379, 16384, 70000];

function viewFor(text: string): DataView {
  return new DataView(new Uint8Array(Buffer.from(text, "latin1")).buffer);
}

/** A listpack, and the array of texts it should be equal to. */
class Model {
  texts: string[] = [];
  reference: number;
  private readonly entry = new ListpackEntry();

  constructor(readonly arena: Arena) {
    this.reference = listpackCreate(arena);
  }

  get view(): DataView {
    return this.arena.views[this.reference >>> Ref.SEGMENT_SHIFT];
  }

  get base(): number {
    return listpackBase(this.reference);
  }

  /** Position of entry `index`, or of the end. */
  position(index: number): number {
    if (index === this.texts.length) return this.base + listpackBytes(this.view, this.base) - 1;
    return listpackSeek(this.view, this.base, index);
  }

  insert(index: number, text: string): void {
    const { arena, reference } = this;
    const view = viewFor(`_${text}_`);
    const end = 1 + text.length;
    if (isSafe(text)) {
      const at = this.position(index);
      this.reference =
        index === this.texts.length
          ? listpackAppendInteger(arena, reference, Number(text))
          : listpackInsertInteger(arena, reference, at, Number(text));
    } else if (index === 0) this.reference = listpackPrepend(arena, reference, view, 1, end);
    else if (index === this.texts.length) {
      this.reference = listpackAppend(arena, reference, view, 1, end);
    } else {
      this.reference = listpackInsert(arena, reference, this.position(index), view, 1, end);
    }
    this.texts.splice(index, 0, text);
  }

  replace(index: number, text: string, asInteger: boolean): void {
    const at = this.position(index);
    this.reference =
      asInteger && isSafe(text)
        ? listpackReplaceInteger(this.arena, this.reference, at, Number(text))
        : listpackReplace(this.arena, this.reference, at, viewFor(text), 0, text.length);
    this.texts[index] = text;
  }

  remove(index: number, count: number): void {
    this.reference = listpackRemove(this.arena, this.reference, this.position(index), count);
    this.texts.splice(index, count);
  }

  /** Forwards, backwards, by index, by search; and the bytes themselves. */
  check(): void {
    const { view, base, texts, entry } = this;
    expect(listpackLength(view, base)).toBe(texts.length);
    const forwards: string[] = [];
    let at = base + Listpack.HEADER;
    for (; !listpackIsEnd(view, at); at = listpackNext(view, at)) {
      entry.read(view, at);
      forwards.push(textOf(entry));
    }
    expect(forwards).toEqual(texts);
    expect(at).toBe(base + listpackBytes(view, base) - 1);
    const backwards: string[] = [];
    for (at = listpackLast(view, base); at !== 0; at = listpackPrevious(view, base, at)) {
      entry.read(view, at);
      backwards.push(textOf(entry));
    }
    expect(backwards.reverse()).toEqual(texts);
    expect(listpackValidate(view, base, base + listpackBytes(view, base))).toBe(texts.length);
    expect(listpackFirst(view, base) === 0).toBe(texts.length === 0);
  }
}

function isSafe(text: string): boolean {
  return Number.isSafeInteger(Number(text)) && String(Number(text)) === text;
}

function textOf(entry: ListpackEntry): string {
  const length = entry.textLength();
  const bytes = new Uint8Array(length + 1);
  expect(entry.writeText(bytes, new DataView(bytes.buffer), 1)).toBe(length + 1);
  return Buffer.from(bytes.subarray(1)).toString("latin1");
}

function randomText(random: Random): string {
  const kind = random.below(10);
  if (kind < 4) return random.pick(INTEGERS);
  if (kind < 6) return String(random.below(200));
  const length = kind < 9 ? random.below(70) : random.pick(LENGTHS.slice(0, 13));
  return Buffer.from(random.bytes(length)).toString("latin1");
}

function listpackOf(arena: Arena, texts: readonly string[]): number {
  let reference = listpackCreate(arena);
  for (const text of texts) {
    reference = listpackAppend(arena, reference, viewFor(text), 0, text.length);
  }
  return reference;
}

function hexOf(arena: Arena, reference: number): string {
  const base = listpackBase(reference);
  const segment = reference >>> Ref.SEGMENT_SHIFT;
  const bytes = listpackBytes(arena.views[segment], base);
  return Buffer.from(arena.bytes[segment].slice(base, base + bytes)).toString("hex");
}

function textsOf(arena: Arena, reference: number): string[] {
  const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
  const entry = new ListpackEntry();
  const texts: string[] = [];
  const first = listpackBase(reference) + Listpack.HEADER;
  for (let at = first; !listpackIsEnd(view, at); at = listpackNext(view, at)) {
    entry.read(view, at);
    texts.push(textOf(entry));
  }
  return texts;
}

describe("the bytes of an entry", () => {
  const cases: [string, string][] = [
    ["0", "0001"],
    ["127", "7f01"],
    ["128", "c08002"],
    ["-1", "dfff02"],
    ["4095", "cfff02"],
    ["-4096", "d00002"],
    ["4096", "f1001003"],
    ["-32768", "f1008003"],
    ["32768", "f200800004"],
    ["-8388608", "f200008004"],
    ["8388608", "f30000800005"],
    ["-2147483648", "f30000008005"],
    ["2147483648", "f4000000800000000009"],
    ["-1234567890123456789", "f4eb7e16820befddee09"],
    ["9223372036854775807", "f4ffffffffffffff7f09"],
    ["-9223372036854775808", "f4000000000000008009"],
    ["", "8001"],
    ["a", "816102"],
    ["01", "82303103"],
    ["9223372036854775808", "93" + Buffer.from("9223372036854775808").toString("hex") + "14"],
    ["x".repeat(63), "bf" + "78".repeat(63) + "40"],
    ["x".repeat(64), "e040" + "78".repeat(64) + "42"],
    ["x".repeat(4095), "efff" + "78".repeat(4095) + "2081"],
    ["x".repeat(4096), "f000100000" + "78".repeat(4096) + "2085"],
  ];
  for (const [text, bytes] of cases) {
    const name = text.length > 30 ? `${text.length} characters` : JSON.stringify(text);
    test(`of ${name}`, () => {
      const arena = new Arena();
      const hex = hexOf(arena, listpackOf(arena, [text]));
      expect(hex.slice(12, -2)).toBe(bytes);
      expect(hex.slice(8, 12)).toBe("0100");
      expect(hex.slice(-2)).toBe("ff");
    });
  }

  test("the backlen grows at Redis's limits", () => {
    const arena = new Arena();
    for (const [length, backlen] of [
      [125, "7f"],
      [126, "0180"],
      [16377, "7ffe"],
      [16378, "00ffff"],
      [2097145, "7ffffe"],
      [2097146, "00ffffff"],
    ] as const) {
      const hex = hexOf(arena, listpackOf(arena, ["x".repeat(length)]));
      expect([length, hex.slice(-2 - backlen.length, -2)]).toEqual([length, backlen]);
    }
  });
});

describe("a listpack", () => {
  test("holds every encoding beside every other", () => {
    const model = new Model(new Arena());
    const texts = INTEGERS.concat(LENGTHS.map((length) => "z".repeat(length)));
    for (const text of texts) model.insert(model.texts.length, text);
    model.check();
    for (let i = 0; i < texts.length; i++) {
      model.replace(i, texts[texts.length - 1 - i], i % 2 === 0);
    }
    model.check();
    while (model.texts.length > 0) model.remove(model.texts.length >>> 1, 1);
    model.check();
  });

  test("follows an array through random changes", async () => {
    await withSeed(FILE, seedOfRun(), (random) => {
      for (let round = 0; round < 20; round++) {
        const model = new Model(new Arena());
        for (let step = 0; step < 200; step++) {
          const index = random.below(model.texts.length + 1);
          const kind = random.below(round % 2 === 0 ? 6 : 9);
          if (kind < 4 || index === model.texts.length) model.insert(index, randomText(random));
          else if (kind < 5) model.replace(index, randomText(random), random.oneIn(2));
          else model.remove(index, random.oneIn(5) ? random.below(8) : 1);
          if (step % 10 === 0) model.check();
        }
        model.check();
        model.arena.verify();
        expect(model.arena.liveBytes).toBe(listpackMemoryBytes(model.arena, model.reference));
        listpackFree(model.arena, model.reference);
        expect(model.arena.liveBytes).toBe(0);
      }
    });
  });

  test("finds, from anywhere and skipping", async () => {
    await withSeed(FILE, seedOfRun(), (random) => {
      const arena = new Arena();
      const texts = Array.from({ length: 60 }, () => randomText(random));
      const reference = listpackOf(arena, texts);
      const view = arena.views[reference >>> Ref.SEGMENT_SHIFT];
      const base = listpackBase(reference);
      for (const text of texts.concat("none", "9007199254740993", "-5000", "77777")) {
        for (const skip of [0, 1, 2]) {
          const from = random.below(texts.length);
          const start = listpackSeek(view, base, from);
          const found = listpackFind(view, start, viewFor(text), 0, text.length, skip);
          const expected = texts.findIndex(
            (other, i) => i >= from && (i - from) % (skip + 1) === 0 && other === text,
          );
          expect(found).toBe(expected < 0 ? 0 : listpackSeek(view, base, expected));
        }
        for (let i = 0; i < texts.length; i += 7) {
          const at = listpackSeek(view, base, i);
          const isEqual = entryEquals(view, at, viewFor(text), 0, text.length);
          expect(isEqual).toBe(texts[i] === text);
        }
      }
    });
  });

  test("seeks from both ends, and nowhere beyond", () => {
    const model = new Model(new Arena());
    for (let i = 0; i < 9; i++) model.insert(i, `${i * 1000}`);
    const entry = new ListpackEntry();
    for (let i = -9; i < 9; i++) {
      entry.read(model.view, listpackSeek(model.view, model.base, i));
      expect(entry.value).toBe(((i + 9) % 9) * 1000);
    }
    for (const index of [9, -10, 2 ** 40, -(2 ** 40)]) {
      expect(listpackSeek(model.view, model.base, index)).toBe(0);
    }
  });

  test("merges, duplicates, copies encoded entries, and removes ranges", () => {
    const arena = new Arena();
    const first = listpackOf(arena, ["a", "1", "x".repeat(300)]);
    const second = listpackOf(arena, ["b", "99999999"]);
    const copy = listpackDuplicate(arena, second);
    let merged = listpackMerge(arena, first, second);
    expect(textsOf(arena, merged)).toEqual(["a", "1", "x".repeat(300), "b", "99999999"]);
    const view = arena.views[copy >>> Ref.SEGMENT_SHIFT];
    const at = listpackBase(copy) + Listpack.HEADER;
    const end = listpackNext(view, listpackNext(view, at));
    const before = listpackSeek(arena.views[merged >>> Ref.SEGMENT_SHIFT], listpackBase(merged), 1);
    merged = listpackInsertEncoded(arena, merged, before, view, at, end, 2);
    expect(textsOf(arena, merged).slice(0, 4)).toEqual(["a", "b", "99999999", "1"]);
    merged = listpackRemoveRange(arena, merged, -3, 2);
    expect(textsOf(arena, merged)).toEqual(["a", "b", "99999999", "1", "99999999"]);
    merged = listpackRemoveRange(arena, merged, 1, 1000);
    expect(textsOf(arena, merged)).toEqual(["a"]);
    merged = listpackRemoveRange(arena, merged, 5, 1);
    expect(textsOf(arena, merged)).toEqual(["a"]);
    expect(listpackCompact(arena, merged)).toBe(merged);
    listpackFree(arena, merged);
    expect(arena.liveBytes).toBe(blockBytes(listpackBytes(view, listpackBase(copy))));
  });

  test("counts its entries itself from 65535 on, and again below", () => {
    const arena = new Arena();
    const model = new Model(arena);
    for (let i = 0; i < 65534; i++) model.reference = append(model, "7");
    const noted = (): number => model.view.getUint16(model.base + Listpack.COUNT_AT, true);
    expect(noted()).toBe(65534);
    model.reference = append(model, "7");
    expect(noted()).toBe(65535);
    model.reference = append(model, "8");
    expect(listpackLength(model.view, model.base)).toBe(65536);
    const entry = new ListpackEntry();
    entry.read(model.view, listpackSeek(model.view, model.base, -1));
    expect(entry.value).toBe(8);
    expect(listpackSeek(model.view, model.base, 65536)).toBe(0);
    expect(listpackSeek(model.view, model.base, -65537)).toBe(0);
    const end = model.base + listpackBytes(model.view, model.base);
    expect(listpackValidate(model.view, model.base, end)).toBe(65536);
    model.reference = listpackRemoveRange(arena, model.reference, 0, 3);
    expect(noted()).toBe(65535);
    expect(listpackLength(model.view, model.base)).toBe(65533);
    expect(noted()).toBe(65533);
  });
});

function append(model: Model, text: string): number {
  return listpackAppend(model.arena, model.reference, viewFor(text), 0, text.length);
}

describe("validation", () => {
  test("refuses wrong sizes, counts, ends and empty input", () => {
    const arena = new Arena();
    const hex = hexOf(arena, listpackOf(arena, ["a", "500", "b"]));
    const check = (bytes: string): number => {
      const buffer = new Uint8Array(Buffer.from(bytes, "hex"));
      return listpackValidate(new DataView(buffer.buffer), 0, buffer.length);
    };
    expect(check(hex)).toBe(3);
    for (let length = 0; length < hex.length; length += 2) {
      expect(check(hex.slice(0, length))).toBe(-1);
    }
    expect(check(`${hex}ff`)).toBe(-1);
    expect(check(hex.replace("0300", "0400"))).toBe(-1);
    expect(check(hex.replace("0300", "ffff"))).toBe(3);
    expect(check(`${hex.slice(0, -2)}00`)).toBe(-1);
    expect(check("07000000" + "0000" + "ff")).toBe(0);
    expect(check("07000000" + "0100" + "ff")).toBe(-1);
    for (const first of ["f5", "fe", "f0", "ef"]) {
      expect(check("09000000" + "0100" + first + "01" + "ff")).toBe(-1);
    }
  });

  test("never reads outside, and what it accepts can be read", async () => {
    await withSeed(FILE, seedOfRun(), (random) => {
      const arena = new Arena();
      let accepted = 0;
      for (let i = 0; i < 4000; i++) {
        const texts = Array.from({ length: random.below(6) }, () =>
          randomText(random).slice(0, 300),
        );
        const bytes = new Uint8Array(Buffer.from(hexOf(arena, listpackOf(arena, texts)), "hex"));
        for (let n = random.below(3); n >= 0; n--) {
          bytes[random.below(bytes.length)] = random.oneIn(2) ? random.below(256) : 0xff;
        }
        // A DataView throws when it is read outside.
        const view = new DataView(bytes.buffer);
        const count = listpackValidate(view, 0, bytes.length);
        if (count < 0) continue;
        accepted++;
        const reference = listpackFromBytes(arena, view, 0);
        expect(textsOf(arena, reference).length).toBe(count);
        const copy = arena.views[reference >>> Ref.SEGMENT_SHIFT];
        const base = listpackBase(reference);
        let back = 0;
        for (let at = listpackLast(copy, base); at !== 0; at = listpackPrevious(copy, base, at)) {
          back++;
        }
        expect(back).toBe(count);
      }
      expect(accepted).toBeGreaterThan(0);
    });
  });
});
