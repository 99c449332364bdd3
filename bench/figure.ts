// What figures are made of: metrics, the two kinds of figures, and what many of them do.
//
// A figure either shares its servers with the other throughput figures of a round ("shared"), or
// has a server of its own, alone on the machine ("alone"), because it measures a whole process.

import { cpuUsedSince, readCpuTime, type CpuTime } from "./process-stats.ts";
import { benchmarkCommand, KEYSPACE, runBenchmark, type Load } from "./redis-benchmark.ts";
import {
  displayCommand,
  request,
  startServer,
  type RunningServer,
  type ServerKind,
  type StartOptions,
} from "./servers.ts";

export interface Metric {
  label: string;
  unit: string;
  digits: number;
  // Whether a ratio of it says anything.
  isCompared: boolean;
}

export const METRICS = {
  cpu: { label: "CPU per request", unit: "µs", digits: 3, isCompared: true },
  cpuUser: { label: "of it user", unit: "µs", digits: 3, isCompared: false },
  cpuSystem: { label: "of it system", unit: "µs", digits: 3, isCompared: false },
  waited: {
    label: "Waited for its core",
    unit: "% of the time",
    digits: 1,
    isCompared: false,
  },
  throughput: {
    label: "Throughput",
    unit: "requests/s",
    digits: 0,
    isCompared: true,
  },
  p50: { label: "p50", unit: "ms", digits: 3, isCompared: true },
  p99: { label: "p99", unit: "ms", digits: 3, isCompared: true },
  p999: { label: "p99.9", unit: "ms", digits: 3, isCompared: true },
  max: { label: "Slowest request", unit: "ms", digits: 3, isCompared: true },
  delivered: {
    label: "Messages delivered per CPU second",
    unit: "messages",
    digits: 0,
    isCompared: true,
  },
  bytesPerConnection: { label: "RSS per connection", unit: "bytes", digits: 0, isCompared: true },
  entryCpu: { label: "CPU per entry", unit: "µs", digits: 3, isCompared: true },
  bytesPerMember: {
    label: "RSS per member above its own bytes",
    unit: "bytes",
    digits: 1,
    isCompared: true,
  },
  bytesPerKey: {
    label: "RSS per key",
    unit: "bytes",
    digits: 1,
    isCompared: true,
  },
  loadedRss: {
    label: "RSS with all keys",
    unit: "MiB",
    digits: 1,
    isCompared: true,
  },
  startup: {
    label: "Start to first PONG",
    unit: "ms",
    digits: 1,
    isCompared: true,
  },
  idleRss: {
    label: "RSS of the empty server",
    unit: "MiB",
    digits: 1,
    isCompared: true,
  },
  heapGrowth: {
    label: "JS heap: loaded less empty",
    unit: "MiB",
    digits: 2,
    isCompared: true,
  },
  saveSeconds: { label: "Time to save", unit: "s", digits: 2, isCompared: true },
  loadSeconds: { label: "Time to load", unit: "s", digits: 2, isCompared: true },
  throughputKept: {
    label: "Throughput meanwhile, of that without",
    unit: "%",
    digits: 1,
    isCompared: true,
  },
  extraMemory: { label: "Extra memory at the peak", unit: "MiB", digits: 1, isCompared: true },
  extraShare: { label: "of the memory before", unit: "%", digits: 1, isCompared: false },
  heapEmpty: { label: "JS heap: empty", unit: "MiB", digits: 2, isCompared: true },
} as const satisfies Record<string, Metric>;

// What a run can be asked for as a whole; each is a file of figures.
export const FIGURE_GROUPS = ["engine", "types", "clients", "persistence"] as const;
export type FigureGroup = (typeof FIGURE_GROUPS)[number];

export type MetricId = keyof typeof METRICS;
export type Sample = Partial<Record<MetricId, number>>;

interface FigureText {
  name: string;
  // The group that it belongs to: a run measures groups or single figures.
  group: FigureGroup;
  title: string;
  // What is run, with PORT for the server's port.
  commands: (isQuick: boolean) => string[];
}

export interface SharedFigure extends FigureText {
  kind: "shared";
  measure: (server: RunningServer, isQuick: boolean) => Promise<Sample>;
}

