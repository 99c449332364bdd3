// The engine: strings and keys, memory per key, latency with many keys, the start of the process.

import { join } from "node:path";
import {
  cpuPerRequest,
  MIB,
  populate,
  populateText,
  readHeapSize,
  throughputFigure,
  withServer,
  type Figure,
  type Sample,
} from "./figure.ts";
import type { MixedLoadReport } from "./mixed-load.ts";
import { readCpuTime, readResidentBytes } from "./process-stats.ts";
import { CLIENT_CORE, displayCommand, type RunningServer, type ServerKind } from "./servers.ts";

const QUICK_DIVISOR = 10;
const MEMORY_KEYS = 3_000_000;
const MANY_KEYS = 10_000_000;
const MIXED_REQUESTS = 1_000_000;
const STARTS = 20;

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

const once = (): number => 1;

export const ENGINE_FIGURES: readonly Figure[] = [
  throughputFigure("engine", "ping-p1", "PING, one at a time", {
    test: "ping_mbulk",
    pipeline: 1,
    requests: 300_000,
  }),
  throughputFigure("engine", "set-p1", "SET, one at a time", {
    test: "set",
    pipeline: 1,
    requests: 300_000,
  }),
  throughputFigure("engine", "get-p1", "GET, one at a time", {
    test: "get",
    pipeline: 1,
    requests: 300_000,
  }),
  throughputFigure("engine", "set-p16", "SET, 16 in a pipeline", {
    test: "set",
    pipeline: 16,
    requests: 2_500_000,
  }),
  throughputFigure("engine", "get-p16", "GET, 16 in a pipeline", {
    test: "get",
    pipeline: 16,
    requests: 2_500_000,
  }),
  throughputFigure("engine", "incr-p16", "INCR, 16 in a pipeline", {
    test: "incr",
    pipeline: 16,
    requests: 2_500_000,
  }),
  throughputFigure("engine", "set-p100", "SET, 100 in a pipeline", {
    test: "set",
    pipeline: 100,
    requests: 4_000_000,
  }),
  throughputFigure("engine", "get-p100", "GET, 100 in a pipeline", {
    test: "get",
    pipeline: 100,
    requests: 4_000_000,
  }),
  {
    kind: "alone",
    group: "engine",
    name: "memory",
    title: `Memory, ${MEMORY_KEYS / 1e6} million keys`,
    isOursOnly: false,
    repeats: once,
    commands: () => [populateText(MEMORY_KEYS)],
    measure: measureMemory,
  },
  {
    kind: "alone",
    group: "engine",
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
    group: "engine",
    name: "startup",
    title: "Start",
    isOursOnly: false,
    repeats: (isQuick) => (isQuick ? 5 : STARTS),
    commands: (isQuick) => [`start, PING until PONG, stop; ${isQuick ? 5 : STARTS} times`],
    measure: measureStartup,
  },
  {
    kind: "alone",
    group: "engine",
    name: "heap",
    title: "JS heap, 10 million keys",
    isOursOnly: true,
    repeats: once,
    commands: (isQuick) => ["DEBUG JSHEAP", populateText(manyKeys(isQuick)), "DEBUG JSHEAP"],
    measure: measureHeap,
  },
];
