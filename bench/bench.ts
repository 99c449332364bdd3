// Compares Bunsen with Redis and Valkey in one run.
//
//   bun run bench                                   all figures; writes docs/benchmarks.{md,svg}
//   bun run bench -- set-p16 memory --rounds 5      some; writes to dist/bench
//   bun run bench -- types                          a group of figures; writes to dist/bench
//   bun run bench -- --quick                        a tenth of the load; writes to dist/bench
//
// Environment: BUNSEN_BIN (our executable; dist/bunsen), BUNSEN_PEERS (where the reference servers
// are installed), BENCH_OURS (a command that takes Bunsen's place, with {port} in it), BENCH_CLIENT
// (redis-benchmark).
//
// Machines drift, so the servers are compared side by side: within a round they take turns figure
// by figure, in an order that rotates, and every round starts new processes.

import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawChart } from "./chart.ts";
import {
  FIGURE_GROUPS,
  prepareShared,
  type AloneFigure,
  type Figure,
  type Sample,
  type SharedFigure,
} from "./figure.ts";
import { FIGURES } from "./figures.ts";
import { formatDocument, formatFigure, type RunDescription } from "./report.ts";
import { medianSample, type FigureResult } from "./results.ts";
import {
  CLIENT_CORE,
  findServerKinds,
  startServer,
  type RunningServer,
  type ServerId,
  type ServerKind,
} from "./servers.ts";

const ROOT = join(import.meta.dir, "..");

const USAGE = `bun run bench -- [figure|group...] [--rounds N] [--quick] [--out DIR]
groups: ${FIGURE_GROUPS.join(" ")}
figures:
${FIGURES.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join("\n")}`;

interface Options {
  figures: Figure[];
  rounds: number;
  isQuick: boolean;
  out: string;
}

function readOptions(): Options | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "3" },
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a count from 1");
  for (const name of positionals) {
    if (!FIGURES.some((figure) => isNamed(figure, name))) throw new Error(`no figure ${name}`);
  }
  const isWhole = positionals.length === 0;
  // Only a whole run of Bunsen itself, at full size, may replace the published page.
  const isPublished = isWhole && !values.quick && process.env.BENCH_OURS === undefined;
  const out = values.out ?? join(ROOT, isPublished ? "docs" : "dist/bench");
  const figures = FIGURES.filter((figure) => {
    return isWhole || positionals.some((name) => isNamed(figure, name));
  });
  return { figures, rounds, isQuick: values.quick, out };
}

function isNamed(figure: Figure, name: string): boolean {
  return figure.name === name || figure.group === name;
}

class Comparison {
  readonly results: FigureResult[];

  constructor(
    private readonly options: Options,
    private readonly kinds: ServerKind[],
  ) {
    this.results = options.figures.map((figure) => {
      return { figure, samples: new Map(), errors: new Map() };
    });
  }

  async run(): Promise<void> {
    const shared = this.options.figures.filter((figure) => figure.kind === "shared");
    const alone = this.options.figures.filter((figure) => figure.kind === "alone");
    for (let round = 0; round < this.options.rounds; round++) {
      const turn = round % this.kinds.length;
      const kinds = [...this.kinds.slice(turn), ...this.kinds.slice(0, turn)];
      if (shared.length > 0) await this.measureShared(shared, kinds, round);
      for (const figure of alone) await this.measureAlone(figure, kinds, round);
    }
  }

  private async measureShared(
    figures: SharedFigure[],
    kinds: ServerKind[],
    round: number,
  ): Promise<void> {
    const servers: RunningServer[] = [];
    try {
      for (const kind of kinds) {
        const server = await startServer(kind);
        servers.push(server);
        await prepareShared(server);
      }
      for (const figure of figures) {
        for (const server of servers) {
          this.progress(round, figure, server.kind);
          await this.record(figure, server.kind.id, () => {
            return figure.measure(server, this.options.isQuick);
          });
        }
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  }

  private async measureAlone(
    figure: AloneFigure,
    kinds: ServerKind[],
    round: number,
  ): Promise<void> {
    const measured = kinds.filter(({ id }) => !figure.isOursOnly || id === "bunsen");
    const samples = new Map<ServerId, Sample[]>(measured.map(({ id }) => [id, []]));
    for (let i = 0; i < figure.repeats(this.options.isQuick); i++) {
      for (const kind of measured) {
        if (i === 0) this.progress(round, figure, kind);
        await this.attempt(figure, kind.id, async () => {
          samples.get(kind.id)?.push(await figure.measure(kind, this.options.isQuick));
        });
      }
    }
    for (const [id, repeats] of samples) {
      if (repeats.length > 0) await this.record(figure, id, async () => medianSample(repeats));
    }
  }

  private async record(
    figure: Figure,
    server: ServerId,
    measure: () => Promise<Sample>,
  ): Promise<void> {
    await this.attempt(figure, server, async () => {
      const sample = await measure();
      const { samples } = this.resultOf(figure);
      samples.set(server, [...(samples.get(server) ?? []), sample]);
    });
  }

  // A figure that one server cannot do (a command that it does not have) must not end the others.
  private async attempt(
    figure: Figure,
    server: ServerId,
    body: () => Promise<void>,
  ): Promise<void> {
    try {
      await body();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.resultOf(figure).errors.set(server, message);
    }
  }

  private resultOf(figure: Figure): FigureResult {
    const result = this.results.find((candidate) => candidate.figure === figure);
    if (result === undefined) throw new Error(`${figure.name} is not part of this run`);
    return result;
  }

  private progress(round: number, figure: Figure, kind: ServerKind): void {
    console.error(`round ${round + 1}/${this.options.rounds}  ${figure.name}  ${kind.label}`);
  }
}

function checkMachine(): void {
  if (process.platform !== "linux") throw new Error("the benchmark reads /proc and needs Linux");
  if (availableParallelism() < 2) throw new Error("the benchmark needs two cores");
  if (Bun.which("taskset") === null) throw new Error("the benchmark needs taskset");
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return console.log(USAGE);
  checkMachine();
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
  const kinds = findServerKinds();
  // This program itself must not disturb the server's core.
  Bun.spawnSync(["taskset", "-a", "-c", "-p", String(CLIENT_CORE), String(process.pid)]);
  const comparison = new Comparison(options, kinds);
  await comparison.run();
  const run: RunDescription = {
    date: new Date(),
    commandLine: ["bun run bench", ...process.argv.slice(2)].join(" "),
    commit: Bun.spawnSync(["git", "describe", "--always", "--dirty"], { cwd: ROOT })
      .stdout.toString()
      .trim(),
    rounds: options.rounds,
    isQuick: options.isQuick,
    kinds,
  };
  for (const result of comparison.results) console.log(formatFigure(result, kinds));
  mkdirSync(options.out, { recursive: true });
  await Bun.write(join(options.out, "benchmarks.md"), formatDocument(comparison.results, run));
  const chart = await drawChart(comparison.results, kinds);
  if (chart !== undefined) await Bun.write(join(options.out, "benchmarks.svg"), chart);
  console.log(`written to ${options.out}`);
  if (comparison.results.some(({ errors }) => errors.size > 0)) process.exitCode = 1;
}

await main();
