/** String commands, against the reference server. */
import { useDifferential, type Script } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";

const MAX_INTEGER = "9223372036854775807";
const MIN_INTEGER = "-9223372036854775808";
/** XXH3 of "hello", as DIGEST has it. */
const HELLO_DIGEST = "9555e8555c62dcfd";
const FAR_SECONDS = 4102444800;
const FAR_MILLISECONDS = FAR_SECONDS * 1000 + 123;

/** Texts at the edge of what counts as an integer. */
const INTEGER_EDGES = [
  "0",
  "-0",
  "+1",
  "01",
  "1",
  "-1",
  " 1",
  "1 ",
  "1.0",
  "1e3",
  "0x10",
  "",
  "-",
  "abc",
  "2147483647",
  "2147483648",
  "-2147483648",
  "-2147483649",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "9007199254740993",
  "-9007199254740993",
  MAX_INTEGER,
  "9223372036854775806",
  "9223372036854775808",
  MIN_INTEGER,
  "-9223372036854775809",
  "18446744073709551615",
  "18446744073709551616",
  "99999999999999999999999999",
  "00",
  "1\0",
];

const FLOAT_EDGES = [
  "0",
  "-0",
  "0.1",
  "-0.1",
  "1",
  "1.",
  ".5",
  "5.0e3",
  "1e10",
  "1e-10",
  "3.0",
  "1.5e0",
  "+1.5",
  "inf",
  "-inf",
  "+inf",
  "nan",
  "infinity",
  "",
  " 1",
  "1 ",
  "abc",
  "1e400",
  "-1e400",
  "1e-400",
  "0x10",
  "1e309",
  "17179869184.5",
  "123456789012345678",
  "0.1234567890123456789",
  "1e17",
  "1e21",
  "9007199254740993",
  "99999999999999999999",
  "1e-17",
  "5e-324",
  "1,5",
];

