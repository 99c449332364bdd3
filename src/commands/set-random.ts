// HOT PATH: rules in src/README.md
/**
 * Random members of sets: SPOP and SRANDMEMBER. Each choice is uniform; several distinct members
 * are chosen in one walk (selection sampling) where that is cheaper than drawing until they differ.
 */
import type { Prng } from "../base/prng.ts";
import { parseInt64 } from "../base/integer.ts";
import { membersRemoved } from "./member-removal.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { SetEncoding, type Sets } from "../types/set.ts";
import type { CommandContext } from "./context.ts";
import { replyEntry } from "./listpack-reply.ts";
import { randomCount } from "./random-count.ts";
import { openSet, settleSet } from "./set-value.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";

/** SPOP draws members one by one while what remains is more than a fifth of what goes. */
const POP_KEEP_FACTOR = 5;
/** Members of one SREM that SPOP propagates as. */
const SREM_MEMBERS_MAX = 1024;
/** SRANDMEMBER draws until members differ while they are less than a third of the set. */
const DRAW_FACTOR = 3;

export const setRandomCommands: readonly CommandSpec[] = [
  {
    name: "spop",
    arity: -2,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.SET,
    keys: oneKey("RW access delete"),
    tips: ["nondeterministic_output"],
    run: spopCommand,
  },
  {
    name: "srandmember",
    arity: -2,
    flags: Flag.READONLY,
    acl: Acl.SET,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output"],
    run: srandmemberCommand,
  },
];

/** SPOP key [count] */
function spopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  if (args.count > 2) {
    if (args.count === 3) spopCount(ctx, args, reply);
    else reply.error(errors.SYNTAX);
    return;
  }
  const db = ctx.db;
  const sets = ctx.keyspace.sets;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  if (!openSet(ctx, record, reply)) return;
  sets.pickRandom(ctx.prng);
  replyEntry(reply, sets.member);
  if (ctx.effects.isOn) ctx.effects.begin(3).text("SREM").argument(args, 1).entry(sets.member);
  sets.removeEntry(sets.member);
  const isGone = settleSet(db, record, sets);
  membersRemoved(ctx, args, 1, NotifyClass.SET, "spop", 1, isGone);
}

function spopCount(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const db = ctx.db;
  const sets = ctx.keyspace.sets;
  const given = parseInt64(args.bytes, start[2], end[2]);
  if (given === null || given < 0) {
    reply.error("ERR value is out of range, must be positive");
    return;
  }
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record === 0) {
    reply.set(0);
    return;
  }
  if (!openSet(ctx, record, reply)) return;
  const size = sets.length;
  const count = Math.min(Number(given), size);
  reply.set(count);
  if (count === 0) return;
  if (count === size) {
    replyMembers(sets, reply);
    db.removeFound(record);
    if (ctx.effects.isOn) ctx.effects.deletes(args, 1, ctx.effects.unlinksReplaced);
  } else if ((size - count) * POP_KEEP_FACTOR > count) {
    for (let i = 0; i < count; i++) {
      sets.pickRandom(ctx.prng);
      replyEntry(reply, sets.member);
      if (ctx.effects.isOn) propagateTaken(ctx, args, i, count);
      sets.removeEntry(sets.member);
    }
    db.updateRoot(record, sets.encoding, sets.root);
  } else {
    keepRandom(ctx, size - count);
    replyMembers(sets, reply);
    if (ctx.effects.isOn) {
      sets.startWalk();
      for (let i = 0; sets.next(); i++) propagateTaken(ctx, args, i, count);
    }
    sets.free();
    const { newSets } = ctx.keyspace;
    db.updateRoot(record, newSets.encoding, newSets.root);
  }
  membersRemoved(ctx, args, 1, NotifyClass.SET, "spop", count, count === size);
}

/** Member `i` of `count` that SPOP takes propagates as an argument of SREM. */
function propagateTaken(ctx: CommandContext, args: Args, i: number, count: number): void {
  const { effects } = ctx;
  if (i % SREM_MEMBERS_MAX === 0) {
    effects.begin(2 + Math.min(SREM_MEMBERS_MAX, count - i));
    effects.text("SREM").argument(args, 1);
  }
  effects.entry(ctx.keyspace.sets.member);
}

/** Moves `count` random members of the attached set to a new one. */
function keepRandom(ctx: CommandContext, count: number): void {
  const { sets, newSets } = ctx.keyspace;
  const isIntset = sets.encoding === SetEncoding.INTSET;
  newSets.create(isIntset ? SetEncoding.INTSET : SetEncoding.LISTPACK);
  for (let i = 0; i < count; i++) {
    sets.pickRandom(ctx.prng);
    newSets.addEntry(sets.member);
    sets.removeEntry(sets.member);
  }
}

/** SRANDMEMBER key [count] */
function srandmemberCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const hasCount = args.count === 3;
  if (args.count > 3) {
    reply.error(errors.SYNTAX);
    return;
  }
  const given = hasCount ? randomCount(args, 2, reply) : 1;
  if (given !== given) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    if (hasCount) reply.array(0);
    else reply.nil();
    return;
  }
  if (!openSet(ctx, record, reply)) return;
  const sets = ctx.keyspace.sets;
  if (given < 0 || given === 1) {
    const count = Math.abs(given);
    if (hasCount) reply.array(count);
    for (let i = 0; i < count && !reply.overflowed; i++) {
      sets.pickRandom(ctx.prng);
      replyEntry(reply, sets.member);
    }
    return;
  }
  const size = sets.length;
  const count = Math.min(given, size);
  reply.array(count);
  if (count === size) replyMembers(sets, reply);
  else if (sets.isIndexed && count * DRAW_FACTOR <= size)
    drawDistinct(sets, ctx.prng, count, reply);
  else sampleMembers(sets, ctx.prng, count, reply);
}

function replyMembers(sets: Sets, reply: ReplyWriter): void {
  sets.startWalk();
  while (sets.next()) replyEntry(reply, sets.member);
}

/** Replies `count` members of one walk: the next of `left` is taken with chance wanted / left. */
function sampleMembers(sets: Sets, prng: Prng, count: number, reply: ReplyWriter): void {
  let wanted = count;
  sets.startWalk();
  for (let left = sets.length; wanted > 0 && sets.next(); left--) {
    if (prng.nextBelow(left) >= wanted) continue;
    replyEntry(reply, sets.member);
    wanted--;
  }
}

/**
 * Replies `count` members drawn at random, each once.
 * COLD: remembers what it has drawn.
 */
function drawDistinct(sets: Sets, prng: Prng, count: number, reply: ReplyWriter): void {
  const drawn = new Set<number>();
  while (drawn.size < count) {
    const entry = sets.randomEntry(prng);
    if (drawn.has(entry)) continue;
    drawn.add(entry);
    sets.loadEntry(entry);
    replyEntry(reply, sets.member);
  }
}
