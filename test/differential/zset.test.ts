/** Sorted set commands, against the reference server. */
import { useDifferential, type Script } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { Random, seedOfRun } from "../support/seed.ts";

const FILE = "test/differential/zset.test.ts";

/** Scores, good and bad, at the edges of integers, doubles and their texts. */
const SCORES = ["0", "-0", "1", "-1", "1.5", "-1.5", "127", "128", "4095", "4096", "-4097"]
  .concat("2147483648", "9007199254740991", "9007199254740992", "9007199254740993")
  .concat("4611686018427387904", "-4611686018427387904", "9223372036854775807", "1e19")
  .concat("inf", "-inf", "+inf", "infinity", "nan", "1e308", "1e309", "5e-324", "1e-400")
  .concat("0.1", "3.0e-5", "0x10", "1e5", " 1", "1 ", "", "a", "1,5", "(1", "0.30000000000000004")
  .concat("123456789.123456789", "1e21", "100000000000000000000", "-1e-7", "1\0");

const MEMBERS = ["", "0", "-0", "1", "01", "-1", "127", "128", "-4096", "4096", "2147483647"]
  .concat("9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808")
  .concat("a", "b", "aa", "ab", "abc", "\xff", "\0", "with space", "\r\n", "m".repeat(64));

const BOUNDS = [
  "-inf",
  "+inf",
  "inf",
  "0",
  "(0",
  "1",
  "(1",
  "2.5",
  "(2.5",
  "-1",
  "nan",
  "(nan",
  "(",
  "",
].concat(" 1", "1 ", "( 1", "1e400", "(-1e400", "a", "((1", "1\0a", "  ", "0x2", "1e-400");

const LEX_BOUNDS = [
  "-",
  "+",
  "[a",
  "(a",
  "[",
  "(",
  "[ab",
  "(ab",
  "[zz",
  "a",
  "",
  "+a",
  "-a",
  "+\0",
];

const RANKS = ["0", "1", "-1", "-2", "3", "100", "-100", "9223372036854775807"].concat(
  "-9223372036854775808",
  "9223372036854775808",
  "a",
  "",
  "1.5",
);

/** The same steps with the small encoding and with the large one. */
function bothEncodings(c: Script, record: (encoding: string) => void): void {
  for (const [encoding, entries] of [
    ["listpack", "128"],
    ["skiplist", "0"],
  ]) {
    c.do("FLUSHALL");
    c.do("CONFIG", "SET", "zset-max-listpack-entries", entries);
    record(encoding);
  }
  c.do("CONFIG", "SET", "zset-max-listpack-entries", "128");
}

function addSample(c: Script, key: string): void {
  c.do("ZADD", key, "1", "a", "2", "b", "2", "ba", "2.5", "c", "-1", "d", "inf", "e", "-inf", "f");
}