export interface AloneFigure extends FigureText {
  kind: "alone";
  isOursOnly: boolean;
  // How often a round measures it, the servers taking turns; the median is the round's value.
  repeats: (isQuick: boolean) => number;
  measure: (kind: ServerKind, isQuick: boolean) => Promise<Sample>;
}

export type Figure = SharedFigure | AloneFigure;

export const MIB = 1024 * 1024;
const QUICK_DIVISOR = 10;
const VALUE_SIZE = 32;

// Writes every key that the loads use several times over, so that GET finds what it asks for, and
// makes the server warm.
const PREPARATION: Load = { test: "set", pipeline: 100, requests: 10 * KEYSPACE };

export async function prepareShared(server: RunningServer): Promise<void> {
  await runBenchmark(PREPARATION, server.port);
}

export function preparationCommand(): string {
  return displayCommand(benchmarkCommand(PREPARATION, "PORT"));
}

export function throughputFigure(
  group: FigureGroup,
  name: string,
  title: string,
  load: Load,
  options: {
    // What must be there before each run, and how it comes there.
    prepare?: { text: string; run: (server: RunningServer) => Promise<void> };
    // What goes on while it runs, and how it begins; the answer ends it.
    attach?: { text: string; run: (server: RunningServer) => Promise<() => void> };
    // How often the whole load runs before it is measured; a tenth of it once if left out.
    warmUps?: number;
  } = {},
): SharedFigure {
  const { prepare, attach, warmUps } = options;
  const measured = (isQuick: boolean): Load => scaled(load, isQuick ? QUICK_DIVISOR : 1);
  return {
    kind: "shared",
    group,
    name,
    title,
    commands: (isQuick) => [
      ...(prepare === undefined ? [] : [prepare.text]),
      ...(attach === undefined ? [] : [attach.text]),
      displayCommand(benchmarkCommand(measured(isQuick), "PORT")),
    ],
    measure: async (server, isQuick) => {
      const detach = await attach?.run(server);
      try {
        for (let i = 0; i < (warmUps ?? 1); i++) {
          await prepare?.run(server);
          const warmUp = scaled(measured(isQuick), warmUps === undefined ? 10 : 1);
          await runBenchmark(warmUp, server.port);
        }
        await prepare?.run(server);
        const start = readCpuTime(server.pid);
        const report = await runBenchmark(measured(isQuick), server.port);
        return {
          ...cpuPerRequest(server, start, measured(isQuick).requests),
          throughput: report.requestsPerSecond,
          p50: report.p50Ms,
          p99: report.p99Ms,
          p999: report.p999Ms,
        };
      } finally {
        detach?.();
      }
    },
  };
}

function scaled(load: Load, divisor: number): Load {
  return { ...load, requests: load.requests / divisor };
}

export function cpuPerRequest(server: RunningServer, start: CpuTime, requests: number): Sample {
  const use = cpuUsedSince(server.pid, start);
  return {
    cpu: use.totalMicros / requests,
    cpuUser: use.userMicros / requests,
    cpuSystem: use.systemMicros / requests,
    waited: use.waitedPercent,
  };
}

export async function withServer(
  kind: ServerKind,
  body: (server: RunningServer) => Promise<Sample>,
  options: StartOptions = {},
): Promise<Sample> {
  const server = await startServer(kind, options);
  try {
    return await body(server);
  } finally {
    await server.stop();
  }
}

export async function populate(server: RunningServer, keys: number): Promise<void> {
  await request(server.port, ["DEBUG", "POPULATE", String(keys), "key", String(VALUE_SIZE)]);
}

export function populateText(keys: number): string {
  return `DEBUG POPULATE ${keys} key ${VALUE_SIZE}`;
}

// Bytes of the JS heap without the memory of array buffers, of which the arena consists.
export async function readHeapSize(server: RunningServer): Promise<number> {
  const reply = await request(server.port, ["DEBUG", "JSHEAP"]);
  const match = /heapSize:(\d+)/.exec(reply);
  if (match === null) throw new Error(`DEBUG JSHEAP has no heapSize: ${reply}`);
  return Number(match[1]);
}
