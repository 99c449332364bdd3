/**
 * Members near a place: GEOSEARCH, GEOSEARCHSTORE, and the older GEORADIUS commands.
 *
 * The cells that cover the shape are ranges of scores; their members are looked at one by one.
 * O(members in the cells), and O(m log m) for m results that are sorted.
 */
import {
  type Place,
  latitudeOfScore,
  longitudeOfScore,
  placeOfScore,
  scoreOfCell,
} from "../base/geohash.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import type { SortedSets } from "../types/zset.ts";
import { INT32_MAX, INT32_MIN, checkType, doubleArgument, int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { FoundMembers } from "./geo-found.ts";
import { Measure, type Shape, cellsOf, centreOf } from "./geo-shape.ts";
import {
  placeArgument,
  placeOfMember,
  replyDistance,
  replyPlace,
  unitArgument,
} from "./geo-value.ts";
import { replyEntry } from "./listpack-reply.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, oneKey } from "./spec.ts";
import { storeZset, zsetOf } from "./zset-value.ts";

/** What tells the commands apart. */
interface Variant {
  /** Index of the source's argument, and of the first option. */
  readonly source: number;
  readonly options: number;
  /** GEORADIUS: what stands before the radius. GEOSEARCH says it in options. */
  readonly centre: "place" | "member" | "option";
  /** Where a destination may be: in an option, at argument 1, nowhere. */
  readonly store: "option" | "first" | "never";
}

const RADIUS_COMMANDS: readonly [name: string, arity: number, variant: Variant][] = [
  ["georadius", -6, { source: 1, options: 6, centre: "place", store: "option" }],
  ["georadiusbymember", -5, { source: 1, options: 5, centre: "member", store: "option" }],
  ["georadius_ro", -6, { source: 1, options: 6, centre: "place", store: "never" }],
  ["georadiusbymember_ro", -5, { source: 1, options: 5, centre: "member", store: "never" }],
];
const SEARCH: Variant = { source: 1, options: 2, centre: "option", store: "never" };
const SEARCH_STORE: Variant = { source: 2, options: 3, centre: "option", store: "first" };

export const geoSearchCommands: readonly CommandSpec[] = [
  ...RADIUS_COMMANDS.map(([name, arity, variant]) => radiusRow(name, arity, variant)),
  {
    name: "geosearch",
    arity: -7,
    flags: Flag.READONLY,
    acl: Acl.GEO,
    keys: oneKey("RO access"),
    run: (ctx, args, reply) => search(ctx, args, reply, SEARCH),
  },
  {
    name: "geosearchstore",
    arity: -8,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.GEO,
    keys: [
      oneKey("OW update")[0],
      { flags: "RO access", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } },
    ],
    run: (ctx, args, reply) => search(ctx, args, reply, SEARCH_STORE),
  },
];

function radiusRow(name: string, arity: number, variant: Variant): CommandSpec {
  const run: CommandSpec["run"] = (ctx, args, reply) => search(ctx, args, reply, variant);
  const source = oneKey("RO access");
  if (variant.store === "never") {
    return { name, arity, flags: Flag.READONLY, acl: Acl.GEO, keys: source, run };
  }
  const destination = (keyword: string): KeySpec => ({
    flags: "OW update",
    begin: { keyword, from: variant.options },
    find: { last: 0, step: 1, limit: 0 },
  });
  return {
    name,
    arity,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.MOVABLE_KEYS,
    acl: Acl.GEO,
    keys: [...source, destination("STORE"), destination("STOREDIST")],
    run,
  };
}

/** What the arguments say. */
interface Request {
  /** Which option gave the centre; null as long as none did. */
  from: "member" | "place" | null;
  /** Null with "member" if the source is missing: then it is not needed. */
  centre: Place | null;
  shape: Shape | null;
  /** Metres of the unit in which distances are replied and stored. */
  unit: number;
  withDistance: boolean;
  withHash: boolean;
  withPlace: boolean;
  sort: "none" | "ascending" | "descending";
  /** 0 = all. */
  count: number;
  takesAny: boolean;
  /** Index of the destination's argument; 0 = reply. */
  destination: number;
  storesDistance: boolean;
}

