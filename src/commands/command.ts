/**
 * COMMAND and its subcommands: what the server's own table says about its commands.
 *
 * Everything is derived from the rows of spec.ts when it is asked for; COMMAND DOCS adds the prose
 * and the argument trees of docs/. Commands appear in the order of the table.
 */
import { globMatch } from "../base/glob.ts";
import { bytesFromAscii } from "../base/ascii.ts";
import { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { type ReplyWriter, ReplyType } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";
import { type DocumentedCommand, documentedCommands } from "./docs/table.ts";
import type { CommandArgument, CommandChange } from "./docs/types.ts";
import { replyHelp } from "./container.ts";
import { hasKeys, keysOf, legacyRange } from "./keys-of.ts";
import {
  ACL_NAMES,
  Acl,
  type CommandSpec,
  FLAG_NAMES,
  Flag,
  type KeySpec,
  NO_KEYS,
  aclCategories,
  fullName,
} from "./spec.ts";

const FLAGS = Flag.LOADING | Flag.STALE | Flag.SENTINEL;
const ANY_ORDER = ["nondeterministic_output_order"];

export const commandCommands: readonly CommandSpec[] = [
  {
    name: "command",
    arity: -1,
    flags: FLAGS | Flag.CONTAINER,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    tips: ANY_ORDER,
    run: commandCommand,
  },
  {
    name: "count",
    parent: "command",
    arity: 2,
    flags: FLAGS,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: commandCountCommand,
  },
  {
    name: "docs",
    parent: "command",
    arity: -2,
    flags: FLAGS,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    tips: ANY_ORDER,
    run: commandDocsCommand,
  },
  {
    name: "getkeys",
    parent: "command",
    arity: -3,
    flags: FLAGS,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: (ctx, args, reply) => getKeysGeneric(ctx, args, reply, false),
  },
  {
    name: "getkeysandflags",
    parent: "command",
    arity: -3,
    flags: FLAGS,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: (ctx, args, reply) => getKeysGeneric(ctx, args, reply, true),
  },
  {
    name: "help",
    parent: "command",
    arity: 2,
    flags: FLAGS,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, "COMMAND", HELP),
  },
  {
    name: "info",
    parent: "command",
    arity: -2,
    flags: FLAGS,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    tips: ANY_ORDER,
    run: commandInfoCommand,
  },
  {
    name: "list",
    parent: "command",
    arity: -2,
    flags: FLAGS,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    tips: ANY_ORDER,
    run: commandListCommand,
  },
];

const HELP = [
  "(no subcommand)",
  "    Return details about all commands.",
  "COUNT",
  "    Return the total number of commands in this server.",
  "LIST",
  "    Return a list of all commands in this server.",
  "INFO [<command-name> ...]",
  "    Return details about multiple commands.",
  "    If no command names are given, documentation details for all",
  "    commands are returned.",
  "DOCS [<command-name> ...]",
  "    Return documentation details about multiple commands.",
  "    If no command names are given, documentation details for all",
  "    commands are returned.",
  "GETKEYS <full-command>",
  "    Return the keys from a full command.",
  "GETKEYSANDFLAGS <full-command>",
  "    Return the keys and the access flags from a full command.",
];

/** COMMAND */
function commandCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { commands, namedCommands } = ctx.server;
  const shown = namedCommands.filter(isTopLevel);
  reply.array(shown.length);
  for (const spec of shown) replyInfo(commands, spec, reply);
}

/** COMMAND COUNT */
function commandCountCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  let count = 0;
  for (const spec of ctx.server.namedCommands) if (isTopLevel(spec)) count++;
  reply.integer(count);
}

/** COMMAND INFO [command-name ...] */
function commandInfoCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count === 2) {
    commandCommand(ctx, args, reply);
    return;
  }
  const { commands } = ctx.server;
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) {
    const spec = findCommand(ctx, args.text(i));
    if (spec === undefined) reply.nil();
    else replyInfo(commands, spec, reply);
  }
}

/** COMMAND DOCS [command-name ...] */
function commandDocsCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const docs = documentedCommands();
  const { commands, namedCommands } = ctx.server;
  let shown = namedCommands.filter(isTopLevel);
  if (args.count > 2) {
    shown = [];
    for (let i = 2; i < args.count; i++) {
      const spec = findCommand(ctx, args.text(i));
      if (spec !== undefined) shown.push(spec);
    }
  }
  reply.map(shown.length);
  for (const spec of shown) {
    reply.bulkText(fullName(spec));
    replyDocs(commands, docs, spec, reply);
  }
}

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
function commandListCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let isShown: (spec: CommandSpec) => boolean = () => true;
  for (let i = 2; i < args.count; i += 3) {
    if (!args.is(i, "FILTERBY") || args.count !== i + 3) {
      reply.error(errors.SYNTAX);
      return;
    }
    if (args.is(i + 1, "MODULE")) {
      isShown = () => false;
    } else if (args.is(i + 1, "ACLCAT")) {
      const category = 1 << ACL_NAMES.indexOf(args.text(i + 2).toLowerCase());
      isShown = ACL_NAMES.includes(args.text(i + 2).toLowerCase())
        ? (spec) => (aclCategories(spec) & category) !== 0
        : () => false;
    } else if (args.is(i + 1, "PATTERN")) {
      const pattern = args.copy(i + 2);
      isShown = (spec) => matches(pattern, fullName(spec));
    } else {
      reply.error(errors.SYNTAX);
      return;
    }
  }
  const names = ctx.server.namedCommands.filter(isShown).map(fullName);
  reply.array(names.length);
  for (const name of names) reply.bulkText(name);
}

