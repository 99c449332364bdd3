/**
 * What a thread needs to know for its share of a run, in a form that can be posted to it, and the
 * load that it makes of it.
 */
import type { Clock } from "../../base/clock.ts";
import { seededPrng, systemPrng } from "../../base/prng.ts";
import { LatencyDistribution } from "./latency-distribution.ts";
import { Load, type LoadPlan } from "./load.ts";
import { RequestBatch } from "./request-batch.ts";

export interface Job {
  readonly plan: LoadPlan;
  /** Null only opens connections. */
  readonly request: Uint8Array | null;
  readonly keyspace: number | null;
  readonly seed: number | null;
  readonly digits: number;
  /** `Counter.LENGTH` numbers that all threads of the run share. */
  readonly counters: Int32Array;
  /** Where this thread's latencies go. */
  readonly latencies: ArrayBufferLike;
}

/** What the main thread tells a worker. Each is answered by a WorkerAnswer. */
export type WorkerOrder =
  | { readonly step: "connect"; readonly job: Job }
  | { readonly step: "run" }
  | { readonly step: "close" };

export interface WorkerAnswer {
  /** Why the step failed, or null. */
  readonly failure: string | null;
}

export function createLoad(job: Job, clock: Clock): Load {
  const { plan, request, keyspace, seed, counters } = job;
  const prng = seed === null ? systemPrng() : seededPrng(seed);
  const batch = request === null ? null : new RequestBatch(request, plan.pipeline, keyspace, prng);
  return new Load(plan, counters, batch, new LatencyDistribution(job.digits, job.latencies), clock);
}
