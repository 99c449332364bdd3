/** List commands, against the reference server. */
import { useDifferential, type Script } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, isError, textOf } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { Random, seedOfRun } from "../support/seed.ts";

const FILE = "test/differential/list.test.ts";

/** Elements of every encoding in a listpack, and some that only look like integers. */
const ELEMENTS = ["0", "127", "128", "-1", "4095", "-4096", "4096", "32767", "-32769", "8388608"]
  .concat("2147483647", "-2147483649", "9007199254740993", "9223372036854775807")
  .concat("-9223372036854775808", "9223372036854775808", "01", "-0", "+1", " 1", "1.0", "")
  .concat("a", "with space", "\r\n\0", "x".repeat(63), "x".repeat(64), "y".repeat(4095))
  .concat("z".repeat(4096));

const INDEXES = ["0", "1", "-1", "-2", "5", "100", "-100", "9007199254740993"]
  .concat("9223372036854775807", "-9223372036854775808", "9223372036854775808", "a", "", "1.5")
  .concat("01", " 1");
/** Valkey's LSET cuts an index to 32 bits and so replaces another element. Ours does not. */
const WRAPPED_BY_LSET = ["9007199254740993", "9223372036854775807", "-9223372036854775808"];

describeWithPeers("lists", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("LPUSH and RPUSH keep elements of every encoding", (c) => {
    c.do("RPUSH", "r", ...ELEMENTS);
    c.do("LPUSH", "l", ...ELEMENTS);
    for (let i = 0; i < ELEMENTS.length; i++) {
      c.do("LINDEX", "r", i);
      c.do("LINDEX", "l", -1 - i);
    }
    c.do("LRANGE", "l", 0, -1);
    c.do("LLEN", "r");
    c.do("RPUSH", "r", "one more");
    for (let i = 0; i < 5; i++) {
      c.do("LPOP", "r");
      c.do("RPOP", "l");
    }
  });

  suite.test("ranges over nodes of every kind, with elements of every length", (c) => {
    const elements = Array.from({ length: 300 }, (_, i) =>
      i % 7 === 3 ? String(i * i * 37 - 5000) : "e".repeat(i),
    );
    for (const size of [-1, 3, 100]) {
      c.do("CONFIG", "SET", "list-max-listpack-size", size);
      for (const elementsOfAll of [elements, [...elements, "p".repeat(9000), ...elements]]) {
        c.do("DEL", "l");
        c.do("RPUSH", "l", ...elementsOfAll);
        for (const [from, to] of [
          [0, -1],
          [5, 250],
          [290, 310],
          [299, 300],
          [300, 300],
          [-3, -1],
        ]) {
          c.do("LRANGE", "l", from, to);
        }
        c.do("LPOP", "l", 40);
        c.do("RPOP", "l", 40);
        c.do("LPOP", "l", 260);
        c.do("LRANGE", "l", 0, -1);
      }
    }
    c.do("CONFIG", "SET", "list-max-listpack-size", -2);
  });

  suite.test("pushes and pops that find nothing, or something else", (c) => {
    c.do("SET", "s", "v");
    for (const name of ["LPUSH", "RPUSH", "LPUSHX", "RPUSHX"]) {
      c.fail(name, "s", "a");
      c.fail(name, "k");
      c.fail(name);
    }
    c.do("LPUSHX", "none", "a", "b");
    c.do("RPUSHX", "none", "a");
    c.do("RPUSH", "k", "a");
    c.do("LPUSHX", "k", "b", "c");
    c.do("RPUSHX", "k", "d", "e");
    for (const name of ["LPOP", "RPOP"]) {
      c.do(name, "none");
      c.do(name, "none", "0");
      c.do(name, "none", "3");
      c.fail(name, "s");
      c.fail(name, "s", "0");
      c.fail(name, "none", "-1");
      c.fail(name, "k", "a");
      c.fail(name, "k", "1", "2");
      c.do(name, "k", "0");
      c.do(name, "k", "2");
    }
    c.do("LPOP", "k", "9223372036854775807");
    c.do("EXISTS", "k");
    c.fail("LLEN", "s");
    c.do("LLEN", "none");
  });

  suite.test("LINDEX, LSET, LRANGE and LTRIM take any index", (c) => {
    c.do("SET", "s", "v");
    for (const first of INDEXES) {
      c.do("DEL", "k");
      c.do("RPUSH", "k", "a", "1", "b", "2", "c");
      c.either("LINDEX", "k", first);
      c.either("LINDEX", "none", first);
      if (!WRAPPED_BY_LSET.includes(first)) c.either("LSET", "k", first, "new");
      c.either("LSET", "none", first, "new");
      for (const second of INDEXES) {
        c.either("LRANGE", "k", first, second);
        c.either("LRANGE", "none", first, second);
        c.do("DEL", "t");
        c.do("RPUSH", "t", "a", "1", "b", "2", "c");
        c.either("LTRIM", "t", first, second);
        c.do("LRANGE", "t", "0", "-1");
      }
    }
    c.do("LTRIM", "none", 0, 1);
    for (const args of [
      ["LINDEX", "s", 0],
      ["LRANGE", "s", 0, 1],
      ["LTRIM", "s", 0, 1],
    ]) {
      c.fail(...args);
    }
    c.fail("LSET", "s", 0, "x");
    c.fail("LINDEX", "s", "a");
    c.fail("LRANGE", "s", "a", "b");
    c.fail("LINDEX", "k");
    c.fail("LSET", "k", 0);
    c.fail("LRANGE", "k", 0);
    c.fail("LTRIM", "k", 0, 1, 2);
  });

  suite.testOurs("LSET refuses what is beyond 32 bits", (c) => {
    c.do("RPUSH", "k", "a", "b");
    for (const index of WRAPPED_BY_LSET) c.fail("LSET", "k", index, "x");
    c.ours('"a"', "LINDEX", "k", 0);
    c.ours('"b"', "LINDEX", "k", 1);
  });

  suite.test("LSET to every encoding", (c) => {
    c.do("RPUSH", "k", "a", "b", "c");
    for (const element of ELEMENTS) {
      c.do("LSET", "k", 1, element);
      c.do("LRANGE", "k", 0, -1);
      c.do("OBJECT", "ENCODING", "k");
    }
  });

  suite.test("LINSERT", (c) => {
    c.do("SET", "s", "v");
    c.do("RPUSH", "k", "a", "5", "b", "5");
    c.do("LINSERT", "k", "BEFORE", "5", "new");
    c.do("LINSERT", "k", "after", "5", "7");
    c.do("LINSERT", "k", "after", "b", "");
    c.do("LINSERT", "k", "before", "a", "first");
    c.do("LINSERT", "k", "AFTER", "5", "x".repeat(100));
    c.do("LINSERT", "k", "AFTER", "05", "none");
    c.do("LINSERT", "none", "AFTER", "5", "none");
    c.do("LRANGE", "k", 0, -1);
    c.fail("LINSERT", "k", "beside", "5", "x");
    c.fail("LINSERT", "s", "after", "5", "x");
    c.fail("LINSERT", "k", "after", "5");
  });

  suite.test("LREM", (c) => {
    for (const count of ["0", "1", "2", "-1", "-2", "100", "-100", "9223372036854775807"]) {
      for (const element of ["a", "1", "none", "01"]) {
        c.do("DEL", "k");
        c.do("RPUSH", "k", "a", "1", "b", "1", "a", "a", "1", "c", "1");
        c.do("LREM", "k", count, element);
        c.do("LRANGE", "k", 0, -1);
      }
    }
    c.do("DEL", "k");
    c.do("RPUSH", "k", "a", "a");
    c.do("LREM", "k", 0, "a");
    c.do("EXISTS", "k");
    c.do("LREM", "k", 0, "a");
    c.fail("LREM", "k", "a", "a");
    c.fail("LREM", "k", "-9223372036854775808", "a");
    c.fail("LREM", "k", "9223372036854775808", "a");
    c.do("LREM", "k", "-9223372036854775807", "a");
    c.do("SET", "s", "v");
    c.fail("LREM", "s", 0, "a");
  });

  suite.test("LPOS", (c) => {
    c.do("RPUSH", "k", "a", "1", "b", "1", "a", "a", "1", "c", "1");
    for (const element of ["a", "1", "c", "none", "+1"]) {
      c.do("LPOS", "k", element);
      for (const rank of ["1", "2", "5", "-1", "-2", "-5", "9223372036854775807"]) {
        c.do("LPOS", "k", element, "RANK", rank);
        for (const count of ["0", "1", "2", "100"]) {
          c.do("LPOS", "k", element, "RANK", rank, "COUNT", count);
          c.do("LPOS", "k", element, "count", count, "MAXLEN", 4, "rank", rank);
        }
        c.do("LPOS", "k", element, "MAXLEN", 3, "RANK", rank);
        c.do("LPOS", "k", element, "MAXLEN", 0, "RANK", rank);
      }
    }
    c.do("LPOS", "none", "a");
    c.do("LPOS", "none", "a", "COUNT", 0);
    for (const bad of [
      ["RANK", "0"],
      ["RANK", "a"],
      ["RANK", "-9223372036854775808"],
    ].concat([
      ["COUNT", "-1"],
      ["COUNT", "a"],
      ["MAXLEN", "-1"],
      ["MAXLEN", "a"],
      ["RANK"],
      ["NO", "1"],
    ])) {
      c.fail("LPOS", "k", "a", ...bad);
    }
    c.fail("LPOS", "none", "a", "RANK", "0");
    c.do("SET", "s", "v");
    c.fail("LPOS", "s", "a");
    c.fail("LPOS", "k");
  });

  suite.test("LMOVE and RPOPLPUSH", (c) => {
    c.do("SET", "s", "v");
    for (const from of ["LEFT", "right"]) {
      for (const to of ["left", "RIGHT"]) {
        c.do("DEL", "k", "t");
        c.do("RPUSH", "k", "a", "1", "", "9223372036854775807", "x".repeat(200), "b");
        for (let i = 0; i < 6; i++) {
          c.do("LMOVE", "k", "k", from, to);
          c.do("LRANGE", "k", 0, -1);
        }
        for (let i = 0; i < 7; i++) {
          c.do("LMOVE", "k", "t", from, to);
          c.do("LRANGE", "k", 0, -1);
          c.do("LRANGE", "t", 0, -1);
        }
        c.fail("LMOVE", "t", "s", from, to);
        c.fail("LMOVE", "s", "t", from, to);
        c.do("LMOVE", "none", "s", from, to);
      }
    }
    c.do("RPOPLPUSH", "t", "t");
    c.do("RPOPLPUSH", "t", "u");
    c.do("RPOPLPUSH", "none", "u");
    c.fail("RPOPLPUSH", "t");
    c.fail("LMOVE", "t", "u", "up", "left");
    c.fail("LMOVE", "t", "u", "left", "down");
    c.fail("LMOVE", "t", "u", "left");
    c.do("RPUSH", "one", "only");
    c.do("LMOVE", "one", "one", "LEFT", "RIGHT");
    c.do("LMOVE", "one", "two", "LEFT", "RIGHT");
    c.do("EXISTS", "one");
  });

  suite.test("LMPOP", (c) => {
    c.do("SET", "s", "v");
    c.do("RPUSH", "k", "a", "1", "b", "2", "c");
    c.do("LMPOP", 2, "none", "k", "LEFT");
    c.do("LMPOP", 1, "k", "right", "COUNT", 2);
    c.do("LMPOP", 3, "none", "none", "k", "RIGHT", "count", "9223372036854775807");
    c.do("LMPOP", 1, "k", "LEFT");
    c.fail("LMPOP", 2, "s", "k", "LEFT");
    for (const args of [
      ["0", "k", "LEFT"],
      ["a", "k", "LEFT"],
      ["-1", "k", "LEFT"],
    ].concat(
      [
        ["2", "k", "LEFT"],
        ["1", "k", "UP"],
        ["1", "k", "LEFT", "COUNT", "0"],
      ],
      [
        ["1", "k", "LEFT", "COUNT"],
        ["1", "k", "LEFT", "COUNT", "1", "COUNT", "1"],
      ],
      [
        ["1", "k", "LEFT", "COUNT", "a"],
        ["1", "k", "LEFT", "x"],
        ["1", "k", "LEFT", "x", "1"],
      ],
      [
        ["1", "k", "LEFT", "COUNT", "1", "x"],
        ["9223372036854775807", "k", "LEFT"],
        ["1", "k"],
      ],
    )) {
      c.fail("LMPOP", ...args);
    }
  });

  suite.test("blocking commands that need not wait", (c) => {
    c.do("SET", "s", "v");
    c.do("RPUSH", "k", "a", "1", "b", "2", "c", "3", "d");
    c.do("BLPOP", "none", "k", 0);
    c.do("BRPOP", "k", "none", "0.1");
    c.do("BLMOVE", "k", "t", "LEFT", "RIGHT", 0);
    c.do("BRPOPLPUSH", "k", "t", 0);
    c.do("BLMPOP", 0, 2, "none", "k", "RIGHT", "COUNT", 2);
    c.do("BLMOVE", "k", "k", "LEFT", "RIGHT", 0);
    c.fail("BLPOP", "none", "s", 0);
    c.fail("BLMOVE", "s", "t", "LEFT", "RIGHT", 0);
    c.fail("BLMOVE", "t", "s", "LEFT", "RIGHT", 0);
    for (const timeout of ["-1", "a", "", "1e400"]) {
      c.fail("BLPOP", "k", timeout);
      c.fail("BLMPOP", timeout, 1, "k", "LEFT");
      c.fail("BLMOVE", "k", "t", "LEFT", "RIGHT", timeout);
      c.fail("BRPOPLPUSH", "k", "t", timeout);
    }
    c.fail("BLMPOP", "a", 0, "k", "LEFT");
    c.fail("BLMPOP", "a", 1, "k", "up");
    c.fail("BLMOVE", "k", "t", "LEFT", "up", "a");
    c.fail("BLPOP", 0);
  });

  suite.test("blocking commands in MULTI answer at once", (c) => {
    c.do("MULTI");
    c.do("BLPOP", "none", 0);
    c.do("BLMOVE", "none", "t", "LEFT", "RIGHT", 0);
    c.do("BRPOPLPUSH", "none", "t", 0);
    c.do("BLMPOP", 0, 1, "none", "LEFT");
    c.do("EXEC");
  });

  suite.test("blocking commands that time out", (c) => {
    c.do("BLPOP", "none", "0.01");
    c.do("BRPOP", "none", "none", "0.01");
    c.do("BLMOVE", "none", "t", "LEFT", "RIGHT", "0.01");
    c.do("BRPOPLPUSH", "none", "t", "0.01");
    c.do("BLMPOP", "0.01", 1, "none", "LEFT");
  });

  for (const size of ["-1", "-2", "1", "3", "128"]) {
    suite.test(`list-max-listpack-size ${size}: conversions at the limit and back`, (c) => {
      c.do("CONFIG", "SET", "list-max-listpack-size", size);
      const limit = Number(size) > 0 ? Number(size) : 40;
      const element = (i: number): string => (i % 3 === 0 ? `${i}` : "e".repeat((i % 7) * 60));
      for (let i = 0; i < limit * 3; i++) {
        c.do(i % 2 === 0 ? "RPUSH" : "LPUSH", "k", element(i));
        c.do("OBJECT", "ENCODING", "k");
      }
      c.do("LRANGE", "k", 0, -1);
      c.do("COPY", "k", "copy");
      c.do("LINSERT", "copy", "BEFORE", element(limit), "inserted");
      c.do("LINSERT", "copy", "AFTER", element(limit), "x".repeat(5000));
      c.do("LSET", "copy", 3, "y".repeat(9000));
      c.do("LMOVE", "copy", "moved", "LEFT", "LEFT");
      for (let i = 0; i < limit * 3 - 1; i++) {
        c.do(i % 2 === 0 ? "LPOP" : "RPOP", "k");
        c.do("OBJECT", "ENCODING", "k");
      }
      c.do("LTRIM", "copy", 2, 3);
      c.do("OBJECT", "ENCODING", "copy");
      c.do("CONFIG", "SET", "list-max-listpack-size", "-2");
    });
  }

  suite.test("random changes of long lists", (c) => {
    const seed = seedOfRun();
    console.log(`replay: SEED=${seed} bun test ${FILE}`);
    randomChanges(c, new Random(seed));
  });

  suite.test("waiting clients are served in their order, from the key that became ready", (c) => {
    const one = c.on("one");
    const two = c.on("two");
    send(one, "BLPOP", "none", "k", 0);
    waiting(c, 1);
    send(two, "BRPOP", "k", 0);
    waiting(c, 2);
    c.do("RPUSH", "k", "a", "b", "c");
    receive(one);
    receive(two);
    c.do("LRANGE", "k", 0, -1);
    send(one, "BLMPOP", 0, 2, "x", "y", "RIGHT", "COUNT", 2);
    waiting(c, 1);
    c.do("LPUSH", "y", "1", "2", "3");
    receive(one);
  });

  suite.test("BLMOVE wakes who waits for its destination", (c) => {
    const one = c.on("one");
    const two = c.on("two");
    send(one, "BLPOP", "t", 0);
    waiting(c, 1);
    send(two, "BLMOVE", "k", "t", "RIGHT", "LEFT", 0);
    waiting(c, 2);
    c.do("RPUSH", "k", "a", "b");
    receive(one);
    receive(two);
    send(two, "BRPOPLPUSH", "s", "s", 0);
    waiting(c, 1);
    c.do("RPUSH", "s", "1", "2");
    receive(two);
    send(one, "BLMOVE", "q", "wrong", "LEFT", "LEFT", 0);
    waiting(c, 1);
    c.do("SET", "wrong", "string");
    c.do("RPUSH", "q", "stays");
    receive(one);
  });

  suite.test("a key that is gone or of another type after the transaction wakes nobody", (c) => {
    const one = c.on("one");
    send(one, "BLPOP", "k", 0);
    waiting(c, 1);
    c.do("MULTI");
    c.do("RPUSH", "k", "a");
    c.do("DEL", "k");
    c.do("EXEC");
    c.do("SET", "k", "v");
    c.do("DEL", "k");
    c.do("RPUSH", "other", "x", "y");
    c.do("RENAME", "other", "k");
    receive(one);
  });
});

