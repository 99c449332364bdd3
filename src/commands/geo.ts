/**
 * Places in sorted sets: GEOADD, GEOPOS, GEODIST, GEOHASH. Searching is in geo-search.ts.
 * Documentation: the "Geospatial" group of Redis's command reference.
 *
 * A member's score is the number of its place (base/geohash.ts), so that all sorted set commands
 * work on such sets too.
 */
import { copyBytes } from "../base/bytes.ts";
import { DOUBLE_BYTES_MAX, writeDouble } from "../base/double.ts";
import { TEXT_BYTES, distanceOf, scoreOfPlace, writeGeohash } from "../base/geohash.ts";
import { ValueType } from "../keyspace/record.ts";
import { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
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
  if (!readPairs(args, first, reply)) return;
  const { effects, keyspace } = ctx;
  const dirtyBefore = keyspace.dirty;
  zaddPairs(ctx, pairs, reply, flags, 2);
  if (effects.isOn && keyspace.dirty !== dirtyBefore) {
    effects.begin(first + pairs.count - 2).text("ZADD");
    effects.arguments(args, 1, first).arguments(pairs, 2, pairs.count);
  }
}

/** The request as one of ZADD without options: command, key, scores and members. */
let pairs = new Args();
const PAIRS_BYTES_MIN = 1024;
const PAIRS_BYTES_KEPT = 65536;

/** Turns the places from argument `first` on into `pairs`; false after an error reply. */
function readPairs(args: Args, first: number, reply: ReplyWriter): boolean {
  let bytesMax = PAIRS_BYTES_MIN;
  for (let i = 0; i < args.count; i++) bytesMax += args.lengthOf(i) + DOUBLE_BYTES_MAX;
  if (bytesMax > pairs.bytes.length || pairs.bytes.length > PAIRS_BYTES_KEPT) {
    pairs = new Args();
    pairs.bytes = new Uint8Array(bytesMax);
    pairs.view = new DataView(pairs.bytes.buffer);
  }
  pairs.count = 0;
  let at = copyArgument(args, 0, 0);
  at = copyArgument(args, 1, at);
  for (let i = first; i < args.count; i += 3) {
    const place = placeArgument(args, i, reply);
    if (place === null) return false;
    // At the edges it is more than 2^53.
    const end = writeDouble(pairs.bytes, at, scoreOfPlace(place));
    pairs.push(at, end);
    at = copyArgument(args, i + 2, end);
  }
  return true;
}

/** Appends an argument to `pairs`, whose bytes are used up to `at`. Returns where they end then. */
function copyArgument(args: Args, index: number, at: number): number {
  const count = args.lengthOf(index);
  copyBytes(pairs.view, at, args.view, args.start[index], count);
  pairs.push(at, at + count);
  return at + count;
}

/** GEOPOS key [member [member ...]] */
function geoposCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = record === 0 ? null : zsetOf(ctx, record);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const place = zset === null ? null : placeOfMember(zset, args, i);
    if (place === null) reply.nilArray();
    else replyPlace(reply, place);
  }
}

const hashText = new Uint8Array(TEXT_BYTES);
const hashView = new DataView(hashText.buffer);

/** GEOHASH key [member [member ...]] */
function geohashCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = record === 0 ? null : zsetOf(ctx, record);
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const place = zset === null ? null : placeOfMember(zset, args, i);
    if (place === null) reply.nil();
    else reply.bulk(hashView, 0, writeGeohash(hashText, 0, place));
  }
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
