import { describe, expect, test } from "bun:test";
import { Arena } from "../../../src/memory/arena.ts";
import type { ListpackEntry } from "../../../src/structures/listpack-entry.ts";
import { listpackBase, listpackLength } from "../../../src/structures/listpack.ts";
import { ListCursor, Quicklist } from "../../../src/structures/quicklist.ts";
import {
  quicklistCompact,
  quicklistDuplicate,
  quicklistFree,
  quicklistMemoryBytes,
} from "../../../src/structures/quicklist-blocks.ts";
import {
  Node,
  exceedsFill,
  fillBytes,
  isCompressed,
  wordAt,
} from "../../../src/structures/quicklist-node.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/quicklist.test.ts";

/** A quicklist, and the array of texts it should be equal to. */
class Model {
  readonly texts: string[] = [];
  readonly list: Quicklist;
  private readonly cursor = new ListCursor();

  constructor(
    readonly arena: Arena,
    fill: number,
    packedThreshold: number,
    private readonly compressDepth = 0,
  ) {
    this.list = new Quicklist(arena);
    this.list.packedThreshold = packedThreshold;
    this.list.create(fill, compressDepth);
  }

  push(atHead: boolean, text: string): void {
    this.list.push(atHead, viewFor(text), 1, 1 + text.length);
    if (atHead) this.texts.unshift(text);
    else this.texts.push(text);
  }

  insert(index: number, after: boolean, text: string): void {
    this.seek(index);
    this.list.insert(this.cursor, after, viewFor(text), 1, 1 + text.length);
    this.texts.splice(after ? index + 1 : index, 0, text);
  }

  replace(index: number, text: string): void {
    this.seek(index);
    this.list.replaceElement(this.cursor, viewFor(text), 1, 1 + text.length);
    this.texts[index] = text;
  }

  /** Removes up to `count` elements through a cursor, which then stands at what comes next. */
  remove(index: number, count: number, forwards: boolean): void {
    const { cursor, list, texts } = this;
    this.seek(index);
    let at = index;
    for (let rest = count; rest > 0 && at >= 0 && at < texts.length; rest--) {
      texts.splice(at, 1);
      if (!forwards) at--;
      expect(list.remove(cursor, forwards)).toBe(at >= 0 && at < texts.length);
      if (cursor.at === 0) break;
      cursor.read();
      expect(textOf(cursor.entry)).toBe(texts[at]);
      expect(cursor.equals(viewFor(texts[at]), 1, 1 + texts[at].length)).toBe(true);
    }
  }

  removeEnd(atHead: boolean): void {
    this.list.removeEnd(atHead);
    if (atHead) this.texts.shift();
    else this.texts.pop();
  }

  /** Adds elements at an end, then takes some away at one. */
  run(random: Random, long: number): void {
    const atHead = random.oneIn(2);
    for (let rest = random.below(60); rest > 0; rest--) this.push(atHead, randomText(random, long));
    const fromHead = random.oneIn(2);
    const left = Math.max(this.texts.length - random.below(70), 0);
    while (this.texts.length > left) this.removeEnd(fromHead);
  }

  removeRange(index: number, count: number): void {
    this.list.removeRange(index, count);
    this.texts.splice(index, count);
  }

  check(): void {
    this.list.verify();
    this.checkCompression();
    expect(textsOf(this.arena, this.list.root)).toEqual(this.texts);
    expect(this.list.count).toBe(this.texts.length);
    const backwards: string[] = [];
    const { cursor, list } = this;
    for (let more = list.seekEnd(cursor, false); more; more = list.previous(cursor)) {
      cursor.read();
      backwards.push(textOf(cursor.entry));
    }
    expect(backwards.reverse()).toEqual(this.texts);
    expect(this.arena.liveBytes).toBe(quicklistMemoryBytes(this.arena, list.root));
  }

  /** As after a command: the ends are as they were, what is between is compressed. */
  private checkCompression(): void {
    const { arena, list, compressDepth } = this;
    list.rest();
    const nodes: number[] = [];
    for (let node = list.head; node !== 0; node = list.nextNode(node)) nodes.push(node);
    for (const [i, node] of nodes.entries()) {
      const isEnd = i < compressDepth || nodes.length - 1 - i < compressDepth;
      if (compressDepth === 0 || isEnd || list.nodeBytes(node) < 48) {
        expect(isCompressed(arena, node)).toBe(false);
      } else if (list.plainBytesOf(node) > 60) expect(isCompressed(arena, node)).toBe(true);
    }
  }

