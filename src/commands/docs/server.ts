/**
 * COMMAND DOCS of the commands that run the server: data as a whole, persistence, replication.
 *
 * The rest of the group is in server-acl.ts, server-config.ts and server-diagnostics.ts.
 */
import { block, integer, key, many, oneOf, optional, since, string, token } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const FLUSH_MODE = optional(
  oneOf("flush-type", [since("4.0.0", token("ASYNC")), since("6.2.0", token("SYNC"))]),
);
const NEW_PRIMARY = oneOf("args", [
  block("host-port", [string("host"), integer("port")]),
  block("no-one", [token("NO"), token("ONE")]),
]);

export const serverDocs = (): CommandDocTable => ({
  group: "server",
  commands: {
    bgrewriteaof: {
      summary: "Starts to rewrite the append-only file in the background.",
      since: "1.0.0",
      complexity: "O(1)",
    },
    bgsave: {
      summary: "Starts to save a snapshot in the background.",
      since: "1.0.0",
      complexity: "O(1)",
      history: [
        ["3.2.2", "The option `SCHEDULE`."],
        ["8.1.0", "The option `CANCEL`."],
      ],
      args: [
        optional(
          oneOf("operation", [since("3.2.2", token("SCHEDULE")), since("8.1.0", token("CANCEL"))]),
        ),
      ],
    },
    dbsize: {
      summary: "Returns the number of keys in the database.",
      since: "1.0.0",
      complexity: "O(1)",
    },
    failover: {
      summary: "Hands the role of the primary over to a replica.",
      since: "6.2.0",
      complexity: "O(1)",
      args: [
        optional(
          block("target", [string("host"), integer("port"), optional(token("FORCE"))], "TO"),
        ),
        optional(token("ABORT")),
        optional(integer("milliseconds", "TIMEOUT")),
      ],
    },
    flushall: {
      summary: "Empties all databases.",
      since: "1.0.0",
      complexity: "O(N) with N the number of keys in all databases.",
      history: [
        ["4.0.0", "The option `ASYNC`."],
        ["6.2.0", "The option `SYNC`."],
      ],
      args: [FLUSH_MODE],
    },
    flushdb: {
      summary: "Empties the database.",
      since: "1.0.0",
      complexity: "O(N) with N the number of keys in the database.",
      history: [
        ["4.0.0", "The option `ASYNC`."],
        ["6.2.0", "The option `SYNC`."],
      ],
      args: [FLUSH_MODE],
    },
    info: {
      summary: "Returns facts and statistics about the server.",
      since: "1.0.0",
      complexity: "O(1)",
      history: [["7.0.0", "More than one `section`."]],
      args: [optional(many(string("section")))],
    },
    lastsave: {
      summary: "Returns the Unix time of the last successful save.",
      since: "1.0.0",
      complexity: "O(1)",
    },
    psync: {
      summary: "Internal: starts or continues replication.",
      since: "2.8.0",
      args: [string("replicationid"), integer("offset")],
    },
    replconf: {
      summary: "Internal: negotiates and acknowledges replication.",
      since: "3.0.0",
      complexity: "O(1)",
      isSystemCommand: true,
    },
    replicaof: {
      summary: "Makes the server a replica of another, or a primary.",
      since: "5.0.0",
      complexity: "O(1)",
      args: [NEW_PRIMARY],
    },
    "restore-asking": {
      summary: "Internal: RESTORE for a slot that is being imported.",
      since: "3.0.0",
      complexity:
        "O(1) to create the key, and O(N*M) to rebuild N elements of average size M; " +
        "O(N*M*log(N)) for a sorted set.",
      isSystemCommand: true,
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
    role: {
      summary: "Returns the server's role in replication.",
      since: "2.8.12",
      complexity: "O(1)",
    },
    save: {
      summary: "Saves a snapshot and waits until it is done.",
      since: "1.0.0",
      complexity: "O(N) with N the number of keys in all databases.",
    },
    shutdown: {
      summary: "Saves if so configured, and stops the server.",
      since: "1.0.0",
      complexity: "O(N) when it saves, with N the number of keys in all databases, else O(1).",
      history: [["7.0.0", "The options `NOW`, `FORCE` and `ABORT`."]],
      args: [
        optional(
          oneOf("abort-selector", [
            block("save-selector-block", [
              optional(oneOf("save-selector", [token("NOSAVE"), token("SAVE")])),
              optional(since("7.0.0", token("NOW"))),
              optional(since("7.0.0", token("FORCE"))),
            ]),
            since("7.0.0", token("ABORT")),
          ]),
        ),
      ],
    },
    slaveof: {
      summary: "Makes the server a replica of another, or a primary.",
      since: "1.0.0",
      complexity: "O(1)",
      deprecated: { since: "5.0.0", replacedBy: "`REPLICAOF`" },
      args: [NEW_PRIMARY],
    },
    swapdb: {
      summary: "Exchanges two databases.",
      since: "4.0.0",
      complexity: "O(N) with N the number of clients that watch or wait for keys of either.",
      args: [integer("index1"), integer("index2")],
    },
    sync: {
      summary: "Internal: starts replication with a full copy.",
      since: "1.0.0",
    },
    time: {
      summary: "Returns the server's clock.",
      since: "2.6.0",
      complexity: "O(1)",
    },
  },
});
