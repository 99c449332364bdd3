// HOT PATH: rules in src/README.md
/**
 * HyperLogLogs: PFADD, PFCOUNT, PFMERGE, and what tests look into them with.
 * Documentation: the "HyperLogLog" group of Redis's command reference.
 *
 * The values are strings, which string commands may read and overwrite; so every command checks
 * what it finds. Dense strings are changed where they are. A sparse one is changed in the scratch
 * memory and copied back when all went well, so that a corrupt one stays as it was:
 *
 *     scratch   0       the string that is worked on, sparse or dense
 *               40960   registers, one byte each; or a dense string on the way to offset 0
 */
import { NotifyClass } from "../keyspace/notify.ts";
import { StringEncoding, ValueType, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import {
  Hll,
  HllResult,
  hllDenseGet,
  hllDenseSet,
  hllElement,
  hllEstimate,
  hllIsValid,
  hllMerge,
  hllSparseFind,
  hllSparseSet,
  hllToDense,
  hllWriteDense,
  hllWriteEmpty,
} from "../structures/hyperloglog.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext, Scratch } from "./context.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS, keyRange, oneKey } from "./spec.ts";
import { bytesOf, markRaw, stringLength, stringStart } from "./string-value.ts";

const INVALID = "WRONGTYPE Key is not a valid HyperLogLog string value.";
const CORRUPT = "INVALIDOBJ Corrupted HLL object detected";

/** Offset of the second area of the scratch memory. */
const SECOND_AT = 40960;
const INDEX_BITS = 14;
const INDEX_MASK = 16383;
const OUTDATED = 0x80;
/** What Redis's conversion makes of an infinite estimate. */
const INFINITE_ESTIMATE = -(2n ** 63n);

export const hyperloglogCommands: readonly CommandSpec[] = [
  {
    name: "pfadd",
    arity: -2,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.FAST,
    acl: Acl.HYPERLOGLOG,
    keys: oneKey("RW insert"),
    run: pfaddCommand,
  },
  {
    name: "pfcount",
    arity: -2,
    flags: Flag.READONLY | Flag.MAY_REPLICATE,
    acl: Acl.HYPERLOGLOG,
    keys: [
      {
        ...keyRange("RW access")[0],
        notes: "A write, because the cached cardinality or the encoding may change",
      },
    ],
    run: pfcountCommand,
  },
  {
    name: "pfdebug",
    arity: 3,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.ADMIN,
    acl: Acl.HYPERLOGLOG,
    keys: [{ flags: "RW access", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } }],
    run: pfdebugCommand,
  },
  {
    name: "pfmerge",
    arity: -2,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.HYPERLOGLOG,
    keys: [
      oneKey("RW access insert")[0],
      { flags: "RO access", begin: { index: 2 }, find: { last: -1, step: 1, limit: 0 } },
    ],
    run: pfmergeCommand,
  },
  {
    name: "pfselftest",
    arity: 1,
    flags: Flag.ADMIN,
    acl: Acl.HYPERLOGLOG,
    keys: NO_KEYS,
    run: pfselftestCommand,
  },
];

/** PFADD key [element ...] */
function pfaddCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const { scratch, keyspace } = ctx;
  const { arena } = keyspace;
  const record = ctx.db.lookupWrite(view, start[1], end[1]);
  let length: number = Hll.EMPTY_BYTES;
  let updates = 0;
  let first = 2;
  if (record === 0) {
    hllWriteEmpty(scratch.view, 0);
    updates = 1;
  } else {
    if (!checkHll(ctx, record, reply)) return;
    const at = stringStart(arena, record);
    const bytes = bytesOf(arena, record);
    if (bytes[at + Hll.REPRESENTATION_AT] === Hll.DENSE) {
      markRaw(arena, record);
      updates = addToDense(bytes, at, args);
      if (updates > 0) {
        bytes[at + Hll.OUTDATED_AT] |= OUTDATED;
        noteAdded(ctx, args, updates);
      }
      reply.integer(updates > 0 ? 1 : 0);
      return;
    }
    first = firstRaised(bytes, at, stringLength(arena, record), args);
    if (first < args.count) length = copyToScratch(ctx, record);
  }
  for (let i = first; i < args.count; i++) {
    const element = hllElement(view, start[i], end[i]);
    const newLength = setInScratch(ctx, length, element & INDEX_MASK, element >>> INDEX_BITS);
    if (newLength === HllResult.CORRUPT) {
      reply.error(CORRUPT);
      return;
    }
    if (newLength === HllResult.UNCHANGED) continue;
    length = newLength;
    updates++;
  }
  if (updates > 0) {
    scratch.bytes[Hll.OUTDATED_AT] |= OUTDATED;
    storeScratch(ctx, args, record, length);
    noteAdded(ctx, args, updates);
  } else {
    markRaw(arena, record);
  }
  reply.integer(updates > 0 ? 1 : 0);
}

