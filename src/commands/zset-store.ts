/**
 * Unions, intersections and differences of sorted sets and sets: ZUNION, ZINTER, ZDIFF, with STORE
 * to keep the result, and ZINTERCARD, which only counts it. The members of a set have the score 1.
 *
 * Inputs are walked with `otherZsets` and looked into with `zsets` of the keyspace. The result
 * grows as a tree; a small one that is stored becomes a listpack at the end, as in Valkey.
 */
import { ValueType, encodingOf, metaOf, rootOf, typeOf, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import type { SortedSets } from "../types/zset.ts";
import { doubleArgument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, oneKey } from "./spec.ts";
import { offsetArgument } from "./string-value.ts";
import { replyMemberCount, replyMemberWith, storeZset } from "./zset-value.ts";

type Operation = "union" | "inter" | "diff";
type Aggregate = (sum: number, score: number) => number;

export const zsetStoreCommands: readonly CommandSpec[] = [
  readRow("zunion", (ctx, args, reply) => combine(ctx, args, reply, "union")),
  readRow("zinter", (ctx, args, reply) => combine(ctx, args, reply, "inter")),
  readRow("zdiff", (ctx, args, reply) => combine(ctx, args, reply, "diff")),
  readRow("zintercard", zintercardCommand),
  storeRow("zunionstore", "union"),
  storeRow("zinterstore", "inter"),
  storeRow("zdiffstore", "diff"),
];

/** Keys behind their count, which is argument `index`. */
function countedKeys(index: number): KeySpec {
  return { flags: "RO access", begin: { index }, find: { countAt: 0, first: 1, step: 1 } };
}

function readRow(name: string, run: CommandSpec["run"]): CommandSpec {
  return {
    name,
    arity: -3,
    flags: Flag.READONLY | Flag.MOVABLE_KEYS,
    acl: Acl.SORTED_SET,
    keys: [countedKeys(1)],
    run,
  };
}

function storeRow(name: string, operation: Operation): CommandSpec {
  return {
    name,
    arity: -4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.MOVABLE_KEYS,
    acl: Acl.SORTED_SET,
    keys: [oneKey("OW update")[0], countedKeys(2)],
    run: (ctx, args, reply) => combineAndStore(ctx, args, reply, operation, name),
  };
}

/** One of the keys that are combined. */
interface Source {
  readonly isSet: boolean;
  readonly root: number;
  readonly encoding: number;
  /** Members; 0 if the key is missing. */
  readonly length: number;
  weight: number;
}

/** What the arguments say. */
interface Request {
  readonly sources: Source[];
  aggregate: Aggregate;
  withScores: boolean;
  /** Of ZINTERCARD: 0 = count all. */
  limit: number;
}

const AGGREGATES: readonly (readonly [string, Aggregate])[] = [
  // Infinities of both signs add up to 0.
  ["SUM", (sum, score) => zeroIfNaN(sum + score)],
  ["MIN", (least, score) => (score < least ? score : least)],
  ["MAX", (greatest, score) => (score > greatest ? score : greatest)],
];

/**
 * ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
 * ZINTER likewise; ZDIFF numkeys key [key ...] [WITHSCORES]
 */
function combine(ctx: CommandContext, args: Args, reply: ReplyWriter, operation: Operation): void {
  const request = readRequest(ctx, args, reply, 1, {
    name: `z${operation}`,
    weighs: operation !== "diff",
    mayHaveScores: true,
    mayHaveLimit: false,
  });
  if (request === null) return;
  const { zset } = resultOf(ctx, request, operation);
  const count = zset.length;
  replyMemberCount(reply, count, request.withScores);
  if (count > 0) zset.seek(0);
  for (let i = 0; i < count; i++) {
    replyMemberWith(reply, zset, request.withScores);
    zset.next();
  }
  zset.free();
}

/** As `combine`, with the key that keeps the result before numkeys, and without WITHSCORES. */
function combineAndStore(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  operation: Operation,
  name: string,
): void {
  const request = readRequest(ctx, args, reply, 2, {
    name,
    weighs: operation !== "diff",
    mayHaveScores: false,
    mayHaveLimit: false,
  });
  if (request === null) return;
  const { zset, bytesMax, bytesTotal } = resultOf(ctx, request, operation);
  if (zset.length > 0) zset.shrink(bytesMax, bytesTotal);
  storeZset(ctx, args, 1, zset, name, reply);
}

/** ZINTERCARD numkeys key [key ...] [LIMIT limit] */
function zintercardCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const request = readRequest(ctx, args, reply, 1, {
    name: "zintercard",
    weighs: false,
    mayHaveScores: false,
    mayHaveLimit: true,
  });
  if (request === null) return;
  const [first, ...others] = bySize(request.sources);
  let count = 0;
  eachMember(ctx, first, (member) => {
    if (others.some((source) => Number.isNaN(scoreIn(ctx, source, member)))) return true;
    count++;
    return count !== request.limit;
  });
  reply.integer(count);
}

