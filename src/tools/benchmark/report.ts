/**
 * What the benchmark prints of a run, to the letter as valkey-benchmark does, since scripts read it:
 * the long form, one line (-q), a line of CSV, and the line that is overwritten while the run lasts.
 */
import { formatFixed } from "../numbers.ts";
import type { DistributionRow } from "./latency-distribution.ts";
import type { Measurement, Progress } from "./measurement.ts";
import type { BenchmarkOptions } from "./options.ts";

/** What CONFIG GET says of persistence; null if it says nothing. */
export interface ServerConfig {
  readonly save: string;
  readonly appendonly: string;
}

export const CSV_HEAD =
  '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",' +
  '"p99_latency_ms","max_latency_ms"\n';

const COLUMN_WIDTH = 9;

/** The line of a run that lasts; `before` is the progress that was printed last. */
export function progressLine(title: string, now: Progress, before: Progress | null): string {
  const intervalMs = now.elapsedMs - (before?.elapsedMs ?? 0);
  const finished = now.finished - (before?.finished ?? 0);
  const measured = now.measured - (before?.measured ?? 0);
  const latencyUs = now.latencySumUs - (before?.latencySumUs ?? 0);
  return (
    `${title}: rps=${perSecond(finished, intervalMs, 1)} ` +
    `(overall: ${perSecond(now.finished, now.elapsedMs, 1)}) ` +
    `avg_msec=${meanMs(latencyUs, measured)} ` +
    `(overall: ${meanMs(now.latencySumUs, now.measured)})`
  );
}

export function csvLine(title: string, { finished, totalMs, latencies }: Measurement): string {
  const numbers = [
    perSecond(finished, totalMs, 2),
    ...[
      latencies.meanUs,
      latencies.minUs,
      latencies.percentileUs(50),
      latencies.percentileUs(95),
      latencies.percentileUs(99),
      latencies.maxUs,
    ].map(milliseconds),
  ];
  return `${[title, ...numbers].map((field) => `"${field}"`).join(",")}\n`;
}

export function quietLine(title: string, { finished, totalMs, latencies }: Measurement): string {
  const p50 = milliseconds(latencies.percentileUs(50));
  return `${title}: ${perSecond(finished, totalMs, 2)} requests per second, p50=${p50} msec\n`;
}

export function longReport(
  title: string,
  measurement: Measurement,
  options: BenchmarkOptions,
  dataBytes: number,
  server: ServerConfig | null,
): string {
  const { finished, totalMs, latencies } = measurement;
  const numbers = [
    latencies.meanUs,
    latencies.minUs,
    latencies.percentileUs(50),
    latencies.percentileUs(95),
    latencies.percentileUs(99),
    latencies.maxUs,
  ];
  const lines = [
    `====== ${title} ======`,
    `  ${finished} requests completed in ${formatFixed(totalMs / 1000, 2)} seconds`,
    `  ${options.clients} parallel clients`,
    `  ${dataBytes} bytes payload`,
    `  keep alive: ${options.isKeptAlive ? 1 : 0}`,
    ...(server === null
      ? []
      : [
          `  host configuration "save": ${server.save}`,
          `  host configuration "appendonly": ${server.appendonly}`,
        ]),
    `  multi-thread: ${options.threads > 0 ? "yes" : "no"}`,
    ...(options.threads > 0 ? [`  threads: ${options.threads}`] : []),
    "",
    "Latency by percentile distribution:",
    ...latencies.percentileRows().map(distributionLine),
    "",
    "Cumulative distribution of latencies:",
    ...latencies.linearRows().map(distributionLine),
    "",
    "Summary:",
    `  throughput summary: ${perSecond(finished, totalMs, 2)} requests per second`,
    "  latency summary (msec):",
    `    ${columns(["avg", "min", "p50", "p95", "p99", "max"])}`,
    `    ${columns(numbers.map(milliseconds))}`,
  ];
  return `${lines.join("\n")}\n`;
}

function distributionLine({ percentile, us, count }: DistributionRow): string {
  return `${formatFixed(percentile, 3)}% <= ${milliseconds(us)} milliseconds (cumulative count ${count})`;
}

function columns(fields: readonly string[]): string {
  return fields.map((field) => field.padStart(COLUMN_WIDTH)).join(" ");
}

function milliseconds(us: number): string {
  return formatFixed(us / 1000, 3);
}

function meanMs(sumUs: number, count: number): string {
  return milliseconds(count === 0 ? 0 : sumUs / count);
}

function perSecond(count: number, ms: number, digits: number): string {
  return formatFixed(ms > 0 ? (count * 1000) / ms : 0, digits);
}
