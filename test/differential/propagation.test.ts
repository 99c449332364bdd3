/**
 * What commands propagate as: the same commands run on ours and on the reference with appendonly
 * yes; after each case, what both have logged must be the same commands, and each command must have
 * counted as the same number of changes (rdb_changes_since_last_save).
 *
 * Moments may be some seconds apart. Which database a command is for is compared by its effect.
 */
import { afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Flag, fullName } from "../../src/commands/spec.ts";
import { commandTable } from "../../src/commands/table.ts";
import { commandsIn } from "../support/engine.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, isError, quoteBytes, type Reply, textOf } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";
import { type ServerProcess, useServer } from "../support/server-process.ts";
import { type Case, SAME } from "./propagation-cases.ts";
import { OURS } from "./propagation-newer-cases.ts";

const AOF = "appendonlydir/appendonly.aof.1.incr.aof";
const PASSING_MS = 5;
/** Between the same command on the two servers. */
const DIFFERENCE_MS_MAX = 30_000;
/** From now to what the cases that only ours runs call a moment in some minutes. */
const AHEAD_MS_MAX = 1_100_000;

/** Names the database of each command; it stays chosen from one log to the next. */
class LogReader {
  private database = "?";

  read(bytes: Uint8Array): string[][] {
    const commands: string[][] = [];
    for (const args of commandsIn(bytes)) {
      const words = args.map((arg) => quoteBytes(arg).slice(1, -1));
      const name = words[0].toUpperCase();
      if (name === "SELECT") this.database = words[1];
      // Where SELECT stands between MULTI and the first command is of no consequence.
      else if (name === "MULTI" || name === "EXEC") commands.push([name]);
      else commands.push([`db${this.database}`, name, ...words.slice(1)]);
    }
    return commands;
  }
}

/** A server that runs cases, and its append-only file. */
class Subject {
  private readonly reader = new LogReader();
  private clients = new Map<string, RespClient>();
  private waiting = new Map<string, RespClient>();
  private readAt = 0;

  constructor(private readonly server: ServerProcess) {}

  /** The reply, or null if the command waits. */
  async run(connection: string, args: readonly Argument[]): Promise<Reply | null> {
    const client = await this.client(connection);
    if (connection === "main") return client.command(...args);
    // It is going to wait: all that is to know is that it does.
    await this.forgetServed();
    client.send(...args);
    this.waiting.set(connection, client);
    const control = await this.client("control");
    for (;;) {
      const info = textOf(await control.must("INFO", "clients"));
      const blocked = /^blocked_clients:([0-9]+)/m.exec(info)?.[1];
      if (Number(blocked) === this.waiting.size) return null;
    }
  }

  /** Changes since the last save. */
  async dirty(): Promise<number> {
    await this.forgetServed();
    const info = textOf(await (await this.client("control")).must("INFO", "persistence"));
    return Number(/^rdb_changes_since_last_save:([0-9]+)/m.exec(info)?.[1]);
  }

  /** What was logged since the last call, one command per entry: database, name, arguments. */
  async takeLog(): Promise<string[][]> {
    const bytes = await readFile(join(this.server.folder, AOF));
    const fresh = bytes.subarray(this.readAt);
    this.readAt = bytes.length;
    return this.reader.read(fresh);
  }

  /** Lets some milliseconds pass. */
  async pass(): Promise<void> {
    const from = await this.nowMs();
    while ((await this.nowMs()) < from + PASSING_MS);
  }

  end(): void {
    for (const client of this.clients.values()) client.close();
    this.clients = new Map();
    this.waiting = new Map();
  }

  /** Connections whose request has been answered no longer wait. */
  private async forgetServed(): Promise<void> {
    if (this.waiting.size === 0) return;
    const list = textOf(await (await this.client("control")).must("CLIENT", "LIST"));
    for (const name of this.waiting.keys()) {
      const line = list.split("\n").find((text) => text.includes(` name=${name} `));
      if (line === undefined || !/ flags=\w*b/.test(line)) this.waiting.delete(name);
    }
  }

  private async client(name: string): Promise<RespClient> {
    let client = this.clients.get(name);
    if (client === undefined) {
      client = await this.server.connect();
      this.clients.set(name, client);
      await client.must("CLIENT", "SETNAME", name);
    }
    return client;
  }

  private async nowMs(): Promise<number> {
    const reply = await (await this.client("control")).must("TIME");
    if (reply.type !== "array") throw new Error("TIME gave no array");
    const [seconds, us] = reply.items.map(textOf);
    return Number(seconds) * 1000 + Number(us) / 1000;
  }
}

