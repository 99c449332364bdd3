/**
 * COMMAND DOCS of transactions.
 */
import { key, many } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const transactionDocs = (): CommandDocTable => ({
  group: "transactions",
  commands: {
    discard: {
      summary: "Drops the queued commands of a transaction.",
      since: "2.0.0",
      complexity: "O(N) with N the number of queued commands.",
    },
    exec: {
      summary: "Runs the queued commands of a transaction.",
      since: "1.2.0",
      complexity: "That of the queued commands.",
    },
    multi: {
      summary: "Starts a transaction.",
      since: "1.2.0",
      complexity: "O(1)",
    },
    unwatch: {
      summary: "Forgets all watched keys.",
      since: "2.2.0",
      complexity: "O(1)",
    },
    watch: {
      summary: "Lets the next transaction run only if the given keys stay unchanged.",
      since: "2.2.0",
      complexity: "O(1) a key.",
      args: [many(key())],
    },
  },
});
