/** Bitmap commands, against the reference server. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";

const MAX_INTEGER = "9223372036854775807";
const MIN_INTEGER = "-9223372036854775808";
/** Bits of a string of proto-max-bulk-len. */
const LONGEST = 8 * 1024 * 1024;
/** Contents at word boundaries: what the word-wise loops do at once, and what is left. */
const CONTENTS: readonly (string | Uint8Array)[] = [
  "",
  "a",
  "foobar",
  Uint8Array.of(0xff, 0xf0, 0),
  new Uint8Array(3),
  new Uint8Array(8).fill(0xff),
  new Uint8Array(13).fill(0xff),
  Uint8Array.from({ length: 33 }, (_, i) => (i * 37) & 0xff),
];
const BOUNDS = [0, 1, 2, 5, 7, 8, 9, 31, 32, 33, 100, -1, -2, -8, -9, -100];

describeWithPeers("bitmap commands", ["valkey-server"], () => {
  // The least limit, so that the longest bitmap is quickly made.
  const suite = useDifferential({ "proto-max-bulk-len": "1mb" });

  suite.test("SETBIT and GETBIT", (c) => {
    for (const offset of [0, 7, 8, 100, 3000]) {
      for (const bit of [1, 0, 0, 1, 1]) {
        c.do("SETBIT", "k", offset, bit);
        c.do("GETBIT", "k", offset);
      }
      c.do("STRLEN", "k");
    }
    c.do("GETBIT", "k", 100_000);
    c.do("GETBIT", "none", 0);
    c.do("SET", "n", "123");
    c.do("SETBIT", "n", 6, 0);
    c.do("OBJECT", "ENCODING", "n");
    c.do("SETBIT", "empty", 17, 0);
    c.do("GET", "empty");
    for (const offset of [
      "-1",
      LONGEST,
      "4294967296",
      MAX_INTEGER,
      "9223372036854775808",
      "x",
      "",
      "#1",
    ]) {
      c.fail("SETBIT", "k", offset, 1);
      c.fail("GETBIT", "k", offset);
    }
    for (const bit of ["2", "-1", "x", "", MAX_INTEGER, "1.0"]) c.fail("SETBIT", "k", 0, bit);
  });

  suite.test("the longest bitmap", (c) => {
    c.do("SETBIT", "k", LONGEST - 1, 1);
    c.do("STRLEN", "k");
    c.do("GETBIT", "k", LONGEST - 1);
    c.do("BITCOUNT", "k");
    c.do("BITPOS", "k", 1);
    c.do("BITCOUNT", "k", -16, -1, "BIT");
    c.do("BITFIELD", "k", "GET", "u32", LONGEST - 16, "GET", "i64", `#${LONGEST / 64 - 1}`);
    c.fail("APPEND", "k", "x");
    c.do("DEL", "k");
  });

  suite.test("BITCOUNT", (c) => {
    for (const content of CONTENTS) {
      c.do("SET", "k", content);
      c.do("BITCOUNT", "k");
      for (const start of BOUNDS) {
        for (const end of BOUNDS) {
          c.do("BITCOUNT", "k", start, end);
          c.do("BITCOUNT", "k", start, end, "BIT");
        }
      }
    }
    c.do("BITCOUNT", "none");
    c.do("BITCOUNT", "none", 0, -1);
    c.do("BITCOUNT", "k", "0", MAX_INTEGER, "byte");
    c.do("BITCOUNT", "k", MIN_INTEGER, MAX_INTEGER, "bit");
    c.do("BITCOUNT", "k", "-9223372036854775807", MIN_INTEGER);
    c.do("BITCOUNT", "k", MIN_INTEGER, "-9223372036854775807");
    c.fail("BITCOUNT", "k", 0, 1, "word");
    c.fail("BITCOUNT", "k", 0, 1, "bit", "bit");
    c.fail("BITCOUNT", "k", "a", 1);
    c.fail("BITCOUNT", "k", 0, "a");
    c.fail("BITCOUNT", "none", "a", "b");
    c.fail("BITCOUNT");
  });

  suite.test("BITPOS", (c) => {
    for (const content of CONTENTS) {
      c.do("SET", "k", content);
      for (const bit of [0, 1]) {
        c.do("BITPOS", "k", bit);
        for (const start of BOUNDS) {
          c.do("BITPOS", "k", bit, start);
          for (const end of BOUNDS) {
            c.do("BITPOS", "k", bit, start, end);
            c.do("BITPOS", "k", bit, start, end, "BIT");
          }
        }
      }
    }
    c.do("BITPOS", "none", 0);
    c.do("BITPOS", "none", 1, 5, 7);
    for (const bit of ["2", "-1", "x", MAX_INTEGER]) c.fail("BITPOS", "k", bit);
    c.fail("BITPOS", "k", 1, 0, 1, "word");
    c.fail("BITPOS", "k", 1, 0, 1, "bit", "bit");
    c.fail("BITPOS", "k", 1, "x");
    c.fail("BITPOS", "k");
  });

  suite.test("BITOP", (c) => {
    CONTENTS.forEach((content, i) => c.do("SET", `s${i}`, content));
    for (const operation of ["AND", "or", "XOR"]) {
      c.do("BITOP", operation, "d", "s7");
      c.do("GET", "d");
      for (let i = 0; i < CONTENTS.length; i++) {
        c.do("BITOP", operation, "d", `s${i}`, "s7", "s4");
        c.do("GET", "d");
        c.do("BITOP", operation, "d", "s7", `s${i}`, "none");
        c.do("GET", "d");
      }
    }
    for (let i = 0; i < CONTENTS.length; i++) {
      c.do("SET", "d", "x", "EX", 1000);
      c.do("BITOP", "NOT", "d", `s${i}`);
      c.do("GET", "d");
      c.do("TTL", "d");
    }
    c.do("SET", "n", "5");
    c.do("BITOP", "OR", "n", "n");
    c.do("OBJECT", "ENCODING", "n");
    c.do("BITOP", "AND", "n", "none", "none2");
    c.do("EXISTS", "n");
    c.fail("BITOP", "NOT", "d", "s1", "s2");
    c.fail("BITOP", "NAND", "d", "s1");
    c.fail("BITOP", "AND", "d");
  });

  suite.testOurs("BITOP DIFF, DIFF1, ANDOR and ONE (Redis 8.2)", (c) => {
    const [x, y, z] = ["0f0f0f0f3f", "05", "41ff00000f01"].map((hex) => Buffer.from(hex, "hex"));
    c.do("MSET", "x", x, "y", y, "z", z);
    const results: readonly (readonly [string, string])[] = [
      ["DIFF", "0a00 0f0f 3000"],
      ["DIFF1", "40f0 0000 0001"],
      ["ANDOR", "050f 0000 0f00"],
      ["ONE", "4af0 0f0f 3001"],
    ];
    for (const [operation, hex] of results) {
      c.ours(":6", "BITOP", operation, "d", "x", "y", "z");
      c.do("SET", "expected", Buffer.from(hex.replaceAll(" ", ""), "hex"));
      c.do("BITOP", "XOR", "d", "d", "expected");
      c.ours(":0", "BITCOUNT", "d");
    }
    for (const operation of ["DIFF", "DIFF1", "ANDOR"]) {
      c.ours(
        `-ERR BITOP ${operation} must be called with at least two source keys.`,
        "BITOP",
        operation.toLowerCase(),
        "d",
        "x",
      );
    }
    c.ours(":5", "BITOP", "ONE", "d", "x");
    c.ours(":0", "BITOP", "DIFF", "d", "none", "none");
    c.ours(":0", "EXISTS", "d");
  });

  suite.test("BITFIELD of every width", (c) => {
    c.do("SET", "k", CONTENTS[7]);
    for (let bits = 1; bits <= 64; bits++) {
      for (const type of bits === 64 ? ["i64"] : [`u${bits}`, `i${bits}`]) {
        c.do("BITFIELD", "k", "GET", type, 0, "GET", type, 13, "GET", type, "#2", "GET", type, 260);
        for (const overflow of ["WRAP", "SAT", "FAIL"]) {
          for (const amount of ["1", "-1", "255", MAX_INTEGER, MIN_INTEGER, "9007199254740993"]) {
            c.do("BITFIELD", "k", "OVERFLOW", overflow, "INCRBY", type, 11, amount);
            c.do("BITFIELD", "k", "OVERFLOW", overflow, "SET", type, 70, amount);
          }
        }
      }
    }
    c.do("GET", "k");
  });

  suite.test("BITFIELD's arguments", (c) => {
    c.do("BITFIELD", "k");
    c.do("BITFIELD", "k", "OVERFLOW", "SAT");
    c.do("EXISTS", "k");
    c.do("BITFIELD", "k", "OVERFLOW", "FAIL", "INCRBY", "u8", 0, 300);
    c.do("EXISTS", "k");
    c.do(
      "BITFIELD",
      "k",
      "SET",
      "u8",
      "#1",
      200,
      "get",
      "u8",
      "#1",
      "OVERFLOW",
      "fail",
      "INCRBY",
      "u8",
      "#1",
      100,
      "OVERFLOW",
      "sat",
      "INCRBY",
      "u8",
      "#1",
      100,
    );
    c.do("BITFIELD_RO", "k", "GET", "u8", 8, "GET", "i8", 8);
    c.do("BITFIELD_RO", "none", "GET", "u8", 8);
    c.fail("BITFIELD_RO", "k", "SET", "u8", 8, 1);
    c.fail("BITFIELD_RO", "k", "GET", "u8", 0, "INCRBY", "u8", 8, 1);
    for (const type of ["u64", "i65", "u0", "i0", "i-1", "x8", "U8", "u", "", "8", "u08", "u8x"]) {
      c.fail("BITFIELD", "k", "GET", type, 0);
    }
    for (const offset of ["-1", LONGEST, `#${LONGEST / 8}`, "#-1", "#", "x", "", MAX_INTEGER]) {
      c.fail("BITFIELD", "k", "GET", "u8", offset);
    }
    c.fail("BITFIELD", "k", "SET", "u8", 0);
    c.fail("BITFIELD", "k", "SET", "u8", 0, "x");
    c.fail("BITFIELD", "k", "GET", "u8");
    c.fail("BITFIELD", "k", "OVERFLOW");
    c.fail("BITFIELD", "k", "OVERFLOW", "NONE");
    c.fail("BITFIELD", "k", "SET", "u8", 0, 1, "MUL", "u8", 0, 1);
    c.fail("BITFIELD");
  });

  suite.test("bitmap commands on a list", (c) => {
    c.where("rpush", () => {
      c.do("RPUSH", "list", "a");
      c.fail("SETBIT", "list", 0, 1);
      c.fail("SETBIT", "list", "x", 1);
      c.fail("GETBIT", "list", 0);
      c.fail("BITCOUNT", "list");
      c.fail("BITCOUNT", "list", "x", "y");
      c.fail("BITPOS", "list", 1);
      c.fail("BITFIELD", "list", "GET", "u8", 0);
      c.fail("BITFIELD", "list", "SET", "u8", 0, 1);
      c.fail("BITOP", "NOT", "d", "list");
      c.do("BITOP", "OR", "list", "none");
      c.do("EXISTS", "list");
    });
  });
});
