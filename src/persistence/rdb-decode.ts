/**
 * Reads the value of one key in the RDB format, from bytes that nobody has checked, in every form
 * that Redis and Valkey have written.
 *
 * Small values come as listpacks or intsets, or as ziplists and zipmaps, which become listpacks
 * first. Each is validated from end to end, duplicates included, before it is copied into the arena
 * as a block; what has too many elements for a block is converted then. Other values come element by
 * element. When something is wrong nothing is left behind in the arena.
 *
 * O(bytes of the value).
 */
import { parseDouble } from "../base/double.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { ValueType } from "../keyspace/record.ts";
import { VALUE_TYPES } from "../keyspace/value-types.ts";
import { intsetFromBytes, intsetValidate } from "../structures/intset.ts";
import { ListpackEntry } from "../structures/listpack-entry.ts";
import {
  Listpack,
  listpackFromBytes,
  listpackIsEnd,
  listpackNext,
  listpackValidate,
} from "../structures/listpack.ts";
import type { Quicklist } from "../structures/quicklist.ts";
import { HashEncoding, hashHasExpiries } from "../types/hash.ts";
import { SetEncoding } from "../types/set.ts";
import { ZsetEncoding } from "../types/zset.ts";
import { ListpackEntrySet } from "./listpack-entry-set.ts";
import { ListpackBuilder } from "./listpack-builder.ts";
import { HASH_2, RdbNode, RdbType } from "./rdb-format.ts";
import { type RdbReader, RdbText } from "./rdb-reader.ts";
import { decodeStream } from "./rdb-stream-decode.ts";
import { appendZiplist, appendZipmap } from "./ziplist.ts";

/** Times beyond are refused, as in Redis. */
const FIELD_EXPIRE_MS_MAX = 2 ** 48 - 1;
/** Special first bytes of doubles written as text. */
const NEGATIVE_INFINITY = 255;
const POSITIVE_INFINITY = 254;
const NOT_A_NUMBER = 253;
const INTEGER_CHARACTERS_MAX = 20;
const TWO_32 = 4294967296;
/** What an element takes in a file, if room is to be made for it beforehand. */
const ELEMENT_BYTES = 8;

export class RdbDecoder {
  /** What was decoded: `text` of a string, `root` of other values. */
  type: ValueType = ValueType.STRING;
  encoding = 0;
  root = 0;
  /** Why `decode` returned false without a failure: the value has no elements, or no more. */
  isEmpty = false;
  isExpired = false;
  /** Whether a value without elements is a failure. */
  refusesEmpty = true;
  /** Fields whose time is before are left out; 0 = none are. */
  dropsExpiredBeforeMs = 0;
  readonly text = new RdbText();
  private readonly valueText = new RdbText();

  private readonly builder = new ListpackBuilder();
  private readonly entries: ListpackEntrySet;
  private readonly entry = new ListpackEntry();
  private readonly scratch = new Uint8Array(INTEGER_CHARACTERS_MAX);
  private readonly scratchView = new DataView(this.scratch.buffer);

  constructor(
    private readonly keyspace: Keyspace,
    private readonly reader: RdbReader,
  ) {
    this.entries = new ListpackEntrySet(keyspace.hashKey0, keyspace.hashKey1);
  }

