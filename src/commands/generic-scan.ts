/**
 * Which keys there are: SCAN, KEYS, RANDOMKEY, DBSIZE.
 *
 * A SCAN cursor is a position in hash order, an unsigned 32-bit number: it needs no memory in the
 * server, and splits, merges and deletions between two calls make no key appear twice or be missed
 * that was there all the time.
 */
import { globMatch } from "../base/glob.ts";
import { parseUint64 } from "../base/integer.ts";
import type { Database } from "../keyspace/database.ts";
import { Meta, keyLength, keyStart, metaOf, typeOf, viewOf } from "../keyspace/record.ts";
import { RecordList } from "../keyspace/record-list.ts";
import { VALUE_TYPES } from "../keyspace/value-types.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { ReplyType, type ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const COUNT_DEFAULT = 10;
/** Buckets walked per key that COUNT asks for, before an index full of holes ends the call. */
const BUCKETS_PER_COUNT = 10;
/** Expired keys that RANDOMKEY meets, where it cannot remove them, before it names one. */
const RANDOM_TRIES = 100;
const ANY_TYPE = -1;
const CURSOR_BITS = 32;

export const genericScanCommands: readonly CommandSpec[] = [
  {
    name: "keys",
    arity: 2,
    flags: Flag.READONLY,
    acl: Acl.KEYSPACE | Acl.DANGEROUS,
    keys: NO_KEYS,
    tips: ["request_policy:all_shards", "nondeterministic_output_order"],
    run: keysCommand,
  },
  {
    name: "scan",
    arity: -2,
    flags: Flag.READONLY | Flag.TOUCHES_ARBITRARY_KEYS,
    acl: Acl.KEYSPACE,
    keys: NO_KEYS,
    tips: ["nondeterministic_output", "request_policy:special", "response_policy:special"],
    run: scanCommand,
  },
  {
    name: "randomkey",
    arity: 1,
    flags: Flag.READONLY | Flag.TOUCHES_ARBITRARY_KEYS,
    acl: Acl.KEYSPACE,
    keys: NO_KEYS,
    tips: ["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
    run: randomkeyCommand,
  },
  {
    name: "dbsize",
    arity: 1,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.KEYSPACE,
    keys: NO_KEYS,
    tips: ["request_policy:all_shards", "response_policy:agg_sum"],
    run: (ctx, _args, reply) => reply.integer(ctx.db.index.size),
  },
];

/** What SCAN was asked for. */
interface ScanOptions {
  count: number;
  /** Index of the pattern's argument; 0 = every key. */
  pattern: number;
  type: number;
}

/** KEYS pattern. Expired keys are left out, not removed. */
function keysCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { arena } = ctx.keyspace;
  const { db } = ctx;
  const pattern = matchesAll(args, 1) ? 0 : 1;
  const mark = reply.deferLength();
  let count = 0;
  db.index.eachEntry((record) => {
    if (reply.overflowed) return;
    if (pattern !== 0 && !matches(arena, record, args, pattern)) return;
    if (db.hasExpired(record)) return;
    replyKey(arena, record, reply);
    count++;
  });
  reply.setDeferred(mark, ReplyType.ARRAY, count);
}

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
function scanCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const given = parseUint64(args.bytes, args.start[1], args.end[1]);
  if (given === null) {
    reply.error("ERR invalid cursor");
    return;
  }
  const options = scanOptions(args, reply);
  if (options === null) return;
  const { db } = ctx;
  const { arena } = ctx.keyspace;
  const found = new RecordList();
  let cursor = Number(BigInt.asUintN(CURSOR_BITS, given));
  let kept = 0;
  let sampled = 0;
  let bucketsLeft = options.count * BUCKETS_PER_COUNT;
  do {
    found.length = kept;
    cursor = db.index.scan(cursor, found.push);
    sampled += found.length - kept;
    for (let i = kept; i < found.length; i++) {
      const record = found.records[i];
      if (!isWanted(arena, record, args, options) || isExpired(db, arena, record)) continue;
      found.records[kept++] = record;
    }
  } while (cursor !== 0 && bucketsLeft-- > 0 && sampled < options.count);
  reply.array(2);
  reply.bulkInteger(cursor);
  reply.array(kept);
  for (let i = 0; i < kept; i++) replyKey(arena, found.records[i], reply);
}

