/**
 * What a row of the directive tables is. A row is the only source for a directive: the file
 * loader, CONFIG GET, SET and REWRITE, the typed accessors and the list of directives without
 * effect all read it.
 *
 * Values in memory, by kind:
 *   bool            boolean
 *   numeric kinds   bigint, the signed 64-bit number the reference would hold; a percentage of a
 *                   percent-or-memory directive is stored negated
 *   enum, flags     number (the bits)
 *   string          byte string, or null for a directive that treats the empty string as unset
 *   special         whatever its codec in special.ts produces
 */

import type { Config } from "./config.ts";

export const enum Flag {
  None = 0,
  /** CONFIG SET refuses it. */
  Immutable = 1,
  /** Belongs to the short list printed for debugging. */
  Debug = 2,
  /** CONFIG GET shows it only under its exact name. */
  Hidden = 4,
  /** CONFIG SET refuses it while the data set is loading. */
  DenyLoading = 8,
  /** Takes several arguments; checks their number itself. */
  MultiArg = 16,
  /** The value is kept out of logs. */
  Sensitive = 32,
  /** CONFIG SET needs enable-protected-configs. */
  Protected = 64,
  /** Setting the same value again still applies it (files whose content may have changed). */
  Volatile = 128,
}

/** Does the server act on the directive, or only accept it? */
type Effect = "works" | "none";

type Integer = number | bigint;

/** Names with their bits. The first name of a value is the one that is shown. */
export type EnumTable = readonly (readonly [name: string, value: number])[];

export interface SavePoint {
  readonly seconds: bigint;
  readonly changes: number;
}

export interface OutputBufferLimit {
  readonly hardBytes: bigint;
  readonly softBytes: bigint;
  readonly softSeconds: number;
}

/** Client classes in the order in which CONFIG GET shows them. */
export const CLIENT_CLASSES = ["normal", "replica", "pubsub"] as const;
export type ClientClass = (typeof CLIENT_CLASSES)[number];
export type OutputBufferLimits = Readonly<Record<ClientClass, OutputBufferLimit>>;

export interface ReplicationSource {
  readonly host: string;
  readonly port: number;
}

export type ConfigValue =
  | boolean
  | bigint
  | number
  | string
  | null
  | readonly string[]
  | readonly number[]
  | readonly SavePoint[]
  | OutputBufferLimits
  | ReplicationSource;

export type Parsed =
  | { readonly ok: true; readonly value: ConfigValue; readonly changed: boolean }
  | { readonly ok: false; readonly error: string };

export interface ParseContext {
  readonly config: Config;
  readonly previous: ConfigValue;
  /** A further `save` line of the file adds to the earlier ones instead of replacing them. */
  readonly addsSavePoints: boolean;
}

/** One line for CONFIG REWRITE; not forced = written only where the old file has the directive. */
export interface RewriteLine {
  readonly text: string;
  readonly forced: boolean;
}

export interface SpecialCodec {
  parse(args: readonly string[], context: ParseContext): Parsed;
  format(value: ConfigValue): string;
  /** No lines: the old file's lines are removed. Null: they are left alone. */
  rewrite(name: string, value: ConfigValue): readonly RewriteLine[] | null;
}

interface RowBase {
  readonly name: string;
  readonly alias?: string;
  readonly flags?: number;
  readonly effect: Effect;
  /** Why a directive has no effect, for the user. */
  readonly reason?: string;
  /** A change by CONFIG SET fails with this text: the feature does not exist here. */
  readonly applyError?: string;
}

export interface BoolRow extends RowBase {
  readonly kind: "bool";
  readonly default: boolean;
}

export interface NumericRow extends RowBase {
  readonly kind: "int" | "uint" | "long" | "ulong" | "long-long" | "ulong-long";
  readonly unit?: "memory" | "percent-or-memory" | "octal";
  readonly min: Integer;
  readonly max: Integer;
  readonly default: Integer;
  /** Values beyond are accepted and taken as the nearest of these. */
  readonly clamp?: readonly [Integer, Integer];
}

export interface EnumRow extends RowBase {
  readonly kind: "enum" | "flags";
  readonly values: EnumTable;
  readonly default: number;
  readonly check?: (value: number) => string | null;
}

export interface StringRow extends RowBase {
  readonly kind: "string";
  readonly default: string | null;
  /** The value may hold NUL bytes; other strings end before the first one. */
  readonly binary?: true;
  readonly check?: (value: string, config: Config) => string | null;
}

export interface SpecialRow extends RowBase {
  readonly kind: "special";
  readonly default: ConfigValue;
  readonly codec: SpecialCodec;
}

export type Directive = BoolRow | NumericRow | EnumRow | StringRow | SpecialRow;

export function hasFlag(row: Directive, flag: Flag): boolean {
  return ((row.flags ?? 0) & flag) !== 0;
}

export function isNumeric(row: Directive): row is NumericRow {
  return row.kind !== "bool" && row.kind !== "string" && "min" in row;
}
