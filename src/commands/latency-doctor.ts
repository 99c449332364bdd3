/**
 * LATENCY DOCTOR: the spikes that were seen, in sentences, and what may help against them. The lines
 * about events have Redis's form, which tools read; the advice is about this server.
 */
import { LatencyEvent, type LatencySeries } from "../runtime/latency.ts";
import { LogKind } from "../runtime/command-log.ts";
import type { CommandContext } from "./context.ts";

const CRON_HZ_MAX = 100;

export function latencyReport(ctx: CommandContext): string {
  const { latency } = ctx.observers;
  if (latency.count === 0) {
    return latency.thresholdUs === Infinity
      ? "The latency monitor is off, and so there is nothing to report. " +
          "CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n"
      : "No latency spike was observed since the latency monitor was turned on.\n";
  }
  const lines = ["Latency spikes are observed in this Bunsen instance.", ""];
  const advice: string[] = [];
  const nowSeconds = Math.floor(ctx.keyspace.nowMs / 1000);
  let number = 1;
  for (const series of latency.all()) {
    lines.push(`${number++}. ${describe(series, nowSeconds)}`);
    for (const line of adviceFor(ctx, series.event)) if (!advice.includes(line)) advice.push(line);
  }
  lines.push("", "Here is some advice for you:", "", ...advice.map((line) => `- ${line}`), "");
  return lines.join("\n");
}

function describe(series: LatencySeries, nowSeconds: number): string {
  const { event, samples, maxMs } = series;
  const mean = Math.floor(samples.reduce((sum, { ms }) => sum + ms, 0) / samples.length);
  const deviations = samples.reduce((sum, { ms }) => sum + Math.abs(ms - mean), 0);
  const deviation = Math.floor(deviations / samples.length);
  const seconds = Math.max(1, nowSeconds - samples[0].time);
  return (
    `${event}: ${samples.length} latency spikes (average ${mean}ms, mean deviation ` +
    `${deviation}ms, period ${(seconds / samples.length).toFixed(2)} sec). ` +
    `Worst all time event ${maxMs}ms.`
  );
}

function adviceFor(ctx: CommandContext, event: string): string[] {
  switch (event) {
    case LatencyEvent.COMMAND:
      return [
        ...slowLogAdvice(ctx),
        "Large values take long to read, to copy and to delete: " +
          "split those that are handled as a whole often.",
      ];
    case LatencyEvent.FAST_COMMAND:
      return [
        "Commands that only take microseconds were held up, so the process did not get the " +
          "processor: lower the load of the machine, or look for neighbours that share its cores.",
      ];
    case LatencyEvent.EXPIRE_CYCLE: {
      const advice = ["Many keys expire at the same moments: spread their times to live."];
      if (ctx.config.int("hz") < CRON_HZ_MAX) {
        advice.push(`A higher hz makes the steps of expiry smaller: CONFIG SET hz ${CRON_HZ_MAX}.`);
      }
      return advice;
    }
    case LatencyEvent.EVICTION_CYCLE:
      return [
        "Much memory had to be freed at once: maxmemory was lowered, or large values were " +
          "stored. A lower maxmemory-eviction-tenacity spreads the work.",
      ];
    case LatencyEvent.DEFRAG_CYCLE:
      return [
        "Defragmentation took long: lower active-defrag-cycle-us or active-defrag-cycle-max.",
      ];
    default:
      return [];
  }
}

/** How the slow log can tell which commands it was. */
function slowLogAdvice(ctx: CommandContext): string[] {
  const { commandLog, latency } = ctx.observers;
  const slow = commandLog.threshold(LogKind.SLOW);
  const advice: string[] = [];
  if (slow === Infinity || slow > latency.thresholdUs) {
    const state = slow === Infinity ? "is off" : "does not see commands as short as these";
    const wanted = latency.thresholdUs === Infinity ? 1000 : latency.thresholdUs;
    advice.push(`The slow log ${state}: CONFIG SET slowlog-log-slower-than ${wanted}.`);
  }
  advice.push("The slow log has the commands that took long: SLOWLOG GET.");
  return advice;
}
