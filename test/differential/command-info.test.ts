/**
 * COMMAND INFO and COMMAND GETKEYS, for every command that both servers have.
 *
 * The rows are compared byte by byte, order and types included, less the notes of key
 * specifications, which are prose. The keys are compared for random command lines made of words
 * that key specifications look for: whether a line is a valid call does not matter, as GETKEYS
 * only looks where keys would be.
 */
import { expect, test } from "bun:test";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, itemsOf, textOf, type Reply } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { type Random, seedOfRun, withSeed } from "../support/seed.ts";
import { useServer } from "../support/server-process.ts";

const LINES_PER_COMMAND = 60;
const ARGUMENTS_MORE_MAX = 7;

/** Rows that 8.1 has with other flags than the reference executable, 8.0. */
const ROWS_CHANGED_IN_8_1: ReadonlySet<string> = new Set([
  "memory|malloc-stats",
  "memory|purge",
  "exec",
]);

/** What key specifications count, or look for. */
const WORDS = [
  ..."0 1 1 2 2 3 4 -1 1x k1 k2 k3 v x".split(" "),
  ..."KEYS keys STORE store STOREDIST STREAMS streams GROUP BLOCK COUNT NOACK".split(" "),
  ..."GET get SET INCRBY OVERFLOW BY LIMIT WEIGHTS AGGREGATE AUTH AUTH2 COPY".split(" "),
  "",
];

describeWithPeers("commands and their keys", ["valkey-server"], () => {
  const ours = useServer({ program: "ours" });
  const reference = useServer({ program: "valkey-server" });

  test("COMMAND's rows are the reference's, byte by byte", async () => {
    const clients = await connectBoth();
    const [mine, theirs] = await Promise.all(clients.map(readRows));
    for (const client of clients) client.close();
    const differing: string[] = [];
    for (const [name, row] of mine) {
      const expected = theirs.get(name);
      if (expected === undefined || ROWS_CHANGED_IN_8_1.has(name)) continue;
      if (row !== expected) differing.push(`ours:      ${row}\nreference: ${expected}`);
    }
    expect(differing.join("\n")).toBe("");
  });

  test("COMMAND GETKEYSANDFLAGS finds the reference's keys in random command lines", async () => {
    const clients = await connectBoth();
    const [mine, theirs] = await Promise.all(clients.map(readRows));
    const names = [...mine.keys()].filter((name) => theirs.has(name));
    expect(names.length).toBeGreaterThan(0);
    await withSeed("test/differential/command-info.test.ts", seedOfRun(), async (random) => {
      for (const name of names) {
        const lines = Array.from({ length: LINES_PER_COMMAND }, () => commandLine(random, name));
        const [found, expected] = await Promise.all(clients.map((client) => keysOf(client, lines)));
        expect(found).toEqual(expected);
      }
    });
    for (const client of clients) client.close();
  });

  async function connectBoth(): Promise<RespClient[]> {
    const clients = await Promise.all([ours().connect(), reference().connect()]);
    for (const client of clients) await client.must("HELLO", 3);
    return clients;
  }
});

/** All commands and subcommands, with the text of their rows less the subcommands. */
async function readRows(client: RespClient): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  const add = (row: Reply): void => {
    const fields = itemsOf(row);
    const texts = fields.slice(0, 8).map((field) => formatReply(field));
    const specs = itemsOf(fields[8]).map((spec) => formatReply(withoutNotes(spec)));
    rows.set(textOf(fields[0]), [...texts, fields[8].type, ...specs].join(" "));
    for (const subcommand of itemsOf(fields[9])) add(subcommand);
  };
  for (const row of itemsOf(await client.must("COMMAND"))) add(row);
  return rows;
}

function withoutNotes(spec: Reply): Reply {
  if (spec.type !== "map") return spec;
  return { ...spec, entries: spec.entries.filter(([key]) => textOf(key) !== "notes") };
}

/** The command with random words behind it. */
function commandLine(random: Random, name: string): string[] {
  const line = name.split("|");
  const count = random.below(line.length + 3 + ARGUMENTS_MORE_MAX);
  while (line.length < count) line.push(random.pick(WORDS));
  return line;
}

async function keysOf(
  client: RespClient,
  lines: readonly (readonly string[])[],
): Promise<string[]> {
  const requests = lines.map((line) => ["COMMAND", "GETKEYSANDFLAGS", ...line]);
  const replies = await client.pipeline(requests);
  return replies.map(({ reply }, i) => `${lines[i].join(" ")}\n${formatReply(reply)}`);
}
