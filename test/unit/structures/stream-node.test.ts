import { expect, test } from "bun:test";
import { Arena, Ref } from "../../../src/memory/arena.ts";
import { ListpackEntry } from "../../../src/structures/listpack-entry.ts";
import {
  listpackAppend,
  listpackAppendInteger,
  listpackBase,
  listpackBytes,
  listpackCreate,
  listpackFree,
} from "../../../src/structures/listpack.ts";
import { StreamId } from "../../../src/structures/stream-id.ts";
import {
  StreamNodeDecoder,
  StreamNodeEncoder,
} from "../../../src/structures/stream-node-listpack.ts";
import { StreamNodeWriter } from "../../../src/structures/stream-node-writer.ts";
import {
  StreamNodeReader,
  nodeBase,
  nodeBytes,
  nodeFree,
  nodeListpackBytes,
  nodeMarkDeleted,
} from "../../../src/structures/stream-node.ts";
import { bytesOf } from "../../support/test-keyspace.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/stream-node.test.ts";
const seed = seedOfRun();

interface Entry {
  readonly ms: bigint;
  readonly seq: bigint;
  /** Null where the entry has the master fields. */
  readonly fields: readonly string[] | null;
  readonly values: readonly string[];
  isDeleted: boolean;
}

/** A node, and what it should hold. */
class Model {
  readonly arena = new Arena();
  readonly writer = new StreamNodeWriter(this.arena);
  readonly entries: Entry[] = [];
  node: number;

  constructor(readonly fields: readonly string[]) {
    this.writer.begin(new StreamId(), 0, 0);
    this.node = this.writer.end();
  }

  add(entry: Entry): void {
    const { writer, entries, fields } = this;
    entries.push(entry);
    const master = idOf(entries[0]);
    if (entries.length === 1) {
      nodeFree(this.arena, this.node);
      writer.begin(master, fields.length, StreamNodeWriter.room(textBytes(fields), fields.length));
      for (const field of fields) writer.text(bytesOf(field), 0, field.length);
      this.node = writer.end();
    }
    const texts = textsOf(entry);
    const isOwn = entry.fields !== null;
    const room = StreamNodeWriter.room(textBytes(texts), texts.length);
    writer.beginEntry(this.node, master, idOf(entry), entry.values.length, isOwn, room);
    for (const text of texts) writer.text(bytesOf(text), 0, text.length);
    this.node = writer.endEntry();
  }

  delete(index: number): void {
    const reader = this.open(this.node);
    reader.first();
    for (let i = 0; i < index; i++) reader.next();
    nodeMarkDeleted(reader.view, reader.base, reader.entryAt);
    this.entries[index].isDeleted = true;
  }

  /** The node is what the model is, and so is the listpack, in both directions. */
  check(): void {
    this.checkNode(this.node);
    const encoder = new StreamNodeEncoder();
    const { arena, node } = this;
    const master = idOf(this.entries[0]);
    encoder.encode(arena.views[node >>> Ref.SEGMENT_SHIFT], nodeBase(node), master);
    const listpack = this.listpack();
    expect([...encoder.bytes.subarray(0, encoder.length)]).toEqual(listpack);
    const view = arena.views[node >>> Ref.SEGMENT_SHIFT];
    expect(nodeListpackBytes(view, nodeBase(node))).toBe(listpack.length);
    const decoded = new StreamNodeDecoder(arena).decode(encoder.view, 0, master);
    this.checkNode(decoded);
    const from = nodeBase(decoded);
    const bytes = nodeBytes(view, nodeBase(node));
    expect(nodeBytes(arena.views[decoded >>> Ref.SEGMENT_SHIFT], from)).toBe(bytes);
    nodeFree(arena, decoded);
    arena.verify();
  }

  private checkNode(node: number): void {
    const reader = this.open(node);
    const found: string[] = [];
    for (let more = reader.first(); more; more = reader.next()) found.push(describe(reader));
    expect(found).toEqual(this.entries.map(describeEntry(this.fields)));
    const backwards: string[] = [];
    for (let more = reader.last(); more; more = reader.previous()) backwards.push(describe(reader));
    expect(backwards).toEqual(found.toReversed());
  }

  private open(node: number): StreamNodeReader {
    const reader = new StreamNodeReader();
    const view = this.arena.views[node >>> Ref.SEGMENT_SHIFT];
    reader.open(view, nodeBase(node), idOf(this.entries[0]));
    return reader;
  }

  /** The node as Redis writes it, piece by piece. */
  private listpack(): number[] {
    const { arena, entries, fields } = this;
    let listpack = listpackCreate(arena);
    const integer = (value: number): void => {
      listpack = listpackAppendInteger(arena, listpack, value);
    };
    const text = (value: string): void => {
      listpack = listpackAppend(arena, listpack, bytesOf(value), 0, value.length);
    };
    const live = entries.filter((entry) => !entry.isDeleted).length;
    integer(live);
    integer(entries.length - live);
    integer(fields.length);
    fields.forEach(text);
    integer(0);
    for (const entry of entries) {
      integer((entry.isDeleted ? 1 : 0) + (entry.fields === null ? 2 : 0));
      text(String(BigInt.asIntN(64, entry.ms - entries[0].ms)));
      text(String(BigInt.asIntN(64, entry.seq - entries[0].seq)));
      if (entry.fields !== null) integer(entry.values.length);
      const texts = textsOf(entry);
      texts.forEach(text);
      integer(3 + texts.length + (entry.fields === null ? 0 : 1));
    }
    const view = arena.views[listpack >>> Ref.SEGMENT_SHIFT];
    const base = listpackBase(listpack);
    const end = base + listpackBytes(view, base);
    const bytes = [...arena.bytes[listpack >>> Ref.SEGMENT_SHIFT].subarray(base, end)];
    listpackFree(arena, listpack);
    return bytes;
  }
}

