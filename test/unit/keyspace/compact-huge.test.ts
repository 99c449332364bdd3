/** Compaction of huge values in steps, between which commands change them. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Engine, type EngineClient } from "../../support/engine.ts";
import { formatReply } from "../../support/reply.ts";

setDefaultTimeout(30_000);

const COUNT = 6000;
const START_MS = 1_700_000_000_000;

const TYPES: readonly {
  readonly name: string;
  add(i: number): readonly (string | number)[];
  /** A command that removes one of those. */
  remove(i: number): readonly (string | number)[];
}[] = [
  {
    name: "a set",
    add: (i) => ["SADD", "key", `member:${"x".repeat(i % 50)}:${i}`],
    remove: (i) => ["SREM", "key", `member:${"x".repeat(i % 50)}:${i}`],
  },
  {
    name: "a hash",
    add: (i) => ["HSET", "key", `field:${i}`, "v".repeat(i % 70)],
    remove: (i) => ["HDEL", "key", `field:${i}`],
  },
  {
    name: "a sorted set",
    add: (i) => ["ZADD", "key", (i * 7919) % 1000, `member:${i}`],
    remove: (i) => ["ZREM", "key", `member:${i}`],
  },
  {
    name: "a list",
    add: (i) => ["RPUSH", "key", `${i}`.repeat(60 + (i % 40))],
    remove: () => ["LPOP", "key"],
  },
];

function fill(client: EngineClient, { add, remove }: (typeof TYPES)[number]): void {
  for (let i = 0; i < COUNT; i++) {
    client.command(...add(i));
    client.command("SET", `spacer:${i}`, "s".repeat(20 + (i % 80)));
  }
  for (let i = 0; i < COUNT; i++) {
    client.command("DEL", `spacer:${i}`);
    if (i % 3 !== 0) client.command(...remove(i));
  }
}

function digest(client: EngineClient): string {
  const reply = client.command("DEBUG", "DIGEST");
  return reply === null ? "" : formatReply(reply);
}

describe("huge values are compacted in steps", () => {
  for (const type of TYPES) {
    test(type.name, () => {
      const engine = new Engine(START_MS);
      const { keyspace, config } = engine.server;
      const client = engine.connect();
      fill(client, type);
      const { compactor, arena } = keyspace;
      const set = (name: string, value: string) => client.command("CONFIG", "SET", name, value);
      set("active-defrag-ignore-bytes", "1kb");
      set("active-defrag-threshold-lower", "1");
      set("activedefrag", "yes");
      expect(config.bool("activedefrag")).toBe(true);
      const before = digest(client);
      const waste = compactor.wasteBytes();
      compactor.pace();
      expect(compactor.cpuPercent).toBeGreaterThan(0);
      while (compactor.run());
      expect(digest(client)).toBe(before);
      expect(compactor.wasteBytes()).toBeLessThan(waste / 2);
      arena.verify();
      engine.stop();
    });

    test(`${type.name}, while it changes`, () => {
      const engine = new Engine(START_MS);
      const { keyspace } = engine.server;
      const client = engine.connect();
      const model = new Engine(START_MS);
      const modelClient = model.connect();
      fill(client, type);
      fill(modelClient, type);
      const both = (...args: readonly (string | number)[]) => {
        client.command(...args);
        modelClient.command(...args);
      };
      const { compactor } = keyspace;
      // Each run is one step.
      const settings = { ignoreBytes: 1, thresholdLower: 1, thresholdUpper: 100 };
      compactor.configure({ ...settings, enabled: true, cycleMin: 1, cycleMax: 25, cycleUs: 0 });
      compactor.pace();
      let steps = 0;
      for (; compactor.run(); steps++) {
        both(...type.remove((steps * 3) % COUNT));
        both(...type.add(COUNT + steps));
        if (steps === 8) both("RENAME", "key", "elsewhere");
        if (steps === 9) both("RENAME", "elsewhere", "key");
      }
      expect(steps).toBeGreaterThan(10);
      expect(digest(client)).toBe(digest(modelClient));
      keyspace.arena.verify();
      engine.stop();
      model.stop();
    });
  }

  test("a value that is gone, or another one, when its turn comes again", () => {
    for (const change of [
      ["DEL", "key"],
      ["SET", "key", "string"],
      ["ZADD", "other", "1", "a"],
    ]) {
      const engine = new Engine(START_MS);
      const client = engine.connect();
      fill(client, TYPES[0]);
      const { compactor } = engine.server.keyspace;
      const settings = { ignoreBytes: 1, thresholdLower: 1, thresholdUpper: 100 };
      compactor.configure({ ...settings, enabled: true, cycleMin: 1, cycleMax: 25, cycleUs: 0 });
      compactor.pace();
      for (let i = 0; i < 5; i++) compactor.run();
      client.command(...change);
      if (change[1] === "other") client.command("RENAME", "other", "key");
      while (compactor.run());
      engine.server.keyspace.arena.verify();
      engine.stop();
    }
  });
});
