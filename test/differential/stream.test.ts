/** Streams as logs, against the reference server. */
import { useDifferential, type Script } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";

const MAX = "18446744073709551615";
const INT64_MAX = "9223372036854775807";

/** Texts at the edge of what is an ID. */
const ID_EDGES = [
  "0",
  "0-0",
  "0-1",
  "1",
  "1-",
  "-1",
  "-",
  "+",
  "--",
  "1-*",
  "*",
  "*-1",
  "1-1-1",
  "01-1",
  "1-01",
  "+1-1",
  "1-+1",
  " 1-1",
  "1- 1",
  "1 -1",
  "1--1",
  "1.5",
  "abc",
  "",
  "$",
  ">",
  "(1",
  "(1-1",
  "(-",
  "(+",
  "(",
  "((1",
  "9007199254740993-9007199254740993",
  `${INT64_MAX}-9223372036854775808`,
  `${MAX}-0`,
  `0-${MAX}`,
  `${MAX}-18446744073709551614`,
  "18446744073709551616-0",
  "0-18446744073709551616",
  "1-1\0",
  "1\0-5",
  "9".repeat(130),
];

/** Ten nodes and a bit, with different fields now and then. */
function fill(c: Script, key: string, count: number): void {
  for (let i = 1; i <= count; i++) {
    if (i % 7 === 0) c.do("XADD", key, `${i}-0`, "other", `o${i}`, "field", i);
    else c.do("XADD", key, `${i}-${i % 3}`, "field", i);
  }
}

