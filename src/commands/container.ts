/** What commands with subcommands share: the container's row, HELP, and a refusal. */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const QUOTED_CHARACTERS_MAX = 128;

/** The row of a container: it only gives its subcommands a name, and is never run. */
export function containerRow(name: string): CommandSpec {
  return {
    name,
    arity: -2,
    flags: Flag.CONTAINER,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: () => {
      throw new Error(`${name} was called without a subcommand`);
    },
  };
}

/** Answers `<name> HELP`: the lines, between a heading and the entry of HELP itself. */
export function replyHelp(reply: ReplyWriter, name: string, lines: readonly string[]): void {
  reply.array(lines.length + 3);
  reply.simple(`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
  for (const line of lines) reply.simple(line);
  reply.simple("HELP");
  reply.simple("    Print this help.");
}

/** Refuses a subcommand that was given a number of arguments it does not take. */
export function replyUnknownSubcommand(reply: ReplyWriter, name: string, args: Args): void {
  const subcommand = beforeNul(args.text(1)).slice(0, QUOTED_CHARACTERS_MAX);
  reply.error(
    `ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try ${name} HELP.`,
  );
}