/** The first argument from 2 on that would change a sparse string, or is where it is corrupt. */
function firstRaised(bytes: Uint8Array, at: number, length: number, args: Args): number {
  for (let i = 2; i < args.count; i++) {
    const element = hllElement(args.view, args.start[i], args.end[i]);
    const value = hllSparseFind(bytes, at, length, element & INDEX_MASK, false);
    if (value < element >>> INDEX_BITS) return i;
  }
  return args.count;
}

/** Adds arguments 2 and up to a dense string; returns how many registers changed. */
function addToDense(bytes: Uint8Array, at: number, args: Args): number {
  let updates = 0;
  for (let i = 2; i < args.count; i++) {
    const element = hllElement(args.view, args.start[i], args.end[i]);
    if (hllDenseSet(bytes, at, element & INDEX_MASK, element >>> INDEX_BITS)) updates++;
  }
  return updates;
}

/** The changes of one PFADD are one event, but each counts as a change of the data set. */
function noteAdded(ctx: CommandContext, args: Args, updates: number): void {
  ctx.keyspace.dirty += updates - 1;
  ctx.db.changed(NotifyClass.STRING, "pfadd", args.view, args.start[1], args.end[1]);
}

/** Whether a record holds what looks like a HyperLogLog; false after an error reply. */
function checkHll(ctx: CommandContext, record: number, reply: ReplyWriter): boolean {
  if (!checkType(ctx, record, ValueType.STRING, reply)) return false;
  const { arena } = ctx.keyspace;
  const length = stringLength(arena, record);
  if (hllIsValid(viewOf(arena, record), stringStart(arena, record), length)) return true;
  reply.error(INVALID);
  return false;
}

/**
 * Copies a string to the scratch memory and returns its length. One that is too long to be valid
 * becomes an empty sequence of runs, in which every register is missing.
 */
function copyToScratch(ctx: CommandContext, record: number): number {
  const { arena } = ctx.keyspace;
  const at = stringStart(arena, record);
  const length = stringLength(arena, record);
  const kept = length > Hll.SPARSE_BYTES_MAX ? Hll.HEADER : length;
  ctx.scratch.bytes.set(bytesOf(arena, record).subarray(at, at + kept), 0);
  return kept;
}

/**
 * Raises a register of the string of `length` bytes in the scratch memory, which becomes dense if
 * need be. Returns its new length, `HllResult.UNCHANGED` or `HllResult.CORRUPT`. `resumes` as for
 * `hllSparseFind`.
 */
function setInScratch(
  ctx: CommandContext,
  length: number,
  index: number,
  rank: number,
  resumes = false,
): number {
  const { bytes } = ctx.scratch;
  if (bytes[Hll.REPRESENTATION_AT] === Hll.SPARSE) {
    const bytesMax = ctx.keyspace.sparseHllBytesMax;
    const newLength = hllSparseSet(bytes, 0, length, index, rank, bytesMax, resumes);
    if (newLength !== HllResult.MUST_BE_DENSE) return newLength;
    if (!makeScratchDense(ctx.scratch, length)) return HllResult.CORRUPT;
    hllDenseSet(bytes, 0, index, rank);
    return Hll.DENSE_BYTES;
  }
  return hllDenseSet(bytes, 0, index, rank) ? Hll.DENSE_BYTES : HllResult.UNCHANGED;
}

