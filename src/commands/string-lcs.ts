/**
 * LCS: the longest common subsequence of two strings, by dynamic programming in O(a * b) time.
 *
 * Only the row of lengths that is being computed is kept, and for every cell one bit: whether the
 * walk back from the end goes up (one byte less of the first string) where the bytes differ. So the
 * memory is a * b / 8 bytes, a 32nd of a table of lengths, and none at all if only the length is
 * asked for. Which of several equally long subsequences is found is visible in the reply: the walk
 * goes up only if that is strictly longer, as in Redis.
 */
import { parseInt64 } from "../base/integer.ts";
import type { Arena } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { ReplyType, type ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, keyRange } from "./spec.ts";
import { bytesOf, isString, stringLength, stringStart } from "./string-value.ts";

export const stringLcsCommands: readonly CommandSpec[] = [
  {
    name: "lcs",
    arity: -3,
    flags: Flag.READONLY,
    acl: Acl.STRING,
    keys: keyRange("RO access", 1),
    run: lcsCommand,
  },
];

/** Bytes of a cell in the table that Redis limits by proto-max-bulk-len. */
const LIMITED_CELL_BYTES = 4;

interface LcsOptions {
  indexes: boolean;
  lengthOnly: boolean;
  withMatchLength: boolean;
  matchLengthMin: bigint;
}

interface Alignment {
  a: Uint8Array;
  b: Uint8Array;
  length: number;
  /** A bit per cell, in rows of `rowBytes`: go up. Empty if only the length was asked for. */
  up: Uint8Array;
  rowBytes: number;
}

/** LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN] */
function lcsCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const arena = ctx.keyspace.arena;
  const recordA = ctx.db.lookupRead(view, start[1], end[1]);
  const recordB = ctx.db.lookupRead(view, start[2], end[2]);
  if (
    (recordA !== 0 && !isString(arena, recordA)) ||
    (recordB !== 0 && !isString(arena, recordB))
  ) {
    reply.error("ERR The specified keys must contain string values");
    return;
  }
  const options = lcsOptions(args, reply);
  if (options === null) return;
  if (options.lengthOnly && options.indexes) {
    reply.error("ERR If you want both the length and indexes, please just use IDX.");
    return;
  }
  const a = valueOf(arena, recordA);
  const b = valueOf(arena, recordB);
  if ((a.length + 1) * (b.length + 1) * LIMITED_CELL_BYTES > ctx.keyspace.stringBytesMax) {
    reply.error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    return;
  }
  const alignment = align(a, b, options.lengthOnly);
  if (options.lengthOnly) reply.integer(alignment.length);
  else if (options.indexes) replyMatches(alignment, options, reply);
  else reply.bulkBytes(subsequence(alignment));
}

function valueOf(arena: Arena, record: number): Uint8Array {
  if (record === 0) return new Uint8Array(0);
  const from = stringStart(arena, record);
  return bytesOf(arena, record).subarray(from, from + stringLength(arena, record));
}

/** The options, or null after an error reply. */
function lcsOptions(args: Args, reply: ReplyWriter): LcsOptions | null {
  const options: LcsOptions = {
    indexes: false,
    lengthOnly: false,
    withMatchLength: false,
    matchLengthMin: 0n,
  };
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, "IDX")) options.indexes = true;
    else if (args.is(i, "LEN")) options.lengthOnly = true;
    else if (args.is(i, "WITHMATCHLEN")) options.withMatchLength = true;
    else if (args.is(i, "MINMATCHLEN") && i < args.count - 1) {
      const least = parseInt64(args.bytes, args.start[i + 1], args.end[i + 1]);
      if (least === null) {
        reply.error(errors.NOT_AN_INTEGER);
        return null;
      }
      options.matchLengthMin = least;
      i++;
    } else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  return options;
}

function align(a: Uint8Array, b: Uint8Array, lengthOnly: boolean): Alignment {
  const width = b.length;
  // row[j + 1] is the length for the rows of `a` so far and the first j + 1 bytes of `b`.
  const row = new Int32Array(width + 1);
  const rowBytes = (width + 7) >>> 3;
  const up = new Uint8Array(lengthOnly ? 0 : a.length * rowBytes);
  for (let i = 0; i < a.length; i++) {
    const byte = a[i];
    const rowAt = i * rowBytes;
    let diagonal = 0;
    let left = 0;
    for (let j = 1; j <= width; j++) {
      const above = row[j];
      if (byte === b[j - 1]) {
        left = diagonal + 1;
      } else if (above > left) {
        left = above;
        if (!lengthOnly) up[rowAt + ((j - 1) >>> 3)] |= 1 << ((j - 1) & 7);
      }
      row[j] = left;
      diagonal = above;
    }
  }
  return { a, b, length: row[width], up, rowBytes };
}

function goesUp(alignment: Alignment, i: number, j: number): boolean {
  return (alignment.up[i * alignment.rowBytes + (j >>> 3)] & (1 << (j & 7))) !== 0;
}

function subsequence(alignment: Alignment): Uint8Array {
  const { a, b } = alignment;
  const result = new Uint8Array(alignment.length);
  let at = alignment.length;
  for (let i = a.length - 1, j = b.length - 1; i >= 0 && j >= 0;) {
    if (a[i] === b[j]) {
      result[--at] = a[i];
      i--;
      j--;
    } else if (goesUp(alignment, i, j)) i--;
    else j--;
  }
  return result;
}

/** IDX: the runs of matching bytes, from the last to the first, and the whole length. */
function replyMatches(alignment: Alignment, options: LcsOptions, reply: ReplyWriter): void {
  const { a, b } = alignment;
  reply.map(2);
  reply.bulkText("matches");
  const mark = reply.deferLength();
  let count = 0;
  for (let i = a.length - 1, j = b.length - 1; i >= 0 && j >= 0;) {
    if (a[i] !== b[j]) {
      if (goesUp(alignment, i, j)) i--;
      else j--;
      continue;
    }
    let run = 1;
    while (run <= i && run <= j && a[i - run] === b[j - run]) run++;
    if (BigInt(run) >= options.matchLengthMin) {
      replyMatch(i, j, run, options.withMatchLength, reply);
      count++;
    }
    i -= run;
    j -= run;
  }
  reply.setDeferred(mark, ReplyType.ARRAY, count);
  reply.bulkText("len");
  reply.integer(alignment.length);
}

function replyMatch(
  lastA: number,
  lastB: number,
  length: number,
  withLength: boolean,
  reply: ReplyWriter,
): void {
  reply.array(withLength ? 3 : 2);
  reply.array(2);
  reply.integer(lastA - length + 1);
  reply.integer(lastA);
  reply.array(2);
  reply.integer(lastB - length + 1);
  reply.integer(lastB);
  if (withLength) reply.integer(length);
}