/** COMMAND GETKEYS and GETKEYSANDFLAGS: command [arg ...] */
function getKeysGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  withFlags: boolean,
): void {
  const request = argumentsFrom(args, 2);
  const spec = commandOfRequest(ctx, request);
  if (spec === undefined) {
    reply.error("ERR Invalid command specified");
    return;
  }
  if (!hasKeys(spec)) {
    reply.error("ERR The command has no key arguments");
    return;
  }
  if (spec.arity > 0 ? request.count !== spec.arity : request.count < -spec.arity) {
    reply.error("ERR Invalid number of arguments specified for command");
    return;
  }
  const keys = keysOf(spec, request) ?? [];
  if (keys.length === 0 && (spec.flags & Flag.NO_MANDATORY_KEYS) === 0) {
    reply.error("ERR Invalid arguments specified for command");
    return;
  }
  reply.array(keys.length);
  for (const { index, flags } of keys) {
    if (withFlags) reply.array(2);
    reply.bulkBytes(request.copy(index));
    if (withFlags) replyWords(flags === "" ? [] : flags.split(" "), reply);
  }
}

/** The arguments from `first` on, as a request of their own in the same memory. */
function argumentsFrom(args: Args, first: number): Args {
  const rest = new Args();
  rest.bytes = args.bytes;
  rest.view = args.view;
  for (let i = first; i < args.count; i++) rest.push(args.start[i], args.end[i]);
  return rest;
}

function commandOfRequest(ctx: CommandContext, request: Args): CommandSpec | undefined {
  const spec = findCommand(ctx, request.text(0));
  if (spec === undefined || spec.parent !== undefined) return undefined;
  if ((spec.flags & Flag.CONTAINER) === 0 || request.count === 1) return spec;
  return findCommand(ctx, `${request.text(0)}|${request.text(1)}`);
}

function findCommand(ctx: CommandContext, name: string): CommandSpec | undefined {
  return ctx.server.commands[ctx.server.commandNumber(name.toLowerCase())];
}

function isTopLevel(spec: CommandSpec): boolean {
  return spec.parent === undefined;
}

function matches(pattern: Uint8Array, name: string): boolean {
  const text = bytesFromAscii(name);
  return globMatch(pattern, 0, pattern.length, text, 0, text.length, true);
}

function replyInfo(commands: readonly CommandSpec[], spec: CommandSpec, reply: ReplyWriter): void {
  const range = legacyRange(spec.keys);
  const flags = range.isPartial ? spec.flags | Flag.MOVABLE_KEYS : spec.flags;
  const categories = aclCategories(spec);
  const subcommands = subcommandsOf(commands, spec);
  reply.array(10);
  reply.bulkText(fullName(spec));
  reply.integer(spec.arity);
  replyWords(
    FLAG_NAMES.filter(([flag]) => (flags & flag) !== 0).map(([, word]) => word),
    reply,
  );
  reply.integer(range.first);
  reply.integer(range.last);
  reply.integer(range.step);
  replyWords(
    ACL_NAMES.filter((_name, bit) => (categories & (1 << bit)) !== 0).map((name) => `@${name}`),
    reply,
  );
  const tips = spec.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulkText(tip);
  reply.set(spec.keys.length);
  for (const key of spec.keys) replyKeySpec(key, reply);
  if (subcommands.length === 0) reply.set(0);
  else reply.array(subcommands.length);
  for (const subcommand of subcommands) replyInfo(commands, subcommand, reply);
}

function subcommandsOf(commands: readonly CommandSpec[], spec: CommandSpec): CommandSpec[] {
  if ((spec.flags & Flag.CONTAINER) === 0) return [];
  return commands.filter(({ parent }) => parent === spec.name);
}

/** A set of simple strings. */
function replyWords(words: readonly string[], reply: ReplyWriter): void {
  reply.set(words.length);
  for (const word of words) reply.simple(word);
}