  /**
   * Decodes a value whose type's byte was read; false: `reader.failure` says why not, or `isEmpty`
   * and `isExpired`.
   */
  decode(type: number): boolean {
    this.root = 0;
    this.encoding = 0;
    this.isEmpty = false;
    this.isExpired = false;
    switch (type) {
      case RdbType.STRING:
        this.type = ValueType.STRING;
        this.reader.string(this.text);
        break;
      case RdbType.LIST:
      case RdbType.LIST_QUICKLIST:
      case RdbType.LIST_QUICKLIST_2:
      case RdbType.LIST_ZIPLIST:
        this.type = ValueType.LIST;
        this.list(type);
        break;
      case RdbType.SET:
        this.type = ValueType.SET;
        this.set();
        break;
      case RdbType.SET_INTSET:
        this.type = ValueType.SET;
        this.reader.string(this.text);
        this.setIntset();
        break;
      case RdbType.SET_LISTPACK:
        this.type = ValueType.SET;
        this.reader.string(this.text);
        this.setListpack();
        break;
      case RdbType.HASH:
        this.type = ValueType.HASH;
        this.hash();
        break;
      case RdbType.HASH_LISTPACK:
      case RdbType.HASH_ZIPLIST:
      case RdbType.HASH_ZIPMAP:
        this.type = ValueType.HASH;
        this.reader.string(this.text);
        if (type === RdbType.HASH_ZIPLIST) this.fromZiplist("Hash");
        if (type === RdbType.HASH_ZIPMAP) this.fromZipmap();
        this.hashListpack(type === RdbType.HASH_ZIPMAP);
        break;
      case RdbType.HASH_METADATA_PRE_GA:
      case RdbType.HASH_METADATA:
      case HASH_2:
        this.type = ValueType.HASH;
        this.expiringHash(type);
        break;
      case RdbType.HASH_LISTPACK_EX_PRE_GA:
      case RdbType.HASH_LISTPACK_EX:
        this.type = ValueType.HASH;
        if (type === RdbType.HASH_LISTPACK_EX) this.reader.int64();
        this.reader.string(this.text);
        this.expiringListpack();
        break;
      case RdbType.ZSET:
      case RdbType.ZSET_2:
        this.type = ValueType.ZSET;
        this.zset(type === RdbType.ZSET_2);
        break;
      case RdbType.ZSET_LISTPACK:
      case RdbType.ZSET_ZIPLIST:
        this.type = ValueType.ZSET;
        this.reader.string(this.text);
        if (type === RdbType.ZSET_ZIPLIST) this.fromZiplist("Zset");
        this.zsetListpack();
        break;
      case RdbType.STREAM_LISTPACKS:
      case RdbType.STREAM_LISTPACKS_2:
      case RdbType.STREAM_LISTPACKS_3:
        this.type = ValueType.STREAM;
        this.root = decodeStream(this.reader, this.keyspace, type);
        break;
      default:
        this.reader.fail(`Unknown RDB encoding type ${type}`);
    }
    if (this.isEmpty && this.refusesEmpty) this.reader.fail("Empty value");
    if (this.reader.failure === null && !this.isEmpty && !this.isExpired) return true;
    this.free();
    return false;
  }

  /** Whether the value is a hash with fields that expire. */
  get hasFieldExpiry(): boolean {
    const { arena } = this.keyspace;
    return this.type === ValueType.HASH && hashHasExpiries(arena, this.root, this.encoding);
  }

  /** Frees what was decoded and is not wanted. */
  free(): void {
    const { arena } = this.keyspace;
    if (this.root !== 0) VALUE_TYPES[this.type].free(arena, this.root, this.encoding);
    this.root = 0;
  }

  private list(type: RdbType): void {
    const { reader, text } = this;
    const { lists } = this.keyspace;
    if (type === RdbType.LIST_ZIPLIST) {
      reader.string(text);
      this.fromZiplist("List");
      if (reader.failure !== null) return;
    }
    const count = type === RdbType.LIST_ZIPLIST ? 1 : reader.count(1);
    if (reader.failure !== null) return;
    if (count === 0) {
      this.isEmpty = true;
      return;
    }
    const quicklist = lists.createQuicklist();
    for (let i = 0; i < count && reader.failure === null; i++) {
      if (type === RdbType.LIST) {
        reader.string(text);
        if (reader.failure === null) quicklist.push(false, text.view, text.start, text.end);
      } else if (type === RdbType.LIST_ZIPLIST) this.pushEntries(quicklist);
      else this.listNode(quicklist, type === RdbType.LIST_QUICKLIST_2);
    }
    if (quicklist.count === 0) this.isEmpty = true;
    // Valkey leaves a ziplist's elements in a quicklist, however few they are.
    else if (type === RdbType.LIST_ZIPLIST) lists.rest();
    else lists.settle();
    this.encoding = lists.encoding;
    this.root = lists.root;
  }

