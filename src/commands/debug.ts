/**
 * DEBUG: what tests need and users should leave alone; refused unless enable-debug-command says
 * otherwise. Subcommands that tune internals of Redis which do not exist here are accepted and do
 * nothing, so that tests written for it run; those that this server cannot do are unknown.
 */
import { heapStats } from "bun:jsc";
import { globMatch } from "../base/glob.ts";
import { fillRandom } from "../base/prng.ts";
import { BUNSEN } from "../base/version.ts";
import { Meta, metaOf, typeOf } from "../keyspace/record.ts";
import { VALUE_TYPES } from "../keyspace/value-types.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { HashIndex } from "../structures/hash-index.ts";
import { integerArgument } from "./arguments.ts";
import { replyHelp, replyUnknownSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { debugClientEviction } from "./debug-client-eviction.ts";
import { datasetDigest, valueDigest } from "./debug-digest.ts";
import {
  debugListpack,
  debugPackedThreshold,
  debugQuicklist,
  quicklistFields,
} from "./debug-list.ts";
import { debugPopulate } from "./debug-populate.ts";
import { debugProtocol } from "./debug-protocol.ts";
import { isProtectedActionAllowed } from "./protected-action.ts";
import { Acl, type CommandHandler, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const SLOTS_PER_BUCKET = 12;
const GLOB_TEST_CYCLES = 20000;
const GLOB_TEST_BYTES_MAX = 64;

export const debugCommands: readonly CommandSpec[] = [
  {
    name: "debug",
    arity: -2,
    flags: Flag.ADMIN | Flag.NOSCRIPT | Flag.LOADING | Flag.STALE | Flag.PROTECTED,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: debugCommand,
  },
];

/** A subcommand: its arguments, DEBUG and its own name counted, and what it does. */
type Subcommand = readonly [argumentsMin: number, argumentsMax: number, run: CommandHandler];

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  "aof-flush-sleep": [3, 3, debugAofFlushSleep],
  assert: [2, Infinity, crash("=== ASSERTION FAILED ===")],
  "client-eviction": [2, 2, debugClientEviction],
  "client-enforce-reply-list": [3, 3, setting((ctx, on) => ctx.server.enforceReplyList(on))],
  "config-rewrite-force-all": [2, 2, debugConfigRewrite],
  "dict-resizing": [3, 3, setting(ignore)],
  digest: [2, 2, (ctx, _args, reply) => reply.simple(datasetDigest(ctx.keyspace))],
  "digest-value": [2, Infinity, debugDigestValue],
  error: [3, 3, (_ctx, args, reply) => reply.error(args.text(2))],
  help: [2, 2, (_ctx, _args, reply) => replyHelp(reply, "DEBUG", HELP)],
  htstats: [3, Infinity, debugHtStats],
  "htstats-key": [3, Infinity, debugHtStatsKey],
  jsheap: [2, 2, debugJsHeap],
  listpack: [3, 3, debugListpack],
  loadaof: [2, 2, debugLoadAof],
  log: [3, 3, debugLog],
  object: [3, 4, debugObject],
  oom: [2, Infinity, crash("Out Of Memory")],
  panic: [2, Infinity, crash("DEBUG PANIC called")],
  "pause-after-fork": [3, 3, setting(ignore)],
  "pause-cron": [3, 3, setting((ctx, on) => ctx.server.pauseCron(on))],
  populate: [3, 5, debugPopulate],
  protocol: [3, 3, (_ctx, args, reply) => debugProtocol(args, reply)],
  quicklist: [3, 4, debugQuicklist],
  "quicklist-packed-threshold": [3, 3, debugPackedThreshold],
  reload: [2, Infinity, debugReload],
  replybuffer: [4, 4, debugReplyBuffer],
  segfault: [2, Infinity, crash(`Bunsen ${BUNSEN.version} crashed by signal: 11, si_code: 0`)],
  "set-active-expire": [3, 3, setting((ctx, on) => ctx.server.setActiveExpire(on))],
  "set-skip-checksum-validation": [
    3,
    3,
    setting((ctx, on) => {
      ctx.payloads.skipsChecksum = on;
    }),
  ],
  "set-disable-deny-scripts": [3, 3, setting(ignore)],
  sleep: [3, 3, debugSleep],
  "stringmatch-test": [2, 2, debugStringMatchTest],
};

const HELP = [
  "ASSERT",
  "    Crash by assertion failed.",
  "CLIENT-EVICTION",
  "    Show low level client eviction pools info (maxmemory-clients).",
  "CONFIG-REWRITE-FORCE-ALL",
  "    Like CONFIG REWRITE but writes all configuration options, including",
  "    keywords not listed in original configuration file or default values.",
  "DIGEST",
  "    Output a hex signature representing the current DB content.",
  "DIGEST-VALUE <key> [<key> ...]",
  "    Output a hex signature of the values of all the specified keys.",
  "ERROR <string>",
  "    Return a RESP protocol error with <string> as message. Useful for clients",
  "    unit tests to simulate error replies.",
  "JSHEAP",
  "    Collect garbage and return statistics of the JavaScript heap.",
  "LOADAOF",
  "    Flush the AOF buffers on disk and reload the AOF in memory.",
  "LOG <message>",
  "    Write <message> to the server log.",
  "HTSTATS <dbid> [full]",
  "    Return hash table statistics of the specified database.",
  "HTSTATS-KEY <key> [full]",
  "    Like HTSTATS but for the hash table stored at <key>'s value.",
  "OBJECT <key> [fast]",
  "    Show low level info about `key` and associated value.",
  "    Some fields of the default behavior may be time consuming to fetch,",
  "    and `fast` can be passed to avoid fetching them.",
  "OOM",
  "    Crash the server simulating an out-of-memory error.",
  "PANIC",
  "    Crash the server simulating a panic.",
  "POPULATE <count> [<prefix>] [<size>]",
  "    Create <count> string keys named key:<num>. If <prefix> is specified then",
  "    it is used instead of the 'key' prefix. These are not propagated to",
  "    replicas. Cluster slots are not respected so keys not belonging to the",
  "    current node can be created in cluster mode.",
  "PROTOCOL <type>",
  "    Reply with a test value of the specified type. <type> can be: string,",
  "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
  "    true, false.",
  "SEGFAULT",
  "    Crash the server with sigsegv.",
  "SET-ACTIVE-EXPIRE <0|1>",
  "    Setting it to 0 disables expiring keys in background when they are not",
  "    accessed (otherwise the behavior). Setting it to 1 reenables back the",
  "    default.",
  "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
  "    Enables or disables checksum checks for RDB files and RESTORE's payload.",
  "SLEEP <seconds>",
  "    Stop the server for <seconds>. Decimals allowed.",
  "STRINGMATCH-TEST",
  "    Run a fuzz tester against the stringmatchlen() function.",
  "PAUSE-CRON <0|1>",
  "    Stop periodic cron job processing.",
  "QUICKLIST-PACKED-THRESHOLD <size>",
  "    Sets the threshold for elements to be inserted as plain vs packed nodes",
  "    Default value is 1GB, allows values up to 4GB. Setting to 0 restores to default.",
  "LISTPACK <key>",
  "    Show low level info about the listpack encoding of <key>.",
  "QUICKLIST <key> [<0|1>]",
  "    Show low level info about the quicklist encoding of <key>.",
  "    The optional argument (0 by default) sets the level of detail",
  "RELOAD [option ...]",
  "    Save the RDB on disk and reload it back to memory. Valid <option> values:",
  "    * MERGE: conflicting keys will be loaded from RDB.",
  "    * NOFLUSH: the existing database will not be removed before load, but",
  "      conflicting keys will generate an exception and kill the server.",
  "    * NOSAVE: the database will be loaded from an existing RDB file.",
  "    Examples:",
  "    * DEBUG RELOAD: verify that the server is able to persist, flush and reload",
  "      the database.",
  "    * DEBUG RELOAD NOSAVE: replace the current database with the contents of an",
  "      existing RDB file.",
  "    * DEBUG RELOAD NOSAVE NOFLUSH MERGE: add the contents of an existing RDB",
  "      file to the database.",
  "REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>",
  "    Sets the time (in milliseconds) to wait between client reply buffer peak resets.",
  "    In case NEVER is provided the last observed peak will never be reset",
  "    In case RESET is provided the peak reset time will be restored to the default value",
  "CLIENT-ENFORCE-REPLY-LIST <0|1>",
  "When set to 1, it enforces the use of the client reply list directly",
  "    and avoids using the client's static buffer.",
];

/** DEBUG subcommand [arg ...] */
function debugCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (!isProtectedActionAllowed(ctx, reply, "DEBUG", "enable-debug-command")) return;
  const name = args.text(1).toLowerCase();
  const [argumentsMin, argumentsMax, run] = Object.hasOwn(SUBCOMMANDS, name)
    ? SUBCOMMANDS[name]
    : [Infinity, 0, ignore];
  if (args.count < argumentsMin || args.count > argumentsMax) {
    replyUnknownSubcommand(reply, "DEBUG", args);
  } else {
    run(ctx, args, reply);
  }
}

