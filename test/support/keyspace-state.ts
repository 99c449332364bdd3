/**
 * What a server holds, read through ordinary commands, so that two servers can be compared after
 * a test: for each key of each database its type, content, encoding and time to live.
 */
import { compareReplies, type Comparison } from "./comparison.ts";
import { formatReply, isError, itemsOf, quoteBytes, textOf } from "./reply.ts";
import type { Argument, ReceivedReply, RespClient } from "./resp-client.ts";

/** Clocks of the two servers are read at slightly different moments; tests use far longer TTLs. */
const PTTL_DIFFERENCE_MS = 10_000;

interface Inspection {
  readonly command: readonly Argument[];
  readonly comparison: Comparison;
}

/** Describes how the keyspaces differ, or returns null. Both clients end up in database 0. */
export async function compareKeyspaces(
  ours: RespClient,
  reference: RespClient,
): Promise<string | null> {
  const databases = new Set([...(await usedDatabases(ours)), ...(await usedDatabases(reference))]);
  let problem: string | null = null;
  for (const database of [...databases].sort((a, b) => a - b)) {
    await Promise.all([ours.must("SELECT", database), reference.must("SELECT", database)]);
    problem = await compareDatabase(ours, reference);
    if (problem !== null) {
      problem = `database ${database}: ${problem}`;
      break;
    }
  }
  await Promise.all([ours.must("SELECT", 0), reference.must("SELECT", 0)]);
  return problem ?? (await compareDigests(ours, reference));
}

async function usedDatabases(client: RespClient): Promise<number[]> {
  const info = textOf(await client.must("INFO", "keyspace"));
  return [...info.matchAll(/^db([0-9]+):/gm)].map((match) => Number(match[1]));
}

async function compareDatabase(ours: RespClient, reference: RespClient): Promise<string | null> {
  const [ourKeys, referenceKeys] = await Promise.all([keysOf(ours), keysOf(reference)]);
  const keys = ourKeys.filter((key) =>
    referenceKeys.some((other) => Buffer.compare(key, other) === 0),
  );
  if (keys.length !== ourKeys.length || keys.length !== referenceKeys.length) {
    return (
      `keys differ\n  ours:      ${ourKeys.map((key) => quoteBytes(key)).join(" ")}` +
      `\n  reference: ${referenceKeys.map((key) => quoteBytes(key)).join(" ")}`
    );
  }
  const types = await reference.pipeline(keys.map((key) => ["TYPE", key]));
  for (let i = 0; i < keys.length; i++) {
    const problem = await compareKey(ours, reference, keys[i], textOf(types[i].reply));
    if (problem !== null) return problem;
  }
  return null;
}

async function keysOf(client: RespClient): Promise<Uint8Array[]> {
  const keys = itemsOf(await client.must("KEYS", "*")).map((reply) => {
    if (reply.type !== "bulk") throw new Error("KEYS answered with something that is no key");
    return reply.bytes;
  });
  return keys.sort(Buffer.compare);
}

async function compareKey(
  ours: RespClient,
  reference: RespClient,
  key: Uint8Array,
  type: string,
): Promise<string | null> {
  const inspections = inspectionsOf(key, type);
  const commands = inspections.map((inspection) => inspection.command);
  const [ourReplies, referenceReplies] = await Promise.all([
    ours.pipeline(commands),
    reference.pipeline(commands),
  ]);
  for (let i = 0; i < inspections.length; i++) {
    const [mine, theirs] = [ourReplies[i], referenceReplies[i]];
    if (isEncoding(inspections[i]) && haveSameEncoding(mine, theirs, key, ourReplies[2])) continue;
    const problem = compareReplies(mine, theirs, inspections[i].comparison);
    if (problem !== null) return `${commands[i][0]} ${quoteBytes(key)}: ${problem}`;
  }
  return null;
}

/** The commands that show all of a key. The third one reads the content. */
function inspectionsOf(key: Uint8Array, type: string): readonly Inspection[] {
  const exact: Comparison = { form: "exact" };
  const sorted: Comparison = { form: "sorted" };
  const content: Record<string, Inspection> = {
    string: { command: ["GET", key], comparison: exact },
    list: { command: ["LRANGE", key, 0, -1], comparison: exact },
    set: { command: ["SMEMBERS", key], comparison: sorted },
    hash: { command: ["HGETALL", key], comparison: sorted },
    zset: { command: ["ZRANGE", key, 0, -1, "WITHSCORES"], comparison: exact },
    stream: { command: ["XRANGE", key, "-", "+"], comparison: exact },
  };
  return [
    { command: ["TYPE", key], comparison: exact },
    { command: ["PTTL", key], comparison: { form: "within", difference: PTTL_DIFFERENCE_MS } },
    content[type],
    { command: ["OBJECT", "ENCODING", key], comparison: exact },
  ];
}

function isEncoding(inspection: Inspection): boolean {
  return inspection.command[0] === "OBJECT";
}

/**
 * Valkey 8.1 embeds a value when key, value and expiry fit one small block together; 8.0, the
 * reference executable, looks at the value alone. Between those limits both answers are right.
 */
function haveSameEncoding(
  ours: ReceivedReply,
  reference: ReceivedReply,
  key: Uint8Array,
  content: ReceivedReply,
): boolean {
  const names = [formatReply(ours.reply), formatReply(reference.reply)];
  if (!names.every((name) => name === '"embstr"' || name === '"raw"')) return false;
  const size = content.reply.type === "bulk" ? content.reply.bytes.length : 0;
  return size <= 44 && key.length + size > 30;
}

async function compareDigests(ours: RespClient, reference: RespClient): Promise<string | null> {
  const [mine, theirs] = await Promise.all([
    ours.command("DEBUG", "DIGEST"),
    reference.command("DEBUG", "DIGEST"),
  ]);
  // A server without DEBUG DIGEST is compared by content alone.
  if (isError(mine) || isError(theirs)) return null;
  if (textOf(mine) === textOf(theirs)) return null;
  return `DEBUG DIGEST differs: ours ${textOf(mine)}, reference ${textOf(theirs)}`;
}
