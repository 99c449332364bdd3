/**
 * What the client knows of commands: for `help`, for completion and for hints.
 *
 * It asks the server (COMMAND DOCS), so the commands of modules and of newer servers are there too.
 * Without a connection, or with a server older than COMMAND DOCS, it uses the documents that this
 * executable holds for its own server.
 */
import { documentedCommands } from "../../commands/docs/table.ts";
import type { ArgumentType, CommandArgument, CommandDoc } from "../../commands/docs/types.ts";
import type { Reply } from "../../protocol/reply-reader.ts";
import { print } from "./console.ts";
import { textOf } from "./format.ts";
import { describeArguments } from "./hints.ts";
import type { Session } from "./session.ts";
import { interactiveHelp } from "./usage.ts";

const BOLD = "\x1b[1m";
const GREY = "\x1b[90m";
const YELLOW = "\x1b[33m";
const RESET = "\x1b[0m";

export interface HelpEntry {
  /** "CONFIG GET" */
  readonly name: string;
  /** Its words. */
  readonly words: readonly string[];
  readonly group: string;
  readonly summary: string;
  readonly since: string;
  readonly args: readonly CommandArgument[];
}

export class CommandHelp {
  /** By name. */
  readonly entries: readonly HelpEntry[];
  /** "@string", ... */
  readonly groups: readonly string[];

  private constructor(entries: readonly HelpEntry[]) {
    this.entries = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    this.groups = [...new Set(entries.map((entry) => `@${entry.group}`))].toSorted();
  }

  /** Asks the server, connecting if necessary. */
  static async load(session: Session): Promise<CommandHelp> {
    if (session.connection !== null || (await session.connect(true))) {
      const reply = await session.request("COMMAND", "DOCS");
      if (reply.type === "map" || reply.type === "array") return new CommandHelp(readDocs(reply));
    }
    return new CommandHelp(ownDocs());
  }

  /** Lines that a line could become: of commands, and behind `help` of groups as well. */
  complete(line: string): string[] {
    const help = /^help\s+/i.exec(line)?.[0] ?? "";
    const typed = line.slice(help.length).toUpperCase();
    const names = this.entries.map((entry) => entry.name);
    const candidates = help === "" ? names : [...names, ...this.groups];
    return candidates
      .filter((name) => name.toUpperCase().startsWith(typed))
      .map((name) => help + name);
  }

  /** The command with the longest name that the words begin with. */
  find(words: readonly string[]): HelpEntry | null {
    const typed = words.slice(0, 2).map((word) => word.toUpperCase());
    const matches = this.entries.filter((entry) =>
      entry.words.every((word, index) => word === typed[index]),
    );
    return matches.toSorted((a, b) => b.words.length - a.words.length)[0] ?? null;
  }

  /** Prints help on a group ("@list"), or on all commands whose names begin with the words. */
  print(words: readonly string[]): void {
    const isGroup = words[0].startsWith("@");
    const wanted = words.map((word) => word.toUpperCase());
    const found = this.entries.filter((entry) =>
      isGroup
        ? entry.group.toUpperCase() === wanted[0].slice(1)
        : wanted.every((word, index) => entry.words[index] === word),
    );
    print(found.map((entry) => describe(entry, !isGroup)).join("") + "\r\n");
  }
}

/** `help`, with or without a topic. */
export async function showHelp(
  session: Session,
  words: readonly string[],
  help: CommandHelp | null,
  preferencesFile: string,
): Promise<void> {
  if (words.length === 0) print(interactiveHelp(session.options.program, preferencesFile));
  else (help ?? (await CommandHelp.load(session))).print(words);
}

function describe(entry: HelpEntry, withGroup: boolean): string {
  // Styled in any case, and each style ended by a reset, as in valkey-cli's output.
  const title = `${BOLD}${entry.name}${RESET} ${GREY}${describeArguments(entry.args)}${RESET}`;
  const lines = [title, `${YELLOW}summary:${RESET} ${entry.summary}`];
  if (entry.since !== "") lines.push(`${YELLOW}since:${RESET} ${entry.since}`);
  if (withGroup) lines.push(`${YELLOW}group:${RESET} ${entry.group}`);
  return "\r\n" + lines.map((line) => `  ${line}\r\n`).join("");
}

function ownDocs(): HelpEntry[] {
  return [...documentedCommands()].map(([name, { group, doc }]) => helpEntry(name, group, doc));
}

function helpEntry(
  name: string,
  group: string,
  doc: Pick<CommandDoc, "summary" | "since" | "args">,
): HelpEntry {
  const words = name.toUpperCase().split("|");
  const { summary, since, args = [] } = doc;
  return { name: words.join(" "), words, group, summary, since, args };
}

/** The entries of a COMMAND DOCS reply, subcommands included. */
function readDocs(reply: Reply): HelpEntry[] {
  return fieldsOf(reply).flatMap(([name, specs]) => {
    const fields = new Map(fieldsOf(specs));
    const text = (field: string): string => textOf(fields.get(field) ?? { type: "null" });
    const args = readArguments(fields.get("arguments"));
    const doc = { summary: text("summary"), since: text("since"), args };
    const subcommands = fields.get("subcommands");
    return [
      helpEntry(name, text("group"), doc),
      ...(subcommands === undefined ? [] : readDocs(subcommands)),
    ];
  });
}

function readArguments(reply: Reply | undefined): CommandArgument[] {
  if (reply === undefined || !("items" in reply)) return [];
  return reply.items.map((item) => {
    const fields = new Map(fieldsOf(item));
    const text = (field: string): string | undefined => {
      const value = fields.get(field);
      return value === undefined ? undefined : textOf(value);
    };
    const flags = fields.get("flags");
    const words = flags !== undefined && "items" in flags ? flags.items.map(textOf) : [];
    const children = fields.get("arguments");
    return {
      name: text("name") ?? "",
      type: (text("type") ?? "string") as ArgumentType,
      token: text("token"),
      displayText: text("display_text"),
      isOptional: words.includes("optional"),
      isMultiple: words.includes("multiple"),
      repeatsToken: words.includes("multiple_token"),
      children: children === undefined ? undefined : readArguments(children),
    };
  });
}

/** Names and values of a map, which RESP2 sends as an array. */
function fieldsOf(reply: Reply): [name: string, value: Reply][] {
  if (!("items" in reply)) return [];
  const fields: [string, Reply][] = [];
  for (let at = 0; at + 1 < reply.items.length; at += 2) {
    fields.push([textOf(reply.items[at]), reply.items[at + 1]]);
  }
  return fields;
}