/** Converts the sparse string in the scratch memory; false if it is corrupt. */
function makeScratchDense(scratch: Scratch, length: number): boolean {
  const { bytes } = scratch;
  if (!hllToDense(bytes, 0, length, bytes, SECOND_AT)) return false;
  bytes.copyWithin(0, SECOND_AT, SECOND_AT + Hll.DENSE_BYTES);
  return true;
}

/** Gives the key at argument 1, looked up last as `record`, the string in the scratch memory. */
function storeScratch(ctx: CommandContext, args: Args, record: number, length: number): void {
  const { db, scratch } = ctx;
  const encoding = StringEncoding.RAW;
  if (record === 0) {
    const from = args.start[1];
    const to = args.end[1];
    db.insertString(args.view, from, to, scratch.view, 0, length, encoding);
  } else db.replaceWithString(record, scratch.view, 0, length, encoding, true);
}

/** The empty registers of one byte each. */
function clearRegisters(scratch: Scratch): Uint8Array {
  const registers = scratch.bytes.subarray(SECOND_AT, SECOND_AT + Hll.REGISTERS);
  registers.fill(0);
  return registers;
}

/** PFCOUNT key [key ...] */
function pfcountCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { db, keyspace } = ctx;
  const { arena } = keyspace;
  if (args.count > 2) {
    const registers = mergeArguments(ctx, args, reply);
    if (registers !== null) replyEstimate(hllEstimate(registers), reply);
    return;
  }
  const record = db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.integer(0);
    return;
  }
  if (!checkHll(ctx, record, reply)) return;
  markRaw(arena, record);
  const view = viewOf(arena, record);
  const at = stringStart(arena, record);
  const cachedAt = at + Hll.CARDINALITY_AT;
  if (view.getUint8(at + Hll.OUTDATED_AT) < OUTDATED) {
    const high = view.getInt32(cachedAt + 4, true);
    if (high < 0x200000) reply.integer(high * 4294967296 + view.getUint32(cachedAt, true));
    else reply.bigInteger(view.getBigInt64(cachedAt, true));
    return;
  }
  const registers = clearRegisters(ctx.scratch);
  if (!hllMerge(registers, bytesOf(arena, record), at, stringLength(arena, record))) {
    reply.error(CORRUPT);
    return;
  }
  const estimate = hllEstimate(registers);
  db.willChange();
  view.setBigInt64(cachedAt, exactEstimate(estimate), true);
  // The cached estimate is a change, though not one that events tell of.
  db.signal(args.view, args.start[1], args.end[1]);
  keyspace.dirty++;
  replyEstimate(estimate, reply);
}

function exactEstimate(estimate: number): bigint {
  return estimate < 2 ** 63 ? BigInt(estimate) : INFINITE_ESTIMATE;
}

function replyEstimate(estimate: number, reply: ReplyWriter): void {
  if (estimate <= Number.MAX_SAFE_INTEGER) reply.integer(estimate);
  else reply.bigInteger(exactEstimate(estimate));
}

/** The union of the keys from argument 1 on, as registers; null after an error reply. */
function mergeArguments(ctx: CommandContext, args: Args, reply: ReplyWriter): Uint8Array | null {
  const { arena } = ctx.keyspace;
  const registers = clearRegisters(ctx.scratch);
  for (let i = 1; i < args.count; i++) {
    const record = ctx.db.lookupRead(args.view, args.start[i], args.end[i]);
    if (record === 0) continue;
    if (!checkHll(ctx, record, reply)) return null;
    const at = stringStart(arena, record);
    if (!hllMerge(registers, bytesOf(arena, record), at, stringLength(arena, record))) {
      reply.error(CORRUPT);
      return null;
    }
  }
  return registers;
}