  private listNode(quicklist: Quicklist, hasContainer: boolean): void {
    const { reader, text } = this;
    const container = hasContainer ? reader.size() : RdbNode.PACKED;
    reader.string(text);
    if (reader.failure !== null) return;
    if (text.length === 0) reader.fail("Empty quicklist node");
    else if (container === RdbNode.PLAIN) {
      quicklist.appendPlain(text.view, text.start, text.length);
    } else if (container !== RdbNode.PACKED) reader.fail("Quicklist integrity check failed.");
    else {
      if (!hasContainer) this.fromZiplist("Quicklist");
      if (reader.failure !== null) return;
      const count = listpackValidate(text.view, text.start, text.end);
      if (count < 0) reader.fail("Listpack integrity check failed.");
      // An empty node is left out, as in Valkey.
      if (count > 0) {
        const { arena } = this.keyspace;
        quicklist.appendListpack(listpackFromBytes(arena, text.view, text.start));
      }
    }
  }

  /** Pushes the entries of the listpack in `text` one by one. */
  private pushEntries(quicklist: Quicklist): void {
    const { view, start } = this.text;
    const { entry, scratch, scratchView } = this;
    for (let at = start + Listpack.HEADER; !listpackIsEnd(view, at); at = listpackNext(view, at)) {
      entry.read(view, at);
      if (entry.isInteger) {
        quicklist.push(false, scratchView, 0, entry.writeText(scratch, scratchView, 0));
      } else quicklist.push(false, view, entry.start, entry.start + entry.length);
    }
  }

  private set(): void {
    const { reader, text } = this;
    const { sets, setLimits } = this.keyspace;
    const count = reader.count(1);
    if (reader.failure !== null) return;
    if (count === 0) {
      this.isEmpty = true;
      return;
    }
    sets.create(count > setLimits.integersMax ? SetEncoding.TABLE : SetEncoding.INTSET);
    sets.expect(this.believed(count));
    for (let i = 0; i < count && reader.failure === null; i++) {
      reader.string(text);
      if (reader.failure === null && !sets.add(text.view, text.start, text.end)) {
        reader.fail("Duplicate set members detected");
      }
    }
    this.encoding = sets.encoding;
    this.root = sets.root;
  }

  private setIntset(): void {
    const { reader, text } = this;
    const { sets, arena } = this.keyspace;
    if (reader.failure !== null) return;
    const count = intsetValidate(text.view, text.start, text.end);
    if (count < 0) {
      reader.fail("Intset integrity check failed.");
      return;
    }
    sets.attach(intsetFromBytes(arena, text.view, text.start), SetEncoding.INTSET);
    sets.convertFor(count);
    this.encoding = sets.encoding;
    this.root = sets.root;
  }

  private setListpack(): void {
    const { text } = this;
    const { sets, arena } = this.keyspace;
    const count = this.validateListpack("Set", 1);
    if (count === 0) return;
    sets.attach(listpackFromBytes(arena, text.view, text.start), SetEncoding.LISTPACK);
    sets.convertFor(count);
    this.encoding = sets.encoding;
    this.root = sets.root;
  }

  private hash(): void {
    const { reader, text, valueText } = this;
    const { hashes } = this.keyspace;
    const count = reader.count(2);
    if (reader.failure !== null) return;
    if (count === 0) {
      this.isEmpty = true;
      return;
    }
    hashes.create();
    hashes.convertFor(count, 0, 0);
    hashes.expect(this.believed(count));
    for (let i = 0; i < count && reader.failure === null; i++) {
      reader.string(text);
      reader.string(valueText);
      if (reader.failure !== null) break;
      const isNew = hashes.set(
        text.view,
        text.start,
        text.end,
        valueText.view,
        valueText.start,
        valueText.end,
      );
      if (!isNew) reader.fail("Duplicate hash fields detected");
    }
    this.encoding = hashes.encoding;
    this.root = hashes.root;
  }

  /** A hash of which fields may expire, field by field. */
  private expiringHash(type: number): void {
    const { reader, text, valueText } = this;
    const { hashes } = this.keyspace;
    const leastMs = type === RdbType.HASH_METADATA ? this.time() : 0;
    const count = reader.count(3);
    if (reader.failure !== null) return;
    this.isEmpty = count === 0;
    hashes.create();
    hashes.convertFor(count, 0, 0);
    for (let i = 0; i < count && reader.failure === null; i++) {
      let atMs = 0;
      if (type !== HASH_2) {
        const time = reader.size();
        atMs = type === RdbType.HASH_METADATA && time !== 0 ? leastMs + time - 1 : time;
      }
      reader.string(text);
      reader.string(valueText);
      if (type === HASH_2) atMs = this.time();
      if (reader.failure === null) this.setExpiring(text, valueText, atMs, type === HASH_2);
    }
    this.finishExpiring();
  }

