import { describe, expect, test } from "bun:test";
import { ExpiryHold } from "../../../src/keyspace/keyspace.ts";
import { Meta, ValueType, metaOf } from "../../../src/keyspace/record.ts";
import {
  type TestKeyspace,
  bytesOf,
  isStored,
  passMs,
  peek,
  put,
  testKeyspace,
  verify,
} from "../../support/test-keyspace.ts";

/** A hash of `count` fields in database 0, of which every `step`th expires in 1000 ms. */
function addHash({ keyspace }: TestKeyspace, key: string, count: number, step: number): void {
  const { hashes, databases, nowMs } = keyspace;
  const database = databases[0];
  hashes.create();
  for (let i = 0; i < count; i++) {
    const field = bytesOf(`f${i}`);
    hashes.set(field, 0, field.byteLength, bytesOf("v"), 0, 1);
    if (i % step === 0) hashes.setExpireAt(field, 0, field.byteLength, nowMs + 1000);
  }
  const view = bytesOf(key);
  database.lookupWrite(view, 0, key.length);
  const { encoding, root } = hashes;
  const record = database.insertRoot(view, 0, key.length, ValueType.HASH, encoding, root);
  database.setFieldExpiry(record, true);
}

/** Cycles with a standing clock: each walks until it finds little that is stale. */
function runCycles({ keyspace }: TestKeyspace): void {
  for (let i = 0; i < 50; i++) keyspace.expiry.runSlow(1000);
}

describe("active expiry of fields", () => {
  test("removes stale fields, and hashes that have no others", () => {
    const run = testKeyspace();
    const { keyspace, events } = run;
    const database = keyspace.databases[0];
    addHash(run, "all", 300, 1);
    addHash(run, "some", 300, 3);
    runCycles(run);
    expect(keyspace.expiredFields).toBe(0);
    passMs(run, 1001);
    events.length = 0;
    runCycles(run);
    expect(keyspace.expiredFields).toBe(400);
    expect(isStored(database, "all")).toBe(false);
    expect(isStored(database, "some")).toBe(true);
    expect(database.expiringFields.size).toBe(0);
    expect(metaOf(keyspace.arena, peek(database, "some")) & Meta.FIELD_EXPIRY).toBe(0);
    const uniqueEvents = [...new Set(events)].sort();
    expect(uniqueEvents).toEqual(["0 del all", "0 hexpired all", "0 hexpired some"]);
    verify(database);
    database.expiringFields.verify();
  });

  test("removes nothing while the server must not", () => {
    const run = testKeyspace();
    addHash(run, "h", 10, 1);
    run.keyspace.holdExpiry(ExpiryHold.PAUSE, true);
    passMs(run, 1001);
    runCycles(run);
    expect(run.keyspace.expiredFields).toBe(0);
  });

  test("follows a key that moves, expires, is replaced or deleted", () => {
    const run = testKeyspace();
    const { keyspace } = run;
    const database = keyspace.databases[0];
    const indexed = (): number => {
      let record = 0;
      database.expiringFields.eachEntry((entry) => (record = entry));
      expect(record).toBe(peek(database, "h"));
      return record;
    };
    addHash(run, "h", 10, 2);
    database.setExpireAt(indexed(), keyspace.nowMs + 5000);
    indexed();
    peek(database, "h");
    database.clearExpiry(indexed());
    indexed();
    const record = indexed();
    expect(peek(database, "renamed")).toBe(0);
    const renamed = database.insertLike(record, bytesOf("renamed"), 0, 7);
    peek(database, "h");
    database.detachFound(record);
    keyspace.freeRecordBlock(record);
    expect(database.expiringFields.size).toBe(1);
    database.expiringFields.eachEntry((entry) => expect(entry).toBe(renamed));
    passMs(run, 1001);
    runCycles(run);
    expect(keyspace.expiredFields).toBe(5);
  });

  test("forgets a key that becomes a string, or is removed, or flushed", () => {
    const run = testKeyspace();
    const { keyspace } = run;
    const database = keyspace.databases[0];
    addHash(run, "h", 10, 2);
    put(database, "h", "string");
    expect(database.expiringFields.size).toBe(0);
    addHash(run, "i", 10, 2);
    database.removeFound(peek(database, "i"));
    expect(database.expiringFields.size).toBe(0);
    addHash(run, "j", 10, 2);
    keyspace.clearDatabase(database, false);
    expect(database.expiringFields.size).toBe(0);
    expect(keyspace.arena.liveBytes).toBe(0);
  });
});
