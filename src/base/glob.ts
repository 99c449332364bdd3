// HOT PATH: rules in src/README.md
/**
 * Glob patterns as KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL rules understand them.
 *
 *   *        any run of bytes, also none       [abc]    one of the bytes
 *   ?        any one byte                      [a-z]    a range, its ends in either order
 *   \x       the byte x itself                 [^abc]   any byte but these
 *
 * The corners are Valkey 8.1's:
 *   1. A class that is never closed ends with the pattern, so "[ab" is "[ab]". "[]" matches nothing
 *      and "[^]" any byte.
 *   2. A backslash that is the last byte of the pattern stands for itself. In a class it quotes the
 *      next byte, and a quoted byte is compared with its case even when case is ignored.
 *   3. The empty text is matched by the empty pattern only, not by "*".
 *   4. Ranges compare bytes as C's signed char: 0x80-0xff sort below 0x00-0x7f.
 *   5. A pattern matches nothing once it needs more than 1000 runs of '*' that are not at its end.
 *
 * Only the last '*' is ever retried: if the rest of the pattern after it is nowhere in the rest of
 * the text, no longer run for an earlier '*' can help. So the match is a loop with one point of
 * return, O(pattern * text) at worst, where plain recursion would be exponential in the number of
 * stars.
 */

import { toLowerByte } from "./ascii.ts";

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const BACKSLASH = 0x5c;
const CARET = 0x5e;
const DASH = 0x2d;

const STARS_MAX = 1000;

/** Whether pattern[patternStart, patternEnd) matches the whole of text[textStart, textEnd). */
export function globMatch(
  pattern: Uint8Array,
  patternStart: number,
  patternEnd: number,
  text: Uint8Array,
  textStart: number,
  textEnd: number,
  ignoreCase: boolean,
): boolean {
  let at = patternStart;
  let textAt = textStart;
  let stars = 0;
  // Where to go on after a mismatch: behind the last star, with the star taking one byte more.
  let retryAt = -1;
  let retryTextAt = 0;

  if (textAt === textEnd) return at === patternEnd;
  while (true) {
    let isMatch = false;
    if (at < patternEnd) {
      const byte = pattern[at];
      if (byte === STAR) {
        do at++;
        while (at < patternEnd && pattern[at] === STAR);
        if (at === patternEnd) return true;
        if (++stars > STARS_MAX) return false;
        retryAt = at;
        retryTextAt = textAt;
        continue;
      }
      if (byte === QUESTION) {
        isMatch = true;
        at++;
      } else if (byte === OPEN_BRACKET) {
        isMatch = matchesClass(pattern, at, patternEnd, text[textAt], ignoreCase);
        if (isMatch) at = classEnd(pattern, at, patternEnd);
      } else {
        if (byte === BACKSLASH && at + 1 < patternEnd) at++;
        isMatch = ignoreCase
          ? toLowerByte(pattern[at]) === toLowerByte(text[textAt])
          : pattern[at] === text[textAt];
        at++;
      }
    }
    if (isMatch) {
      textAt++;
      if (textAt < textEnd) continue;
      while (at < patternEnd && pattern[at] === STAR) at++;
      // With text left over by a longer run of the star there would only be less for the rest.
      return at === patternEnd;
    }
    if (retryAt < 0) return false;
    at = retryAt;
    textAt = ++retryTextAt;
    if (textAt === textEnd) return false;
  }
}

/** The offset behind the class that opens at `open`. */
function classEnd(pattern: Uint8Array, open: number, end: number): number {
  let at = open + 1;
  if (at < end && pattern[at] === CARET) at++;
  while (at < end) {
    const byte = pattern[at];
    if (byte === CLOSE_BRACKET) return at + 1;
    if (byte === BACKSLASH && at + 1 < end) at += 2;
    else if (at + 2 < end && pattern[at + 1] === DASH) at += 3;
    else at++;
  }
  return end;
}

/** Whether the class that opens at `open` contains the byte. */
function matchesClass(
  pattern: Uint8Array,
  open: number,
  end: number,
  byte: number,
  ignoreCase: boolean,
): boolean {
  let at = open + 1;
  const isNegated = at < end && pattern[at] === CARET;
  if (isNegated) at++;
  while (at < end) {
    const member = pattern[at];
    let isMember = false;
    if (member === BACKSLASH && at + 1 < end) {
      isMember = pattern[at + 1] === byte;
      at += 2;
    } else if (member === CLOSE_BRACKET) {
      break;
    } else if (at + 2 < end && pattern[at + 1] === DASH) {
      isMember = isInRange(member, pattern[at + 2], byte, ignoreCase);
      at += 3;
    } else {
      isMember = ignoreCase ? toLowerByte(member) === toLowerByte(byte) : member === byte;
      at++;
    }
    if (isMember) return !isNegated;
  }
  return isNegated;
}

function isInRange(from: number, to: number, byte: number, ignoreCase: boolean): boolean {
  let low = signed(from);
  let high = signed(to);
  if (low > high) {
    const swapped = low;
    low = high;
    high = swapped;
  }
  if (!ignoreCase) {
    const value = signed(byte);
    return value >= low && value <= high;
  }
  const value = signedLower(byte);
  return value >= signedLower(low & 0xff) && value <= signedLower(high & 0xff);
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/**
 * C's tolower of a signed char: glibc answers with the unsigned value, except for 0xff, which is
 * EOF.
 */
function signedLower(byte: number): number {
  return byte === 0xff ? -1 : toLowerByte(byte);
}
