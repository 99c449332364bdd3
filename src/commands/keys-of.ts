/**
 * Where the keys of a request are: the evaluation of a row's key specs against arguments.
 *
 * The specs are tried first. Where one cannot say where its keys are (it is unknown or incomplete,
 * or the arguments contradict it), the row's `getKeys` decides about all of them. O(arguments).
 *
 * COMMAND GETKEYS answers with this; ACL rules and cluster routing ask the same question.
 * Terms: "Key specifications" in Redis's documentation.
 */
import { parseInteger } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import type { CommandSpec, KeySpec } from "./spec.ts";

export interface KeyArgument {
  /** Index of the argument that is the key. */
  readonly index: number;
  /** Words of COMMAND GETKEYSANDFLAGS: "RO access". */
  readonly flags: string;
}

/** The range of COMMAND INFO's third to fifth number; zeros where the specs have none. */
export interface LegacyRange {
  readonly first: number;
  /** Negative: from the end. */
  readonly last: number;
  readonly step: number;
  /** Whether the range leaves keys out. */
  readonly isPartial: boolean;
}

/** Whether the command can have keys at all. */
export function hasKeys(spec: CommandSpec): boolean {
  return spec.getKeys !== undefined || spec.keys.some((key) => !hasWord(key, "not_key"));
}

/** The keys of a request, in the order of the specs; null if its arguments are invalid. */
export function keysOf(spec: CommandSpec, args: Args): KeyArgument[] | null {
  const found: KeyArgument[] = [];
  let isComplete = true;
  for (const key of spec.keys) {
    if (hasWord(key, "not_key")) continue;
    const isKnown = findKeys(spec, key, args, found);
    if (!isKnown || hasWord(key, "incomplete")) isComplete = false;
  }
  if (isComplete) return found;
  if (spec.getKeys === undefined) return countedKeys(spec, args);
  const indexes = spec.getKeys(args);
  if (indexes === null) return null;
  return indexes.map((index) => ({ index, flags: flagsAt(spec, args, index, found) }));
}

/**
 * The keys of a request whose number of keys is no number, read as C reads it: "2x" is 2. Valkey
 * tells them, without flags, though the command will refuse the request.
 */
function countedKeys(spec: CommandSpec, args: Args): KeyArgument[] | null {
  const found: KeyArgument[] = [];
  for (const { begin, find } of spec.keys) {
    if (typeof begin !== "object" || !("index" in begin) || find === "unknown") return null;
    if (!("countAt" in find)) {
      found.push({ index: begin.index, flags: "" });
      continue;
    }
    const countAt = begin.index + find.countAt;
    if (countAt >= args.count) return null;
    const count = parseInt(args.text(countAt), 10);
    const first = begin.index + find.first;
    if (!(count >= 1 && count <= (args.count - first) / find.step)) return null;
    const keys = Array.from({ length: count }, (_, i) => first + i * find.step);
    // A destination, which stands before them, is told behind them.
    found.unshift(...keys.map((index) => ({ index, flags: "" })));
  }
  return spec.keys.some(({ find }) => typeof find === "object" && "countAt" in find) ? found : null;
}

/** Appends the keys of one spec; false if it or the arguments do not tell them. */
function findKeys(spec: CommandSpec, key: KeySpec, args: Args, into: KeyArgument[]): boolean {
  const begin = beginOf(key, args);
  if (begin === 0) return true;
  if (begin === -1 || key.find === "unknown") return false;
  let first = begin;
  let last: number;
  if ("countAt" in key.find) {
    const countAt = begin + key.find.countAt;
    if (countAt >= args.count) return false;
    const count = parseInteger(args.bytes, args.start[countAt], args.end[countAt]);
    if (!(count >= 0)) return false;
    first += key.find.first;
    last = first + (count - 1) * key.find.step;
    // The values that follow the last key of a step are not checked: that is the handler's task.
  } else if (key.find.last >= 0) {
    last = first + key.find.last;
  } else if (key.find.limit <= 1) {
    last = args.count + key.find.last;
  } else {
    last = first + Math.floor((args.count - first) / key.find.limit) + key.find.last;
  }
  if (first >= args.count || last >= args.count || last < first) return false;
  const flags = flagsOf(spec, key, args);
  for (let index = first; index <= last; index += key.find.step) into.push({ index, flags });
  return true;
}

/** Where a spec's search begins: 0 if its keyword is missing, -1 if that is unknown. */
function beginOf(key: KeySpec, args: Args): number {
  if (key.begin === "unknown") return -1;
  if ("index" in key.begin) return key.begin.index;
  const { keyword, from } = key.begin;
  const step = from > 0 ? 1 : -1;
  // Forwards the last argument is left out: a keyword there has nothing behind it. Backwards the
  // search ends before argument 1.
  const end = from > 0 ? args.count - 1 : 1;
  for (let at = from > 0 ? from : args.count + from; at !== end; at += step) {
    if (at >= args.count || at < 1) break;
    if (args.is(at, keyword)) return at + 1;
  }
  return 0;
}

/**
 * The flags of a key that `getKeys` found: of the spec that leads there too, else of the last that
 * leads nowhere (of SORT's two, that is the one of STORE).
 */
function flagsAt(
  spec: CommandSpec,
  args: Args,
  index: number,
  found: readonly KeyArgument[],
): string {
  const known = found.find((key) => key.index === index);
  if (known !== undefined) return known.flags;
  const vague = spec.keys.findLast((key) => key.begin === "unknown" || key.find === "unknown");
  const key = vague ?? spec.keys.at(-1);
  return key === undefined ? "" : flagsOf(spec, key, args);
}

function flagsOf(spec: CommandSpec, key: KeySpec, args: Args): string {
  if (spec.getKeyFlags !== undefined && hasWord(key, "variable_flags")) {
    return spec.getKeyFlags(args);
  }
  const words = key.flags.split(" ");
  return words.filter((word) => word !== "incomplete" && word !== "variable_flags").join(" ");
}

function hasWord(key: KeySpec, word: string): boolean {
  return key.flags.split(" ").includes(word);
}

/**
 * The one range that clients older than key specs understand: the only spec, if that is a range,
 * else the plain ranges that follow each other without a gap.
 */
export function legacyRange(keys: readonly KeySpec[]): LegacyRange {
  const only = keys.length === 1 ? keys[0] : undefined;
  if (only !== undefined && typeof only.begin === "object" && "index" in only.begin) {
    if (only.find !== "unknown" && "last" in only.find) {
      const first = only.begin.index;
      const last = only.find.last < 0 ? only.find.last : first + only.find.last;
      return { first, last, step: only.find.step, isPartial: hasWord(only, "incomplete") };
    }
  }
  let first = 0;
  let last = 0;
  let isPartial = false;
  for (const key of keys) {
    if (hasWord(key, "incomplete")) isPartial = true;
    const isRange = typeof key.begin === "object" && "index" in key.begin;
    if (!isRange || key.find === "unknown" || !("last" in key.find) || key.find.step !== 1) {
      isPartial = true;
      continue;
    }
    const index = (key.begin as { index: number }).index;
    if (last !== 0 && last !== index - 1) {
      isPartial = true;
      continue;
    }
    first = first === 0 ? index : Math.min(first, index);
    const end = key.find.last < 0 ? key.find.last : index + key.find.last;
    // A negative end lies behind every positive one.
    last = last < 0 || end < 0 ? Math.min(last, end) : Math.max(last, end);
  }
  return { first, last, step: first === 0 ? 0 : 1, isPartial };
}
