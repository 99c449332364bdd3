/** INFO: the state of the server as text, a field per line, in the sections of info-sections.ts. */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { INFO_SECTIONS, type InfoSection } from "./info-sections.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

export const infoCommands: readonly CommandSpec[] = [
  {
    name: "info",
    arity: -1,
    flags: Flag.LOADING | Flag.STALE | Flag.SENTINEL,
    acl: Acl.DANGEROUS,
    keys: NO_KEYS,
    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: infoCommand,
  },
];

/** INFO [section ...], where a section may also be "default", "all" or "everything". */
function infoCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const wanted = new Set<string>();
  for (let i = 1; i < args.count; i++) wanted.add(args.text(i).toLowerCase());
  if (args.count === 1) wanted.add("default");
  const text = INFO_SECTIONS.filter((section) => isWanted(section, wanted))
    .map((section) => formatSection(ctx, section))
    .join("\r\n");
  reply.verbatim("txt", text);
}

function isWanted(section: InfoSection, wanted: ReadonlySet<string>): boolean {
  if (section.names.some((name) => wanted.has(name))) return true;
  if (section.shown === "named") return false;
  if (wanted.has("all") || wanted.has("everything")) return true;
  return section.shown === "default" && wanted.has("default");
}

function formatSection(ctx: CommandContext, section: InfoSection): string {
  const lines = [`# ${section.title}\r\n`];
  for (const [name, value] of section.fields(ctx)) lines.push(`${name}:${value}\r\n`);
  return lines.join("");
}