describeWithPeers("sorted sets", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("ZADD takes any score", (c) => {
    bothEncodings(c, (encoding) => {
      for (const score of SCORES) {
        c.either("ZADD", "k", score, `member of ${score}`);
        c.either("ZADD", "same", score, "member");
        // A listpack forgets the sign of -0, and both servers do.
        c.do("ZSCORE", "same", "member");
        c.either("ZINCRBY", "by", score, "member");
        c.either("ZINCRBY", "k", score, "1");
      }
      c.do("ZRANGE", "k", 0, -1, "WITHSCORES");
      c.do("ZREVRANGE", "k", 0, -1, "WITHSCORES");
      c.do("OBJECT", "ENCODING", "k");
      if (encoding === "listpack") c.do("ZSCAN", "k", 0);
      else c.sorted("ZSCAN", "k", 0, "COUNT", 1000);
    });
  });

  suite.test("ZADD takes any member", (c) => {
    bothEncodings(c, () => {
      for (const member of MEMBERS) {
        c.do("ZADD", "k", "1", member);
        c.do("ZADD", "scores", String(member.length), member);
        c.do("ZSCORE", "k", member);
        c.do("ZRANK", "k", member);
        c.do("ZREVRANK", "scores", member, "WITHSCORE");
      }
      c.do("ZRANGE", "k", 0, -1);
      c.do("ZMSCORE", "scores", ...MEMBERS);
      c.do("ZADD", "k", "1", "x".repeat(65));
      c.do("OBJECT", "ENCODING", "k");
      for (const member of MEMBERS) c.do("ZREM", "k", member);
      c.do("ZCARD", "k");
      c.do("ZREM", "scores", ...MEMBERS, "another");
      c.do("EXISTS", "scores");
    });
  });

  suite.test("options of ZADD", (c) => {
    const options = ["NX", "XX", "GT", "LT", "CH", "INCR", "nx", "bad"];
    bothEncodings(c, () => {
      c.do("ZADD", "k", "5", "a", "5", "b");
      for (const first of options) {
        for (const score of ["4", "5", "6", "nan", "inf"]) {
          c.either("ZADD", "k", first, score, "a");
          c.either("ZADD", "k", first, score, "new");
          c.either("ZADD", "none", first, score, "a");
          c.either("ZADD", "k", first, score, "a", "7", "b");
          for (const second of options) c.either("ZADD", "k", first, second, score, "b");
        }
        c.do("ZRANGE", "k", 0, -1, "WITHSCORES");
        c.do("ZADD", "k", "5", "a", "5", "b");
      }
      c.fail("ZADD", "k", "1");
      c.fail("ZADD", "k", "1", "a", "2");
      c.fail("ZADD", "k", "NX", "XX");
      c.fail("ZADD", "k", "1", "a", "b", "c");
      c.fail("ZINCRBY", "k", "NX", "a");
      c.do("ZADD", "k", "inf", "a");
      c.fail("ZINCRBY", "k", "-inf", "a");
      c.fail("ZADD", "k", "INCR", "-inf", "a");
      c.do("ZADD", "k", "1", "twice", "2", "twice", "3", "twice");
      c.do("ZADD", "k", "CH", "4", "twice", "4", "twice");
      c.do("ZSCORE", "k", "twice");
    });
  });

  suite.test("ranges by score", (c) => {
    bothEncodings(c, () => {
      addSample(c, "k");
      for (const min of BOUNDS) {
        for (const max of BOUNDS) {
          c.either("ZRANGEBYSCORE", "k", min, max, "WITHSCORES");
          c.either("ZREVRANGEBYSCORE", "k", max, min);
          c.either("ZCOUNT", "k", min, max);
          c.either("ZRANGESTORE", "d", "k", min, max, "BYSCORE");
        }
        c.either("ZRANGEBYSCORE", "none", min, "1");
        c.either("ZCOUNT", "none", min, "1");
      }
      for (const offset of ["0", "1", "3", "10", "-1", "-2", "a", "9223372036854775807"]) {
        for (const count of ["0", "1", "2", "-1", "-5", "100", "b"]) {
          c.either("ZRANGEBYSCORE", "k", "-inf", "inf", "LIMIT", offset, count);
          c.either("ZREVRANGEBYSCORE", "k", "2", "(-1", "WITHSCORES", "LIMIT", offset, count);
          c.either("ZRANGE", "k", "2", "0", "REV", "BYSCORE", "LIMIT", offset, count);
        }
      }
    });
  });

  suite.test("ranges by member", (c) => {
    bothEncodings(c, (encoding) => {
      c.do("ZADD", "k", "0", "a", "0", "ab", "0", "b", "0", "ba", "0", "", "0", "12", "0", "z");
      addSample(c, "mixed");
      // Where scores differ, only a listpack's result is always the same.
      const keys = encoding === "listpack" ? ["k", "mixed"] : ["k"];
      for (const key of keys) {
        for (const min of LEX_BOUNDS) {
          for (const max of LEX_BOUNDS) {
            c.either("ZRANGEBYLEX", key, min, max);
            c.either("ZREVRANGEBYLEX", key, max, min);
            c.either("ZLEXCOUNT", key, min, max);
          }
          c.either("ZRANGEBYLEX", "none", min, "+");
        }
        for (const offset of ["0", "1", "3", "10", "-1", "-2"]) {
          for (const count of ["0", "1", "2", "-1"]) {
            c.do("ZRANGEBYLEX", key, "-", "+", "LIMIT", offset, count);
            c.do("ZREVRANGEBYLEX", key, "[b", "-", "LIMIT", offset, count);
            c.do("ZRANGE", key, "+", "[ab", "REV", "BYLEX", "LIMIT", offset, count);
          }
        }
      }
    });
  });

  suite.test("ranges by rank", (c) => {
    bothEncodings(c, () => {
      addSample(c, "k");
      for (const start of RANKS) {
        for (const stop of RANKS) {
          c.either("ZRANGE", "k", start, stop);
          c.either("ZRANGE", "k", start, stop, "REV", "WITHSCORES");
          c.either("ZREVRANGE", "k", start, stop);
          c.do("DEL", "d");
          addSample(c, "d");
          c.either("ZREMRANGEBYRANK", "d", start, stop);
          c.either("ZRANGESTORE", "d", "k", start, stop);
        }
      }
    });
  });

  suite.test("ranges of members of every length, over many leaves", (c) => {
    const pairs = Array.from({ length: 700 }, (_, i) => [i * 0.5, String(i).padEnd(i % 260, "m")]);
    c.do("ZADD", "long", ...pairs.flat());
    for (const [from, to] of [
      [0, -1],
      [3, 66],
      [60, 61],
      [61, 62],
      [62, 191],
      [100, 699],
      [-1, -1],
    ]) {
      for (const option of [[], ["REV"], ["WITHSCORES"], ["REV", "WITHSCORES"]]) {
        c.do("ZRANGE", "long", from, to, ...option);
      }
    }
    c.do("ZRANGEBYSCORE", "long", 20, "(90.5", "LIMIT", 7, 70);
    c.do("ZREVRANGEBYSCORE", "long", 340, 3, "LIMIT", 0, 640);
    const big = Array.from({ length: 3000 }, (_, i) => [i, String(i).padStart(99 + (i % 3), "b")]);
    c.do("ZADD", "big", ...big.flat());
    c.do("ZRANGE", "big", 0, -1);
  });

  suite.test("removing ranges", (c) => {
    bothEncodings(c, () => {
      for (const [min, max] of [
        ["-inf", "inf"],
        ["(1", "2"],
        ["2", "1"],
        ["100", "200"],
        ["x", "1"],
      ]) {
        addSample(c, "k");
        c.either("ZREMRANGEBYSCORE", "k", min, max);
        c.do("ZRANGE", "k", 0, -1);
      }
      for (const [min, max] of [
        ["-", "+"],
        ["[b", "(c"],
        ["[c", "[b"],
        ["x", "+"],
      ]) {
        c.do("ZADD", "l", "0", "a", "0", "b", "0", "bb", "0", "c");
        c.either("ZREMRANGEBYLEX", "l", min, max);
        c.do("ZRANGE", "l", 0, -1);
      }
      c.do("ZREMRANGEBYRANK", "none", 0, 1);
    });
  });

  suite.test("options of ranges, and other types", (c) => {
    addSample(c, "k");
    c.do("SET", "s", "v");
    for (const args of [
      ["LIMIT", "0", "1"],
      ["LIMIT", "0", "-1"],
      ["LIMIT", "0"],
      ["BYSCORE", "BYLEX"],
      ["BYSCORE", "REV", "WITHSCORES"],
      ["BYLEX", "WITHSCORES"],
      ["REV", "REV"],
      ["WITHSCORES", "WITHSCORES"],
      ["BAD"],
    ]) {
      c.either("ZRANGE", "k", "0", "1", ...args);
      c.either("ZRANGE", "s", "0", "1", ...args);
      c.either("ZRANGESTORE", "d", "k", "0", "1", ...args);
      c.either("ZREVRANGE", "k", "0", "1", ...args);
      c.either("ZRANGEBYSCORE", "k", "0", "1", ...args);
      c.either("ZREVRANGEBYLEX", "k", "+", "-", ...args);
    }
    for (const args of [
      ["ZADD", "s", "1", "a"],
      ["ZINCRBY", "s", "1", "a"],
      ["ZREM", "s", "a"],
      ["ZCARD", "s"],
      ["ZSCORE", "s", "a"],
      ["ZMSCORE", "s", "a"],
      ["ZRANK", "s", "a"],
      ["ZRANK", "k", "a", "WITHSCORES"],
      ["ZRANK", "k", "a", "WITHSCORE", "b"],
      ["ZREVRANK", "k", "a", "WITHSCORE", "b"],
      ["ZCOUNT", "s", "0", "1"],
      ["ZLEXCOUNT", "s", "-", "+"],
      ["ZREMRANGEBYRANK", "s", "0", "1"],
      ["ZREMRANGEBYSCORE", "s", "0", "1"],
      ["ZREMRANGEBYLEX", "s", "-", "+"],
      ["ZPOPMIN", "s"],
      ["ZPOPMAX", "s", "0"],
      ["ZMPOP", "1", "s", "MIN"],
      ["ZRANDMEMBER", "s"],
      ["ZRANDMEMBER", "s", "1"],
      ["ZSCAN", "s", "0"],
      ["ZUNION", "2", "k", "s"],
      ["ZRANGESTORE", "d", "s", "0", "1"],
      ["ZDIFFSTORE", "d", "1", "s"],
      ["BZPOPMIN", "s", "1"],
    ]) {
      c.fail(...args);
    }
    c.do("ZRANGESTORE", "s", "k", "1", "2");
    c.do("EXPIRE", "s", "1000");
    c.do("ZRANGESTORE", "s", "k", "1", "1");
    c.do("TTL", "s");
    c.do("ZRANGESTORE", "s", "none", "1", "1");
    c.do("EXISTS", "s");
  });

  suite.test("popping", (c) => {
    bothEncodings(c, () => {
      addSample(c, "k");
      for (const count of ["-1", "0", "a", "1", "2", "", "9223372036854775807"]) {
        c.either("ZPOPMIN", "k", count);
        c.either("ZPOPMAX", "none", count);
      }
      addSample(c, "k");
      c.do("ZPOPMIN", "k");
      c.do("ZPOPMAX", "k");
      c.do("ZPOPMIN", "none");
      c.fail("ZPOPMIN", "k", "1", "2");
      for (const args of [
        ["1", "k", "MIN"],
        ["1", "k", "MAX", "COUNT", "2"],
        ["2", "none", "k", "MAX", "COUNT", "0"],
        ["2", "none", "k", "MIN", "COUNT", "1", "COUNT", "1"],
        ["2", "none", "k", "MIN", "COUNT"],
        ["2", "none", "k", "MIDDLE"],
        ["3", "none", "k", "MIN"],
        ["0", "k", "MIN"],
        ["a", "k", "MIN"],
        ["1", "none", "MIN"],
        ["2", "none", "k", "MAX", "COUNT", "100"],
      ]) {
        c.either("ZMPOP", ...args);
        c.do("ZCARD", "k");
      }
    });
  });

  suite.test("waiting", (c) => {
    addSample(c, "k");
    c.do("BZPOPMIN", "none", "k", "0");
    c.do("BZPOPMAX", "k", "none", "0.5");
    c.do("BZMPOP", "0", "2", "none", "k", "MIN", "COUNT", "2");
    for (const timeout of ["-1", "a", "", "1e400", "nan", "9223372036854775807"]) {
      c.fail("BZPOPMIN", "k", timeout);
      c.fail("BZMPOP", timeout, "1", "k", "MIN");
    }
    c.do("BZPOPMIN", "none", "0.01");
    c.do("BZMPOP", "0.01", "1", "none", "MAX");
    c.do("MULTI");
    c.do("BZPOPMAX", "none", "0");
    c.do("BZMPOP", "0", "1", "none", "MAX");
    c.do("EXEC");
  });

  suite.test("unions, intersections and differences", (c) => {
    bothEncodings(c, () => {
      addSample(c, "a");
      c.do("ZADD", "b", "10", "a", "-inf", "e", "0.1", "c", "3", "x");
      c.do("SADD", "s", "a", "b", "x", "7");
      c.do("SADD", "i", "1", "2", "7");
      c.do("SET", "string", "v");
      const inputs = [
        ["1", "a"],
        ["2", "a", "b"],
        ["3", "b", "a", "s"],
        ["2", "a", "a"],
      ].concat(
        [["2", "none", "a"]],
        [["2", "a", "none"]],
        [["1", "none"]],
        [["2", "s", "i"]],
        [["3", "a", "s", "string"]],
        [["0", "a"]],
        [["-1", "a"]],
        [["3", "a", "b"]],
        [["x", "a"]],
      );
      const options = [
        [],
        ["WEIGHTS", "2"],
        ["WEIGHTS", "2", "-1.5"],
        ["WEIGHTS", "inf", "0"],
        ["WEIGHTS", "1", "x"],
        ["AGGREGATE", "MIN"],
        ["AGGREGATE", "MAX"],
        ["AGGREGATE", "SUM"],
        ["AGGREGATE", "AVG"],
        ["AGGREGATE"],
        ["WEIGHTS", "2", "3", "AGGREGATE", "MAX"],
        ["WEIGHTS", "1", "2", "3"],
        ["LIMIT", "1"],
        ["LIMIT", "-1"],
        ["LIMIT", "x"],
        ["WITHSCORES"],
      ];
      for (const input of inputs) {
        for (const option of options) {
          for (const name of ["ZUNION", "ZINTER", "ZDIFF"]) {
            c.either(name, ...input, ...option);
            c.either(name, ...input, "WITHSCORES", ...option);
            c.either(`${name}STORE`, "d", ...input, ...option);
            c.do("ZRANGE", "d", 0, -1, "WITHSCORES");
          }
          c.either("ZINTERCARD", ...input, ...option);
        }
      }
      c.do("ZUNIONSTORE", "a", "2", "a", "b");
      c.do("OBJECT", "ENCODING", "a");
      c.do("ZINTERSTORE", "a", "2", "a", "none");
      c.do("EXISTS", "a");
    });
  });

  suite.test("ZRANDMEMBER and ZSCAN", (c) => {
    bothEncodings(c, (encoding) => {
      addSample(c, "k");
      c.sameShape("ZRANDMEMBER", "k");
      for (const count of ["0", "1", "3", "-3", "-20", "-9223372036854775808", "a"]) {
        if (count.startsWith("-9") || count === "a") c.fail("ZRANDMEMBER", "k", count);
        else c.sameShape("ZRANDMEMBER", "k", count);
      }
      // All of them come in order, from the highest down.
      c.do("ZRANDMEMBER", "k", "7");
      c.do("ZRANDMEMBER", "k", "100", "WITHSCORES");
      c.sameShape("ZRANDMEMBER", "k", "-3", "WITHSCORES");
      c.fail("ZRANDMEMBER", "k", "9223372036854775807", "WITHSCORES");
      c.fail("ZRANDMEMBER", "k", "1", "WITHSCORE");
      c.fail("ZRANDMEMBER", "k", "1", "WITHSCORES", "x");
      c.do("ZRANDMEMBER", "none");
      c.do("ZRANDMEMBER", "none", "2");
      c.do("ZADD", "k", "0.1", "g", "1e20", "h", "1.1e-7", "i", "-0.30000000000000004", "j");
      const elements = encoding === "listpack" ? c.do.bind(c) : c.sorted.bind(c);
      elements("ZSCAN", "k", "0", "COUNT", "1000");
      elements("ZSCAN", "k", "0", "MATCH", "b*", "COUNT", "1000");
      c.do("ZSCAN", "none", "0");
      c.fail("ZSCAN", "k", "a");
      c.fail("ZSCAN", "k", "0", "COUNT", "0");
      c.fail("ZSCAN", "k", "0", "NOVALUES");
      c.do("ZSCAN", "none", "0", "BAD");
    });
  });

  suite.testOurs("ZSCAN without scores", (c) => {
    c.do("ZADD", "k", "1", "a", "2", "b");
    c.ours('array of 2\n  "0"\n  array of 2\n    "a"\n    "b"', "ZSCAN", "k", "0", "NOSCORES");
  });

  suite.test("encodings at the limits", (c) => {
    c.do("CONFIG", "SET", "zset-max-listpack-entries", "3", "zset-max-listpack-value", "5");
    for (let i = 1; i <= 5; i++) {
      c.do("ZADD", "one by one", String(i), `m${i}`);
      c.do("OBJECT", "ENCODING", "one by one");
      const pairs = Array.from({ length: i }, (_, n) => [String(n), `m${n}`]).flat();
      c.do("ZADD", `at once ${i}`, ...pairs);
      c.do("OBJECT", "ENCODING", `at once ${i}`);
      c.do("ZADD", `long ${i}`, "1", "x".repeat(i + 2));
      c.do("OBJECT", "ENCODING", `long ${i}`);
      c.do("ZUNIONSTORE", `union ${i}`, "2", `at once ${i}`, `long ${i}`);
      c.do("OBJECT", "ENCODING", `union ${i}`);
      c.do("ZRANGESTORE", `range ${i}`, "one by one", "0", String(i));
      c.do("OBJECT", "ENCODING", `range ${i}`);
    }
    // Even a ZADD that changes nothing converts.
    c.do("ZADD", "k", "1", "a");
    c.do("ZADD", "k", "XX", "1", "b", "1", "c", "1", "d", "1", "e");
    c.do("OBJECT", "ENCODING", "k");
    c.do("ZREMRANGEBYRANK", "one by one", "0", "3");
    c.do("OBJECT", "ENCODING", "one by one");
    c.do("ZINCRBY", "inc", "1", "toolong");
    c.do("OBJECT", "ENCODING", "inc");
    c.do("CONFIG", "SET", "zset-max-listpack-entries", "128", "zset-max-listpack-value", "64");
  });

  suite.test("random changes of large sets", (c) => {
    const seed = seedOfRun();
    console.log(`SEED=${seed} bun test ${FILE}`);
    const random = new Random(seed);
    const member = (): string => `m${random.below(600)}`;
    const score = (): string => String(random.below(80) / 4);
    for (let i = 0; i < 300; i++) {
      const pairs = Array.from({ length: 1 + random.below(8) }, () => [score(), member()]).flat();
      c.do("ZADD", "k", ...pairs);
      c.do("ZADD", "other", ...pairs.slice(0, 2));
    }
    for (let i = 0; i < 600; i++) {
      switch (random.below(10)) {
        case 0:
          c.do("ZREM", "k", member(), member());
          break;
        case 1:
          c.do("ZINCRBY", "k", score(), member());
          break;
        case 2:
          c.do("ZRANK", "k", member(), "WITHSCORE");
          break;
        case 3:
          c.do("ZCOUNT", "k", score(), `(${score()}`);
          break;
        case 4:
          c.do("ZRANGE", "k", random.below(500), random.below(500), "WITHSCORES");
          break;
        case 5:
          c.do("ZREVRANGEBYSCORE", "k", score(), score(), "LIMIT", random.below(20), 10);
          break;
        case 6:
          c.do("ZPOPMIN", "k");
          c.do("ZPOPMAX", "k", 2);
          break;
        case 7:
          c.do("ZREMRANGEBYRANK", "k", random.below(500), random.below(500));
          break;
        case 8:
          c.do("ZINTER", "2", "k", "other", "WITHSCORES");
          break;
        default:
          c.do("ZADD", "k", "CH", score(), member(), score(), member());
      }
    }
    c.do("COPY", "k", "copy");
    c.do("ZRANGE", "copy", 0, -1, "WITHSCORES");
    c.do("OBJECT", "ENCODING", "copy");
  });
});
