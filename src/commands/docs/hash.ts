/**
 * COMMAND DOCS of the hash commands.
 *
 * The commands that expire single fields have the versions of Valkey, which added them after Redis.
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
  string,
  token,
  unixTime,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const FIELDS = block("fields", [integer("numfields"), many(string("field"))], "FIELDS");
const CONDITION = optional(
  oneOf("condition", [token("NX"), token("XX"), token("GT"), token("LT")]),
);

export const hashDocs = (): CommandDocTable => ({
  group: "hash",
  commands: {
    hdel: {
      summary: "Removes fields from a hash.",
      since: "2.0.0",
      complexity: "O(N) with N the number of fields given.",
      history: [["2.4.0", "More than one `field`."]],
      args: [key(), many(string("field"))],
    },
    hexists: {
      summary: "Tells whether a hash has a field.",
      since: "2.0.0",
      complexity: "O(1)",
      args: [key(), string("field")],
    },
    hexpire: {
      summary: "Sets how many seconds fields of a hash have left.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), integer("seconds"), CONDITION, FIELDS],
    },
    hexpireat: {
      summary: "Sets the Unix time in seconds at which fields of a hash expire.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), unixTime("unix-time-seconds"), CONDITION, FIELDS],
    },
    hexpiretime: {
      summary: "Returns the Unix times in seconds at which fields of a hash expire.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), FIELDS],
    },
    hget: {
      summary: "Returns the value of a field.",
      since: "2.0.0",
      complexity: "O(1)",
      args: [key(), string("field")],
    },
    hgetall: {
      summary: "Returns all fields and values of a hash.",
      since: "2.0.0",
      complexity: "O(N) with N the size of the hash.",
      args: [key()],
    },
    hgetdel: {
      summary: "Returns the values of fields and removes the fields.",
      since: "9.1.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), FIELDS],
    },
    hgetex: {
      summary: "Returns the values of fields and sets or removes their expiry.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
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
        FIELDS,
      ],
    },
    hincrby: {
      summary: "Adds a number to an integer in a field; a missing field counts as 0.",
      since: "2.0.0",
      complexity: "O(1)",
      args: [key(), string("field"), integer("increment")],
    },
    hincrbyfloat: {
      summary: "Adds a floating-point number to the value of a field; a missing field counts as 0.",
      since: "2.6.0",
      complexity: "O(1)",
      args: [key(), string("field"), double("increment")],
    },
    hkeys: {
      summary: "Returns all fields of a hash.",
      since: "2.0.0",
      complexity: "O(N) with N the size of the hash.",
      args: [key()],
    },
    hlen: {
      summary: "Returns the number of fields of a hash.",
      since: "2.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    hmget: {
      summary: "Returns the values of the given fields.",
      since: "2.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), many(string("field"))],
    },
    hmset: {
      summary: "Sets fields of a hash.",
      since: "2.0.0",
      complexity: "O(N) with N the number of fields given.",
      deprecated: { since: "4.0.0", replacedBy: "`HSET` with several fields" },
      args: [key(), many(block("data", [string("field"), string("value")]))],
    },
    hpersist: {
      summary: "Removes the expiry of fields of a hash.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), FIELDS],
    },
    hpexpire: {
      summary: "Sets how many milliseconds fields of a hash have left.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), integer("milliseconds"), CONDITION, FIELDS],
    },
    hpexpireat: {
      summary: "Sets the Unix time in milliseconds at which fields of a hash expire.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), unixTime("unix-time-milliseconds"), CONDITION, FIELDS],
    },
    hpexpiretime: {
      summary: "Returns the Unix times in milliseconds at which fields of a hash expire.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), FIELDS],
    },
    hpttl: {
      summary: "Returns how many milliseconds fields of a hash have left.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), FIELDS],
    },
    hrandfield: {
      summary: "Returns random fields of a hash.",
      since: "6.2.0",
      complexity: "O(N) with N the number of fields returned.",
      args: [key(), optional(block("options", [integer("count"), optional(token("WITHVALUES"))]))],
    },
    hscan: {
      summary: "Walks over the fields and values of a hash in steps.",
      since: "2.8.0",
      complexity:
        "O(1) a call; O(N) for a full walk until the cursor is 0 again, with N the size of the " +
        "hash.",
      args: [
        key(),
        integer("cursor"),
        optional(pattern("pattern", "MATCH")),
        optional(integer("count", "COUNT")),
        optional(token("NOVALUES")),
      ],
    },
    hset: {
      summary: "Sets fields of a hash, creating the key if needed.",
      since: "2.0.0",
      complexity: "O(N) with N the number of fields given.",
      history: [["4.0.0", "More than one pair of `field` and `value`."]],
      args: [key(), many(block("data", [string("field"), string("value")]))],
    },
    hsetex: {
      summary: "Sets fields of a hash and their expiry, if a condition holds.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [
        key(),
        optional(oneOf("key-condition", [token("NX"), token("XX")])),
        optional(oneOf("fields-condition", [token("FNX"), token("FXX")])),
        optional(
          oneOf("expiration", [
            integer("seconds", "EX"),
            integer("milliseconds", "PX"),
            unixTime("unix-time-seconds", "EXAT"),
            unixTime("unix-time-milliseconds", "PXAT"),
            token("KEEPTTL"),
          ]),
        ),
        block(
          "fields",
          [integer("numfields"), many(block("data", [string("field"), string("value")]))],
          "FIELDS",
        ),
      ],
    },
    hsetnx: {
      summary: "Sets a field unless the hash has it.",
      since: "2.0.0",
      complexity: "O(1)",
      args: [key(), string("field"), string("value")],
    },
    hstrlen: {
      summary: "Returns the length of the value of a field.",
      since: "3.2.0",
      complexity: "O(1)",
      args: [key(), string("field")],
    },
    httl: {
      summary: "Returns how many seconds fields of a hash have left.",
      since: "9.0.0",
      complexity: "O(N) with N the number of fields given.",
      args: [key(), FIELDS],
    },
    hvals: {
      summary: "Returns all values of a hash.",
      since: "2.0.0",
      complexity: "O(N) with N the size of the hash.",
      args: [key()],
    },
  },
});