interface Allowed {
  readonly name: string;
  readonly weighs: boolean;
  readonly mayHaveScores: boolean;
  readonly mayHaveLimit: boolean;
}

/** Reads keys, whose count is argument `countIndex`, and options; null after an error reply. */
function readRequest(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  countIndex: number,
  allowed: Allowed,
): Request | null {
  const count = offsetArgument(args, countIndex, reply);
  if (Number.isNaN(count)) return null;
  if (count < 1) {
    reply.error(`ERR at least 1 input key is needed for '${allowed.name}' command`);
    return null;
  }
  if (count > args.count - countIndex - 1) {
    reply.error(errors.SYNTAX);
    return null;
  }
  const sources: Source[] = [];
  for (let i = countIndex + 1; i <= countIndex + count; i++) {
    const source = readSource(ctx, args, i);
    if (source === null) {
      reply.error(errors.WRONG_TYPE);
      return null;
    }
    sources.push(source);
  }
  const request: Request = { sources, aggregate: AGGREGATES[0][1], withScores: false, limit: 0 };
  return readOptions(args, countIndex + count + 1, reply, request, allowed) ? request : null;
}

/** The sorted set or set at argument `index`, an empty one if it is missing; null for other types. */
function readSource(ctx: CommandContext, args: Args, index: number): Source | null {
  const { arena, zsets, sets } = ctx.keyspace;
  const record = ctx.db.lookupRead(args.view, args.start[index], args.end[index]);
  if (record === 0) return { isSet: false, root: 0, encoding: 0, length: 0, weight: 1 };
  const meta = metaOf(arena, record);
  const type = typeOf(meta);
  if (type !== ValueType.ZSET && type !== ValueType.SET) return null;
  const isSet = type === ValueType.SET;
  const root = rootOf(viewOf(arena, record), record, meta);
  const encoding = encodingOf(meta);
  const values = isSet ? sets : zsets;
  values.attach(root, encoding);
  return { isSet, root, encoding, length: values.length, weight: 1 };
}

function readOptions(
  args: Args,
  first: number,
  reply: ReplyWriter,
  request: Request,
  allowed: Allowed,
): boolean {
  const { sources } = request;
  for (let i = first; i < args.count; i++) {
    const left = args.count - i;
    if (allowed.weighs && left > sources.length && args.is(i, "WEIGHTS")) {
      for (const source of sources) {
        source.weight = doubleArgument(args, ++i, reply, "ERR weight value is not a float");
        if (Number.isNaN(source.weight)) return false;
      }
    } else if (allowed.weighs && left >= 2 && args.is(i, "AGGREGATE")) {
      i++;
      const aggregate = AGGREGATES.find(([word]) => args.is(i, word));
      if (aggregate === undefined) {
        reply.error(errors.SYNTAX);
        return false;
      }
      request.aggregate = aggregate[1];
    } else if (allowed.mayHaveScores && args.is(i, "WITHSCORES")) request.withScores = true;
    else if (allowed.mayHaveLimit && left >= 2 && args.is(i, "LIMIT")) {
      request.limit = offsetArgument(args, ++i, reply, "ERR LIMIT can't be negative");
      if (Number.isNaN(request.limit)) return false;
      if (request.limit < 0) {
        reply.error("ERR LIMIT can't be negative");
        return false;
      }
    } else {
      reply.error(errors.SYNTAX);
      return false;
    }
  }
  return true;
}

