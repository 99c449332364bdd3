// HOT PATH: rules in src/README.md
/**
 * Sets.
 *
 *     encoding       root block
 *     INTSET    0    an intset: all members are 64-bit integers
 *     LISTPACK  1    a listpack of the members, in the order of insertion
 *     TABLE     2    | state of the members' HashIndex 24 B |
 *                    entries in blocks of their own: | stored member |, as memory/stored-bytes.ts
 *                    stores byte strings; OBJECT ENCODING: "hashtable"
 *
 * A set begins as what its first member and the number of members announced suggest, and becomes
 * larger only: an INTSET of more than `integersMax` members a TABLE, one that gets another member a
 * LISTPACK while that is within `entriesMax` and `bytesMax`, and else a TABLE.
 *
 * One object serves all sets of an engine that are attached one after the other: `attach` points it
 * at a value; what changes the value may change `root` and `encoding`, which the caller then notes
 * in the record. The cursor: `next`, `pickRandom` and `loadEntry` leave a member in `member`, where
 * it stays until the set changes. Commands on several sets use several of these objects.
 *
 * Of n members: TABLE O(1) expected for has, add and remove; INTSET O(log n) for has and O(n) for
 * changes; LISTPACK O(n).
 */
import { copyBytes } from "../base/bytes.ts";
import { Int64, isInt64 } from "../base/int64.ts";
import { INTEGER_BYTES_MAX } from "../base/integer.ts";
import type { Prng } from "../base/prng.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import { storedBytes, storedLength, writePrefix } from "../memory/stored-bytes.ts";
import { HashIndex, INDEX_STATE_BYTES } from "../structures/hash-index.ts";
import {
  intsetBase,
  intsetCompact,
  intsetCreate,
  intsetDuplicate,
  intsetFind,
  intsetFree,
  intsetGet,
  intsetInsert,
  intsetLength,
  intsetMemoryBytes,
  intsetRemove,
} from "../structures/intset.ts";
import { ListpackEntry } from "../structures/listpack-entry.ts";
import {
  Listpack,
  listpackAppend,
  listpackBase,
  listpackBytes,
  listpackCompact,
  listpackCreate,
  listpackDuplicate,
  listpackFind,
  listpackFree,
  listpackIsEnd,
  listpackLength,
  listpackMemoryBytes,
  listpackNext,
  listpackRemove,
  listpackSeek,
} from "../structures/listpack.ts";
import {
  compactTable,
  compactTableStep,
  duplicateTable,
  freeTable,
  freeTableStep,
  tableLength,
  tableMemoryBytes,
} from "./table.ts";

export const enum SetEncoding {
  INTSET = 0,
  LISTPACK = 1,
  TABLE = 2,
}

/** Bytes of a TABLE's root block. */
const ROOT_BYTES = INDEX_STATE_BYTES;
/** More members than this no intset holds, whatever the settings say. */
const INTSET_LENGTH_MAX = 2 ** 30;

/** When a set is small: set-max-intset-entries, set-max-listpack-entries and -value. */
export class SetLimits {
  integersMax = 512;
  entriesMax = 128;
  bytesMax = 64;
}

export class Sets {
  /** The attached value; both change as it grows. */
  root = 0;
  encoding: number = SetEncoding.INTSET;

  /** What the cursor is at. */
  readonly member = new ListpackEntry();

  private readonly index: HashIndex;
  /** Where the intset or listpack lies. */
  view: DataView = new DataView(new ArrayBuffer(0));
  private base = 0;
  /** LISTPACK: the position, INTSET: the index where the walk goes on. */
  private walkAt = 0;
  private readonly integer = new Int64();
  /** Text of an integer member: of one that is given, and of one while the set is converted. */
  private readonly text = new Uint8Array(2 * INTEGER_BYTES_MAX);
  private readonly textView = new DataView(this.text.buffer);

  constructor(
    private readonly arena: Arena,
    private readonly limits: SetLimits,
    hashKey0: number,
    hashKey1: number,
  ) {
    this.index = new HashIndex(arena, 0, hashKey0, hashKey1);
  }

  /** LISTPACK: position of the first entry in `view`; 0 in the other encodings. */
  get listpackStart(): number {
    return this.encoding === SetEncoding.LISTPACK ? this.base + Listpack.HEADER : 0;
  }

