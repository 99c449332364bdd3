/**
 * COMMAND DOCS of Lua scripts and function libraries.
 */
import { integer, key, many, oneOf, optional, since, string, token } from "./argument.ts";
import type { CommandDocTable } from "./types.ts";

export const scriptingDocs = (): CommandDocTable => ({
  group: "scripting",
  commands: {
    eval: {
      summary: "Runs a Lua script.",
      since: "2.6.0",
      complexity: "That of the script.",
      args: [
        string("script"),
        integer("numkeys"),
        optional(many(key())),
        optional(many(string("arg"))),
      ],
    },
    eval_ro: {
      summary: "Runs a Lua script that may only read.",
      since: "7.0.0",
      complexity: "That of the script.",
      args: [
        string("script"),
        integer("numkeys"),
        optional(many(key())),
        optional(many(string("arg"))),
      ],
    },
    evalsha: {
      summary: "Runs a cached Lua script, named by its SHA-1.",
      since: "2.6.0",
      complexity: "That of the script.",
      args: [
        string("sha1"),
        integer("numkeys"),
        optional(many(key())),
        optional(many(string("arg"))),
      ],
    },
    evalsha_ro: {
      summary: "Runs a cached Lua script that may only read, named by its SHA-1.",
      since: "7.0.0",
      complexity: "That of the script.",
      args: [
        string("sha1"),
        integer("numkeys"),
        optional(many(key())),
        optional(many(string("arg"))),
      ],
    },
    fcall: {
      summary: "Calls a function of a library.",
      since: "7.0.0",
      complexity: "That of the function.",
      args: [
        string("function"),
        integer("numkeys"),
        optional(many(key())),
        optional(many(string("arg"))),
      ],
    },
    fcall_ro: {
      summary: "Calls a function that may only read.",
      since: "7.0.0",
      complexity: "That of the function.",
      args: [
        string("function"),
        integer("numkeys"),
        optional(many(key())),
        optional(many(string("arg"))),
      ],
    },
    function: {
      summary: "Groups the commands for function libraries.",
      since: "7.0.0",
      complexity: "That of the subcommand.",
    },
    "function|delete": {
      summary: "Deletes a library.",
      since: "7.0.0",
      complexity: "O(1)",
      args: [string("library-name")],
    },
    "function|dump": {
      summary: "Returns all libraries in the serialised form that FUNCTION RESTORE reads.",
      since: "7.0.0",
      complexity: "O(N) with N the number of functions.",
    },
    "function|flush": {
      summary: "Deletes all libraries.",
      since: "7.0.0",
      complexity: "O(N) with N the number of functions.",
      args: [optional(oneOf("flush-type", [token("ASYNC"), token("SYNC")]))],
    },
    "function|help": {
      summary: "Lists the FUNCTION subcommands.",
      since: "7.0.0",
      complexity: "O(1)",
    },
    "function|kill": {
      summary: "Stops the function that is running.",
      since: "7.0.0",
      complexity: "O(1)",
    },
    "function|list": {
      summary: "Describes the libraries.",
      since: "7.0.0",
      complexity: "O(N) with N the number of functions.",
      args: [optional(string("library-name-pattern", "LIBRARYNAME")), optional(token("WITHCODE"))],
    },
    "function|load": {
      summary: "Loads a library.",
      since: "7.0.0",
      complexity: "O(1), not counting its compilation.",
      args: [optional(token("REPLACE")), string("function-code")],
    },
    "function|restore": {
      summary: "Loads the libraries of a FUNCTION DUMP.",
      since: "7.0.0",
      complexity: "O(N) with N the number of functions in it.",
      args: [
        string("serialized-value"),
        optional(oneOf("policy", [token("FLUSH"), token("APPEND"), token("REPLACE")])),
      ],
    },
    "function|stats": {
      summary: "Describes the function that is running, and the engines.",
      since: "7.0.0",
      complexity: "O(1)",
    },
    script: {
      summary: "Groups the commands for Lua scripts.",
      since: "2.6.0",
      complexity: "That of the subcommand.",
    },
    "script|debug": {
      summary: "Sets the debug mode of the connection's next scripts.",
      since: "3.2.0",
      complexity: "O(1)",
      args: [oneOf("mode", [token("YES"), token("SYNC"), token("NO")])],
    },
    "script|exists": {
      summary: "Tells which scripts are cached.",
      since: "2.6.0",
      complexity: "O(N) with N the number of scripts asked for.",
      args: [many(string("sha1"))],
    },
    "script|flush": {
      summary: "Forgets all cached scripts.",
      since: "2.6.0",
      complexity: "O(N) with N the number of cached scripts.",
      history: [["6.2.0", "The options `ASYNC` and `SYNC`."]],
      args: [optional(since("6.2.0", oneOf("flush-type", [token("ASYNC"), token("SYNC")])))],
    },
    "script|help": {
      summary: "Lists the SCRIPT subcommands.",
      since: "5.0.0",
      complexity: "O(1)",
    },
    "script|kill": {
      summary: "Stops the script that is running.",
      since: "2.6.0",
      complexity: "O(1)",
    },
    "script|load": {
      summary: "Caches a script without running it.",
      since: "2.6.0",
      complexity: "O(N) with N the length of the script.",
      args: [string("script")],
    },
    "script|show": {
      summary: "Returns the source of a cached script.",
      since: "8.0.0",
      complexity: "O(1)",
      args: [string("sha1")],
    },
  },
});