/** Whether one of the keys from argument 1 on is dense. Requires: all are HyperLogLogs. */
function isAnyDense(ctx: CommandContext, args: Args): boolean {
  const { arena } = ctx.keyspace;
  for (let i = 1; i < args.count; i++) {
    const record = ctx.db.peek(args.view, args.start[i], args.end[i]);
    if (record === 0) continue;
    const at = stringStart(arena, record) + Hll.REPRESENTATION_AT;
    if (bytesOf(arena, record)[at] === Hll.DENSE) return true;
  }
  return false;
}

/** PFMERGE destination [source ...] */
function pfmergeCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { scratch } = ctx;
  const merged = mergeArguments(ctx, args, reply);
  if (merged === null) return;
  const isDense = isAnyDense(ctx, args);
  const record = ctx.db.lookupWrite(args.view, args.start[1], args.end[1]);
  let length: number = Hll.EMPTY_BYTES;
  if (record === 0) hllWriteEmpty(scratch.view, 0);
  else length = copyToScratch(ctx, record);
  if (isDense) {
    scratch.bytes[Hll.REPRESENTATION_AT] = Hll.DENSE;
    hllWriteDense(merged, scratch.bytes, 0);
    length = Hll.DENSE_BYTES;
  } else {
    // Becoming dense takes the memory of the registers.
    const registers = merged.slice();
    let resumes = false;
    for (let index = 0; index < Hll.REGISTERS; index++) {
      if (registers[index] === 0) continue;
      const newLength = setInScratch(ctx, length, index, registers[index], resumes);
      if (newLength !== HllResult.UNCHANGED) length = newLength;
      resumes = true;
    }
  }
  scratch.bytes[Hll.OUTDATED_AT] |= OUTDATED;
  storeScratch(ctx, args, record, length);
  ctx.db.changed(NotifyClass.STRING, "pfadd", args.view, args.start[1], args.end[1]);
  reply.ok();
}

/** PFDEBUG (GETREG | DECODE | ENCODING | TODENSE) key, PFDEBUG SIMD (ON | OFF) */
function pfdebugCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.is(1, "SIMD")) {
    if (!args.is(2, "ON") && !args.is(2, "OFF")) reply.error("ERR Argument must be ON or OFF");
    else reply.simple("disabled");
    return;
  }
  const { arena } = ctx.keyspace;
  const record = ctx.db.lookupWrite(args.view, args.start[2], args.end[2]);
  if (record === 0) {
    reply.error("ERR The specified key does not exist");
    return;
  }
  if (!checkHll(ctx, record, reply)) return;
  markRaw(arena, record);
  const at = stringStart(arena, record) + Hll.REPRESENTATION_AT;
  const isDense = bytesOf(arena, record)[at] === Hll.DENSE;
  if (args.is(1, "GETREG")) {
    const dense = isDense ? record : convertRecord(ctx, record);
    if (dense === 0) reply.error(CORRUPT);
    else replyRegisters(ctx, dense, reply);
  } else if (args.is(1, "DECODE")) {
    if (isDense) reply.error("ERR HLL encoding is not sparse");
    else reply.bulkText(describeRuns(ctx, record));
  } else if (args.is(1, "ENCODING")) {
    reply.simple(isDense ? "dense" : "sparse");
  } else if (args.is(1, "TODENSE")) {
    if (!isDense && convertRecord(ctx, record) === 0) reply.error(CORRUPT);
    else reply.integer(isDense ? 0 : 1);
  } else {
    reply.error(`ERR Unknown PFDEBUG subcommand '${beforeNul(args.text(1))}'`);
  }
}

/** Makes a sparse record looked up last dense; returns it, or 0 if it is corrupt. */
function convertRecord(ctx: CommandContext, record: number): number {
  const length = copyToScratch(ctx, record);
  if (!makeScratchDense(ctx.scratch, length)) return 0;
  ctx.keyspace.dirty++;
  const { view } = ctx.scratch;
  return ctx.db.replaceWithString(record, view, 0, Hll.DENSE_BYTES, StringEncoding.RAW, true);
}

function replyRegisters(ctx: CommandContext, record: number, reply: ReplyWriter): void {
  const { arena } = ctx.keyspace;
  const at = stringStart(arena, record);
  const bytes = bytesOf(arena, record);
  reply.array(Hll.REGISTERS);
  for (let i = 0; i < Hll.REGISTERS; i++) reply.integer(hllDenseGet(bytes, at, i));
}

