/**
 * Differential tests: the same script runs against our server and the reference server, replies
 * are compared byte by byte, and afterwards so is everything the two hold.
 *
 *     const suite = useDifferential();
 *     suite.test("GETDEL", (c) => {
 *       c.do("SET", "k", "v");
 *       c.do("GETDEL", "k");
 *       c.fail("GETDEL");                        // both must answer the same error
 *     });
 *
 * Each script runs once in RESP2 and once in RESP3, on fresh connections and an empty keyspace.
 * A plain `do` refuses an error, so a test cannot pass because both servers failed.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { compareReplies, EXACT, type Comparison } from "./comparison.ts";
import { compareKeyspaces } from "./keyspace-state.ts";
import { isStandIn } from "./peers.ts";
import { formatReply, isError, itemsOf, quoteBytes } from "./reply.ts";
import type { Argument, ReceivedReply, RespClient } from "./resp-client.ts";
import { useServer, type Directives, type ServerProcess } from "./server-process.ts";

/** Reads something off one server; both servers' results must be equal. */
export type Probe = (client: RespClient) => Promise<string>;

/** `needs`: the command that our server must have for the step to run. */
type Step = { readonly needs?: string } & (
  | {
      readonly kind: "command";
      readonly args: readonly Argument[];
      readonly comparison: Comparison;
      readonly outcome: "success" | "error" | "any";
      readonly connection: string;
    }
  | {
      readonly kind: "probe";
      readonly title: string;
      readonly probe: Probe;
      readonly connection: string;
    }
  | {
      readonly kind: "until";
      readonly args: readonly Argument[];
      readonly reply: string;
      readonly connection: string;
    }
  | {
      readonly kind: "ours";
      readonly args: readonly Argument[];
      readonly reply: string;
      readonly connection: string;
    }
);

/** The connections of a test to one server, by name. */
class Connections {
  private readonly clients = new Map<string, RespClient>();
  private readonly server: ServerProcess;
  private readonly protocol: 2 | 3;

  constructor(server: ServerProcess, protocol: 2 | 3) {
    this.server = server;
    this.protocol = protocol;
  }

  async get(name: string): Promise<RespClient> {
    const known = this.clients.get(name);
    if (known !== undefined) return known;
    const client = await this.server.connect();
    this.clients.set(name, client);
    if (this.protocol === 3) await client.must("HELLO", 3);
    return client;
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }
}

/** Records a script. Nothing is sent before the script is complete. */
export class Script {
  private readonly steps: Step[];
  private readonly connection: string;

  constructor(steps: Step[], connection: string) {
    this.steps = steps;
    this.connection = connection;
  }

  /**
   * Steps for which our server must have the command; without it they are left out on both
   * sides, and the run says so. For what other groups of commands are needed for.
   */
  where(command: string, record: () => void): void {
    const before = this.steps.length;
    record();
    for (let i = before; i < this.steps.length; i++)
      this.steps[i] = { ...this.steps[i], needs: command };
  }

  /** The same script on another connection, by name; "main" is the first one. */
  on(connection: string): Script {
    return new Script(this.steps, connection);
  }

  /** Replies must be the same bytes and no error. */
  do(...args: readonly Argument[]): void {
    this.add(args, EXACT, "success");
  }

  /** Both must answer the same error, to the letter. */
  fail(...args: readonly Argument[]): void {
    this.add(args, EXACT, "error");
  }

  /** Both must answer an error that contains the text. */
  failContaining(text: string, ...args: readonly Argument[]): void {
    this.add(args, { form: "error-containing", text }, "error");
  }

  /** The same elements in any order. */
  sorted(...args: readonly Argument[]): void {
    this.add(args, { form: "sorted" }, "success");
  }

  /** The same types and counts; the values may differ. */
  sameShape(...args: readonly Argument[]): void {
    this.add(args, { form: "same-shape" }, "success");
  }

  /** Numbers that are at most `difference` apart; negative ones must be equal. */
  within(difference: number, ...args: readonly Argument[]): void {
    this.add(args, { form: "within", difference }, "success");
  }

