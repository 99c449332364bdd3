/** HRANDFIELD: random fields of hashes, each choice uniform, as set-random.ts does with members. */
import { parseInt64 } from "../base/integer.ts";
import type { Prng } from "../base/prng.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Hashes } from "../types/hash.ts";
import type { CommandContext } from "./context.ts";
import { openHash } from "./hash-value.ts";
import { replyEntry } from "./listpack-reply.ts";
import { randomCount } from "./random-count.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";

/** Fields are drawn until they differ while they are less than a third of the hash. */
const DRAW_FACTOR = 3;
/** So many draws are made before all fields are looked at: see `drawDistinct`. */
const DRAWS_MIN = 64;
const DRAWS_PER_FIELD = 8;
/** With values the reply has twice as many elements, which must be countable too. */
const PAIRS_MAX = 2n ** 62n - 1n;

export const hashRandomCommands: readonly CommandSpec[] = [
  {
    name: "hrandfield",
    arity: -2,
    flags: Flag.READONLY,
    acl: Acl.HASH,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output"],
    run: hrandfieldCommand,
  },
];

/** HRANDFIELD key [count [WITHVALUES]] */
function hrandfieldCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const hasCount = args.count > 2;
  const withValues = args.count > 3;
  const given = hasCount ? randomCount(args, 2, reply) : 1;
  if (given !== given) return;
  if (args.count > 4 || (withValues && !args.is(3, "WITHVALUES"))) {
    reply.error(errors.SYNTAX);
    return;
  }
  if (withValues && !isPairCount(args)) {
    reply.error("ERR value is out of range");
    return;
  }
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    if (hasCount) reply.array(0);
    else reply.nil();
    return;
  }
  if (!openHash(ctx, record, reply)) return;
  const { hashes } = ctx.keyspace;
  if (given < 0 || !hasCount) {
    if (hashes.hasVisible(ctx.prng))
      replyAny(hashes, ctx.prng, hasCount ? -given : 0, withValues, reply);
    else if (hasCount) reply.array(0);
    else reply.nil();
    return;
  }
  const isFew = hashes.isIndexed && given * DRAW_FACTOR <= hashes.length;
  const drawn = isFew ? drawDistinct(hashes, ctx.prng, given) : null;
  const size = drawn === null ? hashes.visibleLength() : given;
  const count = Math.min(given, size);
  reply.array(withValues && !reply.resp3 ? count * 2 : count);
  if (drawn === null) {
    sampleFields(hashes, ctx.prng, size, count, withValues, reply);
    return;
  }
  for (const entry of drawn) {
    hashes.loadEntry(entry);
    replyField(hashes, withValues, reply);
  }
}

/** Replies `count` fields of which each may be any, or, of count 0, one that stands alone. */
function replyAny(
  hashes: Hashes,
  prng: Prng,
  count: number,
  withValues: boolean,
  reply: ReplyWriter,
): void {
  if (count === 0) {
    hashes.pickRandom(prng);
    replyEntry(reply, hashes.field);
    return;
  }
  reply.array(withValues && !reply.resp3 ? count * 2 : count);
  for (let i = 0; i < count && !reply.overflowed; i++) {
    hashes.pickRandom(prng);
    replyField(hashes, withValues, reply);
  }
}

function isPairCount(args: Args): boolean {
  const count = parseInt64(args.bytes, args.start[2], args.end[2]) ?? 0n;
  return count >= -PAIRS_MAX && count <= PAIRS_MAX;
}

/** The field at the cursor; with its value a pair, which is an array of its own in RESP3. */
function replyField(hashes: Hashes, withValues: boolean, reply: ReplyWriter): void {
  if (withValues && reply.resp3) reply.array(2);
  replyEntry(reply, hashes.field);
  if (withValues) replyEntry(reply, hashes.value);
}

/** Replies `count` fields of one walk: the next of `left` is taken with chance wanted / left. */
function sampleFields(
  hashes: Hashes,
  prng: Prng,
  size: number,
  count: number,
  withValues: boolean,
  reply: ReplyWriter,
): void {
  let wanted = count;
  hashes.startWalk();
  for (let left = size; wanted > 0 && hashes.next(); left--) {
    if (prng.nextBelow(left) >= wanted) continue;
    replyField(hashes, withValues, reply);
    wanted--;
  }
}

/**
 * `count` different entries drawn at random from a TABLE; null where so many have expired that the
 * draws hardly ever hit, or that there are not enough.
 */
function drawDistinct(hashes: Hashes, prng: Prng, count: number): Set<number> | null {
  const drawn = new Set<number>();
  for (let draws = DRAWS_MIN + DRAWS_PER_FIELD * count; drawn.size < count; draws--) {
    if (draws === 0) return null;
    const entry = hashes.randomEntry(prng);
    if (drawn.has(entry)) continue;
    hashes.loadEntry(entry);
    if (hashes.isVisible()) drawn.add(entry);
  }
  return drawn;
}
