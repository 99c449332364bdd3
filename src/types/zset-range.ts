// HOT PATH: rules in src/README.md
/**
 * Ranges of sorted sets: by score, by member, by rank; parsed from arguments, and located.
 *
 *     score     1.5   (1.5   -inf   +inf     a number, exclusive behind "("
 *     member    [abc  (abc   -      +        inclusive, exclusive, the least, the greatest
 *     rank      0     -1                     from the start or, negative, from the end
 *
 * `locate` turns a range into `first`, the rank of the first member to visit, and `count`: so
 * many members follow, upward, or downward with `isReverse`. One object serves an engine.
 *
 * Ranges by member mean something only where all scores are equal. A listpack with other scores is
 * walked from the same end as Valkey does, so that the result is the same one.
 *
 * Locating is O(log n) in a tree, O(n) in a listpack.
 */
import { latin1FromBytes } from "../base/ascii.ts";
import { parseDouble } from "../base/double.ts";
import { type SortedSets, ZsetEncoding } from "./zset.ts";

const OPEN_PARENTHESIS = 0x28;
const OPEN_BRACKET = 0x5b;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** What a bound of a range by member is. */
const enum Bound {
  LEAST = 0,
  MEMBER = 1,
  GREATEST = 2,
}

/** What a range counts by. */
export const enum RangeBy {
  /** Not said: by rank. */
  DEFAULT = 0,
  RANK = 1,
  SCORE = 2,
  MEMBER = 3,
}

export class ZsetRange {
  /** What was asked for: set by whoever reads the options. */
  by: number = RangeBy.RANK;
  isReverse = false;
  /** Members left out at the start, and the most to visit after them; negative = all. */
  offset = 0;
  limit = -1;

  /** What was located. */
  first = 0;
  count = 0;

  private start = 0;
  private stop = 0;
  private minScore = 0;
  private maxScore = 0;
  private excludesMin = false;
  private excludesMax = false;

  private minBound: number = Bound.LEAST;
  private maxBound: number = Bound.GREATEST;
  /** The bytes of the bounds; valid as long as the request's. */
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  private minStart = 0;
  private minEnd = 0;
  private maxStart = 0;
  private maxEnd = 0;

  /** Takes the ranks of the first and the last member. */
  setRanks(start: number, stop: number): void {
    this.start = start;
    this.stop = stop;
  }

  /** Reads two bounds by score; false if one is none. */
  parseScores(
    bytes: Uint8Array,
    minStart: number,
    minEnd: number,
    maxStart: number,
    maxEnd: number,
  ): boolean {
    this.excludesMin = minStart < minEnd && bytes[minStart] === OPEN_PARENTHESIS;
    this.excludesMax = maxStart < maxEnd && bytes[maxStart] === OPEN_PARENTHESIS;
    this.minScore = parseScore(bytes, this.excludesMin ? minStart + 1 : minStart, minEnd);
    this.maxScore = parseScore(bytes, this.excludesMax ? maxStart + 1 : maxStart, maxEnd);
    return this.minScore === this.minScore && this.maxScore === this.maxScore;
  }

  /** Reads two bounds by member; false if one is none. `bytes` and `view` are one memory. */
  parseMembers(
    bytes: Uint8Array,
    view: DataView,
    minStart: number,
    minEnd: number,
    maxStart: number,
    maxEnd: number,
  ): boolean {
    this.bytes = bytes;
    this.view = view;
    const minBound = memberBound(bytes, minStart, minEnd);
    const maxBound = memberBound(bytes, maxStart, maxEnd);
    if (minBound < 0 || maxBound < 0) return false;
    this.minBound = minBound;
    this.maxBound = maxBound;
    // Both ends of the order are exclusive, so that "- -" and "+ +" are empty.
    this.excludesMin = bytes[minStart] !== OPEN_BRACKET;
    this.excludesMax = bytes[maxStart] !== OPEN_BRACKET;
    this.minStart = minStart + 1;
    this.minEnd = minEnd;
    this.maxStart = maxStart + 1;
    this.maxEnd = maxEnd;
    return true;
  }

  /** Locates what was asked for. */
  locate(zset: SortedSets): void {
    if (this.by === RangeBy.SCORE) this.locateScores(zset);
    else if (this.by === RangeBy.MEMBER) this.locateMembers(zset);
    else {
      this.locateRanks(zset);
      return;
    }
    if (this.limit >= 0 && this.count > this.limit) this.count = this.limit;
  }

  /** Locates the members of ranks `start` to `stop`, both inclusive, counted as the visit goes. */
  private locateRanks(zset: SortedSets): void {
    const { length } = zset;
    let from = this.start < 0 ? this.start + length : this.start;
    let to = this.stop < 0 ? this.stop + length : this.stop;
    if (from < 0) from = 0;
    if (to >= length) to = length - 1;
    this.count = from > to ? 0 : to - from + 1;
    this.first = this.isReverse ? length - 1 - from : from;
  }

  private locateScores(zset: SortedSets): void {
    const start = zset.countBelow(this.minScore, this.excludesMin);
    const end = zset.countBelow(this.maxScore, !this.excludesMax);
    this.select(start, end, zset.encoding === ZsetEncoding.TREE);
  }

