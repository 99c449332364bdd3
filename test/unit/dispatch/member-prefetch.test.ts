/** Requests that were looked ahead over answer as others do, whatever the ones before them did. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Args } from "../../../src/protocol/args.ts";
import { Engine, EngineClient } from "../../support/engine.ts";
import { formatReply, type Reply } from "../../support/reply.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

setDefaultTimeout(60_000);

const FILE = "test/unit/dispatch/member-prefetch.test.ts";
const seed = seedOfRun();
const START_MS = 1_700_000_000_000;
/** So that the values are large enough to be looked into. */
const LARGE = 70_000;
const LOADED_AT_ONCE = 1000;
const ROUNDS = 300;

const TYPES = ["set", "hash", "zset"] as const;

function add(type: (typeof TYPES)[number], key: string, first: number, count: number): string[] {
  const head = { set: "SADD", hash: "HSET", zset: "ZADD" }[type];
  const request = [head, key];
  for (let i = first; i < first + count; i++) {
    if (type === "zset") request.push(`${i % 977}`);
    request.push(`m${i}`);
    if (type === "hash") request.push(`v${i}`);
  }
  return request;
}

function load(client: EngineClient): void {
  for (const type of TYPES) {
    for (let i = 0; i < LARGE; i += LOADED_AT_ONCE) {
      client.command(...add(type, `large:${type}`, i, LOADED_AT_ONCE));
    }
    client.command(...add(type, `small:${type}`, 0, 5));
  }
  client.command("SET", "string", "text");
}

function randomRequest(random: Random): string[] {
  const type = random.pick(TYPES);
  const key = random.pick([`large:${type}`, `large:${type}`, `small:${type}`, "string", "none"]);
  const member = `m${random.below(LARGE + 100)}`;
  return random.pick([
    ["SISMEMBER", key, member],
    ["HGET", key, member],
    ["ZSCORE", key, member],
    ["ZRANK", key, member],
    ["SADD", key, member],
    ["HSET", key, member, "other"],
    ["ZADD", key, "7", member],
    ["ZADD", key, "XX", "CH", "9", member],
    ["SREM", key, member],
    ["HDEL", key, member],
    ["ZREM", key, member],
    ["HGET", key],
    ["DEL", random.oneIn(20) ? key : "none"],
    ["RENAME", key, random.oneIn(20) ? `large:${type}` : key],
  ]);
}

function shown(reply: Reply | null): string {
  return reply === null ? "none" : formatReply(reply);
}

/** Runs requests as those of one chunk. */
function runBatch(engine: Engine, client: EngineClient, requests: string[][]): string[] {
  const { dispatcher, reply } = engine.server;
  const batch = requests.map((request) => {
    const args = new Args();
    args.assign(request.map((word) => Buffer.from(word)));
    return args;
  });
  dispatcher.prepare(client.client, batch, batch.length);
  return batch.map((args, i) => {
    dispatcher.executePrepared(client.client, args, i, reply);
    client.flush(reply);
    return shown(client.takeReply());
  });
}

test("pipelines on large and small values", () =>
  withSeed(FILE, seed, (random) => {
    const [ahead, plain] = [new Engine(START_MS), new Engine(START_MS)];
    const [client, reference] = [new EngineClient(ahead), new EngineClient(plain)];
    load(client);
    load(reference);
    for (let round = 0; round < ROUNDS; round++) {
      const requests = Array.from({ length: 1 + random.below(16) }, () => randomRequest(random));
      const expected = requests.map((r) => shown(reference.command(...r)));
      expect(runBatch(ahead, client, requests)).toEqual(expected);
    }
  }));