describeWithPeers("string commands", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("GET and SET", (c) => {
    c.do("GET", "k");
    c.do("SET", "k", "value");
    c.do("GET", "k");
    c.do("SET", "k", "");
    c.do("GET", "k");
    c.do("STRLEN", "k");
    c.do("SET", "", "empty key");
    c.do("GET", "");
    c.do("set", "K", "case of names does not matter, case of keys does");
    c.do("GET", "K");
    c.do("GET", "k");
    c.do("SET", new Uint8Array([0, 255, 13, 10, 36]), new Uint8Array([0, 1, 2, 13, 10, 254, 255]));
    c.do("GET", new Uint8Array([0, 255, 13, 10, 36]));
    c.fail("GET");
    c.fail("GET", "a", "b");
    c.fail("SET");
    c.fail("SET", "k");
  });

  suite.test("SET with big values", (c) => {
    for (const size of [
      1,
      43,
      44,
      45,
      63,
      64,
      65,
      255,
      256,
      4095,
      4096,
      16384,
      65535,
      65536,
      1 << 20,
    ]) {
      c.do("SET", `big:${size}`, "x".repeat(size));
      c.do("GET", `big:${size}`);
      c.do("STRLEN", `big:${size}`);
    }
    c.do("SET", "k".repeat(70_000), "a long key");
    c.do("GET", "k".repeat(70_000));
  });

  suite.test("encodings of SET", (c) => {
    for (const value of [
      ...INTEGER_EDGES,
      "x".repeat(16),
      "x".repeat(45),
      "1".repeat(18),
      "1".repeat(19),
      "1".repeat(20),
      "1".repeat(21),
    ]) {
      c.do("SET", "k", value);
      c.do("OBJECT", "ENCODING", "k");
      c.do("GET", "k");
      c.do("STRLEN", "k");
    }
  });

  suite.test("SET NX and XX", (c) => {
    c.do("SET", "k", "1", "XX");
    c.do("EXISTS", "k");
    c.do("SET", "k", "1", "NX");
    c.do("SET", "k", "2", "NX");
    c.do("GET", "k");
    c.do("SET", "k", "3", "XX");
    c.do("GET", "k");
    c.do("SET", "k", "4", "xx", "get");
    c.do("SET", "k", "5", "NX", "GET");
    c.do("SET", "new", "5", "NX", "GET");
    c.do("SET", "other", "5", "XX", "GET");
    c.do("MGET", "k", "new", "other");
    c.fail("SET", "k", "v", "NX", "XX");
    c.fail("SET", "k", "v", "XX", "NX");
    c.do("SET", "k", "v", "NX", "NX");
    c.do("SET", "k", "v", "XX", "XX");
  });

  suite.test("SET GET", (c) => {
    c.do("SET", "k", "1", "GET");
    c.do("SET", "k", "2", "GET");
    c.do("SET", "k", "3", "GET", "EX", "1000");
    c.do("GET", "k");
    c.within(10, "TTL", "k");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "a");
      c.fail("SET", "list", "v", "GET");
      c.fail("SET", "list", "v", "GET", "XX");
      c.fail("SET", "list", "v", "NX", "GET");
      c.do("LRANGE", "list", 0, -1);
      c.do("SET", "list", "v");
      c.do("TYPE", "list");
    });
  });

  suite.test("SET with an expiry", (c) => {
    c.do("SET", "k", "v", "EX", "1000");
    c.within(10, "TTL", "k");
    c.do("SET", "k", "v", "PX", "1000000");
    c.within(10_000, "PTTL", "k");
    c.do("SET", "k", "v", "EXAT", FAR_SECONDS);
    c.do("EXPIRETIME", "k");
    c.do("SET", "k", "v", "PXAT", FAR_MILLISECONDS);
    c.do("PEXPIRETIME", "k");
    c.do("SET", "k", "w", "KEEPTTL");
    c.do("PEXPIRETIME", "k");
    c.do("SET", "k", "w");
    c.do("TTL", "k");
    c.do("SET", "k", "w", "KEEPTTL", "GET", "XX");
    c.do("TTL", "k");
    c.do("SET", "k", "v", "ex", "1000", "nx");
    c.do("TTL", "k");
    c.do("SET", "k", "v", "XX", "EX", "1000", "GET");
    c.do("SET", "past", "v", "EXAT", "1");
    c.do("EXISTS", "past");
    c.do("SET", "k", "twice", "EXAT", FAR_SECONDS, "EXAT", FAR_SECONDS + 1);
    c.do("EXPIRETIME", "k");
    c.do("SET", "past", "v", "PXAT", "1");
    c.do("EXISTS", "past");
    c.do("SET", "k", "v", "PXAT", "1");
    c.do("EXISTS", "k");
    c.do("DBSIZE");
  });

  suite.test("SET with a wrong expiry", (c) => {
    c.do("SET", "k", "v");
    for (const option of ["EX", "PX", "EXAT", "PXAT"]) {
      c.fail("SET", "k", "v", option);
      for (const value of ["0", "-1", "abc", "", "1.5", MIN_INTEGER, "9223372036854775808"]) {
        c.fail("SET", "k", "v", option, value);
      }
      c.fail("SET", "k", "v", option, "10", "KEEPTTL");
      c.fail("SET", "k", "v", "KEEPTTL", option, "10");
      for (const other of ["EX", "PX", "EXAT", "PXAT"]) {
        if (other !== option) c.fail("SET", "k", "v", option, "10", other, "10");
      }
      c.fail("SET", "k", "v", option, "10", option, "0");
    }
    for (const value of [MAX_INTEGER, "9223372036854776", "9223372036854775", "9223372036854774"]) {
      c.fail("SET", "k", "v", "EX", value);
    }
    c.fail("SET", "k", "v", "PX", MAX_INTEGER);
    c.fail("SET", "k", "v", "EXAT", MAX_INTEGER);
    c.do("SET", "far", "v", "PXAT", MAX_INTEGER);
    c.do("PEXPIRETIME", "far");
    c.do("GET", "k");
    c.do("TTL", "k");
  });

  suite.test("SET with wrong syntax", (c) => {
    c.fail("SET", "k", "v", "BAD");
    c.fail("SET", "k", "v", "");
    c.fail("SET", "k", "v", "PERSIST");
    c.fail("SET", "k", "v", "NX", "BAD");
    c.fail("SET", "k", "v", "GET", "BAD");
    c.fail("SET", "k", "v", "EX", "10", "BAD");
    c.fail("SET", "k", "v", "10", "EX");
    c.do("SET", "k", "v", "GET", "GET");
    c.do("SET", "k", "v", "KEEPTTL", "KEEPTTL");
    c.do("EXISTS", "k");
  });

  suite.testOurs("SET IFEQ (8.1, the reference executable is 8.0)", (c) => {
    c.ours("null", "SET", "k", "v", "IFEQ", "x");
    c.ours(":0", "EXISTS", "k");
    c.do("SET", "k", "1");
    c.ours("null", "SET", "k", "2", "IFEQ", "wrong");
    c.ours("+OK", "SET", "k", "2", "IFEQ", "1");
    c.ours('"2"', "GET", "k");
    c.ours('"2"', "SET", "k", "3", "IFEQ", "2", "GET");
    c.ours('"3"', "SET", "k", "4", "ifeq", "2", "get");
    c.ours('"3"', "GET", "k");
    c.ours("null", "SET", "none", "v", "IFEQ", "", "GET");
    c.ours(":0", "EXISTS", "none");
    c.ours("+OK", "SET", "k", "5", "IFEQ", "3", "EXAT", FAR_SECONDS);
    c.ours(`:${FAR_SECONDS}`, "EXPIRETIME", "k");
    c.ours("+OK", "SET", "k", "6", "KEEPTTL", "IFEQ", "5");
    c.ours(`:${FAR_SECONDS}`, "EXPIRETIME", "k");
    c.ours("+OK", "SET", "k", "7", "IFEQ", "6");
    c.ours(":-1", "EXPIRETIME", "k");
    c.ours("-ERR syntax error", "SET", "k", "v", "IFEQ");
    c.ours("-ERR syntax error", "SET", "k", "v", "IFEQ", "7", "NX");
    c.ours("-ERR syntax error", "SET", "k", "v", "IFEQ", "7", "XX");
    c.ours("-ERR syntax error", "SET", "k", "v", "XX", "IFEQ", "7");
    c.ours("-ERR syntax error", "SET", "k", "v", "NX", "IFEQ", "7");
    c.ours("-ERR syntax error", "SET", "k", "v", "IFEQ", "7", "IFEQ", "7");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "a");
      c.ours(
        "-WRONGTYPE Operation against a key holding the wrong kind of value",
        "SET",
        "list",
        "v",
        "IFEQ",
        "a",
      );
      c.ours(
        "-WRONGTYPE Operation against a key holding the wrong kind of value",
        "SET",
        "list",
        "v",
        "IFEQ",
        "a",
        "GET",
      );
    });
  });

  suite.test("SETEX, PSETEX and SETNX", (c) => {
    c.do("SETEX", "k", "1000", "v");
    c.within(10, "TTL", "k");
    c.do("PSETEX", "k", "1000000", "w");
    c.within(10_000, "PTTL", "k");
    c.do("GET", "k");
    c.do("SETNX", "k", "x");
    c.do("SETNX", "n", "x");
    c.do("MGET", "k", "n");
    c.do("TTL", "n");
    for (const command of ["SETEX", "PSETEX"]) {
      for (const value of [
        "0",
        "-1",
        "abc",
        "",
        "1.5",
        MAX_INTEGER,
        MIN_INTEGER,
        "9223372036854775808",
      ]) {
        c.fail(command, "k", value, "v");
      }
      c.fail(command, "k", "10");
      c.fail(command, "k", "10", "v", "more");
      c.fail(command);
    }
    c.fail("SETNX", "k");
    c.fail("SETNX", "k", "v", "more");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "a");
      c.do("SETNX", "list", "v");
      c.do("SETEX", "list", "1000", "v");
      c.do("TYPE", "list");
    });
  });

  suite.test("GETSET and GETDEL", (c) => {
    c.do("GETSET", "k", "1");
    c.do("GETSET", "k", "2");
    c.do("EXPIRE", "k", "1000");
    c.do("GETSET", "k", "3");
    c.do("TTL", "k");
    c.do("GETDEL", "k");
    c.do("GETDEL", "k");
    c.do("EXISTS", "k");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "a");
      c.fail("GETSET", "list", "v");
      c.fail("GETDEL", "list");
    });
    c.fail("GETSET", "k");
    c.fail("GETSET", "k", "v", "more");
    c.fail("GETDEL");
    c.fail("GETDEL", "k", "l");
  });

  suite.test("GETEX", (c) => {
    c.do("GETEX", "none");
    c.do("GETEX", "none", "EX", "10");
    c.do("SET", "k", "v");
    c.do("GETEX", "k");
    c.do("TTL", "k");
    c.do("GETEX", "k", "EX", "1000");
    c.within(10, "TTL", "k");
    c.do("GETEX", "k", "PX", "2000000");
    c.within(10_000, "PTTL", "k");
    c.do("GETEX", "k", "EXAT", FAR_SECONDS);
    c.do("EXPIRETIME", "k");
    c.do("GETEX", "k", "pxat", FAR_MILLISECONDS);
    c.do("PEXPIRETIME", "k");
    c.do("GETEX", "k");
    c.do("PEXPIRETIME", "k");
    c.do("GETEX", "k", "EXAT", FAR_SECONDS, "EXAT", FAR_SECONDS + 1);
    c.do("EXPIRETIME", "k");
    c.do("GETEX", "k", "PERSIST", "PERSIST");
    c.do("TTL", "k");
    c.do("GETEX", "k", "EXAT", "1");
    c.do("EXISTS", "k");
    c.do("SET", "k", "v");
    for (const option of ["EX", "PX", "EXAT", "PXAT"]) {
      c.fail("GETEX", "k", option);
      for (const value of ["0", "-1", "abc", "", MIN_INTEGER, "9223372036854775808"]) {
        c.fail("GETEX", "k", option, value);
      }
      c.fail("GETEX", "k", option, "10", "PERSIST");
      c.fail("GETEX", "k", "PERSIST", option, "10");
      for (const other of ["EX", "PX", "EXAT", "PXAT"]) {
        if (other !== option) c.fail("GETEX", "k", option, "10", other, "10");
      }
      c.fail("GETEX", "k", option, "10", option, "0");
    }
    c.fail("GETEX", "k", "EX", MAX_INTEGER);
    c.fail("GETEX", "k", "KEEPTTL");
    c.fail("GETEX", "k", "NX");
    c.fail("GETEX", "k", "GET");
    c.fail("GETEX", "k", "BAD");
    c.fail("GETEX");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "a");
      c.fail("GETEX", "list");
      c.fail("GETEX", "list", "EX", "10");
    });
    c.do("TTL", "k");
  });

  suite.test("MGET, MSET and MSETNX", (c) => {
    c.do("MSET", "a", "1", "b", "2", "a", "3");
    c.do("MGET", "a", "b", "none", "a");
    c.do("EXPIRE", "a", "1000");
    c.do("MSET", "a", "4");
    c.do("TTL", "a");
    c.do("MSETNX", "c", "1", "a", "2");
    c.do("EXISTS", "c");
    c.do("MSETNX", "c", "1", "c", "2", "d", "3");
    c.do("MGET", "c", "d");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.do("MGET", "list", "a");
      c.do("MSETNX", "list", "v", "e", "1");
      c.do("MSET", "list", "v");
      c.do("GET", "list");
    });
    c.fail("MGET");
    c.fail("MSET");
    c.fail("MSET", "a");
    c.fail("MSET", "a", "1", "b");
    c.fail("MSETNX");
    c.fail("MSETNX", "a");
    c.fail("MSETNX", "z", "1", "y");
    c.do("EXISTS", "z");
  });

  suite.test("APPEND and STRLEN", (c) => {
    c.do("APPEND", "k", "");
    c.do("EXISTS", "k");
    c.do("APPEND", "k", "abc");
    c.do("APPEND", "k", "def");
    c.do("APPEND", "k", "");
    c.do("GET", "k");
    c.do("STRLEN", "k");
    c.do("STRLEN", "none");
    c.do("SET", "n", "12");
    c.do("APPEND", "n", "3");
    c.do("OBJECT", "ENCODING", "n");
    c.do("INCR", "n");
    c.do("OBJECT", "ENCODING", "n");
    c.do("SETEX", "t", "1000", "v");
    c.do("APPEND", "t", "w");
    c.within(10, "TTL", "t");
    for (let size = 1; size < 5000; size = size * 2 + 1) c.do("APPEND", "grow", "g".repeat(size));
    c.do("GET", "grow");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.fail("APPEND", "list", "v");
      c.fail("STRLEN", "list");
    });
    c.fail("APPEND", "k");
    c.fail("APPEND", "k", "v", "w");
    c.fail("STRLEN");
    c.fail("STRLEN", "k", "l");
  });

  suite.test("SETRANGE", (c) => {
    c.do("SETRANGE", "none", "0", "");
    c.do("SETRANGE", "none", "5", "");
    c.do("EXISTS", "none");
    c.do("SETRANGE", "pad", "5", "abc");
    c.do("GET", "pad");
    c.do("SET", "k", "Hello World");
    c.do("SETRANGE", "k", "6", "Redis");
    c.do("SETRANGE", "k", "11", "!");
    c.do("SETRANGE", "k", "20", "far");
    c.do("SETRANGE", "k", "0", "");
    c.do("GET", "k");
    c.do("SET", "n", "12345");
    c.do("SETRANGE", "n", "1", "9");
    c.do("GET", "n");
    c.do("OBJECT", "ENCODING", "n");
    c.do("SET", "m", "12345");
    c.do("SETRANGE", "m", "9", "");
    c.do("OBJECT", "ENCODING", "m");
    c.do("SETEX", "t", "1000", "v");
    c.do("SETRANGE", "t", "1", "w");
    c.within(10, "TTL", "t");
    c.fail("SETRANGE", "k", "-1", "v");
    c.fail("SETRANGE", "none", "-1", "");
    for (const offset of [
      "536870912",
      "536870911",
      "4294967296",
      MAX_INTEGER,
      "9223372036854775808",
      "abc",
      "1.5",
      "",
    ]) {
      c.fail("SETRANGE", "k", offset, "xy");
    }
    c.do("SETRANGE", "none", "536870912", "");
    c.do("SETRANGE", "k", MAX_INTEGER, "");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.fail("SETRANGE", "list", "0", "v");
      c.fail("SETRANGE", "list", "0", "");
    });
    c.fail("SETRANGE", "k", "0");
    c.fail("SETRANGE", "k", "0", "v", "w");
  });

  suite.test("GETRANGE and SUBSTR", (c) => {
    const bounds = [
      "0",
      "1",
      "3",
      "4",
      "5",
      "-1",
      "-4",
      "-5",
      "-6",
      "100",
      "-100",
      "4294967296",
      MAX_INTEGER,
      MIN_INTEGER,
    ];
    c.do("SET", "k", "abcde");
    c.do("SET", "n", "12345");
    c.do("SET", "empty", "");
    for (const start of bounds) {
      for (const end of bounds) {
        c.do("GETRANGE", "k", start, end);
        c.do("SUBSTR", "n", start, end);
        c.do("GETRANGE", "empty", start, end);
      }
    }
    c.do("GETRANGE", "none", "0", "-1");
    c.fail("GETRANGE", "k", "a", "1");
    c.fail("GETRANGE", "k", "1", "a");
    c.fail("GETRANGE", "none", "1", "9223372036854775808");
    c.fail("SUBSTR", "k", "1.5", "2");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.fail("GETRANGE", "list", "0", "1");
      c.fail("SUBSTR", "list", "0", "1");
      c.fail("GETRANGE", "list", "a", "1");
    });
    c.fail("GETRANGE", "k", "0");
    c.fail("SUBSTR", "k", "0");
    c.fail("GETRANGE", "k", "0", "1", "2");
  });

  suite.test("INCR, DECR, INCRBY and DECRBY", (c) => {
    c.do("INCR", "k");
    c.do("DECR", "other");
    c.do("INCRBY", "k", "41");
    c.do("DECRBY", "k", "50");
    c.do("OBJECT", "ENCODING", "k");
    c.do("SETEX", "t", "1000", "1");
    c.do("INCR", "t");
    c.within(10, "TTL", "t");
    for (const value of INTEGER_EDGES) {
      c.do("SET", "k", value);
      c.either("INCR", "k");
      c.do("SET", "k", value);
      c.either("DECR", "k");
      c.do("SET", "k", "10");
      c.either("INCRBY", "k", value);
      c.either("DECRBY", "k", value);
      c.do("GET", "k");
    }
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.fail("INCR", "list");
      c.fail("DECR", "list");
      c.fail("INCRBY", "list", "1");
      c.fail("DECRBY", "list", "1");
      c.fail("INCRBY", "list", "abc");
    });
    for (const command of ["INCR", "DECR"]) {
      c.fail(command);
      c.fail(command, "k", "1");
    }
    for (const command of ["INCRBY", "DECRBY", "INCRBYFLOAT"]) {
      c.fail(command, "k");
      c.fail(command, "k", "1", "2");
    }
  });

  suite.test("64-bit limits of INCRBY", (c) => {
    c.do("SET", "k", MAX_INTEGER);
    c.fail("INCR", "k");
    c.fail("INCRBY", "k", MAX_INTEGER);
    c.do("INCRBY", "k", MIN_INTEGER);
    c.do("DECRBY", "k", MAX_INTEGER);
    c.fail("DECR", "k");
    c.do("SET", "k", MIN_INTEGER);
    c.fail("DECR", "k");
    c.fail("DECRBY", "k", MIN_INTEGER);
    c.do("INCRBY", "k", MAX_INTEGER);
    c.do("SET", "k", "9007199254740992");
    c.do("INCR", "k");
    c.do("INCRBY", "k", "2");
    c.do("DECRBY", "k", "9007199254740994");
    c.do("SET", "k", "4611686018427387904");
    c.do("INCRBY", "k", "4611686018427387903");
    c.fail("INCR", "k");
    c.do("GET", "k");
  });

  suite.test("INCRBYFLOAT", (c) => {
    c.do("INCRBYFLOAT", "k", "10.5");
    c.do("INCRBYFLOAT", "k", "0.1");
    c.do("OBJECT", "ENCODING", "k");
    c.do("INCRBYFLOAT", "k", "-5");
    c.do("SET", "k", "5.0e3");
    c.do("INCRBYFLOAT", "k", "2.0e2");
    c.do("SETEX", "t", "1000", "1");
    c.do("INCRBYFLOAT", "t", "0.5");
    c.within(10, "TTL", "t");
    for (const value of FLOAT_EDGES) {
      c.do("SET", "k", value);
      c.either("INCRBYFLOAT", "k", "1");
      c.do("GET", "k");
      c.do("SET", "k", "3");
      c.either("INCRBYFLOAT", "k", value);
      c.do("GET", "k");
    }
    c.do("DEL", "k");
    for (let i = 0; i < 30; i++) c.do("INCRBYFLOAT", "k", "0.1");
    c.do("INCRBYFLOAT", "k", "1e15");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.fail("INCRBYFLOAT", "list", "1");
      c.fail("INCRBYFLOAT", "list", "abc");
    });
  });

  suite.test("LCS", (c) => {
    lcs(c, "ohmytext", "mynewtext");
    lcs(c, "", "abc");
    lcs(c, "abc", "");
    lcs(c, "abc", "abc");
    lcs(c, "abc", "xyz");
    lcs(c, "12345", "32451");
    lcs(c, "aabbaabb", "abababab");
    c.do("LCS", "none1", "none2");
    c.do("LCS", "none1", "none2", "LEN");
    c.do("LCS", "none1", "none2", "IDX");
    c.fail("LCS", "a", "b", "LEN", "IDX");
    c.fail("LCS", "a", "b", "MINMATCHLEN");
    c.fail("LCS", "a", "b", "IDX", "MINMATCHLEN", "abc");
    c.fail("LCS", "a", "b", "IDX", "MINMATCHLEN", "9223372036854775808");
    c.fail("LCS", "a", "b", "BAD");
    c.fail("LCS", "a");
    c.fail("LCS");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.fail("LCS", "list", "a");
      c.fail("LCS", "a", "list");
      c.fail("LCS", "a", "list", "BAD");
    });
  });

  suite.test("string commands on every other type", (c) => {
    for (const create of [
      ["rpush", "list", "x"],
      ["sadd", "set", "x"],
      ["hset", "hash", "f", "v"],
      ["zadd", "zset", "1", "x"],
      ["xadd", "stream", "1-1", "f", "v"],
    ]) {
      c.where(create[0], () => {
        c.do(...create);
        const key = create[1];
        for (const args of [
          ["GET", key],
          ["GETSET", key, "v"],
          ["GETDEL", key],
          ["GETEX", key],
          ["STRLEN", key],
          ["APPEND", key, "v"],
          ["SETRANGE", key, "0", "v"],
          ["GETRANGE", key, "0", "1"],
          ["INCR", key],
          ["DECRBY", key, "1"],
          ["INCRBYFLOAT", key, "1"],
          ["LCS", key, key],
          ["SET", key, "v", "GET"],
          ["SUBSTR", key, "0", "1"],
          ["GETBIT", key, "0"],
        ]) {
          c.fail(...args);
        }
        c.do("MGET", key);
        c.do("TYPE", key);
      });
    }
  });

  suite.testOurs("DELIFEQ (Valkey 9.0)", (c) => {
    c.do("SET", "k", "v");
    c.ours(":0", "DELIFEQ", "k", "x");
    c.ours(":1", "DELIFEQ", "k", "v");
    c.ours(":0", "DELIFEQ", "k", "v");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.ours(
        "-WRONGTYPE Operation against a key holding the wrong kind of value",
        "DELIFEQ",
        "list",
        "x",
      );
    });
    c.ours("-ERR wrong number of arguments for 'delifeq' command", "DELIFEQ", "k");
  });

  suite.testOurs("SET IFNE, IFDEQ and IFDNE (Redis 8.4)", (c) => {
    c.ours("null", "SET", "k", "hello", "IFDEQ", HELLO_DIGEST);
    c.ours("+OK", "SET", "k", "hello", "IFNE", "x");
    c.ours("null", "SET", "k", "y", "IFNE", "hello");
    c.ours('"hello"', "SET", "k", "y", "ifne", "hello", "get");
    c.ours("null", "SET", "k", "y", "IFDNE", HELLO_DIGEST);
    c.ours("null", "SET", "k", "y", "IFDEQ", "0000000000000000");
    c.ours("null", "SET", "k", "y", "IFDEQ", "zzzzzzzzzzzzzzzz");
    c.ours("-ERR must be exactly 16 hexadecimal characters", "SET", "k", "y", "IFDEQ", "0");
    c.ours("+OK", "SET", "k", "y", "IFDEQ", HELLO_DIGEST.toUpperCase(), "EXAT", FAR_SECONDS);
    c.ours(`:${FAR_SECONDS}`, "EXPIRETIME", "k");
    c.ours("+OK", "SET", "k", "z", "IFDNE", HELLO_DIGEST);
    c.ours("+OK", "SET", "none", "z", "IFDNE", "0");
    for (const other of ["NX", "XX", "IFEQ", "IFNE", "IFDNE"]) {
      c.ours("-ERR syntax error", "SET", "k", "v", "IFNE", "x", other, "y");
    }
    c.ours('"z"', "GET", "k");
  });

  suite.testOurs("DIGEST and DELEX (Redis 8.4)", (c) => {
    c.ours("null", "DIGEST", "k");
    c.do("MSET", "k", "hello", "empty", "", "number", "123", "zero", "v8");
    c.ours(`"${HELLO_DIGEST}"`, "DIGEST", "k");
    c.ours('"2d06800538d394c2"', "DIGEST", "empty");
    c.ours('"404a763b3f4c8c9a"', "DIGEST", "number");
    c.ours('"0cc76dbb41381419"', "DIGEST", "zero");
    c.ours(":0", "DELEX", "none", "nonsense", "x");
    c.ours(":0", "DELEX", "k", "IFEQ", "x");
    c.ours(":0", "DELEX", "k", "IFNE", "hello");
    c.ours(":0", "DELEX", "k", "IFDNE", HELLO_DIGEST);
    c.ours("-ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE", "DELEX", "k", "NX", "x");
    c.ours("-ERR must be exactly 16 hexadecimal characters", "DELEX", "k", "IFDEQ", "x");
    c.ours("-ERR wrong number of arguments for 'delex' command", "DELEX", "k", "IFEQ");
    c.ours(":1", "DELEX", "k", "ifdeq", HELLO_DIGEST);
    c.ours(":0", "EXISTS", "k");
    c.ours(":1", "DELEX", "empty", "IFEQ", "");
    c.ours(":1", "DELEX", "number", "IFNE", "1");
    c.ours(":1", "DELEX", "zero");
    c.where("rpush", () => {
      c.do("RPUSH", "list", "x");
      c.ours(
        "-ERR Key should be of string type if conditions are specified",
        "DELEX",
        "list",
        "IFEQ",
        "x",
      );
      c.ours(":1", "DELEX", "list");
    });
  });

  suite.testOurs("MSETEX (Redis 8.4)", (c) => {
    c.ours(":1", "MSETEX", "2", "a", "1", "b", "2", "EXAT", FAR_SECONDS);
    c.ours(`:${FAR_SECONDS}`, "EXPIRETIME", "a");
    c.ours(":0", "MSETEX", "2", "a", "3", "n", "4", "NX");
    c.ours(":0", "MSETEX", "2", "a", "3", "n", "4", "XX");
    c.ours('array of 3\n  "1"\n  "2"\n  null', "MGET", "a", "b", "n");
    c.ours(":1", "MSETEX", "1", "a", "5", "KEEPTTL");
    c.ours(`:${FAR_SECONDS}`, "EXPIRETIME", "a");
    c.ours(":1", "MSETEX", "1", "a", "6");
    c.ours(":-1", "EXPIRETIME", "a");
    c.ours(":1", "MSETEX", "2", "a", "7", "a", "8", "XX", "PX", "100000", "XX");
    c.ours('"8"', "GET", "a");
    for (const count of ["0", "-1", "x", "2147483648"]) {
      c.ours("-ERR invalid numkeys value or out of range", "MSETEX", count, "a", "1");
    }
    c.ours("-ERR syntax error", "MSETEX", "2", "a", "1", "b");
    c.ours("-ERR syntax error", "MSETEX", "1", "a", "1", "b", "2");
    c.ours("-ERR syntax error", "MSETEX", "1", "a", "1", "NX", "XX");
    c.ours("-ERR syntax error", "MSETEX", "1", "a", "1", "EX", "10", "KEEPTTL");
    c.ours("-ERR syntax error", "MSETEX", "1", "a", "1", "EX");
    c.ours("-ERR invalid expire time in 'msetex' command", "MSETEX", "1", "a", "1", "EX", "0");
    c.ours("-ERR value is not an integer or out of range", "MSETEX", "1", "a", "1", "EX", "1.5");
    c.ours(":1", "MSETEX", "2", "a", "9", "n", "9", "PXAT", "1");
    c.ours(":0", "EXISTS", "a", "n");
  });
});

function lcs(c: Script, first: string, second: string): void {
  c.do("MSET", "a", first, "b", second);
  c.do("LCS", "a", "b");
  c.do("LCS", "a", "b", "LEN");
  c.do("LCS", "a", "b", "IDX");
  c.do("LCS", "a", "b", "IDX", "WITHMATCHLEN");
  for (const length of ["0", "-1", "2", "4", "100"]) {
    c.do("LCS", "a", "b", "IDX", "MINMATCHLEN", length);
    c.do("LCS", "a", "b", "idx", "withmatchlen", "minmatchlen", length);
  }
  c.do("LCS", "a", "b", "LEN", "WITHMATCHLEN", "MINMATCHLEN", "3");
}
