/** SORT and SORT_RO, against the reference server. */
import { seededPrng } from "../../src/base/prng.ts";
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { seedOfRun } from "../support/seed.ts";

describeWithPeers("SORT", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("lists and sets, by themselves", (c) => {
    const prng = seededPrng(seedOfRun());
    const numbers = Array.from({ length: 200 }, () => prng.nextBelow(1000) / 8 - 50);
    c.do("RPUSH", "list", ...numbers);
    c.do("SADD", "set", ...numbers);
    c.do("RPUSH", "words", "b", "a", "B", "", "aa", "10", "9", "é", "z");
    for (const options of [[], ["DESC"], ["ASC"], ["ALPHA"], ["ALPHA", "DESC"], ["desc", "asc"]]) {
      c.do("SORT", "list", ...options);
      c.do("SORT", "set", ...options);
      c.do("SORT_RO", "list", ...options);
      c.do("SORT", "words", ...options, "alpha");
    }
    for (const [start, count] of [
      [0, 10],
      [5, 10],
      [-5, 10],
      [190, 100],
      [200, 5],
      [300, 5],
      [0, 0],
      [3, 0],
      [3, -1],
      [3, -10],
      ["9223372036854775807", "9223372036854775807"],
      ["-9223372036854775808", "-9223372036854775808"],
      [1, "9223372036854775807"],
    ]) {
      c.do("SORT", "list", "LIMIT", start, count);
      c.do("SORT", "list", "BY", "nothing", "LIMIT", start, count);
      c.do("SORT", "list", "BY", "nothing", "LIMIT", start, count, "DESC");
    }
    c.do("SORT", "none");
    c.do("SORT_RO", "none", "GET", "#");
    c.do("SORT", "none", "BY", "x*", "LIMIT", 1, 1);
  });

  suite.test("numbers", (c) => {
    c.do("RPUSH", "k", "1.5", "-1", "1e3", "inf", "-inf", "0x10", "3", "-0", "+2", ".5", "5.");
    c.do("SORT", "k");
    c.do("SORT", "k", "DESC");
    c.do("RPUSH", "blank", " 2", "1", "\t-3");
    c.do("SORT", "blank");
    c.do("RPUSH", "equal", "1", "1.0", "01", "1e0", "");
    c.do("SORT", "equal");
    c.do("SORT", "equal", "DESC");
    for (const text of ["a", "nan", "1x", "1 ", "--1", "1e999", "12345678901234567890x"]) {
      c.do("DEL", "k");
      c.do("RPUSH", "k", "1", text);
      c.fail("SORT", "k");
      c.fail("SORT", "k", "STORE", "d");
      c.do("SORT", "k", "ALPHA");
    }
    c.do("EXISTS", "d");
  });

  suite.test("sorted sets", (c) => {
    c.do("ZADD", "zset", ...Array.from({ length: 200 }, (_, i) => [(i * 37) % 200, i]).flat());
    for (const options of [[], ["DESC"], ["LIMIT", 3, 5], ["LIMIT", 190, 50], ["LIMIT", 500, 5]]) {
      c.do("SORT", "zset", ...options);
      c.do("SORT", "zset", "BY", "nothing", ...options);
      c.do("SORT", "zset", "BY", "nothing", "DESC", ...options);
      c.do("SORT", "zset", "BY", "nothing", "ASC", ...options);
    }
    c.do("SORT", "zset", "BY", "nothing", "STORE", "d", "DESC");
    c.do("ZADD", "small", 1, "3", 2, "2", 3, "1");
    c.do("OBJECT", "ENCODING", "small");
    c.do("SORT_RO", "small");
    c.do("OBJECT", "ENCODING", "small");
    c.do("ZRANGE", "small", 0, -1, "WITHSCORES");
  });

  suite.test("BY and GET", (c) => {
    for (let i = 0; i < 40; i++) {
      c.do("RPUSH", "list", i);
      c.do("SADD", "set", `m${i}`);
      c.do("SET", `weight_${i}`, (i * 7) % 11);
      c.do("SET", `w_m${i}_x`, `text ${(i * 7) % 40}`);
      c.do("HSET", `hash_${i}`, "field", (i * 3) % 17, "name", `name ${(i * 11) % 40}`);
    }
    c.do("DEL", "weight_5", "hash_6");
    c.do("SORT", "list", "BY", "weight_*");
    c.do("SORT", "list", "BY", "weight_*", "DESC", "GET", "#", "GET", "weight_*");
    c.do("SORT", "list", "BY", "weight_*", "LIMIT", 3, 7, "GET", "#");
    c.do("SORT", "set", "BY", "w_*_x", "ALPHA");
    c.do("SORT", "set", "BY", "w_*_x", "ALPHA", "DESC", "GET", "w_*_x");
    c.do("SORT", "list", "BY", "hash_*->field", "GET", "#", "GET", "hash_*->name");
    c.do("SORT", "list", "BY", "hash_*->name", "ALPHA", "GET", "hash_*->none");
    c.do("SORT", "list", "BY", "hash_*->", "GET", "hash_*->");
    c.do("SORT", "list", "BY", "weight_*->field");
    c.do("SORT", "list", "BY", "hash_*");
    c.do("SORT", "list", "GET", "nothing", "GET", "weight_**", "GET", "*->field", "GET", "");
    c.do("SORT_RO", "list", "BY", "weight_*", "GET", "#", "LIMIT", 0, 5);
    c.sorted("SORT", "set", "BY", "nothing");
    c.fail("SORT", "list", "BY", "w_m*_x");
    c.do("SET", "w_m1_x", "not a number");
    c.fail("SORT", "set", "BY", "w_*_x");
  });

  suite.test("STORE", (c) => {
    c.do("RPUSH", "list", ...Array.from({ length: 100 }, (_, i) => (i * 37) % 100));
    c.do("SADD", "set", "c", "a", "b", "10", "9");
    c.do("SET", "x_1", "one");
    c.do("SORT", "list", "STORE", "sorted");
    c.do("SORT", "list", "LIMIT", 0, 5, "STORE", "five");
    c.do("SORT", "list", "LIMIT", 0, 5, "GET", "x_*", "GET", "#", "STORE", "pairs");
    c.do("SORT", "set", "ALPHA", "STORE", "letters");
    c.do("SORT", "set", "BY", "nothing", "STORE", "unordered");
    c.do("SET", "other", "text");
    c.do("EXPIRE", "other", 1000);
    c.do("SORT", "list", "LIMIT", 0, 1, "STORE", "other");
    c.do("TTL", "other");
    c.do("SORT", "list", "STORE", "list");
    c.do("SORT", "list", "LIMIT", 0, 0, "STORE", "five");
    c.do("EXISTS", "five");
    c.do("SORT", "none", "STORE", "pairs");
    c.do("SORT", "none", "STORE", "none");
    c.do("SORT", "list", "STORE", "first", "STORE", "second");
    c.do("EXISTS", "first");
    c.do("RPUSH", "long", ...Array.from({ length: 3000 }, (_, i) => `element ${(i * 7) % 3000}`));
    c.do("SORT", "long", "ALPHA", "STORE", "long:sorted");
  });

  suite.test("arguments", (c) => {
    c.do("RPUSH", "list", 1);
    c.do("SET", "text", "a");
    c.do("HSET", "hash", "f", "v");
    c.fail("SORT");
    c.fail("SORT", "text");
    c.fail("SORT", "hash");
    c.fail("SORT", "list", "NONE");
    c.fail("SORT", "list", "LIMIT", 1);
    c.fail("SORT", "list", "LIMIT", "x", 1);
    c.fail("SORT", "list", "LIMIT", 1, "x");
    c.fail("SORT", "list", "LIMIT", 1, "9223372036854775808");
    c.fail("SORT", "list", "BY");
    c.fail("SORT", "list", "GET");
    c.fail("SORT", "list", "STORE");
    c.fail("SORT_RO", "list", "STORE", "d");
    c.do("COMMAND", "GETKEYSANDFLAGS", "SORT", "a", "BY", "b", "GET", "store", "STORE", "d");
    c.do("COMMAND", "GETKEYS", "SORT", "a", "LIMIT", 1, 2, "STORE", "c", "STORE", "d");
    c.do("COMMAND", "GETKEYS", "SORT_RO", "a", "BY", "b");
  });
});