describeWithPeers("what commands propagate as", ["valkey-server"], () => {
  setDefaultTimeout(30_000);
  const directives = {
    appendonly: "yes",
    appendfsync: "always",
    "auto-aof-rewrite-percentage": "0",
  };
  const servers = [
    useServer({ program: "ours", directives }),
    useServer({ program: "valkey-server", directives }),
  ];
  let ours: Subject;
  let reference: Subject;
  beforeAll(() => {
    [ours, reference] = servers.map((server) => new Subject(server()));
  });
  afterEach(() => {
    ours.end();
    reference.end();
  });

  for (const each of SAME) {
    test(each.title, async () => {
      const [mine, theirs] = await Promise.all([runCase(ours, each), runCase(reference, each)]);
      expect(mine.notes).toEqual(theirs.notes);
      const wanted = theirs.log.map((command) => command.join(" "));
      const got = mine.log.map((command, i) =>
        asMuchAs(command, theirs.log[i], each, DIFFERENCE_MS_MAX),
      );
      expect(got).toEqual(wanted);
      await expectLoadable(ours);
    });
  }

  for (const each of OURS) {
    test(each.title, async () => {
      const { log } = await runCase(ours, each);
      const now = String(Date.now());
      const wanted = each.log.map((command) => command.replace("<ms>", now));
      const got = log.map((command, i) =>
        asMuchAs(command, wanted[i]?.split(" "), each, AHEAD_MS_MAX),
      );
      expect(got).toEqual(wanted);
      await expectLoadable(ours);
    });
  }
});

/** The file leads to the data that are there. */
async function expectLoadable(subject: Subject): Promise<void> {
  const digest = await subject.run("main", ["DEBUG", "DIGEST"]);
  await must(subject, ["DEBUG", "LOADAOF"]);
  expect(await subject.run("main", ["DEBUG", "DIGEST"])).toEqual(digest!);
}

test("every command that writes is covered", () => {
  const covered = new Set<string>();
  for (const line of [...SAME, ...OURS].flatMap((each) => each.lines)) {
    const words = line
      .replace(/^(\w+: |until )/, "")
      .toLowerCase()
      .split(" ");
    covered.add(words[0]);
    covered.add(`${words[0]}|${words[1]}`);
  }
  const writes = commandTable()
    .filter(({ flags }) => (flags & (Flag.WRITE | Flag.MAY_REPLICATE)) !== 0)
    .map(fullName);
  expect(writes.filter((name) => !covered.has(name))).toEqual([]);
});

/** Runs a case on an empty server. `notes` tells how many changes each line was. */
async function runCase(
  subject: Subject,
  { lines, directives = {} }: Case,
): Promise<{ log: string[][]; notes: string[] }> {
  const before = new Map<string, string>();
  for (const [name, value] of Object.entries(directives)) {
    const reply = await subject.run("main", ["CONFIG", "GET", name]);
    if (reply?.type !== "array") throw new Error(`no directive ${name}`);
    before.set(name, textOf(reply.items[1]));
    await must(subject, ["CONFIG", "SET", name, value]);
  }
  await must(subject, ["FLUSHALL"]);
  await subject.takeLog();
  const notes: string[] = [];
  const replies: (Reply | null)[] = [];
  let dirty = await subject.dirty();
  for (const line of lines) {
    replies.push(await runLine(subject, line, replies));
    const after = await subject.dirty();
    // FLUSHALL counts from 0 again.
    notes.push(`${line}: ${after < dirty ? after : `+${after - dirty}`}`);
    dirty = after;
  }
  const log = await subject.takeLog();
  for (const [name, value] of before) await must(subject, ["CONFIG", "SET", name, value]);
  return { log, notes };
}

async function runLine(
  subject: Subject,
  line: string,
  replies: readonly (Reply | null)[],
): Promise<Reply | null> {
  if (line === "pass") {
    await subject.pass();
    return null;
  }
  const [, connection = "main", text] = /^(?:(\d+): )?(.*)$/s.exec(line)!;
  const words = text.split(" ").map((word) => {
    const index = /^\$(\d+)$/.exec(word)?.[1];
    if (index === undefined) return word;
    const reply = replies[Number(index)];
    if (reply?.type !== "bulk") throw new Error(`line ${index} gave no bulk string`);
    return reply.bytes;
  });
  if (words[0] !== "until") return subject.run(connection, words);
  for (;;) {
    const reply = await subject.run(connection, words.slice(1));
    if (reply !== null && NOTHING.test(formatReply(reply))) return reply;
    await subject.pass();
  }
}

const NOTHING = /^(null.*|:0|:-2|\+none|array \(empty\))$/;

async function must(subject: Subject, args: readonly string[]): Promise<void> {
  const reply = await subject.run("main", args);
  if (reply !== null && isError(reply)) throw new Error(`${args.join(" ")}: ${formatReply(reply)}`);
}

/** Our command as a text, in which whatever may differ from `other` is as it is there. */
function asMuchAs(
  command: readonly string[],
  other: readonly string[] | undefined,
  of: Case,
  differenceMs: number,
): string {
  return command
    .map((word, i) => {
      const theirs = other?.[i];
      if (theirs === undefined || theirs === word) return word;
      const isFree = (of.isRandom === true && i > 2) || isSameMoment(word, theirs, differenceMs);
      return isFree ? theirs : word;
    })
    .join(" ");
}

/** Unix ms, or the ID of a stream's entry, at about the same time. */
function isSameMoment(a: string, b: string, differenceMs: number): boolean {
  const [first, second] = [a, b].map((text) => /^([0-9]{13})((?:-[0-9]+)?)$/.exec(text));
  if (first === null || second === null || first[2] !== second[2]) return false;
  return Math.abs(Number(first[1]) - Number(second[1])) <= differenceMs;
}
