/**
 * Intersections, unions and differences of sets.
 *
 * A result that is stored has the encoding that Valkey gives it: it depends on the order of work
 * there, which is therefore the same here.
 */
import { isInt64 } from "../base/int64.ts";
import { parseInt64 } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { ReplyType, type ReplyWriter } from "../protocol/reply-writer.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import { SetEncoding } from "../types/set.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { replyEntry } from "./listpack-reply.ts";
import { attachSet } from "./set-value.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, keyRange } from "./spec.ts";

const UNORDERED = ["nondeterministic_output_order"];

export const setAlgebraCommands: readonly CommandSpec[] = [
  {
    name: "sinter",
    arity: -2,
    flags: Flag.READONLY,
    acl: Acl.SET,
    keys: keyRange("RO access"),
    tips: UNORDERED,
    run: (ctx, args, reply) => intersect(ctx, args, reply, 1, 0),
  },
  {
    name: "sinterstore",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.SET,
    keys: targetAndSources(),
    run: (ctx, args, reply) => intersect(ctx, args, reply, 2, 1),
  },
  {
    name: "sintercard",
    arity: -3,
    flags: Flag.READONLY | Flag.MOVABLE_KEYS,
    acl: Acl.SET,
    keys: [
      {
        flags: "RO access",
        begin: { index: 1 },
        find: { countAt: 0, first: 1, step: 1 },
      },
    ],
    run: sintercardCommand,
  },
  {
    name: "sunion",
    arity: -2,
    flags: Flag.READONLY,
    acl: Acl.SET,
    keys: keyRange("RO access"),
    tips: UNORDERED,
    run: (ctx, args, reply) => combine(ctx, args, reply, "sunion", 1, 0),
  },
  {
    name: "sunionstore",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.SET,
    keys: targetAndSources(),
    run: (ctx, args, reply) => combine(ctx, args, reply, "sunion", 2, 1),
  },
  {
    name: "sdiff",
    arity: -2,
    flags: Flag.READONLY,
    acl: Acl.SET,
    keys: keyRange("RO access"),
    tips: UNORDERED,
    run: (ctx, args, reply) => combine(ctx, args, reply, "sdiff", 1, 0),
  },
  {
    name: "sdiffstore",
    arity: -3,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.SET,
    keys: targetAndSources(),
    run: (ctx, args, reply) => combine(ctx, args, reply, "sdiff", 2, 1),
  },
];

/** A source: its record (0 = a missing key) and its count of members. */
interface Source {
  readonly record: number;
  readonly length: number;
}

function targetAndSources(): readonly KeySpec[] {
  return [
    { flags: "OW update", begin: { index: 1 }, find: { last: 0, step: 1, limit: 0 } },
    { flags: "RO access", begin: { index: 2 }, find: { last: -1, step: 1, limit: 0 } },
  ];
}

/** The sets of the keys at arguments [from, to); null after an error reply. */
function sourcesOf(
  ctx: CommandContext,
  args: Args,
  from: number,
  to: number,
  reply: ReplyWriter,
): Source[] | null {
  const sources: Source[] = [];
  const { sets } = ctx.keyspace;
  for (let i = from; i < to; i++) {
    const record = ctx.db.lookupRead(args.view, args.start[i], args.end[i]);
    if (record === 0) {
      sources.push({ record, length: 0 });
      continue;
    }
    if (!checkType(ctx, record, ValueType.SET, reply)) return null;
    attachSet(ctx, sets, record);
    sources.push({ record, length: sets.length });
  }
  return sources;
}

