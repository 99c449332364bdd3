/** RESTORE of values as older servers have written them, against the reference server. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { dumpPayload, rdbLength, rdbString, ziplist, zipmap } from "../support/rdb-payload.ts";

const INTEGERS = [
  0,
  12,
  13,
  -1,
  127,
  -128,
  128,
  32767,
  -32768,
  32768,
  8388607,
  -8388608,
  8388608,
  2147483647,
  -2147483648,
  2147483648n,
  9223372036854775807n,
  -9223372036854775808n,
];
const TEXTS = ["", "a", "text", "x".repeat(63), "y".repeat(64), "z".repeat(300), "w".repeat(20000)];

describeWithPeers("RESTORE of older encodings", ["valkey-server"], () => {
  // We check everything always; Valkey does so only when it is told to.
  const suite = useDifferential({ "sanitize-dump-payload": "yes" });

  suite.test("ziplists", (c) => {
    const many = Array.from({ length: 400 }, (_, i) => `element ${i}`);
    const pairs = many.flatMap((name, i) => [name, i]);
    for (const [i, entries] of [[1], INTEGERS, TEXTS, [...TEXTS, ...INTEGERS, "end"]].entries()) {
      c.do("RESTORE", `list${i}`, 0, dumpPayload(10, rdbString(ziplist(entries))));
      c.do("RESTORE", `quicklist${i}`, 0, dumpPayload(14, [1], rdbString(ziplist(entries))));
      if (entries.length % 2 === 0) {
        c.do("RESTORE", `hash${i}`, 0, dumpPayload(13, rdbString(ziplist(entries))));
      }
    }
    c.do("RESTORE", "list:many", 0, dumpPayload(10, rdbString(ziplist(many))));
    const nodes = [ziplist(many), ziplist([]), ziplist(INTEGERS)].map(rdbString);
    c.do("RESTORE", "quicklist:many", 0, dumpPayload(14, [3], ...nodes));
    c.do("RESTORE", "hash:many", 0, dumpPayload(13, rdbString(ziplist(pairs))));
    c.do("RESTORE", "zset:many", 0, dumpPayload(12, rdbString(ziplist(pairs))));
    const scores = ["a", -5, "b", "1.5", "c", 3, "d", "inf"];
    c.do("RESTORE", "zset", 0, dumpPayload(12, rdbString(ziplist(scores))));
  });

  suite.test("ziplists and zipmaps that are empty or corrupt", (c) => {
    const entries = ziplist(["a", 1, "b", 2]);
    for (const type of [10, 12, 13]) {
      c.fail("RESTORE", "k", 0, dumpPayload(type, rdbString(ziplist([]))));
      c.fail("RESTORE", "k", 0, dumpPayload(type, rdbString("")));
      c.fail("RESTORE", "k", 0, dumpPayload(type, rdbString(entries.subarray(0, 10))));
      for (const at of [0, 4, 8, 10, 11, 12, 13, entries.length - 1]) {
        const corrupt = entries.slice();
        corrupt[at] ^= 0x3f;
        c.either("RESTORE", `k:${type}:${at}`, 0, dumpPayload(type, rdbString(corrupt)));
      }
    }
    c.fail("RESTORE", "k", 0, dumpPayload(13, rdbString(ziplist(["a", 1, "a", 2]))));
    c.fail("RESTORE", "k", 0, dumpPayload(13, rdbString(ziplist(["a", 1, "b"]))));
    c.fail("RESTORE", "k", 0, dumpPayload(9, rdbString(zipmap([]))));
    c.fail("RESTORE", "k", 0, dumpPayload(9, rdbString(zipmap(["a", "1", "a", "2"]))));
    c.fail("RESTORE", "k", 0, dumpPayload(9, rdbString([1, 1, 97, 5, 0, 97, 0xff])));
    c.fail("RESTORE", "k", 0, dumpPayload(9, rdbString([2, 1, 97, 1, 0, 97, 0xff])));
    c.fail("RESTORE", "k", 0, dumpPayload(9, rdbString([1, 1, 97, 0xff])));
    c.fail("RESTORE", "k", 0, dumpPayload(14, [1], rdbString(ziplist([]))));
    c.fail("RESTORE", "k", 0, dumpPayload(14, [0]));
  });

  suite.test("zipmaps", (c) => {
    c.do("RESTORE", "small", 0, dumpPayload(9, rdbString(zipmap(["a", "1", "b", "", "", "c"]))));
    c.do("RESTORE", "spare", 0, dumpPayload(9, rdbString(zipmap(["a", "1", "b", "2"], 3))));
    const long = zipmap(["f", "x".repeat(300), "g", "y"]);
    c.do("RESTORE", "long", 0, dumpPayload(9, rdbString(long)));
    const many = Array.from({ length: 600 }, (_, i) => [`f${i}`, `v${i}`]).flat();
    c.do("RESTORE", "many", 0, dumpPayload(9, rdbString(zipmap(many))));
  });

  suite.test("values element by element", (c) => {
    const texts = ["a", "b", "c", "1", "-5", "x".repeat(100)];
    const elements = texts.map(rdbString);
    c.do("RESTORE", "list", 0, dumpPayload(1, [6], ...elements));
    c.do("RESTORE", "set", 0, dumpPayload(2, [6], ...elements));
    c.do("RESTORE", "set:small", 0, dumpPayload(2, [5], ...elements.slice(0, 5)));
    c.do("RESTORE", "set:integers", 0, dumpPayload(2, [2], ...elements.slice(3, 5)));
    c.do("RESTORE", "hash", 0, dumpPayload(4, [3], ...elements));
    c.do("RESTORE", "hash:small", 0, dumpPayload(4, [2], ...elements.slice(0, 4)));
    const scores = [[3, "1.5"], [2, "-7"], [255], [254], [5, "1e300"], [1, "0"]].flatMap(
      ([length, text], i) => [elements[i], [Number(length)], text === undefined ? [] : `${text}`],
    );
    c.do("RESTORE", "zset", 0, dumpPayload(3, [6], ...scores));
    const many = Array.from({ length: 1000 }, (_, i) => rdbString(`m${i}`));
    c.do("RESTORE", "list:many", 0, dumpPayload(1, rdbLength(1000), ...many));
    c.do("RESTORE", "set:many", 0, dumpPayload(2, rdbLength(1000), ...many));
    c.do("RESTORE", "hash:many", 0, dumpPayload(4, rdbLength(500), ...many));
    c.fail("RESTORE", "k", 0, dumpPayload(2, [2], rdbString("a"), rdbString("a")));
    c.fail("RESTORE", "k", 0, dumpPayload(2, [2], rdbString("1"), rdbString("1")));
    const twice = [rdbString("a"), rdbString("1"), rdbString("a"), rdbString("2")];
    c.fail("RESTORE", "k", 0, dumpPayload(4, [2], ...twice));
    c.fail("RESTORE", "k", 0, dumpPayload(3, [1], rdbString("a"), [253]));
    c.fail("RESTORE", "k", 0, dumpPayload(3, [1], rdbString("a"), [3], "abc"));
    const score = new Uint8Array(8);
    c.fail("RESTORE", "k", 0, dumpPayload(5, [2], rdbString("a"), score, rdbString("a"), score));
    c.fail("RESTORE", "k", 0, dumpPayload(5, [1], rdbString("a"), [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]));
  });
});
