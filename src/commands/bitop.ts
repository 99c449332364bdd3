/**
 * BITOP: combines bitmaps into a new one. AND, OR, XOR and NOT are Redis's from the beginning; DIFF,
 * DIFF1, ANDOR and ONE came with Redis 8.2, and treat the first source X apart from the others, Y:
 *
 *   DIFF    in X and in no Y            DIFF1   in some Y and not in X
 *   ANDOR   in X and in some Y          ONE     in exactly one source
 *
 * The sources are combined one after the other with an aligned result, 32 bits at a time, as if
 * there were zeros behind the shorter, and for the missing ones. O(sources * longest source).
 */
import { NotifyClass } from "../keyspace/notify.ts";
import { StringEncoding, ValueType, viewOf } from "../keyspace/record.ts";
import type { Arena } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag } from "./spec.ts";
import { stringLength, stringStart } from "./string-value.ts";

export const bitopCommands: readonly CommandSpec[] = [
  {
    name: "bitop",
    arity: -4,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.BITMAP,
    keys: [
      { flags: "OW update", begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } },
      { flags: "RO access", begin: { index: 3 }, find: { last: -1, step: 1, limit: 0 } },
    ],
    run: bitopCommand,
  },
];

const OPERATIONS = ["AND", "OR", "XOR", "NOT", "DIFF", "DIFF1", "ANDOR", "ONE"] as const;
type Operation = (typeof OPERATIONS)[number];

/** Words of the result that are kept for the next command. */
const WORDS_KEPT = 16384;

/** The result of the command that runs, and where it is as a view. */
let result = new Int32Array(256);
let resultView = new DataView(result.buffer);

/** The source that was opened last: `sourceWords` whole words and some bytes, from `sourceAt` on. */
let sourceView: DataView = resultView;
let sourceAt = 0;
let sourceWords = 0;
/** Those bytes, with zeros behind them. */
let sourceRest = 0;

/** BITOP AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE destination key [key ...] */
function bitopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const operation = operationArgument(args);
  if (operation === undefined) {
    reply.error(errors.SYNTAX);
    return;
  }
  if (operation === "NOT" && args.count !== 4) {
    reply.error("ERR BITOP NOT must be called with a single source key.");
    return;
  }
  const needsTwo = operation === "DIFF" || operation === "DIFF1" || operation === "ANDOR";
  if (needsTwo && args.count < 5) {
    reply.error(`ERR BITOP ${operation} must be called with at least two source keys.`);
    return;
  }
  const arena = ctx.keyspace.arena;
  const sources: number[] = [];
  let length = 0;
  for (let i = 3; i < args.count; i++) {
    const record = ctx.db.lookupRead(args.view, args.start[i], args.end[i]);
    if (record !== 0 && !checkType(ctx, record, ValueType.STRING, reply)) return;
    sources.push(record);
    if (record !== 0) length = Math.max(length, stringLength(arena, record));
  }
  makeRoom(Math.ceil(length / 4));
  combineSources(arena, operation, sources, Math.ceil(length / 4));
  store(ctx, args, resultView, length);
  reply.integer(length);
}

function operationArgument(args: Args): Operation | undefined {
  for (const operation of OPERATIONS) if (args.is(1, operation)) return operation;
  return undefined;
}

function makeRoom(wordCount: number): void {
  if (wordCount <= result.length && result.length <= WORDS_KEPT) return;
  result = new Int32Array(wordCount);
  resultView = new DataView(result.buffer);
}

/** Puts the result, or nothing if it is empty, in the place of the key at argument 2. */
function store(ctx: CommandContext, args: Args, value: DataView, length: number): void {
  const { view, start, end } = args;
  const { db } = ctx;
  const record = db.lookupWrite(view, start[2], end[2]);
  if (length === 0) {
    if (record === 0) return;
    db.removeFound(record);
    db.changed(NotifyClass.GENERIC, "del", view, start[2], end[2]);
    return;
  }
  if (record === 0) {
    db.insertString(view, start[2], end[2], value, 0, length, StringEncoding.RAW);
  } else {
    db.replaceWithString(record, value, 0, length, StringEncoding.RAW, false);
  }
  db.changed(NotifyClass.STRING, "set", view, start[2], end[2]);
}

