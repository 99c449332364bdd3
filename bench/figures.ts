// The figures: what is measured, on which servers, and with which load.
//
// A figure either shares its servers with the other throughput figures of a round ("shared"), or
// has a server of its own, alone on the machine ("alone"), because it measures a whole process.

import { join } from "node:path";
import type { MixedLoadReport } from "./mixed-load.ts";
import { cpuUsedSince, readCpuTime, readResidentBytes, type CpuTime } from "./process-stats.ts";
import { benchmarkCommand, KEYSPACE, runBenchmark, type Load } from "./redis-benchmark.ts";
import {
  CLIENT_CORE,
  displayCommand,
  request,
  startServer,
  type RunningServer,
  type ServerKind,
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
  heapEmpty: { label: "JS heap: empty", unit: "MiB", digits: 2, isCompared: true },
} as const satisfies Record<string, Metric>;

export type MetricId = keyof typeof METRICS;
export type Sample = Partial<Record<MetricId, number>>;

interface FigureText {
  name: string;
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

const MIB = 1024 * 1024;
const QUICK_DIVISOR = 10;
const VALUE_SIZE = 32;
const MEMORY_KEYS = 3_000_000;
const MANY_KEYS = 10_000_000;
const MIXED_REQUESTS = 1_000_000;
const STARTS = 20;

// Writes every key that the loads use several times over, so that GET finds what it asks for, and
// makes the server warm.
const PREPARATION: Load = { test: "set", pipeline: 100, requests: 10 * KEYSPACE };

export async function prepareShared(server: RunningServer): Promise<void> {
  await runBenchmark(PREPARATION, server.port);
}

export function preparationCommand(): string {
  return displayCommand(benchmarkCommand(PREPARATION, "PORT"));
}

function throughputFigure(name: string, title: string, load: Load): SharedFigure {
  const measured = (isQuick: boolean): Load => scaled(load, isQuick ? QUICK_DIVISOR : 1);
  return {
    kind: "shared",
    name,
    title,
    commands: (isQuick) => [displayCommand(benchmarkCommand(measured(isQuick), "PORT"))],
    measure: async (server, isQuick) => {
      await runBenchmark(scaled(measured(isQuick), 10), server.port);
      const start = readCpuTime(server.pid);
      const report = await runBenchmark(measured(isQuick), server.port);
      return {
        ...cpuPerRequest(server, start, measured(isQuick).requests),
        throughput: report.requestsPerSecond,
        p50: report.p50Ms,
        p99: report.p99Ms,
        p999: report.p999Ms,
      };
    },
  };
}

function scaled(load: Load, divisor: number): Load {
  return { ...load, requests: load.requests / divisor };
}

function cpuPerRequest(server: RunningServer, start: CpuTime, requests: number): Sample {
  const use = cpuUsedSince(server.pid, start);
  return {
    cpu: use.totalMicros / requests,
    cpuUser: use.userMicros / requests,
    cpuSystem: use.systemMicros / requests,
    waited: use.waitedPercent,
  };
}

async function withServer(
  kind: ServerKind,
  body: (server: RunningServer) => Promise<Sample>,
): Promise<Sample> {
  const server = await startServer(kind);
  try {
    return await body(server);
  } finally {
    await server.stop();
  }
}

async function populate(server: RunningServer, keys: number): Promise<void> {
  await request(server.port, ["DEBUG", "POPULATE", String(keys), "key", String(VALUE_SIZE)]);
}

function measureMemory(kind: ServerKind): Promise<Sample> {
  return withServer(kind, async (server) => {
    const empty = readResidentBytes(server.pid);
    await populate(server, MEMORY_KEYS);
    const loaded = readResidentBytes(server.pid);
    return { bytesPerKey: (loaded - empty) / MEMORY_KEYS, loadedRss: loaded / MIB };
  });
}

function manyKeys(isQuick: boolean): number {
  return isQuick ? MANY_KEYS / QUICK_DIVISOR : MANY_KEYS;
}

function mixedCommand(bun: string, port: number | "PORT", isQuick: boolean): string[] {
  const requests = isQuick ? MIXED_REQUESTS / QUICK_DIVISOR : MIXED_REQUESTS;
  return [
    "taskset",
    "-c",
    String(CLIENT_CORE),
    bun,
    "bench/mixed-load.ts",
    "--port",
    String(port),
    "--clients",
    "50",
    "--keys",
    String(manyKeys(isQuick)),
    "--requests",
    String(requests),
  ];
}

function measureMixedLatency(kind: ServerKind, isQuick: boolean): Promise<Sample> {
  return withServer(kind, async (server) => {
    await populate(server, manyKeys(isQuick));
    // Once to warm the server up, once to measure.
    await runMixedLoad(server, isQuick);
    const start = readCpuTime(server.pid);
    const report = await runMixedLoad(server, isQuick);
    return {
      p50: report.p50Ms,
      p99: report.p99Ms,
      p999: report.p999Ms,
      max: report.maxMs,
      throughput: report.requestsPerSecond,
      ...cpuPerRequest(server, start, report.requests),
    };
  });
}

async function runMixedLoad(server: RunningServer, isQuick: boolean): Promise<MixedLoadReport> {
  const child = Bun.spawn(mixedCommand(process.execPath, server.port, isQuick), {
    cwd: join(import.meta.dir, ".."),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`mixed-load.ts failed: ${errors}`);
  return JSON.parse(output) as MixedLoadReport;
}

function measureStartup(kind: ServerKind): Promise<Sample> {
  return withServer(kind, async (server) => ({
    startup: server.startupMs,
    idleRss: readResidentBytes(server.pid) / MIB,
  }));
}

function measureHeap(kind: ServerKind, isQuick: boolean): Promise<Sample> {
  return withServer(kind, async (server) => {
    const empty = await readHeapSize(server);
    await populate(server, manyKeys(isQuick));
    const loaded = await readHeapSize(server);
    return { heapGrowth: (loaded - empty) / MIB, heapEmpty: empty / MIB };
  });
}

async function readHeapSize(server: RunningServer): Promise<number> {
  const reply = await request(server.port, ["DEBUG", "JSHEAP"]);
  const match = /heapSize:(\d+)/.exec(reply);
  if (match === null) throw new Error(`DEBUG JSHEAP has no heapSize: ${reply}`);
  return Number(match[1]);
}

function populateText(keys: number): string {
  return `DEBUG POPULATE ${keys} key ${VALUE_SIZE}`;
}

const once = (): number => 1;

export const FIGURES: readonly Figure[] = [
  throughputFigure("ping-p1", "PING, one at a time", {
    test: "ping_mbulk",
    pipeline: 1,
    requests: 300_000,
  }),
  throughputFigure("set-p1", "SET, one at a time", { test: "set", pipeline: 1, requests: 300_000 }),
  throughputFigure("get-p1", "GET, one at a time", { test: "get", pipeline: 1, requests: 300_000 }),
  throughputFigure("set-p16", "SET, 16 in a pipeline", {
    test: "set",
    pipeline: 16,
    requests: 2_500_000,
  }),
  throughputFigure("get-p16", "GET, 16 in a pipeline", {
    test: "get",
    pipeline: 16,
    requests: 2_500_000,
  }),
  throughputFigure("incr-p16", "INCR, 16 in a pipeline", {
    test: "incr",
    pipeline: 16,
    requests: 2_500_000,
  }),
  throughputFigure("set-p100", "SET, 100 in a pipeline", {
    test: "set",
    pipeline: 100,
    requests: 4_000_000,
  }),
  throughputFigure("get-p100", "GET, 100 in a pipeline", {
    test: "get",
    pipeline: 100,
    requests: 4_000_000,
  }),
  {
    kind: "alone",
    name: "memory",
    title: `Memory, ${MEMORY_KEYS / 1e6} million keys`,
    isOursOnly: false,
    repeats: once,
    commands: () => [populateText(MEMORY_KEYS)],
    measure: measureMemory,
  },
  {
    kind: "alone",
    name: "latency-10m",
    title: "GET and SET, 10 million keys",
    isOursOnly: false,
    repeats: once,
    commands: (isQuick) => [
      populateText(manyKeys(isQuick)),
      `${displayCommand(mixedCommand("bun", "PORT", isQuick))} (twice, the second is measured)`,
    ],
    measure: measureMixedLatency,
  },
  {
    kind: "alone",
    name: "startup",
    title: "Start",
    isOursOnly: false,
    repeats: (isQuick) => (isQuick ? 5 : STARTS),
    commands: (isQuick) => [`start, PING until PONG, stop; ${isQuick ? 5 : STARTS} times`],
    measure: measureStartup,
  },
  {
    kind: "alone",
    name: "heap",
    title: "JS heap, 10 million keys",
    isOursOnly: true,
    repeats: once,
    commands: (isQuick) => ["DEBUG JSHEAP", populateText(manyKeys(isQuick)), "DEBUG JSHEAP"],
    measure: measureHeap,
  },
];