/** What the search found that runs. */
const found = new FoundMembers();

/**
 * GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit |
 *   BYBOX width height unit | BYPOLYGON count longitude latitude ... [ASC | DESC]
 *   [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]
 * GEOSEARCHSTORE destination source ... [STOREDIST]
 * GEORADIUS key longitude latitude radius unit ... [STORE key | STOREDIST key]
 * GEORADIUSBYMEMBER key member radius unit ...
 */
function search(ctx: CommandContext, args: Args, reply: ReplyWriter, variant: Variant): void {
  const at = variant.source;
  const record = ctx.db.lookupRead(args.view, args.start[at], args.end[at]);
  if (record !== 0 && !checkType(ctx, record, ValueType.ZSET, reply)) return;
  const zset = record === 0 ? null : zsetOf(ctx, record);
  const request = newRequest(variant);
  if (!readCentre(args, reply, variant, zset, request)) return;
  if (!readOptions(args, reply, variant, zset, request)) return;
  const problem = problemOf(args, variant, request);
  if (problem !== null) {
    reply.error(problem);
    return;
  }
  if (zset === null) {
    if (request.destination === 0) reply.array(0);
    else {
      found.clear();
      storeFound(ctx, args, reply, variant, request, null);
    }
    return;
  }
  findMembers(zset, request);
  if (request.destination === 0) replyFound(reply, zset, request);
  else storeFound(ctx, args, reply, variant, request, zset);
}

function newRequest(variant: Variant): Request {
  return {
    from: null,
    centre: null,
    shape: null,
    unit: 1,
    withDistance: false,
    withHash: false,
    withPlace: false,
    sort: "none",
    count: 0,
    takesAny: false,
    destination: variant.store === "first" ? 1 : 0,
    storesDistance: false,
  };
}

/** Reads centre and radius of a GEORADIUS command; false after an error reply. */
function readCentre(
  args: Args,
  reply: ReplyWriter,
  variant: Variant,
  zset: SortedSets | null,
  request: Request,
): boolean {
  if (variant.centre === "option") return true;
  if (variant.centre === "place") request.centre = placeArgument(args, 2, reply);
  // Without a source the rest of the arguments is not looked at.
  else if (zset === null) return true;
  else request.centre = memberArgument(zset, args, 2, reply);
  if (request.centre === null) return false;
  return readCircle(args, reply, variant.options - 2, request);
}

function memberArgument(
  zset: SortedSets,
  args: Args,
  index: number,
  reply: ReplyWriter,
): Place | null {
  const place = placeOfMember(zset, args, index);
  if (place === null) reply.error("ERR could not decode requested zset member");
  return place;
}

/** Reads the options from argument `variant.options` on; false after an error reply. */
function readOptions(
  args: Args,
  reply: ReplyWriter,
  variant: Variant,
  zset: SortedSets | null,
  request: Request,
): boolean {
  for (let i = variant.options; i < args.count; i++) {
    const left = args.count - 1 - i;
    if (args.is(i, "WITHDIST")) request.withDistance = true;
    else if (args.is(i, "WITHHASH")) request.withHash = true;
    else if (args.is(i, "WITHCOORD")) request.withPlace = true;
    else if (args.is(i, "ANY")) request.takesAny = true;
    else if (args.is(i, "ASC")) request.sort = "ascending";
    else if (args.is(i, "DESC")) request.sort = "descending";
    else if (args.is(i, "COUNT") && left >= 1) {
      const count = int64Argument(args, ++i, reply);
      if (count === null) return false;
      if (count <= 0n) {
        reply.error("ERR COUNT must be > 0");
        return false;
      }
      request.count = Number(count);
    } else {
      const used =
        variant.centre === "option"
          ? readArea(args, reply, i, zset, request)
          : readDestination(args, i, variant, request);
      if (used < 0) return false;
      if (used > 0) {
        i += used - 1;
      } else if (variant.store === "first" && args.is(i, "STOREDIST")) {
        request.storesDistance = true;
      } else {
        reply.error(errors.SYNTAX);
        return false;
      }
    }
  }
  return true;
}

