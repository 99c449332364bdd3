/**
 * LATENCY: spikes that the latency monitor saw, and how long each command takes. DOCTOR is in
 * latency-doctor.ts.
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { ReplyType } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import type { LatencySeries } from "../runtime/latency.ts";
import type { LatencyHistogram } from "../runtime/latency-histogram.ts";
import { containerRow, replyHelp } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { latencyReport } from "./latency-doctor.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS, fullName } from "./spec.ts";

const ADMIN_FLAGS = Flag.ADMIN | Flag.NOSCRIPT | Flag.LOADING | Flag.STALE;
const ON_ALL_NODES = "request_policy:all_nodes";
const REPORT_TIPS = ["nondeterministic_output", ON_ALL_NODES, "response_policy:special"];

export const latencyCommands: readonly CommandSpec[] = [
  containerRow("latency"),
  reportRow("doctor", 2, latencyDoctorCommand),
  reportRow("graph", 3, latencyGraphCommand),
  {
    name: "help",
    parent: "latency",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE,
    acl: Acl.NONE,
    keys: NO_KEYS,
    run: (_ctx, _args, reply) => replyHelp(reply, "LATENCY", HELP),
  },
  reportRow("histogram", -2, latencyHistogramCommand),
  reportRow("history", 3, latencyHistoryCommand),
  reportRow("latest", 2, latencyLatestCommand),
  {
    name: "reset",
    parent: "latency",
    arity: -2,
    flags: ADMIN_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: [ON_ALL_NODES, "response_policy:agg_sum"],
    run: latencyResetCommand,
  },
];

const HELP = [
  "DOCTOR",
  "    Return a human readable latency analysis report.",
  "GRAPH <event>",
  "    Return an ASCII latency graph for the <event> class.",
  "HISTORY <event>",
  "    Return time-latency samples for the <event> class.",
  "LATEST",
  "    Return the latest latency samples for all events.",
  "RESET [<event> ...]",
  "    Reset latency data of one or more <event> classes.",
  "    (default: reset all data for all event classes)",
  "HISTOGRAM [COMMAND ...]",
  "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
  "    If no commands are specified then all histograms are replied.",
];

const GRAPH_COLUMNS = 80;
const GRAPH_ROWS = 4;
/** Steps within a row, lowest first, and what stands below a step in the rows under it. */
const GRAPH_STEPS = "_o#";
const GRAPH_FILL = "|";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function reportRow(name: string, arity: number, run: CommandSpec["run"]): CommandSpec {
  return {
    name,
    parent: "latency",
    arity,
    flags: ADMIN_FLAGS,
    acl: Acl.NONE,
    keys: NO_KEYS,
    tips: REPORT_TIPS,
    run,
  };
}

/** LATENCY DOCTOR */
function latencyDoctorCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.verbatim("txt", latencyReport(ctx));
}

/** LATENCY GRAPH event */
function latencyGraphCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const event = beforeNul(args.text(2));
  const series = ctx.observers.latency.find(event);
  if (series === undefined) reply.error(`ERR No samples available for event '${event}'`);
  else reply.verbatim("txt", graphOf(series, Math.floor(ctx.keyspace.nowMs / 1000)));
}

/** LATENCY HISTORY event */
function latencyHistoryCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const samples = ctx.observers.latency.find(beforeNul(args.text(2)))?.samples ?? [];
  reply.array(samples.length);
  for (const { time, ms } of samples) {
    reply.array(2);
    reply.integer(time);
    reply.integer(ms);
  }
}

/** LATENCY LATEST */
function latencyLatestCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { latency } = ctx.observers;
  reply.array(latency.count);
  for (const { event, samples, maxMs, sumMs, count } of latency.all()) {
    const last = samples[samples.length - 1];
    reply.array(6);
    reply.bulkText(event);
    for (const value of [last.time, last.ms, maxMs, sumMs, count]) reply.integer(value);
  }
}

/** LATENCY RESET [event ...] */
function latencyResetCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { latency } = ctx.observers;
  let count = args.count === 2 ? latency.resetAll() : 0;
  for (let i = 2; i < args.count; i++) count += latency.reset(beforeNul(args.text(i)));
  reply.integer(count);
}

/** LATENCY HISTOGRAM [command ...]: a container stands for its subcommands. */
function latencyHistogramCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { commands } = ctx.server;
  const mark = reply.deferLength();
  let count = 0;
  const replyNumber = (number: number): void => {
    const histogram = ctx.stats.times.histogram(number);
    if (histogram === null) return;
    reply.bulkText(fullName(commands[number]));
    replyHistogram(histogram, reply);
    count++;
  };
  if (args.count === 2) for (let i = 0; i < commands.length; i++) replyNumber(i);
  for (let i = 2; i < args.count; i++) {
    const name = beforeNul(args.text(i)).toLowerCase();
    const number = ctx.server.commandNumber(name);
    if (number < 0) continue;
    replyNumber(number);
    for (const [child, { parent }] of commands.entries()) if (parent === name) replyNumber(child);
  }
  reply.setDeferred(mark, ReplyType.MAP, count);
}

function replyHistogram(histogram: LatencyHistogram, reply: ReplyWriter): void {
  const counts = histogram.cumulative();
  reply.map(2);
  reply.bulkText("calls");
  reply.integer(histogram.total);
  reply.bulkText("histogram_usec");
  reply.map(counts.length);
  for (const { us, count } of counts) {
    reply.integer(us);
    reply.integer(count);
  }
}

/** Columns of an ASCII graph, 80 beside each other, each with its age written downwards. */
function graphOf(series: LatencySeries, nowSeconds: number): string {
  const { samples } = series;
  const times = samples.map(({ ms }) => ms);
  const high = Math.max(...times);
  const low = Math.min(...times);
  const head = `${series.event} - high ${high} ms, low ${low} ms (all time high ${series.maxMs} ms)`;
  const parts = [`${head}\n${"-".repeat(GRAPH_COLUMNS)}\n`];
  for (let from = 0; from < samples.length; from += GRAPH_COLUMNS) {
    const columns = samples.slice(from, from + GRAPH_COLUMNS).map(({ time, ms }) => {
      return columnOf(ms, low, high) + ageOf(nowSeconds - time);
    });
    parts.push(linesOf(columns));
  }
  return parts.join("\n").replace("\n\n", "\n");
}

/** The characters of a sample from the top down, and the empty line before its label. */
function columnOf(ms: number, low: number, high: number): string {
  const steps = GRAPH_STEPS.length * GRAPH_ROWS;
  const share = (ms - low) / Math.max(1, high - low);
  const step = Math.min(steps - 1, Math.floor(share * steps));
  let column = "";
  for (let row = GRAPH_ROWS - 1; row >= 0; row--) {
    const within = step - row * GRAPH_STEPS.length;
    if (within >= GRAPH_STEPS.length) column += GRAPH_FILL;
    else column += within >= 0 ? GRAPH_STEPS[within] : " ";
  }
  return `${column} `;
}

/** Columns side by side. */
function linesOf(columns: readonly string[]): string {
  const height = Math.max(...columns.map((column) => column.length));
  let text = "";
  for (let line = 0; line < height; line++) {
    for (const column of columns) text += column[line] ?? " ";
    text += "\n";
  }
  return text;
}

function ageOf(seconds: number): string {
  if (seconds < MINUTE) return `${seconds}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)}h`;
  return `${Math.floor(seconds / DAY)}d`;
}
