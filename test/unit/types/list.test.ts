import { describe, expect, test } from "bun:test";
import { Arena } from "../../../src/memory/arena.ts";
import {
  ListEncoding,
  Lists,
  compactList,
  duplicateList,
  freeList,
  freeListStep,
  listBlocks,
  listMemoryBytes,
} from "../../../src/types/list.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/types/list.test.ts";

/** A list that converts as commands let it, and the array of texts it should be equal to. */
class Model {
  texts: string[] = [];
  readonly arena = new Arena();
  readonly lists = new Lists(this.arena);

  constructor(maxListpackSize: number) {
    this.lists.maxListpackSize = maxListpackSize;
    this.lists.create();
  }

  get isListpack(): boolean {
    return this.lists.encoding === ListEncoding.LISTPACK;
  }

  push(atHead: boolean, text: string): void {
    this.lists.grow(text.length, 1);
    this.lists.push(atHead, viewFor(text), 0, text.length);
    if (atHead) this.texts.unshift(text);
    else this.texts.push(text);
  }

  insert(index: number, after: boolean, text: string): void {
    this.lists.grow(text.length, 1);
    expect(this.lists.seek(index)).toBe(true);
    this.lists.insert(after, viewFor(text), 0, text.length);
    this.texts.splice(after ? index + 1 : index, 0, text);
  }

  replaceElement(index: number, text: string): void {
    this.lists.grow(text.length, 1);
    expect(this.lists.seek(index - this.texts.length)).toBe(true);
    this.lists.replaceElement(viewFor(text), 0, text.length);
    this.lists.shrink();
    this.texts[index] = text;
  }

  /** Removes all elements that are equal to `text`, through the cursor. */
  removeEqual(text: string, forwards: boolean): void {
    let more = this.lists.seekEnd(forwards);
    while (more) {
      more = this.lists.equals(viewFor(text), 0, text.length)
        ? this.lists.remove(forwards)
        : this.lists.step(forwards);
    }
    this.lists.shrink();
    this.texts = this.texts.filter((other) => other !== text);
  }

  removeRange(index: number, count: number): void {
    this.lists.removeRange(index, count);
    this.lists.shrink();
    this.texts.splice(index, count);
  }

  check(): void {
    const { arena, lists } = this;
    expect(textsOf(lists, true)).toEqual(this.texts);
    expect(textsOf(lists, false).reverse()).toEqual(this.texts);
    expect(lists.length).toBe(this.texts.length);
    expect(arena.liveBytes).toBe(listMemoryBytes(arena, lists.root, lists.encoding));
  }
}

function viewFor(text: string): DataView {
  return new DataView(new Uint8Array(Buffer.from(text, "latin1")).buffer);
}

function textsOf(lists: Lists, forwards: boolean): string[] {
  const texts: string[] = [];
  for (let more = lists.seekEnd(forwards); more; more = lists.step(forwards)) {
    lists.read();
    const bytes = new Uint8Array(lists.entry.textLength());
    lists.entry.writeText(bytes, new DataView(bytes.buffer), 0);
    texts.push(Buffer.from(bytes).toString("latin1"));
  }
  return texts;
}

function randomText(random: Random): string {
  return random.oneIn(2) ? String(random.below(12)) : "y".repeat(random.below(90));
}

describe("a list follows an array through random changes and conversions", () => {
  for (const size of [-1, 1, 7, 128]) {
    test(`list-max-listpack-size ${size}`, async () => {
      await withSeed(FILE, seedOfRun(), (random) => {
        const model = new Model(size);
        let conversions = 0;
        for (let step = 0; step < 1500; step++) {
          const before = model.isListpack;
          const { length } = model.texts;
          const index = random.below(length);
          const kind = random.below(20);
          if (length === 0 || kind < 9) model.push(random.oneIn(2), randomText(random));
          else if (kind < 11) model.insert(index, random.oneIn(2), randomText(random));
          else if (kind < 13) model.replaceElement(index, randomText(random));
          else if (kind < 15) model.removeEqual(String(random.below(12)), random.oneIn(2));
          else model.removeRange(index, random.below(random.oneIn(6) ? length + 1 : 3));
          if (model.isListpack !== before) conversions++;
          if (step % 50 === 0) model.check();
        }
        model.check();
        model.arena.verify();
        if (size === 7) expect(conversions).toBeGreaterThan(2);
        const { arena, lists } = model;
        const { root, encoding } = lists;
        const copy = duplicateList(arena, root, encoding);
        lists.attach(copy, encoding);
        expect(textsOf(lists, true)).toEqual(model.texts);
        lists.attach(compactList(arena, copy, encoding), encoding);
        freeList(arena, lists.root, encoding);
        freeList(arena, root, encoding);
        expect(arena.liveBytes).toBe(0);
      });
    });
  }
});

test("a huge list goes in steps", () => {
  const model = new Model(1);
  for (let i = 0; i < 1000; i++) model.push(false, "e");
  const { arena, lists } = model;
  expect(listBlocks(arena, lists.root, lists.encoding)).toBe(2001);
  let steps = 1;
  while (freeListStep(arena, lists.root, lists.encoding) !== 0) steps++;
  expect(steps).toBe(8);
  expect(arena.liveBytes).toBe(0);
  lists.create();
  expect(listBlocks(arena, lists.root, lists.encoding)).toBe(1);
  expect(freeListStep(arena, lists.root, lists.encoding)).toBe(0);
  expect(arena.liveBytes).toBe(0);
});

describe("conversions", () => {
  /** Length, and whether it is a listpack, after each push up to a length, then each pop. */
  function encodings(size: number, text: string, length: number): string {
    const model = new Model(size);
    let trace = "";
    for (let i = 0; i < length; i++) {
      model.push(false, text);
      trace += model.isListpack ? "l" : "q";
    }
    for (let i = 0; i < length - 1; i++) {
      model.removeRange(0, 1);
      trace += model.isListpack ? "l" : "q";
    }
    return trace;
  }

  test("happen above the count, and back at half of it", () => {
    expect(encodings(4, "a", 6)).toBe("llllqq" + "qqqll");
    expect(encodings(1, "a", 3)).toBe("lqq" + "qq");
    expect(encodings(0, "a", 2)).toBe("lq" + "q");
  });

  test("happen above the bytes, and back at half of them", () => {
    // A kilobyte is 1,004 bytes with its encoding and backlen: four and the header are 4,023.
    expect(encodings(-1, "a".repeat(1000), 6)).toBe("llllqq" + "qqqll");
    expect(encodings(-2, "a".repeat(4000), 3)).toBe("llq" + "ql");
  });

  test("leave a plain node alone", () => {
    const model = new Model(-1);
    model.push(false, "a".repeat(5000));
    expect(model.isListpack).toBe(false);
    model.push(false, "b");
    model.removeRange(1, 1);
    expect(model.isListpack).toBe(false);
    model.replaceElement(0, "c");
    expect(model.isListpack).toBe(true);
    model.check();
  });

  test("of DEBUG's threshold make plain nodes of small elements", () => {
    const model = new Model(2);
    model.lists.setPackedThreshold(3);
    for (const text of ["a", "bb", "ccc", "dddd", "e"]) model.push(false, text);
    expect(model.lists.asQuicklist().nodeCount).toBe(4);
    model.check();
  });
});