  seek(index: number): void {
    const { cursor, texts } = this;
    const negative = index - texts.length;
    expect(this.list.seek(cursor, index % 2 === 0 ? index : negative)).toBe(true);
    cursor.read();
    expect(textOf(cursor.entry)).toBe(texts[index]);
  }
}

function viewFor(text: string): DataView {
  return new DataView(new Uint8Array(Buffer.from(`_${text}_`, "latin1")).buffer);
}

function textOf(entry: ListpackEntry): string {
  const bytes = new Uint8Array(entry.textLength());
  entry.writeText(bytes, new DataView(bytes.buffer), 0);
  return Buffer.from(bytes).toString("latin1");
}

function textsOf(arena: Arena, root: number): string[] {
  const list = new Quicklist(arena);
  list.root = root;
  const cursor = new ListCursor();
  const texts: string[] = [];
  for (let more = list.seekEnd(cursor, true); more; more = list.next(cursor)) {
    cursor.read();
    texts.push(textOf(cursor.entry));
  }
  return texts;
}

function randomText(random: Random, long: number): string {
  if (random.oneIn(3)) return String(random.below(100_000));
  return "x".repeat(random.oneIn(8) ? random.below(long) : random.below(40));
}

/** Bytes and elements of each node; "plain" for a plain one. */
function shapeOf(list: Quicklist): string[] {
  const shape: string[] = [];
  for (let node = list.head; node !== 0; node = list.nextNode(node)) {
    shape.push(list.plainBytesOf(node) > 0 ? "plain" : `${list.nodeBytes(node)}`);
  }
  return shape;
}

describe("a quicklist follows an array through random changes", () => {
  for (const [fill, threshold, long, depth] of [
    [-1, 0, 6000, 0],
    [1, 0, 50, 0],
    [3, 0, 9000, 0],
    [5, 10, 40, 0],
    [-2, 1, 40, 0],
    [128, 0, 300, 0],
    [-1, 0, 6000, 1],
    [4, 0, 300, 1],
    [2, 60, 200, 2],
    [8, 0, 40, 5],
  ]) {
    const plainFrom = threshold || "the limit";
    test(`fill ${fill}, plain from ${plainFrom} on, compress depth ${depth}`, async () => {
      await withSeed(FILE, seedOfRun(), (random) => {
        const model = new Model(new Arena(), fill, threshold, depth);
        for (let step = 0; step < 1200; step++) {
          const { length } = model.texts;
          const index = random.below(length);
          const kind = random.below(13);
          if (length === 0 || kind < 4) model.push(random.oneIn(2), randomText(random, long));
          else if (kind < 8) model.insert(index, random.oneIn(2), randomText(random, long));
          else if (kind < 9) model.replace(index, randomText(random, long));
          else if (kind < 11) model.remove(index, random.below(4), random.oneIn(2));
          else if (kind < 12) model.run(random, long);
          else model.removeRange(index, random.below(random.oneIn(10) ? length + 2 : 10));
          if (random.oneIn(3)) model.list.rest();
          if (step % 40 === 0) model.check();
        }
        model.check();
        model.arena.verify();
        const copy = quicklistDuplicate(model.arena, model.list.root);
        expect(textsOf(model.arena, copy)).toEqual(model.texts);
        quicklistFree(model.arena, copy);
        model.check();
        model.removeRange(0, Infinity);
        model.check();
        quicklistFree(model.arena, model.list.root);
        expect(model.arena.liveBytes).toBe(0);
      });
    });
  }
});

