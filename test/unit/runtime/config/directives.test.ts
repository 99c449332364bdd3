/** The tables: names are unique, defaults are valid values, reasons are in their place. */
import { expect, test } from "bun:test";
import {
  DIRECTIVES,
  describeDirectivesWithoutEffect,
} from "../../../../src/runtime/config/directives.ts";
import { memoryConfig } from "../../../support/memory-config.ts";

test("names and aliases are unique and in lower case", () => {
  const names = DIRECTIVES.flatMap((row) => (row.alias ? [row.name, row.alias] : [row.name]));
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9_-]+$/);
  expect(names.length).toBeGreaterThan(240);
});

test("every default is accepted as a value and shown as it was", () => {
  const { config } = memoryConfig();
  const before = config.get(["*"]);
  for (let i = 0; i < before.length; i += 2) {
    if (before[i] === "replicaof" || before[i] === "slaveof") continue;
    expect(`${before[i]}: ${config.assign(before[i], before[i + 1])}`).toBe(`${before[i]}: null`);
  }
  expect(config.get(["*"])).toEqual(before);
});

test("the list of directives without effect", () => {
  const text = describeDirectivesWithoutEffect();
  expect(text).toStartWith("| Directive | Why |\n|---|---|\n");
  expect(text).toContain("| `io-threads` | one thread runs commands and I/O |\n");
  expect(text).toContain("| `replica-priority` (`slave-priority`) |  |\n");
  expect(text).not.toContain("`port`");
  for (const row of DIRECTIVES) {
    if (row.effect === "works") expect(row.reason).toBeUndefined();
  }
});
