/**
 * COMMAND DOCS of the sorted set commands; those about ranges are in sorted-set-range.ts.
 */
import {
  block,
  double,
  integer,
  key,
  many,
  oneOf,
  optional,
  pattern,
  since,
  string,
  token,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const AGGREGATE = optional(
  oneOf("aggregate", [token("SUM"), token("MIN"), token("MAX")], "AGGREGATE"),
);
const END = oneOf("where", [token("MIN"), token("MAX")]);

export const sortedSetDocs = (): CommandDocTable => ({
  group: "sorted-set",
  commands: {
    bzmpop: {
      summary:
        "Pops members from an end of the first sorted set that has any, and waits if none has.",
      since: "7.0.0",
      complexity:
        "O(K) + O(M*log(N)) with K the number of keys, N the size of the sorted set and M the " +
        "number of members popped.",
      args: [
        double("timeout"),
        integer("numkeys"),
        many(key()),
        END,
        optional(integer("count", "COUNT")),
      ],
    },
    bzpopmax: {
      summary:
        "Pops the highest member of the first sorted set that has any, and waits if none has.",
      since: "5.0.0",
      complexity: "O(log(N)) with N the size of the sorted set.",
      history: [["6.0.0", "`timeout` may have a fraction."]],
      args: [many(key()), double("timeout")],
    },
    bzpopmin: {
      summary:
        "Pops the lowest member of the first sorted set that has any, and waits if none has.",
      since: "5.0.0",
      complexity: "O(log(N)) with N the size of the sorted set.",
      history: [["6.0.0", "`timeout` may have a fraction."]],
      args: [many(key()), double("timeout")],
    },
    zadd: {
      summary: "Adds members with scores to a sorted set, or changes their scores.",
      since: "1.2.0",
      complexity: "O(log(N)) a member, with N the size of the sorted set.",
      history: [
        ["2.4.0", "More than one pair of score and member."],
        ["3.0.2", "The options `XX`, `NX`, `CH` and `INCR`."],
        ["6.2.0", "The options `GT` and `LT`."],
      ],
      args: [
        key(),
        optional(since("3.0.2", oneOf("condition", [token("NX"), token("XX")]))),
        optional(since("6.2.0", oneOf("comparison", [token("GT"), token("LT")]))),
        optional(since("3.0.2", token("CH", "change"))),
        optional(since("3.0.2", token("INCR", "increment"))),
        many(block("data", [double("score"), string("member")])),
      ],
    },
    zcard: {
      summary: "Returns the number of members of a sorted set.",
      since: "1.2.0",
      complexity: "O(1)",
      args: [key()],
    },
    zdiff: {
      summary: "Returns the members of the first sorted set that are in none of the others.",
      since: "6.2.0",
      complexity:
        "O(L + (N-K)log(N)) at worst, with L the total size of the sets, N the size of the first " +
        "and K the size of the result.",
      args: [integer("numkeys"), many(key()), optional(token("WITHSCORES"))],
    },
    zdiffstore: {
      summary: "Stores the members of the first sorted set that are in none of the others.",
      since: "6.2.0",
      complexity:
        "O(L + (N-K)log(N)) at worst, with L the total size of the sets, N the size of the first " +
        "and K the size of the result.",
      args: [key("destination"), integer("numkeys"), many(key("key", 1))],
    },
    zincrby: {
      summary: "Adds a number to the score of a member.",
      since: "1.2.0",
      complexity: "O(log(N)) with N the size of the sorted set.",
      args: [key(), integer("increment"), string("member")],
    },
    zinter: {
      summary: "Returns the members that all sorted sets share, with combined scores.",
      since: "6.2.0",
      complexity:
        "O(N*K)+O(M*log(M)) at worst, with N the size of the smallest set, K the number of sets " +
        "and M the size of the result.",
      args: [
        integer("numkeys"),
        many(key()),
        optional(many(integer("weight", "WEIGHTS"))),
        AGGREGATE,
        optional(token("WITHSCORES")),
      ],
    },
    zintercard: {
      summary: "Counts the members that all sorted sets share.",
      since: "7.0.0",
      complexity: "O(N*K) at worst, with N the size of the smallest set and K the number of sets.",
      args: [integer("numkeys"), many(key()), optional(integer("limit", "LIMIT"))],
    },
    zinterstore: {
      summary: "Stores the members that all sorted sets share, with combined scores.",
      since: "2.0.0",
      complexity:
        "O(N*K)+O(M*log(M)) at worst, with N the size of the smallest set, K the number of sets " +
        "and M the size of the result.",
      args: [
        key("destination"),
        integer("numkeys"),
        many(key("key", 1)),
        optional(many(integer("weight", "WEIGHTS"))),
        AGGREGATE,
      ],
    },
    zmpop: {
      summary: "Pops members from an end of the first sorted set that has any.",
      since: "7.0.0",
      complexity:
        "O(K) + O(M*log(N)) with K the number of keys, N the size of the sorted set and M the " +
        "number of members popped.",
      args: [integer("numkeys"), many(key()), END, optional(integer("count", "COUNT"))],
    },
    zmscore: {
      summary: "Returns the scores of several members.",
      since: "6.2.0",
      complexity: "O(N) with N the number of members given.",
      args: [key(), many(string("member"))],
    },
    zpopmax: {
      summary: "Pops the members with the highest scores.",
      since: "5.0.0",
      complexity:
        "O(log(N)*M) with N the size of the sorted set and M the number of members popped.",
      args: [key(), optional(integer("count"))],
    },
    zpopmin: {
      summary: "Pops the members with the lowest scores.",
      since: "5.0.0",
      complexity:
        "O(log(N)*M) with N the size of the sorted set and M the number of members popped.",
      args: [key(), optional(integer("count"))],
    },
    zrandmember: {
      summary: "Returns random members of a sorted set.",
      since: "6.2.0",
      complexity: "O(N) with N the number of members returned.",
      args: [key(), optional(block("options", [integer("count"), optional(token("WITHSCORES"))]))],
    },
    zrank: {
      summary: "Returns the rank of a member, counted from the lowest score.",
      since: "2.0.0",
      complexity: "O(log(N))",
      history: [["7.2.0", "The option `WITHSCORE`."]],
      args: [key(), string("member"), optional(token("WITHSCORE"))],
    },
    zrem: {
      summary: "Removes members from a sorted set.",
      since: "1.2.0",
      complexity:
        "O(M*log(N)) with N the size of the sorted set and M the number of members given.",
      history: [["2.4.0", "More than one `member`."]],
      args: [key(), many(string("member"))],
    },
    zrevrank: {
      summary: "Returns the rank of a member, counted from the highest score.",
      since: "2.0.0",
      complexity: "O(log(N))",
      history: [["7.2.0", "The option `WITHSCORE`."]],
      args: [key(), string("member"), optional(token("WITHSCORE"))],
    },
    zscan: {
      summary: "Walks over the members and scores of a sorted set in steps.",
      since: "2.8.0",
      complexity:
        "O(1) a call; O(N) for a full walk until the cursor is 0 again, with N the size of the " +
        "sorted set.",
      history: [["8.0.0", "The option `NOSCORES`."]],
      args: [
        key(),
        integer("cursor"),
        optional(pattern("pattern", "MATCH")),
        optional(integer("count", "COUNT")),
        optional(token("NOSCORES")),
      ],
    },
    zscore: {
      summary: "Returns the score of a member.",
      since: "1.2.0",
      complexity: "O(1)",
      args: [key(), string("member")],
    },
    zunion: {
      summary: "Returns the members that any of the sorted sets has, with combined scores.",
      since: "6.2.0",
      complexity:
        "O(N)+O(M*log(M)) with N the total size of the sets and M the size of the result.",
      args: [
        integer("numkeys"),
        many(key()),
        optional(many(integer("weight", "WEIGHTS"))),
        AGGREGATE,
        optional(token("WITHSCORES")),
      ],
    },
    zunionstore: {
      summary: "Stores the members that any of the sorted sets has, with combined scores.",
      since: "2.0.0",
      complexity:
        "O(N)+O(M*log(M)) with N the total size of the sets and M the size of the result.",
      args: [
        key("destination"),
        integer("numkeys"),
        many(key("key", 1)),
        optional(many(integer("weight", "WEIGHTS"))),
        AGGREGATE,
      ],
    },
  },
});
