import { describe, expect, test } from "bun:test";
import { Arena, blockBytes } from "../../../src/memory/arena.ts";
import { Args } from "../../../src/protocol/args.ts";
import { ListpackEntry } from "../../../src/structures/listpack-entry.ts";
import {
  nameTableInsert,
  nameTableFind,
  nameTableRemove,
} from "../../../src/structures/name-table.ts";
import { StreamId } from "../../../src/structures/stream-id.ts";
import {
  compactStream,
  duplicateStream,
  freeStream,
  freeStreamStep,
  streamBlocks,
  streamMemoryBytes,
  verifyStream,
} from "../../../src/types/stream-blocks.ts";
import { GroupBlock, StreamGroups, findGroup } from "../../../src/types/stream-group.ts";
import { type ReferencePolicy, trimStream } from "../../../src/types/stream-trim.ts";
import { Streams } from "../../../src/types/stream.ts";
import { bytesOf } from "../../support/test-keyspace.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/types/stream.test.ts";
const seed = seedOfRun();
const NOW_MS = 1_700_000_000_000;

interface ModelGroup {
  lastId: number;
  /** By ID: the consumer and how often it was delivered. */
  readonly pending: Map<number, { consumer: string; count: bigint }>;
  readonly consumers: Set<string>;
}

/** A stream, and what it should hold. IDs are <number>-1. */
class Model {
  readonly arena = new Arena();
  readonly streams = new Streams(this.arena);
  readonly groups = new StreamGroups(this.arena);
  root = this.streams.create();
  readonly entries = new Map<number, readonly string[]>();
  readonly modelGroups = new Map<string, ModelGroup>();
  lastId = 0;

  open(): void {
    this.streams.open(this.root);
  }

  add(gap: number, fields: readonly string[]): void {
    this.lastId += gap;
    this.open();
    this.streams.append(idOf(this.lastId), argsOf(fields), 0, fields.length / 2);
    this.entries.set(this.lastId, fields);
  }

  remove(number: number): void {
    this.open();
    expect(this.streams.remove(idOf(number))).toBe(this.entries.delete(number));
  }

  /** Trims exactly: to a length, or up to an ID. */
  trim(limit: number, isLength: boolean, references: ReferencePolicy): void {
    this.open();
    const removed = trimStream(this.streams, this.groups, {
      limit: isLength ? limit : idOf(limit),
      isApproximate: false,
      removedMax: 0,
      references,
    });
    let expected = 0;
    for (const number of this.entries.keys()) {
      if (isLength ? this.entries.size <= limit : number >= limit) break;
      if (references === "ACKED" && this.isReferenced(number)) continue;
      if (references === "DELREF") {
        for (const { pending } of this.modelGroups.values()) pending.delete(number);
      }
      this.entries.delete(number);
      expected++;
    }
    expect(removed).toBe(expected);
  }

  isReferenced(number: number): boolean {
    return [...this.modelGroups.values()].some(
      ({ lastId, pending }) => lastId < number || pending.has(number),
    );
  }

  openGroup(name: string): ModelGroup {
    this.open();
    const { arena, streams, groups } = this;
    const view = bytesOf(name);
    let group = findGroup(arena, streams.groups, view, 0, name.length);
    expect(group !== 0).toBe(this.modelGroups.has(name));
    if (group === 0) {
      const index = ~nameTableFind(arena, streams.groups, GroupBlock.NAME, view, 0, name.length);
      group = groups.create(view, 0, name.length, idOf(0), -1n);
      streams.groups = nameTableInsert(arena, streams.groups, index, group);
      const empty = { lastId: 0, pending: new Map(), consumers: new Set<string>() };
      this.modelGroups.set(name, empty);
    }
    groups.open(group);
    return this.modelGroups.get(name)!;
  }

  deleteGroup(name: string): void {
    this.openGroup(name);
    const { arena, streams, groups } = this;
    const view = bytesOf(name);
    const index = nameTableFind(arena, streams.groups, GroupBlock.NAME, view, 0, name.length);
    groups.free();
    streams.groups = nameTableRemove(arena, streams.groups, index);
    this.modelGroups.delete(name);
  }

  deliver(name: string, consumer: string, number: number): void {
    const model = this.openGroup(name);
    this.groups.deliver(idOf(number), this.consumer(model, consumer), NOW_MS + number);
    model.pending.set(number, { consumer, count: 1n });
    model.lastId = Math.max(model.lastId, number);
    this.groups.setLastId(idOf(model.lastId));
  }