/** The options from argument 2 on; null after an error reply. */
function scanOptions(args: Args, reply: ReplyWriter): ScanOptions | null {
  const options: ScanOptions = { count: COUNT_DEFAULT, pattern: 0, type: ANY_TYPE };
  for (let i = 2; i < args.count; i++) {
    const hasValue = i + 1 < args.count;
    if (args.is(i, "COUNT") && hasValue) {
      const count = int64Argument(args, ++i, reply);
      if (count === null) return null;
      if (count < 1n) {
        reply.error(errors.SYNTAX);
        return null;
      }
      options.count = Number(count);
    } else if (args.is(i, "MATCH") && hasValue) {
      options.pattern = matchesAll(args, ++i) ? 0 : i;
    } else if (args.is(i, "TYPE") && hasValue) {
      const name = beforeNul(args.text(++i));
      options.type = VALUE_TYPES.findIndex((row) => row.name === name.toLowerCase());
      if (options.type < 0) {
        reply.error(`ERR unknown type name '${name}'`);
        return null;
      }
    } else {
      reply.error(scanOptionError(args, i));
      return null;
    }
  }
  return options;
}

function scanOptionError(args: Args, index: number): string {
  if (args.is(index, "NOVALUES")) return "ERR NOVALUES option can only be used in HSCAN";
  if (args.is(index, "NOSCORES")) return "ERR NOSCORES option can only be used in ZSCAN";
  return errors.SYNTAX;
}

function isWanted(arena: Arena, record: number, args: Args, options: ScanOptions): boolean {
  if (options.type !== ANY_TYPE && typeOf(metaOf(arena, record)) !== options.type) return false;
  return options.pattern === 0 || matches(arena, record, args, options.pattern);
}

/** Whether the key has expired: removes it then, where the server may. */
function isExpired(db: Database, arena: Arena, record: number): boolean {
  if ((metaOf(arena, record) & Meta.EXPIRY) === 0 || !db.isDue(record)) return false;
  db.findRecord(record);
  return db.expireFound(record);
}

/** RANDOMKEY */
function randomkeyCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { db, keyspace, prng } = ctx;
  const { arena } = keyspace;
  // Where all keys expire and none may be removed, an expired one is named rather than none ever.
  const triesMax =
    db.index.size === db.volatile.size && !keyspace.mayExpire ? RANDOM_TRIES : Infinity;
  for (let tries = 1; db.index.size > 0;) {
    const record = db.index.entryAtRandom(prng.nextUint32(), prng.nextUint32());
    if (record === 0) continue;
    if (tries < triesMax && isExpired(db, arena, record)) {
      tries++;
      continue;
    }
    replyKey(arena, record, reply);
    return;
  }
  reply.nil();
}

/** Whether argument `index` is the pattern that every key matches, the empty one too. */
function matchesAll(args: Args, index: number): boolean {
  return args.lengthOf(index) === 1 && args.bytes[args.start[index]] === 42;
}

function matches(arena: Arena, record: number, args: Args, pattern: number): boolean {
  const view = viewOf(arena, record);
  const from = keyStart(view, record);
  return globMatch(
    args.bytes,
    args.start[pattern],
    args.end[pattern],
    arena.bytes[record >>> Ref.SEGMENT_SHIFT],
    from,
    from + keyLength(view, record),
    false,
  );
}

function replyKey(arena: Arena, record: number, reply: ReplyWriter): void {
  const view = viewOf(arena, record);
  reply.bulk(view, keyStart(view, record), keyLength(view, record));
}