function textsOf({ fields, values }: Entry): string[] {
  return values.flatMap((value, i) => (fields === null ? [value] : [fields[i], value]));
}

function textBytes(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}

function idOf({ ms, seq }: Entry): StreamId {
  const id = new StreamId();
  id.msHigh = Number(BigInt.asIntN(32, ms >> 32n));
  id.msLow = Number(BigInt.asIntN(32, ms));
  id.seqHigh = Number(BigInt.asIntN(32, seq >> 32n));
  id.seqLow = Number(BigInt.asIntN(32, seq));
  return id;
}

function textOfId(id: StreamId): string {
  const bytes = Buffer.alloc(id.textLength());
  id.writeText(bytes, 0);
  return bytes.toString("latin1");
}

function textAt(view: DataView, at: number): string {
  const piece = new ListpackEntry();
  piece.read(view, at);
  const bytes = Buffer.alloc(piece.textLength());
  piece.writeText(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0);
  return bytes.toString("latin1");
}

function describe(reader: StreamNodeReader): string {
  const words = [textOfId(reader.id), String(reader.isDeleted), String(reader.hasOwnFields)];
  for (let i = 0; i < reader.fieldCount; i++) {
    if (i > 0) reader.nextField();
    words.push(textAt(reader.view, reader.fieldAt), textAt(reader.view, reader.valueAt));
  }
  return words.join(" ");
}

function describeEntry(fields: readonly string[]): (entry: Entry) => string {
  return (entry) => {
    const names = entry.fields ?? fields;
    const texts = entry.values.flatMap((value, i) => [names[i], value]);
    const id = `${entry.ms}-${entry.seq}`;
    return [id, String(entry.isDeleted), String(entry.fields !== null), ...texts].join(" ");
  };
}

function randomText(random: Random): string {
  return random.pick([
    "",
    "x",
    "12",
    "-70000",
    "007",
    "9223372036854775807",
    String(random.below(100_000)),
    "y".repeat(random.below(random.pick([20, 20, 200, 6000]))),
  ]);
}

/** An entry with an ID above that of `before`. */
function randomEntry(random: Random, before: Entry, fieldCount: number): Entry {
  const isOwn = random.oneIn(4);
  const count = isOwn ? 1 + random.below(random.pick([3, 3, 200])) : fieldCount;
  const texts = (): string[] => Array.from({ length: count }, () => randomText(random));
  let { ms, seq } = before;
  const step = BigInt(1 + random.below(random.pick([1, 100, 1000, 1e9])));
  if (random.oneIn(3)) {
    ms += random.oneIn(30) ? step << 32n : step;
    seq = random.pick([0n, seq, BigInt(random.below(300)), (1n << 64n) - 2n - step]);
  } else seq += random.oneIn(30) ? step << 20n : step;
  return { ms, seq, fields: isOwn ? texts() : null, values: texts(), isDeleted: false };
}

function isId({ ms, seq }: Entry): boolean {
  return ms < 1n << 64n && seq < 1n << 64n;
}

test("are what their model is, and what Redis's listpack would be", () =>
  withSeed(FILE, seed, (random) => {
    for (let round = 0; round < 60; round++) {
      const fields = Array.from({ length: 1 + random.below(4) }, () => randomText(random));
      const model = new Model(fields);
      let last: Entry = {
        ms: random.pick([0n, 1_700_000_000_000n, (1n << 63n) - 3n, (1n << 64n) - 1000n]),
        seq: random.pick([0n, 5n, (1n << 32n) - 3n, (1n << 63n) - 5n]),
        fields: null,
        values: fields,
        isDeleted: false,
      };
      model.add(last);
      for (let i = random.below(random.pick([3, 30, 300])); i > 0; i--) {
        const entry = randomEntry(random, last, fields.length);
        if (!isId(entry)) continue;
        model.add(entry);
        last = entry;
        const index = random.below(model.entries.length);
        if (random.oneIn(3) && !model.entries[index].isDeleted) model.delete(index);
      }
      model.check();
      nodeFree(model.arena, model.node);
      expect(model.arena.liveBytes).toBe(0);
    }
  }));

test("count entries of any number as the listpack does", () => {
  const model = new Model(["f"]);
  for (let i = 0; i < 33_000; i++) {
    model.add({ ms: 5n, seq: BigInt(i), fields: null, values: ["v"], isDeleted: false });
    if (i === 127 || i === 128 || i === 4095 || i === 4096) model.check();
  }
  for (let i = 0; i < 130; i++) model.delete(i);
  model.check();
});

test("move into a block of their size when they are finished, and leave theirs to the next one", () => {
  const model = new Model(["f"]);
  const { arena, writer } = model;
  for (let i = 0; i < 50; i++) {
    model.add({ ms: 5n, seq: BigInt(i), fields: null, values: ["value"], isDeleted: false });
  }
  const block = model.node;
  model.node = writer.finish(block);
  expect(model.node).not.toBe(block);
  model.check();
  writer.begin(new StreamId(), 0, 0);
  const next = writer.end();
  expect(next).toBe(block);
  nodeFree(arena, next);
  nodeFree(arena, model.node);
  expect(arena.liveBytes).toBe(0);
});
