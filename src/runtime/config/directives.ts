/**
 * All directives, by name, and the list of those that are accepted without effect.
 *
 * Beyond Valkey 8.1's: `crash-on-internal-error` (ours), `dynamic-hz` (Redis 7, still settable
 * there) and, hidden, a few of Redis 8's, so that its configuration files load.
 */

import type { Directive } from "./directive.ts";
import { generalDirectives } from "./directives-general.ts";
import { keyspaceDirectives } from "./directives-keyspace.ts";
import { networkDirectives } from "./directives-network.ts";
import { persistenceDirectives } from "./directives-persistence.ts";
import { replicationDirectives } from "./directives-replication.ts";
import { toLowerAscii } from "./byte-string.ts";

/** In the order in which CONFIG GET and REWRITE list them. */
export const DIRECTIVES: readonly Directive[] = [
  ...networkDirectives,
  ...generalDirectives,
  ...keyspaceDirectives,
  ...persistenceDirectives,
  ...replicationDirectives,
];

/** Accepted in a file with one argument, without any meaning today. */
const OBSOLETE_DIRECTIVES: readonly string[] = [
  "list-max-ziplist-entries",
  "list-max-ziplist-value",
  "lua-replicate-commands",
  "io-threads-do-reads",
];

/** A name under which a directive is known: its own or its alias. */
export interface DirectiveName {
  readonly name: string;
  readonly isAlias: boolean;
  readonly row: Directive;
}

/** Every known name, own names before their aliases. */
export const DIRECTIVE_NAMES: ReadonlyMap<string, DirectiveName> = collectNames();

function collectNames(): Map<string, DirectiveName> {
  const names = new Map<string, DirectiveName>();
  for (const row of DIRECTIVES) {
    names.set(row.name, { name: row.name, isAlias: false, row });
    if (row.alias !== undefined) names.set(row.alias, { name: row.alias, isAlias: true, row });
  }
  return names;
}

/** The directive of that name, in any case of letters. */
export function findDirective(name: string): DirectiveName | undefined {
  return DIRECTIVE_NAMES.get(name) ?? DIRECTIVE_NAMES.get(toLowerAscii(name));
}

export function isObsoleteDirective(name: string): boolean {
  return OBSOLETE_DIRECTIVES.includes(toLowerAscii(name));
}

/** A markdown table of the directives that are accepted without effect, sorted by name. */
export function describeDirectivesWithoutEffect(): string {
  const rows = DIRECTIVES.filter((row) => row.effect === "none");
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  const lines = rows.map((row) => {
    const alias = row.alias === undefined ? "" : ` (\`${row.alias}\`)`;
    return `| \`${row.name}\`${alias} | ${row.reason ?? ""} |`;
  });
  return ["| Directive | Why |", "|---|---|", ...lines, ""].join("\n");
}
