/**
 * SORT and SORT_RO: the elements of a list, set or sorted set in another order, by themselves or by
 * values that they name, with other values in their place.
 * Documentation: the "Generic" group of Redis's command reference.
 *
 * The elements are copied first, as strings with one character per byte: what is looked up for them
 * may use the same cursors, and such strings compare as bytes do. O(n log n) and one lookup per
 * element and pattern. Where BY names nothing to sort by, only what LIMIT leaves is copied.
 *
 * Sorting a small sorted set makes it a large one for good, as OBJECT ENCODING shows: Redis reads
 * it as a skiplist, and so does every server that is compared with it.
 */
import { bytesFromAscii, latin1FromBytes, writeAscii } from "../base/ascii.ts";
import { copyBytes } from "../base/bytes.ts";
import { parseDouble } from "../base/double.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType, encodingOf, metaOf, rootOf, typeOf, viewOf } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { ListpackEntry } from "../structures/listpack-entry.ts";
import { int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { dropStaleField } from "./hash-value.ts";
import { replyEntry } from "./listpack-reply.ts";
import { Acl, type CommandSpec, Flag, type KeySpec, oneKey } from "./spec.ts";
import { bytesOf, replyString, stringLength, stringStart } from "./string-value.ts";

const NOT_NUMBERS = "ERR One or more scores can't be converted into double";
/** Texts that a number reads back from without looking closer. */
const SHORT_INTEGER = /^-?\d{1,15}$/;
const NAME_BYTES_MIN = 1024;
const NAME_BYTES_KEPT = 65536;
const LEADING_BLANKS = /^[ \t\n\v\f\r]+/;

const PATTERN_KEYS: KeySpec = {
  flags: "RO access",
  begin: "unknown",
  find: "unknown",
  notes: "`BY` and `GET` patterns: these names come from the elements being sorted",
};

export const sortCommands: readonly CommandSpec[] = [
  {
    name: "sort",
    arity: -2,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.MOVABLE_KEYS,
    acl: Acl.SET | Acl.SORTED_SET | Acl.LIST | Acl.DANGEROUS,
    keys: [
      oneKey("RO access")[0],
      PATTERN_KEYS,
      {
        flags: "OW update",
        begin: "unknown",
        find: "unknown",
        notes: "`STORE` destination: the keyword may stand at any position",
      },
    ],
    getKeys: sortKeys,
    run: (ctx, args, reply) => sortGeneric(ctx, args, reply, true),
  },
  {
    name: "sort_ro",
    arity: -2,
    flags: Flag.READONLY | Flag.MOVABLE_KEYS,
    acl: Acl.SET | Acl.SORTED_SET | Acl.LIST | Acl.DANGEROUS,
    keys: [oneKey("RO access")[0], PATTERN_KEYS],
    getKeys: () => [1],
    run: (ctx, args, reply) => sortGeneric(ctx, args, reply, false),
  },
];

interface SortOptions {
  isDescending: boolean;
  isAlphabetic: boolean;
  limitStart: number;
  /** Negative: all. */
  limitCount: number;
  by: Pattern | null;
  gets: Pattern[];
  /** Index of the argument that is the destination; 0 = none. */
  storeIndex: number;
}

/** What BY or GET name: see `lookupPattern`. */
interface Pattern {
  readonly kind: "element" | "nothing" | "string" | "field";
  readonly hasAsterisk: boolean;
  /** What is before and behind the element in the name of a key. */
  readonly prefix: DataView;
  readonly suffix: DataView;
  readonly field: DataView;
}

interface SortElement {
  readonly text: string;
  /** At first the element itself, if that is a safe integer, else NaN. */
  score: number;
  /** What BY names, of an alphabetic sort. */
  weight: string | null;
}

/** The key, and the last destination: options and their arguments are skipped as SORT reads them. */
function sortKeys(args: Args): number[] {
  let storeIndex = 0;
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, "LIMIT")) i += 2;
    else if (args.is(i, "GET") || args.is(i, "BY")) i++;
    else if (args.is(i, "STORE") && i + 1 < args.count) storeIndex = i + 1;
  }
  return storeIndex === 0 ? [1] : [1, storeIndex];
}

/**
 * SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]
 *   [STORE destination]
 */
