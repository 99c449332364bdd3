/**
 * COMMAND DOCS of the sorted set commands that work on a range of ranks, scores or names.
 */
import { block, double, integer, key, oneOf, optional, since, string, token } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const LIMIT = optional(block("limit", [integer("offset"), integer("count")], "LIMIT"));

export const sortedSetRangeDocs = (): CommandDocTable => ({
  group: "sorted-set",
  commands: {
    zcount: {
      summary: "Counts the members with a score in a range.",
      since: "2.0.0",
      complexity: "O(log(N)) with N the size of the sorted set.",
      args: [key(), double("min"), double("max")],
    },
    zlexcount: {
      summary: "Counts the members in a lexicographical range.",
      since: "2.8.9",
      complexity: "O(log(N)) with N the size of the sorted set.",
      args: [key(), string("min"), string("max")],
    },
    zrange: {
      summary: "Returns the members in a range of ranks, scores or names.",
      since: "1.2.0",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members returned.",
      history: [["6.2.0", "The options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`."]],
      args: [
        key(),
        string("start"),
        string("stop"),
        optional(since("6.2.0", oneOf("sortby", [token("BYSCORE"), token("BYLEX")]))),
        optional(since("6.2.0", token("REV"))),
        optional(since("6.2.0", block("limit", [integer("offset"), integer("count")], "LIMIT"))),
        optional(token("WITHSCORES")),
      ],
    },
    zrangebylex: {
      summary: "Returns the members in a lexicographical range.",
      since: "2.8.9",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members returned.",
      deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with `BYLEX`" },
      args: [key(), string("min"), string("max"), LIMIT],
    },
    zrangebyscore: {
      summary: "Returns the members with a score in a range.",
      since: "1.0.5",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members returned.",
      deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with `BYSCORE`" },
      history: [["2.0.0", "The option `WITHSCORES`."]],
      args: [
        key(),
        double("min"),
        double("max"),
        optional(since("2.0.0", token("WITHSCORES"))),
        LIMIT,
      ],
    },
    zrangestore: {
      summary: "Stores the members in a range of ranks, scores or names.",
      since: "6.2.0",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members stored.",
      args: [
        key("dst"),
        key("src", 1),
        string("min"),
        string("max"),
        optional(oneOf("sortby", [token("BYSCORE"), token("BYLEX")])),
        optional(token("REV")),
        LIMIT,
      ],
    },
    zremrangebylex: {
      summary: "Removes the members in a lexicographical range.",
      since: "2.8.9",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members removed.",
      args: [key(), string("min"), string("max")],
    },
    zremrangebyrank: {
      summary: "Removes the members in a range of ranks.",
      since: "2.0.0",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members removed.",
      args: [key(), integer("start"), integer("stop")],
    },
    zremrangebyscore: {
      summary: "Removes the members with a score in a range.",
      since: "1.2.0",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members removed.",
      args: [key(), double("min"), double("max")],
    },
    zrevrange: {
      summary: "Returns the members in a range of ranks, from the highest score down.",
      since: "1.2.0",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members returned.",
      deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with `REV`" },
      args: [key(), integer("start"), integer("stop"), optional(token("WITHSCORES"))],
    },
    zrevrangebylex: {
      summary: "Returns the members in a lexicographical range, backwards.",
      since: "2.8.9",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members returned.",
      deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with `REV` and `BYLEX`" },
      args: [key(), string("max"), string("min"), LIMIT],
    },
    zrevrangebyscore: {
      summary: "Returns the members with a score in a range, from the highest down.",
      since: "2.2.0",
      complexity:
        "O(log(N)+M) with N the size of the sorted set and M the number of members returned.",
      deprecated: { since: "6.2.0", replacedBy: "`ZRANGE` with `REV` and `BYSCORE`" },
      history: [["2.1.6", "`min` and `max` may be exclusive."]],
      args: [key(), double("max"), double("min"), optional(token("WITHSCORES")), LIMIT],
    },
  },
});