  claim(name: string, consumer: string, number: number): void {
    const model = this.openGroup(name);
    const entry = this.groups.pending.find(idOf(number));
    const known = model.pending.get(number);
    expect(entry !== 0).toBe(known !== undefined);
    if (known === undefined) return;
    this.groups.reassign(idOf(number), entry, this.consumer(model, consumer));
    this.groups.countDelivery(entry);
    model.pending.set(number, { consumer, count: known.count + 1n });
  }

  acknowledge(name: string, number: number): void {
    const model = this.openGroup(name);
    expect(this.groups.acknowledge(idOf(number))).toBe(model.pending.delete(number));
  }

  deleteConsumer(name: string, consumer: string): void {
    const model = this.openGroup(name);
    if (!model.consumers.delete(consumer)) return;
    this.groups.deleteConsumer(bytesOf(consumer), 0, consumer.length);
    for (const [number, known] of model.pending) {
      if (known.consumer === consumer) model.pending.delete(number);
    }
  }

  private consumer(model: ModelGroup, name: string): number {
    const view = bytesOf(name);
    const found = this.groups.findConsumer(view, 0, name.length);
    expect(found !== 0).toBe(model.consumers.has(name));
    if (found !== 0) return found;
    model.consumers.add(name);
    return this.groups.createConsumer(view, 0, name.length, NOW_MS);
  }

  check(): void {
    this.arena.verify();
    verifyStream(this.arena, this.root);
    this.checkStream(this.root);
    expect(this.arena.liveBytes).toBe(streamMemoryBytes(this.arena, this.root));
  }

  /** A stream holds what the model holds, read in both directions. */
  checkStream(root: number): void {
    const { streams, groups } = this;
    streams.open(root);
    const expected = [...this.entries].map(([number, fields]) => [`${number}-1`, ...fields]);
    expect(streams.length).toBe(expected.length);
    expect(textOf(streams.firstId)).toBe(expected.length === 0 ? "0-0" : expected[0][0]);
    expect(read(streams, false)).toEqual(expected);
    expect(read(streams, true)).toEqual(expected.toReversed());
    const id = new StreamId();
    for (const [name, model] of this.modelGroups) {
      groups.open(findGroup(this.arena, streams.groups, bytesOf(name), 0, name.length));
      const found = new Map<number, bigint>();
      const { pending } = groups;
      for (let entry = pending.seekFirst(); entry !== 0; entry = pending.next()) {
        pending.readId(id);
        found.set(numberOf(id), groups.deliveries(entry));
      }
      const counts = [...model.pending].map(([number, { count }]): [number, bigint] => [
        number,
        count,
      ]);
      expect([...found]).toEqual(counts.sort((a, b) => a[0] - b[0]));
      for (const consumer of model.consumers) {
        const block = groups.findConsumer(bytesOf(consumer), 0, consumer.length);
        const own = [...model.pending.values()].filter((known) => known.consumer === consumer);
        expect(groups.pendingOf(block)).toBe(own.length);
      }
    }
  }
}

function idOf(number: number): StreamId {
  const id = new StreamId();
  id.setTime(number);
  id.seqLow = number === 0 ? 0 : 1;
  return id;
}

function numberOf(id: StreamId): number {
  return Number(textOf(id).split("-")[0]);
}

function textOf(id: StreamId): string {
  const bytes = new Uint8Array(id.textLength());
  expect(id.writeText(bytes, 0)).toBe(bytes.length);
  return Buffer.from(bytes).toString("latin1");
}

function argsOf(texts: readonly string[]): Args {
  const args = new Args();
  args.assign(texts.map((text) => Buffer.from(text, "latin1")));
  return args;
}

function read({ iterator, root, zeroId, maxId }: Streams, isReverse: boolean): string[][] {
  const found: string[][] = [];
  const piece = new ListpackEntry();
  const text = (at: number): string => {
    piece.read(iterator.entry.view, at);
    const bytes = Buffer.alloc(piece.textLength());
    piece.writeText(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0);
    return bytes.toString("latin1");
  };
  iterator.start(root, zeroId, maxId, isReverse);
  while (iterator.next()) {
    const { entry } = iterator;
    const one = [textOf(entry.id)];
    for (let i = 0; i < entry.fieldCount; i++) {
      if (i > 0) entry.nextField();
      one.push(text(entry.fieldAt), text(entry.valueAt));
    }
    found.push(one);
  }
  return found;
}

function randomFields(random: Random): string[] {
  if (random.below(3) > 0) return ["name", String(random.below(1000)), "value", "x"];
  return Array.from({ length: 2 * (1 + random.below(4)) }, () =>
    random.pick(["", "a", "12", "-9223372036854775808", "y".repeat(random.below(300))]),
  );
}

