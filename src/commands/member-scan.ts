/**
 * What SSCAN, HSCAN and ZSCAN have in common: options, cursor, reply.
 *
 * A large value is walked by the cursor of its HashIndex, as SCAN walks the keyspace. A small one
 * is answered as a whole, with cursor 0, whatever COUNT says.
 */
import { globMatch } from "../base/glob.ts";
import { parseUint64 } from "../base/integer.ts";
import { RecordList } from "../keyspace/record-list.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { ReplyType, type ReplyWriter } from "../protocol/reply-writer.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import { int64Argument } from "./arguments.ts";

const COUNT_DEFAULT = 10;
/** Buckets walked per member that COUNT asks for, before an index full of holes ends the call. */
const BUCKETS_PER_COUNT = 10;
const CURSOR_BITS = 32;

/** A value that can be scanned, with a cursor of its own on one of its members. */
export interface MemberSource {
  /** Whether the value has an index to walk; else it is walked as a whole. */
  readonly isIndexed: boolean;
  /** What the cursor is at. */
  readonly member: ListpackEntry;
  scanEntries(cursor: number, visit: (entry: number) => void): number;
  loadEntry(entry: number): void;
  startWalk(): void;
  next(): boolean;
}

export interface MemberScan {
  readonly cursor: number;
  readonly count: number;
  /** Index of the pattern's argument; 0 = every member. */
  readonly pattern: number;
  /** NOVALUES or NOSCORES. */
  readonly namesOnly: boolean;
}

/** The cursor at argument 2; null after an error reply. */
export function scanCursor(args: Args, reply: ReplyWriter): number | null {
  const given = parseUint64(args.bytes, args.start[2], args.end[2]);
  if (given !== null) return Number(BigInt.asUintN(CURSOR_BITS, given));
  reply.error("ERR invalid cursor");
  return null;
}

/** The reply for a missing key. */
export function replyEmptyScan(reply: ReplyWriter): void {
  reply.array(2);
  reply.bulkText("0");
  reply.array(0);
}

/** The options from argument 3 on; null after an error reply. `nameOption` is this command's. */
export function memberScan(
  args: Args,
  cursor: number,
  nameOption: "NOVALUES" | "NOSCORES" | "",
  reply: ReplyWriter,
): MemberScan | null {
  let count = COUNT_DEFAULT;
  let pattern = 0;
  let namesOnly = false;
  for (let i = 3; i < args.count; i++) {
    const hasValue = i + 1 < args.count;
    if (args.is(i, "COUNT") && hasValue) {
      const given = int64Argument(args, ++i, reply);
      if (given === null) return null;
      if (given < 1n) {
        reply.error(errors.SYNTAX);
        return null;
      }
      count = Number(given);
    } else if (args.is(i, "MATCH") && hasValue) {
      i++;
      pattern = args.lengthOf(i) === 1 && args.bytes[args.start[i]] === 42 ? 0 : i;
    } else if (nameOption !== "" && args.is(i, nameOption)) {
      namesOnly = true;
    } else {
      reply.error(scanOptionError(args, i));
      return null;
    }
  }
  return { cursor, count, pattern, namesOnly };
}

/** What is wrong with option `index`, which the command does not have. */
export function scanOptionError(args: Args, index: number): string {
  if (args.is(index, "NOVALUES")) return "ERR NOVALUES option can only be used in HSCAN";
  if (args.is(index, "NOSCORES")) return "ERR NOSCORES option can only be used in ZSCAN";
  return errors.SYNTAX;
}

/**
 * Walks and replies: `write` writes the member at the cursor, and says how many elements that were.
 */
export function replyScan(
  args: Args,
  scan: MemberScan,
  source: MemberSource,
  reply: ReplyWriter,
  write: () => number,
): void {
  const found = new RecordList();
  let cursor = 0;
  if (source.isIndexed) {
    cursor = scan.cursor;
    let bucketsLeft = scan.count * BUCKETS_PER_COUNT;
    do {
      cursor = source.scanEntries(cursor, found.push);
    } while (cursor !== 0 && bucketsLeft-- > 0 && found.length < scan.count);
  }
  reply.array(2);
  reply.bulkInteger(cursor);
  const mark = reply.deferLength();
  let count = 0;
  const visit = (): void => {
    if (scan.pattern === 0 || matches(args, scan.pattern, source.member)) count += write();
  };
  if (source.isIndexed) {
    for (let i = 0; i < found.length; i++) {
      source.loadEntry(found.records[i]);
      visit();
    }
  } else {
    source.startWalk();
    while (source.next()) visit();
  }
  reply.setDeferred(mark, ReplyType.ARRAY, count);
}

function matches(args: Args, pattern: number, member: ListpackEntry): boolean {
  const text = new Uint8Array(member.textLength());
  member.writeText(text, new DataView(text.buffer), 0);
  const { bytes, start, end } = args;
  return globMatch(bytes, start[pattern], end[pattern], text, 0, text.length, false);
}
