/**
 * Numbers as configuration values: exact 64-bit integers (bigint, so that nothing is rounded),
 * memory amounts with units, octal numbers and percentiles. The parsers accept exactly what the
 * reference accepts, including what looks like an accident: an amount of memory without digits is
 * zero, and one beyond 64 bits saturates and then wraps when it is multiplied by its unit.
 */

import { beforeNul, toLowerAscii } from "./byte-string.ts";

export const INT_MIN = -2147483648;
export const INT_MAX = 2147483647;
export const UINT_MAX = 4294967295;
const LONG_MIN = -(2n ** 63n);
export const LONG_MAX = 2n ** 63n - 1n;
export const ULONG_MAX = 2n ** 64n - 1n;

const MEMORY_UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n ** 2n,
  mb: 1024n ** 2n,
  g: 1000n ** 3n,
  gb: 1024n ** 3n,
};

/** More digits than this are an error, not a saturated number. */
const MEMORY_DIGITS_MAX = 127;

/** A canonical signed 64-bit decimal (no sign but '-', no leading zero), or null. */
export function parseInteger(text: string): bigint | null {
  if (!/^(0|-?[1-9][0-9]{0,19})$/.test(text) || text.endsWith("\n")) return null;
  const value = BigInt(text);
  return value >= LONG_MIN && value <= LONG_MAX ? value : null;
}

/**
 * The lenient C parser: leading blanks, a sign, digits; saturates. Null if anything follows the
 * digits. Text without digits is zero if it is empty, and null otherwise.
 */
export function parseLenientInteger(text: string): bigint | null {
  const cText = beforeNul(text);
  if (cText === "") return 0n;
  const match = /^[ \t-\r]*([+-]?)([0-9]+)$/.exec(cText);
  if (match === null) return null;
  const value = match[1] === "-" ? -BigInt(match[2]) : BigInt(match[2]);
  if (value > LONG_MAX) return LONG_MAX;
  return value < LONG_MIN ? LONG_MIN : value;
}

/** Octal with the same leniency, but an overflow is an error. */
export function parseOctal(text: string): bigint | null {
  const cText = beforeNul(text);
  if (cText === "") return 0n;
  const match = /^[ \t-\r]*([+-]?)([0-7]+)$/.exec(cText);
  if (match === null) return null;
  const magnitude = BigInt("0o" + match[2]);
  const value = match[1] === "-" ? -magnitude : magnitude;
  return value > LONG_MAX || value < LONG_MIN ? null : value;
}

/** Bytes with an optional unit, as an unsigned 64-bit number, or null. */
export function parseMemory(text: string): bigint | null {
  const match = /^([0-9]*)([a-zA-Z]*)$/.exec(beforeNul(text));
  if (match === null || match[0].length !== beforeNul(text).length) return null;
  const unit = MEMORY_UNITS[toLowerAscii(match[2])];
  if (unit === undefined || match[1].length > MEMORY_DIGITS_MAX) return null;
  const digits = match[1] === "" ? 0n : BigInt(match[1]);
  return BigInt.asUintN(64, (digits > ULONG_MAX ? ULONG_MAX : digits) * unit);
}

/** Bytes in the largest unit that divides them, as CONFIG REWRITE writes them. */
export function formatMemory(bytes: bigint): string {
  if (bytes !== 0n) {
    for (const unit of ["gb", "mb", "kb"]) {
      if (bytes % MEMORY_UNITS[unit] === 0n) return `${bytes / MEMORY_UNITS[unit]}${unit}`;
    }
  }
  return bytes.toString();
}

/** A floating-point number as strtod reads it (decimal, hexadecimal, infinity), or null. */
export function parseFloating(text: string): number | null {
  if (/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(text)) return Number(text);
  const special = /^([+-]?)(0x[0-9a-f]+|inf|infinity)$/i.exec(text);
  if (special === null) return null;
  const magnitude = /^i/i.test(special[2]) ? Infinity : Number(special[2]);
  return special[1] === "-" ? -magnitude : magnitude;
}

/** At most six decimals without trailing zeros. */
export function formatPercentile(value: number): string {
  const text = value.toFixed(6).replace(/\.?0+$/, "");
  return Object.is(value, -0) && !text.startsWith("-") ? "-" + text : text;
}

/** The nearest number that a JS number holds exactly: a limit beyond 2^53 is never reached. */
export function saturate(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER;
  return Number(value);
}
