/** Key specifications against worked examples of each form, also of commands not written yet. */
import { describe, expect, test } from "bun:test";
import { hasKeys, keysOf, legacyRange } from "../../../src/commands/keys-of.ts";
import { type CommandSpec, type KeySpec, keyRange, oneKey } from "../../../src/commands/spec.ts";
import { Args } from "../../../src/protocol/args.ts";

const RANGE = { last: 0, step: 1, limit: 0 };

const ZUNION: KeySpec = {
  flags: "RO access",
  begin: { index: 1 },
  find: { countAt: 0, first: 1, step: 1 },
};
const MSETEX: KeySpec = {
  flags: "OW update",
  begin: { index: 1 },
  find: { countAt: 0, first: 1, step: 2 },
};
const XREAD: KeySpec = {
  flags: "RO access",
  begin: { keyword: "STREAMS", from: 1 },
  find: { last: -1, step: 1, limit: 2 },
};
const MIGRATE: readonly KeySpec[] = [
  { flags: "RW access delete incomplete", begin: { index: 3 }, find: RANGE },
  {
    flags: "RW access delete incomplete",
    begin: { keyword: "KEYS", from: -2 },
    find: { last: -1, step: 1, limit: 0 },
  },
];
const SORT: readonly KeySpec[] = [
  { flags: "RO access", begin: { index: 1 }, find: RANGE },
  { flags: "RO access", begin: "unknown", find: "unknown" },
  { flags: "OW update", begin: "unknown", find: "unknown" },
];
const CHANNEL: KeySpec = { flags: "not_key", begin: { index: 1 }, find: RANGE };

describe("keysOf", () => {
  test("ranges, with steps and from the end", () => {
    expect(keys(oneKey("RO access"), "GET a")).toEqual(["a RO access"]);
    expect(keys(keyRange("OW update", -1, 2), "MSET a 1 b 2")).toEqual([
      "a OW update",
      "b OW update",
    ]);
    expect(keys(keyRange("RW access delete", -2), "BLPOP a b 0")).toEqual([
      "a RW access delete",
      "b RW access delete",
    ]);
    expect(keys(keyRange("RW access delete", -2), "BLPOP 0")).toBeNull();
  });

  test("counted keys", () => {
    expect(keys([ZUNION], "ZUNION 2 a b WEIGHTS 1 2")).toEqual(["a RO access", "b RO access"]);
    expect(keys([ZUNION], "ZUNION 3 a b")).toBeNull();
    expect(keys([ZUNION], "ZUNION 0 a")).toBeNull();
    expect(keys([ZUNION], "ZUNION -1 a")).toBeNull();
    expect(keys([ZUNION], "ZUNION x a")).toBeNull();
    expect(keys([ZUNION], "ZUNION 9007199254740993 a")).toBeNull();
    expect(keys([ZUNION], "ZUNION")).toBeNull();
    expect(keys([MSETEX], "MSETEX 2 a 1 b 2 NX")).toEqual(["a OW update", "b OW update"]);
    expect(keys([MSETEX], "MSETEX 2 a 1")).toBeNull();
  });

  test("keys behind a keyword, forwards and backwards", () => {
    expect(keys([XREAD], "XREAD COUNT 2 streams a b 0 0")).toEqual(["a RO access", "b RO access"]);
    expect(keys([XREAD], "XREAD COUNT 2")).toEqual([]);
    const withKeys = [MIGRATE[1]].map((key) => ({ ...key, flags: "RW" }));
    expect(keys(withKeys, "MIGRATE h 1 k 0 9 KEYS a b")).toEqual(["a RW", "b RW"]);
    // The last KEYS counts, and the search begins before the last argument.
    expect(keys(withKeys, "MIGRATE h 1 k 0 9 KEYS a KEYS b")).toEqual(["b RW"]);
    expect(keys(withKeys, "MIGRATE h 1 k 0 9 KEYS")).toEqual([]);
  });

  test("what the specs cannot say is left to the row", () => {
    expect(keys(MIGRATE, "MIGRATE h 1 k 0 9")).toBeNull();
    expect(keys(MIGRATE, "MIGRATE h 1 k 0 9", { getKeys: () => [3] })).toEqual([
      "k RW access delete",
    ]);
    expect(keys(SORT, "SORT a BY w STORE b", { getKeys: () => [1, 5] })).toEqual([
      "a RO access",
      "b OW update",
    ]);
    expect(keys(SORT, "SORT a", { getKeys: () => null })).toBeNull();
  });

  test("variable flags depend on the arguments, and channels are no keys", () => {
    const set = oneKey("RW access update variable_flags");
    expect(keys(set, "SET a 1")).toEqual(["a RW access update"]);
    expect(keys(set, "SET a 1", { getKeyFlags: () => "OW update" })).toEqual(["a OW update"]);
    expect(keys([CHANNEL], "SPUBLISH c m")).toEqual([]);
    expect(hasKeys(spec([CHANNEL], {}))).toBe(false);
    expect(hasKeys(spec([], { getKeys: () => [1] }))).toBe(true);
  });
});

test("legacyRange takes plain ranges that follow each other", () => {
  const at = (index: number, last = 0): KeySpec => ({
    flags: "RO",
    begin: { index },
    find: { last, step: 1, limit: 0 },
  });
  expect(legacyRange([])).toEqual({ first: 0, last: 0, step: 0, isPartial: false });
  expect(legacyRange([at(2)])).toEqual({ first: 2, last: 2, step: 1, isPartial: false });
  expect(legacyRange(keyRange("OW", -1, 2))).toMatchObject({ first: 1, last: -1, step: 2 });
  expect(legacyRange([at(1), at(2)])).toEqual({ first: 1, last: 2, step: 1, isPartial: false });
  expect(legacyRange([at(2), at(3, -1)])).toMatchObject({ first: 2, last: -1, isPartial: false });
  expect(legacyRange([at(1), at(3)])).toEqual({ first: 1, last: 1, step: 1, isPartial: true });
  expect(legacyRange([at(1), ZUNION])).toMatchObject({ first: 1, last: 1, isPartial: true });
  expect(legacyRange([ZUNION])).toEqual({ first: 0, last: 0, step: 0, isPartial: true });
  expect(legacyRange(MIGRATE)).toEqual({ first: 3, last: 3, step: 1, isPartial: true });
});

function spec(specs: readonly KeySpec[], extra: Partial<CommandSpec>): CommandSpec {
  return { name: "x", arity: -1, flags: 0, acl: 0, keys: specs, run: () => {}, ...extra };
}

/** "key flags" of each key of a command line; null if its arguments are invalid. */
function keys(
  specs: readonly KeySpec[],
  line: string,
  extra: Partial<CommandSpec> = {},
): string[] | null {
  const words = line.split(" ");
  const args = new Args();
  args.assign(words.map((word) => new TextEncoder().encode(word)));
  const found = keysOf(spec(specs, extra), args);
  return found === null ? null : found.map(({ index, flags }) => `${words[index]} ${flags}`);
}