/** SINTERCARD numkeys key [key ...] [LIMIT limit] */
function sintercardCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const given = parseInt64(args.bytes, args.start[1], args.end[1]);
  if (given === null || given < 1) {
    reply.error("ERR numkeys should be greater than 0");
    return;
  }
  if (given > args.count - 2) {
    reply.error("ERR Number of keys can't be greater than number of args");
    return;
  }
  const to = 2 + Number(given);
  let limit = 0;
  for (let i = to; i < args.count; i++) {
    if (!args.is(i, "LIMIT") || i + 1 === args.count) {
      reply.error(errors.SYNTAX);
      return;
    }
    i++;
    const givenLimit = parseInt64(args.bytes, args.start[i], args.end[i]);
    if (givenLimit === null || givenLimit < 0) {
      reply.error("ERR LIMIT can't be negative");
      return;
    }
    limit = Number(givenLimit);
  }
  const sources = sourcesOf(ctx, args, 2, to, reply);
  if (sources === null) return;
  let count = 0;
  eachInAll(ctx, sources, () => ++count !== limit);
  reply.integer(count);
}

/** SINTER from argument `from` on; with `target` not 0 stored at the key at that argument. */
function intersect(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  from: number,
  target: number,
): void {
  const sources = sourcesOf(ctx, args, from, args.count, reply);
  if (sources === null) return;
  if (target === 0) {
    const mark = reply.deferLength();
    let count = 0;
    eachInAll(ctx, sources, (member) => {
      replyEntry(reply, member);
      count++;
      return true;
    });
    reply.setDeferred(mark, ReplyType.SET, count);
    return;
  }
  const { newSets, sets } = ctx.keyspace;
  const first = smallestOf(sources);
  if (first.length > 0) attachSet(ctx, sets, first.record);
  newSets.create(
    first.length > 0 && sets.encoding === SetEncoding.INTSET
      ? SetEncoding.INTSET
      : SetEncoding.LISTPACK,
  );
  let hasOnlyIntegers = true;
  eachInAll(ctx, sources, (member) => {
    hasOnlyIntegers = hasOnlyIntegers && isInteger(member);
    newSets.addEntry(member);
    return true;
  });
  if (hasOnlyIntegers && newSets.length > 0) newSets.shrinkToIntset();
  storeNewSet(ctx, args, target, "sinterstore", reply);
}

function smallestOf(sources: readonly Source[]): Source {
  return sources.reduce((least, source) => (source.length < least.length ? source : least));
}

/** Calls `visit` with each member that all sources have, until it returns false. */
function eachInAll(
  ctx: CommandContext,
  sources: readonly Source[],
  visit: (member: ListpackEntry) => boolean,
): void {
  if (sources.some((source) => source.record === 0)) return;
  const { sets } = ctx.keyspace;
  // The smallest first: a member that is missing is found to be soon.
  const [first, ...others] = sources.toSorted((a, b) => a.length - b.length);
  const rest = others.filter((source) => source.record !== first.record);
  attachSet(ctx, sets, first.record);
  const probe = new Probe(ctx, rest);
  sets.startWalk();
  while (sets.next()) if (probe.allHave(sets.member) && !visit(sets.member)) return;
}

/** Looks members up in some sets in turn, and attaches only when the set is another one. */
class Probe {
  private attached = 0;

  constructor(
    private readonly ctx: CommandContext,
    private readonly sources: readonly Source[],
  ) {}

  allHave(member: ListpackEntry): boolean {
    for (const { record } of this.sources) if (!this.has(record, member)) return false;
    return true;
  }

  anyHas(member: ListpackEntry): boolean {
    for (const { record } of this.sources) if (this.has(record, member)) return true;
    return false;
  }

  private has(record: number, member: ListpackEntry): boolean {
    const { otherSets } = this.ctx.keyspace;
    if (record !== this.attached) {
      attachSet(this.ctx, otherSets, record);
      this.attached = record;
    }
    return otherSets.hasEntry(member);
  }
}

