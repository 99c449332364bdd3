import { describe, expect, test } from "bun:test";
import { ValueType } from "../../../src/keyspace/record.ts";
import {
  type TestKeyspace,
  bytesOf,
  peek,
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
    keyspace.clearDatabase(keyspace.databases[0]);
    expect(keyspace.lazyFree.pendingCount).toBe(0);
    expect(keyspace.arena.liveBytes).toBe(0);
    verify(keyspace.databases[0]);
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
