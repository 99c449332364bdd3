/** An engine of handlers alone, without dispatcher and client: for what commands report. */
import type { CommandContext } from "../../src/commands/context.ts";
import type { CommandSpec } from "../../src/commands/spec.ts";
import { Args } from "../../src/protocol/args.ts";
import { ReplyWriter } from "../../src/protocol/reply-writer.ts";
import { type TestKeyspace, testKeyspace } from "./test-keyspace.ts";

export interface CommandEngine extends TestKeyspace {
  /** Runs a command; returns its reply as text. Words are separated by spaces. */
  run(line: string): string;
  /** The events of a command, without the database, and how many changes it counts as. */
  eventsOf(line: string): string;
}

export function commandEngine(rows: readonly CommandSpec[]): CommandEngine {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const parts = testKeyspace();
  const { keyspace, events } = parts;
  keyspace.watchesKeys = true;
  const bytes = new Uint8Array(8192);
  const ctx = {
    keyspace,
    db: keyspace.databases[0],
    client: { mayBlock: false },
    effects: { isOn: false },
    scratch: { bytes, view: new DataView(bytes.buffer) },
  } as unknown as CommandContext;
  const args = new Args();
  const reply = new ReplyWriter();
  const run = (line: string): string => {
    const words = line.split(" ");
    args.assign(words.map((word) => Buffer.from(word, "latin1")));
    reply.clear();
    byName.get(words[0].toLowerCase())!.run(ctx, args, reply);
    return Buffer.from(reply.bytes.subarray(0, reply.length)).toString("latin1");
  };
  const eventsOf = (line: string): string => {
    events.length = 0;
    const before = keyspace.dirty;
    run(line);
    return `${events.map((event) => event.slice(2)).join(", ")} +${keyspace.dirty - before}`;
  };
  return { ...parts, run, eventsOf };
}
