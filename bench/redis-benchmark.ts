// Runs redis-benchmark (or valkey-benchmark, whose report is the same) and reads its report.
//
// The CSV form has no percentile above 99, so the long form is read: its percentile distribution
// halves the distance to 100 % from row to row and has one at 99.902 %, which stands for p99.9.

import { join } from "node:path";
import { CLIENT_CORE, peersDirectory } from "./servers.ts";

export interface Load {
  // A name from redis-benchmark's -t, or a command's words, in which __rand_int__ is a number below
  // `keyspace` with twelve digits.
  test: string | readonly string[];
  pipeline: number;
  requests: number;
  // KEYSPACE if it is left out.
  keyspace?: number;
  // CLIENT TRACKING on, for every connection.
  isTracked?: boolean;
}

export interface LoadReport {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
}

const CLIENTS = 50;
const TIMEOUT_MS = 300_000;
export const KEYSPACE = 100_000;

function benchmarkProgram(): string {
  return (
    process.env.BENCH_CLIENT ??
    Bun.which("redis-benchmark") ??
    join(peersDirectory(), "valkey-benchmark")
  );
}

export function benchmarkVersion(): string {
  return Bun.spawnSync([benchmarkProgram(), "--version"]).stdout.toString().trim();
}

export function benchmarkCommand(load: Load, port: number | "PORT"): string[] {
  return [
    "taskset",
    "-c",
    String(CLIENT_CORE),
    benchmarkProgram(),
    "-h",
    "127.0.0.1",
    "-p",
    String(port),
    "-c",
    String(CLIENTS),
    "-P",
    String(load.pipeline),
    "-r",
    String(load.keyspace ?? KEYSPACE),
    "-n",
    String(load.requests),
    "--precision",
    "3",
    ...(load.isTracked ? ["--enable-tracking"] : []),
    ...(typeof load.test === "string" ? ["-t", load.test] : load.test),
  ];
}

export async function runBenchmark(load: Load, port: number): Promise<LoadReport> {
  const child = Bun.spawn(benchmarkCommand(load, port), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // It tries for ever to reach a server that has ended.
    timeout: TIMEOUT_MS,
  });
  const [report, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) {
    const reason = errors.trim().split("\n").at(-1) || report.slice(-200);
    throw new Error(`${String(load.test)}: redis-benchmark failed: ${reason}`);
  }
  return parseReport(report);
}

export function parseReport(report: string): LoadReport {
  const throughput = /throughput summary: ([\d.]+) requests per second/.exec(report);
  const summary = /avg +min +p50 +p95 +p99 +max\s+([\d. ]+)/.exec(report);
  if (throughput === null || summary === null) {
    throw new Error(`not a report of redis-benchmark: ${report.slice(-200)}`);
  }
  const latencies = summary[1].trim().split(/ +/).map(Number);
  return {
    requestsPerSecond: Number(throughput[1]),
    p50Ms: latencies[2],
    p99Ms: latencies[4],
    p999Ms: percentileFrom(report, 99.9),
  };
}

// The first row of the percentile distribution that covers the wanted share.
function percentileFrom(report: string, wanted: number): number {
  const start = report.indexOf("Latency by percentile distribution:");
  const end = report.indexOf("Cumulative distribution of latencies:");
  const rows = report.slice(start, end).matchAll(/^([\d.]+)% <= ([\d.]+) milliseconds/gm);
  for (const [, share, milliseconds] of rows) {
    if (Number(share) >= wanted) return Number(milliseconds);
  }
  throw new Error(`no row for ${wanted} % in the report of redis-benchmark`);
}
