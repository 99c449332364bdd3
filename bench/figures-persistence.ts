// Persistence: saving and loading, saving while clients write, the append-only file.
//
// Saving and loading may use all cores: a server's threads and forked children are there to use
// another one, and share it with the client where there is one. What is appended is measured on one
// core, as in the other figures.

import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  cpuPerRequest,
  MIB,
  populate,
  populateText,
  withServer,
  type Figure,
  type Sample,
} from "./figure.ts";
import { readCpuTime, readFamilyBytes } from "./process-stats.ts";
import { benchmarkCommand, runBenchmark, type Load } from "./redis-benchmark.ts";
import { median } from "./results.ts";
import {
  displayCommand,
  newDirectory,
  request,
  startServer,
  type RunningServer,
  type ServerKind,
} from "./servers.ts";

const QUICK_DIVISOR = 10;
const KEYS = 3_000_000;
const APPENDED = 5_000_000;
const SAVES = 3;
const TIMEOUT_MS = 120_000;
const POLL_MS = 100;
/** How often a server is asked whether it still saves: rarely, since that is work for it, too. */
const SAVE_POLL_MS = 250;
// A command of the append-only file that is loaded takes some 75 bytes.
const CHUNK_COMMANDS = 10_000;

function scaled(count: number, isQuick: boolean): number {
  return isQuick ? count / QUICK_DIVISOR : count;
}

