/**
 * Parsing, showing and rewriting the value of one directive, by its kind. Nothing here keeps
 * state; `Config` stores what `parseValue` returns.
 */

import {
  Flag,
  type ConfigValue,
  type Directive,
  type EnumRow,
  type EnumTable,
  hasFlag,
  isNumeric,
  type NumericRow,
  type ParseContext,
  type Parsed,
  type RewriteLine,
} from "./directive.ts";
import { formatMemory, parseInteger, parseMemory, parseOctal } from "./numbers.ts";
import { beforeNul, quoteArgument, toLowerAscii } from "./byte-string.ts";

/** An error text longer than this is cut, as in the reference's fixed buffer. */
const ERROR_LENGTH_MAX = 255;

/** The value of a row before any configuration. */
export function defaultValue(row: Directive): ConfigValue {
  return isNumeric(row) ? BigInt(row.default) : row.default;
}

/** Requires: one argument unless the row takes several. */
export function parseValue(row: Directive, args: readonly string[], context: ParseContext): Parsed {
  if (row.kind === "special") return row.codec.parse(args, context);
  const value = parsePlainValue(row, args, context);
  if (typeof value === "object" && value !== null) return { ok: false, error: value.error };
  const changed = value !== context.previous || hasFlag(row, Flag.Volatile);
  return { ok: true, value, changed };
}

/** The value as CONFIG GET shows it. */
export function formatValue(row: Directive, value: ConfigValue): string {
  switch (row.kind) {
    case "bool":
      return value === true ? "yes" : "no";
    case "string":
      return value === null ? "" : (value as string);
    case "enum":
    case "flags":
      return enumNames(row, value as number);
    case "special":
      return row.codec.format(value);
    default:
      return formatNumber(row, value as bigint);
  }
}

/**
 * The lines of the directive for CONFIG REWRITE. No lines: those of the old file are removed.
 * Null: they are left alone.
 */
export function rewriteLines(row: Directive, value: ConfigValue): readonly RewriteLine[] | null {
  if (row.kind === "special") return row.codec.rewrite(row.name, value);
  if (value === null) return [];
  const forced = value !== defaultValue(row);
  let text = formatValue(row, value);
  if (row.kind === "string") text = quoteArgument(text);
  // A percentage keeps its sign of percent; amounts of memory get their largest unit.
  if (isNumeric(row) && isMemory(row) && !text.endsWith("%")) text = formatMemory(BigInt(text));
  return [{ text: `${row.name} ${text}`, forced }];
}

type Failure = { readonly error: string };

function parsePlainValue(
  row: Exclude<Directive, { kind: "special" }>,
  args: readonly string[],
  context: ParseContext,
): boolean | bigint | number | string | null | Failure {
  switch (row.kind) {
    case "bool":
      return parseBool(args[0]);
    case "enum":
    case "flags":
      return parseEnum(row, args);
    case "string": {
      const text = row.binary === true ? args[0] : beforeNul(args[0]);
      const error = row.check?.(text, context.config) ?? null;
      if (error !== null) return { error };
      return text === "" && row.default === null ? null : text;
    }
    default:
      return parseNumber(row, args[0]);
  }
}

function parseBool(text: string): boolean | Failure {
  const lower = toLowerAscii(beforeNul(text));
  if (lower === "yes") return true;
  return lower === "no" ? false : { error: "argument must be 'yes' or 'no'" };
}

function parseEnum(row: EnumRow, args: readonly string[]): number | Failure {
  let bits = 0;
  let isKnown = args.length > 0 && (row.kind === "flags" || args.length === 1);
  for (const arg of args) {
    const name = toLowerAscii(beforeNul(arg));
    const entry = row.values.find(([known]) => known === name);
    if (entry === undefined) isKnown = false;
    else bits |= entry[1];
  }
  if (!isKnown) {
    const names = row.values.map(([name]) => name).join(", ");
    const error = `argument(s) must be one of the following: ${names}`;
    return { error: error.slice(0, ERROR_LENGTH_MAX) };
  }
  const error = row.check?.(bits) ?? null;
  return error === null ? bits : { error };
}

function enumNames(row: EnumRow, bits: number): string {
  const values: EnumTable = row.values;
  const exact = values.find(([, value]) => value === bits);
  if (exact !== undefined) return exact[0];
  const names = values.filter(([, value]) => value !== 0 && (bits & value) === value);
  return names.map(([name]) => name).join(" ");
}

function isMemory(row: NumericRow): boolean {
  return row.unit === "memory" || row.unit === "percent-or-memory";
}

function isUnsigned(row: NumericRow): boolean {
  return row.kind === "uint" || row.kind === "ulong" || row.kind === "ulong-long";
}

function parseNumber(row: NumericRow, text: string): bigint | Failure {
  const value = readNumber(row, text);
  if (value === null) return { error: unreadableNumber(row) };
  const error = checkBounds(row, value);
  if (error !== null) return { error };
  if (row.clamp === undefined) return value;
  const [lowest, highest] = row.clamp.map(BigInt);
  return value < lowest ? lowest : value > highest ? highest : value;
}

/** The signed 64-bit number, or null if the text is none. */
function readNumber(row: NumericRow, text: string): bigint | null {
  if (row.unit === undefined) return parseInteger(text);
  if (row.unit === "octal") return parseOctal(text);
  const memory = parseMemory(text);
  if (memory !== null) return BigInt.asIntN(64, memory);
  if (row.unit !== "percent-or-memory" || !text.endsWith("%")) return null;
  const percent = parseInteger(text.slice(0, -1));
  return percent === null || percent < 0n ? null : -percent;
}

function unreadableNumber(row: NumericRow): string {
  switch (row.unit) {
    case "memory":
      return "argument must be a memory value";
    case "percent-or-memory":
      return "argument must be a memory or percent value";
    case "octal":
      return "argument couldn't be parsed as an octal number";
    default:
      return "argument couldn't be parsed into an integer";
  }
}

/** Unsigned kinds compare as unsigned, so that -1 is the largest number, not the smallest. */
function checkBounds(row: NumericRow, value: bigint): string | null {
  const lowest = BigInt(row.min);
  const highest = BigInt(row.max);
  if (row.unit === "percent-or-memory" && value < 0n) {
    return value < lowest ? `percentage argument must be less or equal to ${-lowest}` : null;
  }
  const compared = isUnsigned(row) ? BigInt.asUintN(64, value) : value;
  if (compared >= lowest && compared <= highest) return null;
  const radix = row.unit === "octal" ? 8 : 10;
  const bounds = `${lowest.toString(radix)} and ${highest.toString(radix)}`;
  return `argument must be between ${bounds} inclusive`;
}

function formatNumber(row: NumericRow, value: bigint): string {
  if (row.unit === "percent-or-memory" && value < 0n) return `${-value}%`;
  if (row.unit === "octal") return value.toString(8);
  return isMemory(row) ? BigInt.asUintN(64, value).toString() : value.toString();
}