/** A subcommand that switches something on or off by its only argument. */
function setting(apply: (ctx: CommandContext, on: boolean) => void): CommandHandler {
  return (ctx, args, reply) => {
    apply(ctx, (parseInt(args.text(2), 10) || 0) !== 0);
    reply.ok();
  };
}

function ignore(): void {}

function crash(reason: string): CommandHandler {
  return (ctx) => ctx.server.panic(reason);
}

/** DEBUG CONFIG-REWRITE-FORCE-ALL */
function debugConfigRewrite(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const error = ctx.server.rewriteConfig(true);
  if (error === null) reply.ok();
  else reply.error(error);
}

/** DEBUG DIGEST-VALUE [key ...]: also of keys that have expired and are still there. */
function debugDigestValue(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { index } = ctx.db;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const hash = index.hash(args.view, args.start[i], args.end[i]);
    const record = index.find(args.view, args.start[i], args.end[i], hash);
    reply.simple(valueDigest(ctx.keyspace, record));
  }
}

/** DEBUG HTSTATS dbid [full] */
function debugHtStats(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const id = integerArgument(args, 2, reply);
  if (Number.isNaN(id)) return;
  const database = ctx.keyspace.databases[id];
  if (database === undefined) {
    reply.error("ERR Out of range database");
    return;
  }
  reply.verbatim(
    "txt",
    `[Dictionary HT]\n${describeIndex(database.index)}` +
      `[Expires HT]\n${describeIndex(database.volatile)}`,
  );
}

