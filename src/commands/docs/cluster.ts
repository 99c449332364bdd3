/**
 * COMMAND DOCS of the cluster.
 */
import {
  block,
  integer,
  many,
  oneOf,
  optional,
  shownAs,
  since,
  string,
  token,
} from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const clusterDocs = (): CommandDocTable => ({
  group: "cluster",
  commands: {
    asking: {
      summary: "Lets the next command use a slot that is being imported.",
      since: "3.0.0",
      complexity: "O(1)",
    },
    cluster: {
      summary: "Groups the commands for the cluster.",
      since: "3.0.0",
      complexity: "That of the subcommand.",
    },
    "cluster|addslots": {
      summary: "Assigns slots to this node.",
      since: "3.0.0",
      complexity: "O(N) with N the number of slots given.",
      args: [many(integer("slot"))],
    },
    "cluster|addslotsrange": {
      summary: "Assigns ranges of slots to this node.",
      since: "7.0.0",
      complexity: "O(N) with N the number of slots in the ranges.",
      args: [many(block("range", [integer("start-slot"), integer("end-slot")]))],
    },
    "cluster|bumpepoch": {
      summary: "Raises the configuration epoch of this node.",
      since: "3.0.0",
      complexity: "O(1)",
    },
    "cluster|count-failure-reports": {
      summary: "Counts the nodes that report a node as failing.",
      since: "3.0.0",
      complexity: "O(N) with N the number of reports.",
      args: [string("node-id")],
    },
    "cluster|countkeysinslot": {
      summary: "Counts the keys of a slot.",
      since: "3.0.0",
      complexity: "O(1)",
      args: [integer("slot")],
    },
    "cluster|delslots": {
      summary: "Unassigns slots of this node.",
      since: "3.0.0",
      complexity: "O(N) with N the number of slots given.",
      args: [many(integer("slot"))],
    },
    "cluster|delslotsrange": {
      summary: "Unassigns ranges of slots of this node.",
      since: "7.0.0",
      complexity: "O(N) with N the number of slots in the ranges.",
      args: [many(block("range", [integer("start-slot"), integer("end-slot")]))],
    },
    "cluster|failover": {
      summary: "Makes this replica take over from its primary.",
      since: "3.0.0",
      complexity: "O(1)",
      args: [optional(oneOf("options", [token("FORCE"), token("TAKEOVER")]))],
    },
    "cluster|flushslots": {
      summary: "Unassigns all slots of this node.",
      since: "3.0.0",
      complexity: "O(1)",
    },
    "cluster|forget": {
      summary: "Removes a node from this node's view of the cluster.",
      since: "3.0.0",
      complexity: "O(1)",
      args: [string("node-id")],
    },
    "cluster|getkeysinslot": {
      summary: "Returns keys of a slot.",
      since: "3.0.0",
      complexity: "O(N) with N the number of keys asked for.",
      args: [integer("slot"), integer("count")],
    },
    "cluster|help": {
      summary: "Lists the CLUSTER subcommands.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "cluster|info": {
      summary: "Returns the state of the cluster as this node sees it.",
      since: "3.0.0",
      complexity: "O(1)",
    },
    "cluster|keyslot": {
      summary: "Returns the slot of a key.",
      since: "3.0.0",
      complexity: "O(N) with N the length of the key.",
      args: [string("key")],
    },
    "cluster|links": {
      summary: "Lists the connections to and from the other nodes.",
      since: "7.0.0",
      complexity: "O(N) with N the number of nodes.",
    },
    "cluster|meet": {
      summary: "Introduces another node to this one.",
      since: "3.0.0",
      complexity: "O(1)",
      history: [["4.0.0", "The argument `cluster-bus-port`."]],
      args: [string("ip"), integer("port"), optional(since("4.0.0", integer("cluster-bus-port")))],
    },
    "cluster|myid": {
      summary: "Returns the ID of this node.",
      since: "3.0.0",
      complexity: "O(1)",
    },
    "cluster|myshardid": {
      summary: "Returns the ID of this node's shard.",
      since: "7.2.0",
      complexity: "O(1)",
    },
    "cluster|nodes": {
      summary: "Returns this node's view of all nodes.",
      since: "3.0.0",
      complexity: "O(N) with N the number of nodes.",
    },
    "cluster|replicas": {
      summary: "Lists the replicas of a primary.",
      since: "5.0.0",
      complexity: "O(N) with N the number of replicas.",
      args: [string("node-id")],
    },
    "cluster|replicate": {
      summary: "Makes this node a replica of a primary.",
      since: "3.0.0",
      complexity: "O(1)",
      args: [string("node-id")],
    },
    "cluster|reset": {
      summary: "Makes this node forget the cluster.",
      since: "3.0.0",
      complexity: "O(N) with N the number of known nodes; a replica also drops its data.",
      args: [optional(oneOf("reset-type", [token("HARD"), token("SOFT")]))],
    },
    "cluster|saveconfig": {
      summary: "Writes the cluster's configuration to disk.",
      since: "3.0.0",
      complexity: "O(1)",
    },
    "cluster|set-config-epoch": {
      summary: "Sets the configuration epoch of a new node.",
      since: "3.0.0",
      complexity: "O(1)",
      args: [integer("config-epoch")],
    },
    "cluster|setslot": {
      summary: "Moves a slot between nodes, step by step.",
      since: "3.0.0",
      complexity: "O(1)",
      history: [["8.0.0", "The option `TIMEOUT`."]],
      args: [
        integer("slot"),
        oneOf("subcommand", [
          shownAs("node-id", string("importing", "IMPORTING")),
          shownAs("node-id", string("migrating", "MIGRATING")),
          shownAs("node-id", string("node", "NODE")),
          token("STABLE"),
        ]),
        optional(since("8.0.0", integer("timeout", "TIMEOUT"))),
      ],
    },
    "cluster|shards": {
      summary: "Returns the nodes and slots of every shard.",
      since: "7.0.0",
      complexity: "O(N) with N the number of nodes.",
    },
    "cluster|slaves": {
      summary: "Lists the replicas of a primary.",
      since: "3.0.0",
      complexity: "O(N) with N the number of replicas.",
      deprecated: { since: "5.0.0", replacedBy: "`CLUSTER REPLICAS`" },
      args: [string("node-id")],
    },
    "cluster|slot-stats": {
      summary: "Returns usage statistics of this node's slots.",
      since: "8.0.0",
      complexity: "O(N) with N the number of slots asked for; O(N*log(N)) with ORDERBY.",
      args: [
        oneOf("filter", [
          block("slotsrange", [integer("start-slot"), integer("end-slot")], "SLOTSRANGE"),
          block(
            "orderby",
            [
              string("metric"),
              optional(integer("limit", "LIMIT")),
              optional(oneOf("order", [token("ASC"), token("DESC")])),
            ],
            "ORDERBY",
          ),
        ]),
      ],
    },
    "cluster|slots": {
      summary: "Returns the nodes that serve each range of slots.",
      since: "3.0.0",
      complexity: "O(N) with N the number of nodes.",
      history: [
        ["4.0.0", "The IDs of the nodes."],
        ["7.0.0", "More about the network addresses."],
      ],
    },
    readonly: {
      summary: "Lets this connection read from a replica of a cluster.",
      since: "3.0.0",
      complexity: "O(1)",
    },
    readwrite: {
      summary: "Ends READONLY.",
      since: "3.0.0",
      complexity: "O(1)",
    },
  },
});
