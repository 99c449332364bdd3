/**
 * Random commands on an engine of the test's own process, its clock moved by the test: whoever runs
 * what it has logged ends with the same data. Keys and fields expire and are evicted meanwhile, and
 * requests wait for keys.
 *
 * SEED replays a run, FUZZ_MS sets its length. A difference is shrunk to the fewest steps.
 */
import { expect, test } from "bun:test";
import { Flag, fullName } from "../../src/commands/spec.ts";
import { commandTable } from "../../src/commands/table.ts";
import { formatCommand } from "../support/differential.ts";
import { Engine, type EngineClient, commandsIn } from "../support/engine.ts";
import { formatReply, isError, itemsOf, quoteBytes, type Reply, textOf } from "../support/reply.ts";
import type { Argument } from "../support/resp-client.ts";
import { fuzzBudgetMs, type Random, seedOfRun, withSeed } from "../support/seed.ts";
import { exemptionOf } from "./command-exemptions.ts";
import { CommandGenerator } from "./command-generator.ts";
import { type CommandShape, readShapes } from "./command-shapes.ts";

const FILE = "test/fuzz/replay.fuzz.test.ts";
const SEED = seedOfRun();
const DEFAULT_BUDGET_MS = 1000;
const STEPS_PER_ROUND = 300;
const CLIENTS = 3;
const DATABASES = 2;
const START_MS = 1_700_000_000_000;
/** Times in generated commands are far ahead, at least by so much. */
const FAR = 1_000_000;
const REPLAYS_MAX = 500;
const DIRECTIVES = "stream-node-max-entries 3";

/**
 * What random arguments seldom hit: letters in braces are chosen anew each time, see `PIECES`; a part
 * in brackets is there or not.
 */
const TEMPLATES = `
  RPUSH list:{k} {v} {v} {v}
  SADD set:{k} {v} {v} {v} {v}
  SPOP set:{k} [{n}]
  HSET hash:{k} {f} {n} {f} {v}
  HSETNX hash:{k} {f} {v}
  HDEL hash:{k} {f} {f}
  HINCRBY hash:{k} {f} {n}
  HINCRBYFLOAT hash:{k} {f} 0.5
  HPEXPIRE hash:{k} {t} [{c}] FIELDS 2 {f} {f}
  HPEXPIRE hash:{k} {t} FIELDS 3 a b c
  HPERSIST hash:{k} FIELDS 2 {f} {f}
  HGETEX hash:{k} PX {t} FIELDS 2 {f} {f}
  HGETEX hash:{k} PERSIST FIELDS 1 {f}
  HSETEX hash:{k} [FNX] PX {t} FIELDS 2 {f} {v} {f} {v}
  HSETEX hash:{k} [FXX] [KEEPTTL] FIELDS 1 {f} {v}
  HGETDEL hash:{k} FIELDS 2 {f} {f}
  PEXPIRE hash:{k} {t}
  PEXPIRE list:{k} {t}
  PEXPIRE stream:{k} {t}
  SORT list:{k} BY nosort GET hash:*->a STORE list:{k}
  RPUSH list:{k} 0 1 2
  BLPOP list:{k} list:{k} 0
  BLMOVE list:{k} list:{k} LEFT RIGHT 0
  BLMPOP 0 2 list:{k} list:{k} RIGHT COUNT {n}
  BZPOPMIN sorted-set:{k} sorted-set:{k} 0
  BZMPOP 0 1 sorted-set:{k} MAX COUNT {n}
  ZADD sorted-set:{k} {n} {v} {n} {v}
  XADD stream:{k} [MAXLEN] [~] {n} * {f} {v}
  XADD stream:{k} [NOMKSTREAM] {i} {f} {v}
  XADD stream:{k} MAXLEN ~ {n} [{p}] * {f} {v}
  XADD stream:{k} MINID ~ {i} [{p}] * {f} {v}
  XADD stream:{k} {i} {f} {v}
  XADD stream:{k} {i} {f} {v}
  XTRIM stream:{k} MAXLEN ~ {n} [{p}]
  XTRIM stream:{k} MINID [~] {i} [{p}]
  XDEL stream:{k} {i} {i}
  XDELEX stream:{k} [{p}] IDS 2 {i} {i}
  XACKDEL stream:{k} {g} [{p}] IDS 2 {i} {i}
  XGROUP CREATE stream:{k} {g} 0 [MKSTREAM]
  XGROUP CREATE stream:{k} {g} $ [MKSTREAM]
  XGROUP SETID stream:{k} {g} {i}
  XGROUP DELCONSUMER stream:{k} {g} {v}
  XREADGROUP GROUP {g} {v} COUNT {n} STREAMS stream:{k} >
  XREADGROUP GROUP {g} {v} NOACK STREAMS stream:{k} >
  XREADGROUP GROUP {g} {v} STREAMS stream:0 stream:1 > >
  XREADGROUP GROUP {g} {v} BLOCK 0 STREAMS stream:{k} stream:{k} > >
  XREADGROUP GROUP {g} {v} STREAMS stream:{k} 0
  XACK stream:{k} {g} {i} {i}
  XCLAIM stream:{k} {g} {v} 0 {i} {i} [JUSTID] [FORCE]
  XCLAIM stream:{k} {g} {v} {n} {i} RETRYCOUNT {n} [LASTID] {i}
  XAUTOCLAIM stream:{k} {g} {v} {n} 0 COUNT {n}
`
  .trim()
  .split("\n");