  /** Points this object at a value. */
  attach(root: number, encoding: number): void {
    this.root = root;
    this.encoding = encoding;
    if (encoding === SetEncoding.TABLE) this.index.attach(root);
    else this.locate();
  }

  /** Makes and attaches an empty set of this encoding. Grows the arena. */
  create(encoding: number): void {
    if (encoding === SetEncoding.INTSET) this.attach(intsetCreate(this.arena), encoding);
    else if (encoding === SetEncoding.LISTPACK) {
      this.attach(listpackCreate(this.arena), encoding);
    } else {
      const root = this.arena.allocate(ROOT_BYTES);
      this.index.attachNew(root);
      this.root = root;
      this.encoding = SetEncoding.TABLE;
    }
  }

  /**
   * Makes and attaches an empty set, fit for about `countHint` members like the text [start, end).
   * Grows the arena.
   */
  createFor(view: DataView, start: number, end: number, countHint: number): void {
    const { limits } = this;
    if (countHint <= limits.integersMax && isInt64(view, start, end)) {
      this.create(SetEncoding.INTSET);
    } else if (countHint <= limits.entriesMax) this.create(SetEncoding.LISTPACK);
    else this.create(SetEncoding.TABLE);
  }

  /** Makes the set a TABLE if `countHint` members were too many for it. Grows the arena. */
  convertFor(countHint: number): void {
    const { limits, encoding } = this;
    if (
      (encoding === SetEncoding.LISTPACK && countHint > limits.entriesMax) ||
      (encoding === SetEncoding.INTSET && countHint > limits.integersMax)
    ) {
      this.toTable();
    }
  }

  /** Announces that about `count` members follow, of which a TABLE makes use. */
  expect(count: number): void {
    if (this.encoding === SetEncoding.TABLE) this.index.expect(count);
  }

  /** Members in the set. */
  get length(): number {
    if (this.encoding === SetEncoding.TABLE) return this.index.size;
    if (this.encoding === SetEncoding.INTSET) return intsetLength(this.view, this.base);
    return listpackLength(this.view, this.base);
  }

  /** Whether `scanEntries` and `loadEntry` apply. */
  get isIndexed(): boolean {
    return this.encoding === SetEncoding.TABLE;
  }

  has(view: DataView, start: number, end: number): boolean {
    if (this.encoding === SetEncoding.TABLE) {
      const { index } = this;
      return index.find(view, start, end, index.hash(view, start, end)) !== 0;
    }
    if (this.encoding === SetEncoding.INTSET) {
      const { integer } = this;
      return (
        integer.parse(view, start, end) &&
        intsetFind(this.view, this.base, integer.high, integer.low) >= 0
      );
    }
    return listpackFind(this.view, this.base + Listpack.HEADER, view, start, end, 0) !== 0;
  }

  /** `has` for a member that another cursor is at. */
  hasEntry(member: ListpackEntry): boolean {
    if (!member.isInteger) {
      return this.has(member.view, member.start, member.start + member.length);
    }
    if (this.encoding === SetEncoding.INTSET) {
      const { integer } = this;
      takeInteger(integer, member);
      return intsetFind(this.view, this.base, integer.high, integer.low) >= 0;
    }
    const end = member.writeText(this.text, this.textView, 0);
    return this.has(this.textView, 0, end);
  }

  /**
   * Adds a member; false if it is there already. Requires: the bytes are not in this set. Grows the
   * arena.
   */
  add(view: DataView, start: number, end: number): boolean {
    if (this.encoding === SetEncoding.TABLE) return this.addToTable(view, start, end);
    if (this.encoding === SetEncoding.LISTPACK) return this.addToListpack(view, start, end);
    if (this.integer.parse(view, start, end)) return this.addInteger();
    if (this.fitsListpack(end - start)) this.toListpack();
    else this.toTable();
    return this.add(view, start, end);
  }

  /** `add` for a member that the cursor of another object is at. */
  addEntry(member: ListpackEntry): boolean {
    if (!member.isInteger) {
      return this.add(member.view, member.start, member.start + member.length);
    }
    if (this.encoding === SetEncoding.INTSET) {
      takeInteger(this.integer, member);
      return this.addInteger();
    }
    const end = member.writeText(this.text, this.textView, 0);
    return this.add(this.textView, 0, end);
  }

