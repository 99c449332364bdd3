/**
 * All documented commands in one map, under their full names in lower case ("get", "config|get").
 *
 * A document may exist for a command that this server does not have: the command table decides what
 * exists, and COMMAND DOCS asks here for the rest. Building the map checks that no command is
 * documented twice.
 */
import { bitmapDocs } from "./bitmap.ts";
import { clusterDocs } from "./cluster.ts";
import { connectionDocs } from "./connection.ts";
import { genericDocs } from "./generic.ts";
import { geoDocs } from "./geo.ts";
import { hashDocs } from "./hash.ts";
import { hyperloglogDocs } from "./hyperloglog.ts";
import { listDocs } from "./list.ts";
import { pubsubDocs } from "./pubsub.ts";
import { scriptingDocs } from "./scripting.ts";
import { aclDocs } from "./server-acl.ts";
import { configDocs } from "./server-config.ts";
import { diagnosticsDocs } from "./server-diagnostics.ts";
import { serverDocs } from "./server.ts";
import { setDocs } from "./set.ts";
import { sortedSetRangeDocs } from "./sorted-set-range.ts";
import { sortedSetDocs } from "./sorted-set.ts";
import { streamDocs } from "./stream.ts";
import { stringDocs } from "./string.ts";
import { transactionDocs } from "./transactions.ts";
import type { CommandDoc, CommandDocTable, CommandGroup } from "./types.ts";

export interface DocumentedCommand {
  readonly group: CommandGroup;
  readonly doc: CommandDoc;
}

/** Functions, so that starting the server builds none of it: a quarter of its start-up time. */
const TABLES: readonly (() => CommandDocTable)[] = [
  stringDocs,
  genericDocs,
  connectionDocs,
  serverDocs,
  aclDocs,
  configDocs,
  diagnosticsDocs,
  listDocs,
  hashDocs,
  setDocs,
  sortedSetDocs,
  sortedSetRangeDocs,
  streamDocs,
  bitmapDocs,
  hyperloglogDocs,
  geoDocs,
  pubsubDocs,
  transactionDocs,
  scriptingDocs,
  clusterDocs,
];

export function documentedCommands(): ReadonlyMap<string, DocumentedCommand> {
  const commands = new Map<string, DocumentedCommand>();
  for (const table of TABLES) {
    const { group, commands: docs } = table();
    for (const [name, doc] of Object.entries(docs)) {
      if (commands.has(name)) throw new Error(`${name} is documented twice`);
      commands.set(name, { group, doc });
    }
  }
  return commands;
}
