/**
 * COMMAND DOCS of the commands about the connection itself and about other connections.
 */
import {
  block,
  deprecated,
  integer,
  many,
  manyWithToken,
  oneOf,
  optional,
  shownAs,
  since,
  string,
  token,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const connectionDocs = (): CommandDocTable => ({
  group: "connection",
  commands: {
    auth: {
      summary: "Logs the connection in.",
      since: "1.0.0",
      complexity: "O(N) with N the number of passwords of the user.",
      history: [["6.0.0", "A user name may stand before the password."]],
      args: [optional(since("6.0.0", string("username"))), string("password")],
    },
    client: {
      summary: "Groups the commands about connections.",
      since: "2.4.0",
      complexity: "That of the subcommand.",
    },
    "client|caching": {
      summary: "Turns tracking of keys on or off for the next command.",
      since: "6.0.0",
      complexity: "O(1)",
      args: [oneOf("mode", [token("YES"), token("NO")])],
    },
    "client|capa": {
      summary: "Declares what the client is able to handle.",
      since: "8.0.0",
      complexity: "O(1)",
      args: [many(string("capability"))],
    },
    "client|getname": {
      summary: "Returns the name of the connection.",
      since: "2.6.9",
      complexity: "O(1)",
    },
    "client|getredir": {
      summary: "Returns the ID of the client that receives this connection's invalidations.",
      since: "6.0.0",
      complexity: "O(1)",
    },
    "client|help": {
      summary: "Lists the CLIENT subcommands.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "client|id": {
      summary: "Returns the ID of the connection.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "client|import-source": {
      summary: "Marks the connection as the source of the data while in import mode.",
      since: "8.1.0",
      complexity: "O(1)",
      args: [oneOf("enabled", [token("ON"), token("OFF")])],
    },
    "client|info": {
      summary: "Describes the connection.",
      since: "6.2.0",
      complexity: "O(1)",
    },
    "client|kill": {
      summary: "Closes connections.",
      since: "2.4.0",
      complexity: "O(N) with N the number of connections.",
      history: [
        ["2.8.12", "The form with filters."],
        ["2.8.12", "The filter `ID`."],
        ["3.2.0", "The type `master`."],
        ["5.0.0", "The type `replica`, of which `slave` is the old name."],
        ["6.2.0", "The filter `LADDR`."],
        ["8.0.0", "The filter `MAXAGE`."],
        ["8.0.0", "The type `primary`, of which `master` is the old name."],
        ["8.1.0", "The filter `ID` takes more than one ID."],
      ],
      args: [
        oneOf("filter", [
          deprecated("2.8.12", shownAs("ip:port", string("old-format"))),
          many(
            oneOf("new-format", [
              optional(many(since("2.8.12", integer("client-id", "ID")))),
              optional(
                since(
                  "2.8.12",
                  oneOf(
                    "client-type",
                    [
                      token("NORMAL"),
                      since("3.2.0", token("MASTER")),
                      since("8.0.0", token("PRIMARY")),
                      token("SLAVE"),
                      since("5.0.0", token("REPLICA")),
                      token("PUBSUB"),
                    ],
                    "TYPE",
                  ),
                ),
              ),
              optional(string("username", "USER")),
              optional(shownAs("ip:port", string("addr", "ADDR"))),
              optional(since("6.2.0", shownAs("ip:port", string("laddr", "LADDR")))),
              optional(oneOf("skipme", [token("YES"), token("NO")], "SKIPME")),
              optional(since("8.0.0", integer("maxage", "MAXAGE"))),
            ]),
          ),
        ]),
      ],
    },
    "client|list": {
      summary: "Describes the open connections.",
      since: "2.4.0",
      complexity: "O(N) with N the number of connections.",
      history: [
        ["2.8.12", "The field `id`."],
        ["5.0.0", "The filter `TYPE`."],
        ["6.0.0", "The field `user`."],
        ["6.2.0", "The fields `argv-mem`, `tot-mem`, `laddr` and `redir`, and the filter `ID`."],
        ["7.0.0", "The fields `resp`, `multi-mem`, `rbs` and `rbp`."],
        ["7.0.3", "The field `ssub`."],
        ["8.0.0", "The type `primary`, of which `master` is the old name."],
        ["8.1.0", "The filters `USER`, `ADDR`, `LADDR`, `SKIPME` and `MAXAGE`."],
      ],
      args: [
        optional(
          since(
            "5.0.0",
            oneOf(
              "client-type",
              [token("NORMAL"), token("MASTER"), token("REPLICA"), token("PUBSUB")],
              "TYPE",
            ),
          ),
        ),
        optional(many(since("6.2.0", integer("client-id", "ID")))),
        optional(since("8.1.0", string("username", "USER"))),
        optional(since("8.1.0", shownAs("ip:port", string("addr", "ADDR")))),
        optional(since("8.1.0", shownAs("ip:port", string("laddr", "LADDR")))),
        optional(since("8.1.0", oneOf("skipme", [token("YES"), token("NO")], "SKIPME"))),
        optional(since("8.1.0", integer("maxage", "MAXAGE"))),
      ],
    },
    "client|no-evict": {
      summary: "Protects the connection from client eviction, or stops protecting it.",
      since: "7.0.0",
      complexity: "O(1)",
      args: [oneOf("enabled", [token("ON"), token("OFF")])],
    },
    "client|no-touch": {
      summary: "Lets the connection read keys without marking them as used.",
      since: "7.2.0",
      complexity: "O(1)",
      args: [oneOf("enabled", [token("ON"), token("OFF")])],
    },
    "client|pause": {
      summary: "Holds back commands for some time.",
      since: "3.0.0",
      complexity: "O(1)",
      history: [["6.2.0", "The modes `WRITE` and `ALL`."]],
      args: [
        integer("timeout"),
        optional(since("6.2.0", oneOf("mode", [token("WRITE"), token("ALL")]))),
      ],
    },
    "client|reply": {
      summary: "Turns the replies to this connection on or off.",
      since: "3.2.0",
      complexity: "O(1)",
      args: [oneOf("action", [token("ON"), token("OFF"), token("SKIP")])],
    },
    "client|setinfo": {
      summary: "Records the name or version of the client library.",
      since: "7.2.0",
      complexity: "O(1)",
      args: [oneOf("attr", [string("libname", "LIB-NAME"), string("libver", "LIB-VER")])],
    },
    "client|setname": {
      summary: "Names the connection.",
      since: "2.6.9",
      complexity: "O(1)",
      args: [string("connection-name")],
    },
    "client|tracking": {
      summary: "Turns the tracking of keys for client-side caching on or off.",
      since: "6.0.0",
      complexity: "O(1), more with some options.",
      args: [
        oneOf("status", [token("ON"), token("OFF")]),
        optional(integer("client-id", "REDIRECT")),
        optional(manyWithToken(string("prefix", "PREFIX"))),
        optional(token("BCAST")),
        optional(token("OPTIN")),
        optional(token("OPTOUT")),
        optional(token("NOLOOP")),
      ],
    },
    "client|trackinginfo": {
      summary: "Returns the state of tracking for the connection.",
      since: "6.2.0",
      complexity: "O(1)",
    },
    "client|unblock": {
      summary: "Wakes a client that waits in a blocking command.",
      since: "5.0.0",
      complexity: "O(log N) with N the number of connections.",
      args: [
        integer("client-id"),
        optional(oneOf("unblock-type", [token("TIMEOUT"), token("ERROR")])),
      ],
    },
    "client|unpause": {
      summary: "Lets held-back commands run again.",
      since: "6.2.0",
      complexity: "O(N) with N the number of paused clients.",
    },
    echo: {
      summary: "Returns its argument.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [string("message")],
    },
    hello: {
      summary: "Chooses the protocol version, and may log in and name the connection.",
      since: "6.0.0",
      complexity: "O(1)",
      history: [
        ["6.2.0", "`protover` may be left out, to ask about the connection only."],
        ["8.1.0", "The field `availability_zone`, when that is configured."],
      ],
      args: [
        optional(
          block("arguments", [
            integer("protover"),
            optional(block("auth", [string("username"), string("password")], "AUTH")),
            optional(string("clientname", "SETNAME")),
          ]),
        ),
      ],
    },
    ping: {
      summary: "Answers PONG, or its argument.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [optional(string("message"))],
    },
    quit: {
      summary: "Closes the connection.",
      since: "1.0.0",
      complexity: "O(1)",
      deprecated: { since: "7.2.0", replacedBy: "Closing the socket" },
    },
    reset: {
      summary: "Returns the connection to its initial state.",
      since: "6.2.0",
      complexity: "O(1)",
    },
    select: {
      summary: "Chooses the database of the connection.",
      since: "1.0.0",
      complexity: "O(1)",
      args: [integer("index")],
    },
  },
});
