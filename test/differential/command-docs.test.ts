/**
 * COMMAND DOCS: what clients build their hints from must be what the reference server says.
 *
 * Prose is our own, so summaries, complexities and the texts of the history are only required to be
 * there. Everything else is compared for every command that both have: versions, group, flags, and
 * the argument trees, with the order of the fields.
 *
 * The tables and the server's reply are two tests: the first finds a wrong tree without a server.
 */
import { expect, test } from "bun:test";
import { documentedCommands } from "../../src/commands/docs/table.ts";
import type { CommandArgument, CommandDoc, CommandGroup } from "../../src/commands/docs/types.ts";
import { describeWithPeers } from "../support/peers.ts";
import { itemsOf, textOf, type Reply } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { useServer } from "../support/server-process.ts";

/** A reply without its types, or the same made from our tables. Maps keep their order. */
type Plain = string | readonly Plain[] | { readonly [field: string]: Plain };

/** Where newer versions changed a tree in a way that its version numbers alone do not show. */
const CHANGED: Readonly<Record<string, string>> = {
  bgsave: "8.1 made SCHEDULE one of two alternatives",
  "client|kill": "8.1 accepts several IDs",
  geosearch: "9.0 made BYPOLYGON an alternative to the whole of FROM and BY",
  geosearchstore: "9.0 made BYPOLYGON an alternative to the whole of FROM and BY",
  set: "8.1 moved the version of the condition to NX and XX",
  slowlog: "deprecated in 8.1",
  "slowlog|get": "deprecated in 8.1",
  "slowlog|help": "deprecated in 8.1",
  "slowlog|len": "deprecated in 8.1",
  "slowlog|reset": "deprecated in 8.1",
};

const PROSE_FIELDS = ["summary", "complexity", "replaced_by"];

describeWithPeers("COMMAND DOCS", ["valkey-server"], () => {
  const reference = useServer({ program: "valkey-server" });

  test("the tables agree with the reference", async () => {
    const { version, docs } = await readDocs(await reference().connect());
    const ours = new Map<string, Plain>();
    for (const [name, { group, doc }] of documentedCommands()) ours.set(name, plainDoc(group, doc));
    expect([...docs.keys()].filter((name) => !ours.has(name))).toEqual([]);
    expect(findDifferences(ours, docs, version)).toEqual([]);
    const stale = Object.keys(CHANGED).filter((name) => {
      const [a, b] = [ours.get(name), docs.get(name)];
      return a === undefined || b === undefined || differenceOf(a, b, version) === null;
    });
    expect(stale).toEqual([]);
  });
});

describeWithPeers("COMMAND DOCS of our server", ["valkey-server"], () => {
  const reference = useServer({ program: "valkey-server" });
  const ours = useServer({ program: "ours" });

  test("agrees with the reference", async () => {
    const theirs = await readDocs(await reference().connect());
    const mine = await readDocs(await ours().connect());
    expect(mine.docs.size).toBeGreaterThan(0);
    expect(findDifferences(mine.docs, theirs.docs, theirs.version)).toEqual([]);
  });
});

/** All commands and subcommands under their full names, and the version of the server. */
async function readDocs(
  client: RespClient,
): Promise<{ version: string; docs: Map<string, Plain> }> {
  const hello = plain(await client.must("HELLO", 3)) as { version: string };
  const docs = new Map<string, Plain>();
  collect(plain(await client.must("COMMAND", "DOCS")), docs);
  client.close();
  return { version: hello.version, docs };
}

function collect(commands: Plain, into: Map<string, Plain>): void {
  for (const [name, doc] of Object.entries(commands)) {
    const { subcommands, ...rest } = doc as { [field: string]: Plain };
    into.set(name, rest);
    if (subcommands !== undefined) collect(subcommands, into);
  }
}