  /** Only that neither fails. */
  ignore(...args: readonly Argument[]): void {
    this.add(args, { form: "ignore" }, "success");
  }

  /** The same bytes, be it a success or an error; for loops over many odd arguments. */
  either(...args: readonly Argument[]): void {
    this.add(args, EXACT, "any");
  }

  /** Repeats the command until its reply reads `reply` (formatReply's text), on each server. */
  until(reply: string, ...args: readonly Argument[]): void {
    this.steps.push({ kind: "until", args, reply, connection: this.connection });
  }

  /** Runs a function on each server; their results must be equal. */
  probe(title: string, probe: Probe): void {
    this.steps.push({ kind: "probe", title, probe, connection: this.connection });
  }

  /**
   * For what the reference executable is too old for: runs on ours alone, the reply is given as
   * formatReply's text (RESP2's null and RESP3's are both written "null").
   */
  ours(reply: string, ...args: readonly Argument[]): void {
    this.steps.push({ kind: "ours", args, reply, connection: this.connection });
  }

  private add(
    args: readonly Argument[],
    comparison: Comparison,
    outcome: "success" | "error" | "any",
  ): void {
    this.steps.push({ kind: "command", args, comparison, outcome, connection: this.connection });
  }
}

export interface DifferentialSuite {
  /** Registers a differential test, once per protocol version. */
  test(title: string, record: (script: Script) => void): void;
  /** A script that only ours runs: no reference, no comparison of the keyspaces afterwards. */
  testOurs(title: string, record: (script: Script) => void): void;
  ours(): ServerProcess;
  reference(): ServerProcess;
}

/** Starts one server of each kind for the calling file. Requires: inside describeWithPeers. */
export function useDifferential(directives: Directives = {}): DifferentialSuite {
  setDefaultTimeout(30_000);
  const ours = useServer({ program: "ours", directives });
  const reference = useServer({ program: "valkey-server", directives });
  return {
    ours,
    reference,
    test(title, record) {
      for (const protocol of [2, 3] as const) {
        test(`${title} [RESP${protocol}]`, async () => {
          const steps: Step[] = [];
          record(new Script(steps, "main"));
          await runScript(steps, ours(), reference(), protocol);
        });
      }
    },
    testOurs(title, record) {
      for (const protocol of [2, 3] as const) {
        test.skipIf(isStandIn())(`${title} [RESP${protocol}]`, async () => {
          const steps: Step[] = [];
          record(new Script(steps, "main"));
          await runOurScript(steps, ours(), protocol);
        });
      }
    },
  };
}

async function runScript(
  recorded: readonly Step[],
  ours: ServerProcess,
  reference: ServerProcess,
  protocol: 2 | 3,
): Promise<void> {
  const mine = new Connections(ours, protocol);
  const theirs = new Connections(reference, protocol);
  try {
    const steps = await possibleSteps(recorded, await mine.get("state"));
    await Promise.all([reset(await mine.get("main")), reset(await theirs.get("main"))]);
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i];
      const problem = await runStep(
        step,
        await mine.get(step.connection),
        await theirs.get(step.connection),
      );
      if (problem !== null) throw new Error(describeFailure(steps, i, problem));
    }
    const problem = await compareKeyspaces(await mine.get("state"), await theirs.get("state"));
    if (problem !== null) throw new Error(`after the script, ${problem}`);
    expect(problem).toBeNull();
  } finally {
    mine.close();
    theirs.close();
  }
}

async function runOurScript(
  recorded: readonly Step[],
  ours: ServerProcess,
  protocol: 2 | 3,
): Promise<void> {
  const mine = new Connections(ours, protocol);
  try {
    const steps = await possibleSteps(recorded, await mine.get("state"));
    await reset(await mine.get("main"));
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i];
      const problem = await runOurStep(step, await mine.get(step.connection));
      if (problem !== null) throw new Error(describeFailure(steps, i, problem));
    }
    expect(steps.length).toBeGreaterThan(0);
  } finally {
    mine.close();
  }
}

