/**
 * COMMAND DOCS of the commands that look into a running server: logs, latency, memory, debugging.
 */
import { integer, key, many, oneOf, optional, string } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

const LOG_TYPE = oneOf("type", [string("slow"), string("large-request"), string("large-reply")]);

export const diagnosticsDocs = (): CommandDocTable => ({
  group: "server",
  commands: {
    commandlog: {
      summary: "Groups the commands for the logs of slow and large commands.",
      since: "8.1.0",
      complexity: "That of the subcommand.",
    },
    "commandlog|get": {
      summary: "Returns entries of one of the command logs.",
      since: "8.1.0",
      complexity: "O(N) with N the number of entries returned.",
      args: [integer("count"), LOG_TYPE],
    },
    "commandlog|help": {
      summary: "Lists the COMMANDLOG subcommands.",
      since: "8.1.0",
      complexity: "O(1)",
    },
    "commandlog|len": {
      summary: "Returns the number of entries of one of the command logs.",
      since: "8.1.0",
      complexity: "O(1)",
      args: [LOG_TYPE],
    },
    "commandlog|reset": {
      summary: "Clears one of the command logs.",
      since: "8.1.0",
      complexity: "O(N) with N the number of entries.",
      args: [LOG_TYPE],
    },
    debug: {
      summary: "Groups the commands for debugging the server.",
      since: "1.0.0",
      complexity: "That of the subcommand.",
      isSystemCommand: true,
    },
    latency: {
      summary: "Groups the commands for latency diagnostics.",
      since: "2.8.13",
      complexity: "That of the subcommand.",
    },
    "latency|doctor": {
      summary: "Returns a readable analysis of latency spikes.",
      since: "2.8.13",
      complexity: "O(1)",
    },
    "latency|graph": {
      summary: "Draws the latency spikes of an event.",
      since: "2.8.13",
      complexity: "O(1)",
      args: [string("event")],
    },
    "latency|help": {
      summary: "Lists the LATENCY subcommands.",
      since: "2.8.13",
      complexity: "O(1)",
    },
    "latency|histogram": {
      summary: "Returns the distribution of the run times of commands.",
      since: "7.0.0",
      complexity: "O(N) with N the number of commands that have been measured.",
      args: [optional(many(string("command")))],
    },
    "latency|history": {
      summary: "Returns the recorded latency spikes of an event.",
      since: "2.8.13",
      complexity: "O(1)",
      args: [string("event")],
    },
    "latency|latest": {
      summary: "Returns the latest latency spike of every event.",
      since: "2.8.13",
      complexity: "O(1)",
    },
    "latency|reset": {
      summary: "Forgets the latency spikes of some or all events.",
      since: "2.8.13",
      complexity: "O(1)",
      args: [optional(many(string("event")))],
    },
    lolwut: {
      summary: "Draws a picture and shows the version of the server.",
      since: "5.0.0",
      args: [optional(integer("version", "VERSION"))],
    },
    memory: {
      summary: "Groups the commands for memory diagnostics.",
      since: "4.0.0",
      complexity: "That of the subcommand.",
    },
    "memory|doctor": {
      summary: "Returns a readable analysis of memory problems.",
      since: "4.0.0",
      complexity: "O(1)",
    },
    "memory|help": {
      summary: "Lists the MEMORY subcommands.",
      since: "4.0.0",
      complexity: "O(1)",
    },
    "memory|malloc-stats": {
      summary: "Returns statistics of the allocator.",
      since: "4.0.0",
      complexity: "Grows with the memory in use, may be slow.",
    },
    "memory|purge": {
      summary: "Asks the allocator to give back unused memory.",
      since: "4.0.0",
      complexity: "Grows with the memory in use, may be slow.",
    },
    "memory|stats": {
      summary: "Returns what memory is used for.",
      since: "4.0.0",
      complexity: "O(1)",
    },
    "memory|usage": {
      summary: "Estimates how many bytes a key takes.",
      since: "4.0.0",
      complexity: "O(N) with N the number of samples.",
      args: [key(), optional(integer("count", "SAMPLES"))],
    },
    monitor: {
      summary: "Streams every command that the server runs to this connection.",
      since: "1.0.0",
    },
    slowlog: {
      summary: "Groups the commands for the log of slow commands.",
      since: "2.2.12",
      complexity: "That of the subcommand.",
      deprecated: { since: "8.1.0", replacedBy: "`COMMANDLOG`" },
    },
    "slowlog|get": {
      summary: "Returns entries of the log of slow commands.",
      since: "2.2.12",
      complexity: "O(N) with N the number of entries returned.",
      deprecated: { since: "8.1.0", replacedBy: "`COMMANDLOG GET <count> SLOW`" },
      history: [["4.0.0", "The address and the name of the client."]],
      args: [optional(integer("count"))],
    },
    "slowlog|help": {
      summary: "Lists the SLOWLOG subcommands.",
      since: "6.2.0",
      complexity: "O(1)",
      deprecated: { since: "8.1.0", replacedBy: "`COMMANDLOG HELP`" },
    },
    "slowlog|len": {
      summary: "Returns the number of entries in the log of slow commands.",
      since: "2.2.12",
      complexity: "O(1)",
      deprecated: { since: "8.1.0", replacedBy: "`COMMANDLOG LEN SLOW`" },
    },
    "slowlog|reset": {
      summary: "Clears the log of slow commands.",
      since: "2.2.12",
      complexity: "O(N) with N the number of entries.",
      deprecated: { since: "8.1.0", replacedBy: "`COMMANDLOG RESET SLOW`" },
    },
  },
});