  /** A hash of which fields may expire, as the listpack in `text`: field, value, time, ... */
  private expiringListpack(): void {
    const { text, reader, entry } = this;
    const { hashes } = this.keyspace;
    const count = this.validateListpack("Hash", 3);
    if (count === 0) return;
    const field = new RdbText();
    const value = new RdbText();
    const { view } = text;
    hashes.create();
    hashes.convertFor(count / 3, 0, 0);
    let at = text.start + Listpack.HEADER;
    for (let i = 0; i < count && reader.failure === null; i += 3) {
      this.takeEntry(at, field);
      at = listpackNext(view, at);
      this.takeEntry(at, value);
      at = listpackNext(view, at);
      entry.read(view, at);
      if (!entry.isInteger || Number.isNaN(entry.value)) reader.fail("invalid expireAt time");
      else this.setExpiring(field, value, entry.value, false);
      at = listpackNext(view, at);
    }
    this.finishExpiring();
  }

  /** Adds a field that expires at `atMs`; never if that is 0, or, in Valkey's files, -1. */
  private setExpiring(field: RdbText, value: RdbText, atMs: number, isValkey: boolean): void {
    const { hashes } = this.keyspace;
    const expires = isValkey ? atMs !== -1 : atMs !== 0;
    if (expires && (atMs < 0 || atMs > FIELD_EXPIRE_MS_MAX)) {
      this.reader.fail(`invalid expireAt time: ${atMs}`);
      return;
    }
    if (expires && atMs < this.dropsExpiredBeforeMs) return;
    const { view, start, end } = field;
    if (!hashes.set(view, start, end, value.view, value.start, value.end)) {
      this.reader.fail("Duplicate hash fields detected");
    }
    if (expires) hashes.setExpireAt(view, start, end, atMs);
  }

  private finishExpiring(): void {
    const { hashes } = this.keyspace;
    this.encoding = hashes.encoding;
    this.root = hashes.root;
    this.isExpired = !this.isEmpty && hashes.length === 0;
  }

  /** A signed time in unix ms, rounded beyond 2^53. */
  private time(): number {
    const { reader } = this;
    reader.int64();
    return reader.high * TWO_32 + (reader.low >>> 0);
  }

  /** Points `target` at the entry at `at` of the listpack in `text`, or at its decimal text. */
  private takeEntry(at: number, target: RdbText): void {
    const { bytes, view } = this.text;
    const { entry } = this;
    entry.read(view, at);
    if (!entry.isInteger) {
      target.set(bytes, view, entry.start, entry.start + entry.length);
      return;
    }
    target.own(INTEGER_CHARACTERS_MAX);
    target.end = entry.writeText(target.bytes, target.view, 0);
  }

  private hashListpack(convertsLong: boolean): void {
    const { text } = this;
    const { hashes, arena } = this.keyspace;
    const pairs = this.validateListpack("Hash", 2) / 2;
    if (pairs === 0) return;
    const longest = convertsLong ? this.longestEntry() : 0;
    hashes.attach(listpackFromBytes(arena, text.view, text.start), HashEncoding.LISTPACK);
    hashes.convertFor(pairs, longest, 0);
    this.encoding = hashes.encoding;
    this.root = hashes.root;
  }

  /** Bytes of the longest text in the listpack in `text`. */
  private longestEntry(): number {
    const { view, start } = this.text;
    const { entry } = this;
    let longest = 0;
    for (let at = start + Listpack.HEADER; !listpackIsEnd(view, at); at = listpackNext(view, at)) {
      entry.read(view, at);
      longest = Math.max(longest, entry.textLength());
    }
    return longest;
  }

