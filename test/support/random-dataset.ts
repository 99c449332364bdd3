/**
 * A random data set, as the commands that make it: every type at sizes on both sides of its
 * encodings' limits, contents that are numbers, repetitive or random, expiries, several databases.
 */
import type { Random } from "./seed.ts";
import type { Argument, RespClient } from "./resp-client.ts";

type Command = readonly Argument[];

const DATABASES = [0, 1, 9];
const KEYS_PER_DATABASE = 60;
const BATCH = 500;
/** Far enough for a slow test, and never the same twice. */
const TTL_MS = 10_000_000;
const TTL_RANGE_MS = 1_000_000;

/** Sends the commands of a random data set. Ends in database 0. */
export async function fillAtRandom(client: RespClient, random: Random): Promise<void> {
  for (const database of DATABASES) {
    await client.must("SELECT", database);
    for (let i = 0; i < KEYS_PER_DATABASE; i++) {
      const key = keyOf(random, i);
      const commands = valueCommands(random, key);
      if (random.oneIn(4)) commands.push(["PEXPIRE", key, TTL_MS + random.below(TTL_RANGE_MS)]);
      for (let at = 0; at < commands.length; at += BATCH) {
        for (const { reply } of await client.pipeline(commands.slice(at, at + BATCH))) {
          if (reply.type === "error") throw new Error(`a command of the data set failed: ${key}`);
        }
      }
    }
  }
  await client.must("SELECT", 0);
}

function keyOf(random: Random, i: number): string {
  if (random.oneIn(5)) return `${i}`;
  if (random.oneIn(8)) return `${"long key ".repeat(60)}${i}`;
  return `key:${i}`;
}

/** A number, a short text, one that compresses well, or random bytes. */
function text(random: Random, lengthMax: number): Argument {
  switch (random.below(5)) {
    case 0:
      return random.below(2 ** 31) - (random.oneIn(2) ? 2 ** 31 : 0);
    case 1:
      return `${random.next()}${random.next()}`;
    case 2:
      return "abc".repeat(random.below(Math.ceil(lengthMax / 3)));
    case 3:
      return random.bytes(random.below(lengthMax));
    default:
      return `text ${random.below(1000)}`;
  }
}

/** How many elements: few, around a limit, many. */
function count(random: Random): number {
  return random.pick([1, 2, 10, 127, 128, 129, 511, 513, 700]);
}

/** Up to `max`, but with some chance above what a small encoding takes. */
function lengthMax(random: Random): number {
  return random.oneIn(3) ? 200 : 40;
}

function valueCommands(random: Random, key: string): Command[] {
  switch (random.below(7)) {
    case 0:
    case 1:
      return [["SET", key, text(random, random.pick([10, 100, 5000, 40_000]))]];
    case 2:
      return listCommands(random, key);
    case 3:
      return setCommands(random, key);
    case 4:
      return hashCommands(random, key);
    case 5:
      return zsetCommands(random, key);
    default:
      return streamCommands(random, key);
  }
}

function listCommands(random: Random, key: string): Command[] {
  const longest = random.pick([40, 200, 9000]);
  return Array.from({ length: count(random) }, () => ["RPUSH", key, text(random, longest)]);
}

function setCommands(random: Random, key: string): Command[] {
  const numbers = random.oneIn(2);
  const wide = random.pick([100, 40_000, 2 ** 31]);
  const longest = lengthMax(random);
  return Array.from({ length: count(random) }, () => [
    "SADD",
    key,
    numbers ? random.below(wide) - wide / 2 : text(random, longest),
  ]);
}

function hashCommands(random: Random, key: string): Command[] {
  const longest = lengthMax(random);
  return Array.from({ length: count(random) }, () => [
    "HSET",
    key,
    text(random, longest),
    text(random, longest),
  ]);
}

function zsetCommands(random: Random, key: string): Command[] {
  const longest = lengthMax(random);
  const scores: readonly Argument[] = ["-inf", "+inf", 0, -1.5, 3e100, 1e-7, 123456789012];
  return Array.from({ length: count(random) }, () => [
    "ZADD",
    key,
    random.oneIn(2) ? random.pick(scores) : random.below(100_000) / 8,
    text(random, longest),
  ]);
}

function streamCommands(random: Random, key: string): Command[] {
  const commands: Command[] = [];
  const entries = random.pick([1, 50, 250]);
  const longest = lengthMax(random);
  for (let i = 1; i <= entries; i++) {
    const id = `${1000 + Math.floor(i / 3)}-${i}`;
    commands.push([
      "XADD",
      key,
      id,
      random.oneIn(5) ? `field${i}` : "field",
      text(random, longest),
    ]);
    if (random.oneIn(10)) commands.push(["XDEL", key, id]);
  }
  const groups = random.below(3);
  for (let i = 0; i < groups; i++) {
    const group = `group${i}`;
    commands.push(["XGROUP", "CREATE", key, group, random.pick(["0", "$", "1005-1"])]);
    commands.push(["XREADGROUP", "GROUP", group, "alice", "COUNT", 7, "STREAMS", key, ">"]);
    commands.push(["XREADGROUP", "GROUP", group, "bob", "COUNT", 3, "STREAMS", key, ">"]);
    commands.push(["XGROUP", "CREATECONSUMER", key, group, "idle"]);
    commands.push(["XACK", key, group, "1000-1", "1001-3"]);
  }
  return commands;
}