function describeIndex(index: HashIndex): string {
  const title = "Hash table 0 stats (main hash table):\n";
  if (index.size === 0) return `${title}No stats available for empty hash tables\n`;
  const buckets = index.bucketCount();
  return (
    `${title} table size: ${buckets * SLOTS_PER_BUCKET}\n number of entries: ${index.size}\n` +
    ` buckets: ${buckets}\n segments: ${index.segmentCount}\n bytes: ${index.memoryBytes()}\n`
  );
}

/** DEBUG HTSTATS-KEY key [full]: no type has a hash table of its own yet. */
function debugHtStatsKey(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (ctx.db.peek(args.view, args.start[2], args.end[2]) === 0) reply.error(errors.NO_SUCH_KEY);
  else
    reply.error("ERR The value stored at the specified key is not represented using an hash table");
}

/**
 * DEBUG JSHEAP: a line per figure, after a full collection. The collector's own count of its heap
 * includes the bytes of array buffers, and so the arena; `heapSize` is what remains without them:
 * the objects that it has to walk. `reportedSize` is its count.
 */
function debugJsHeap(_ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  Bun.gc(true);
  const stats = heapStats();
  const figures = {
    heapSize: stats.heapSize - stats.extraMemorySize,
    reportedSize: stats.heapSize,
    extraMemorySize: stats.extraMemorySize,
    objectCount: stats.objectCount,
    protectedObjectCount: stats.protectedObjectCount,
  };
  const lines = Object.entries(figures).map(([name, value]) => `${name}:${value}\r\n`);
  reply.verbatim("txt", lines.join(""));
}