  /** Removes a member; false if it is not there. Grows the arena. */
  remove(view: DataView, start: number, end: number): boolean {
    if (this.encoding === SetEncoding.TABLE) {
      const { index } = this;
      const hash = index.hash(view, start, end);
      const entry = index.find(view, start, end, hash);
      if (entry === 0) return false;
      index.removeFound(hash);
      index.store(this.root);
      this.arena.free(entry, memberBytes(this.arena, entry));
      return true;
    }
    if (this.encoding === SetEncoding.INTSET) {
      return this.integer.parse(view, start, end) && this.removeInteger();
    }
    const at = listpackFind(this.view, this.base + Listpack.HEADER, view, start, end, 0);
    if (at === 0) return false;
    this.root = listpackRemove(this.arena, this.root, at, 1);
    this.locate();
    return true;
  }

  /** `remove` for a member that a cursor is at, this object's too. */
  removeEntry(member: ListpackEntry): boolean {
    if (!member.isInteger) {
      return this.remove(member.view, member.start, member.start + member.length);
    }
    if (this.encoding === SetEncoding.INTSET) {
      takeInteger(this.integer, member);
      return this.removeInteger();
    }
    const end = member.writeText(this.text, this.textView, 0);
    return this.remove(this.textView, 0, end);
  }

  /** Begins a walk over all members: `next` puts the cursor on one after the other. */
  startWalk(): void {
    if (this.encoding === SetEncoding.TABLE) this.index.startWalk();
    else this.walkAt = this.encoding === SetEncoding.INTSET ? 0 : this.base + Listpack.HEADER;
  }

  /** False at the end of the walk. Requires: the set has not changed since `startWalk`. */
  next(): boolean {
    if (this.encoding === SetEncoding.TABLE) {
      const entry = this.index.nextEntry();
      if (entry === 0) return false;
      this.loadEntry(entry);
      return true;
    }
    if (this.encoding === SetEncoding.INTSET) {
      if (this.walkAt === intsetLength(this.view, this.base)) return false;
      this.loadInteger(this.walkAt++);
      return true;
    }
    if (listpackIsEnd(this.view, this.walkAt)) return false;
    this.member.read(this.view, this.walkAt);
    this.walkAt = listpackNext(this.view, this.walkAt);
    return true;
  }

  /** Puts the cursor on a random member, all with the same chance. Requires: length > 0. */
  pickRandom(prng: Prng): void {
    if (this.encoding === SetEncoding.TABLE) this.loadEntry(this.randomEntry(prng));
    else if (this.encoding === SetEncoding.INTSET) this.loadInteger(prng.nextBelow(this.length));
    else
      this.member.read(this.view, listpackSeek(this.view, this.base, prng.nextBelow(this.length)));
  }

  /** The entry of a random member, all with the same chance. Requires: a TABLE, length > 0. */
  randomEntry(prng: Prng): number {
    return this.index.randomEntry(prng);
  }

  /**
   * Calls `visit` with the entries of one bucket of a TABLE, and returns the next cursor, as
   * HashIndex.scan does.
   */
  scanEntries(cursor: number, visit: (entry: number) => void): number {
    return this.index.scan(cursor, visit);
  }

  /** Puts the cursor on an entry of a TABLE. */
  loadEntry(entry: number): void {
    const view = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    this.member.setStored(view, (entry & Ref.GRANULE_MASK) << 3);
  }

  /** Makes the set an INTSET if it may be one. Requires: all members are int64s. Grows the arena. */
  shrinkToIntset(): void {
    if (this.encoding === SetEncoding.INTSET || this.length > this.integersMax()) return;
    const { arena, member, integer } = this;
    let intset = intsetCreate(arena);
    this.startWalk();
    while (this.next()) {
      if (member.isInteger) takeInteger(integer, member);
      else integer.parse(member.view, member.start, member.start + member.length);
      const view = arena.views[intset >>> Ref.SEGMENT_SHIFT];
      const found = intsetFind(view, intsetBase(intset), integer.high, integer.low);
      intset = intsetInsert(arena, intset, found, integer.high, integer.low);
    }
    this.free();
    this.attach(intset, SetEncoding.INTSET);
  }

