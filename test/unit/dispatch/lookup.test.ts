import { describe, expect, test } from "bun:test";
import { CommandLookup } from "../../../src/dispatch/lookup.ts";
import { commandTable } from "../../../src/commands/table.ts";
import { Args } from "../../../src/protocol/args.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/dispatch/lookup.test.ts";
const seed = seedOfRun();

function find(lookup: CommandLookup, name: string | Uint8Array): number {
  const args = new Args();
  args.assign([
    Buffer.from("first"),
    typeof name === "string" ? Buffer.from(name, "latin1") : name,
  ]);
  return lookup.find(args, 1);
}

function anyCase(random: Random, name: string): string {
  return name
    .split("")
    .map((c) => (random.oneIn(2) ? c.toUpperCase() : c))
    .join("");
}

function lookupOf(names: readonly string[], numbers: readonly number[]): CommandLookup {
  return new CommandLookup(new Map(names.map((name, i) => [name, numbers[i]])));
}

describe("commands", () => {
  const rows = commandTable();
  const top = rows.flatMap((row, number) => (row.parent === undefined ? [number] : []));
  const lookup = new CommandLookup(new Map(top.map((number) => [rows[number].name, number])));

  test("are found in any case", () =>
    withSeed(FILE, seed, (random) => {
      for (const number of top) {
        const { name } = rows[number];
        expect(find(lookup, name)).toBe(number);
        expect(find(lookup, name.toUpperCase())).toBe(number);
        for (let i = 0; i < 5; i++) expect(find(lookup, anyCase(random, name))).toBe(number);
      }
    }));

  test("are found by their whole name only", () =>
    withSeed(FILE, seed, (random) => {
      const known = new Set(top.map((number) => rows[number].name));
      for (const name of known) {
        for (const other of [`${name}x`, name.slice(0, -1), `x${name}`, `${name}\0`, `${name} `]) {
          expect(find(lookup, other) >= 0).toBe(known.has(other));
        }
        // One byte changed, in a bit that case folding must not forgive.
        const bytes = Uint8Array.from(Buffer.from(name));
        bytes[random.below(bytes.length)] ^= 1 << random.pick([0, 1, 2, 3, 4, 6, 7]);
        const changed = Buffer.from(bytes).toString("latin1").toLowerCase();
        if (!known.has(changed)) expect(find(lookup, bytes)).toBe(-1);
      }
    }));

  test("of random bytes are none", () =>
    withSeed(FILE, seed, (random) => {
      // From eight bytes on, chance does not spell a name.
      for (let i = 0; i < 5000; i++) {
        expect(find(lookup, random.bytes(8 + random.below(40)))).toBe(-1);
      }
      expect(find(lookup, "")).toBe(-1);
    }));
});

describe("a lookup", () => {
  test("folds letters only", () => {
    const lookup = lookupOf(["a-b", "a[b", "a{b", "a@b", "a`b", "a1"], [5, 4, 3, 2, 1, 0]);
    expect(find(lookup, "A-B")).toBe(5);
    expect(find(lookup, "A[B")).toBe(4);
    expect(find(lookup, "A{B")).toBe(3);
    expect(find(lookup, "a@B")).toBe(2);
    expect(find(lookup, "A`b")).toBe(1);
    expect(find(lookup, "A1")).toBe(0);
    // 0x0d is "-" and 0x11 is "1" without the bit that makes letters small.
    expect(find(lookup, "a\x0db")).toBe(-1);
    expect(find(lookup, "a\x11")).toBe(-1);
  });

  test("holds names of up to 255 bytes", () => {
    for (const length of [31, 32, 40, 255]) {
      const longest = "n".repeat(length);
      const lookup = lookupOf(["a", longest, "b"], [0, 1, 2]);
      expect(find(lookup, longest)).toBe(1);
      expect(find(lookup, `${longest}n`)).toBe(-1);
      expect(find(lookup, longest.slice(1))).toBe(-1);
      expect(find(lookup, "b")).toBe(2);
    }
    expect(() => lookupOf(["n".repeat(256)], [0])).toThrow("too long");
  });

  test("of no names finds nothing", () => {
    const lookup = lookupOf([], []);
    expect(find(lookup, "get")).toBe(-1);
    expect(find(lookup, "")).toBe(-1);
  });

  test("holds thousands of names, whatever their hashes", () => {
    const names = Array.from({ length: 3000 }, (_, i) => `c${i.toString(36)}`);
    const numbers = names.map((_, i) => 2 * i + 1);
    const lookup = lookupOf(names, numbers);
    names.forEach((name, i) => expect(find(lookup, name)).toBe(numbers[i]));
    expect(find(lookup, "c")).toBe(-1);
  });
});