/** One random change; returns what it was called. */
function change(model: Model, random: Random): void {
  const number = 1 + random.below(model.lastId + 1);
  const group = random.pick(["g", "h", "a longer name"]);
  const consumer = random.pick(["alice", "bob", "carol"]);
  const kind = random.below(100);
  if (kind < 40) model.add(1 + random.below(random.pick([1, 3, 100_000])), randomFields(random));
  else if (kind < 55) model.remove(random.pick([...model.entries.keys(), number]));
  else if (kind < 75)
    model.deliver(group, consumer, random.pick([...model.entries.keys(), number]));
  else if (kind < 83) model.acknowledge(group, number);
  else if (kind < 93) {
    const known = [...(model.modelGroups.get(group)?.pending.keys() ?? []), number];
    if (random.oneIn(2)) model.claim(group, consumer, random.pick(known));
    else model.acknowledge(group, random.pick(known));
  } else if (kind < 94) model.deleteConsumer(group, consumer);
  else if (kind < 95 && random.oneIn(4)) model.deleteGroup(group);
  else if (kind < 97) {
    const references = random.pick<ReferencePolicy>(["KEEPREF", "DELREF", "ACKED"]);
    const isLength = random.oneIn(2);
    const length = Math.max(0, model.entries.size - random.below(30));
    model.trim(
      isLength ? length : random.pick([...model.entries.keys(), number]),
      isLength,
      references,
    );
  }
}

describe("streams", () => {
  for (const [entriesMax, bytesMax] of [
    [1, 4096],
    [10, 4096],
    [100, 400],
    [0, 0],
  ]) {
    test(`with ${entriesMax} entries and ${bytesMax} bytes a node are what their model is`, () =>
      withSeed(FILE, seed, (random) => {
        const model = new Model();
        model.streams.nodeEntriesMax = entriesMax;
        model.streams.nodeBytesMax = bytesMax;
        for (let i = 0; i < 1500; i++) {
          change(model, random);
          if (i % 100 === 0) model.check();
        }
        model.check();
        freeStream(model.arena, model.root);
        expect(model.arena.liveBytes).toBe(0);
      }));
  }

  test("are copied whole, and the copy lives on its own", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      model.streams.nodeEntriesMax = 10;
      for (let i = 0; i < 800; i++) change(model, random);
      const copy = duplicateStream(model.arena, model.root);
      verifyStream(model.arena, copy);
      model.checkStream(copy);
      freeStream(model.arena, model.root);
      expect(model.arena.liveBytes).toBe(streamMemoryBytes(model.arena, copy));
      model.root = copy;
      for (let i = 0; i < 800; i++) change(model, random);
      model.check();
    }));

  test("are freed step by step", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      model.streams.nodeEntriesMax = 1;
      for (let i = 0; i < 3000; i++) change(model, random);
      for (let i = 0; i < 1000; i++) model.add(1, ["field", "value"]);
      for (const number of model.entries.keys()) model.deliver("g", "bob", number);
      const blocks = streamBlocks(model.arena, model.root);
      expect(blocks).toBeGreaterThanOrEqual(2 * model.entries.size);
      let steps = 1;
      while (freeStreamStep(model.arena, model.root) !== 0) {
        model.arena.verify();
        steps++;
      }
      expect(steps).toBeGreaterThanOrEqual(Math.floor(blocks / 300));
      expect(model.arena.liveBytes).toBe(0);
    }));

  test("move out of sparse spans", () =>
    withSeed(FILE, seed, (random) => {
      const model = new Model();
      model.streams.nodeEntriesMax = 10;
      const sizes = [20, 48, 80, 88, 300, 500, 1268];
      const others: (readonly [number, number])[] = [];
      for (let i = 0; i < 1500; i++) {
        change(model, random);
        for (const size of sizes) others.push([model.arena.allocate(size), size]);
      }
      for (const [block, size] of others) model.arena.free(block, size);
      model.arena.planDraining();
      model.root = compactStream(model.arena, model.root);
      model.check();
      for (let i = 0; i < 300; i++) change(model, random);
      model.check();
    }));

  test("cost few bytes an entry besides the values", () => {
    const model = new Model();
    const args = argsOf(["sensor", "1234", "temperature", "19.8"]);
    for (let i = 1; i <= 10_000; i++) model.streams.append(idOf(i), args, 0, 2);
    const bytes = streamMemoryBytes(model.arena, model.root);
    expect(bytes / 10_000).toBeLessThan(11);
    const estimate = streamMemoryBytes(model.arena, model.root, 0, 32);
    expect(Math.abs(estimate / bytes - 1)).toBeLessThan(0.1);
    expect(bytes).toBeGreaterThan(blockBytes(80));
  });
});