/** Sends a request whose reply is read later. */
function send(c: Script, ...args: readonly (string | number)[]): void {
  c.probe("send", async (client) => {
    client.send(...args);
    return "";
  });
}

/** Reads that reply. */
function receive(c: Script): void {
  c.probe("receive", async (client) => formatReply((await client.readReply()).reply));
}

/** Until so many clients wait. */
function waiting(c: Script, count: number): void {
  c.probe("waiting", async (client) => {
    const wanted = `blocked_clients:${count}\r\n`;
    while (!textOf(await client.must("INFO", "clients")).includes(wanted));
    return "";
  });
}

/** What DEBUG OBJECT says of a quicklist's nodes; nothing of a listpack. */
async function shapeOf(client: RespClient, key: string): Promise<string> {
  const reply = await client.command("DEBUG", "OBJECT", key);
  return isError(reply) ? "" : textOf(reply).replace(/^.*?( ql_|$)/, "");
}

/** Lists with small nodes, changed at random; their replies and encodings are compared. */
function randomChanges(c: Script, random: Random): void {
  c.do("CONFIG", "SET", "list-max-listpack-size", random.pick(["4", "1", "-1", "17"]));
  c.do("CONFIG", "SET", "list-compress-depth", random.pick(["0", "1", "2"]));
  c.do("DEBUG", "QUICKLIST-PACKED-THRESHOLD", random.pick([0, 0, 50]));
  const element = (): string =>
    random.oneIn(3) ? `${random.below(30)}` : "abcdefg"[random.below(7)].repeat(random.below(90));
  const end = (): string => random.pick(["LEFT", "RIGHT"]);
  for (let i = 0; i < 600; i++) {
    const key = random.pick(["a", "b"]);
    const index = random.below(60) - 30;
    const commands: (readonly (string | number)[])[] = [
      ["RPUSH", key, element(), element(), element()],
      ["LPUSH", key, element(), element()],
      ["LINSERT", key, random.pick(["BEFORE", "AFTER"]), random.below(30), element()],
      ["LSET", key, index, element()],
      ["LREM", key, random.below(5) - 2, random.below(30)],
      ["LMOVE", key, random.pick(["a", "b"]), end(), end()],
      ["LPOP", key, random.below(3)],
      ["RPOP", key],
      ["LPOS", key, random.below(30), "RANK", random.pick([1, 2, -1]), "COUNT", 0],
      ["LRANGE", key, index, index + random.below(30)],
    ];
    if (random.oneIn(30)) commands.push(["LTRIM", key, 3, random.below(60)]);
    c.either(...random.pick(commands));
    if (i % 20 === 0) {
      c.either("OBJECT", "ENCODING", key);
      c.do("LRANGE", key, 0, -1);
      c.do("COPY", key, "copy", "REPLACE");
      c.do("LRANGE", "copy", 0, -1);
    }
    c.probe(`nodes of ${key}`, (client) => shapeOf(client, key));
  }
  c.do("CONFIG", "SET", "list-max-listpack-size", "-2", "list-compress-depth", "0");
  c.do("DEBUG", "QUICKLIST-PACKED-THRESHOLD", 0);
}
