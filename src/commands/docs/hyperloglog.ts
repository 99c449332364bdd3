/**
 * COMMAND DOCS of the HyperLogLog commands.
 */
import { key, many, optional, string } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const hyperloglogDocs = (): CommandDocTable => ({
  group: "hyperloglog",
  commands: {
    pfadd: {
      summary: "Adds elements to a HyperLogLog, creating the key if needed.",
      since: "2.8.9",
      complexity: "O(1) an element.",
      args: [key(), optional(many(string("element")))],
    },
    pfcount: {
      summary: "Estimates how many distinct elements HyperLogLogs have seen.",
      since: "2.8.9",
      complexity:
        "O(1) for one key, whose result is cached; O(N) with a large constant for N keys.",
      args: [many(key())],
    },
    pfdebug: {
      summary: "Internal: looks inside a HyperLogLog.",
      since: "2.8.9",
      complexity: "N/A",
      isSystemCommand: true,
      args: [string("subcommand"), key()],
    },
    pfmerge: {
      summary: "Merges HyperLogLogs into one.",
      since: "2.8.9",
      complexity: "O(N) with a large constant, for N HyperLogLogs.",
      args: [key("destkey"), optional(many(key("sourcekey", 1)))],
    },
    pfselftest: {
      summary: "Internal: tests the HyperLogLog code.",
      since: "2.8.9",
      complexity: "N/A",
      isSystemCommand: true,
    },
  },
});