/** Leaves the result, with zeros behind its end. `sources` are string records, 0 = missing. */
function combineSources(
  arena: Arena,
  operation: Operation,
  sources: readonly number[],
  wordCount: number,
): void {
  switch (operation) {
    case "AND":
      open(arena, sources[0]);
      copySource(wordCount);
      for (let i = 1; i < sources.length; i++) {
        open(arena, sources[i]);
        andSource(wordCount);
      }
      break;
    case "XOR":
      open(arena, sources[0]);
      copySource(wordCount);
      for (let i = 1; i < sources.length; i++) {
        open(arena, sources[i]);
        xorSource(wordCount);
      }
      break;
    case "ONE":
      combineOne(arena, sources, wordCount);
      break;
    case "OR":
      combineOr(arena, sources, 0, wordCount);
      break;
    case "NOT":
      open(arena, sources[0]);
      copySource(wordCount);
      for (let at = 0; at < wordCount; at++) result[at] = ~result[at];
      break;
    default:
      combineOr(arena, sources, 1, wordCount);
      open(arena, sources[0]);
      combineFirst(operation, wordCount);
  }
}

/** Makes a record the source. */
function open(arena: Arena, source: number): void {
  sourceWords = 0;
  sourceRest = 0;
  if (source === 0) return;
  const length = stringLength(arena, source);
  sourceView = viewOf(arena, source);
  sourceAt = stringStart(arena, source);
  sourceWords = length >>> 2;
  for (let at = sourceWords * 4; at < length; at++) {
    sourceRest |= sourceView.getUint8(sourceAt + at) << ((at & 3) * 8);
  }
}

/** A word of the source, or of the zeros behind it. Words of the result are little-endian, too. */
function wordAt(at: number): number {
  if (at < sourceWords) return sourceView.getInt32(sourceAt + at * 4, true);
  return at === sourceWords ? sourceRest : 0;
}

// The loops below run over local variables, which are several times faster than the module's.

/** The result becomes the source. */
function copySource(wordCount: number): void {
  const target = result;
  const view = sourceView;
  const words = sourceWords;
  for (let at = 0, from = sourceAt; at < words; at++, from += 4) {
    target[at] = view.getInt32(from, true);
  }
  if (words >= wordCount) return;
  target[words] = sourceRest;
  target.fill(0, words + 1, wordCount);
}

function andSource(wordCount: number): void {
  const target = result;
  const view = sourceView;
  const words = sourceWords;
  for (let at = 0, from = sourceAt; at < words; at++, from += 4) {
    target[at] &= view.getInt32(from, true);
  }
  if (words >= wordCount) return;
  target[words] &= sourceRest;
  target.fill(0, words + 1, wordCount);
}

function orSource(wordCount: number): void {
  const target = result;
  const view = sourceView;
  const words = sourceWords;
  for (let at = 0, from = sourceAt; at < words; at++, from += 4) {
    target[at] |= view.getInt32(from, true);
  }
  if (words < wordCount) target[words] |= sourceRest;
}

function xorSource(wordCount: number): void {
  const target = result;
  const view = sourceView;
  const words = sourceWords;
  for (let at = 0, from = sourceAt; at < words; at++, from += 4) {
    target[at] ^= view.getInt32(from, true);
  }
  if (words < wordCount) target[words] ^= sourceRest;
}

/** The result becomes the union of the sources from `first` on. */
function combineOr(
  arena: Arena,
  sources: readonly number[],
  first: number,
  wordCount: number,
): void {
  open(arena, sources[first]);
  copySource(wordCount);
  for (let i = first + 1; i < sources.length; i++) {
    open(arena, sources[i]);
    orSource(wordCount);
  }
}

/** Result becomes X, the source, together with the union of all Y, which it holds. */
function combineFirst(operation: Operation, wordCount: number): void {
  if (operation === "DIFF") {
    for (let at = 0; at < wordCount; at++) result[at] = wordAt(at) & ~result[at];
  } else if (operation === "DIFF1") {
    for (let at = 0; at < wordCount; at++) result[at] &= ~wordAt(at);
  } else {
    andSource(wordCount);
  }
}

/** ONE: parity is not enough with three sources; bits seen twice are kept aside. */
function combineOne(arena: Arena, sources: readonly number[], wordCount: number): void {
  const several = new Int32Array(wordCount);
  result.fill(0, 0, wordCount);
  for (const source of sources) {
    open(arena, source);
    for (let at = 0; at < wordCount; at++) {
      const bits = wordAt(at);
      several[at] |= result[at] & bits;
      result[at] = (result[at] | bits) & ~several[at];
    }
  }
}