/** COLD: the runs of a sparse string as words, for PFDEBUG DECODE. */
function describeRuns(ctx: CommandContext, record: number): string {
  const { arena } = ctx.keyspace;
  const start = stringStart(arena, record);
  const bytes = bytesOf(arena, record).slice(start, start + stringLength(arena, record));
  const words: string[] = [];
  for (let at: number = Hll.HEADER; at < bytes.length; at++) {
    const first = bytes[at];
    if (first >= 0x80) words.push(`v:${((first >> 2) & 31) + 1},${(first & 3) + 1}`);
    else if (first < 0x40) words.push(`z:${first + 1}`);
    else words.push(`Z:${(((first & 63) << 8) | (bytes[++at] ?? 0)) + 1}`);
  }
  return words.join(" ");
}

const SELF_TEST_CYCLES = 100;
const SELF_TEST_ELEMENTS = 1_000_000;
const STANDARD_ERROR = 1.04 / 128;

/**
 * PFSELFTEST: random registers can be read back; estimates are as near as they must be, and the
 * same for sparse and dense. COLD: a test.
 */
function pfselftestCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const failure = testRegisters(ctx) ?? testEstimates(ctx);
  if (failure === null) reply.ok();
  else reply.error(`TESTFAILED ${failure}`);
}

/** COLD: part of PFSELFTEST. */
function testRegisters(ctx: CommandContext): string | null {
  const dense = new Uint8Array(Hll.DENSE_BYTES);
  const expected = new Uint8Array(Hll.REGISTERS);
  for (let cycle = 0; cycle < SELF_TEST_CYCLES; cycle++) {
    for (let i = 0; i < Hll.REGISTERS; i++) expected[i] = ctx.prng.nextUint32() & 63;
    hllWriteDense(expected, dense, 0);
    for (let i = 0; i < Hll.REGISTERS; i++) {
      const register = hllDenseGet(dense, 0, i);
      if (register !== expected[i]) {
        return `Register ${i} should be ${expected[i]} but is ${register}`;
      }
    }
  }
  return null;
}

/** COLD: part of PFSELFTEST. */
function testEstimates(ctx: CommandContext): string | null {
  const { scratch, keyspace, prng } = ctx;
  const dense = new Uint8Array(Hll.DENSE_BYTES);
  const element = new DataView(new ArrayBuffer(8));
  const seedLow = prng.nextUint32();
  element.setUint32(4, prng.nextUint32());
  hllWriteEmpty(scratch.view, 0);
  let length: number = Hll.EMPTY_BYTES;
  let checkpoint = 1;
  for (let count = 1; count <= SELF_TEST_ELEMENTS; count++) {
    element.setUint32(0, count ^ seedLow);
    const hashed = hllElement(element, 0, 8);
    hllDenseSet(dense, 0, hashed & INDEX_MASK, hashed >>> INDEX_BITS);
    length = setInScratch(ctx, length, hashed & INDEX_MASK, hashed >>> INDEX_BITS) || length;
    if (count !== checkpoint) continue;
    const isSparse = scratch.bytes[Hll.REPRESENTATION_AT] === Hll.SPARSE;
    if (!isSparse && count < keyspace.sparseHllBytesMax / 2) return "sparse encoding not used";
    const estimate = estimateOf(dense, Hll.DENSE_BYTES);
    if (estimate !== estimateOf(scratch.bytes, length)) return "dense/sparse disagree";
    const error = Math.abs(count - estimate);
    const errorMax = count === 10 ? 1 : Math.ceil(STANDARD_ERROR * 6 * count);
    if (error > errorMax) return `Too big error. card:${count} abserr:${error}`;
    checkpoint *= 10;
  }
  return null;
}

/** COLD: part of PFSELFTEST. */
function estimateOf(bytes: Uint8Array, length: number): number {
  const registers = new Uint8Array(Hll.REGISTERS);
  hllMerge(registers, bytes, 0, length);
  return hllEstimate(registers);
}
