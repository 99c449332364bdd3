/**
 * COMMAND DOCS of the string commands.
 *
 * DIGEST and the conditions IFNE, IFDEQ and IFDNE of SET, and IFDEQ and IFDNE of DELEX, come from
 * Redis 8.4; DELIFEQ, MSETEX and the rest of DELEX have the versions of Valkey.
 */
import {
  block,
  double,
  integer,
  key,
  many,
  noted,
  oneOf,
  optional,
  since,
  string,
  token,
  unixTime,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const stringDocs = (): CommandDocTable => ({
  group: "string",
  commands: {
    append: {
      summary: "Adds bytes to the end of a string, creating the key if needed.",
      since: "2.0.0",
      complexity:
        "O(1) amortised: spare room is kept behind a grown value, so most appends only copy the " +
        "new bytes.",
      args: [key(), string("value")],
    },
    decr: {
      summary: "Subtracts one from an integer; a missing key counts as 0.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    decrby: {
      summary: "Subtracts a number from an integer; a missing key counts as 0.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key(), integer("decrement")],
    },
    delex: {
      summary: "Deletes a string if its value, or the digest of its value, meets a condition.",
      since: "9.2.0",
      complexity:
        "O(1) for IFEQ and IFNE, O(N) for IFDEQ and IFDNE with N the length of the value.",
      args: [
        key(),
        optional(
          oneOf("condition", [
            string("ifeq-value", "IFEQ"),
            string("ifne-value", "IFNE"),
            string("ifdeq-digest", "IFDEQ"),
            string("ifdne-digest", "IFDNE"),
          ]),
        ),
      ],
    },
    delifeq: {
      summary: "Deletes a string if it equals the given value.",
      since: "9.0.0",
      complexity: "O(1)",
      args: [key(), string("value")],
    },
    digest: {
      summary: "Returns the 64-bit XXH3 digest of a string in hexadecimal.",
      since: "8.4.0",
      complexity: "O(N) with N the length of the value.",
      args: [key()],
    },
    get: {
      summary: "Reads a string.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    getdel: {
      summary: "Reads a string and deletes its key.",
      since: "6.2.0",
      complexity: "O(1)",
      args: [key()],
    },
    getex: {
      summary: "Reads a string and sets or removes its expiry.",
      since: "6.2.0",
      complexity: "O(1)",
      args: [
        key(),
        optional(
          oneOf("expiration", [
            integer("seconds", "EX"),
            integer("milliseconds", "PX"),
            unixTime("unix-time-seconds", "EXAT"),
            unixTime("unix-time-milliseconds", "PXAT"),
            token("PERSIST"),
          ]),
        ),
      ],
    },
    getrange: {
      summary: "Returns the part of a string between two offsets.",
      since: "2.4.0",
      complexity: "O(N) with N the number of bytes returned; finding them is O(1).",
      args: [key(), integer("start"), integer("end")],
    },
    getset: {
      summary: "Stores a string and returns the one it replaces.",
      since: "1.0.0",
      complexity: "O(1)",
      deprecated: { since: "6.2.0", replacedBy: "`SET` with `!GET`" },
      args: [key(), string("value")],
    },
    incr: {
      summary: "Adds one to an integer; a missing key counts as 0.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    incrby: {
      summary: "Adds a number to an integer; a missing key counts as 0.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key(), integer("increment")],
    },
    incrbyfloat: {
      summary: "Adds a floating-point number to a value; a missing key counts as 0.",
      since: "2.6.0",
      complexity: "O(1)",
      args: [key(), double("increment")],
    },
    lcs: {
      summary: "Finds the longest subsequence of bytes that two strings share.",
      since: "7.0.0",
      complexity: "O(N*M) with N and M the lengths of the two strings.",
      args: [
        key("key1"),
        key("key2"),
        optional(token("LEN")),
        optional(token("IDX")),
        optional(integer("min-match-len", "MINMATCHLEN")),
        optional(token("WITHMATCHLEN")),
      ],
    },
    mget: {
      summary: "Reads several strings at once.",
      since: "1.0.0",
      complexity: "O(N) with N the number of keys.",
      args: [many(key())],
    },
    mset: {
      summary: "Sets several strings at once.",
      since: "1.0.1",
      complexity: "O(N) with N the number of keys.",
      args: [many(block("data", [key(), string("value")]))],
    },
    msetex: {
      summary: "Sets several strings at once, with one condition and one expiry for all.",
      since: "9.1.0",
      complexity: "O(N) with N the number of keys.",
      args: [
        integer("numkeys"),
        many(block("data", [key(), string("value")])),
        optional(oneOf("condition", [token("NX"), token("XX")])),
        optional(
          oneOf("expiration", [
            integer("seconds", "EX"),
            integer("milliseconds", "PX"),
            unixTime("unix-time-seconds", "EXAT"),
            unixTime("unix-time-milliseconds", "PXAT"),
            token("KEEPTTL"),
          ]),
        ),
      ],
    },
    msetnx: {
      summary: "Sets several strings at once, unless any of the keys exists.",
      since: "1.0.1",
      complexity: "O(N) with N the number of keys.",
      args: [many(block("data", [key(), string("value")]))],
    },
    psetex: {
      summary: "Sets a string and its lifetime in milliseconds.",
      since: "2.6.0",
      complexity: "O(1)",
      deprecated: { since: "2.6.12", replacedBy: "`SET` with `PX`" },
      args: [key(), integer("milliseconds"), string("value")],
    },
    set: {
      summary: "Sets a string, whatever the key held before.",
      since: "1.0.0",
      complexity: "O(1)",
      history: [
        ["2.6.12", "The options `EX`, `PX`, `NX` and `XX`."],
        ["6.0.0", "The option `KEEPTTL`."],
        ["6.2.0", "The options `GET`, `EXAT` and `PXAT`."],
        ["7.0.0", "`NX` and `GET` may be combined."],
        ["8.1.0", "The option `IFEQ`."],
        ["8.4.0", "The options `IFNE`, `IFDEQ` and `IFDNE`."],
      ],
      args: [
        key(),
        string("value"),
        optional(
          oneOf("condition", [
            since("2.6.12", token("NX")),
            since("2.6.12", token("XX")),
            since(
              "8.1.0",
              noted("The value that the key must hold now.", string("comparison-value", "IFEQ")),
            ),
            since("8.4.0", string("ifne-value", "IFNE")),
            since("8.4.0", string("ifdeq-digest", "IFDEQ")),
            since("8.4.0", string("ifdne-digest", "IFDNE")),
          ]),
        ),
        optional(since("6.2.0", token("GET"))),
        optional(
          oneOf("expiration", [
            since("2.6.12", integer("seconds", "EX")),
            since("2.6.12", integer("milliseconds", "PX")),
            since("6.2.0", unixTime("unix-time-seconds", "EXAT")),
            since("6.2.0", unixTime("unix-time-milliseconds", "PXAT")),
            since("6.0.0", token("KEEPTTL")),
          ]),
        ),
      ],
    },
    setex: {
      summary: "Sets a string and its lifetime in seconds.",
      since: "2.0.0",
      complexity: "O(1)",
      deprecated: { since: "2.6.12", replacedBy: "`SET` with `EX`" },
      args: [key(), integer("seconds"), string("value")],
    },
    setnx: {
      summary: "Sets a string unless the key exists.",
      since: "1.0.0",
      complexity: "O(1)",
      deprecated: { since: "2.6.12", replacedBy: "`SET` with `NX`" },
      args: [key(), string("value")],
    },
    setrange: {
      summary: "Overwrites a string from an offset on, padding with zero bytes if needed.",
      since: "2.2.0",
      complexity: "O(M) with M the number of bytes written, plus the padding.",
      args: [key(), integer("offset"), string("value")],
    },
    strlen: {
      summary: "Returns the length of a string in bytes.",
      since: "2.2.0",
      complexity: "O(1)",
      args: [key()],
    },
    substr: {
      summary: "Returns the part of a string between two offsets.",
      since: "1.0.0",
      complexity: "O(N) with N the number of bytes returned; finding them is O(1).",
      deprecated: { since: "2.0.0", replacedBy: "`GETRANGE`" },
      args: [key(), integer("start"), integer("end")],
    },
  },
});