/** Reads STORE or STOREDIST of GEORADIUS. Returns the arguments used, 0 if it is neither. */
function readDestination(args: Args, index: number, variant: Variant, request: Request): number {
  if (variant.store !== "option" || index + 1 >= args.count) return 0;
  const storesDistance = args.is(index, "STOREDIST");
  if (!storesDistance && !args.is(index, "STORE")) return 0;
  request.destination = index + 1;
  request.storesDistance = storesDistance;
  return 2;
}

/**
 * Reads FROM... or BY... of GEOSEARCH. Returns the arguments used, 0 if it is neither or may not
 * stand here, -1 after an error reply.
 */
function readArea(
  args: Args,
  reply: ReplyWriter,
  index: number,
  zset: SortedSets | null,
  request: Request,
): number {
  const left = args.count - 1 - index;
  const { from } = request;
  const kind = request.shape?.kind ?? null;
  if (args.is(index, "FROMMEMBER") && left >= 1 && from !== "place" && kind !== "polygon") {
    request.from = "member";
    if (zset === null) return 2;
    request.centre = memberArgument(zset, args, index + 1, reply);
    return request.centre === null ? -1 : 2;
  }
  if (args.is(index, "FROMLONLAT") && left >= 2 && from !== "member" && kind !== "polygon") {
    request.from = "place";
    request.centre = placeArgument(args, index + 1, reply);
    return request.centre === null ? -1 : 3;
  }
  if (args.is(index, "BYRADIUS") && left >= 2 && (kind === null || kind === "circle")) {
    return readCircle(args, reply, index + 1, request) ? 3 : -1;
  }
  if (args.is(index, "BYBOX") && left >= 3 && (kind === null || kind === "box")) {
    return readBox(args, reply, index + 1, request) ? 4 : -1;
  }
  const mayBePolygon = from === null && (kind === null || kind === "polygon");
  if (args.is(index, "BYPOLYGON") && left >= 2 && mayBePolygon) {
    return readPolygon(args, reply, index + 1, request);
  }
  return 0;
}

/** Reads a radius and its unit. */
function readCircle(args: Args, reply: ReplyWriter, index: number, request: Request): boolean {
  const radius = doubleArgument(args, index, reply, "ERR need numeric radius");
  if (Number.isNaN(radius)) return false;
  if (radius < 0) {
    reply.error("ERR radius cannot be negative");
    return false;
  }
  const unit = unitArgument(args, index + 1, reply);
  if (Number.isNaN(unit)) return false;
  request.unit = unit;
  request.shape = { kind: "circle", radius: radius * unit };
  return true;
}

/** Reads width, height and their unit. */
function readBox(args: Args, reply: ReplyWriter, index: number, request: Request): boolean {
  const width = doubleArgument(args, index, reply, "ERR need numeric width");
  if (Number.isNaN(width)) return false;
  const height = doubleArgument(args, index + 1, reply, "ERR need numeric height");
  if (Number.isNaN(height)) return false;
  if (height < 0 || width < 0) {
    reply.error("ERR height or width cannot be negative");
    return false;
  }
  const unit = unitArgument(args, index + 2, reply);
  if (Number.isNaN(unit)) return false;
  request.unit = unit;
  request.shape = { kind: "box", width: width * unit, height: height * unit };
  return true;
}