async function measureSaving(kind: ServerKind, isQuick: boolean): Promise<Sample> {
  const directory = newDirectory();
  try {
    const saved = await withServer(
      kind,
      async (server) => {
        await populate(server, scaled(KEYS, isQuick));
        const seconds: number[] = [];
        for (let i = 0; i < SAVES; i++) {
          const start = performance.now();
          await request(server.port, ["SAVE"]);
          seconds.push((performance.now() - start) / 1000);
        }
        return { saveSeconds: median(seconds) };
      },
      { directory, isFree: true },
    );
    return { ...saved, loadSeconds: await loadSeconds(kind, directory, []) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

// From the start of the process to its first answer, with what lies in the directory.
async function loadSeconds(
  kind: ServerKind,
  directory: string,
  directives: readonly string[],
): Promise<number> {
  const server = await startServer(kind, {
    directory,
    directives,
    isFree: true,
    timeoutMs: TIMEOUT_MS,
  });
  await server.stop();
  return server.startupMs / 1000;
}

function savingLoad(isQuick: boolean): Load {
  return { test: "set", pipeline: 1, requests: scaled(300_000, isQuick), keyspace: KEYS };
}

function measureSavingUnderLoad(kind: ServerKind, isQuick: boolean): Promise<Sample> {
  const measure = async (server: RunningServer): Promise<Sample> => {
    await populate(server, scaled(KEYS, isQuick));
    const load = savingLoad(isQuick);
    // Warm in both states.
    const warming = saveAgainAndAgain(server);
    await runBenchmark(load, server.port);
    await warming.end();
    await runBenchmark(load, server.port);
    const without = await runBenchmark(load, server.port);
    const saving = saveAgainAndAgain(server);
    const meanwhile = await runBenchmark(load, server.port);
    await saving.end();
    // Reading a process's memory disturbs it, so that is another run.
    const before = readFamilyBytes(server.pid);
    const watched = saveAgainAndAgain(server);
    const watch = watchMemory(server.pid);
    await runBenchmark(load, server.port);
    await watched.end();
    const extra = watch.end() - before;
    return {
      throughput: meanwhile.requestsPerSecond,
      throughputKept: (meanwhile.requestsPerSecond * 100) / without.requestsPerSecond,
      p50: meanwhile.p50Ms,
      p99: meanwhile.p99Ms,
      p999: meanwhile.p999Ms,
      extraMemory: extra / MIB,
      extraShare: (extra * 100) / before,
    };
  };
  return withServer(kind, measure, { isFree: true });
}

// One BGSAVE after the other, until it is told to end.
function saveAgainAndAgain(server: RunningServer): { end: () => Promise<void> } {
  let isWanted = true;
  const run = async (): Promise<void> => {
    while (isWanted) {
      await request(server.port, ["BGSAVE"]);
      while (await isSaving(server)) await Bun.sleep(SAVE_POLL_MS);
    }
  };
  const ended = run();
  return {
    end: async () => {
      isWanted = false;
      await ended;
    },
  };
}

async function isSaving(server: RunningServer): Promise<boolean> {
  const info = await request(server.port, ["INFO", "persistence"]);
  return /^rdb_bgsave_in_progress:1\r$/m.test(info);
}

function watchMemory(pid: number): { end: () => number } {
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, readFamilyBytes(pid))), POLL_MS);
  return {
    end: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

// A load on a server that appends what it changes.
function appendFigure(name: string, title: string, load: Load, policy: string): Figure {
  const directives = ["--appendonly", "yes", "--appendfsync", policy];
  const measured = (isQuick: boolean): Load => ({
    ...load,
    requests: scaled(load.requests, isQuick),
  });
  return {
    kind: "alone",
    group: "persistence",
    name,
    title,
    isOursOnly: false,
    repeats: () => 1,
    commands: (isQuick) => [
      `${displayCommand(directives)}; twice, the second is measured:`,
      displayCommand(benchmarkCommand(measured(isQuick), "PORT")),
    ],
    measure: (kind, isQuick) =>
      withServer(
        kind,
        async (server) => {
          const wanted = measured(isQuick);
          await runBenchmark(wanted, server.port);
          const start = readCpuTime(server.pid);
          const report = await runBenchmark(wanted, server.port);
          return {
            ...cpuPerRequest(server, start, wanted.requests),
            throughput: report.requestsPerSecond,
            p50: report.p50Ms,
            p99: report.p99Ms,
            p999: report.p999Ms,
          };
        },
        { directives },
      ),
  };
}

async function measureAppendedLoading(kind: ServerKind, isQuick: boolean): Promise<Sample> {
  const directory = newDirectory();
  try {
    writeAppendOnlyFile(directory, scaled(APPENDED, isQuick));
    return { loadSeconds: await loadSeconds(kind, directory, ["--appendonly", "yes"]) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

// An append-only directory of `count` SETs of different keys, all in one increment.
function writeAppendOnlyFile(directory: string, count: number): void {
  const folder = join(directory, "appendonlydir");
  mkdirSync(folder);
  const name = "appendonly.aof.1.incr.aof";
  writeFileSync(join(folder, "appendonly.aof.manifest"), `file ${name} seq 1 type i\n`);
  const file = openSync(join(folder, name), "w");
  writeSync(file, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n");
  for (let first = 0; first < count; first += CHUNK_COMMANDS) {
    let chunk = "";
    for (let i = first; i < Math.min(count, first + CHUNK_COMMANDS); i++) {
      const value = String(i).padEnd(32, "x");
      chunk += `*3\r\n$3\r\nSET\r\n$16\r\nkey:${String(i).padStart(12, "0")}\r\n$32\r\n${value}\r\n`;
    }
    writeSync(file, chunk);
  }
  closeSync(file);
}

export const PERSISTENCE_FIGURES: readonly Figure[] = [
  {
    kind: "alone",
    group: "persistence",
    name: "save",
    title: `Saving and loading ${KEYS / 1e6} million keys`,
    isOursOnly: false,
    repeats: () => 1,
    commands: (isQuick) => [
      populateText(scaled(KEYS, isQuick)),
      `SAVE, ${SAVES} times, the median counts; start on the same directory, PING until PONG`,
    ],
    measure: measureSaving,
  },
  {
    kind: "alone",
    group: "persistence",
    name: "bgsave",
    title: `SET while ${KEYS / 1e6} million keys are saved in the background`,
    isOursOnly: false,
    repeats: () => 1,
    commands: (isQuick) => [
      populateText(scaled(KEYS, isQuick)),
      `${displayCommand(benchmarkCommand(savingLoad(isQuick), "PORT"))} (once to warm up, once ` +
        "with BGSAVE after BGSAVE, twice without, once more with, and again to watch the memory)",
    ],
    measure: measureSavingUnderLoad,
  },
  appendFigure(
    "aof-everysec",
    "SET, 16 in a pipeline, appended, fsync every second",
    { test: "set", pipeline: 16, requests: 2_500_000 },
    "everysec",
  ),
  appendFigure(
    "aof-always",
    "SET, one at a time, appended, fsync always",
    { test: "set", pipeline: 1, requests: 400_000 },
    "always",
  ),
  {
    kind: "alone",
    group: "persistence",
    name: "aof-load",
    title: `Loading an append-only file of ${APPENDED / 1e6} million SETs`,
    isOursOnly: false,
    repeats: () => 1,
    commands: () => ["start on a directory with the file, PING until PONG"],
    measure: measureAppendedLoading,
  },
];