function replyKeySpec(key: KeySpec, reply: ReplyWriter): void {
  reply.map(key.notes === undefined ? 3 : 4);
  if (key.notes !== undefined) {
    reply.bulkText("notes");
    reply.bulkText(key.notes);
  }
  reply.bulkText("flags");
  replyWords(key.flags.split(" "), reply);
  reply.bulkText("begin_search");
  if (key.begin === "unknown") {
    replyStep(reply, "unknown", []);
  } else if ("index" in key.begin) {
    replyStep(reply, "index", [["index", key.begin.index]]);
  } else {
    const { keyword, from } = key.begin;
    replyStep(reply, "keyword", [
      ["keyword", keyword],
      ["startfrom", from],
    ]);
  }
  reply.bulkText("find_keys");
  if (key.find === "unknown") {
    replyStep(reply, "unknown", []);
  } else if ("countAt" in key.find) {
    const { countAt, first, step } = key.find;
    replyStep(reply, "keynum", [
      ["keynumidx", countAt],
      ["firstkey", first],
      ["keystep", step],
    ]);
  } else {
    const { last, step, limit } = key.find;
    replyStep(reply, "range", [
      ["lastkey", last],
      ["keystep", step],
      ["limit", limit],
    ]);
  }
}

/** One of the two steps of a key spec: its type and the numbers of that type. */
function replyStep(
  reply: ReplyWriter,
  type: string,
  fields: readonly (readonly [string, string | number])[],
): void {
  reply.map(2);
  reply.bulkText("type");
  reply.bulkText(type);
  reply.bulkText("spec");
  reply.map(fields.length);
  for (const [name, value] of fields) {
    reply.bulkText(name);
    if (typeof value === "string") reply.bulkText(value);
    else reply.integer(value);
  }
}

function replyDocs(
  commands: readonly CommandSpec[],
  docs: ReadonlyMap<string, DocumentedCommand>,
  spec: CommandSpec,
  reply: ReplyWriter,
): void {
  const documented = docs.get(fullName(spec));
  if (documented === undefined) throw new Error(`${fullName(spec)} has no document`);
  const { group, doc } = documented;
  const subcommands = subcommandsOf(commands, spec);
  const mark = reply.deferLength();
  let fields = 0;
  const text = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    reply.bulkText(name);
    reply.bulkText(value);
    fields++;
  };
  text("summary", doc.summary);
  text("since", doc.since);
  text("group", group);
  text("complexity", doc.complexity);
  const flags: string[] = [];
  if (doc.deprecated !== undefined) flags.push("deprecated");
  if (doc.isSystemCommand) flags.push("syscmd");
  if (flags.length > 0) {
    reply.bulkText("doc_flags");
    replyWords(flags, reply);
    fields++;
  }
  text("deprecated_since", doc.deprecated?.since);
  text("replaced_by", doc.deprecated?.replacedBy);
  if (doc.history !== undefined) {
    reply.bulkText("history");
    replyHistory(doc.history, reply);
    fields++;
  }
  if (doc.args !== undefined) {
    reply.bulkText("arguments");
    replyArguments(doc.args, reply);
    fields++;
  }
  if (subcommands.length > 0) {
    reply.bulkText("subcommands");
    reply.map(subcommands.length);
    for (const subcommand of subcommands) {
      reply.bulkText(fullName(subcommand));
      replyDocs(commands, docs, subcommand, reply);
    }
    fields++;
  }
  reply.setDeferred(mark, ReplyType.MAP, fields);
}

function replyHistory(history: readonly CommandChange[], reply: ReplyWriter): void {
  reply.set(history.length);
  for (const [version, change] of history) {
    reply.array(2);
    reply.bulkText(version);
    reply.bulkText(change);
  }
}

function replyArguments(list: readonly CommandArgument[], reply: ReplyWriter): void {
  reply.array(list.length);
  for (const argument of list) {
    const mark = reply.deferLength();
    let fields = 0;
    const text = (name: string, value: string | undefined): void => {
      if (value === undefined) return;
      reply.bulkText(name);
      reply.bulkText(value);
      fields++;
    };
    text("name", argument.name);
    text("type", argument.type);
    const hasChildren = argument.children !== undefined;
    if (!hasChildren) text("display_text", argument.displayText ?? argument.name);
    if (argument.keySpecIndex !== undefined) {
      reply.bulkText("key_spec_index");
      reply.integer(argument.keySpecIndex);
      fields++;
    }
    text("token", argument.token);
    text("summary", argument.summary);
    text("since", argument.since);
    text("deprecated_since", argument.deprecatedSince);
    const flags: string[] = [];
    if (argument.isOptional) flags.push("optional");
    if (argument.isMultiple) flags.push("multiple");
    if (argument.repeatsToken) flags.push("multiple_token");
    if (flags.length > 0) {
      reply.bulkText("flags");
      replyWords(flags, reply);
      fields++;
    }
    if (argument.children !== undefined) {
      reply.bulkText("arguments");
      replyArguments(argument.children, reply);
      fields++;
    }
    reply.setDeferred(mark, ReplyType.MAP, fields);
  }
}
