/**
 * COMMAND DOCS of the stream commands.
 *
 * XACKDEL and XDELEX have the versions of Valkey, which added them after Redis; KEEPREF, DELREF and
 * ACKED of XADD and XTRIM come from Redis 8.2.
 */
import {
  block,
  integer,
  key,
  many,
  oneOf,
  optional,
  shownAs,
  since,
  string,
  token,
  unixTime,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const REFERENCES = optional(
  oneOf("condition", [token("KEEPREF"), token("DELREF"), token("ACKED")]),
);
const NEW_REFERENCES = optional(
  since("8.2.0", oneOf("condition", [token("KEEPREF"), token("DELREF"), token("ACKED")])),
);
const TRIM = block("trim", [
  oneOf("strategy", [token("MAXLEN"), since("6.2.0", token("MINID"))]),
  optional(oneOf("operator", [token("=", "equal"), token("~", "approximately")])),
  string("threshold"),
  optional(since("6.2.0", integer("count", "LIMIT"))),
]);
const IDS = block("ids", [integer("numids"), many(string("id"))], "IDS");

export const streamDocs = (): CommandDocTable => ({
  group: "stream",
  commands: {
    xack: {
      summary: "Acknowledges entries that a consumer group has delivered.",
      since: "5.0.0",
      complexity: "O(1) an ID.",
      args: [key(), string("group"), many(string("id"))],
    },
    xackdel: {
      summary: "Acknowledges entries and deletes them from the stream.",
      since: "9.2.0",
      complexity: "O(1) an ID.",
      args: [key(), string("group"), REFERENCES, IDS],
    },
    xadd: {
      summary: "Adds an entry to a stream, creating the key if needed.",
      since: "5.0.0",
      complexity: "O(1) to add; O(N) to trim, with N the number of entries removed.",
      history: [
        ["6.2.0", "The option `NOMKSTREAM`, the strategy `MINID` and the option `LIMIT`."],
        ["7.0.0", "IDs of the form `<ms>-*`."],
        ["8.2.0", "The options `KEEPREF`, `DELREF` and `ACKED`."],
      ],
      args: [
        key(),
        optional(since("6.2.0", token("NOMKSTREAM"))),
        NEW_REFERENCES,
        optional(TRIM),
        oneOf("id-selector", [token("*", "auto-id"), string("id")]),
        many(block("data", [string("field"), string("value")])),
      ],
    },
    xautoclaim: {
      summary: "Gives entries that have been pending for too long to another consumer.",
      since: "6.2.0",
      complexity: "O(1) if `COUNT` is small.",
      history: [
        ["7.0.0", "The reply also lists the pending entries that the stream no longer has."],
      ],
      args: [
        key(),
        string("group"),
        string("consumer"),
        string("min-idle-time"),
        string("start"),
        optional(integer("count", "COUNT")),
        optional(token("JUSTID")),
      ],
    },
    xclaim: {
      summary: "Gives pending entries to another consumer.",
      since: "5.0.0",
      complexity: "O(log N) with N the number of pending entries of the group.",
      args: [
        key(),
        string("group"),
        string("consumer"),
        string("min-idle-time"),
        many(string("id")),
        optional(integer("ms", "IDLE")),
        optional(unixTime("unix-time-milliseconds", "TIME")),
        optional(integer("count", "RETRYCOUNT")),
        optional(token("FORCE")),
        optional(token("JUSTID")),
        optional(string("lastid", "LASTID")),
      ],
    },
    xdel: {
      summary: "Deletes entries from a stream.",
      since: "5.0.0",
      complexity: "O(1) an ID, whatever the length of the stream.",
      args: [key(), many(string("id"))],
    },
    xdelex: {
      summary: "Deletes entries from a stream, minding the consumer groups that refer to them.",
      since: "9.2.0",
      complexity: "O(1) an ID, whatever the length of the stream.",
      args: [key(), REFERENCES, IDS],
    },
    xgroup: {
      summary: "Groups the commands for consumer groups.",
      since: "5.0.0",
      complexity: "That of the subcommand.",
    },
    "xgroup|create": {
      summary: "Creates a consumer group.",
      since: "5.0.0",
      complexity: "O(1)",
      history: [["7.0.0", "The option `ENTRIESREAD`."]],
      args: [
        key(),
        string("group"),
        oneOf("id-selector", [string("id"), token("$", "new-id")]),
        optional(token("MKSTREAM")),
        optional(shownAs("entries-read", integer("entriesread", "ENTRIESREAD"))),
      ],
    },
    "xgroup|createconsumer": {
      summary: "Creates a consumer in a group.",
      since: "6.2.0",
      complexity: "O(1)",
      args: [key(), string("group"), string("consumer")],
    },
    "xgroup|delconsumer": {
      summary: "Deletes a consumer and forgets its pending entries.",
      since: "5.0.0",
      complexity: "O(1)",
      args: [key(), string("group"), string("consumer")],
    },
    "xgroup|destroy": {
      summary: "Deletes a consumer group.",
      since: "5.0.0",
      complexity: "O(N) with N the number of pending entries of the group.",
      args: [key(), string("group")],
    },
    "xgroup|help": {
      summary: "Lists the XGROUP subcommands.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "xgroup|setid": {
      summary: "Sets the ID that a consumer group reads on from.",
      since: "5.0.0",
      complexity: "O(1)",
      history: [["7.0.0", "The option `ENTRIESREAD`."]],
      args: [
        key(),
        string("group"),
        oneOf("id-selector", [string("id"), token("$", "new-id")]),
        optional(shownAs("entries-read", integer("entriesread", "ENTRIESREAD"))),
      ],
    },
    xinfo: {
      summary: "Groups the commands that look inside a stream.",
      since: "5.0.0",
      complexity: "That of the subcommand.",
    },
    "xinfo|consumers": {
      summary: "Lists the consumers of a group.",
      since: "5.0.0",
      complexity: "O(1)",
      history: [["7.2.0", "The field `inactive`, and another meaning of `idle`."]],
      args: [key(), string("group")],
    },
    "xinfo|groups": {
      summary: "Lists the consumer groups of a stream.",
      since: "5.0.0",
      complexity: "O(1)",
      history: [["7.0.0", "The fields `entries-read` and `lag`."]],
      args: [key()],
    },
    "xinfo|help": {
      summary: "Lists the XINFO subcommands.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "xinfo|stream": {
      summary: "Describes a stream.",
      since: "5.0.0",
      complexity: "O(1)",
      history: [
        ["6.0.0", "The option `FULL`."],
        [
          "7.0.0",
          "The fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, " +
            "`entries-read` and `lag`.",
        ],
        ["7.2.0", "The field `active-time`, and another meaning of `seen-time`."],
      ],
      args: [
        key(),
        optional(block("full-block", [token("FULL"), optional(integer("count", "COUNT"))])),
      ],
    },
    xlen: {
      summary: "Returns the number of entries in a stream.",
      since: "5.0.0",
      complexity: "O(1)",
      args: [key()],
    },
    xpending: {
      summary:
        "Returns a summary or a list of the entries that a group has delivered but not " +
        "acknowledged.",
      since: "5.0.0",
      complexity:
        "O(N) with N the number of entries returned, O(M) with IDLE and M the number of entries " +
        "looked at; the summary is O(N) with N the number of consumers.",
      history: [["6.2.0", "The option `IDLE` and exclusive ends of the range."]],
      args: [
        key(),
        string("group"),
        optional(
          block("filters", [
            optional(since("6.2.0", integer("min-idle-time", "IDLE"))),
            string("start"),
            string("end"),
            integer("count"),
            optional(string("consumer")),
          ]),
        ),
      ],
    },
    xrange: {
      summary: "Returns the entries in a range of IDs.",
      since: "5.0.0",
      complexity: "O(N) with N the number of entries returned.",
      history: [["6.2.0", "Exclusive ends of the range."]],
      args: [key(), string("start"), string("end"), optional(integer("count", "COUNT"))],
    },
    xread: {
      summary:
        "Returns the entries after given IDs from several streams, and may wait for new ones.",
      since: "5.0.0",
      args: [
        optional(integer("count", "COUNT")),
        optional(integer("milliseconds", "BLOCK")),
        block("streams", [many(key()), many(string("id"))], "STREAMS"),
      ],
    },
    xreadgroup: {
      summary:
        "Delivers entries of several streams to a consumer of a group, and may wait for new " +
        "ones.",
      since: "5.0.0",
      complexity:
        "O(M) a stream, with M the number of entries returned. While N clients wait, the XADD " +
        "that serves them is O(N).",
      args: [
        block("group-block", [string("group"), string("consumer")], "GROUP"),
        optional(integer("count", "COUNT")),
        optional(integer("milliseconds", "BLOCK")),
        optional(token("NOACK")),
        block("streams", [many(key()), many(string("id"))], "STREAMS"),
      ],
    },
    xrevrange: {
      summary: "Returns the entries in a range of IDs, newest first.",
      since: "5.0.0",
      complexity: "O(N) with N the number of entries returned.",
      history: [["6.2.0", "Exclusive ends of the range."]],
      args: [key(), string("end"), string("start"), optional(integer("count", "COUNT"))],
    },
    xsetid: {
      summary: "Internal: sets the last ID and the counters of a stream.",
      since: "5.0.0",
      complexity: "O(1)",
      history: [["7.0.0", "The options `ENTRIESADDED` and `MAXDELETEDID`."]],
      args: [
        key(),
        string("last-id"),
        optional(since("7.0.0", integer("entries-added", "ENTRIESADDED"))),
        optional(since("7.0.0", string("max-deleted-id", "MAXDELETEDID"))),
      ],
    },
    xtrim: {
      summary: "Removes the oldest entries of a stream.",
      since: "5.0.0",
      complexity:
        "O(N) with N the number of entries removed, and fast: whole nodes of entries are freed " +
        "at once.",
      history: [
        ["6.2.0", "The strategy `MINID` and the option `LIMIT`."],
        ["8.2.0", "The options `KEEPREF`, `DELREF` and `ACKED`."],
      ],
      args: [key(), TRIM, NEW_REFERENCES],
    },
  },
});