function sortGeneric(ctx: CommandContext, args: Args, reply: ReplyWriter, mayStore: boolean): void {
  const options = sortOptions(args, reply, mayStore);
  if (options === null) return;
  const { db, keyspace } = ctx;
  const record = db.lookupRead(args.view, args.start[1], args.end[1]);
  const type = record === 0 ? ValueType.LIST : typeOf(metaOf(keyspace.arena, record));
  if (type !== ValueType.LIST && type !== ValueType.SET && type !== ValueType.ZSET) {
    reply.error(errors.WRONG_TYPE);
    return;
  }
  // A pattern without an asterisk names the same for all: there is nothing to sort by.
  let sorts = options.by === null || options.by.hasAsterisk;
  if (!sorts && type === ValueType.SET && options.storeIndex !== 0) {
    // What is stored must not depend on the order of a hash table.
    sorts = true;
    options.isAlphabetic = true;
    options.by = null;
  }
  if (!sorts && type !== ValueType.SET) {
    const chosen = record === 0 ? [] : elementsInOrder(ctx, record, type, options);
    finish(ctx, args, chosen, options, reply);
    return;
  }
  const elements = record === 0 ? [] : elementsOf(ctx, record, type);
  if (sorts) {
    if (!weigh(ctx, elements, options)) {
      reply.error(NOT_NUMBERS);
      return;
    }
    sortElements(elements, options);
  }
  finish(ctx, args, limited(elements, options), options, reply);
}

function finish(
  ctx: CommandContext,
  args: Args,
  chosen: readonly SortElement[],
  options: SortOptions,
  reply: ReplyWriter,
): void {
  if (options.storeIndex !== 0) storeSorted(ctx, args, chosen, options, reply);
  else replySorted(ctx, chosen, options, reply);
}