/** What stands for a letter in braces. */
const PIECES: Readonly<Record<string, (random: Random) => string>> = {
  k: (random) => String(random.below(2)),
  v: (random) => random.pick(["a", "b", "c", "d", "12"]),
  f: (random) => random.pick(["a", "b", "c"]),
  n: (random) => String(random.below(6)),
  /** An ID that may be there. */
  i: (random) => `${1 + random.below(30)}-1`,
  g: (random) => random.pick(["g", "h"]),
  t: (random) => String(random.below(25)),
  c: (random) => random.pick(["NX", "XX", "GT", "LT"]),
  p: (random) => random.pick(["KEEPREF", "DELREF", "ACKED"]),
};

type Step =
  | { readonly kind: "command"; readonly client: number; readonly args: readonly Argument[] }
  /** Copies a key by its payload, to live for so many milliseconds. */
  | { readonly kind: "restore"; readonly from: string; readonly to: string; readonly ttl: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "expire" }
  | { readonly kind: "evict"; readonly count: number };

interface Shapes {
  readonly writes: CommandShape[];
  readonly reads: CommandShape[];
}

test("a log that is run again leads to the same data", async () => {
  await withSeed(FILE, SEED, async (random) => {
    const shapes = await shapesToRun();
    const deadline = performance.now() + fuzzBudgetMs(DEFAULT_BUDGET_MS);
    let rounds = 0;
    do {
      const steps = generateRound(shapes, random);
      const problem = runRound(steps);
      if (problem !== null) throw new Error(explain(steps, problem));
      rounds++;
    } while (performance.now() < deadline);
    expect(rounds).toBeGreaterThan(0);
  });
}, 600_000);

/** Those that write, and those that only read, which may remove what has expired. */
async function shapesToRun(): Promise<Shapes> {
  const engine = new Engine(START_MS);
  const client = engine.connect();
  const must = (...args: readonly Argument[]) => {
    const reply = client.command(...args);
    if (reply === null || isError(reply)) throw new Error(formatCommand(args));
    return Promise.resolve(reply);
  };
  const shapes = await readShapes({ must }, "99.0.0");
  engine.stop();
  const writes: CommandShape[] = [];
  const reads: CommandShape[] = [];
  for (const row of commandTable()) {
    const shape = shapes.get(fullName(row));
    if (shape === undefined) continue;
    if ((row.flags & Flag.WRITE) !== 0) writes.push(shape);
    else if ((row.flags & Flag.READONLY) !== 0 && exemptionOf(shape.name) === null)
      reads.push(shape);
  }
  return { writes, reads };
}