/** DEBUG AOF-FLUSH-SLEEP microseconds */
function debugAofFlushSleep(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  ctx.server.appendOnly.setFlushSleep(parseInt(args.text(2), 10) || 0);
  reply.ok();
}

/** DEBUG LOADAOF */
function debugLoadAof(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  if (ctx.server.appendOnly.reload()) reply.ok();
  else reply.error("ERR Error trying to load the AOF files, check server logs");
}

/** DEBUG LOG message */
function debugLog(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  ctx.log.warning(`DEBUG LOG: ${args.text(2)}`);
  reply.ok();
}

/** DEBUG OBJECT key [FAST]: the address is the record's reference in the arena. */
function debugObject(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { keyspace } = ctx;
  const { arena } = keyspace;
  const record = ctx.db.peek(args.view, args.start[2], args.end[2]);
  if (record === 0) {
    reply.error(errors.NO_SUCH_KEY);
    return;
  }
  const meta = metaOf(arena, record);
  const clock = meta & Meta.CLOCK_MASK;
  const address = (record >>> 0).toString(16).padStart(12, "0");
  const isFast = args.count === 4 && args.is(3, "FAST");
  const encoding = VALUE_TYPES[typeOf(meta)].encodingName(arena, record);
  const frequency = keyspace.usesLfu ? keyspace.frequency(record) : clock & 0xff;
  const fields = [
    `Value at:0x${address}`,
    "refcount:1",
    `encoding:${encoding}`,
    ...(isFast ? [] : [`serializedlength:${ctx.payloads.valueBytes(record)}`]),
    `lru:${clock}`,
    `lru_seconds_idle:${keyspace.idleSeconds(record)}`,
    `lfu_freq:${frequency}`,
    `lfu_access_time_minutes:${clock >>> 8}`,
    ...quicklistFields(ctx, record, isFast),
  ];
  reply.simple(fields.join(" "));
}

/** DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE] */
function debugReload(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let merges = false;
  let flushes = true;
  let saves = true;
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "MERGE")) merges = true;
    else if (args.is(i, "NOFLUSH")) flushes = false;
    else if (args.is(i, "NOSAVE")) saves = false;
    else {
      reply.error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
      return;
    }
  }
  const error = ctx.server.saving.reload({ merges, flushes, saves });
  if (error === null) reply.ok();
  else reply.error(error);
}

/** DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER | RESET | milliseconds, or RESIZING 0 | 1 */
function debugReplyBuffer(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.is(2, "PEAK-RESET-TIME")) {
    if (args.is(3, "NEVER")) ctx.server.setReplyBufferPeakReset(-1);
    else if (args.is(3, "RESET")) ctx.server.setReplyBufferPeakReset(null);
    else {
      const ms = integerArgument(args, 3, reply);
      if (Number.isNaN(ms)) return;
      ctx.server.setReplyBufferPeakReset(ms);
    }
  } else if (!args.is(2, "RESIZING")) {
    replyUnknownSubcommand(reply, "DEBUG", args);
    return;
  }
  reply.ok();
}

/** DEBUG SLEEP seconds */
function debugSleep(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const seconds = parseFloat(args.text(2));
  if (seconds > 0) ctx.server.sleepMs(seconds * 1000);
  reply.ok();
}

/** DEBUG STRINGMATCH-TEST: random patterns against random texts, for what may throw or hang. */
function debugStringMatchTest(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const pattern = new Uint8Array(GLOB_TEST_BYTES_MAX);
  const text = new Uint8Array(GLOB_TEST_BYTES_MAX);
  for (let cycle = 0; cycle < GLOB_TEST_CYCLES; cycle++) {
    fillRandom(ctx.prng, pattern);
    fillRandom(ctx.prng, text);
    const patternLength = pattern[0] % GLOB_TEST_BYTES_MAX;
    const textLength = text[0] % GLOB_TEST_BYTES_MAX;
    globMatch(pattern, 0, patternLength, text, 0, textLength, (cycle & 1) === 0);
  }
  reply.simple("Apparently the server did not crash: test passed");
}
