/**
 * A keyspace without a server: a clock that stands still, seeded randomness, and keys and values
 * as text (one byte per character).
 */
import { latin1FromBytes } from "../../src/base/ascii.ts";
import { ManualClock } from "../../src/base/clock.ts";
import { type Prng, seededPrng } from "../../src/base/prng.ts";
import type { Database } from "../../src/keyspace/database.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import {
  StringEncoding,
  keyLength,
  keyStart,
  metaOf,
  valueAt,
  valueStart,
  viewOf,
} from "../../src/keyspace/record.ts";
import { Ref } from "../../src/memory/arena.ts";
import { storedLength } from "../../src/memory/stored-bytes.ts";

export interface TestKeyspace {
  readonly keyspace: Keyspace;
  readonly clock: ManualClock;
  readonly prng: Prng;
  /** Keyspace events, hooks and deletions as "<database> <what> <key>", oldest first. */
  readonly events: string[];
}

const ALL_EVENTS = -1;

export function testKeyspace(seed = 1, databaseCount = 2): TestKeyspace {
  const clock = new ManualClock();
  const prng = seededPrng(seed);
  const events: string[] = [];
  const note = (database: number, what: string, view: DataView, start: number, end: number) =>
    events.push(`${database} ${what} ${textAt(view, start, end)}`);
  const keyspace = new Keyspace(databaseCount, clock, prng, {
    onEvent: (_class, event, database, view, start, end) => note(database, event, view, start, end),
    onModified: (database, view, start, end) => note(database, "(modified)", view, start, end),
    onReplaced: (database, by) => events.push(`${database} (replaced by ${by})`),
    onFieldVanished: () => {},
    onVanished: (database, view, start, end, evicted) =>
      note(database, evicted ? "(evicted)" : "(expired)", view, start, end),
  });
  keyspace.notifyFlags = ALL_EVENTS;
  return { keyspace, clock, prng, events };
}

/** Lets time pass, and the keyspace see it. */
export function passMs(test: TestKeyspace, ms: number): void {
  test.clock.advanceMs(ms);
  test.keyspace.tick();
}

export function bytesOf(text: string): DataView {
  const bytes = Buffer.from(text, "latin1");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function textAt(view: DataView, start: number, end: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return latin1FromBytes(bytes, start, end);
}

/** Sets a string; returns its record. Without `keepExpiry` it no longer expires. */
export function put(database: Database, key: string, value: string, keepExpiry = false): number {
  const keyView = bytesOf(key);
  const view = bytesOf(value);
  const record = database.lookupWrite(keyView, 0, key.length);
  if (record !== 0) {
    return database.replaceWithString(
      record,
      view,
      0,
      value.length,
      StringEncoding.AUTO,
      keepExpiry,
    );
  }
  const encoding = StringEncoding.AUTO;
  return database.insertString(keyView, 0, key.length, view, 0, value.length, encoding);
}

/** Sets a string that expires; returns its record. */
export function putUntil(
  database: Database,
  key: string,
  value: string,
  atMs: number | bigint,
): number {
  put(database, key, value);
  return database.setExpireAt(peek(database, key), atMs);
}

/** The record of a key, or 0: looked up last then. */
export function peek(database: Database, key: string): number {
  return database.peek(bytesOf(key), 0, key.length);
}

/** Whether the key is in the index, expired or not. */
export function isStored(database: Database, key: string): boolean {
  return database.find(bytesOf(key), 0, key.length) !== 0;
}

export function keyOf(database: Database, record: number): string {
  const view = viewOf(database.keyspace.arena, record);
  const start = keyStart(view, record);
  return textAt(view, start, start + keyLength(view, record));
}

export function valueOf(database: Database, record: number): string {
  const { arena } = database.keyspace;
  const view = viewOf(arena, record);
  const at = valueAt(view, record, metaOf(arena, record));
  const start = valueStart(view, at);
  const bytes = arena.bytes[record >>> Ref.SEGMENT_SHIFT];
  return latin1FromBytes(bytes, start, start + storedLength(view, at));
}

/** Every key of the database, sorted. */
export function keysOf(database: Database): string[] {
  const keys: string[] = [];
  database.index.eachEntry((record) => keys.push(keyOf(database, record)));
  return keys.sort();
}

/** Throws when an index of the database, or the arena, contradicts itself. */
export function verify(database: Database): void {
  database.index.verify();
  database.volatile.verify();
  database.keyspace.arena.verify();
}
