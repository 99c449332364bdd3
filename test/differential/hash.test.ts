/** Hash commands, against the reference server. */
import { useDifferential, type Script } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { itemsOf, textOf } from "../support/reply.ts";

const MAX = "9223372036854775807";
const MIN = "-9223372036854775808";
const LONG = "x".repeat(64);
const TOO_LONG = "x".repeat(65);

/** `count` pairs of fields and values. */
function pairs(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => [`${prefix}${i}`, `${i * 7}`]).flat();
}

/** Hashes of both encodings, and ones on either side of each limit. */
const HASHES: Readonly<Record<string, readonly string[]>> = {
  few: ["a", "1", "b", "two", "c", ""],
  odd: ["", "empty", "a b\r\n\0", "\0", "12", "34", MAX, MIN, "-0", "00"],
  entries512: pairs("f", 512),
  entries513: pairs("f", 513),
  longValue: ["f", LONG],
  tooLongValue: ["f", TOO_LONG],
  longField: [LONG, "v"],
  tooLongField: [TOO_LONG, "v"],
  large: pairs("field:", 1500),
  huge: ["f", "y".repeat(70_000), "g", "z".repeat(300)],
};

describeWithPeers("hashes", ["valkey-server"], () => {
  const suite = useDifferential();

  const fill = (c: Script): void => {
    for (const [key, fields] of Object.entries(HASHES)) c.do("HSET", key, ...fields);
    c.do("SET", "string", "v");
  };

  suite.test("encodings at, below and above each limit, set at once and one by one", (c) => {
    for (const [key, fields] of Object.entries(HASHES)) {
      c.do("HSET", key, ...fields);
      c.do("OBJECT", "ENCODING", key);
      if (fields.length > 1100) continue;
      for (let i = 0; i < fields.length; i += 2) {
        c.do("HSET", `single:${key}`, fields[i], fields[i + 1]);
        c.do("HSETNX", `nx:${key}`, fields[i], fields[i + 1]);
      }
      c.do("OBJECT", "ENCODING", `single:${key}`);
      c.do("OBJECT", "ENCODING", `nx:${key}`);
    }
  });

  suite.test("encodings under other settings", (c) => {
    c.do("CONFIG", "SET", "hash-max-listpack-entries", 2);
    c.do("CONFIG", "SET", "hash-max-listpack-value", 4);
    for (const fields of [
      pairs("f", 2),
      pairs("f", 3),
      ["a", "1", "a", "2", "a", "3"],
      ["abcd", "1234"],
      ["abcde", "1"],
      ["a", "12345"],
    ]) {
      const key = fields.join("-");
      c.do("HMSET", key, ...fields);
      c.do("OBJECT", "ENCODING", key);
      for (let i = 0; i < fields.length; i += 2) c.do("HSET", `s${key}`, fields[i], fields[i + 1]);
      c.do("OBJECT", "ENCODING", `s${key}`);
    }
    c.do("HINCRBY", "counter", "f", 9999);
    c.do("OBJECT", "ENCODING", "counter");
    c.do("HINCRBY", "counter", "f", 1);
    c.do("OBJECT", "ENCODING", "counter");
    c.do("HINCRBYFLOAT", "float", "f", "1.25");
    c.do("OBJECT", "ENCODING", "float");
    c.do("HINCRBYFLOAT", "float", "f", "1.125");
    c.do("OBJECT", "ENCODING", "float");
    c.do("CONFIG", "SET", "hash-max-listpack-entries", 512);
    c.do("CONFIG", "SET", "hash-max-listpack-value", 64);
  });

  suite.test("reading, changing and deleting fields", (c) => {
    fill(c);
    for (const [key, fields] of Object.entries(HASHES)) {
      const first = fields[0];
      const last = fields[fields.length - 2];
      c.do("HGET", key, first);
      c.do("HGET", key, "none");
      c.do("HMGET", key, first, "none", last, first);
      c.do("HSTRLEN", key, last);
      c.do("HSTRLEN", key, "none");
      c.do("HEXISTS", key, last);
      c.do("HEXISTS", key, "none");
      c.do("HLEN", key);
      c.sorted("HKEYS", key);
      c.sorted("HVALS", key);
      c.sorted("HGETALL", key);
      for (const value of ["1", "short", LONG, MAX, TOO_LONG, "", "y".repeat(5000), "-5", "1e3"]) {
        c.do("HSET", key, first, value);
        c.do("HGET", key, first);
        c.do("HSTRLEN", key, first);
      }
      c.do("HSET", key, last, "same", "new", "n", last, "again");
      c.do("HGET", key, last);
      c.do("HSETNX", key, last, "x");
      c.do("HSETNX", key, "newer", "x");
      c.do("OBJECT", "ENCODING", key);
      c.do("HDEL", key, first, first, "none");
      c.do("HDEL", key, ...fields, "new", "newer");
      c.do("EXISTS", key);
    }
    c.do("HGET", "missing", "f");
    c.do("HMGET", "missing", "f", "g");
    c.do("HGETALL", "missing");
    c.do("HKEYS", "missing");
    c.do("HVALS", "missing");
    c.do("HLEN", "missing");
    c.do("HEXISTS", "missing", "f");
    c.do("HSTRLEN", "missing", "f");
    c.do("HDEL", "missing", "f");
    c.do("HSETNX", "missing", "f", "v");
    c.do("HSETNX", "missing", "f", "w");
    c.do("HMSET", "missing", "f", "x", "g", "y");
    c.sorted("HGETALL", "missing");
  });

  suite.test("errors", (c) => {
    fill(c);
    for (const command of ["HSET", "HMSET", "HSETNX"]) {
      c.fail(command, "string", "f", "v");
      c.fail(command, "few", "f");
      c.fail(command, "few", "f", "v", "g");
      c.fail(command, "new", "f", "v", "g");
      c.fail(command.toLowerCase(), "string", "f", "v", "g");
    }
    for (const command of ["HGET", "HMGET", "HDEL", "HEXISTS", "HSTRLEN"]) {
      c.fail(command, "string", "f");
      c.fail(command, "few");
    }
    for (const command of ["HLEN", "HKEYS", "HVALS", "HGETALL", "HRANDFIELD"]) {
      c.fail(command, "string");
      c.fail(command);
    }
    c.fail("HINCRBY", "string", "f", 1);
    c.fail("HINCRBYFLOAT", "string", "f", 1);
    c.fail("HSCAN", "string", 0);
    c.fail("HSCAN", "few", "x");
    c.fail("HSCAN", "few", 0, "NOSCORES");
    c.fail("HSCAN", "few", 0, "COUNT", 0);
    c.fail("HSCAN", "few", 0, "MATCH");
    c.do("HSCAN", "missing", 0, "BAD");
    for (const count of ["a", "", MIN, "9223372036854775808"]) {
      c.fail("HRANDFIELD", "few", count);
      c.fail("HRANDFIELD", "missing", count, "WITHVALUES");
    }
    c.fail("HRANDFIELD", "few", 1, "VALUES");
    c.fail("HRANDFIELD", "few", 1, "WITHVALUES", 1);
    c.fail("HRANDFIELD", "missing", "4611686018427387904", "WITHVALUES");
    c.fail("HRANDFIELD", "missing", "-4611686018427387904", "WITHVALUES");
    c.do("HRANDFIELD", "missing", "4611686018427387903", "WITHVALUES");
    c.do("HRANDFIELD", "missing", "-4611686018427387903", "WITHVALUES");
  });

  suite.test("HINCRBY and HINCRBYFLOAT", (c) => {
    const values = [
      "0",
      "1",
      "-1",
      MAX,
      MIN,
      "9007199254740993",
      "1.5",
      "abc",
      "",
      " 1",
      "01",
      "1e2",
    ];
    for (const key of ["small", "large"]) {
      if (key === "large") c.do("HSET", key, "long", TOO_LONG);
      for (const value of values) {
        for (const amount of ["1", "-1", "0", MAX, MIN, "9007199254740993", "x", "1.5", ""]) {
          c.do("HSET", key, "f", value);
          c.either("HINCRBY", key, "f", amount);
          c.do("HGET", key, "f");
          c.do("HSET", key, "f", value);
          c.either("HINCRBYFLOAT", key, "f", amount);
          c.do("HGET", key, "f");
        }
      }
      for (const amount of ["inf", "-inf", "nan", "1e400", "1e308", "3.0e3", "0.1", "-0.3", " 1"]) {
        c.either("HINCRBYFLOAT", key, "g", amount);
      }
      c.do("HINCRBY", key, "new", 5);
      c.do("HSET", key, "big", "1e4932");
      c.either("HINCRBYFLOAT", key, "big", "1e4932");
      c.do("HSET", key, "digits", "1".repeat(300));
      c.either("HINCRBYFLOAT", key, "digits", "1");
    }
    c.do("HINCRBY", "fresh", "f", "-7");
    c.do("HINCRBYFLOAT", "freshFloat", "f", "2.5");
    c.fail("HINCRBY", "other", "f", "x");
    c.do("EXISTS", "other");
  });

  suite.test("HRANDFIELD: what does not depend on chance", (c) => {
    fill(c);
    c.do("HRANDFIELD", "missing");
    c.do("HRANDFIELD", "missing", 2);
    c.do("HRANDFIELD", "missing", -2, "WITHVALUES");
    c.do("HSET", "one", "f", "v");
    c.do("HRANDFIELD", "one");
    c.do("HRANDFIELD", "one", 3);
    c.do("HRANDFIELD", "one", 1, "WITHVALUES");
    c.do("HRANDFIELD", "one", -3, "WITHVALUES");
    for (const [key, fields] of Object.entries(HASHES)) {
      c.do("HRANDFIELD", key, 0);
      c.do("HRANDFIELD", key, 0, "WITHVALUES");
      c.sorted("HRANDFIELD", key, fields.length);
      c.sorted("HRANDFIELD", key, fields.length, "WITHVALUES");
      c.sameShape("HRANDFIELD", key, 1, "withvalues");
      c.sameShape("HRANDFIELD", key, -20, "WITHVALUES");
      for (const count of [1, 2, 100, -1, -10, -300]) {
        c.probe(`HRANDFIELD ${key} ${count}`, async (client) => {
          const found = itemsOf(await client.must("HRANDFIELD", key, count)).map(textOf);
          const distinct = new Set(found);
          const areFields = found.every((text) => fields.indexOf(text) % 2 === 0);
          return `${found.length} ${areFields} ${count < 0 || distinct.size === found.length}`;
        });
      }
    }
  });

  suite.test("HSCAN", (c) => {
    fill(c);
    for (const [key, fields] of Object.entries(HASHES)) {
      for (const option of [[], ["NOVALUES"]]) {
        c.probe(`HSCAN ${key} ${option.join()}`, async (client) => {
          const seen = new Set<string>();
          const step = option.length === 0 ? 2 : 1;
          let cursor = "0";
          do {
            const args = ["HSCAN", key, cursor, "COUNT", 100, ...option];
            const [next, found] = itemsOf(await client.must(...(args as [string, string])));
            cursor = textOf(next);
            const texts = itemsOf(found).map(textOf);
            for (let i = 0; i < texts.length; i += step) {
              seen.add(texts.slice(i, i + step).join("="));
            }
          } while (cursor !== "0");
          return [...seen].sort().join("\n");
        });
      }
      if (fields.length > 1100) continue;
      c.do("HSCAN", key.startsWith("entries") ? "few" : key, 0, "MATCH", "a*", "COUNT", 1000);
    }
    c.do("HSCAN", "missing", 0);
    c.do("HSCAN", "few", 0, "MATCH", "[ab]", "NOVALUES", "COUNT", 1);
  });

  suite.test("copies and renames keep what they are", (c) => {
    fill(c);
    for (const key of Object.keys(HASHES)) {
      c.do("COPY", key, `copy:${key}`);
      c.do("HSET", key, "added", "v");
      c.do("RENAME", key, `renamed:${key}`);
      c.do("OBJECT", "ENCODING", `copy:${key}`);
    }
    c.do("EXPIRE", "copy:large", 1000);
    c.do("HSET", "copy:large", "f", "v");
    c.do("TTL", "copy:large");
  });
});