function generateRound(shapes: Shapes, random: Random): Step[] {
  const generator = new CommandGenerator(random);
  const favourites = shapes.writes.filter(() => random.oneIn(12));
  const steps: Step[] = [];
  const command = (client: number): Step => {
    if (random.oneIn(2)) return { kind: "command", client, args: fromTemplate(random) };
    let pool = random.oneIn(6) ? shapes.reads : shapes.writes;
    if (favourites.length > 0 && random.oneIn(3)) pool = favourites;
    let shape = random.pick(pool);
    while (/^(flush|swapdb)/.test(shape.name) && !random.oneIn(10)) shape = random.pick(pool);
    const args = generator.generate(shape).map((arg) => soon(arg, random));
    if (/^(move|swapdb)$/.test(shape.name)) args[args.length - 1] = String(random.below(DATABASES));
    return { kind: "command", client, args };
  };
  while (steps.length < STEPS_PER_ROUND) {
    const client = random.below(CLIENTS);
    if (random.oneIn(12)) steps.push(event(random));
    else if (random.oneIn(30)) {
      steps.push({ kind: "command", client, args: ["SELECT", random.below(DATABASES)] });
    } else if (random.oneIn(20)) {
      steps.push({ kind: "command", client, args: ["MULTI"] });
      for (let i = random.below(4); i >= 0; i--) steps.push(command(client));
      steps.push({ kind: "command", client, args: ["EXEC"] });
    } else steps.push(command(client));
  }
  return steps;
}

function fromTemplate(random: Random): string[] {
  const words: string[] = [];
  for (const part of random.pick(TEMPLATES).trim().split(" ")) {
    if (part.startsWith("[") && random.oneIn(2)) continue;
    const text = part.replace(/[[\]]/g, "");
    words.push(text.replace(/\{(\w)\}/g, (_, letter: string) => PIECES[letter](random)));
  }
  return words;
}

function event(random: Random): Step {
  switch (random.below(6)) {
    case 0:
      return { kind: "expire" };
    case 1:
      return { kind: "evict", count: 1 + random.below(2) };
    case 2: {
      const group = random.pick(["string", "list", "set", "hash", "sorted-set", "stream"]);
      const [from, to] = [0, 0].map(() => `${group}:${random.below(3)}`);
      return { kind: "restore", from, to, ttl: random.below(20) };
    }
    default:
      return { kind: "pass", ms: 1 + random.below(20) };
  }
}

/** Lets some times pass during the round. */
function soon(arg: Argument, random: Random): Argument {
  if (typeof arg !== "string" || !/^[0-9]{7,15}$/.test(arg) || Number(arg) < FAR) return arg;
  switch (random.below(5)) {
    case 0:
    case 1:
      return String(random.below(30));
    case 2:
      return String(START_MS + random.below(400));
    case 3:
      return String(START_MS / 1000 + random.below(2));
    default:
      return arg;
  }
}

/** Runs the steps, and then the log on another engine; says what differs, or null. */
function runRound(steps: readonly Step[]): string | null {
  const engine = new Engine(START_MS, SEED, DIRECTIVES);
  const copy = new Engine(START_MS, SEED + 1, DIRECTIVES);
  try {
    engine.logChanges();
    const clients = Array.from({ length: CLIENTS }, () => engine.connect());
    for (const step of steps) {
      runStep(engine, clients, step);
      if (engine.server.stats.internalErrors > 0) return "an internal error";
    }
    for (const client of clients) client.close();
    const log = engine.takeChanges();
    copy.clock.setMs(engine.clock.nowMs());
    const errors = copy.replay(log);
    if (errors.length > 0) return `refused: ${errors.join("; ")}`;
    return firstDifference(stateOf(engine), stateOf(copy), log);
  } finally {
    engine.stop();
    copy.stop();
  }
}

function runStep(engine: Engine, clients: readonly EngineClient[], step: Step): void {
  const { keyspace } = engine.server;
  switch (step.kind) {
    case "command": {
      const client = clients[step.client];
      const { wait } = client.client;
      // Who waits has waited long enough when something else is to run.
      if (wait !== null) engine.server.unblock(wait, null);
      client.command(...step.args);
      while (client.takeReply() !== null);
      return;
    }
    case "restore": {
      const client = clients.find(({ client: each }) => !each.blocked && each.queue === null);
      const payload = client?.command("DUMP", step.from);
      if (payload?.type !== "bulk") return;
      client?.command("RESTORE", step.to, step.ttl, payload.bytes, "REPLACE");
      return;
    }
    case "pass":
      engine.clock.advanceMs(step.ms);
      keyspace.tick();
      return;
    case "expire":
      keyspace.expiry.runSlow(1000);
      return;
    case "evict": {
      let left = step.count;
      keyspace.evictor.evictUntilFits(() => (left-- > 0 ? 2 : 0), 1);
    }
  }
}