  /** Frees the attached value. O(n). */
  free(): void {
    freeSet(this.arena, this.root, this.encoding);
  }

  /**
   * Throws when the structure of the value contradicts itself, or a member is there twice.
   * COLD: for tests.
   */
  verify(): void {
    if (this.encoding === SetEncoding.TABLE) {
      this.index.verify();
      return;
    }
    const members = new Set<string>();
    this.startWalk();
    while (this.next()) {
      const text = new Uint8Array(this.member.textLength());
      this.member.writeText(text, new DataView(text.buffer), 0);
      members.add(text.toHex());
    }
    if (members.size !== this.length) throw new Error("a member twice");
  }

  private locate(): void {
    this.view = this.arena.views[this.root >>> Ref.SEGMENT_SHIFT];
    this.base =
      this.encoding === SetEncoding.INTSET ? intsetBase(this.root) : listpackBase(this.root);
  }

  private loadInteger(index: number): void {
    const { integer } = this;
    intsetGet(this.view, this.base, index, integer);
    this.member.setInt64(integer.high, integer.low);
  }

  private integersMax(): number {
    return Math.min(this.limits.integersMax, INTSET_LENGTH_MAX);
  }

  private addToTable(view: DataView, start: number, end: number): boolean {
    const { index } = this;
    const hash = index.hash(view, start, end);
    if (index.find(view, start, end, hash) !== 0) return false;
    index.insert(this.newEntry(view, start, end), hash);
    index.store(this.root);
    return true;
  }

  private addToListpack(view: DataView, start: number, end: number): boolean {
    if (listpackFind(this.view, this.base + Listpack.HEADER, view, start, end, 0) !== 0) {
      return false;
    }
    const { limits } = this;
    const length = end - start;
    if (
      listpackLength(this.view, this.base) >= limits.entriesMax ||
      length > limits.bytesMax ||
      listpackBytes(this.view, this.base) + length > Listpack.SAFE_BYTES_MAX
    ) {
      this.toTable();
      return this.addToTable(view, start, end);
    }
    this.root = listpackAppend(this.arena, this.root, view, start, end);
    this.locate();
    return true;
  }

  /** Adds the member in `integer` to the INTSET. */
  private addInteger(): boolean {
    const { integer } = this;
    const found = intsetFind(this.view, this.base, integer.high, integer.low);
    if (found >= 0) return false;
    this.root = intsetInsert(this.arena, this.root, found, integer.high, integer.low);
    this.locate();
    if (intsetLength(this.view, this.base) > this.integersMax()) this.toTable();
    return true;
  }

  /** Removes the member in `integer` from the INTSET. */
  private removeInteger(): boolean {
    const { integer } = this;
    const found = intsetFind(this.view, this.base, integer.high, integer.low);
    if (found < 0) return false;
    this.root = intsetRemove(this.arena, this.root, found);
    this.locate();
    return true;
  }

  /** Whether the INTSET may become a listpack that gets a member of `length` bytes. */
  private fitsListpack(length: number): boolean {
    const { limits, view, base, member } = this;
    const count = intsetLength(view, base);
    let longest = length;
    if (count > 0) {
      this.loadInteger(0);
      longest = Math.max(longest, member.textLength());
      this.loadInteger(count - 1);
      longest = Math.max(longest, member.textLength());
    }
    const bytesAtMost = count * INTEGER_BYTES_MAX + length;
    return (
      count < limits.entriesMax &&
      longest <= limits.bytesMax &&
      bytesAtMost <= Listpack.SAFE_BYTES_MAX
    );
  }

  /** Makes the INTSET or LISTPACK a TABLE. Grows the arena. */
  private toTable(): void {
    const { arena, index, member, text, textView } = this;
    const { root, encoding } = this;
    const table = arena.allocate(ROOT_BYTES);
    index.attachNew(table);
    this.startWalk();
    while (this.next()) {
      if (member.isInteger) {
        const end = member.writeText(text, textView, INTEGER_BYTES_MAX);
        member.setString(textView, INTEGER_BYTES_MAX, end - INTEGER_BYTES_MAX);
      }
      const end = member.start + member.length;
      const entry = this.newEntry(member.view, member.start, end);
      index.insert(entry, index.hash(member.view, member.start, end));
    }
    index.store(table);
    this.root = table;
    this.encoding = SetEncoding.TABLE;
    freeSet(arena, root, encoding);
  }