describeWithPeers("streams", ["valkey-server"], () => {
  const suite = useDifferential({ "stream-node-max-entries": "10" });

  suite.test("XADD", (c) => {
    c.do("XADD", "s", "1-1", "a", "1");
    c.do("XADD", "s", "1-2", "a", "1", "b", "2");
    c.do("XADD", "s", "1-*", "a", "x".repeat(70), "a", "x".repeat(5000));
    c.do("XADD", "s", "2", "", "");
    c.do("XADD", "s", "2-*", "12", "-9223372036854775808");
    c.fail("XADD", "s", "2-1", "a", "1");
    c.fail("XADD", "s", "1-9", "a", "1");
    c.fail("XADD", "s", "0-0", "a", "1");
    c.fail("XADD", "s", "3-0", "a");
    c.fail("XADD", "s", "3-0", "a", "1", "b");
    c.fail("XADD", "s", "3-0");
    c.fail("XADD", "s", "MAXLEN", "5", "3-0");
    c.do("XLEN", "s");
    c.do("XRANGE", "s", "-", "+");
    c.do("OBJECT", "ENCODING", "s");
    c.do("TYPE", "s");
    c.sameShape("XADD", "auto", "*", "a", "1");
    c.do("XLEN", "auto");
    c.do("DEL", "auto");
    c.do("XADD", "zero", "0-*", "a", "1");
    c.do("XADD", "zero", "0-*", "a", "1");
    c.do("XADD", "new", "NOMKSTREAM", "1-1", "a", "1");
    c.do("EXISTS", "new");
    c.do("XADD", "s", "nomkstream", "9-9", "a", "1");
    c.do("SET", "string", "x");
    c.fail("XADD", "string", "1-1", "a", "1");
    c.fail("XLEN", "string");
    c.do("XLEN", "missing");
  });

  suite.test("IDs at the edge", (c) => {
    for (const id of ID_EDGES) {
      if (id === "*") continue;
      c.do("DEL", "s");
      c.do("XADD", "s", "0-1", "a", "1");
      c.either("XADD", "s", id, "a", "1");
      c.either("XADD", "s", "MINID", id, "5-*", "b", "2");
      c.either("XRANGE", "s", id, "+");
      c.either("XRANGE", "s", "-", id);
      c.either("XREVRANGE", "s", id, "-");
      c.either("XDEL", "s", id);
      c.either("XREAD", "STREAMS", "s", id);
      c.either("XGROUP", "CREATE", "s", `group ${id}`, id);
      c.either("XGROUP", "SETID", "s", `group ${id}`, id);
      c.either("XSETID", "s", id);
      c.either("XTRIM", "s", "MINID", id);
      c.do("XINFO", "STREAM", "s", "FULL");
    }
  });

  suite.test("the last ID", (c) => {
    c.do("XADD", "s", `${MAX}-18446744073709551613`, "a", "1");
    c.do("XADD", "s", `${MAX}-*`, "a", "2");
    c.do("XADD", "s", "*", "a", "3");
    c.fail("XADD", "s", "*", "a", "4");
    c.fail("XADD", "s", `${MAX}-*`, "a", "4");
    c.do("XRANGE", "s", "-", "+");
    c.do("XADD", "t", `5-${MAX}`, "a", "1");
    c.fail("XADD", "t", "5-*", "a", "2");
    c.do("XREVRANGE", "s", "+", "-");
    c.do("XADD", "u", "1-18446744073709551615", "a", "1");
    c.do("XADD", "u", "2-0", "a", "2");
    c.do("XADD", "u", "4611686018427387904-1", "a", "3");
    c.do("XADD", "u", "13835058055282163712-7", "a", "4");
    c.do("XRANGE", "u", "-", "+");
    c.do("XREVRANGE", "u", "+", "-");
  });

  suite.test("XRANGE and XREVRANGE", (c) => {
    fill(c, "s", 64);
    for (const [from, to] of [
      ["-", "+"],
      ["5", "9"],
      ["(5", "(9"],
      ["5-1", "7-1"],
      ["(5-2", "(7-0"],
      ["20", "20"],
      ["70", "+"],
      ["-", "0"],
      ["9", "5"],
    ]) {
      for (const count of [1, 3, 10, 11, 1000]) {
        c.do("XRANGE", "s", from, to, "COUNT", count);
        c.do("XREVRANGE", "s", to, from, "COUNT", count);
      }
      c.do("XRANGE", "s", from, to);
      c.do("XREVRANGE", "s", to, from);
    }
    c.do("XRANGE", "s", "-", "+", "COUNT", "0");
    c.do("XRANGE", "s", "-", "+", "COUNT", "-1");
    c.do("XRANGE", "s", "-", "+", "COUNT", "5", "COUNT", "2");
    c.fail("XRANGE", "s", "-", "+", "COUNT", "x");
    c.fail("XRANGE", "s", "-", "+", "COUNT");
    c.fail("XRANGE", "s", "-", "+", "LIMIT", "1");
    c.do("XRANGE", "missing", "-", "+");
    c.do("XRANGE", "missing", "-", "+", "COUNT", "0");
    c.fail("XRANGE", "missing", "x", "+");
    c.do("SET", "string", "x");
    c.fail("XRANGE", "string", "-", "+");
    c.fail("XRANGE", "string", "-", "+", "COUNT", "0");
  });

  suite.test("XDEL", (c) => {
    fill(c, "s", 45);
    c.do("XDEL", "s", "1-1", "3-0", "3-0", "99-1");
    c.do("XINFO", "STREAM", "s");
    c.do("XDEL", "s", "2-2", "44-2");
    c.do("XINFO", "STREAM", "s");
    c.do("XRANGE", "s", "-", "+");
    c.do("XREVRANGE", "s", "+", "-");
    for (let i = 11; i <= 20; i++) c.do("XDEL", "s", `${i}-${i % 7 === 0 ? 0 : i % 3}`);
    c.do("XINFO", "STREAM", "s", "FULL", "COUNT", "0");
    c.do("XREVRANGE", "s", "30", "5");
    c.do("XADD", "s", "100-1", "a", "1");
    c.fail("XDEL", "s", "100-1", "x");
    c.do("XLEN", "s");
    c.do("XDEL", "missing", "1-1");
    c.do("SET", "string", "x");
    c.fail("XDEL", "string", "1-1");
    c.do("XADD", "t", "1-1", "a", "1");
    c.do("XDEL", "t", "1-1");
    c.do("XLEN", "t");
    c.do("XRANGE", "t", "-", "+");
    c.do("XINFO", "STREAM", "t");
    c.fail("XADD", "t", "1-1", "a", "1");
  });

  suite.test("XTRIM", (c) => {
    for (const args of [
      ["MAXLEN", "30"],
      ["MAXLEN", "=", "30"],
      ["MAXLEN", "~", "30"],
      ["MAXLEN", "~", "25"],
      ["MAXLEN", "~", "0", "LIMIT", "25"],
      ["MAXLEN", "~", "0", "LIMIT", "0"],
      ["MAXLEN", "0"],
      ["MAXLEN", "1000"],
      ["MAXLEN", INT64_MAX],
      ["MINID", "30"],
      ["MINID", "=", "30-5"],
      ["MINID", "~", "35"],
      ["MINID", "~", "1000", "LIMIT", "20"],
      ["MINID", "1000"],
      ["MINID", "0"],
    ]) {
      c.do("DEL", "s");
      fill(c, "s", 55);
      c.do("XDEL", "s", "1-1", "12-0", "13-1", "31-1", "54-0");
      c.do("XTRIM", "s", ...args);
      c.do("XRANGE", "s", "-", "+");
      c.do("XINFO", "STREAM", "s");
      c.do("XADD", "s", ...args, "200-1", "a", "1");
      c.do("XREVRANGE", "s", "+", "-");
      c.do("XINFO", "STREAM", "s");
    }
    c.fail("XTRIM", "s", "MAXLEN", "-1");
    c.fail("XTRIM", "s", "MAXLEN", "x");
    c.fail("XTRIM", "s", "MAXLEN", "~");
    c.fail("XTRIM", "s", "MAXLEN", "5", "MINID", "5");
    c.fail("XTRIM", "s", "MAXLEN", "5", "MAXLEN", "5");
    c.fail("XTRIM", "s", "MAXLEN", "5", "LIMIT", "5");
    c.fail("XTRIM", "s", "MAXLEN", "~", "5", "LIMIT", "-5");
    c.fail("XTRIM", "s", "MAXLEN", "~", "5", "LIMIT", "x");
    c.fail("XTRIM", "s", "LIMIT", "5");
    c.fail("XTRIM", "s", "LIMIT", "0");
    c.fail("XTRIM", "s", "FOO", "5");
    c.fail("XTRIM", "s", "NOMKSTREAM", "MAXLEN", "5");
    c.fail("XADD", "s", "LIMIT", "5", "*", "a", "1");
    c.fail("XADD", "s", "MAXLEN", "5", "LIMIT", "5", "*", "a", "1");
    c.fail("XADD", "s", "MAXLEN", "5", "MAXLEN", "5", "*", "a", "1");
    c.do("XTRIM", "missing", "MAXLEN", "5");
    c.do("SET", "string", "x");
    c.fail("XTRIM", "string", "MAXLEN", "5");
  });

  suite.test("XSETID", (c) => {
    c.fail("XSETID", "missing", "1-1");
    fill(c, "s", 5);
    c.do("XSETID", "s", "200-0");
    c.do("XINFO", "STREAM", "s");
    c.fail("XSETID", "s", "1-1");
    c.do("XSETID", "s", "200-0", "ENTRIESADDED", "10", "MAXDELETEDID", "100-0");
    c.do("XINFO", "STREAM", "s");
    c.fail("XSETID", "s", "200-0", "ENTRIESADDED", "4");
    c.fail("XSETID", "s", "200-0", "ENTRIESADDED", "-1");
    c.fail("XSETID", "s", "200-0", "ENTRIESADDED", "x");
    c.fail("XSETID", "s", "200-0", "MAXDELETEDID", "200-1");
    c.fail("XSETID", "s", "90-0");
    c.fail("XSETID", "s", "x");
    c.fail("XSETID", "s", "200-0", "FOO", "1");
    c.fail("XSETID", "s", "200-0", "ENTRIESADDED");
    c.do("XSETID", "s", "200-0", "ENTRIESADDED", INT64_MAX);
    c.do("XINFO", "STREAM", "s");
    c.do("XADD", "s", "300-0", "a", "1");
    c.do("XINFO", "STREAM", "s");
  });

  suite.test("XREAD", (c) => {
    fill(c, "s", 25);
    fill(c, "t", 3);
    c.do("XREAD", "STREAMS", "s", "20");
    c.do("XREAD", "COUNT", "2", "STREAMS", "s", "t", "5-5", "0");
    c.do("XREAD", "COUNT", "2", "STREAMS", "s", "t", "$", "0");
    c.do("XREAD", "STREAMS", "s", "t", "$", "$");
    c.do("XREAD", "STREAMS", "s", "t", "+", "+");
    c.do("XREAD", "STREAMS", "missing", "t", "0", "2-1");
    c.do("XREAD", "STREAMS", "missing", "0");
    c.do("XREAD", "COUNT", "0", "STREAMS", "t", "0");
    c.do("XREAD", "COUNT", "-1", "STREAMS", "t", "0");
    c.do("XREAD", "STREAMS", "t", "t", "0", "1-1");
    c.do("XREAD", "BLOCK", "1", "STREAMS", "t", "$");
    c.do("XDEL", "t", "3-0");
    c.do("XREAD", "STREAMS", "t", "2-2");
    c.do("XREAD", "STREAMS", "t", "+");
    c.do("XREAD", "STREAMS", "t", "$");
    c.fail("XREAD", "STREAMS", "s");
    c.fail("XREAD", "STREAMS", "s", "t", "0");
    c.fail("XREAD", "COUNT", "x", "STREAMS", "s", "0");
    c.fail("XREAD", "BLOCK", "x", "STREAMS", "s", "0");
    c.fail("XREAD", "BLOCK", "-1", "STREAMS", "s", "0");
    c.fail("XREAD", "BLOCK", INT64_MAX, "STREAMS", "s", "0");
    c.fail("XREAD", "BLOCK", "0.5", "STREAMS", "s", "0");
    c.fail("XREAD", "STREAMS", "s", ">");
    c.fail("XREAD", "GROUP", "g", "c", "STREAMS", "s", "0");
    c.fail("XREAD", "NOACK", "STREAMS", "s", "0");
    c.fail("XREAD", "COUNT", "1", "BLOCK", "1");
    c.fail("XREAD", "STREAMS");
    c.do("SET", "string", "x");
    c.fail("XREAD", "STREAMS", "string", "0");
    c.fail("XREAD", "STREAMS", "s", "string", "0", "0");
    c.do("XGROUP", "CREATE", "empty", "g", "$", "MKSTREAM");
    c.fail("XREAD", "STREAMS", "empty", "+");
  });

  suite.test("what other commands make of streams", (c) => {
    fill(c, "s", 25);
    c.do("XGROUP", "CREATE", "s", "g", "3");
    c.sameShape("XREADGROUP", "GROUP", "g", "c", "COUNT", "12", "STREAMS", "s", ">");
    c.do("COPY", "s", "t");
    c.do("XDEL", "s", "9-0");
    c.do("XRANGE", "t", "-", "+");
    c.do("XPENDING", "t", "g");
    c.do("XINFO", "GROUPS", "t");
    c.do("XACK", "t", "g", "5-2");
    c.do("XPENDING", "s", "g");
    c.do("RENAME", "t", "u");
    c.do("XLEN", "u");
    c.do("EXPIRE", "u", "1000");
    c.do("XADD", "u", "1000-1", "a", "1");
    c.do("SET", "s", "x");
    c.do("GET", "s");
    c.do("DEL", "u");
    c.do("XLEN", "u");
  });

  suite.test("stream-node-max-entries and -bytes", (c) => {
    c.do("CONFIG", "SET", "stream-node-max-entries", "0", "stream-node-max-bytes", "200");
    fill(c, "bytes", 60);
    c.do("XINFO", "STREAM", "bytes");
    c.do("XTRIM", "bytes", "MAXLEN", "~", "10");
    c.do("XINFO", "STREAM", "bytes");
    c.do("CONFIG", "SET", "stream-node-max-entries", "0", "stream-node-max-bytes", "0");
    fill(c, "none", 300);
    c.do("XINFO", "STREAM", "none");
    c.do("XTRIM", "none", "MAXLEN", "150");
    c.do("XREVRANGE", "none", "+", "-");
    c.do("XADD", "none", "1000-1", "a", "1");
    c.do("CONFIG", "SET", "stream-node-max-entries", "1", "stream-node-max-bytes", "4096");
    fill(c, "one", 300);
    c.do("XINFO", "STREAM", "one");
    c.do("XTRIM", "one", "MAXLEN", "~", "150");
    c.do("XINFO", "STREAM", "one");
    c.do("CONFIG", "SET", "stream-node-max-entries", "10", "stream-node-max-bytes", "4096");
  });
});
