/** INFO: the state of the server as text, a field per line, in the sections of info-sections.ts. */
import { latin1FromBytes, writeAscii } from "../base/ascii.ts";
import { INTEGER_BYTES_MAX, writeInteger } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { INFO_SECTIONS, type InfoSection } from "./info-sections.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

const COLON = 0x3a;
const CR = 0x0d;
const LF = 0x0a;
/** A colon, a number, and a line's end. */
const ROOM = INTEGER_BYTES_MAX + 3;

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
  let at = 0;
  for (const section of INFO_SECTIONS) {
    if (!isWanted(section, wanted)) continue;
    if (at > 0) at = writeText(at, "\r\n");
    at = writeSection(ctx, section, at);
  }
  if (reply.resp3) reply.verbatim("txt", latin1FromBytes(text, 0, at));
  else reply.bulk(textView, 0, at);
}

function isWanted(section: InfoSection, wanted: ReadonlySet<string>): boolean {
  if (section.names.some((name) => wanted.has(name))) return true;
  if (section.shown === "named") return false;
  if (wanted.has("all") || wanted.has("everything")) return true;
  return section.shown === "default" && wanted.has("default");
}

/** What is going to be replied. */
let text = new Uint8Array(16384);
let textView = new DataView(text.buffer);

/** Writes a section behind the first `offset` bytes of the text; returns where it ends. */
function writeSection(ctx: CommandContext, section: InfoSection, offset: number): number {
  let at = writeText(offset, "# ");
  at = writeText(at, section.title);
  at = writeText(at, "\r\n");
  for (const [name, value] of section.fields(ctx)) {
    at = writeText(at, name);
    text[at++] = COLON;
    if (typeof value === "number" && Number.isSafeInteger(value)) {
      at = writeInteger(text, at, value);
    } else at = writeText(at, String(value));
    text[at++] = CR;
    text[at++] = LF;
  }
  return at;
}

/** Writes one character per byte, and leaves room for what `writeSection` writes itself. */
function writeText(at: number, part: string): number {
  if (at + part.length + ROOM > text.length) {
    const larger = new Uint8Array((at + part.length + ROOM) * 2);
    larger.set(text.subarray(0, at));
    text = larger;
    textView = new DataView(text.buffer);
  }
  return writeAscii(text, at, part);
}
