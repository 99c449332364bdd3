/**
 * DEBUG DIGEST: 20 bytes that tell whether two servers hold the same data, computed as Redis does,
 * so that both can be compared.
 *
 *     xor(digest, bytes)   digest ^= SHA1(bytes)              order does not matter
 *     mix(digest, bytes)   xor, then digest = SHA1(digest)    order matters
 *
 *     key      mix(key bytes), then the value
 *     value    mix(type as 4 bytes), mix(contents), and xor("!!expire!!") if it expires
 *     all      for each database with keys: mix(number as 4 bytes), xor(digest of each key)
 *
 * Numbers are big-endian. O(bytes of all keys and values).
 */
import { bytesFromAscii, latin1FromBytes } from "../base/ascii.ts";
import { DOUBLE_BYTES_MAX } from "../base/double.ts";
import { writeShortest } from "../base/grisu.ts";
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import {
  Meta,
  ValueType,
  encodingOf,
  keyLength,
  keyStart,
  metaOf,
  rootOf,
  typeOf,
  viewOf,
} from "../keyspace/record.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import { bytesOf, stringLength, stringStart } from "./string-value.ts";

const DIGEST_BYTES = 20;
const EXPIRES = bytesFromAscii("!!expire!!");

const HYPHEN = 0x2d;
const FULL_STOP = 0x2e;

/** The numbers that Redis gives the types, by ValueType. */
const TYPE_NUMBERS: Readonly<Record<ValueType, number>> = {
  [ValueType.STRING]: 0,
  [ValueType.LIST]: 1,
  [ValueType.SET]: 2,
  [ValueType.ZSET]: 3,
  [ValueType.HASH]: 4,
  [ValueType.STREAM]: 6,
};

/** The digest of all databases, in hexadecimal. */
export function datasetDigest(keyspace: Keyspace): string {
  const all = new Uint8Array(DIGEST_BYTES);
  const one = new Uint8Array(DIGEST_BYTES);
  for (const database of keyspace.databases) {
    if (database.index.size === 0) continue;
    mix(all, bigEndian(database.id));
    eachRecord(database, (record) => {
      one.fill(0);
      mix(one, keyBytes(keyspace, record));
      mixValue(one, keyspace, record);
      xor(all, one);
    });
  }
  return all.toHex();
}

/** The digest of a key's value, in hexadecimal; zeros for a missing key (record 0). */
export function valueDigest(keyspace: Keyspace, record: number): string {
  const digest = new Uint8Array(DIGEST_BYTES);
  if (record !== 0) mixValue(digest, keyspace, record);
  return digest.toHex();
}

function eachRecord({ index }: Database, visit: (record: number) => void): void {
  let cursor = 0;
  do {
    cursor = index.scan(cursor, visit);
  } while (cursor !== 0);
}

function mixValue(digest: Uint8Array, keyspace: Keyspace, record: number): void {
  const meta = metaOf(keyspace.arena, record);
  const type = typeOf(meta);
  mix(digest, bigEndian(TYPE_NUMBERS[type]));
  switch (type) {
    case ValueType.STRING:
      mix(digest, stringBytes(keyspace, record));
      break;
    case ValueType.SET:
      mixSet(digest, keyspace, record);
      break;
    case ValueType.HASH:
      mixHash(digest, keyspace, record);
      break;
    case ValueType.LIST:
      mixList(digest, keyspace, record);
      break;
    case ValueType.ZSET:
      mixZset(digest, keyspace, record);
      break;
    case ValueType.STREAM:
      mixStream(digest, keyspace, record);
      break;
    default:
      throw new Error(`no digest of values of type ${type}`);
  }
  if ((meta & Meta.EXPIRY) !== 0) xor(digest, EXPIRES);
}