/** A new sorted set, with the length of its longest member and of all together. */
interface Result {
  readonly zset: SortedSets;
  bytesMax: number;
  bytesTotal: number;
}

function resultOf(ctx: CommandContext, request: Request, operation: Operation): Result {
  const zset = ctx.keyspace.newZsets;
  zset.createTree();
  const result: Result = { zset, bytesMax: 0, bytesTotal: 0 };
  if (operation === "union") unite(ctx, request, result);
  else if (operation === "inter") intersect(ctx, request, result);
  else subtract(ctx, request, result);
  return result;
}

/** The sums of doubles depend on their order: as in Valkey, small inputs come first. */
function unite(ctx: CommandContext, request: Request, result: Result): void {
  const { zset } = result;
  const sources = bySize(request.sources);
  zset.expect(sources.at(-1)?.length ?? 0);
  for (const source of sources) {
    eachMember(ctx, source, (member, score) => {
      const weighted = zeroIfNaN(score * source.weight);
      if (zset.findEntry(member)) {
        const sum = request.aggregate(zset.score, weighted);
        if (!Object.is(sum, zset.score)) zset.changeScoreOfEntry(sum);
      } else addMember(result, member, weighted);
      return true;
    });
  }
}

function intersect(ctx: CommandContext, request: Request, result: Result): void {
  const [first, ...others] = bySize(request.sources);
  eachMember(ctx, first, (member, score) => {
    let sum = zeroIfNaN(score * first.weight);
    for (const source of others) {
      const other = scoreIn(ctx, source, member);
      if (Number.isNaN(other)) return true;
      sum = request.aggregate(sum, other * source.weight);
    }
    addMember(result, member, sum);
    return true;
  });
}

function subtract(ctx: CommandContext, request: Request, result: Result): void {
  const [first, ...others] = request.sources;
  // The largest first: it is the likeliest to have a member.
  const subtracted = bySize(others).reverse();
  eachMember(ctx, first, (member, score) => {
    if (subtracted.some((source) => !Number.isNaN(scoreIn(ctx, source, member)))) return true;
    addMember(result, member, score);
    return true;
  });
}

function addMember(result: Result, member: ListpackEntry, score: number): void {
  const length = member.textLength();
  result.bytesMax = Math.max(result.bytesMax, length);
  result.bytesTotal += length;
  result.zset.addEntry(member, score);
}

/** Sources by their number of members, equal ones in the order given. */
function bySize(sources: readonly Source[]): Source[] {
  return sources.toSorted((a, b) => a.length - b.length);
}

/** Calls `visit` with each member and its score until it returns false. */
function eachMember(
  ctx: CommandContext,
  source: Source,
  visit: (member: ListpackEntry, score: number) => boolean,
): void {
  if (source.length === 0) return;
  if (source.isSet) {
    const { sets } = ctx.keyspace;
    sets.attach(source.root, source.encoding);
    sets.startWalk();
    while (sets.next() && visit(sets.member, 1));
    return;
  }
  const zset = ctx.keyspace.otherZsets;
  zset.attach(source.root, source.encoding);
  zset.startWalk();
  while (zset.next() && visit(zset.member, zset.score));
}

/** The score of a member of another source, or NaN if it is not there. */
function scoreIn(ctx: CommandContext, source: Source, member: ListpackEntry): number {
  if (source.length === 0) return NaN;
  const { zsets, otherSets } = ctx.keyspace;
  if (source.isSet) {
    otherSets.attach(source.root, source.encoding);
    return otherSets.hasEntry(member) ? 1 : NaN;
  }
  if (zsets.root !== source.root) zsets.attach(source.root, source.encoding);
  return zsets.findEntry(member) ? zsets.score : NaN;
}

function zeroIfNaN(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}
