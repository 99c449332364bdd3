/**
 * COMMAND DOCS of the commands that work on keys of any type.
 */
import {
  block,
  integer,
  key,
  many,
  manyWithToken,
  namesKey,
  oneOf,
  optional,
  pattern,
  shownAs,
  since,
  string,
  token,
  unixTime,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const CONDITION = optional(
  since("7.0.0", oneOf("condition", [token("NX"), token("XX"), token("GT"), token("LT")])),
);
const LIMIT = optional(block("limit", [integer("offset"), integer("count")], "LIMIT"));

export const genericDocs = (): CommandDocTable => ({
  group: "generic",
  commands: {
    copy: {
      summary: "Copies a value to another key.",
      since: "6.2.0",
      complexity: "O(1) for a string; O(N) for a collection of N elements.",
      args: [
        key("source"),
        key("destination", 1),
        optional(integer("destination-db", "DB")),
        optional(token("REPLACE")),
      ],
    },
    del: {
      summary: "Deletes keys.",
      since: "1.0.0",
      complexity: "O(N) with N the number of keys; a collection adds the number of its elements.",
      args: [many(key())],
    },
    dump: {
      summary: "Returns a value in the serialised form that RESTORE reads.",
      since: "2.6.0",
      complexity: "O(1) to find the key, and O(N*M) to serialise N elements of average size M.",
      args: [key()],
    },
    exists: {
      summary: "Counts how many of the given keys exist.",
      since: "1.0.0",
      complexity: "O(N) with N the number of keys.",
      history: [["3.0.3", "More than one `key`."]],
      args: [many(key())],
    },
    expire: {
      summary: "Sets how many seconds a key has left.",
      since: "1.0.0",
      complexity: "O(1)",
      history: [["7.0.0", "The options `NX`, `XX`, `GT` and `LT`."]],
      args: [key(), integer("seconds"), CONDITION],
    },
    expireat: {
      summary: "Sets the Unix time in seconds at which a key expires.",
      since: "1.2.0",
      complexity: "O(1)",
      history: [["7.0.0", "The options `NX`, `XX`, `GT` and `LT`."]],
      args: [key(), unixTime("unix-time-seconds"), CONDITION],
    },
    expiretime: {
      summary: "Returns the Unix time in seconds at which a key expires.",
      since: "7.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    keys: {
      summary: "Returns all keys that match a pattern.",
      since: "1.0.0",
      complexity:
        "O(N) with N the number of keys in the database, for keys and patterns of bounded " +
        "length.",
      args: [pattern("pattern")],
    },
    migrate: {
      summary: "Moves or copies keys to another server.",
      since: "2.6.0",
      complexity:
        "The cost of DUMP and DEL here and of RESTORE there, and O(N) to transfer N bytes.",
      history: [
        ["3.0.0", "The options `COPY` and `REPLACE`."],
        ["3.0.6", "The option `KEYS`."],
        ["4.0.7", "The option `AUTH`."],
        ["6.0.0", "The option `AUTH2`."],
      ],
      args: [
        string("host"),
        integer("port"),
        oneOf("key-selector", [key(), token("", "empty-string")]),
        integer("destination-db"),
        integer("timeout"),
        optional(since("3.0.0", token("COPY"))),
        optional(since("3.0.0", token("REPLACE"))),
        optional(
          oneOf("authentication", [
            since("4.0.7", shownAs("password", string("auth", "AUTH"))),
            since("6.0.0", block("auth2", [string("username"), string("password")], "AUTH2")),
          ]),
        ),
        optional(many(since("3.0.6", shownAs("key", key("keys", 1, "KEYS"))))),
      ],
    },
    move: {
      summary: "Moves a key to another database.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key(), integer("db")],
    },
    object: {
      summary: "Groups the commands that look inside a value.",
      since: "2.2.3",
      complexity: "That of the subcommand.",
    },
    "object|encoding": {
      summary: "Returns the name of a value's internal encoding.",
      since: "2.2.3",
      complexity: "O(1)",
      args: [key()],
    },
    "object|freq": {
      summary: "Returns the logarithmic counter of accesses to a key.",
      since: "4.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    "object|help": {
      summary: "Lists the OBJECT subcommands.",
      since: "6.2.0",
      complexity: "O(1)",
    },
    "object|idletime": {
      summary: "Returns how many seconds ago a key was last used.",
      since: "2.2.3",
      complexity: "O(1)",
      args: [key()],
    },
    "object|refcount": {
      summary: "Returns the number of references to a value.",
      since: "2.2.3",
      complexity: "O(1)",
      args: [key()],
    },
    persist: {
      summary: "Removes the expiry of a key.",
      since: "2.2.0",
      complexity: "O(1)",
      args: [key()],
    },
    pexpire: {
      summary: "Sets how many milliseconds a key has left.",
      since: "2.6.0",
      complexity: "O(1)",
      history: [["7.0.0", "The options `NX`, `XX`, `GT` and `LT`."]],
      args: [key(), integer("milliseconds"), CONDITION],
    },
    pexpireat: {
      summary: "Sets the Unix time in milliseconds at which a key expires.",
      since: "2.6.0",
      complexity: "O(1)",
      history: [["7.0.0", "The options `NX`, `XX`, `GT` and `LT`."]],
      args: [key(), unixTime("unix-time-milliseconds"), CONDITION],
    },
    pexpiretime: {
      summary: "Returns the Unix time in milliseconds at which a key expires.",
      since: "7.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    pttl: {
      summary: "Returns how many milliseconds a key has left.",
      since: "2.6.0",
      complexity: "O(1)",
      history: [["2.8.0", "The reply -2 for a missing key."]],
      args: [key()],
    },
    randomkey: {
      summary: "Returns a random key of the database.",
      since: "1.0.0",
      complexity: "O(1)",
    },
    rename: {
      summary: "Renames a key, replacing what the new name held.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key(), key("newkey", 1)],
    },
    renamenx: {
      summary: "Renames a key unless the new name is taken.",
      since: "1.0.0",
      complexity: "O(1)",
      history: [["3.2.0", "The same name twice is no longer an error."]],
      args: [key(), key("newkey", 1)],
    },
    restore: {
      summary: "Creates a key from the output of DUMP.",
      since: "2.6.0",
      complexity:
        "O(1) to create the key, and O(N*M) to rebuild N elements of average size M; " +
        "O(N*M*log(N)) for a sorted set.",
      history: [
        ["3.0.0", "The option `REPLACE`."],
        ["5.0.0", "The option `ABSTTL`."],
        ["5.0.0", "The options `IDLETIME` and `FREQ`."],
      ],
      args: [
        key(),
        integer("ttl"),
        string("serialized-value"),
        optional(since("3.0.0", token("REPLACE"))),
        optional(since("5.0.0", token("ABSTTL"))),
        optional(since("5.0.0", integer("seconds", "IDLETIME"))),
        optional(since("5.0.0", integer("frequency", "FREQ"))),
      ],
    },
    scan: {
      summary: "Walks over the keys of the database in steps.",
      since: "2.8.0",
      complexity:
        "O(1) a call; O(N) for a full walk until the cursor is 0 again, with N the number of " +
        "keys.",
      history: [["6.0.0", "The option `TYPE`."]],
      args: [
        integer("cursor"),
        optional(pattern("pattern", "MATCH")),
        optional(integer("count", "COUNT")),
        optional(since("6.0.0", string("type", "TYPE"))),
      ],
    },
    sort: {
      summary: "Sorts a list, set or sorted set, and may store the result.",
      since: "1.0.0",
      complexity:
        "O(N+M*log(M)) with N the number of elements and M the number returned; O(N) without " +
        "sorting.",
      args: [
        key(),
        optional(shownAs("pattern", namesKey(1, pattern("by-pattern", "BY")))),
        LIMIT,
        optional(manyWithToken(shownAs("pattern", namesKey(1, pattern("get-pattern", "GET"))))),
        optional(oneOf("order", [token("ASC"), token("DESC")])),
        optional(token("ALPHA", "sorting")),
        optional(key("destination", 2, "STORE")),
      ],
    },
    sort_ro: {
      summary: "Sorts a list, set or sorted set without writing anything.",
      since: "7.0.0",
      complexity:
        "O(N+M*log(M)) with N the number of elements and M the number returned; O(N) without " +
        "sorting.",
      args: [
        key(),
        optional(shownAs("pattern", namesKey(1, pattern("by-pattern", "BY")))),
        LIMIT,
        optional(manyWithToken(shownAs("pattern", namesKey(1, pattern("get-pattern", "GET"))))),
        optional(oneOf("order", [token("ASC"), token("DESC")])),
        optional(token("ALPHA", "sorting")),
      ],
    },
    touch: {
      summary: "Marks keys as just used and counts those that exist.",
      since: "3.2.1",
      complexity: "O(N) with N the number of keys.",
      args: [many(key())],
    },
    ttl: {
      summary: "Returns how many seconds a key has left.",
      since: "1.0.0",
      complexity: "O(1)",
      history: [["2.8.0", "The reply -2 for a missing key."]],
      args: [key()],
    },
    type: {
      summary: "Returns the type of a value.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    unlink: {
      summary: "Deletes keys and frees large values in the background.",
      since: "4.0.0",
      complexity:
        "O(1) a key; the freeing is O(N), with N the number of blocks of the values, and happens " +
        "elsewhere.",
      args: [many(key())],
    },
    wait: {
      summary: "Waits until enough replicas have received this connection's writes.",
      since: "3.0.0",
      complexity: "O(1)",
      args: [integer("numreplicas"), integer("timeout")],
    },
    waitaof: {
      summary:
        "Waits until this connection's writes are in the append-only files of enough servers.",
      since: "7.2.0",
      complexity: "O(1)",
      args: [integer("numlocal"), integer("numreplicas"), integer("timeout")],
    },
  },
});
