/**
 * --scan, --bigkeys, --memkeys and --hotkeys: what SCAN finds, key by key.
 *
 * Types, sizes and frequencies of the keys of one SCAN are asked for in one pipeline. Ctrl-C ends
 * the walk; the summary of what was seen so far follows.
 */
import { quoteArgument } from "../../runtime/config/byte-string.ts";
import type { Reply } from "../../protocol/reply-reader.ts";
import { formatFixed } from "../numbers.ts";
import { CliExit, fail, print, printError } from "./console.ts";
import { textOf } from "./format.ts";
import type { Session } from "./session.ts";

interface TypeSummary {
  readonly name: string;
  /** Null for the types of modules, which have no length. */
  readonly sizeCommand: string | null;
  readonly unit: string;
  count: number;
  total: bigint;
  biggest: bigint;
  biggestKey: string | null;
}

/** In valkey-cli's order of the summary. */
const TYPES: readonly (readonly [name: string, sizeCommand: string, unit: string])[] = [
  ["set", "SCARD", "members"],
  ["hash", "HLEN", "fields"],
  ["list", "LLEN", "items"],
  ["stream", "XLEN", "entries"],
  ["string", "STRLEN", "bytes"],
  ["zset", "ZCARD", "members"],
];

const PROGRESS_KEYS = 1_000_000;
const LOOPS_BETWEEN_PAUSES = 100;
const HOT_KEYS_MAX = 16;
const NO_CLUSTER = "ERR This instance has cluster support disabled";

export async function scanMode(session: Session): Promise<void> {
  await session.mustConnect();
  const interrupt = watchInterrupt();
  const isQuoted = session.style.mode === "standard";
  for (let cursor = ""; cursor !== "0" && !interrupt.isRequested;) {
    const found = await scan(session, cursor);
    cursor = found.cursor;
    print(found.keys.map((key) => `${isQuoted ? quoteArgument(key) : key}\n`).join(""));
    if (session.options.intervalMs > 0) await Bun.sleep(session.options.intervalMs);
  }
  throw new CliExit(0);
}

export async function bigKeysMode(session: Session, isByMemory: boolean): Promise<void> {
  await session.mustConnect();
  const types = new Map(TYPES.map(([name, command, unit]) => [name, newType(name, command, unit)]));
  let keyBytes = 0;
  const walk = await walkKeys(session, "biggest keys", async (keys, percent, onKey) => {
    const keyTypes = await typesOf(session, keys, types);
    const sizes = await sizesOf(session, keys, keyTypes, isByMemory);
    for (const [index, key] of keys.entries()) {
      const type = keyTypes[index];
      // It disappeared between SCAN and TYPE.
      if (type === null) continue;
      type.count++;
      type.total += sizes[index];
      keyBytes += key.length;
      if (sizes[index] > type.biggest) {
        type.biggest = sizes[index];
        type.biggestKey = quoteArgument(key);
        const unit = isByMemory ? "bytes" : type.unit;
        const what = `Biggest ${type.name.padEnd(6)} found so far '${type.biggestKey}'`;
        print(`[${percent}%] ${what} with ${sizes[index]} ${unit}\n`);
      }
      onKey();
    }
  });
  const average = formatFixed(keyBytes === 0 ? 0 : keyBytes / walk.sampled, 2);
  print(`Total key length in bytes is ${keyBytes} (avg len ${average})\n\n`);
  for (const type of types.values()) {
    if (type.biggestKey === null) continue;
    const what = `Biggest ${type.name.padStart(6)} found '${type.biggestKey}'`;
    print(`${what} has ${type.biggest} ${isByMemory ? "bytes" : type.unit}\n`);
  }
  print("\n");
  for (const type of types.values()) {
    const share = walk.sampled === 0 ? 0 : (100 * type.count) / walk.sampled;
    const size = type.count === 0 ? 0 : Number(type.total) / type.count;
    print(
      `${type.count} ${type.name}s with ${type.total} ${isByMemory ? "bytes" : type.unit} ` +
        `(${formatFixed(share, 2, 5)}% of keys, avg size ${formatFixed(size, 2)})\n`,
    );
  }
  throw new CliExit(0);
}

export async function hotKeysMode(session: Session): Promise<void> {
  await session.mustConnect();
  /** Coldest first. */
  const hottest: { frequency: bigint; key: string }[] = [];
  await walkKeys(session, "hot keys", async (keys, percent, onKey) => {
    const frequencies = await frequenciesOf(session, keys);
    for (const [index, key] of keys.entries()) {
      onKey();
      const frequency = frequencies[index];
      const isFull = hottest.length === HOT_KEYS_MAX;
      if (frequency === 0n || (isFull && frequency <= hottest[0].frequency)) continue;
      if (isFull) hottest.shift();
      const at = hottest.findIndex((each) => frequency <= each.frequency);
      const entry = { frequency, key: quoteArgument(key) };
      hottest.splice(at < 0 ? hottest.length : at, 0, entry);
      print(`[${percent}%] Hot key '${entry.key}' found so far with counter ${frequency}\n`);
    }
  });
  for (const { frequency, key } of hottest.toReversed()) {
    print(`hot key found with counter: ${frequency}\tkeyname: ${key}\n`);
  }
  throw new CliExit(0);
}

