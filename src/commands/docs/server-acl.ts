/**
 * COMMAND DOCS of ACL.
 */
import { integer, many, oneOf, optional, string, token } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const aclDocs = (): CommandDocTable => ({
  group: "server",
  commands: {
    acl: {
      summary: "Groups the commands for access control.",
      since: "6.0.0",
      complexity: "That of the subcommand.",
    },
    "acl|cat": {
      summary: "Lists the categories, or the commands of one category.",
      since: "6.0.0",
      complexity: "O(1): the categories and commands are a fixed set.",
      args: [optional(string("category"))],
    },
    "acl|deluser": {
      summary: "Deletes users and closes their connections.",
      since: "6.0.0",
      complexity: "O(1) amortised for a usual user.",
      args: [many(string("username"))],
    },
    "acl|dryrun": {
      summary: "Tells whether a user may run a command, without running it.",
      since: "7.0.0",
      complexity: "O(1)",
      args: [string("username"), string("command"), optional(many(string("arg")))],
    },
    "acl|genpass": {
      summary: "Returns a random password.",
      since: "6.0.0",
      complexity: "O(1)",
      args: [optional(integer("bits"))],
    },
    "acl|getuser": {
      summary: "Returns the rules of a user.",
      since: "6.0.0",
      complexity: "O(N) with N the number of passwords and rules of the user.",
      history: [
        ["6.2.0", "Patterns of Pub/Sub channels."],
        ["7.0.0", "Selectors; key and channel patterns are shown as rules instead of lists."],
      ],
      args: [string("username")],
    },
    "acl|help": {
      summary: "Lists the ACL subcommands.",
      since: "6.0.0",
      complexity: "O(1)",
    },
    "acl|list": {
      summary: "Returns the rules of all users in the form of an ACL file.",
      since: "6.0.0",
      complexity: "O(N) with N the number of users.",
    },
    "acl|load": {
      summary: "Replaces the rules by those of the ACL file.",
      since: "6.0.0",
      complexity: "O(N) with N the number of users.",
    },
    "acl|log": {
      summary: "Returns or clears the log of refused logins and commands.",
      since: "6.0.0",
      complexity: "O(N) with N the number of entries returned.",
      history: [["7.2.0", "The entry's ID, and the times when it was created and last updated."]],
      args: [optional(oneOf("operation", [integer("count"), token("RESET")]))],
    },
    "acl|save": {
      summary: "Writes the rules to the ACL file.",
      since: "6.0.0",
      complexity: "O(N) with N the number of users.",
    },
    "acl|setuser": {
      summary: "Creates or changes a user.",
      since: "6.0.0",
      complexity: "O(N) with N the number of rules given.",
      history: [
        ["6.2.0", "Patterns of Pub/Sub channels."],
        ["7.0.0", "Selectors and permissions for single keys."],
      ],
      args: [string("username"), optional(many(string("rule")))],
    },
    "acl|users": {
      summary: "Lists the names of all users.",
      since: "6.0.0",
      complexity: "O(N) with N the number of users.",
    },
    "acl|whoami": {
      summary: "Returns the user name of the connection.",
      since: "6.0.0",
      complexity: "O(1)",
    },
  },
});
