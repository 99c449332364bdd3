/**
 * Differential fuzzing of commands: random commands, built from the argument shapes of COMMAND
 * DOCS, go to our server and to the reference; replies are compared one by one, and after each
 * round all keys with their types, contents, encodings and times to live, and how many changes were
 * counted.
 *
 * SEED replays a run, FUZZ_MS sets its length. A difference is shrunk to the fewest commands.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { compareReplies, EXACT } from "../support/comparison.ts";
import { formatCommand } from "../support/differential.ts";
import { compareKeyspaces } from "../support/keyspace-state.ts";
import { describeWithPeers } from "../support/peers.ts";
import { textOf } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";
import { fuzzBudgetMs, type Random, seedOfRun, withSeed } from "../support/seed.ts";
import { useServer } from "../support/server-process.ts";
import { exemptionOf, WEAKER_COMPARISONS } from "./command-exemptions.ts";
import { CommandGenerator } from "./command-generator.ts";
import {
  type CommandShape,
  isNewer,
  listCommands,
  readShapes,
  versionOf,
} from "./command-shapes.ts";

const FILE = "test/fuzz/commands.fuzz.test.ts";
const SEED = seedOfRun();
const DEFAULT_BUDGET_MS = 1000;
const COMMANDS_PER_ROUND = 80;
/** Shrinking gives up after this many replays, which is some seconds. */
const REPLAYS_MAX = 400;

interface Step {
  readonly name: string;
  readonly args: readonly Argument[];
}

interface Pair {
  readonly ours: RespClient;
  readonly reference: RespClient;
}

/** What ours has, split by how it can be fuzzed. */
interface Plan {
  readonly compared: readonly CommandShape[];
  /** Newer than the reference: only that ours answers, whatever it is. */
  readonly alone: readonly CommandShape[];
  readonly missing: readonly string[];
}

describeWithPeers("command fuzzer", ["valkey-server"], () => {
  setDefaultTimeout(600_000);
  const ours = useServer({ program: "ours" });
  const reference = useServer({ program: "valkey-server" });

  const connect = async (): Promise<Pair> => {
    const [mine, theirs] = await Promise.all([ours().connect(), reference().connect()]);
    return { ours: mine, reference: theirs };
  };

  for (const protocol of [2, 3] as const) {
    test(`ours answers as the reference does [RESP${protocol}]`, async () => {
      await withSeed(FILE, SEED, async (random) => {
        const plan = await planOf(await connect());
        const deadline = Date.now() + fuzzBudgetMs(DEFAULT_BUDGET_MS);
        let rounds = 0;
        do {
          const steps = generateRound(plan.compared, random);
          const problem = await runRound(steps, await connect(), protocol);
          if (problem !== null) throw new Error(await explain(steps, problem, connect, protocol));
          rounds++;
        } while (Date.now() < deadline);
        expect(rounds).toBeGreaterThan(0);
      });
    });
  }

  test("ours survives what the reference does not know", async () => {
    await withSeed(FILE, SEED, async (random) => {
      const pair = await connect();
      const plan = await planOf(pair);
      const generator = new CommandGenerator(random);
      for (const shape of plan.alone) {
        for (let i = 0; i < 20; i++) await pair.ours.command(...generator.generate(shape));
      }
      expect(await pair.ours.must("PING")).toEqual({ type: "simple", text: "PONG" });
    });
  });

  test("every command is fuzzed or exempted with a reason", async () => {
    const plan = await planOf(await connect());
    expect(plan.missing).toEqual([]);
    for (const shape of [...plan.compared, ...plan.alone]) {
      expect(exemptionOf(shape.name)).toBeNull();
    }
  });
});