/** Visits all keys in portions; prints how it goes, and the head of the summary. */
async function walkKeys(
  session: Session,
  what: string,
  visit: (keys: readonly string[], percent: string, onKey: () => void) => Promise<void>,
): Promise<{ readonly sampled: number }> {
  const interrupt = watchInterrupt();
  const total = await databaseSize(session);
  print(
    `\n# Scanning the entire keyspace to find ${what} as well as\n` +
      "# average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec\n" +
      "# per 100 SCAN commands (not usually needed).\n\n",
  );
  await sendReadOnly(session);
  let sampled = 0;
  let percent = "";
  for (let cursor = "", loops = 1; cursor !== "0" && !interrupt.isRequested; loops++) {
    percent = formatFixed((100 * sampled) / total, 2, 5);
    const found = await scan(session, cursor);
    cursor = found.cursor;
    await visit(found.keys, percent, () => {
      sampled++;
      if (sampled % PROGRESS_KEYS === 0) print(`[${percent}%] Sampled ${sampled} keys so far\n`);
    });
    const { intervalMs } = session.options;
    if (intervalMs > 0 && loops % LOOPS_BETWEEN_PAUSES === 0) await Bun.sleep(intervalMs);
  }
  print("\n-------- summary -------\n\n");
  if (interrupt.isRequested) print(`[${percent}%] `);
  print(`Sampled ${sampled} keys in the keyspace!\n`);
  return { sampled };
}

/** One SCAN. The cursor is "" at first and "0" in the end. */
async function scan(
  session: Session,
  cursor: string,
): Promise<{ readonly cursor: string; readonly keys: readonly string[] }> {
  const { pattern, scanCount } = session.options;
  const match = pattern === null ? [] : ["MATCH", pattern];
  const from = cursor === "" ? "0" : cursor;
  const reply = await session.request("SCAN", from, ...match, "COUNT", String(scanCount));
  if (reply.type === "error") fail(`SCAN error: ${reply.text}\n`);
  if (reply.type !== "array") fail("Non ARRAY response from SCAN!\n");
  const [next, keys] = reply.items;
  if (reply.items.length !== 2 || !("items" in keys)) {
    fail("Invalid element count from SCAN!\n");
  }
  return { cursor: textOf(next), keys: keys.items.map(textOf) };
}

async function databaseSize(session: Session): Promise<number> {
  const reply = await session.request("DBSIZE");
  if (reply.type === "error") fail(`Couldn't determine DBSIZE: ${reply.text}\n`);
  if (reply.type !== "integer") fail("Non INTEGER response from DBSIZE!\n");
  return Number(reply.value);
}

/** A cluster's replica needs it; a server without a cluster refuses, which is no matter. */
async function sendReadOnly(session: Session): Promise<void> {
  const reply = await session.request("READONLY");
  if (reply.type === "error" && reply.text !== NO_CLUSTER) fail(`Error: ${reply.text}\n`);
}

/** The types of keys; null for one that has gone. Types that are new are added. */
async function typesOf(
  session: Session,
  keys: readonly string[],
  types: Map<string, TypeSummary>,
): Promise<(TypeSummary | null)[]> {
  const replies = await session.requestAll(keys.map((key) => ["TYPE", key]));
  return replies.map((reply, index) => {
    if (reply.type === "error") fail(`TYPE returned an error: ${reply.text}\n`);
    if (reply.type !== "status") {
      fail(`Invalid reply type (${reply.type}) for TYPE on key '${keys[index]}'!\n`);
    }
    const known = types.get(reply.text);
    if (known !== undefined) return known;
    if (reply.text === "none") return null;
    const type = newType(reply.text, null, "?");
    types.set(reply.text, type);
    return type;
  });
}

async function sizesOf(
  session: Session,
  keys: readonly string[],
  types: readonly (TypeSummary | null)[],
  isByMemory: boolean,
): Promise<bigint[]> {
  const { memorySamples } = session.options;
  const samples = memorySamples === 0 ? [] : ["SAMPLES", String(memorySamples)];
  const asked: number[] = [];
  const commands: string[][] = [];
  for (const [index, key] of keys.entries()) {
    const type = types[index];
    if (type === null || (type.sizeCommand === null && !isByMemory)) continue;
    asked.push(index);
    commands.push(
      isByMemory ? ["MEMORY", "USAGE", key, ...samples] : [type.sizeCommand ?? "", key],
    );
  }
  const sizes = keys.map(() => 0n);
  const replies = await session.requestAll(commands);
  for (const [at, index] of asked.entries()) {
    const reply = replies[at];
    if (reply.type === "integer") {
      sizes[index] = reply.value;
      continue;
    }
    const command = isByMemory ? "MEMORY USAGE" : commands[at][0];
    printError(`Warning:  ${command} on '${keys[index]}' failed (may have changed type)\n`);
  }
  return sizes;
}

async function frequenciesOf(session: Session, keys: readonly string[]): Promise<bigint[]> {
  const replies = await session.requestAll(keys.map((key) => ["OBJECT", "FREQ", key]));
  return replies.map((reply: Reply, index) => {
    if (reply.type === "integer") return reply.value;
    if (reply.type === "error") fail(`Error: ${reply.text}\n`);
    const name = quoteArgument(keys[index]);
    printError(`Warning: OBJECT freq on '${name}' failed (may have been deleted)\n`);
    return 0n;
  });
}

function newType(name: string, sizeCommand: string | null, unit: string): TypeSummary {
  return { name, sizeCommand, unit, count: 0, total: 0n, biggest: 0n, biggestKey: null };
}

function watchInterrupt(): { readonly isRequested: boolean } {
  const state = { isRequested: false };
  process.on("SIGINT", () => {
    state.isRequested = true;
  });
  return state;
}
