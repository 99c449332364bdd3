/**
 * BITOP: combines bitmaps into a new one. AND, OR, XOR and NOT are Redis's from the beginning; DIFF,
 * DIFF1, ANDOR and ONE came with Redis 8.2, and treat the first source X apart from the others, Y:
 *
 *   DIFF    in X and in no Y            DIFF1   in some Y and not in X
 *   ANDOR   in X and in some Y          ONE     in exactly one source
 *
 * The sources are copied one after the other into an aligned buffer, with zeros behind the shorter
 * and for the missing ones, and combined 32 bits at a time. O(sources * longest source).
 */
import { NotifyClass } from "../keyspace/notify.ts";
import { StringEncoding, ValueType } from "../keyspace/record.ts";
import type { Arena } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag } from "./spec.ts";
import { bytesOf, stringLength, stringStart } from "./string-value.ts";

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

/** BITOP AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE destination key [key ...] */
function bitopCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const operation = OPERATIONS.find((name) => args.is(1, name));
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
  const words = combineSources(arena, operation, sources, Math.ceil(length / 4));
  store(ctx, args, new DataView(words.buffer), length);
  reply.integer(length);
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

/** The result, with zeros behind its end. `sources` are string records, 0 = missing. */
function combineSources(
  arena: Arena,
  operation: Operation,
  sources: readonly number[],
  wordCount: number,
): Int32Array {
  const result = new Int32Array(wordCount);
  const words = new Int32Array(wordCount);
  switch (operation) {
    case "AND":
      load(arena, sources[0], result);
      for (let i = 1; i < sources.length; i++) {
        load(arena, sources[i], words);
        for (let at = 0; at < wordCount; at++) result[at] &= words[at];
      }
      break;
    case "XOR":
      for (const source of sources) {
        load(arena, source, words);
        for (let at = 0; at < wordCount; at++) result[at] ^= words[at];
      }
      break;
    case "ONE":
      combineOne(arena, result, words, sources);
      break;
    case "OR":
      combineOr(arena, result, words, sources, 0);
      break;
    case "NOT":
      load(arena, sources[0], words);
      for (let at = 0; at < wordCount; at++) result[at] = ~words[at];
      break;
    default:
      combineOr(arena, result, words, sources, 1);
      load(arena, sources[0], words);
      combineFirst(operation, result, words);
  }
  return result;
}

/** Result becomes X (`first`) together with the union of all Y, which it holds. */
function combineFirst(operation: Operation, result: Int32Array, first: Int32Array): void {
  const wordCount = result.length;
  if (operation === "DIFF") {
    for (let at = 0; at < wordCount; at++) result[at] = first[at] & ~result[at];
  } else if (operation === "DIFF1") {
    for (let at = 0; at < wordCount; at++) result[at] &= ~first[at];
  } else {
    for (let at = 0; at < wordCount; at++) result[at] &= first[at];
  }
}

function combineOr(
  arena: Arena,
  result: Int32Array,
  words: Int32Array,
  sources: readonly number[],
  from: number,
): void {
  for (let i = from; i < sources.length; i++) {
    load(arena, sources[i], words);
    for (let at = 0; at < words.length; at++) result[at] |= words[at];
  }
}

/** ONE: parity is not enough with three sources; bits seen twice are kept aside. */
function combineOne(
  arena: Arena,
  once: Int32Array,
  words: Int32Array,
  sources: readonly number[],
): void {
  const several = new Int32Array(once.length);
  for (const source of sources) {
    load(arena, source, words);
    for (let at = 0; at < words.length; at++) {
      several[at] |= once[at] & words[at];
      once[at] = (once[at] | words[at]) & ~several[at];
    }
  }
}

/** Copies a source into `words`, with zeros behind its end. */
function load(arena: Arena, source: number, words: Int32Array): void {
  const bytes = new Uint8Array(words.buffer);
  let length = 0;
  if (source !== 0) {
    length = stringLength(arena, source);
    const from = stringStart(arena, source);
    bytes.set(bytesOf(arena, source).subarray(from, from + length));
  }
  bytes.fill(0, length);
}