/** The steps without those that need a command which the server does not have. */
async function possibleSteps(steps: readonly Step[], ours: RespClient): Promise<readonly Step[]> {
  const missing = new Set<string>();
  for (const name of new Set(steps.flatMap((step) => step.needs ?? []))) {
    const [row] = itemsOf(await ours.must("COMMAND", "INFO", name));
    if (row.type === "null") missing.add(name);
  }
  if (missing.size === 0) return steps;
  console.warn(`steps left out, ours has no ${[...missing].join(", ")}`);
  return steps.filter((step) => step.needs === undefined || !missing.has(step.needs));
}

async function reset(client: RespClient): Promise<void> {
  await client.must("FLUSHALL");
}

async function runStep(step: Step, mine: RespClient, theirs: RespClient): Promise<string | null> {
  switch (step.kind) {
    case "command": {
      const [ours, reference] = await Promise.all([
        exchange(mine, step.args),
        exchange(theirs, step.args),
      ]);
      return (
        checkOutcome(step.outcome, ours, reference) ??
        compareReplies(ours, reference, step.comparison)
      );
    }
    case "probe": {
      const [ours, reference] = await Promise.all([step.probe(mine), step.probe(theirs)]);
      if (ours === reference) return null;
      return `results differ\n  ours:      ${ours}\n  reference: ${reference}`;
    }
    case "until":
      await Promise.all([
        repeatUntil(mine, step.args, step.reply),
        repeatUntil(theirs, step.args, step.reply),
      ]);
      return null;
    case "ours":
      return isStandIn() ? null : runOurStep(step, mine);
  }
}

async function runOurStep(step: Step, mine: RespClient): Promise<string | null> {
  switch (step.kind) {
    case "command": {
      const { reply } = await exchange(mine, step.args);
      const wanted = step.outcome === "error";
      if (step.outcome === "any" || isError(reply) === wanted) return null;
      return `${wanted ? "an error was expected" : "refused"}: ${formatReply(reply)}`;
    }
    case "until":
      await repeatUntil(mine, step.args, step.reply);
      return null;
    case "probe":
      await step.probe(mine);
      return null;
    case "ours": {
      const got = formatReply((await exchange(mine, step.args)).reply).replace(
        /null (bulk|array)/g,
        "null",
      );
      return got === step.reply ? null : `expected ${step.reply}\n  got      ${got}`;
    }
  }
}

async function exchange(client: RespClient, args: readonly Argument[]): Promise<ReceivedReply> {
  client.send(...args);
  return client.readReply();
}

function checkOutcome(
  outcome: "success" | "error" | "any",
  ours: ReceivedReply,
  reference: ReceivedReply,
): string | null {
  if (outcome === "any") return null;
  const wanted = outcome === "error";
  if (isError(reference.reply) !== wanted) {
    return `the reference ${wanted ? "did not fail" : "failed"}: ${formatReply(reference.reply)}`;
  }
  if (isError(ours.reply) !== wanted) {
    return (
      `ours ${wanted ? "did not fail" : "failed"}: ${formatReply(ours.reply)}` +
      `\n  reference: ${formatReply(reference.reply, "  ")}`
    );
  }
  return null;
}

async function repeatUntil(client: RespClient, args: readonly Argument[], wanted: string) {
  while (formatReply((await exchange(client, args)).reply) !== wanted);
}

function describeFailure(steps: readonly Step[], at: number, problem: string): string {
  const lines = steps.slice(Math.max(0, at - 8), at + 1).map((step, i, shown) => {
    const mark = i === shown.length - 1 ? ">" : " ";
    const connection = step.connection === "main" ? "" : `(${step.connection}) `;
    return `${mark} ${connection}${step.kind === "probe" ? step.title : formatCommand(step.args)}`;
  });
  return `step ${at + 1} of ${steps.length}: ${problem}\n${lines.join("\n")}`;
}

/** A command as one could type it into a command-line client. */
export function formatCommand(args: readonly Argument[]): string {
  return args
    .map((arg) => {
      const bytes = arg instanceof Uint8Array ? arg : new TextEncoder().encode(String(arg));
      const text = quoteBytes(bytes, 120);
      return /^"[!-~]+"$/.test(text) && !text.includes("\\") ? text.slice(1, -1) : text;
    })
    .join(" ");
}
