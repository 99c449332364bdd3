import { describe, expect, test } from "bun:test";
import { ValueType } from "../../../src/keyspace/record.ts";
import {
  type TestKeyspace,
  bytesOf,
  peek,
  put,
  putUntil,
  testKeyspace,
  verify,
} from "../../support/test-keyspace.ts";

/** A set of `count` members at key "set" of database 0. */
function addSet({ keyspace }: TestKeyspace, count: number): void {
  const { sets, databases } = keyspace;
  const key = bytesOf("set");
  sets.createFor(bytesOf("m"), 0, 1, count);
  for (let i = 0; i < count; i++) {
    const member = `member:${i}`;
    sets.add(bytesOf(member), 0, member.length);
  }
  databases[0].lookupWrite(key, 0, 3);
  databases[0].insertRoot(key, 0, 3, ValueType.SET, sets.encoding, sets.root);
}

function remove({ keyspace }: TestKeyspace): void {
  keyspace.databases[0].removeFound(peek(keyspace.databases[0], "set"));
}

describe("freeing a value", () => {
  for (const [count, pending, freed] of [
    [10, 0, 0],
    [1000, 0, 1],
    [50_000, 1, 0],
  ]) {
    test(`of ${count} members`, () => {
      const keyspaceTest = testKeyspace();
      const { keyspace } = keyspaceTest;
      const { arena, lazyFree } = keyspace;
      addSet(keyspaceTest, count);
      remove(keyspaceTest);
      expect(lazyFree.pendingCount).toBe(pending);
      expect(lazyFree.freedCount).toBe(freed);
      expect(arena.liveBytes > 0).toBe(pending > 0);
      let slices = 0;
      // The clock stands still, so a slice without budget is the least there is.
      for (let more = true; more; slices++) {
        const before = arena.liveBytes;
        more = lazyFree.run(0);
        verify(keyspace.databases[0]);
        expect(arena.liveBytes < before).toBe(pending > 0);
      }
      expect(slices > 5).toBe(pending > 0);
      expect(arena.liveBytes).toBe(0);
      expect(lazyFree.pendingCount).toBe(0);
      expect(lazyFree.freedCount).toBe(freed + pending);
    });
  }

  test("with the key made anew at once", () => {
    const keyspaceTest = testKeyspace();
    const { keyspace } = keyspaceTest;
    addSet(keyspaceTest, 20_000);
    remove(keyspaceTest);
    addSet(keyspaceTest, 30_000);
    remove(keyspaceTest);
    addSet(keyspaceTest, 5);
    const record = peek(keyspace.databases[0], "set");
    expect(keyspace.lazyFree.pendingCount).toBe(2);
    while (keyspace.lazyFree.run(0));
    expect(peek(keyspace.databases[0], "set")).toBe(record);
    verify(keyspace.databases[0]);
    remove(keyspaceTest);
    expect(keyspace.arena.liveBytes).toBe(0);
  });

  test("with everything flushed meanwhile", () => {
    const keyspaceTest = testKeyspace();
    const { keyspace } = keyspaceTest;
    addSet(keyspaceTest, 20_000);
    remove(keyspaceTest);
    addSet(keyspaceTest, 5);
    keyspace.lazyFree.run(0);
    keyspace.clearDatabase(keyspace.databases[0], false);
    expect(keyspace.lazyFree.pendingCount).toBe(0);
    expect(keyspace.arena.liveBytes).toBe(0);
    verify(keyspace.databases[0]);
  });

  test("of a flushed database happens in slices, while the database is used anew", () => {
    const keyspaceTest = testKeyspace();
    const { keyspace } = keyspaceTest;
    const { arena, lazyFree } = keyspace;
    const [database, other] = keyspace.databases;
    put(other, "kept", "value");
    const before = arena.liveBytes;
    for (let i = 0; i < 3000; i++) putUntil(database, `key:${i}`, "value", 10_000 + i);
    addSet(keyspaceTest, 50_000);
    expect(keyspace.clearDatabase(database, true)).toBe(3001);
    expect(lazyFree.pendingCount).toBe(3001);
    expect([database.index.size, database.volatile.size]).toEqual([0, 0]);
    const fresh = put(database, "key:1", "fresh");
    let slices = 0;
    for (; lazyFree.run(0); slices++) verify(database);
    expect(slices).toBeGreaterThan(50);
    expect(lazyFree.freedCount).toBe(3002);
    expect(lazyFree.pendingCount).toBe(0);
    expect(peek(database, "key:1")).toBe(fresh);
    database.removeFound(fresh);
    expect(arena.liveBytes).toBe(before);
    verify(other);
  });

  test("of all databases takes no time", () => {
    const keyspaceTest = testKeyspace();
    const { keyspace } = keyspaceTest;
    for (const database of keyspace.databases) put(database, "key", "value");
    addSet(keyspaceTest, 50_000);
    remove(keyspaceTest);
    expect(keyspace.clearAll(true)).toBe(2);
    expect(keyspace.lazyFree.pendingCount).toBe(0);
    expect(keyspace.lazyFree.freedCount).toBe(3);
    expect(keyspace.arena.liveBytes).toBe(0);
  });

  test("evicted for want of memory happens at once", () => {
    const keyspaceTest = testKeyspace();
    const { keyspace } = keyspaceTest;
    addSet(keyspaceTest, 20_000);
    keyspace.evictRecord(keyspace.databases[0], peek(keyspace.databases[0], "set"));
    expect(keyspace.lazyFree.pendingCount).toBe(0);
    expect(keyspace.arena.liveBytes).toBe(0);
  });
});
