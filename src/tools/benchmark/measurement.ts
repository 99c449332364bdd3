/**
 * One measured run of one request: its connections, on this thread or on others, its progress while
 * it lasts, and what came out.
 */
import type { Clock } from "../../base/clock.ts";
import type { BenchmarkOptions } from "./options.ts";
import { encodeCommand } from "../connection.ts";
import { createLoad, type Job } from "./job.ts";
import { distributionBytes, LatencyDistribution } from "./latency-distribution.ts";
import { Counter, type Greeting } from "./load.ts";
import { Threads } from "./threads.ts";

/** What is known of a run at any moment. */
export interface Progress {
  readonly elapsedMs: number;
  readonly finished: number;
  /** Open connections. */
  readonly live: number;
  /** Requests whose latency was measured, and the sum of the latencies. */
  readonly measured: number;
  readonly latencySumUs: number;
}

export interface Measurement {
  readonly finished: number;
  readonly totalMs: number;
  readonly latencies: LatencyDistribution;
}

/** Random numbers of different runs and threads come from different sequences of one seed. */
const SEEDS_PER_RUN = 512;

/** Runs measurements, one after the other. */
export class Meter {
  private readonly threads: Threads | null;
  private readonly counters = new Int32Array(
    new SharedArrayBuffer(Counter.LENGTH * Int32Array.BYTES_PER_ELEMENT),
  );
  private readonly latencies: readonly LatencyDistribution[];
  private readonly memories: readonly SharedArrayBuffer[];
  private runs = 0;
  private startMs = 0;

  constructor(
    private readonly options: BenchmarkOptions,
    private readonly clock: Clock,
  ) {
    const { digits } = options;
    // A thread without a connection would have nothing to do.
    const threads = Math.min(options.threads, options.clients);
    this.threads = threads === 0 ? null : new Threads(threads);
    this.memories = Array.from(
      { length: Math.max(1, threads) },
      () => new SharedArrayBuffer(distributionBytes(digits)),
    );
    this.latencies = this.memories.map((memory) => new LatencyDistribution(digits, memory));
  }

  /**
   * Measures one request; null opens connections and waits for ever. `onStart` is called when the
   * connections stand. Throws LoadFailure.
   */
  async measure(request: Uint8Array | null, onStart: () => void): Promise<Measurement> {
    this.counters.fill(0);
    for (const each of this.latencies) each.reset();
    const jobs = this.memories.map((_, index) => this.jobOf(request, index));
    this.runs++;
    const load = this.threads ?? createLoad(jobs[0], this.clock);
    await load.connect(jobs);
    this.startMs = this.nowMs();
    onStart();
    await load.run();
    const totalMs = this.nowMs() - this.startMs;
    await load.close();
    const latencies = new LatencyDistribution(this.options.digits);
    for (const each of this.latencies) latencies.add(each);
    return { finished: Atomics.load(this.counters, Counter.FINISHED), totalMs, latencies };
  }

  progress(): Progress {
    let measured = 0;
    let latencySumUs = 0;
    for (const each of this.latencies) {
      measured += each.count;
      latencySumUs += each.sumUs;
    }
    return {
      elapsedMs: this.nowMs() - this.startMs,
      finished: Atomics.load(this.counters, Counter.FINISHED),
      live: Atomics.load(this.counters, Counter.LIVE),
      measured,
      latencySumUs,
    };
  }

  stop(): void {
    this.threads?.stop();
  }

  private nowMs(): number {
    return this.clock.monotonicUs() / 1000;
  }

  private jobOf(request: Uint8Array | null, index: number): Job {
    const { options } = this;
    const shares = this.memories.length;
    return {
      plan: {
        address: options.address,
        clients: Math.floor((options.clients + shares - 1 - index) / shares),
        greeting: greetingOf(options),
        requests: options.requests,
        pipeline: options.pipeline,
        isKeptAlive: options.isKeptAlive,
      },
      request,
      keyspace: options.keyspace,
      seed: options.seed === null ? null : options.seed + this.runs * SEEDS_PER_RUN + index,
      digits: options.digits,
      counters: this.counters,
      latencies: this.memories[index],
    };
  }
}

/** What authenticates a connection, as a command. */
export function authCommand({ user, password }: BenchmarkOptions): readonly string[] | null {
  if (password === null) return null;
  return user === null ? ["AUTH", password] : ["AUTH", user, password];
}

function greetingOf(options: BenchmarkOptions): Greeting {
  const commands: (readonly string[])[] = [];
  const auth = authCommand(options);
  if (auth !== null) commands.push(auth);
  if (options.isTracking) commands.push(["CLIENT", "TRACKING", "on"]);
  if (options.database !== 0) commands.push(["SELECT", String(options.database)]);
  if (options.isResp3) commands.push(["HELLO", "3"]);
  return { bytes: Buffer.concat(commands.map(encodeCommand)), replies: commands.length };
}
