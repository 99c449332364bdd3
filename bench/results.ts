// What a run has measured, and the arithmetic on it: medians over the rounds, and ratios.

import { METRICS, type Figure, type MetricId, type Sample } from "./figure.ts";
import type { ServerId } from "./servers.ts";

// One sample per round, in the order of the rounds; a server that failed in a round has no entry.
export interface FigureResult {
  figure: Figure;
  samples: Map<ServerId, Sample[]>;
  errors: Map<ServerId, string>;
}

export interface Ratio {
  // Of the medians.
  value: number;
  // Of the rounds, each taken by itself: how far the ratio can be trusted.
  lowest: number;
  highest: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function medianSample(samples: readonly Sample[]): Sample {
  const result: Sample = {};
  for (const metric of metricsOf(samples)) {
    result[metric] = median(valuesOf(samples, metric));
  }
  return result;
}

export function metricsOf(samples: readonly Sample[]): MetricId[] {
  const ids = Object.keys(METRICS) as MetricId[];
  return ids.filter((id) => samples.some((sample) => sample[id] !== undefined));
}

export function medianOf(
  result: FigureResult,
  server: ServerId,
  metric: MetricId,
): number | undefined {
  const values = valuesOf(result.samples.get(server) ?? [], metric);
  return values.length === 0 ? undefined : median(values);
}

// Ours divided by the peer's.
export function ratioTo(result: FigureResult, peer: ServerId, metric: MetricId): Ratio | undefined {
  if (!METRICS[metric].isCompared) return undefined;
  const ours = valuesOf(result.samples.get("bunsen") ?? [], metric);
  const theirs = valuesOf(result.samples.get(peer) ?? [], metric);
  if (ours.length === 0 || theirs.length === 0) return undefined;
  const rounds = Math.min(ours.length, theirs.length);
  const perRound = ours.slice(0, rounds).map((value, round) => value / theirs[round]);
  return {
    value: median(ours) / median(theirs),
    lowest: Math.min(...perRound),
    highest: Math.max(...perRound),
  };
}

function valuesOf(samples: readonly Sample[], metric: MetricId): number[] {
  return samples.map((sample) => sample[metric]).filter((value) => value !== undefined);
}
