/** The command table as a whole: what every row must have, and what is made from the rows. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { withSupportedCommands } from "../../../scripts/supported.ts";
import { documentedCommands } from "../../../src/commands/docs/table.ts";
import { Flag, fullName } from "../../../src/commands/spec.ts";
import { commandTable } from "../../../src/commands/table.ts";

const README = join(import.meta.dir, "../../../README.md");

test("every command is documented, and belongs to the group of its container", () => {
  const documents = documentedCommands();
  const findings: string[] = [];
  for (const row of commandTable()) {
    const group = documents.get(fullName(row))?.group;
    if (group === undefined) findings.push(`${fullName(row)} has no document`);
    else if (row.parent !== undefined && documents.get(row.parent)?.group !== group) {
      findings.push(`${fullName(row)} is in another group than ${row.parent}`);
    }
  }
  expect(findings).toEqual([]);
});

test("every row is consistent", () => {
  const findings: string[] = [];
  for (const row of commandTable()) {
    const name = fullName(row);
    if (name !== name.toLowerCase()) findings.push(`${name} is not in lower case`);
    if (row.arity === 0) findings.push(`${name} takes no arguments, not even its name`);
    if (row.flags & Flag.WRITE && row.flags & Flag.READONLY) {
      findings.push(`${name} is a write and read-only`);
    }
    if (row.flags & Flag.CONTAINER && row.parent !== undefined) {
      findings.push(`${name} is a container in a container`);
    }
    const isVariable = row.keys.some(({ flags }) => flags.includes("variable_flags"));
    if (isVariable && row.getKeyFlags === undefined) findings.push(`${name} lacks getKeyFlags`);
    const isVague = row.keys.some(
      ({ begin, find, flags }) =>
        begin === "unknown" || find === "unknown" || flags.includes("incomplete"),
    );
    if (isVague && row.getKeys === undefined) findings.push(`${name} lacks getKeys`);
  }
  expect(findings).toEqual([]);
});

test.if(existsSync(README))("the README lists the supported commands", () => {
  const readme = readFileSync(README, "utf8");
  // Brought up to date by `bun scripts/supported.ts --write`.
  expect(withSupportedCommands(readme) ?? readme).toBe(readme);
});