/** SUNION or SDIFF from argument `from` on; with `target` not 0 stored at that key. */
function combine(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  operation: "sunion" | "sdiff",
  from: number,
  target: number,
): void {
  const sources = sourcesOf(ctx, args, from, args.count, reply);
  if (sources === null) return;
  const { newSets, sets } = ctx.keyspace;
  let areIntsets = true;
  for (const { record } of sources) {
    if (record === 0) continue;
    attachSet(ctx, sets, record);
    areIntsets = areIntsets && sets.encoding === SetEncoding.INTSET;
  }
  const largest = sources.reduce((most, { length }) => Math.max(most, length), 0);
  const { integersMax, entriesMax } = ctx.keyspace.setLimits;
  // A union is at least as large as each source: if one is too large, it becomes a TABLE anyway.
  const isLarge = operation === "sunion" && largest > Math.max(integersMax, entriesMax);
  const growsUp = areIntsets || (target !== 0 && !isLarge);
  newSets.create(growsUp ? SetEncoding.INTSET : SetEncoding.TABLE);
  if (isLarge) newSets.expect(largest);
  if (operation === "sunion") addAll(ctx, sources);
  else subtract(ctx, sources);
  if (target !== 0) {
    storeNewSet(ctx, args, target, `${operation}store`, reply);
    return;
  }
  reply.set(newSets.length);
  newSets.startWalk();
  while (newSets.next()) replyEntry(reply, newSets.member);
  ctx.keyspace.lazyFree.release(ValueType.SET, newSets.root, newSets.encoding);
}

/** Adds the members of all sources to the new set. */
function addAll(ctx: CommandContext, sources: readonly Source[]): void {
  const { newSets, sets } = ctx.keyspace;
  for (const { record } of sources) {
    if (record === 0) continue;
    attachSet(ctx, sets, record);
    sets.startWalk();
    while (sets.next()) newSets.addEntry(sets.member);
  }
}

/**
 * Adds the members that only the first source has to the new set: by looking each up in the
 * others, or by adding all and removing the others', whichever promises less work.
 */
function subtract(ctx: CommandContext, sources: readonly Source[]): void {
  const [first, ...others] = sources;
  if (first.record === 0 || others.some((source) => source.record === first.record)) return;
  const present = others.filter((source) => source.record !== 0);
  const lookups = (first.length * (present.length + 1)) / 2;
  const changes = sources.reduce((sum, source) => sum + source.length, 0);
  if (Math.floor(lookups) > changes) {
    subtractByRemoval(ctx, first, present);
    return;
  }
  const { newSets, sets } = ctx.keyspace;
  const rest = present.toSorted((a, b) => b.length - a.length);
  const probe = new Probe(ctx, rest);
  attachSet(ctx, sets, first.record);
  sets.startWalk();
  while (sets.next()) if (!probe.anyHas(sets.member)) newSets.addEntry(sets.member);
}

function subtractByRemoval(ctx: CommandContext, first: Source, others: readonly Source[]): void {
  const { newSets, sets } = ctx.keyspace;
  addAll(ctx, [first]);
  for (const { record } of others) {
    if (newSets.length === 0) return;
    attachSet(ctx, sets, record);
    sets.startWalk();
    while (sets.next()) newSets.removeEntry(sets.member);
  }
}

/** Stores the new set at the key of argument `target`, or deletes the key if the set is empty. */
function storeNewSet(
  ctx: CommandContext,
  args: Args,
  target: number,
  event: string,
  reply: ReplyWriter,
): void {
  const { view } = args;
  const from = args.start[target];
  const to = args.end[target];
  const { db } = ctx;
  const { newSets } = ctx.keyspace;
  const record = db.lookupWrite(view, from, to);
  const count = newSets.length;
  if (count > 0) {
    const { encoding, root } = newSets;
    db.replaceWithRoot(record, view, from, to, ValueType.SET, encoding, root);
    db.changed(NotifyClass.SET, event, view, from, to);
  } else {
    newSets.free();
    if (record !== 0) {
      db.removeFound(record);
      db.changed(NotifyClass.GENERIC, "del", view, from, to);
    }
  }
  reply.integer(count);
}

function isInteger(member: ListpackEntry): boolean {
  if (member.isInteger) return true;
  return isInt64(member.view, member.start, member.start + member.length);
}
