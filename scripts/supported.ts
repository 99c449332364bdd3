// Lists the supported commands as a table for the README, made from the command table, so that the
// list is never wrong.
//
//   bun scripts/supported.ts           prints the table
//   bun scripts/supported.ts --write   puts it between the markers in README.md

import { join } from "node:path";
import { documentedCommands } from "../src/commands/docs/table.ts";
import { type CommandSpec, fullName } from "../src/commands/spec.ts";
import { commandTable } from "../src/commands/table.ts";

const BEGIN = "<!-- commands -->";
const END = "<!-- /commands -->";
const README = join(import.meta.dir, "..", "README.md");

if (import.meta.main) await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  if (args.length === 0) {
    console.log(supportedCommands());
    return;
  }
  if (args.length > 1 || args[0] !== "--write") {
    console.error("usage: bun scripts/supported.ts [--write]");
    process.exit(2);
  }
  const readme = await Bun.file(README).text();
  const updated = withSupportedCommands(readme);
  if (updated === null) {
    console.error(`README.md has no ${BEGIN} ... ${END}`);
    process.exit(1);
  }
  if (updated !== readme) await Bun.write(README, updated);
}

/** The README with the current table between its markers; null if it has none. */
export function withSupportedCommands(readme: string): string | null {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin) return null;
  const head = readme.slice(0, begin + BEGIN.length);
  return `${head}\n\n${supportedCommands()}\n\n${readme.slice(end)}`;
}

/** A Markdown table: a row per group of Redis's documentation, commands in alphabetical order. */
export function supportedCommands(): string {
  const rows = commandTable();
  const documents = documentedCommands();
  const groups = new Map<string, string[]>();
  const commands = rows.filter(({ parent }) => parent === undefined);
  for (const row of commands.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const group = documents.get(row.name)?.group;
    if (group === undefined) throw new Error(`${row.name} is not documented`);
    groups.set(group, [...(groups.get(group) ?? []), describe(row, rows)]);
  }
  const lines = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, list]) => `| ${group} | ${list.join(", ")} |`);
  const count = `${commands.length} commands, ${rows.length} with their subcommands:`;
  return [count, "", "| Group | Commands |", "|---|---|", ...lines].join("\n");
}

/** "`CONFIG` (`GET` `HELP` ...)" */
function describe(row: CommandSpec, rows: readonly CommandSpec[]): string {
  const subcommands = rows
    .filter(({ parent }) => parent === row.name)
    .map(({ name }) => `\`${name.toUpperCase()}\``)
    .toSorted();
  const name = `\`${fullName(row).toUpperCase()}\``;
  return subcommands.length === 0 ? name : `${name} (${subcommands.join(" ")})`;
}
