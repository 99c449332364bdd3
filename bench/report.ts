// Turns results into text: lines for the terminal, and docs/benchmarks.md.

import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { METRICS, preparationCommand, type MetricId } from "./figure.ts";
import { benchmarkVersion } from "./redis-benchmark.ts";
import { medianOf, metricsOf, ratioTo, type FigureResult, type Ratio } from "./results.ts";
import { CLIENT_CORE, displayCommand, SERVER_CORE, type ServerKind } from "./servers.ts";

export interface RunDescription {
  date: Date;
  commandLine: string;
  commit: string;
  rounds: number;
  isQuick: boolean;
  kinds: ServerKind[];
}

export function formatFigure(result: FigureResult, kinds: readonly ServerKind[]): string {
  const lines = [`${result.figure.name}: ${result.figure.title}`];
  for (const metric of metricsOf([...result.samples.values()].flat())) {
    const { label, unit } = METRICS[metric];
    const values = kinds.map(({ id, label: server }) => {
      return `${server} ${formatValue(medianOf(result, id, metric), metric)}`;
    });
    const ratios = peersOf(kinds)
      .map(({ id, label: peer }) => ({ peer, ratio: ratioTo(result, id, metric) }))
      .filter(({ ratio }) => ratio !== undefined)
      .map(({ peer, ratio }) => `÷ ${peer} ${formatRatio(ratio)}`);
    lines.push(`  ${`${label}, ${unit}`.padEnd(28)} ${[...values, ...ratios].join("  ")}`);
  }
  for (const [server, error] of result.errors) lines.push(`  ${server} failed: ${error}`);
  return lines.join("\n");
}

export function formatDocument(results: readonly FigureResult[], run: RunDescription): string {
  return [
    "# Benchmarks",
    "",
    "Bunsen beside Redis and Valkey, measured in one run on one machine. This page is written by",
    "`bun run bench`; do not edit it.",
    "",
    "![CPU, throughput, memory and latency of the three servers](benchmarks.svg)",
    "",
    ...formatMethod(run),
    ...results.flatMap((result) => formatTable(result, run.kinds)),
    "## Commands",
    "",
    `Run with \`${run.commandLine}\` at commit ${run.commit}. The servers:`,
    "",
    "```",
    ...run.kinds.map((kind) => `taskset -c ${SERVER_CORE} ${displayCommand(kind.command)}`),
    "```",
    "",
    "Before the throughput figures of a round, on each server:",
    "",
    "```",
    preparationCommand(),
    "```",
    "",
    "Then, each run of redis-benchmark preceded by a tenth of itself to warm up:",
    "",
    "```",
    ...results.flatMap(({ figure }) => {
      return figure.commands(run.isQuick).map((command) => `${figure.name}: ${command}`);
    }),
    "```",
    "",
  ].join("\n");
}

function formatMethod(run: RunDescription): string[] {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    "## How",
    "",
    `- Date: ${run.date.toISOString().slice(0, 16).replace("T", " ")} UTC.`,
    `- Machine: ${processors.length} cores of ${processors[0].model.trim()}, ${memory} GiB, ` +
      `Linux ${release()}; load average at the end ${loadAverage()}.`,
    ...run.kinds.map((kind) => `- ${kind.label}: \`${kind.version}\`.`),
    `- Client: \`${benchmarkVersion()}\`, 50 connections; the mixed load is bench/mixed-load.ts ` +
      `on Bun ${Bun.version}.`,
    `- The server alone has core ${SERVER_CORE}, the client core ${CLIENT_CORE}. No persistence.`,
    `- ${run.rounds} rounds with fresh processes; in each, the servers take turns figure by ` +
      "figure. A value is the median of the rounds.",
    "- A ratio is Bunsen's median divided by the other's; in parentheses, the lowest and highest " +
      "of the rounds. Below 1, Bunsen is better, except for throughput and messages delivered.",
    "- CPU per request is what the server's process used, all threads, user and system: unlike " +
      "throughput, it does not depend on the client.",
    '- "Waited for its core" is how long the server was ready to run and something else ran: ' +
      "above a few per cent, other programs disturbed the run.",
    "- Latency is taken with every client sending its next request at once: the server is " +
      "saturated, and most of the latency is queueing.",
    ...(run.isQuick
      ? ["- Quick: a tenth of the requests, and a tenth of the 10 million keys."]
      : []),
    "",
  ];
}

function formatTable(result: FigureResult, kinds: readonly ServerKind[]): string[] {
  const metrics = metricsOf([...result.samples.values()].flat());
  const shown = kinds.filter(({ id }) => result.samples.has(id) || result.errors.has(id));
  const peers = peersOf(shown);
  const rows = metrics.map((metric) => [
    `${METRICS[metric].label}, ${METRICS[metric].unit}`,
    ...shown.map(({ id }) => formatValue(medianOf(result, id, metric), metric)),
    ...peers.map(({ id }) => formatRatio(ratioTo(result, id, metric))),
  ]);
  const head = ["", ...shown.map(({ label }) => label), ...peers.map(({ label }) => `÷ ${label}`)];
  const table = [tableRow(head), tableRow(head.map(alignment)), ...rows.map(tableRow), ""];
  return [
    `## ${result.figure.title} (\`${result.figure.name}\`)`,
    "",
    ...(rows.length > 0 ? table : []),
    ...[...result.errors].flatMap(([server, error]) => [`Not measured on ${server}: ${error}`, ""]),
  ];
}

function alignment(_: string, column: number): string {
  return column === 0 ? "---" : "---:";
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function peersOf(kinds: readonly ServerKind[]): ServerKind[] {
  return kinds.filter(({ id }) => id !== "bunsen");
}

function formatValue(value: number | undefined, metric: MetricId): string {
  if (value === undefined) return "–";
  const { digits } = METRICS[metric];
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function formatRatio(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "–";
  const { value, lowest, highest } = ratio;
  // One round has no spread.
  if (lowest === highest) return value.toFixed(2);
  return `${value.toFixed(2)} (${lowest.toFixed(2)}–${highest.toFixed(2)})`;
}

function loadAverage(): string {
  return readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" ");
}
