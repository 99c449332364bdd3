/**
 * The latency monitor: what took longer than latency-monitor-threshold, by kind of event.
 *
 * An event keeps its last 160 spikes, the worst one of each second: enough for hours, because
 * spikes are rare or else everything is one.
 */

/** Kinds of events. The names are those that Redis's users know. */
export const enum LatencyEvent {
  COMMAND = "command",
  FAST_COMMAND = "fast-command",
  EXPIRE_CYCLE = "expire-cycle",
  EVICTION_CYCLE = "eviction-cycle",
  DEFRAG_CYCLE = "active-defrag-cycle",
  RDB_UNLINK = "rdb-unlink-temp-file",
  AOF_WRITE = "aof-write",
  AOF_WRITE_ALONE = "aof-write-alone",
  AOF_WRITE_PENDING_SYNC = "aof-write-pending-fsync",
  AOF_WRITE_ACTIVE_CHILD = "aof-write-active-child",
  AOF_SYNC_ALWAYS = "aof-fsync-always",
}

const SAMPLES_MAX = 160;

export interface LatencySample {
  /** Unix time in seconds. */
  readonly time: number;
  readonly ms: number;
}

/** The spikes of one kind. */
export interface LatencySeries {
  readonly event: string;
  /** Oldest first, never empty. */
  readonly samples: LatencySample[];
  /** Of all spikes, the forgotten ones included. */
  maxMs: number;
  sumMs: number;
  count: number;
}

export class LatencyMonitor {
  /** Microseconds from which on events are noted; Infinity = the monitor is off. */
  thresholdUs = Infinity;

  private readonly events = new Map<string, LatencySeries>();

  get isOn(): boolean {
    return this.thresholdUs !== Infinity;
  }

  /** latency-monitor-threshold; 0 = off. */
  configure(thresholdMs: number): void {
    this.thresholdUs = thresholdMs === 0 ? Infinity : thresholdMs * 1000;
  }

  /** Notes an event if it took long enough. */
  note(event: string, us: number, nowMs: number): void {
    if (us < this.thresholdUs) return;
    const ms = Math.floor(us / 1000);
    const time = Math.floor(nowMs / 1000);
    let series = this.events.get(event);
    if (series === undefined) {
      series = { event, samples: [], maxMs: 0, sumMs: 0, count: 0 };
      this.events.set(event, series);
    }
    series.maxMs = Math.max(series.maxMs, ms);
    series.sumMs += ms;
    series.count++;
    const { samples } = series;
    const last = samples.length - 1;
    if (last >= 0 && samples[last].time === time) {
      if (ms > samples[last].ms) samples[last] = { time, ms };
      return;
    }
    samples.push({ time, ms });
    if (samples.length > SAMPLES_MAX) samples.shift();
  }

  find(event: string): LatencySeries | undefined {
    return this.events.get(event);
  }

  all(): IterableIterator<LatencySeries> {
    return this.events.values();
  }

  get count(): number {
    return this.events.size;
  }

  /** Forgets all events; how many there were. */
  resetAll(): number {
    const { size } = this.events;
    this.events.clear();
    return size;
  }

  /** Forgets the event of this name, in any case; how many there were. */
  reset(name: string): number {
    let count = 0;
    for (const event of this.events.keys()) {
      if (event.toLowerCase() !== name.toLowerCase()) continue;
      this.events.delete(event);
      count++;
    }
    return count;
  }
}