/** The options of SORT; null after an error reply. */
function sortOptions(args: Args, reply: ReplyWriter, mayStore: boolean): SortOptions | null {
  const options: SortOptions = {
    isDescending: false,
    isAlphabetic: false,
    limitStart: 0,
    limitCount: -1,
    by: null,
    gets: [],
    storeIndex: 0,
  };
  for (let i = 2; i < args.count; i++) {
    const rest = args.count - i - 1;
    if (args.is(i, "ASC")) options.isDescending = false;
    else if (args.is(i, "DESC")) options.isDescending = true;
    else if (args.is(i, "ALPHA")) options.isAlphabetic = true;
    else if (args.is(i, "LIMIT") && rest >= 2) {
      const start = int64Argument(args, ++i, reply);
      if (start === null) return null;
      const count = int64Argument(args, ++i, reply);
      if (count === null) return null;
      options.limitStart = Number(start);
      options.limitCount = Number(count);
    } else if (mayStore && args.is(i, "STORE") && rest >= 1) options.storeIndex = ++i;
    else if (args.is(i, "BY") && rest >= 1) options.by = parsePattern(args.text(++i));
    else if (args.is(i, "GET") && rest >= 1) options.gets.push(parsePattern(args.text(++i)));
    else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  return options;
}

/** All elements of a value, in its own order. */
function elementsOf(ctx: CommandContext, record: number, type: ValueType): SortElement[] {
  const { arena, lists, sets, zsets } = ctx.keyspace;
  const meta = metaOf(arena, record);
  const root = rootOf(viewOf(arena, record), record, meta);
  const elements: SortElement[] = [];
  const add = (entry: ListpackEntry): void => {
    const score = entry.isInteger ? entry.value : NaN;
    elements.push({ text: entryText(entry), score, weight: null });
  };
  if (type === ValueType.LIST) {
    lists.attach(root, encodingOf(meta));
    for (let more = lists.seekEnd(true); more; more = lists.step(true)) {
      lists.read();
      add(lists.entry);
    }
  } else if (type === ValueType.SET) {
    sets.attach(root, encodingOf(meta));
    sets.startWalk();
    while (sets.next()) add(sets.member);
  } else {
    openAsTree(ctx, record, root, meta);
    zsets.startWalk();
    while (zsets.next()) add(zsets.member);
  }
  return elements;
}

/**
 * The elements that LIMIT leaves of a list or a sorted set in its own order, or in the reverse of
 * it. O(those elements), after O(log n) for a sorted set and O(nodes) for a list.
 */
function elementsInOrder(
  ctx: CommandContext,
  record: number,
  type: ValueType,
  { isDescending, limitStart, limitCount }: SortOptions,
): SortElement[] {
  const { arena, lists, zsets } = ctx.keyspace;
  const meta = metaOf(arena, record);
  const root = rootOf(viewOf(arena, record), record, meta);
  const isList = type === ValueType.LIST;
  if (isList) lists.attach(root, encodingOf(meta));
  else openAsTree(ctx, record, root, meta);
  const { length } = isList ? lists : zsets;
  const skipped = Math.max(limitStart, 0);
  const count = limitCount < 0 ? length - skipped : Math.min(limitCount, length - skipped);
  const elements: SortElement[] = [];
  if (count <= 0) return elements;
  const first = isDescending ? length - 1 - skipped : skipped;
  if (isList) lists.seek(first);
  else zsets.seek(first);
  for (;;) {
    if (isList) lists.read();
    const text = entryText(isList ? lists.entry : zsets.member);
    elements.push({ text, score: 0, weight: null });
    if (elements.length === count) return elements;
    if (isList) lists.step(!isDescending);
    else if (isDescending) zsets.previous();
    else zsets.next();
  }
}

/** Attaches a sorted set, and makes it a large one. */
function openAsTree(ctx: CommandContext, record: number, root: number, meta: number): void {
  const { zsets } = ctx.keyspace;
  zsets.attach(root, encodingOf(meta));
  zsets.convertFor(Infinity, 0);
  ctx.db.updateRoot(record, zsets.encoding, zsets.root);
}

/** Finds out what each element is sorted by; false if that is no number and should be. */
function weigh(ctx: CommandContext, elements: SortElement[], options: SortOptions): boolean {
  const { by, isAlphabetic } = options;
  if (by === null && isAlphabetic) return true;
  for (const element of elements) {
    if (isAlphabetic) element.weight = by === null ? null : textOfPattern(ctx, by, element.text);
    else if (by !== null) element.score = scoreOfPattern(ctx, by, element.text);
    else if (element.score !== element.score) element.score = scoreOf(element.text);
    if (!isAlphabetic && element.score !== element.score) return false;
  }
  return true;
}

/** The number that a pattern means for an element; 0 for nothing, NaN if it is none. */
function scoreOfPattern(ctx: CommandContext, pattern: Pattern, element: string): number {
  const record = lookupPattern(ctx, pattern, element);
  if (record !== 0 && pattern.kind === "string") {
    const { arena } = ctx.keyspace;
    const start = stringStart(arena, record);
    const score = parseDouble(bytesOf(arena, record), start, start + stringLength(arena, record));
    if (score === score) return score;
  }
  const text = textOfFound(ctx, pattern, element, record);
  return text === null ? 0 : scoreOf(text);
}

/** The number in a text, as strtod reads all of it; NaN if it is none. */
function scoreOf(weight: string): number {
  if (SHORT_INTEGER.test(weight)) return Number(weight);
  const nul = weight.indexOf("\0");
  const text = nul === -1 ? weight : weight.slice(0, nul);
  if (text === "") return 0;
  const bytes = bytesFromAscii(text.replace(LEADING_BLANKS, ""));
  return parseDouble(bytes, 0, bytes.length);
}

function sortElements(elements: SortElement[], options: SortOptions): void {
  const sign = options.isDescending ? -1 : 1;
  if (!options.isAlphabetic) {
    // Equal numbers are ordered by the elements, so that the result does not depend on chance.
    elements.sort((a, b) => {
      if (a.score !== b.score) return a.score < b.score ? -sign : sign;
      return compareTexts(a.text, b.text) * sign;
    });
  } else if (options.by === null) {
    elements.sort((a, b) => compareTexts(a.text, b.text) * sign);
  } else {
    elements.sort((a, b) => compareWeights(a.weight, b.weight) * sign);
  }
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Nothing comes before everything. */
function compareWeights(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compareTexts(a, b);
}

/** The elements that LIMIT leaves. */
function limited(elements: SortElement[], options: SortOptions): SortElement[] {
  const start = Math.max(options.limitStart, 0);
  const end = options.limitCount < 0 ? elements.length : start + options.limitCount;
  return start === 0 && end >= elements.length ? elements : elements.slice(start, end);
}

function replySorted(
  ctx: CommandContext,
  elements: readonly SortElement[],
  { gets }: SortOptions,
  reply: ReplyWriter,
): void {
  reply.array(elements.length * Math.max(gets.length, 1));
  for (const { text } of elements) {
    if (gets.length === 0) reply.bulkText(text);
    for (const pattern of gets) {
      const record = lookupPattern(ctx, pattern, text);
      if (pattern.kind === "element") reply.bulkText(text);
      else if (record === 0) reply.nil();
      else if (pattern.kind === "string") replyString(ctx.keyspace.arena, record, reply);
      else replyEntry(reply, ctx.keyspace.hashes.value);
    }
  }
}

function storeSorted(
  ctx: CommandContext,
  args: Args,
  elements: readonly SortElement[],
  { gets, storeIndex }: SortOptions,
  reply: ReplyWriter,
): void {
  const { db, keyspace } = ctx;
  const { view } = args;
  const start = args.start[storeIndex];
  const end = args.end[storeIndex];
  const texts: string[] = [];
  for (const { text } of elements) {
    if (gets.length === 0) texts.push(text);
    for (const pattern of gets) texts.push(textOfPattern(ctx, pattern, text) ?? "");
  }
  if (texts.length === 0) {
    const old = db.lookupWrite(view, start, end);
    if (old !== 0) {
      db.removeFound(old);
      db.changed(NotifyClass.GENERIC, "del", view, start, end);
    }
    reply.integer(0);
    return;
  }
  const { lists } = keyspace;
  const quicklist = lists.createQuicklist();
  for (const text of texts) {
    const bytes = viewOfText(text);
    quicklist.push(false, bytes, 0, bytes.byteLength);
  }
  lists.settle();
  const { root, encoding } = lists;
  const old = db.lookupWrite(view, start, end);
  db.replaceWithRoot(old, view, start, end, ValueType.LIST, encoding, root);
  keyspace.dirty += texts.length - 1;
  db.changed(NotifyClass.LIST, "sortstore", view, start, end);
  reply.integer(texts.length);
}

/**
 * A pattern of BY or GET: "#" means the element itself, "a*b" the string of the key whose name has
 * the element in place of the asterisk, "a*b->c" the field c of such a hash.
 */
function parsePattern(pattern: string): Pattern {
  const asterisk = pattern.indexOf("*");
  const arrow = pattern.indexOf("->", asterisk + 1);
  const hasField = arrow !== -1 && arrow + 2 < pattern.length;
  const keyEnd = hasField ? arrow : pattern.length;
  const named = asterisk === -1 ? "nothing" : hasField ? "field" : "string";
  return {
    kind: pattern === "#" ? "element" : named,
    hasAsterisk: asterisk !== -1,
    prefix: viewOfText(pattern.slice(0, Math.max(asterisk, 0))),
    suffix: viewOfText(pattern.slice(asterisk + 1, keyEnd)),
    field: viewOfText(hasField ? pattern.slice(arrow + 2) : ""),
  };
}

/** The name of a key, and texts on the way to strings. */
let nameBytes = Buffer.alloc(NAME_BYTES_MIN);
let nameView = new DataView(nameBytes.buffer, nameBytes.byteOffset);

/**
 * The record of the string, or of the hash, that a pattern means for an element: then the field is
 * in `hashes.value`. 0 if there is none, and for patterns that name no key.
 */
function lookupPattern(ctx: CommandContext, pattern: Pattern, element: string): number {
  const { kind, prefix, suffix, field } = pattern;
  if (kind === "element" || kind === "nothing") return 0;
  const suffixAt = prefix.byteLength + element.length;
  const end = suffixAt + suffix.byteLength;
  makeRoom(end);
  copyBytes(nameView, 0, prefix, 0, prefix.byteLength);
  writeAscii(nameBytes, prefix.byteLength, element);
  copyBytes(nameView, suffixAt, suffix, 0, suffix.byteLength);
  const record = ctx.db.lookupRead(nameView, 0, end);
  if (record === 0) return 0;
  const { arena, hashes } = ctx.keyspace;
  const meta = metaOf(arena, record);
  if (kind === "string") return typeOf(meta) === ValueType.STRING ? record : 0;
  if (typeOf(meta) !== ValueType.HASH) return 0;
  hashes.attach(rootOf(viewOf(arena, record), record, meta), encodingOf(meta));
  // With STORE the request propagates, and must find the same when it is read.
  if (dropStaleField(ctx, record, nameView, 0, end, field, 0, field.byteLength)) return 0;
  return hashes.find(field, 0, field.byteLength) ? record : 0;
}

/** What a pattern means for an element; null for nothing. */
function textOfPattern(ctx: CommandContext, pattern: Pattern, element: string): string | null {
  return textOfFound(ctx, pattern, element, lookupPattern(ctx, pattern, element));
}

/** As `textOfPattern`, with what `lookupPattern` found. */
function textOfFound(
  ctx: CommandContext,
  pattern: Pattern,
  element: string,
  record: number,
): string | null {
  if (pattern.kind === "element") return element;
  if (record === 0) return null;
  const { arena, hashes } = ctx.keyspace;
  if (pattern.kind === "field") return entryText(hashes.value);
  const start = stringStart(arena, record);
  return latin1FromBytes(bytesOf(arena, record), start, start + stringLength(arena, record));
}

function entryText(entry: ListpackEntry): string {
  if (entry.isInteger && entry.value === entry.value) return String(entry.value);
  makeRoom(entry.textLength());
  return nameBytes.toString("latin1", 0, entry.writeText(nameBytes, nameView, 0));
}

/** Makes room for a name or a text; what a large one took is given back. */
function makeRoom(bytes: number): void {
  if (bytes <= nameBytes.length && nameBytes.length <= NAME_BYTES_KEPT) return;
  nameBytes = Buffer.alloc(Math.max(bytes, NAME_BYTES_MIN));
  nameView = new DataView(nameBytes.buffer, nameBytes.byteOffset);
}

function viewOfText(text: string): DataView {
  return new DataView(bytesFromAscii(text).buffer);
}