function mixList(digest: Uint8Array, { arena, lists }: Keyspace, record: number): void {
  const meta = metaOf(arena, record);
  lists.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  for (let more = lists.seekEnd(true); more; more = lists.step(true)) {
    lists.read();
    mix(digest, entryBytes(lists.entry));
  }
}

/** The members' order is left out. */
function mixSet(digest: Uint8Array, { arena, sets }: Keyspace, record: number): void {
  const meta = metaOf(arena, record);
  sets.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  sets.startWalk();
  while (sets.next()) xor(digest, entryBytes(sets.member));
}

/** Fields are mixed one by one with their values, and their order is left out. */
function mixHash(digest: Uint8Array, { arena, hashes }: Keyspace, record: number): void {
  const meta = metaOf(arena, record);
  hashes.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  const element = new Uint8Array(DIGEST_BYTES);
  hashes.startWalk();
  while (hashes.next()) {
    element.fill(0);
    mix(element, entryBytes(hashes.field));
    mix(element, entryBytes(hashes.value));
    xor(digest, element);
  }
}

/** Members are mixed one by one with their scores, as C's shortest digits, and their order is left out. */
function mixZset(digest: Uint8Array, { arena, zsets }: Keyspace, record: number): void {
  const meta = metaOf(arena, record);
  zsets.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  const element = new Uint8Array(DIGEST_BYTES);
  zsets.startWalk();
  while (zsets.next()) {
    element.fill(0);
    mix(element, entryBytes(zsets.member));
    mix(element, bytesFromAscii(shortestText(zsets.score)));
    xor(digest, element);
  }
}

/** A double in the fewest digits, integers too ("1e+15"). */
function shortestText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (value === 0) return `${sign}0`;
  const bytes = new Uint8Array(DOUBLE_BYTES_MAX);
  return sign + latin1FromBytes(bytes, 0, writeShortest(bytes, 0, Math.abs(value)));
}

function mixStream(digest: Uint8Array, { arena, streams }: Keyspace, record: number): void {
  const { iterator, fromId, toId, piece } = streams;
  const { entry } = iterator;
  fromId.setMin();
  toId.setMax();
  iterator.start(rootOf(viewOf(arena, record), record, metaOf(arena, record)), fromId, toId, false);
  while (iterator.next()) {
    const text = new Uint8Array(entry.id.textLength());
    entry.id.writeText(text, 0);
    // The digest has a full stop where IDs have a hyphen.
    text[text.indexOf(HYPHEN)] = FULL_STOP;
    mix(digest, text);
    for (let i = 0; i < entry.fieldCount; i++) {
      if (i > 0) entry.nextField();
      piece.read(entry.view, entry.fieldAt);
      mix(digest, entryBytes(piece));
      piece.read(entry.view, entry.valueAt);
      mix(digest, entryBytes(piece));
    }
  }
}

/** The text of an entry. */
function entryBytes(entry: ListpackEntry): Uint8Array {
  const bytes = new Uint8Array(entry.textLength());
  entry.writeText(bytes, new DataView(bytes.buffer), 0);
  return bytes;
}

function keyBytes({ arena }: Keyspace, record: number): Uint8Array {
  const view = viewOf(arena, record);
  const start = keyStart(view, record);
  return bytesOf(arena, record).subarray(start, start + keyLength(view, record));
}

function stringBytes({ arena }: Keyspace, record: number): Uint8Array {
  const start = stringStart(arena, record);
  return bytesOf(arena, record).subarray(start, start + stringLength(arena, record));
}

function xor(digest: Uint8Array, bytes: Uint8Array): void {
  const hash = sha1(bytes);
  for (let i = 0; i < DIGEST_BYTES; i++) digest[i] ^= hash[i];
}

function mix(digest: Uint8Array, bytes: Uint8Array): void {
  xor(digest, bytes);
  digest.set(sha1(digest));
}

function sha1(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(DIGEST_BYTES);
  Bun.SHA1.hash(bytes, hash);
  return hash;
}

function bigEndian(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