  /** Makes the INTSET a LISTPACK, in ascending order. Grows the arena. */
  private toListpack(): void {
    const { arena, member, text, textView } = this;
    const { root, encoding } = this;
    let listpack = listpackCreate(arena);
    this.startWalk();
    while (this.next()) {
      listpack = listpackAppend(arena, listpack, textView, 0, member.writeText(text, textView, 0));
    }
    freeSet(arena, root, encoding);
    this.attach(listpack, SetEncoding.LISTPACK);
  }

  private newEntry(view: DataView, start: number, end: number): number {
    const length = end - start;
    const entry = this.arena.allocate(storedBytes(length));
    const target = this.arena.views[entry >>> Ref.SEGMENT_SHIFT];
    const at = writePrefix(target, (entry & Ref.GRANULE_MASK) << 3, length);
    copyBytes(target, at, view, start, length);
    return entry;
  }
}

/** The int64 that a cursor is at. */
function takeInteger(integer: Int64, member: ListpackEntry): void {
  if (member.value === member.value) {
    integer.set(member.value);
    return;
  }
  integer.high = member.high;
  integer.low = member.low;
}

/** Bytes that an entry of a TABLE was allocated with. */
function memberBytes(arena: Arena, entry: number): number {
  const view = arena.views[entry >>> Ref.SEGMENT_SHIFT];
  return storedBytes(storedLength(view, (entry & Ref.GRANULE_MASK) << 3));
}

/** Frees the value. O(n). */
export function freeSet(arena: Arena, root: number, encoding: number): void {
  if (encoding === SetEncoding.INTSET) intsetFree(arena, root);
  else if (encoding === SetEncoding.LISTPACK) listpackFree(arena, root);
  else freeTable(arena, root, ROOT_BYTES, memberBytes);
}

/** Frees a TABLE in steps: the next step's cursor, or 0 when it is gone. O(1) a step. */
export function freeSetStep(arena: Arena, root: number, encoding: number, cursor: number): number {
  if (encoding === SetEncoding.TABLE) {
    return freeTableStep(arena, root, ROOT_BYTES, memberBytes, cursor);
  }
  freeSet(arena, root, encoding);
  return 0;
}

/** Blocks that freeing the value takes, roughly. O(1). */
export function setBlocks(arena: Arena, root: number, encoding: number): number {
  return encoding === SetEncoding.TABLE ? tableLength(arena, root) : 1;
}

/** The root of a copy. O(n). Grows the arena. */
export function duplicateSet(arena: Arena, root: number, encoding: number): number {
  if (encoding === SetEncoding.INTSET) return intsetDuplicate(arena, root);
  if (encoding === SetEncoding.LISTPACK) return listpackDuplicate(arena, root);
  return duplicateTable(arena, root, ROOT_BYTES, memberBytes);
}

/** Moves the blocks that lie in sparse spans; returns the root's new reference. O(n). */
export function compactSet(arena: Arena, root: number, encoding: number): number {
  if (encoding === SetEncoding.INTSET) return intsetCompact(arena, root);
  if (encoding === SetEncoding.LISTPACK) return listpackCompact(arena, root);
  return compactTable(arena, root, ROOT_BYTES, memberBytes);
}

/** Does a part of that for a TABLE, but for the root; as `compactTableStep`. */
export function compactSetStep(
  arena: Arena,
  root: number,
  encoding: number,
  cursor: number,
): number {
  return encoding === SetEncoding.TABLE ? compactTableStep(arena, root, memberBytes, cursor) : 0;
}

/** Bytes of arena memory that the value occupies. O(n). */
export function setMemoryBytes(
  arena: Arena,
  root: number,
  encoding: number,
  samples = Infinity,
): number {
  if (encoding === SetEncoding.INTSET) return intsetMemoryBytes(arena, root);
  if (encoding === SetEncoding.LISTPACK) return listpackMemoryBytes(arena, root);
  return tableMemoryBytes(arena, root, ROOT_BYTES, memberBytes, samples);
}