describe("nodes", () => {
  test("are limited by bytes or by elements", () => {
    expect([-1, -2, -3, -4, -5, -6, -100].map(fillBytes)).toEqual([
      4096, 8192, 16384, 32768, 65536, 65536, 65536,
    ]);
    expect(exceedsFill(-2, 8192, 9999)).toBe(false);
    expect(exceedsFill(-2, 8193, 1)).toBe(true);
    expect(exceedsFill(0, 100, 1)).toBe(false);
    expect(exceedsFill(0, 100, 2)).toBe(true);
    expect(exceedsFill(100, 8192, 100)).toBe(false);
    expect(exceedsFill(100, 8193, 1)).toBe(true);
    expect(exceedsFill(100, 100, 101)).toBe(true);
  });

  test("split where one is full in the middle, and merge with what is near", () => {
    const model = new Model(new Arena(), 4, 0);
    for (let i = 0; i < 12; i++) model.push(false, `e${i}`);
    expect(shapeOf(model.list)).toEqual(["23", "23", "25"]);
    model.insert(5, true, "new");
    expect(model.list.nodeCount).toBe(4);
    model.check();
    for (let i = 0; i < 6; i++) model.remove(3, 1, true);
    model.check();
  });

  test("are plain for an element that no node could hold", () => {
    const model = new Model(new Arena(), -1, 0);
    for (let i = 0; i < 5; i++) model.push(false, `${i}`);
    model.insert(2, true, "y".repeat(4097));
    expect(shapeOf(model.list)).toEqual(["13", "plain", "11"]);
    model.replace(3, "small");
    expect(shapeOf(model.list)).toEqual(["13", "18"]);
    model.replace(0, "z".repeat(5000));
    expect(shapeOf(model.list)).toEqual(["plain", "11", "18"]);
    model.check();
  });

  test("have their room at the end that grows, and lose none by it", () => {
    const model = new Model(new Arena(), -2, 0);
    const { arena, list } = model;
    let moves = 0;
    let room = 0;
    for (let i = 0; i < 1600; i++) {
      model.push(true, "VXK");
      const left = wordAt(arena, list.head, Node.ROOM);
      if (left !== room - 5) moves++;
      room = left;
    }
    // As often as the size class changes, and once for each class that was reached from the tail.
    expect(list.nodeCount).toBe(1);
    expect(moves).toBeLessThan(120);
    model.check();
    for (let i = 0; i < 1000; i++) model.removeEnd(true);
    model.check();
    model.push(false, "tail");
    expect(wordAt(arena, list.head, Node.ROOM)).toBe(0);
    model.push(true, "head");
    expect(wordAt(arena, list.head, Node.ROOM)).toBeGreaterThan(0);
    const copy = quicklistDuplicate(arena, list.root);
    expect(textsOf(arena, copy)).toEqual(model.texts);
    quicklistFree(arena, copy);
    const listpack = list.takeOnlyListpack();
    expect(listpackLength(arena.views[0], listpackBase(listpack))).toBe(602);
    arena.verify();
  });

  test("give the only listpack away", () => {
    const model = new Model(new Arena(), 4, 0);
    model.push(false, "a");
    const { list, arena } = model;
    const listpack = list.takeOnlyListpack();
    list.create(-2, 3);
    list.appendListpack(listpack);
    expect([list.compressDepth, list.fill, list.count]).toEqual([3, -2, 1]);
    expect(textsOf(arena, list.root)).toEqual(["a"]);
  });

  test("between the ends are compressed, and as small as that makes them", () => {
    const model = new Model(new Arena(), 8, 0, 1);
    for (let i = 0; i < 400; i++) model.push(false, "z".repeat(500));
    const before = model.arena.liveBytes;
    model.list.rest();
    expect(model.list.nodeCount).toBe(50);
    expect(model.arena.liveBytes).toBeLessThan(before / 5);
    model.check();
    model.seek(200);
    model.check();
    for (let i = 0; i < 16; i++) model.remove(i < 8 ? 0 : model.texts.length - 1, 1, true);
    model.check();
    const { arena, list } = model;
    list.attach(quicklistCompact(arena, list.root));
    model.check();
    arena.verify();
  });

  test("are expanded for a removal of all between the ends, some at a time", () => {
    const model = new Model(new Arena(), 4, 0, 1);
    for (let i = 0; i < 2000; i++) model.push(false, "z".repeat(200));
    model.list.rest();
    const small = model.arena.liveBytes;
    let large = 0;
    const cursor = new ListCursor();
    model.list.seek(cursor, 1);
    for (let more = true; more; large = Math.max(large, model.arena.liveBytes)) {
      more = model.list.remove(cursor, true) && model.list.next(cursor);
    }
    expect(model.list.count).toBe(1000);
    expect(large).toBeLessThan(small * 2);
  });

  test("move out of sparse spans", () => {
    const arena = new Arena();
    const keep: Model[] = [];
    const drop: Model[] = [];
    for (let i = 0; i < 400; i++) {
      const model = new Model(arena, -1, 0);
      for (let n = 0; n < 3; n++) model.push(false, "w".repeat(3000 + n * 2000));
      (i % 10 === 0 ? keep : drop).push(model);
    }
    for (const model of drop) quicklistFree(arena, model.list.root);
    for (const model of keep) model.push(true, "v".repeat(20));
    arena.planDraining();
    for (const model of keep) {
      model.list.root = quicklistCompact(arena, model.list.root);
      model.list.verify();
      expect(textsOf(arena, model.list.root)).toEqual(model.texts);
    }
    arena.verify();
  });
});
