/**
 * The keyspace events, modifications and changes that list commands report, in their order.
 * Expected are those that Valkey 8.1 fires (t_list.c).
 */
import { describe, expect, test } from "bun:test";
import { listMoveCommands } from "../../../src/commands/list-move.ts";
import { listPopCommands } from "../../../src/commands/list-pop.ts";
import { listSearchCommands } from "../../../src/commands/list-search.ts";
import { listCommands } from "../../../src/commands/list.ts";
import { commandEngine } from "../../support/command-engine.ts";
import { peek, verify } from "../../support/test-keyspace.ts";

const ROWS = [...listCommands, ...listSearchCommands, ...listPopCommands, ...listMoveCommands];

describe("events", () => {
  const transcript: readonly (readonly [string, string])[] = [
    ["RPUSH k a b c d", "new k, (modified) k, rpush k +4"],
    ["LPUSH k x", "(modified) k, lpush k +1"],
    ["LPUSHX none x", " +0"],
    ["RPUSHX k x", "(modified) k, rpush k +1"],
    ["LPOP k", "(modified) k, lpop k +1"],
    ["RPOP k 0", " +0"],
    ["RPOP k 2", "(modified) k, rpop k +2"],
    ["LLEN k", " +0"],
    ["LSET k 0 z", "(modified) k, lset k +1"],
    ["LSET k 9 z", " +0"],
    ["LINSERT k AFTER z y", "(modified) k, linsert k +1"],
    ["LINSERT k AFTER none y", " +0"],
    ["LREM k 0 none", " +0"],
    ["LREM k 0 y", "(modified) k, lrem k +1"],
    ["LTRIM k 0 -1", "(modified) k, ltrim k +0"],
    ["LMOVE k k LEFT RIGHT", "(modified) k, rpush k, (modified) k, lpop k +1"],
    ["RPOPLPUSH k t", "new t, (modified) t, lpush t, (modified) k, rpop k +1"],
    ["LMOVE t k LEFT LEFT", "(modified) k, lpush k, (modified) t, lpop t, del t +1"],
    ["RPUSH one 1", "new one, (modified) one, rpush one +1"],
    ["LMOVE one one LEFT LEFT", "(modified) one, lpush one, (modified) one, lpop one +1"],
    [
      "BLMOVE one two RIGHT LEFT 0",
      "new two, (modified) two, lpush two, (modified) one, rpop one, del one +1",
    ],
    ["LMPOP 2 one two RIGHT COUNT 9", "(modified) two, rpop two, del two +1"],
    ["BLPOP none k 0", "(modified) k, lpop k +1"],
    ["LTRIM k 5 9", "(modified) k, ltrim k, del k +2"],
    ["RPUSH k a a", "new k, (modified) k, rpush k +2"],
    ["LREM k -5 a", "(modified) k, lrem k, del k +2"],
    ["LINDEX k 0", "keymiss k +0"],
    ["BRPOP k 0", " +0"],
  ];

  test("are those of Valkey", () => {
    const engine = commandEngine(ROWS);
    for (const [line, expected] of transcript) {
      expect([line, engine.eventsOf(line)]).toEqual([line, expected]);
    }
    verify(engine.keyspace.databases[0]);
  });
});

describe("memory", () => {
  test("comes back when lists go, large elements included", () => {
    const engine = commandEngine(ROWS);
    const { arena, databases } = engine.keyspace;
    const empty = arena.liveBytes;
    const large = "x".repeat(9000);
    for (let i = 0; i < 400; i++)
      engine.run(`RPUSH k element-number-${i} ${i % 100 === 0 ? large : i}`);
    engine.run(`LINSERT k BEFORE 50 ${large}`);
    for (let i = 0; i < 900; i++)
      engine.run(i % 2 === 0 ? "LMOVE k k LEFT RIGHT" : "LMOVE k t RIGHT LEFT");
    engine.run("LTRIM t 5 100");
    verify(databases[0]);
    engine.run("LPOP t 1000");
    engine.run("RPOP k 1000");
    expect([peek(databases[0], "k"), peek(databases[0], "t")]).toEqual([0, 0]);
    databases[0].index.clear();
    expect(arena.liveBytes).toBe(empty);
  });
});
