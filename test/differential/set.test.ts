/** Set commands, against the reference server. */
import { useDifferential, type Script } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { itemsOf, textOf } from "../support/reply.ts";

const MAX = "9223372036854775807";
const MIN = "-9223372036854775808";
const LONG = "x".repeat(64);
const TOO_LONG = "x".repeat(65);

/** `count` members "prefix0", "prefix1", ... */
function names(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${from + i}`);
}

/** Sets of all encodings, and ones on either side of each limit. */
const SETS: Readonly<Record<string, readonly string[]>> = {
  few: ["1", "2", "3"],
  mixed: ["1", "b", "3", "", "a b\r\n\0"],
  wide: [MAX, MIN, "9007199254740993", "-1", "70000"],
  notIntegers: ["01", "+1", "-0", " 1", "1.0", "9223372036854775808"],
  integers512: names("", 512),
  integers513: names("", 513),
  entries128: names("m", 128),
  entries129: names("m", 129),
  long: ["a", LONG],
  tooLong: ["a", TOO_LONG],
  large: names("member:", 2000),
};

describeWithPeers("sets", ["valkey-server"], () => {
  const suite = useDifferential();

  const fill = (c: Script): void => {
    for (const [key, members] of Object.entries(SETS)) c.do("SADD", key, ...members);
    c.do("SET", "string", "v");
  };

  suite.test("encodings at, below and above each limit, added at once and one by one", (c) => {
    for (const [key, members] of Object.entries(SETS)) {
      c.do("SADD", key, ...members);
      c.do("OBJECT", "ENCODING", key);
      if (members.length > 600) continue;
      for (const member of members) c.do("SADD", `single:${key}`, member);
      c.do("OBJECT", "ENCODING", `single:${key}`);
      for (const member of members.toReversed()) c.do("SADD", `reversed:${key}`, member);
      c.do("SCARD", `reversed:${key}`);
    }
  });

  suite.test("an intset that gets a word", (c) => {
    for (const count of [1, 127, 128, 129, 512]) {
      c.do("SADD", `k${count}`, ...names("", count));
      c.do("SADD", `k${count}`, "word");
      c.do("OBJECT", "ENCODING", `k${count}`);
    }
    c.do("SADD", "k", 1, 2);
    c.do("SADD", "k", TOO_LONG);
    c.do("OBJECT", "ENCODING", "k");
  });

  suite.test("encodings under other settings", (c) => {
    c.do("CONFIG", "SET", "set-max-intset-entries", 2);
    c.do("CONFIG", "SET", "set-max-listpack-entries", 3);
    c.do("CONFIG", "SET", "set-max-listpack-value", 4);
    for (const members of [
      ["1", "2"],
      ["1", "2", "3"],
      ["a", "b", "c"],
      ["a", "b", "c", "d"],
      ["abcd"],
      ["abcde"],
      ["12345", "a"],
      ["1234", "a"],
    ]) {
      const key = members.join("-");
      c.do("SADD", key, ...members);
      c.do("OBJECT", "ENCODING", key);
      for (const member of members) c.do("SADD", `s${key}`, member);
      c.do("OBJECT", "ENCODING", `s${key}`);
    }
    c.do("CONFIG", "SET", "set-max-intset-entries", 512);
    c.do("CONFIG", "SET", "set-max-listpack-entries", 128);
    c.do("CONFIG", "SET", "set-max-listpack-value", 64);
  });

  suite.test("SADD, SREM, SISMEMBER, SMISMEMBER, SCARD, SMEMBERS", (c) => {
    fill(c);
    for (const [key, members] of Object.entries(SETS)) {
      const some = [...members.slice(0, 3), ...members.slice(-3), "none", "7", MAX, MIN, "00"];
      c.do("SMISMEMBER", key, ...some);
      for (const member of some) c.do("SISMEMBER", key, member);
      c.do("SADD", key, members[0], "none", members[0], "none");
      c.do("SREM", key, members[0], members[0], "nobody", members[members.length - 1]);
      c.do("SCARD", key);
      c.sorted("SMEMBERS", key);
      c.do("OBJECT", "ENCODING", key);
      c.do("SREM", key, ...members, "none");
      c.do("EXISTS", key);
    }
    c.do("SISMEMBER", "missing", "a");
    c.do("SMISMEMBER", "missing", "a", "b");
    c.do("SCARD", "missing");
    c.do("SMEMBERS", "missing");
    c.do("SREM", "missing", "a");
  });

  suite.test("errors", (c) => {
    fill(c);
    for (const command of ["SADD", "SREM", "SISMEMBER", "SMISMEMBER"]) {
      c.fail(command, "string", "a");
      c.fail(command, "few");
      c.fail(command);
    }
    for (const command of [
      "SCARD",
      "SMEMBERS",
      "SPOP",
      "SRANDMEMBER",
      "SINTER",
      "SUNION",
      "SDIFF",
    ]) {
      c.fail(command, "string");
      c.fail(command);
    }
    for (const command of ["SINTER", "SUNION", "SDIFF"]) {
      c.fail(command, "few", "string");
      c.fail(command, "missing", "string");
      c.fail(`${command}STORE`, "d", "string");
      c.fail(`${command}STORE`, "d");
      c.fail(`${command}STORE`, "d", "missing", "string");
    }
    for (const count of ["-1", "a", "", MIN, "9223372036854775808", "1.5"]) {
      c.fail("SPOP", "few", count);
      c.fail("SPOP", "missing", count);
      c.fail("SINTERCARD", count, "few");
      c.fail("SINTERCARD", 1, "few", "LIMIT", count);
    }
    for (const count of ["a", "", MIN, "9223372036854775808", "1.5"]) {
      c.fail("SRANDMEMBER", "few", count);
      c.fail("SRANDMEMBER", "missing", count);
    }
    c.fail("SPOP", "few", 1, 2);
    c.fail("SRANDMEMBER", "few", 1, 2);
    c.fail("SPOP", "string", 1);
    c.fail("SRANDMEMBER", "string", 1);
    c.fail("SINTERCARD", 0, "few");
    c.fail("SINTERCARD", 2, "few");
    c.fail("SINTERCARD", 1, "few", "LIMIT");
    c.fail("SINTERCARD", 1, "few", "mixed");
    c.fail("SINTERCARD", 1, "string");
    c.fail("SMOVE", "string", "few", "a");
    c.fail("SMOVE", "few", "string", "1");
    c.do("SMOVE", "missing", "string", "1");
    c.fail("SMOVE", "few", "other");
    c.fail("SSCAN", "string", 0);
    c.fail("SSCAN", "few", "a");
    c.fail("SSCAN", "few", 0, "COUNT", 0);
    c.fail("SSCAN", "few", 0, "COUNT", "a");
    c.fail("SSCAN", "few", 0, "COUNT");
    c.fail("SSCAN", "few", 0, "NOVALUES");
    c.fail("SSCAN", "few", 0, "TYPE", "set");
    c.do("SSCAN", "missing", 0, "BAD");
  });

  suite.test("SMOVE", (c) => {
    fill(c);
    c.do("SMOVE", "few", "target", "1");
    c.do("SMOVE", "few", "target", "1");
    c.do("SMOVE", "few", "mixed", "2");
    c.do("OBJECT", "ENCODING", "target");
    c.do("SMOVE", "mixed", "target", "b");
    c.do("OBJECT", "ENCODING", "target");
    c.do("SMOVE", "few", "few", "3");
    c.do("SMOVE", "few", "few", "4");
    c.do("SMOVE", "few", "target", "3");
    c.do("EXISTS", "few");
    c.do("SMOVE", "missing", "target", "3");
    c.do("SMOVE", "large", "entries128", "member:17");
    c.do("OBJECT", "ENCODING", "entries128");
    c.do("SMOVE", "integers512", "integers513", "511");
    c.do("SMOVE", "integers513", "integers512", "512");
  });

  suite.test("SINTER, SUNION, SDIFF and their STORE forms", (c) => {
    fill(c);
    c.do("SADD", "others", "1", "m5", "member:7", "b", LONG, "300", MAX);
    c.do("SADD", "many", ...names("", 300, 250), ...names("m", 60, 100));
    const keys = [...Object.keys(SETS), "others", "many", "missing"];
    for (const a of keys) {
      for (const b of ["others", "many", "few", "missing", "integers513", "large"]) {
        for (const command of ["SINTER", "SUNION", "SDIFF"]) {
          c.sorted(command, a, b);
          c.do(`${command}STORE`, "d", a, b);
          c.either("OBJECT", "ENCODING", "d");
          c.do(`${command}STORE`, "d", b, a, "many");
          c.either("OBJECT", "ENCODING", "d");
          c.sorted("SMEMBERS", "d");
        }
        c.do("SINTERCARD", 2, a, b);
        c.do("SINTERCARD", 3, a, b, "many", "LIMIT", 2);
      }
      c.sorted("SINTER", a);
      c.sorted("SUNION", a);
      c.sorted("SDIFF", a);
      c.sorted("SDIFF", a, "others", a);
      c.sorted("SINTER", a, a);
    }
    c.do("SINTERCARD", 1, "many", "LIMIT", 0);
    c.do("SINTERSTORE", "many", "many", "integers513");
    c.do("SUNIONSTORE", "string", "few", "mixed");
    c.do("TYPE", "string");
    c.do("SDIFFSTORE", "string", "few", "few");
    c.do("EXISTS", "string");
    c.do("SET", "string", "v", "EX", 1000);
    c.do("SINTERSTORE", "string", "few", "missing");
    c.do("EXISTS", "string");
    c.do("SADD", "expiring", 1);
    c.do("EXPIRE", "expiring", 1000);
    c.do("SUNIONSTORE", "expiring", "expiring", "few");
    c.do("TTL", "expiring");
  });

  suite.test("unions and what becomes of them around the limits", (c) => {
    const integers = (count: number): number[] => Array.from({ length: count }, (_, i) => i * 3);
    const words = (count: number): string[] => Array.from({ length: count }, (_, i) => `w${i}`);
    for (const [a, b] of [
      [integers(511), integers(2)],
      [integers(513), integers(2)],
      [integers(513), words(1)],
      [integers(100), words(29)],
      [words(127), words(128)],
      [words(129), integers(1)],
      [words(600), words(700)],
    ]) {
      c.do("DEL", "a", "b", "u");
      c.do("SADD", "a", ...a);
      c.do("SADD", "b", ...b);
      for (const sources of [
        ["a", "b"],
        ["b", "a", "none"],
      ]) {
        c.do("SUNIONSTORE", "u", ...sources);
        c.do("OBJECT", "ENCODING", "u");
        c.do("SCARD", "u");
        c.do("SINTERCARD", 2, "u", "a");
        c.do("SINTERCARD", 2, "u", "b");
      }
    }
  });

  suite.test("SPOP and SRANDMEMBER: what does not depend on chance", (c) => {
    fill(c);
    c.do("SPOP", "missing");
    c.do("SPOP", "missing", 3);
    c.do("SRANDMEMBER", "missing");
    c.do("SRANDMEMBER", "missing", 3);
    c.do("SRANDMEMBER", "missing", -3);
    c.do("SADD", "one", "a");
    c.do("SRANDMEMBER", "one");
    c.do("SRANDMEMBER", "one", 5);
    c.do("SRANDMEMBER", "one", -3);
    c.do("SPOP", "one", 0);
    c.do("SPOP", "one");
    c.do("EXISTS", "one");
    for (const [key, members] of Object.entries(SETS)) {
      c.do("SRANDMEMBER", key, 0);
      c.sorted("SRANDMEMBER", key, members.length);
      c.sorted("SRANDMEMBER", key, members.length + 10);
      for (const count of [1, 2, 100, -1, -10, -300]) {
        c.probe(`SRANDMEMBER ${key} ${count}`, async (client) => {
          const found = itemsOf(await client.must("SRANDMEMBER", key, count)).map(textOf);
          const distinct = new Set(found);
          const areMembers = found.every((text) => members.includes(text));
          return `${found.length} ${areMembers} ${count < 0 || distinct.size === found.length}`;
        });
      }
      c.probe(`SPOP ${key}`, async (client) => {
        const seen: string[] = [textOf(await client.must("SPOP", key))];
        let sizes = "";
        for (const count of [1, 2, Math.floor(members.length / 2), members.length]) {
          seen.push(...itemsOf(await client.must("SPOP", key, count)).map(textOf));
          sizes += `${seen.length} `;
        }
        const rest = textOf(await client.must("TYPE", key));
        return `${sizes} ${new Set(seen).size} ${seen.every((s) => members.includes(s))} ${rest}`;
      });
    }
  });

  suite.test("SPOP leaves the encoding that Valkey leaves", (c) => {
    for (const count of [1, 1600, 1700, 1990, 1999]) {
      c.do("SADD", "k", ...names("member:", 2000));
      c.sameShape("SPOP", "k", count);
      c.do("OBJECT", "ENCODING", "k");
      c.do("DEL", "k");
      c.do("SADD", "k", ...names("", 2000));
      c.sameShape("SPOP", "k", count);
      c.do("OBJECT", "ENCODING", "k");
      c.do("DEL", "k");
    }
    for (const count of [1, 60, 110, 126]) {
      c.do("SADD", "k", ...names("member:", 127));
      c.sameShape("SPOP", "k", count);
      c.do("OBJECT", "ENCODING", "k");
      c.do("DEL", "k");
    }
  });

  suite.test("SSCAN", (c) => {
    fill(c);
    for (const [key, members] of Object.entries(SETS)) {
      c.probe(`SSCAN ${key}`, async (client) => {
        const seen = new Set<string>();
        let cursor = "0";
        do {
          const [next, found] = itemsOf(await client.must("SSCAN", key, cursor, "COUNT", 100));
          cursor = textOf(next);
          for (const member of itemsOf(found)) seen.add(textOf(member));
        } while (cursor !== "0");
        return [...seen].sort().join("\n");
      });
      if (members.length > 500) continue;
      c.probe(`SSCAN ${key} MATCH`, async (client) => {
        const reply = itemsOf(await client.must("SSCAN", key, 0, "MATCH", "*1*", "COUNT", 10000));
        return itemsOf(reply[1]).map(textOf).sort().join("\n");
      });
    }
    c.do("SSCAN", "missing", 0);
    c.do("SSCAN", "few", 0, "MATCH", "*", "COUNT", 1);
    c.do("SSCAN", "few", 18446744073709551615n.toString());
  });

  suite.test("copies, renames, dumps of what they are", (c) => {
    fill(c);
    for (const key of Object.keys(SETS)) {
      c.do("COPY", key, `copy:${key}`);
      c.do("SADD", key, "added");
      c.do("RENAME", key, `renamed:${key}`);
      c.do("OBJECT", "ENCODING", `copy:${key}`);
    }
  });
});
