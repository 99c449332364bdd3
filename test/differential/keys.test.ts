/** Commands on keys of any type, against the reference server. Expiry: expire.test.ts. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { itemsOf, textOf } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";

const MAX_INTEGER = "9223372036854775807";

describeWithPeers("generic commands", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("DEL, UNLINK, EXISTS and TOUCH", (c) => {
    c.do("MSET", "a", "1", "b", "2", "c", "3", "d", "4");
    c.do("EXISTS", "a");
    c.do("EXISTS", "a", "a", "none", "b");
    c.do("TOUCH", "a", "none", "a");
    c.do("DEL", "a", "a", "none");
    c.do("UNLINK", "b", "b", "none");
    c.do("DEL", "none");
    c.do("UNLINK", "none");
    c.do("EXISTS", "a", "b", "c", "d");
    for (const command of ["DEL", "UNLINK", "EXISTS", "TOUCH"]) c.fail(command);
    for (let i = 0; i < 2000; i++) c.do("SET", `many:${i}`, i);
    c.do("DBSIZE");
    for (let i = 0; i < 2000; i += 2) c.do("DEL", `many:${i}`);
    c.do("DBSIZE");
    c.do("EXISTS", "many:0", "many:1");
  });

  suite.test("TYPE", (c) => {
    c.do("TYPE", "none");
    c.do("SET", "string", "v");
    c.do("TYPE", "string");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.do("TYPE", "list");
    });
    c.where("sadd", () => {
      c.do("SADD", "set", "x");
      c.do("TYPE", "set");
    });
    c.where("hset", () => {
      c.do("HSET", "hash", "f", "v");
      c.do("TYPE", "hash");
    });
    c.where("zadd", () => {
      c.do("ZADD", "zset", "1", "x");
      c.do("TYPE", "zset");
    });
    c.where("xadd", () => {
      c.do("XADD", "stream", "1-1", "f", "v");
      c.do("TYPE", "stream");
    });
    c.fail("TYPE");
    c.fail("TYPE", "a", "b");
  });

  suite.test("RENAME and RENAMENX", (c) => {
    c.fail("RENAME", "none", "k");
    c.fail("RENAMENX", "none", "k");
    c.do("SET", "a", "1", "EX", "1000");
    c.do("SET", "b", "2");
    c.do("RENAME", "a", "c");
    c.within(10, "TTL", "c");
    c.do("RENAME", "c", "b");
    c.do("GET", "b");
    c.within(10, "TTL", "b");
    c.do("SET", "d", "3");
    c.do("RENAME", "d", "b");
    c.do("TTL", "b");
    c.do("RENAME", "b", "b");
    c.do("RENAMENX", "b", "b");
    c.fail("RENAME", "none", "none");
    c.do("SET", "e", "4");
    c.do("RENAMENX", "e", "b");
    c.do("RENAMENX", "e", "f");
    c.do("MGET", "b", "e", "f");
    for (const command of ["RENAME", "RENAMENX"]) {
      c.fail(command, "a");
      c.fail(command, "a", "b", "c");
    }
  });

  suite.test("COPY", (c) => {
    c.do("COPY", "none", "k");
    c.do("SET", "a", "1", "EXAT", "4102444800");
    c.do("COPY", "a", "b");
    c.do("EXPIRETIME", "b");
    c.do("COPY", "a", "b");
    c.do("SET", "a", "2");
    c.do("COPY", "a", "b", "REPLACE");
    c.do("GET", "b");
    c.do("TTL", "b");
    c.do("COPY", "a", "a2", "DB", "3");
    c.do("COPY", "a", "a2", "DB", "3");
    c.do("COPY", "a", "a2", "db", "3", "replace");
    c.do("COPY", "a", "a2", "REPLACE", "DB", "0");
    c.do("COPY", "a", "a", "DB", "1");
    c.fail("COPY", "a", "a");
    c.fail("COPY", "none", "none");
    c.fail("COPY", "a", "a", "DB", "0");
    c.fail("COPY", "a", "b", "DB", "16");
    c.fail("COPY", "a", "b", "DB", "-1");
    c.fail("COPY", "a", "b", "DB", "abc");
    c.fail("COPY", "a", "b", "DB");
    c.fail("COPY", "a", "b", "BAD");
    c.fail("COPY", "a");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x", "y");
      c.do("COPY", "list", "list2");
      c.do("RPUSH", "list2", "z");
      c.do("LRANGE", "list", "0", "-1");
    });
  });

  suite.test("MOVE, SELECT and SWAPDB", (c) => {
    c.do("SET", "a", "1", "EX", "1000");
    c.do("SET", "b", "2");
    c.do("MOVE", "none", "1");
    c.do("MOVE", "a", "1");
    c.do("EXISTS", "a");
    c.do("SELECT", "1");
    c.do("GET", "a");
    c.within(10, "TTL", "a");
    c.do("SET", "b", "in 1");
    c.do("SELECT", "0");
    c.do("MOVE", "b", "1");
    c.fail("MOVE", "b", "0");
    c.fail("MOVE", "b", "16");
    c.fail("MOVE", "b", "-1");
    c.fail("MOVE", "b", "abc");
    c.fail("MOVE", "b", "1.5");
    c.fail("MOVE", "b");
    c.do("SWAPDB", "0", "1");
    c.do("GET", "b");
    c.do("DBSIZE");
    c.do("SWAPDB", "0", "0");
    c.fail("SWAPDB", "0", "16");
    c.fail("SWAPDB", "0", "-1");
    c.fail("SWAPDB", "abc", "0");
    c.fail("SWAPDB", "0", "abc");
    c.fail("SWAPDB", "0");
    c.do("SELECT", "15");
    c.fail("SELECT", "16");
    c.fail("SELECT", "-1");
    c.fail("SELECT", "abc");
    c.fail("SELECT", "99999999999999999999");
    c.fail("SELECT", "");
    c.fail("SELECT");
    c.fail("SELECT", "1", "2");
    c.do("DBSIZE");
    c.do("SET", "only in 15", "v");
  });

  suite.test("FLUSHDB and FLUSHALL", (c) => {
    for (const command of ["FLUSHDB", "FLUSHALL"]) {
      for (const option of [[], ["SYNC"], ["ASYNC"], ["sync"], ["async"]]) {
        c.do("SELECT", "1");
        c.do("SET", "b", "1");
        c.do("SELECT", "0");
        c.do("MSET", "a", "1", "b", "2");
        c.do(command, ...option);
        c.do("DBSIZE");
        c.do("GET", "a");
        c.do("SELECT", "1");
        c.do("DBSIZE");
        c.do("SELECT", "0");
      }
      c.fail(command, "BAD");
      c.fail(command, "SYNC", "ASYNC");
      c.fail(command, "");
    }
  });

  suite.test("KEYS", (c) => {
    c.do("KEYS", "*");
    c.do(
      "MSET",
      "one",
      "1",
      "two",
      "2",
      "three",
      "3",
      "four",
      "4",
      "h[llo",
      "5",
      "hello",
      "6",
      "hxllo",
      "7",
      "hllo",
      "8",
      "a\\b",
      "9",
      "",
      "10",
      "a*b",
      "11",
      "a?b",
      "12",
    );
    for (const pattern of [
      "*",
      "t*",
      "*o*",
      "?",
      "???",
      "h?llo",
      "h*llo",
      "h[ae]llo",
      "h[^e]llo",
      "h[a-z]llo",
      "h[z-a]llo",
      "h\\[llo",
      "h[[]llo",
      "h[llo",
      "h[",
      "a\\\\b",
      "a\\*b",
      "a\\?b",
      "a*b",
      "[",
      "[]",
      "[^]",
      "\\",
      "",
      "**",
      "*?*",
      "f[n-p]ur",
      "f[o-]ur",
      "f[\\o]ur",
      "f[^a-n]ur",
      "ONE",
      "o[N]e",
      "*\\",
    ]) {
      c.sorted("KEYS", pattern);
    }
    c.fail("KEYS");
    c.fail("KEYS", "a", "b");
    c.do("SELECT", "1");
    c.do("KEYS", "*");
  });

  suite.test("SCAN finds every key", (c) => {
    c.probe("SCAN of nothing", (client) => scanAll(client));
    for (let i = 0; i < 500; i++) c.do("SET", `key:${i}`, i);
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
    });
    c.probe("SCAN", (client) => scanAll(client));
    c.probe("SCAN COUNT 1", (client) => scanAll(client, "COUNT", "1"));
    c.probe("SCAN COUNT 1000", (client) => scanAll(client, "count", "1000"));
    c.probe("SCAN MATCH", (client) => scanAll(client, "MATCH", "key:1*"));
    c.probe("SCAN MATCH an exact name", (client) => scanAll(client, "match", "key:77"));
    c.probe("SCAN TYPE list", (client) => scanAll(client, "TYPE", "list"));
    c.probe("SCAN TYPE string MATCH", (client) =>
      scanAll(client, "TYPE", "STRING", "MATCH", "*9", "COUNT", "7"),
    );
    c.probe("SCAN TYPE set", (client) => scanAll(client, "TYPE", "set"));
    c.do("SCAN", "0", "TYPE", "set", "COUNT", "100000");
    c.do("SCAN", "0", "MATCH", "no such key", "COUNT", "100000");
  });

  suite.test("SCAN with wrong arguments", (c) => {
    c.do("SET", "k", "v");
    c.do("SCAN", "0");
    for (const cursor of [
      "abc",
      "",
      "-1",
      "1.5",
      "0 ",
      "0x0",
      "18446744073709551616",
      "99999999999999999999999",
    ]) {
      c.fail("SCAN", cursor);
    }
    // Read by C's strtoull, which takes blanks and signs.
    for (const cursor of [" 0", "+0", "-0", "00", "\t0"]) c.do("SCAN", cursor);
    c.ignore("SCAN", "18446744073709551615");
    c.fail("SCAN", "0", "COUNT");
    for (const count of ["0", "-1", "abc", "1.5", "", "9223372036854775808"]) {
      c.fail("SCAN", "0", "COUNT", count);
    }
    c.fail("SCAN", "0", "MATCH");
    c.fail("SCAN", "0", "TYPE");
    c.either("SCAN", "0", "TYPE", "nonsense");
    c.fail("SCAN", "0", "BAD");
    c.fail("SCAN", "0", "BAD", "1");
    c.fail("SCAN", "0", "COUNT", "1", "BAD");
    c.fail("SCAN");
  });

  suite.test("RANDOMKEY and DBSIZE", (c) => {
    c.do("RANDOMKEY");
    c.do("DBSIZE");
    c.do("SET", "only", "v");
    c.do("RANDOMKEY");
    c.do("DBSIZE");
    c.do("SET", "other", "v");
    c.sameShape("RANDOMKEY");
    c.fail("RANDOMKEY", "a");
    c.fail("DBSIZE", "a");
  });

  suite.test("OBJECT", (c) => {
    c.do("SET", "int", "12345");
    c.do("SET", "short", "abc");
    c.do("SET", "long", "x".repeat(100));
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.do("OBJECT", "ENCODING", "list");
      c.fail("OBJECT", "FREQ", "list");
      c.do("OBJECT", "REFCOUNT", "list");
    });
    for (const key of ["int", "short", "long"]) {
      c.do("OBJECT", "ENCODING", key);
      c.within(3, "OBJECT", "IDLETIME", key);
      c.fail("OBJECT", "FREQ", key);
      c.do("OBJECT", "REFCOUNT", key);
    }
    c.do("SET", "big", "1234567890123");
    c.do("OBJECT", "REFCOUNT", "big");
    for (const subcommand of ["ENCODING", "IDLETIME", "REFCOUNT", "FREQ"]) {
      c.either("OBJECT", subcommand, "none");
      c.fail("OBJECT", subcommand);
      c.fail("OBJECT", subcommand, "a", "b");
    }
    c.do("OBJECT", "HELP");
    c.fail("OBJECT");
    c.fail("OBJECT", "BAD");
    c.fail("OBJECT", "BAD", "k");
    c.fail("OBJECT", "HELP", "k");
  });

  suite.test("encodings and lengths through SET, APPEND and INCR", (c) => {
    for (const value of ["1", "10000", "-1", MAX_INTEGER, "a", "x".repeat(100)]) {
      c.do("SET", "k", value);
      c.do("OBJECT", "ENCODING", "k");
      c.do("APPEND", "k", "0");
      c.do("OBJECT", "ENCODING", "k");
      c.either("INCRBY", "k", "0");
      c.do("OBJECT", "ENCODING", "k");
      c.do("SETRANGE", "k", "0", "9");
      c.do("OBJECT", "ENCODING", "k");
      c.do("COPY", "k", "copy", "REPLACE");
      c.do("OBJECT", "ENCODING", "copy");
    }
  });

  suite.test("keys with odd names", (c) => {
    const names: Argument[] = [
      "",
      " ",
      "\r\n",
      "\0",
      "{tag}",
      "*",
      "$5",
      "ключ",
      "🙂",
      new Uint8Array([0xff, 0xfe, 0]),
      "k".repeat(1000),
    ];
    for (const name of names) {
      c.do("SET", name, name);
      c.do("GET", name);
      c.do("EXISTS", name);
      c.do("TYPE", name);
      c.do("EXPIRE", name, "1000");
    }
    c.sorted("KEYS", "*");
    for (const name of names) c.do("PERSIST", name);
  });
});

/** Follows the cursor to its end; the keys found, each once, in order. */
async function scanAll(client: RespClient, ...options: readonly string[]): Promise<string> {
  const found = new Set<string>();
  let cursor = "0";
  do {
    const reply = await client.must("SCAN", cursor, ...options);
    const [next, keys] = itemsOf(reply);
    cursor = textOf(next);
    for (const key of itemsOf(keys)) found.add(textOf(key));
  } while (cursor !== "0");
  return [...found].sort().join(" ");
}
