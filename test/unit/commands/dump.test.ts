/** DUMP and RESTORE of hashes with fields that expire, which the reference server does not have. */
import { afterAll, expect, test } from "bun:test";
import { Crc64 } from "../../../src/base/crc64.ts";
import type { Argument } from "../../support/resp-client.ts";
import { Engine } from "../../support/engine.ts";
import { int64 } from "../../support/rdb-file.ts";
import { concat, rdbString } from "../../support/rdb-payload.ts";
import { formatReply } from "../../support/reply.ts";

const NOW_MS = 1_800_000_000_000;
const VERSION_AT = -10;
const engine = new Engine(NOW_MS);
const client = engine.connect();
afterAll(() => engine.stop());

function run(...args: readonly Argument[]): string {
  const reply = client.command(...args);
  return reply === null ? "" : formatReply(reply);
}

function dump(key: string): Uint8Array {
  const reply = client.command("DUMP", key);
  if (reply?.type !== "bulk") throw new Error("DUMP failed");
  return Uint8Array.from(reply.bytes);
}

test("times travel with the fields, as Redis 7.4 writes them", () => {
  run("HSET", "h", "a", "1", "b", "2", "c", "3");
  run("HPEXPIREAT", "h", NOW_MS + 5000, "FIELDS", 1, "a");
  run("HPEXPIREAT", "h", NOW_MS + 9000, "FIELDS", 1, "b");
  const payload = dump("h");
  expect([payload[0], payload.at(VERSION_AT)]).toEqual([24, 12]);
  expect(run("RESTORE", "copy", 0, payload)).toBe("+OK");
  const times = run("HPEXPIRETIME", "h", "FIELDS", 3, "a", "b", "c");
  expect(times).toContain(`${NOW_MS + 5000}`);
  expect(run("HPEXPIRETIME", "copy", "FIELDS", 3, "a", "b", "c")).toBe(times);
  // What is restored expires by itself: the key is known to have such fields.
  expect(engine.server.keyspace.databases[0].expiringFields.size).toBe(2);
  run("HPERSIST", "h", "FIELDS", 2, "a", "b");
  expect(dump("h").at(VERSION_AT)).toBe(11);
});

test("Valkey 9's form is told from Redis's by the version", () => {
  const field = (name: string): Uint8Array => concat(rdbString(name), rdbString("v"));
  const body = concat([22, 2], field("a"), int64(NOW_MS + 5000), field("b"), int64(-1));
  const payload = concat(body, [80, 0], new Uint8Array(8));
  const checksum = new Crc64();
  checksum.update(payload, 0, payload.length - 8);
  checksum.write(payload, payload.length - 8);
  expect(run("RESTORE", "valkey", 0, payload)).toBe("+OK");
  expect(run("HPEXPIRETIME", "valkey", "FIELDS", 1, "a")).toContain(`${NOW_MS + 5000}`);
  expect(run("HPEXPIRETIME", "valkey", "FIELDS", 1, "b")).toContain("-1");
});
