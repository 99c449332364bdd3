/**
 * COMMAND DOCS of COMMAND, CONFIG and MODULE: what the server is able to do, and how it is set up.
 */
import { block, many, manyWithToken, oneOf, optional, pattern, string } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const configDocs = (): CommandDocTable => ({
  group: "server",
  commands: {
    command: {
      summary: "Describes all commands.",
      since: "2.8.13",
      complexity: "O(N) with N the number of commands.",
    },
    "command|count": {
      summary: "Returns the number of commands.",
      since: "2.8.13",
      complexity: "O(1)",
    },
    "command|docs": {
      summary: "Returns the documentation of commands.",
      since: "7.0.0",
      complexity: "O(N) with N the number of commands asked for.",
      args: [optional(many(string("command-name")))],
    },
    "command|getkeys": {
      summary: "Returns the keys of a full command line.",
      since: "2.8.13",
      complexity: "O(N) with N the number of its arguments.",
      args: [string("command"), optional(many(string("arg")))],
    },
    "command|getkeysandflags": {
      summary: "Returns the keys of a full command line and how it uses them.",
      since: "7.0.0",
      complexity: "O(N) with N the number of its arguments.",
      args: [string("command"), optional(many(string("arg")))],
    },
    "command|help": {
      summary: "Lists the COMMAND subcommands.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "command|info": {
      summary: "Describes the named commands.",
      since: "2.8.13",
      complexity: "O(N) with N the number of commands asked for.",
      history: [["7.0.0", "Without names, all commands."]],
      args: [optional(many(string("command-name")))],
    },
    "command|list": {
      summary: "Lists the names of commands.",
      since: "7.0.0",
      complexity: "O(N) with N the number of commands.",
      args: [
        optional(
          oneOf(
            "filterby",
            [
              string("module-name", "MODULE"),
              string("category", "ACLCAT"),
              pattern("pattern", "PATTERN"),
            ],
            "FILTERBY",
          ),
        ),
      ],
    },
    config: {
      summary: "Groups the commands for the configuration.",
      since: "2.0.0",
      complexity: "That of the subcommand.",
    },
    "config|get": {
      summary: "Returns the configuration parameters that match.",
      since: "2.0.0",
      complexity: "O(N) with N the number of parameters given.",
      history: [["7.0.0", "More than one pattern."]],
      args: [many(string("parameter"))],
    },
    "config|help": {
      summary: "Lists the CONFIG subcommands.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "config|resetstat": {
      summary: "Sets the statistics back to zero.",
      since: "2.0.0",
      complexity: "O(1)",
    },
    "config|rewrite": {
      summary: "Writes the current configuration to the configuration file.",
      since: "2.8.0",
      complexity: "O(1)",
    },
    "config|set": {
      summary: "Changes configuration parameters.",
      since: "2.0.0",
      complexity: "O(N) with N the number of parameters given.",
      history: [["7.0.0", "More than one parameter."]],
      args: [many(block("data", [string("parameter"), string("value")]))],
    },
    module: {
      summary: "Groups the commands for modules.",
      since: "4.0.0",
      complexity: "That of the subcommand.",
    },
    "module|help": {
      summary: "Lists the MODULE subcommands.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "module|list": {
      summary: "Lists the loaded modules.",
      since: "4.0.0",
      complexity: "O(N) with N the number of loaded modules.",
    },
    "module|load": {
      summary: "Loads a module.",
      since: "4.0.0",
      complexity: "O(1)",
      args: [string("path"), optional(many(string("arg")))],
    },
    "module|loadex": {
      summary: "Loads a module with configuration parameters and arguments.",
      since: "7.0.0",
      complexity: "O(1)",
      args: [
        string("path"),
        optional(manyWithToken(block("configs", [string("name"), string("value")], "CONFIG"))),
        optional(many(string("args", "ARGS"))),
      ],
    },
    "module|unload": {
      summary: "Unloads a module.",
      since: "4.0.0",
      complexity: "O(1)",
      args: [string("name")],
    },
  },
});
