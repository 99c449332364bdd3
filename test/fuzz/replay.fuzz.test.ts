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
import { formatReply, isError, itemsOf, textOf } from "../support/reply.ts";
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
  const engine = new Engine(START_MS, SEED);
  const copy = new Engine(START_MS, SEED + 1);
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
    const keys = itemsOf(ask("KEYS", "*")).map((key) => Buffer.from(textOf(key)).toString());
    for (const key of keys.sort()) {
      const type = textOf(ask("TYPE", key));
      const name = `${database} ${key}`;
      lines.push(`${name} ${type} until ${formatReply(ask("PEXPIRETIME", key))}`);
      lines.push(`${name} digest ${formatReply(ask("DEBUG", "DIGEST-VALUE", key))}`);
      if (type === "hash") {
        const fields = itemsOf(ask("HKEYS", key)).map((field) => {
          if (field.type !== "bulk") throw new Error("a field that is no bulk string");
          return field.bytes;
        });
        for (const field of fields.sort(Buffer.compare)) {
          const until = ask("HPEXPIRETIME", key, "FIELDS", 1, field);
          lines.push(`${name} ${Buffer.from(field).toHex()} until ${formatReply(until)}`);
        }
      } else if (type === "stream") lines.push(`${name} ${streamState(ask, key)}`);
    }
  }
  client.close();
  return lines;
}

/** A stream with what is pending in its groups, but for consumers that have nothing. */
function streamState(ask: (...args: string[]) => ReturnType<EngineClient["command"]>, key: string) {
  const info = formatReply(ask("XINFO", "STREAM", key)!).replace(/"radix-tree-.*\n.*\n/g, "");
  const groups = itemsOf(ask("XINFO", "GROUPS", key)!).map((group) => {
    const fields = itemsOf(group).map((item) => formatReply(item));
    const name = textOf(itemsOf(group)[1]);
    const pending = formatReply(ask("XPENDING", key, name, "-", "+", "1000000")!);
    // Consumers that were named, and got nothing, do not propagate.
    const consumers = fields.indexOf('"consumers"');
    return `${fields.toSpliced(consumers, 2).join(" ")} ${pending}`;
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
