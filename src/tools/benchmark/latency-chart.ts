/**
 * The latencies of a run as a chart of bars, for people at a terminal:
 *
 *     Latency histogram:
 *        0.10 -   0.15 ms  ██▌                                        5.61%
 *        0.15 -   0.20 ms  ████████████████████████████████████████  81.02%
 *
 * Rows are bounded by round numbers, as finely as the rows suffice; the first and the last one have
 * whatever was unusually fast or slow. A bound is rounded up to where the distribution can tell requests apart.
 */
import { formatFixed } from "../numbers.ts";
import type { LatencyDistribution } from "./latency-distribution.ts";

/** Round numbers within a power of ten, the finest series first. */
const SERIES = [
  [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9],
  [1, 1.5, 2, 3, 4, 5, 7],
  [1, 2, 5],
  [1],
];
/** As many are in the rows between the first and the last, which have the outliers. */
const USUAL_PERCENT = 99.5;
const ROWS_MAX = 16;
/** Below, the distribution cannot tell. */
const STEP_US_MIN = 10;
const POWERS = [10, 100, 1000, 10_000, 100_000, 1_000_000];
const BAR_WIDTH = 40;
const BLOCKS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/** Nothing for a run without requests. */
export function latencyChart(latencies: LatencyDistribution): string {
  if (latencies.count === 0) return "";
  const rows = chartRows(latencies);
  const longest = Math.max(...rows.map((row) => row.count));
  const lines = rows.map(({ fromUs, toUs, count }) => {
    const share = formatFixed((100 * count) / latencies.count, 2).padStart(6);
    const bounds = `${formatMs(fromUs)} - ${formatMs(toUs)} ms`;
    return `${bounds}  ${bar(count / longest).padEnd(BAR_WIDTH)} ${share}%\n`;
  });
  return `\nLatency histogram:\n${lines.join("")}`;
}

interface ChartRow {
  readonly fromUs: number;
  readonly toUs: number;
  readonly count: number;
}

function chartRows(latencies: LatencyDistribution): readonly ChartRow[] {
  const fromUs = latencies.percentileUs(100 - USUAL_PERCENT);
  const toUs = latencies.percentileUs(USUAL_PERCENT);
  const candidates = SERIES.map((series) => boundsOf(series, fromUs, toUs));
  const usual = candidates.find(({ length }) => length <= ROWS_MAX) ?? candidates.at(-1)!;
  const least = boundsOf(SERIES[0], latencies.minUs, fromUs)[0];
  const greatest = boundsOf(SERIES[0], toUs, latencies.maxUs).at(-1)!;
  const bounds = [...usual];
  if (least < bounds[0]) bounds.unshift(least);
  if (greatest > bounds.at(-1)!) bounds.push(greatest);
  return bounds.slice(1).map((toUs, index) => {
    const fromUs = bounds[index];
    return { fromUs, toUs, count: latencies.countUpTo(toUs) - latencies.countUpTo(fromUs) };
  });
}

/** The greatest round number below `min`, those between, and the least from `max` on. */
function boundsOf(series: readonly number[], min: number, max: number): readonly number[] {
  const all = [0];
  for (const bound of POWERS.flatMap((power) => series.map((digit) => digit * power))) {
    if (bound - all.at(-1)! >= STEP_US_MIN) all.push(bound);
  }
  const from = Math.max(
    0,
    all.findLastIndex((bound) => bound < min),
  );
  const to = all.findIndex((bound) => bound >= max);
  return all.slice(from, to < 0 ? all.length : Math.max(to, from + 1) + 1);
}

function formatMs(us: number): string {
  return formatFixed(us / 1000, 2).padStart(7);
}

function bar(share: number): string {
  const eighths = Math.round(share * BAR_WIDTH * 8);
  return "█".repeat(eighths >> 3) + BLOCKS[eighths & 7];
}