  private zset(isBinary: boolean): void {
    const { reader, text } = this;
    const { zsets, zsetLimits } = this.keyspace;
    const count = reader.count(2);
    if (reader.failure !== null) return;
    if (count === 0) {
      this.isEmpty = true;
      return;
    }
    zsets.create(count, 0);
    zsets.expect(this.believed(count));
    for (let i = 0; i < count && reader.failure === null; i++) {
      reader.string(text);
      const score = isBinary ? reader.double() : this.doubleText();
      if (reader.failure !== null) break;
      if (text.length > zsetLimits.bytesMax) zsets.convertFor(count, text.length);
      if (Number.isNaN(score)) reader.fail("Zset with NAN score detected");
      else if (zsets.find(text.view, text.start, text.end)) {
        reader.fail("Duplicate zset fields detected");
      } else zsets.addMissing(text.view, text.start, text.end, score);
    }
    this.encoding = zsets.encoding;
    this.root = zsets.root;
  }

  /** A double of the oldest format: a length, or a special value, and the text. */
  private doubleText(): number {
    const { reader } = this;
    const length = reader.byte();
    if (length === NEGATIVE_INFINITY) return -Infinity;
    if (length === POSITIVE_INFINITY) return Infinity;
    if (length === NOT_A_NUMBER) return NaN;
    const text = new RdbText();
    reader.raw(length, text);
    return parseDouble(text.bytes, text.start, text.end);
  }

  private zsetListpack(): void {
    const { reader, text, keyspace } = this;
    const { zsets } = keyspace;
    const pairs = this.validateListpack("Zset", 2) / 2;
    if (pairs === 0) return;
    if (!this.hasScores()) {
      reader.fail("Zset listpack integrity check failed.");
      return;
    }
    zsets.attach(listpackFromBytes(keyspace.arena, text.view, text.start), ZsetEncoding.LISTPACK);
    zsets.convertFor(pairs, 0);
    this.encoding = zsets.encoding;
    this.root = zsets.root;
  }

  /** Whether every second entry of the listpack in `text` is a score, none below the one before. */
  private hasScores(): boolean {
    const { view, bytes, start } = this.text;
    const { entry } = this;
    let previous = -Infinity;
    for (let at = start + Listpack.HEADER; !listpackIsEnd(view, at); at = listpackNext(view, at)) {
      at = listpackNext(view, at);
      entry.read(view, at);
      let score = entry.value;
      if (!entry.isInteger) score = parseDouble(bytes, entry.start, entry.start + entry.length);
      else if (Number.isNaN(score)) score = entry.high * TWO_32 + (entry.low >>> 0);
      if (!(score >= previous)) return false;
      previous = score;
    }
    return true;
  }

  /** Turns the ziplist in `text` into a listpack. */
  private fromZiplist(what: string): void {
    const { builder, text, reader } = this;
    if (reader.failure !== null) return;
    builder.clear();
    if (!appendZiplist(builder, text.view, text.start, text.end)) {
      reader.fail(`${what} ziplist integrity check failed.`);
      return;
    }
    const length = builder.finish();
    text.set(builder.bytes, builder.view, 0, length);
  }

  /** Turns the zipmap in `text` into a listpack. */
  private fromZipmap(): void {
    const { builder, text, reader } = this;
    if (reader.failure !== null) return;
    builder.clear();
    if (!appendZipmap(builder, text.view, text.start, text.end) || builder.count === 0) {
      reader.fail("Zipmap integrity check failed.");
      return;
    }
    const length = builder.finish();
    text.set(builder.bytes, builder.view, 0, length);
  }

  /**
   * The count of entries of the listpack in `text`, which come in groups of `group`; 0 if it is
   * empty, or after a failure: it is corrupt, or it holds the first of a group twice.
   */
  private validateListpack(what: string, group: number): number {
    const { reader, text } = this;
    if (reader.failure !== null) return 0;
    const count = listpackValidate(text.view, text.start, text.end);
    if (
      count < 0 ||
      count % group !== 0 ||
      !this.entries.areUnique(text.view, text.start, count, group)
    ) {
      reader.fail(`${what} listpack integrity check failed.`);
      return 0;
    }
    this.isEmpty = count === 0;
    return count;
  }

  /** As many of the announced elements as the bytes that follow can hold, if they are not tiny. */
  private believed(count: number): number {
    const { remaining } = this.reader;
    return remaining === Infinity ? 0 : Math.min(count, remaining / ELEMENT_BYTES);
  }
}
