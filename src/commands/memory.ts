/** MEMORY: what keys and the server occupy. */
import { recordMemoryBytes } from "../keyspace/value-types.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { int64Argument } from "./arguments.ts";
import { containerRow, replyHelp } from "./container.ts";
import type { CommandContext } from "./context.ts";
import {
  type MemoryFigures,
  humanBytes,
  memoryFigures,
  percentage,
  ratio,
} from "./memory-figures.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, NO_KEYS } from "./spec.ts";

const ON_ALL_SHARDS = "request_policy:all_shards";
const REPORT_TIPS = ["nondeterministic_output", ON_ALL_SHARDS, "response_policy:special"];
const KEY_AT_2: readonly KeySpec[] = [
  { flags: "RO", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } },
];

/** MEMORY USAGE takes as many samples at least: smaller values are measured exactly. */
const SAMPLES_MIN = 32;
const MEBIBYTE = 1024 * 1024;
/** Below this the ratios of MEMORY DOCTOR say nothing. */
const DOCTOR_USED_MIN = 5 * MEBIBYTE;
const DOCTOR_BYTES_MIN = 10 * MEBIBYTE;
const DOCTOR_CLIENT_BYTES_MAX = 200 * 1024;

export const memoryCommands: readonly CommandSpec[] = [
  containerRow("memory"),
  {
    name: "doctor",
    parent: "memory",
    arity: 2,
    flags: 0,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: REPORT_TIPS,
    run: memoryDoctorCommand,
  },
  {
    name: "help",
    parent: "memory",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, "MEMORY", HELP),
  },
  {
    name: "malloc-stats",
    parent: "memory",
    arity: 2,
    flags: Flag.LOADING,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: REPORT_TIPS,
    run: memoryMallocStatsCommand,
  },
  {
    name: "purge",
    parent: "memory",
    arity: 2,
    flags: Flag.LOADING,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: [ON_ALL_SHARDS, "response_policy:all_succeeded"],
    run: memoryPurgeCommand,
  },
  {
    name: "stats",
    parent: "memory",
    arity: 2,
    flags: 0,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: REPORT_TIPS,
    run: memoryStatsCommand,
  },
  {
    name: "usage",
    parent: "memory",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.NONE,
    keys: KEY_AT_2,
    run: memoryUsageCommand,
  },
];

const HELP = [
  "DOCTOR",
  "    Return memory problems reports.",
  "MALLOC-STATS",
  "    Return internal statistics report from the memory allocator.",
  "PURGE",
  "    Attempt to purge dirty pages for reclamation by the allocator.",
  "STATS",
  "    Return information about the memory usage of the server.",
  "USAGE <key> [SAMPLES <count>]",
  "    Return memory in bytes used by <key> and its value. Nested values are",
  "    sampled up to <count> times (default: 5, 0 means sample all).",
];

/** MEMORY USAGE key [SAMPLES count] */
function memoryUsageCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let count = SAMPLES_MIN;
  for (let i = 3; i < args.count; i += 2) {
    if (!args.is(i, "SAMPLES") || i + 1 === args.count) {
      reply.error(errors.SYNTAX);
      return;
    }
    const samples = int64Argument(args, i + 1, reply);
    if (samples === null) return;
    if (samples < 0n) {
      reply.error(errors.SYNTAX);
      return;
    }
    count = samples === 0n ? Infinity : Math.max(Number(samples), SAMPLES_MIN);
  }
  const record = ctx.db.peek(args.view, args.start[2], args.end[2]);
  if (record === 0) reply.nil();
  else reply.integer(recordMemoryBytes(ctx.keyspace.arena, record, count));
}

