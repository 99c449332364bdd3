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
  const size = hashes.visibleLength();
  if (size === 0) {
    if (hasCount) reply.array(0);
    else reply.nil();
    return;
  }
  if (!hasCount) {
    hashes.pickRandom(ctx.prng);
    replyEntry(reply, hashes.field);
    return;
  }
  const count = given < 0 ? -given : Math.min(given, size);
  reply.array(withValues && !reply.resp3 ? count * 2 : count);
  if (given < 0) {
    for (let i = 0; i < count && !reply.overflowed; i++) {
      hashes.pickRandom(ctx.prng);
      replyField(hashes, withValues, reply);
    }
  } else if (hashes.isIndexed && count * DRAW_FACTOR <= size) {
    drawDistinct(hashes, ctx.prng, count, withValues, reply);
  } else sampleFields(hashes, ctx.prng, size, count, withValues, reply);
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

/** Replies `count` fields drawn at random, each once. */
function drawDistinct(
  hashes: Hashes,
  prng: Prng,
  count: number,
  withValues: boolean,
  reply: ReplyWriter,
): void {
  const drawn = new Set<number>();
  while (drawn.size < count) {
    const entry = hashes.randomEntry(prng);
    if (drawn.has(entry)) continue;
    hashes.loadEntry(entry);
    if (!hashes.isVisible()) continue;
    drawn.add(entry);
    replyField(hashes, withValues, reply);
  }
}
