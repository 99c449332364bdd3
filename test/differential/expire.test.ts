/** Expiry of keys, against the reference server. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";

const FAR_SECONDS = 4102444800;
const FAR_MILLISECONDS = FAR_SECONDS * 1000 + 123;
const MAX_INTEGER = "9223372036854775807";
const MIN_INTEGER = "-9223372036854775808";

const COMMANDS = ["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"] as const;

/** Two moments far ahead as the arguments of each command; the second is the later one. */
const MOMENTS: Readonly<Record<(typeof COMMANDS)[number], readonly [string, string]>> = {
  EXPIRE: ["10000", "20000"],
  PEXPIRE: ["10000000", "20000000"],
  EXPIREAT: [`${FAR_SECONDS}`, `${FAR_SECONDS + 1000}`],
  PEXPIREAT: [`${FAR_MILLISECONDS}`, `${FAR_MILLISECONDS + 1_000_000}`],
};

describeWithPeers("expiry", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("TTL, PTTL, EXPIRETIME, PEXPIRETIME and PERSIST", (c) => {
    for (const command of ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "PERSIST"]) {
      c.do("DEL", "k");
      c.do(command, "k");
      c.do("SET", "k", "v");
      c.do(command, "k");
      c.do("PEXPIREAT", "k", FAR_MILLISECONDS);
      if (command.endsWith("TTL")) c.within(10_000, command, "k");
      else c.do(command, "k");
      c.fail(command);
      c.fail(command, "k", "l");
    }
    c.do("PERSIST", "k");
    c.do("TTL", "k");
    c.do("EXPIRETIME", "k");
  });

  suite.test("rounding of seconds", (c) => {
    for (const milliseconds of [
      FAR_MILLISECONDS,
      FAR_MILLISECONDS + 377,
      FAR_MILLISECONDS + 876,
      FAR_MILLISECONDS + 877,
    ]) {
      c.do("SET", "k", "v", "PXAT", milliseconds);
      c.do("EXPIRETIME", "k");
      c.do("PEXPIRETIME", "k");
    }
  });

  for (const command of COMMANDS) {
    const [early, late] = MOMENTS[command];

    suite.test(`${command} and its conditions`, (c) => {
      c.do(command, "none", early);
      for (const option of ["NX", "XX", "GT", "LT"]) {
        c.do(command, "none", early, option);
        // Without an expiry: GT compares with forever.
        c.do("SET", "k", "v");
        c.do(command, "k", early, option);
        c.within(10, "TTL", "k");
        // With one: a later and an earlier moment.
        c.do("SET", "k", "v");
        c.do(command, "k", early);
        c.do(command, "k", late, option);
        c.within(10, "TTL", "k");
        c.do("SET", "k", "v");
        c.do(command, "k", late);
        c.do(command, "k", early, option.toLowerCase());
        c.within(10, "TTL", "k");
      }
      c.do(command, "k", late, "XX", "GT");
      c.within(10, "TTL", "k");
      c.do(command, "k", early, "LT", "XX");
      c.within(10, "TTL", "k");
      c.do(command, "k", early, "XX", "XX");
      c.do("PERSIST", "k");
      c.do(command, "k", early, "XX", "LT");
      c.do(command, "k", early, "XX", "GT");
      c.do("TTL", "k");
    });

    suite.test(`${command} with wrong arguments`, (c) => {
      c.do("SET", "k", "v");
      for (const [first, second] of [
        ["NX", "XX"],
        ["NX", "GT"],
        ["NX", "LT"],
        ["GT", "LT"],
        ["XX", "NX"],
        ["LT", "GT"],
      ]) {
        c.fail(command, "k", early, first, second);
        c.fail(command, "none", early, first, second);
      }
      c.fail(command, "k", early, "BAD");
      c.fail(command, "k", early, "");
      c.fail(command, "k", early, "NX", "BAD");
      for (const value of ["abc", "", "1.5", " 1", "9223372036854775808", "-9223372036854775809"]) {
        c.fail(command, "k", value);
        c.fail(command, "none", value);
      }
      c.fail(command, "k");
      c.fail(command);
      c.do("TTL", "k");
    });

    suite.test(`${command} at the limits`, (c) => {
      for (const value of [
        MAX_INTEGER,
        MIN_INTEGER,
        "9223372036854775",
        "9223372036854776",
        "9223372036854774",
        "-9223372036854775",
        "-9223372036854776",
        "9223372036854775806",
        "-9223372036854775807",
        "9007199254740993",
        "9007199254740992",
        "4611686018427387904",
        "9223372036854775000",
      ]) {
        c.do("SET", "k", "v");
        c.either(command, "k", value);
        c.do("EXISTS", "k");
        c.within(10_000, "PTTL", "k");
        c.within(10_000, "PEXPIRETIME", "k");
      }
    });

    suite.test(`${command} in the past deletes`, (c) => {
      for (const value of command.endsWith("AT")
        ? ["0", "1", "-1", "-1000"]
        : ["0", "-1", "-1000"]) {
        c.do("SET", "k", "v");
        c.do(command, "k", value);
        c.do("EXISTS", "k");
        c.do("GET", "k");
        c.do("SET", "k", "v", "EXAT", FAR_SECONDS);
        c.do(command, "k", value, "GT");
        c.do("EXISTS", "k");
        c.do(command, "k", value, "NX");
        c.do("EXISTS", "k");
        c.do(command, "k", value, "LT");
        c.do("EXISTS", "k");
      }
      c.do("DBSIZE");
    });
  }

  suite.test("an expired key is gone for every command", (c) => {
    for (const args of [
      ["GET", "k"],
      ["EXISTS", "k"],
      ["TYPE", "k"],
      ["TTL", "k"],
      ["PTTL", "k"],
      ["STRLEN", "k"],
      ["PERSIST", "k"],
      ["GETDEL", "k"],
      ["GETEX", "k"],
      ["DEL", "k"],
      ["UNLINK", "k"],
      ["TOUCH", "k"],
      ["KEYS", "k"],
      ["RANDOMKEY"],
      ["SET", "k", "w", "XX"],
      ["SETNX", "k", "w"],
      ["APPEND", "k", "w"],
      ["INCR", "k"],
      ["SETRANGE", "k", "1", "w"],
      ["GETSET", "k", "w"],
      ["SET", "k", "w", "GET"],
      ["MSETNX", "k", "w"],
      ["COPY", "k", "l"],
      ["MOVE", "k", "1"],
      ["EXPIRE", "k", "1000"],
      ["SET", "k", "w", "KEEPTTL"],
      ["SCAN", "0"],
    ]) {
      c.do("FLUSHALL");
      c.do("SET", "k", "v", "PX", "1");
      c.until(":-2", "PTTL", "k");
      c.do(...args);
      c.do("TTL", "k");
    }
    for (const args of [
      ["RENAME", "k", "l"],
      ["RENAMENX", "k", "l"],
    ]) {
      c.do("SET", "k", "v", "PX", "1");
      c.until(":-2", "PTTL", "k");
      c.fail(...args);
    }
  });

  suite.test("a key is expired without being asked for", (c) => {
    c.do("SET", "short", "v", "PX", "1");
    c.do("SET", "stays", "v");
    c.until(":1", "DBSIZE");
    c.do("KEYS", "*");
  });

  suite.test("an expired key stays hidden while active expiry is off", (c) => {
    c.do("DEBUG", "SET-ACTIVE-EXPIRE", "0");
    c.do("SET", "k", "v", "PX", "1");
    c.do("SET", "stays", "v");
    c.until('array of 1\n  "stays"', "KEYS", "*");
    c.do("DBSIZE");
    c.do("RANDOMKEY");
    c.do("GET", "k");
    c.do("DBSIZE");
    c.do("DEBUG", "SET-ACTIVE-EXPIRE", "1");
  });

  suite.test("what keeps and what clears an expiry", (c) => {
    for (const args of [
      ["SET", "k", "2"],
      ["GETSET", "k", "2"],
      ["MSET", "k", "2"],
      ["SET", "k", "2", "KEEPTTL"],
      ["APPEND", "k", "2"],
      ["INCR", "k"],
      ["INCRBYFLOAT", "k", "1.5"],
      ["SETRANGE", "k", "0", "2"],
      ["GET", "k"],
      ["GETEX", "k"],
      ["SETNX", "k", "2"],
      ["SET", "k", "2", "NX"],
      ["TOUCH", "k"],
      ["RENAME", "k", "k"],
      ["COPY", "k", "k2"],
      ["SET", "k", "2", "XX", "GET"],
    ]) {
      c.do("SET", "k", "1", "EXAT", FAR_SECONDS);
      c.do(...args);
      c.do("EXPIRETIME", "k");
    }
  });
});
