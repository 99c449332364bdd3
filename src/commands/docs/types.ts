/**
 * The shape of what COMMAND DOCS tells about a command beyond its row in the command table.
 *
 * A row holds what the dispatcher, ACLs and COMMAND INFO need. This folder holds the long part:
 * prose, and the argument trees from which command line clients build their hints. Nothing on the
 * path of a request reads it, so it is plain objects.
 */

export type ArgumentType =
  | "string"
  | "integer"
  | "double"
  | "key"
  | "pattern"
  | "unix-time"
  | "pure-token"
  | "oneof"
  | "block";

/**
 * One node of an argument tree, in the words of COMMAND DOCS. `children` is present exactly for
 * "oneof" and "block". A `token` is a word that stands in the command line itself: in front of the
 * value, or, for "pure-token", instead of one.
 */
export interface CommandArgument {
  readonly name: string;
  readonly type: ArgumentType;
  readonly token?: string;
  /** Which key spec of the command's row this argument belongs to. */
  readonly keySpecIndex?: number;
  /** What hints show instead of `name`. */
  readonly displayText?: string;
  readonly summary?: string;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly isOptional?: boolean;
  /** The argument may be repeated; with `repeatsToken`, its token is repeated too. */
  readonly isMultiple?: boolean;
  readonly repeatsToken?: boolean;
  readonly children?: readonly CommandArgument[];
}

/** A version, and what changed in it. */
export type CommandChange = readonly [version: string, change: string];

export interface CommandDoc {
  readonly summary: string;
  /** The first version of Valkey that had the command; of Redis, if Valkey has none. */
  readonly since: string;
  readonly complexity?: string;
  /** Shown as the doc flag "deprecated" and the fields "deprecated_since" and "replaced_by". */
  readonly deprecated?: { readonly since: string; readonly replacedBy: string };
  /** Shown as the doc flag "syscmd": meant for servers and their tests, not for users. */
  readonly isSystemCommand?: boolean;
  readonly history?: readonly CommandChange[];
  readonly args?: readonly CommandArgument[];
}

/** All documented commands of a theme. Keys are full names in lower case, such as "config|get". */
export interface CommandDocTable {
  readonly group: CommandGroup;
  readonly commands: Readonly<Record<string, CommandDoc>>;
}

export type CommandGroup =
  | "generic"
  | "string"
  | "list"
  | "set"
  | "sorted-set"
  | "hash"
  | "pubsub"
  | "transactions"
  | "connection"
  | "server"
  | "scripting"
  | "hyperloglog"
  | "cluster"
  | "geo"
  | "stream"
  | "bitmap";