/** MEMORY STATS */
function memoryStatsCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const figures = memoryFigures(ctx);
  const keyCount = ctx.keyspace.keyCount();
  const before: [string, number][] = [
    ["peak.allocated", figures.peak],
    ["total.allocated", figures.used],
    ["startup.allocated", figures.startup],
    ["replication.backlog", 0],
    ["clients.slaves", 0],
    ["clients.normal", figures.clients],
    ["cluster.links", 0],
    ["aof.buffer", 0],
    ["lua.caches", 0],
    ["functions.caches", 0],
  ];
  const after: [string, number | { double: number }][] = [
    ["overhead.db.hashtable.lut", figures.indexes],
    ["overhead.db.hashtable.rehashing", 0],
    ["overhead.total", figures.overhead],
    ["db.dict.rehashing.count", 0],
    ["keys.count", keyCount],
    ["keys.bytes-per-key", keyCount === 0 ? 0 : Math.floor(figures.dataset / keyCount)],
    ["dataset.bytes", figures.dataset],
    ["dataset.percentage", { double: figures.datasetPercent }],
    ["peak.percentage", { double: percentage(figures.used, figures.peak) }],
    ["allocator.allocated", figures.arenaLive],
    ["allocator.active", figures.arenaHeld],
    ["allocator.resident", figures.arenaHeld],
    ["allocator.muzzy", 0],
    ["allocator-fragmentation.ratio", { double: ratio(figures.arenaHeld, figures.arenaLive) }],
    ["allocator-fragmentation.bytes", figures.arenaHeld - figures.arenaLive],
    ["allocator-rss.ratio", { double: 1 }],
    ["allocator-rss.bytes", 0],
    ["rss-overhead.ratio", { double: ratio(figures.resident, figures.arenaHeld) }],
    ["rss-overhead.bytes", figures.resident - figures.arenaHeld],
    ["fragmentation", { double: ratio(figures.resident, figures.used) }],
    ["fragmentation.bytes", figures.resident - figures.used],
    ["heap.size", figures.heap],
    ["heap.capacity", figures.heapCapacity],
  ];
  reply.map(before.length + figures.databases.length + after.length);
  for (const [name, value] of before) replyFigure(reply, name, value);
  for (const { id, indexBytes, expiryIndexBytes } of figures.databases) {
    reply.bulkText(`db.${id}`);
    reply.map(2);
    replyFigure(reply, "overhead.hashtable.main", indexBytes);
    replyFigure(reply, "overhead.hashtable.expires", expiryIndexBytes);
  }
  for (const [name, value] of after) replyFigure(reply, name, value);
}

function replyFigure(reply: ReplyWriter, name: string, value: number | { double: number }): void {
  reply.bulkText(name);
  if (typeof value === "number") reply.integer(value);
  else reply.double(value.double);
}

/** MEMORY MALLOC-STATS: the arena's size classes. */
function memoryMallocStatsCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { arena } = ctx.keyspace;
  const lines = [
    "Arena allocator",
    ` live bytes:     ${arena.liveBytes}`,
    ` held bytes:     ${arena.spanBytes}`,
    ` reserved bytes: ${arena.reservedBytes}`,
    "",
    "block bytes  live blocks   live bytes   held bytes  in use",
  ];
  for (const { blockBytes, liveBlocks, spanBytes } of arena.report()) {
    const live = blockBytes * liveBlocks;
    const share = ((live / spanBytes) * 100).toFixed(1);
    lines.push(
      `${column(blockBytes, 11)}  ${column(liveBlocks, 11)}  ${column(live, 11)}  ` +
        `${column(spanBytes, 11)}  ${share.padStart(5)}%`,
    );
  }
  reply.verbatim("txt", `${lines.join("\n")}\n`);
}

function column(value: number, width: number): string {
  return String(value).padStart(width);
}

/** MEMORY PURGE */
function memoryPurgeCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  ctx.server.purgeMemory();
  reply.ok();
}

/** MEMORY DOCTOR */
function memoryDoctorCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const figures = memoryFigures(ctx);
  if (figures.used < DOCTOR_USED_MIN) {
    reply.verbatim("txt", "There is too little data for a diagnosis; come back with more.\n");
    return;
  }
  const findings = diagnose(figures, ctx.clients.count);
  if (findings.length === 0) {
    reply.verbatim("txt", "No memory issue found.\n");
    return;
  }
  const list = findings.map((finding) => ` * ${finding}\n`).join("\n");
  reply.verbatim("txt", `Findings about this server's memory:\n\n${list}`);
}

function diagnose(figures: MemoryFigures, clientCount: number): string[] {
  const findings: string[] = [];
  if (figures.peak > figures.used * 1.5) {
    findings.push(
      `Peak: the data once took ${humanBytes(figures.peak)}, now ${humanBytes(figures.used)}. ` +
        "Segments of the arena that are not yet empty stay in the process until compaction " +
        "(activedefrag) has emptied them; MEMORY PURGE returns those that are.",
    );
  }
  const unused = figures.arenaHeld - figures.arenaLive;
  if (figures.arenaHeld > figures.arenaLive * 1.1 && unused > DOCTOR_BYTES_MIN) {
    findings.push(
      `Fragmentation: ${humanBytes(unused)} of the arena lie between live blocks. ` +
        "The directive activedefrag lets the server move blocks together.",
    );
  }
  const besides = figures.resident - figures.arenaHeld;
  if (figures.resident > figures.arenaHeld * 1.4 && besides > 8 * DOCTOR_BYTES_MIN) {
    findings.push(
      `Outside of the arena: ${humanBytes(besides)} of the process are program, JavaScript heap ` +
        `(${humanBytes(figures.heapCapacity)}) and buffers.`,
    );
  }
  if (figures.clients > clientCount * DOCTOR_CLIENT_BYTES_MAX) {
    findings.push(
      `Clients: their buffers take ${humanBytes(figures.clients)}, more than 200K each on ` +
        "average. CLIENT LIST (qbuf, omem) names the ones that do not read their replies.",
    );
  }
  return findings;
}