function plain(reply: Reply): Plain {
  if (reply.type === "map") {
    return Object.fromEntries(reply.entries.map(([key, value]) => [textOf(key), plain(value)]));
  }
  return "items" in reply ? itemsOf(reply).map(plain) : textOf(reply);
}

/** What COMMAND DOCS should answer for a document of our tables. */
function plainDoc(group: CommandGroup, doc: CommandDoc): Plain {
  const fields: { [field: string]: Plain } = { summary: doc.summary, since: doc.since, group };
  if (doc.complexity !== undefined) fields["complexity"] = doc.complexity;
  const flags: string[] = [];
  if (doc.deprecated !== undefined) flags.push("deprecated");
  if (doc.isSystemCommand) flags.push("syscmd");
  if (flags.length > 0) fields["doc_flags"] = flags;
  if (doc.deprecated !== undefined) {
    fields["deprecated_since"] = doc.deprecated.since;
    fields["replaced_by"] = doc.deprecated.replacedBy;
  }
  if (doc.history !== undefined) fields["history"] = doc.history;
  if (doc.args !== undefined) fields["arguments"] = doc.args.map(plainArgument);
  return fields;
}

function plainArgument(argument: CommandArgument): Plain {
  const fields: { [field: string]: Plain } = { name: argument.name, type: argument.type };
  const { children, keySpecIndex, token, summary, since, deprecatedSince } = argument;
  if (children === undefined) fields["display_text"] = argument.displayText ?? argument.name;
  if (keySpecIndex !== undefined) fields["key_spec_index"] = String(keySpecIndex);
  if (token !== undefined) fields["token"] = token;
  if (summary !== undefined) fields["summary"] = summary;
  if (since !== undefined) fields["since"] = since;
  if (deprecatedSince !== undefined) fields["deprecated_since"] = deprecatedSince;
  const flags: string[] = [];
  if (argument.isOptional) flags.push("optional");
  if (argument.isMultiple) flags.push("multiple");
  if (argument.repeatsToken) flags.push("multiple_token");
  if (flags.length > 0) fields["flags"] = flags;
  if (children !== undefined) fields["arguments"] = children.map(plainArgument);
  return fields;
}

/** The commands that both have, and that differ in more than prose and newer additions. */
function findDifferences(
  ours: ReadonlyMap<string, Plain>,
  reference: ReadonlyMap<string, Plain>,
  version: string,
): string[] {
  const differences: string[] = [];
  for (const [name, theirs] of reference) {
    const mine = ours.get(name);
    if (mine === undefined || name in CHANGED) continue;
    const difference = differenceOf(mine, theirs, version);
    if (difference !== null) differences.push(`${name}\n${difference}`);
  }
  return differences;
}

/** Compares as text, so that the order of the fields counts. */
function differenceOf(ours: Plain, reference: Plain, version: string): string | null {
  const [a, b] = [ours, reference].map((doc) => JSON.stringify(withoutProse(doc, version)));
  return a === b ? null : `  ours:      ${a}\n  reference: ${b}`;
}

/** Blanks the prose of a document and leaves out what came after `version`. */
function withoutProse(doc: Plain, version: string): Plain {
  const fields = doc as { [field: string]: Plain };
  const result: { [field: string]: Plain } = {};
  for (const [field, value] of Object.entries(fields)) {
    if (PROSE_FIELDS.includes(field)) {
      result[field] = "";
    } else if (field === "history") {
      const versions = (value as readonly (readonly [string, string])[]).map(([since]) => since);
      const known = versions.filter((since) => isKnownTo(version, since));
      if (known.length > 0) result[field] = known;
    } else if (field === "arguments") {
      result[field] = (value as readonly { [field: string]: Plain }[])
        .filter(({ since }) => typeof since !== "string" || isKnownTo(version, since))
        .map((argument) => withoutProse(argument, version));
    } else {
      result[field] = value;
    }
  }
  return result;
}

function isKnownTo(version: string, since: string): boolean {
  return Bun.semver.order(since, version) <= 0;
}