/** All that a log must bring back, as lines. */
function stateOf(engine: Engine): string[] {
  const { keyspace } = engine.server;
  // Nothing is removed by looking at it.
  keyspace.mayExpire = false;
  keyspace.hidesExpired = false;
  keyspace.tick();
  const client = engine.connect();
  const ask = (...args: readonly Argument[]) => client.command(...args)!;
  const lines = [`digest ${textOf(ask("DEBUG", "DIGEST"))}`];
  for (let database = 0; database < keyspace.databases.length; database++) {
    ask("SELECT", database);
    for (const key of bytesIn(ask("KEYS", "*"))) {
      const type = textOf(ask("TYPE", key));
      const name = `${database} ${quoteBytes(key)}`;
      lines.push(`${name} ${type} until ${formatReply(ask("PEXPIRETIME", key))}`);
      lines.push(`${name} digest ${formatReply(ask("DEBUG", "DIGEST-VALUE", key))}`);
      if (type === "hash") {
        for (const field of bytesIn(ask("HKEYS", key))) {
          const until = ask("HPEXPIRETIME", key, "FIELDS", 1, field);
          lines.push(`${name} ${quoteBytes(field)} until ${formatReply(until)}`);
        }
      } else if (type === "stream") lines.push(`${name} ${streamState(ask, key)}`);
    }
  }
  client.close();
  return lines;
}

/** The bulk strings of an array, sorted. */
function bytesIn(reply: Reply): Uint8Array[] {
  return itemsOf(reply).map(bytesOf).sort(Buffer.compare);
}

function bytesOf(reply: Reply): Uint8Array {
  if (reply.type !== "bulk") throw new Error("no bulk string");
  return reply.bytes;
}

/** A stream with what is pending in its groups, but for consumers that have nothing. */
function streamState(ask: (...args: readonly Argument[]) => Reply, key: Uint8Array): string {
  const info = formatReply(ask("XINFO", "STREAM", key)).replace(/"radix-tree-.*\n.*\n/g, "");
  const groups = itemsOf(ask("XINFO", "GROUPS", key)).map((group) => {
    const fields = itemsOf(group).map((item) => formatReply(item));
    const name = bytesOf(itemsOf(group)[1]);
    // That a consumer read its entries once more does not propagate: neither when nor how often.
    const pending = itemsOf(ask("XPENDING", key, name, "-", "+", 1_000_000)).map((entry) =>
      itemsOf(entry)
        .slice(0, 2)
        .map((item) => formatReply(item))
        .join(" for "),
    );
    // Consumers that were named, and got nothing, do not propagate.
    const consumers = fields.indexOf('"consumers"');
    return `${fields.toSpliced(consumers, 2).join(" ")} ${pending.join(", ")}`;
  });
  return [info, ...groups].join("\n");
}

function firstDifference(
  original: readonly string[],
  copied: readonly string[],
  log: Uint8Array,
): string | null {
  // The digest of all is told last: what it is about says more.
  const lines = [...original.slice(1), original[0]];
  const others = [...copied.slice(1), copied[0]];
  for (let i = 0; i < Math.max(lines.length, others.length); i++) {
    if (lines[i] === others[i]) continue;
    const commands = commandsIn(log).map((args) => `  ${formatCommand(args)}`);
    return (
      `data differ\n  original: ${lines[i]}\n  copy:     ${others[i]}\n` +
      `the log:\n${commands.slice(-60).join("\n")}`
    );
  }
  return null;
}

/** The fewest steps that still show a difference, as a message. */
function explain(steps: readonly Step[], problem: string): string {
  let kept = steps;
  let shown = problem;
  let replays = 0;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < kept.length && replays < REPLAYS_MAX;) {
      const fewer = [...kept.slice(0, start), ...kept.slice(start + size)];
      const stillWrong = runRound(fewer);
      replays++;
      if (stillWrong === null) start += size;
      else {
        kept = fewer;
        shown = stillWrong;
      }
    }
  }
  const log = kept.map((step) =>
    step.kind === "command"
      ? `  ${step.client}: ${formatCommand(step.args)}`
      : `  ${JSON.stringify(step)}`,
  );
  return `${shown}\nfewest steps that show it (${kept.length} of ${steps.length}):\n${log.join("\n")}`;
}
