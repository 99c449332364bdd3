/**
 * Places in sorted sets: GEOADD, GEOPOS, GEODIST, GEOHASH. Searching is in geo-search.ts.
 * Documentation: the "Geospatial" group of Redis's command reference.
 *
 * A member's score is the number of its place (base/geohash.ts), so that all sorted set commands
 * work on such sets too.
 */
import { bytesFromAscii } from "../base/ascii.ts";
import { distanceOf, geohashText, scoreOfPlace } from "../base/geohash.ts";
import { ValueType } from "../keyspace/record.ts";
import { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { SortedSets } from "../types/zset.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import {
  placeArgument,
  placeOfMember,
  replyDistance,
  replyPlace,
  unitArgument,
} from "./geo-value.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { zsetOf } from "./zset-value.ts";
import { Zadd, zaddPairs } from "./zset.ts";

export const geoCommands: readonly CommandSpec[] = [
  {
    name: "geoadd",
    arity: -5,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.GEO,
    keys: oneKey("RW update"),
    run: geoaddCommand,
  },
  readRow("geopos", -2, geoposCommand),
  readRow("geodist", -4, geodistCommand),
  readRow("geohash", -2, geohashCommand),
];

function readRow(name: string, arity: number, run: CommandSpec["run"]): CommandSpec {
  return { name, arity, flags: Flag.READONLY, acl: Acl.GEO, keys: oneKey("RO access"), run };
}

/** GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...] */
function geoaddCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let flags: number = Zadd.NONE;
  let first = 2;
  for (; first < args.count; first++) {
    if (args.is(first, "NX")) flags |= Zadd.NX;
    else if (args.is(first, "XX")) flags |= Zadd.XX;
    else if (args.is(first, "CH")) flags |= Zadd.CH;
    else break;
  }
  const isContradictory = (flags & Zadd.NX) !== 0 && (flags & Zadd.XX) !== 0;
  if ((args.count - first) % 3 !== 0 || isContradictory) {
    reply.error(errors.SYNTAX);
    return;
  }
  const parts = [args.copy(0), args.copy(1)];
  for (let i = first; i < args.count; i += 3) {
    const place = placeArgument(args, i, reply);
    if (place === null) return;
    parts.push(bytesFromAscii(String(scoreOfPlace(place))), args.copy(i + 2));
  }
  const pairs = new Args();
  pairs.assign(parts);
  const { effects, keyspace } = ctx;
  const dirtyBefore = keyspace.dirty;
  zaddPairs(ctx, pairs, reply, flags, 2);
  if (effects.isOn && keyspace.dirty !== dirtyBefore) {
    effects.begin(first + pairs.count - 2).text("ZADD");
    effects.arguments(args, 1, first).arguments(pairs, 2, pairs.count);
  }
}

/** GEOPOS key [member [member ...]] */
function geoposCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  eachMember(ctx, args, reply, (zset, index) => {
    const place = zset === null ? null : placeOfMember(zset, args, index);
    if (place === null) reply.nilArray();
    else replyPlace(reply, place);
  });
}

/** GEOHASH key [member [member ...]] */
function geohashCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  eachMember(ctx, args, reply, (zset, index) => {
    const place = zset === null ? null : placeOfMember(zset, args, index);
    if (place === null) reply.nil();
    else reply.bulkText(geohashText(place));
  });
}

/** Begins an array with an element for each argument from 2 on; a missing key is null. */
function eachMember(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  write: (zset: SortedSets | null, index: number) => void,
): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = record === 0 ? null : zsetOf(ctx, record);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) write(zset, i);
}

/** GEODIST key member1 member2 [M | KM | FT | MI] */
function geodistCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 5) {
    reply.error(errors.SYNTAX);
    return;
  }
  const unit = args.count === 5 ? unitArgument(args, 4, reply) : 1;
  if (Number.isNaN(unit)) return;
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  if (!checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = zsetOf(ctx, record);
  const from = placeOfMember(zset, args, 2);
  const to = placeOfMember(zset, args, 3);
  if (from === null || to === null) reply.nil();
  else replyDistance(reply, distanceOf(from, to) / unit);
}
