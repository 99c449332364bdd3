/**
 * COMMAND DOCS of the set commands.
 */
import { integer, key, many, optional, pattern, since, string } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const setDocs = (): CommandDocTable => ({
  group: "set",
  commands: {
    sadd: {
      summary: "Adds members to a set, creating the key if needed.",
      since: "1.0.0",
      complexity: "O(N) with N the number of members given.",
      history: [["2.4.0", "More than one `member`."]],
      args: [key(), many(string("member"))],
    },
    scard: {
      summary: "Returns the number of members of a set.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    sdiff: {
      summary: "Returns the members of the first set that are in none of the others.",
      since: "1.0.0",
      complexity: "O(N) with N the total size of the sets.",
      args: [many(key())],
    },
    sdiffstore: {
      summary: "Stores the members of the first set that are in none of the others.",
      since: "1.0.0",
      complexity: "O(N) with N the total size of the sets.",
      args: [key("destination"), many(key("key", 1))],
    },
    sinter: {
      summary: "Returns the members that all sets share.",
      since: "1.0.0",
      complexity: "O(N*M) at worst, with N the size of the smallest set and M the number of sets.",
      args: [many(key())],
    },
    sintercard: {
      summary: "Counts the members that all sets share.",
      since: "7.0.0",
      complexity: "O(N*M) at worst, with N the size of the smallest set and M the number of sets.",
      args: [integer("numkeys"), many(key()), optional(integer("limit", "LIMIT"))],
    },
    sinterstore: {
      summary: "Stores the members that all sets share.",
      since: "1.0.0",
      complexity: "O(N*M) at worst, with N the size of the smallest set and M the number of sets.",
      args: [key("destination"), many(key("key", 1))],
    },
    sismember: {
      summary: "Tells whether a set has a member.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key(), string("member")],
    },
    smembers: {
      summary: "Returns all members of a set.",
      since: "1.0.0",
      complexity: "O(N) with N the size of the set.",
      args: [key()],
    },
    smismember: {
      summary: "Tells for several members whether a set has them.",
      since: "6.2.0",
      complexity: "O(N) with N the number of members given.",
      args: [key(), many(string("member"))],
    },
    smove: {
      summary: "Moves a member from one set to another.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key("source"), key("destination", 1), string("member")],
    },
    spop: {
      summary: "Removes and returns random members of a set.",
      since: "1.0.0",
      complexity: "O(1) without `count`, else O(N) with N the count.",
      history: [["3.2.0", "The argument `count`."]],
      args: [key(), optional(since("3.2.0", integer("count")))],
    },
    srandmember: {
      summary: "Returns random members of a set.",
      since: "1.0.0",
      complexity: "O(1) without `count`, else O(N) with N the absolute value of the count.",
      history: [["2.6.0", "The argument `count`."]],
      args: [key(), optional(since("2.6.0", integer("count")))],
    },
    srem: {
      summary: "Removes members from a set.",
      since: "1.0.0",
      complexity: "O(N) with N the number of members given.",
      history: [["2.4.0", "More than one `member`."]],
      args: [key(), many(string("member"))],
    },
    sscan: {
      summary: "Walks over the members of a set in steps.",
      since: "2.8.0",
      complexity:
        "O(1) a call; O(N) for a full walk until the cursor is 0 again, with N the size of the " +
        "set.",
      args: [
        key(),
        integer("cursor"),
        optional(pattern("pattern", "MATCH")),
        optional(integer("count", "COUNT")),
      ],
    },
    sunion: {
      summary: "Returns the members that any of the sets has.",
      since: "1.0.0",
      complexity: "O(N) with N the total size of the sets.",
      args: [many(key())],
    },
    sunionstore: {
      summary: "Stores the members that any of the sets has.",
      since: "1.0.0",
      complexity: "O(N) with N the total size of the sets.",
      args: [key("destination"), many(key("key", 1))],
    },
  },
});
