/**
 * The notation in which this folder writes argument trees.
 *
 *   GETEX key [EX seconds | PERSIST]
 *
 *   [key(), optional(oneOf("expiration", [integer("seconds", "EX"), token("PERSIST")]))]
 *
 * A leaf is named after its type and takes a name and, if a word stands in front of the value, that
 * word. A property is a wrapper around a node, so that the common case stays short and a tree reads
 * from the outside in. Not a string syntax of our own: the type checker and an editor's search
 * already understand functions.
 */
import type { ArgumentType, CommandArgument } from "./types.ts";

function leaf(type: ArgumentType, name: string, token?: string): CommandArgument {
  return token === undefined ? { name, type } : { name, type, token };
}

export function string(name: string, token?: string): CommandArgument {
  return leaf("string", name, token);
}

export function integer(name: string, token?: string): CommandArgument {
  return leaf("integer", name, token);
}

export function double(name: string, token?: string): CommandArgument {
  return leaf("double", name, token);
}

export function pattern(name: string, token?: string): CommandArgument {
  return leaf("pattern", name, token);
}

export function unixTime(name: string, token?: string): CommandArgument {
  return leaf("unix-time", name, token);
}

/** A word that stands for itself. */
export function token(word: string, name: string = word.toLowerCase()): CommandArgument {
  return leaf("pure-token", name, word);
}

/** A key of the key spec at `keySpecIndex`; most commands have one spec and call the key "key". */
export function key(name = "key", keySpecIndex = 0, token?: string): CommandArgument {
  return { ...leaf("key", name, token), keySpecIndex };
}

export function oneOf(
  name: string,
  children: readonly CommandArgument[],
  token?: string,
): CommandArgument {
  return { ...leaf("oneof", name, token), children };
}

export function block(
  name: string,
  children: readonly CommandArgument[],
  token?: string,
): CommandArgument {
  return { ...leaf("block", name, token), children };
}

export function optional(argument: CommandArgument): CommandArgument {
  return { ...argument, isOptional: true };
}

/** The argument may be repeated. */
export function many(argument: CommandArgument): CommandArgument {
  return { ...argument, isMultiple: true };
}

/** The argument may be repeated, each time with its token in front. */
export function manyWithToken(argument: CommandArgument): CommandArgument {
  return { ...argument, isMultiple: true, repeatsToken: true };
}

export function since(version: string, argument: CommandArgument): CommandArgument {
  return { ...argument, since: version };
}

export function deprecated(version: string, argument: CommandArgument): CommandArgument {
  return { ...argument, deprecatedSince: version };
}

export function shownAs(displayText: string, argument: CommandArgument): CommandArgument {
  return { ...argument, displayText };
}

export function noted(summary: string, argument: CommandArgument): CommandArgument {
  return { ...argument, summary };
}

/** An argument that is not a key, but from which the keys of a key spec are derived. */
export function namesKey(keySpecIndex: number, argument: CommandArgument): CommandArgument {
  return { ...argument, keySpecIndex };
}