/** Reads a count of vertices, and the vertices. Returns the arguments used, -1 after an error. */
function readPolygon(args: Args, reply: ReplyWriter, index: number, request: Request): number {
  const given = int64Argument(args, index, reply, "ERR invalid number of vertices");
  if (given === null) return -1;
  if (given < INT32_MIN || given > INT32_MAX) {
    reply.error("ERR invalid number of vertices");
    return -1;
  }
  const count = Number(given);
  if (count < 3 || count > Math.floor((args.count - index - 1) / 2)) {
    reply.error("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
    return -1;
  }
  const vertices: Place[] = [];
  for (let i = 0; i < count; i++) {
    const vertex = placeArgument(args, index + 1 + 2 * i, reply);
    if (vertex === null) return -1;
    vertices.push(vertex);
  }
  request.unit = 1;
  request.shape = { kind: "polygon", vertices };
  request.centre = centreOf(vertices);
  return 2 + 2 * count;
}

/** Why the arguments do not go together, or null if they do. */
function problemOf(args: Args, variant: Variant, request: Request): string | null {
  const { shape, from } = request;
  const asksForMore = request.withDistance || request.withHash || request.withPlace;
  if (request.destination !== 0 && asksForMore) {
    const what = variant.store === "first" ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS";
    return `ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`;
  }
  if (variant.centre === "option") {
    const command = beforeNul(args.text(0));
    if (from === null && shape?.kind !== "polygon") {
      return `ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${command}`;
    }
    if (shape === null) {
      return `ERR exactly one of BYRADIUS and BYBOX can be specified for ${command}`;
    }
  }
  return request.takesAny && request.count === 0
    ? "ERR the ANY argument requires COUNT argument"
    : null;
}

/** Finds the members in the shape, sorted as wanted, and as many as wanted. */
function findMembers(zset: SortedSets, request: Request): void {
  const { count, takesAny, sort } = request;
  const shape = request.shape as Shape;
  const centre = request.centre as Place;
  const countMax = takesAny ? count : Infinity;
  const measure = new Measure(shape, centre);
  found.clear();
  for (const cell of cellsOf(shape, centre)) {
    if (found.length >= countMax) break;
    const end = scoreOfCell(cell, 1);
    let rank = zset.countBelow(scoreOfCell(cell, 0), false);
    if (rank === zset.length) continue;
    zset.seek(rank);
    do {
      const { score } = zset;
      if (score >= end) break;
      const distance = measure.distanceTo(longitudeOfScore(score), latitudeOfScore(score));
      if (distance >= 0) found.push(rank, score, distance);
      rank++;
    } while (found.length < countMax && zset.next());
  }
  const wanted = count > 0 ? count : Infinity;
  // The nearest ones are meant by COUNT, unless any will do.
  if (sort !== "none" || (count > 0 && !takesAny)) found.select(wanted, sort === "descending");
  else found.truncate(wanted);
}

function replyFound(reply: ReplyWriter, zset: SortedSets, request: Request): void {
  const { withDistance, withHash, withPlace } = request;
  const extras = Number(withDistance) + Number(withHash) + Number(withPlace);
  reply.array(found.length);
  let next = -1;
  for (let i = 0; i < found.length; i++) {
    const index = found.order[i];
    const rank = found.ranks[index];
    const score = found.scores[index];
    if (extras > 0) reply.array(extras + 1);
    // What is not sorted is in runs of neighbours.
    if (rank === next) zset.next();
    else zset.seek(rank);
    next = rank + 1;
    replyEntry(reply, zset.member);
    if (withDistance) replyDistance(reply, found.distances[index] / request.unit);
    if (withHash) reply.bigInteger(BigInt.asIntN(64, BigInt(Math.trunc(score))));
    if (withPlace) replyPlace(reply, placeOfScore(score));
  }
}

function storeFound(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  variant: Variant,
  request: Request,
  zset: SortedSets | null,
): void {
  const result = ctx.keyspace.newZsets;
  result.createTree();
  let bytesMax = 0;
  let bytesTotal = 0;
  for (let i = 0; i < found.length; i++) {
    const index = found.order[i];
    zset?.seek(found.ranks[index]);
    const { member } = zset as SortedSets;
    const length = member.textLength();
    bytesMax = Math.max(bytesMax, length);
    bytesTotal += length;
    const distance = found.distances[index] / request.unit;
    result.addEntry(member, request.storesDistance ? distance : found.scores[index]);
  }
  if (found.length > 0) {
    result.shrink(bytesMax, bytesTotal);
    ctx.keyspace.dirty += found.length - 1;
  }
  const event = variant.centre === "option" ? "geosearchstore" : "georadiusstore";
  storeZset(ctx, args, request.destination, result, event, reply);
}