async function planOf(pair: Pair): Promise<Plan> {
  const version = await versionOf(pair.reference);
  const [shapes, referenceShapes] = await Promise.all([
    readShapes(pair.ours, version),
    readShapes(pair.reference, version),
  ]);
  const [names, referenceNames] = await Promise.all([
    listCommands(pair.ours),
    listCommands(pair.reference),
  ]);
  const known = new Set(referenceNames);
  const compared: CommandShape[] = [];
  const alone: CommandShape[] = [];
  const missing: string[] = [];
  for (const name of names) {
    if (exemptionOf(name) !== null) continue;
    const shape = shapes.get(name) ?? referenceShapes.get(name);
    if (shape === undefined) missing.push(`${name}: no COMMAND DOCS, hence no shape to fuzz`);
    else if (known.has(name) && !isNewer(shape.since, version)) compared.push(shape);
    else alone.push(shape);
  }
  return { compared, alone, missing };
}

/** Each round leaves out a part of the commands and prefers another, so that states differ. */
function generateRound(shapes: readonly CommandShape[], random: Random): Step[] {
  const generator = new CommandGenerator(random);
  const enabled = shapes.filter(() => !random.oneIn(3));
  const favourites = shapes.filter(() => random.oneIn(12));
  const steps: Step[] = [];
  for (let i = 0; i < COMMANDS_PER_ROUND; i++) {
    const pool = favourites.length > 0 && random.oneIn(2) ? favourites : enabled;
    if (pool.length === 0) continue;
    const shape = random.pick(pool);
    steps.push({ name: shape.name, args: generator.generate(shape) });
  }
  return steps;
}

/** Runs the steps on fresh connections, which it closes; says what differed, or null. */
async function runRound(
  steps: readonly Step[],
  pair: Pair,
  protocol: 2 | 3,
): Promise<string | null> {
  const state: Pair = {
    ours: await pair.ours.sibling(),
    reference: await pair.reference.sibling(),
  };
  const clients = [pair.ours, pair.reference];
  try {
    await Promise.all(clients.map((client) => client.must("FLUSHALL")));
    if (protocol === 3) await Promise.all(clients.map((client) => client.must("HELLO", 3)));
    const before = await changesOf(state);
    for (let i = 0; i < steps.length; i++) {
      const problem = await runStep(steps[i], pair);
      if (problem !== null) return `command ${i + 1}, ${formatCommand(steps[i].args)}: ${problem}`;
    }
    const after = await changesOf(state);
    const counts = [0, 1].map((i) => after[i] - before[i]);
    if (counts[0] !== counts[1]) {
      return `afterwards, changes since the last save: ours +${counts[0]}, reference +${counts[1]}`;
    }
    const difference = await compareKeyspaces(state.ours, state.reference);
    return difference === null ? null : `afterwards, ${difference}`;
  } finally {
    for (const client of [...clients, state.ours, state.reference]) client.close();
  }
}

/** rdb_changes_since_last_save of both. */
function changesOf({ ours, reference }: Pair): Promise<number[]> {
  return Promise.all(
    [ours, reference].map(async (client) => {
      const info = textOf(await client.must("INFO", "persistence"));
      return Number(/^rdb_changes_since_last_save:([0-9]+)/m.exec(info)?.[1]);
    }),
  );
}

async function runStep(step: Step, pair: Pair): Promise<string | null> {
  pair.ours.send(...step.args);
  pair.reference.send(...step.args);
  const [ours, reference] = await Promise.all([pair.ours.readReply(), pair.reference.readReply()]);
  return compareReplies(ours, reference, WEAKER_COMPARISONS.get(step.name) ?? EXACT);
}

/** The shortest list of commands that still shows a difference, as a message. */
async function explain(
  steps: readonly Step[],
  problem: string,
  connect: () => Promise<Pair>,
  protocol: 2 | 3,
): Promise<string> {
  let kept = steps;
  let shown = problem;
  let replays = 0;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < kept.length && replays < REPLAYS_MAX;) {
      const fewer = [...kept.slice(0, start), ...kept.slice(start + size)];
      const stillWrong = await runRound(fewer, await connect(), protocol);
      replays++;
      if (stillWrong === null) {
        start += size;
      } else {
        kept = fewer;
        shown = stillWrong;
      }
    }
  }
  const log = kept.map((step) => `  ${formatCommand(step.args)}`).join("\n");
  return `RESP${protocol}: ${shown}\nfewest commands that show it (${kept.length} of ${steps.length}):\n${log}`;
}