  private locateMembers(zset: SortedSets): void {
    this.count = 0;
    if (this.hasNoMember()) return;
    if (zset.encoding !== ZsetEncoding.TREE) {
      if (this.offset < 0 || !this.meets(zset)) return;
      if (this.isReverse) this.walkDown(zset);
      else this.walkUp(zset);
      return;
    }
    const start =
      this.minBound === Bound.MEMBER
        ? zset.countBelowMember(this.view, this.minStart, this.minEnd, this.excludesMin)
        : this.minBound === Bound.LEAST
          ? 0
          : zset.length;
    const end =
      this.maxBound === Bound.MEMBER
        ? zset.countBelowMember(this.view, this.maxStart, this.maxEnd, !this.excludesMax)
        : this.maxBound === Bound.LEAST
          ? 0
          : zset.length;
    this.select(start, end, true);
  }

  /**
   * Chooses from ranks start..end - 1. A negative offset selects nothing, but in a tree it counts
   * from the other end, as in Valkey 8.
   */
  private select(start: number, end: number, isTree: boolean): void {
    const { isReverse, offset } = this;
    this.count = 0;
    if (offset < 0 && !isTree) return;
    let first = isReverse ? end - 1 - offset : start + offset;
    if (offset < 0) first = isReverse ? start - offset - 1 : end + offset;
    if (first < start || first >= end) return;
    this.first = first;
    this.count = isReverse ? first - start + 1 : end - first;
  }

  /** Whether no member at all can lie between the bounds. */
  private hasNoMember(): boolean {
    if (this.minBound === Bound.GREATEST || this.maxBound === Bound.LEAST) return true;
    if (this.minBound !== Bound.MEMBER || this.maxBound !== Bound.MEMBER) return false;
    const { bytes, minStart, maxStart } = this;
    const minLength = this.minEnd - minStart;
    const maxLength = this.maxEnd - maxStart;
    const common = Math.min(minLength, maxLength);
    let order = 0;
    for (let i = 0; i < common && order === 0; i++)
      order = bytes[minStart + i] - bytes[maxStart + i];
    if (order === 0) order = minLength - maxLength;
    return order > 0 || (order === 0 && (this.excludesMin || this.excludesMax));
  }

  /** Whether the listpack's last member is not below the range, and its first one not above. */
  private meets(zset: SortedSets): boolean {
    const { length } = zset;
    if (length === 0) return false;
    zset.seek(length - 1);
    if (!this.isAboveMin(zset)) return false;
    zset.seek(0);
    return this.isBelowMax(zset);
  }

  /** Locates in a listpack from its first member that is not below the range. */
  private walkUp(zset: SortedSets): void {
    const { length } = zset;
    let rank = 0;
    zset.seek(0);
    while (!this.isAboveMin(zset)) {
      if (!zset.next()) return;
      rank++;
    }
    if (!this.isBelowMax(zset) || this.offset >= length - rank) return;
    rank += this.offset;
    this.first = rank;
    zset.seek(rank);
    for (let isThere = true; isThere && this.isBelowMax(zset); isThere = zset.next()) this.count++;
  }

  /** Locates in a listpack down from its last member that is not above the range. */
  private walkDown(zset: SortedSets): void {
    let rank = zset.length - 1;
    zset.seek(rank);
    while (!this.isBelowMax(zset)) {
      if (!zset.previous()) return;
      rank--;
    }
    if (!this.isAboveMin(zset) || this.offset > rank) return;
    rank -= this.offset;
    this.first = rank;
    zset.seek(rank);
    for (let isThere = true; isThere && this.isAboveMin(zset); isThere = zset.previous()) {
      this.count++;
    }
  }

  private isAboveMin(zset: SortedSets): boolean {
    if (this.minBound !== Bound.MEMBER) return this.minBound === Bound.LEAST;
    const order = zset.compareMember(this.view, this.minStart, this.minEnd - this.minStart);
    return this.excludesMin ? order > 0 : order >= 0;
  }

  private isBelowMax(zset: SortedSets): boolean {
    if (this.maxBound !== Bound.MEMBER) return this.maxBound === Bound.GREATEST;
    const order = zset.compareMember(this.view, this.maxStart, this.maxEnd - this.maxStart);
    return this.excludesMax ? order < 0 : order <= 0;
  }
}

/** The kind of a bound by member (Bound), or -1. "-" and "+" are read as C strings, up to a NUL. */
function memberBound(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return -1;
  const first = bytes[start];
  if (first === OPEN_BRACKET || first === OPEN_PARENTHESIS) return Bound.MEMBER;
  if (end - start > 1 && bytes[start + 1] !== 0) return -1;
  if (first === MINUS) return Bound.LEAST;
  return first === PLUS ? Bound.GREATEST : -1;
}

/** A bound by score, as strtod(3) reads it: NaN if it is none. */
function parseScore(bytes: Uint8Array, start: number, end: number): number {
  const value = parseDouble(bytes, start, end);
  return value === value ? value : parseScoreLeniently(bytes, start, end);
}

/**
 * What strtod(3) reads and `parseDouble` refuses: spaces in front, numbers beyond a double's range,
 * bytes behind a NUL; and nothing at all, which is 0.
 * COLD: nobody writes such bounds.
 */
function parseScoreLeniently(bytes: Uint8Array, start: number, end: number): number {
  const [text] = latin1FromBytes(bytes, start, end).split("\0", 1);
  if (text === "") return 0;
  const trimmed = text.replace(/^[ \t\n\v\f\r]+/, "");
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return Number(trimmed);
  return parseDouble(Buffer.from(trimmed, "latin1"), 0, trimmed.length);
}
