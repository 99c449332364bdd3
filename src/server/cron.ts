/**
 * What happens by itself, `hz` times a second: expiry, idle clients, rates, buffers and memory
 * given back. Each task keeps its own budget, so that a run stays far below a millisecond.
 */
import { slowExpireBudgetUs } from "../keyspace/expire.ts";
import { LatencyEvent } from "../runtime/latency.ts";
import { type Client, Gate } from "../session/client.ts";
import { Connection } from "./connection.ts";
import type { Server } from "./server.ts";

const IDLE_QUERY_MS = 2000;
const REPLY_PEAK_RESET_MS = 5000;
/** A slice of a slow expire cycle, and the time for requests before the next, or a fast cycle. */
const EXPIRE_SLICE_US = 3000;
const EXPIRE_PAUSE_MS = 2;
/** A slice of the freeing of huge values, and the time for requests between two. */
const LAZY_FREE_US = 1000;
const LAZY_FREE_PAUSE_MS = 1;
/** So many clients are all visited in every run. */
const CLIENTS_PER_RUN_MIN = 200;
/** Free memory is looked for, and returned, this often. */
const TRIM_EVERY_MS = 1000;

export class Cron {
  paused = false;
  activeExpire = true;
  /** DEBUG REPLYBUFFER PEAK-RESET-TIME; negative = never, null = the default. */
  replyPeakResetMs: number | null = null;
  /** Runs since the start. */
  runs = 0;

  private timer: Timer | null = null;
  /** What runs more often than the cron, while it has work. */
  private expireTimer: Timer | null = null;
  private evictTimer: Timer | null = null;
  private compactTimer: Timer | null = null;
  private freeTimer: Timer | null = null;
  private hz = 10;
  /** Goes through the clients; null = begins anew. */
  private visit: IterableIterator<Client> | null = null;
  private lastTrimMs = 0;
  private segmentsDropped = 0;
  private cpuUsCounted = 0;

  constructor(private readonly server: Server) {}

  start(): void {
    this.timer = setInterval(() => this.run(), 1000 / this.hz);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    for (const timer of [this.expireTimer, this.evictTimer, this.compactTimer, this.freeTimer]) {
      if (timer !== null) clearTimeout(timer);
    }
    this.timer = null;
    this.expireTimer = null;
    this.evictTimer = null;
    this.compactTimer = null;
    this.freeTimer = null;
  }

  setFrequency(hz: number): void {
    this.hz = hz;
    if (this.timer === null) return;
    this.stop();
    this.start();
  }

  /** Evicts until used memory is below maxmemory; false if it cannot be. */
  makeRoom(): boolean {
    const { server } = this;
    // While data are loaded nothing is evicted, as in Redis.
    if (server.maxMemoryBytes === 0 || server.loading.isOn) return true;
    // Clients first, so that no key goes for a client that has to go too.
    if (server.memory.isOver) server.evictClients();
    const { evictor } = server.keyspace;
    const fits = server.observers.latency.isOn
      ? this.measured(LatencyEvent.EVICTION_CYCLE, () => this.evict())
      : this.evict();
    if (evictor.isBehind) this.makeRoomSoon();
    return fits;
  }

  /** Evicts after the events at hand. */
  makeRoomSoon(): void {
    this.evictTimer ??= setTimeout(this.evictMore, 0);
  }

  private evict(): boolean {
    const { server } = this;
    return server.keyspace.evictor.evictUntilFits(this.usedBytes, server.maxMemoryBytes);
  }

  /** Runs a task, and tells the latency monitor how long it took. */
  private measured<T>(event: LatencyEvent, task: () => T): T {
    const { clock, observers } = this.server;
    const startUs = clock.monotonicUs();
    const result = task();
    observers.latency.note(event, clock.monotonicUs() - startUs, clock.nowMs());
    return result;
  }

  private run(): void {
    if (this.paused) return;
    const { clock, stats } = this.server;
    const startUs = clock.monotonicUs();
    this.runTasks();
    const us = clock.monotonicUs() - startUs;
    stats.cronUs += us;
    if (us > stats.cycleUsMax) stats.cycleUsMax = us;
  }

  private runTasks(): void {
    this.runs++;
    const { server } = this;
    server.tick();
    const nowMs = server.nowMs();
    this.countLoop();
    server.pause.check(nowMs);
    server.appendOnly.tick();
    server.tickPersistence();
    server.stats.sampleRates(nowMs);
    if (this.activeExpire && !server.loading.isOn) this.expire();
    if (this.freeTimer === null) this.freeLazily();
    server.keyspace.compactor.pace();
    if (server.keyspace.compactor.cpuPercent > 0 && this.compactTimer === null) this.compact();
    this.visitClients(nowMs);
    server.clients.tracking.limit();
    const used = server.usedMemoryBytes();
    if (used > server.stats.peakMemoryBytes) server.stats.peakMemoryBytes = used;
    if (nowMs - this.lastTrimMs >= TRIM_EVERY_MS) this.trim(nowMs);
  }

  private readonly usedBytes = (): number => this.server.usedMemoryBytes();

  private readonly evictMore = (): void => {
    this.evictTimer = null;
    this.makeRoom();
  };

  /**
   * The event loop's cycles and time, which nothing tells: each read and each run of the cron
   * counts as a cycle, and the thread's CPU time as the loop's.
   */
  private countLoop(): void {
    const { stats, host } = this.server;
    const cpuUs = host.threadCpuUs();
    stats.cronRuns++;
    stats.eventLoopUs += cpuUs - this.cpuUsCounted;
    this.cpuUsCounted = cpuUs;
  }

  private expire(): void {
    const { expiry } = this.server.keyspace;
    expiry.beginSlow(slowExpireBudgetUs(expiry.effort, this.hz));
    if (this.expireTimer === null) this.expireMore();
  }

  /** A slice of the slow cycle, else a fast one; and more of it soon, if there is reason. */
  private expireMore(): void {
    const { expiry } = this.server.keyspace;
    this.measured(LatencyEvent.EXPIRE_CYCLE, () =>
      expiry.isInSlowCycle ? expiry.continueSlow(EXPIRE_SLICE_US) : expiry.runFast(),
    );
    if (!expiry.isInSlowCycle && !expiry.isBehind) return;
    this.expireTimer = setTimeout(() => {
      this.expireTimer = null;
      if (!this.activeExpire || this.paused || this.server.loading.isOn) return;
      this.server.tick();
      this.expireMore();
    }, EXPIRE_PAUSE_MS);
  }

  private readonly freeLazily = (): void => {
    const goesOn = this.server.keyspace.lazyFree.run(LAZY_FREE_US);
    this.freeTimer = goesOn ? setTimeout(this.freeLazily, LAZY_FREE_PAUSE_MS) : null;
  };

  private compact(): void {
    const { compactor } = this.server.keyspace;
    const goesOn = this.measured(LatencyEvent.DEFRAG_CYCLE, () => compactor.run());
    this.compactTimer = goesOn
      ? setTimeout(() => {
          this.compactTimer = null;
          this.compact();
        }, compactor.pauseMs())
      : null;
  }

  /** Visits some of the clients, so that each has its turn once a second. */
  private visitClients(nowMs: number): void {
    const { server } = this;
    const { memory } = server;
    const replyPeakResetMs = this.replyPeakResetMs ?? REPLY_PEAK_RESET_MS;
    const timeoutMs = server.config.int("timeout") * 1000;
    let left = Math.max(CLIENTS_PER_RUN_MIN, Math.ceil(server.clients.count / this.hz));
    for (; left > 0; left--) {
      const client = this.nextClient();
      if (client === null) break;
      const { transport } = client;
      const idleMs = nowMs - client.lastInteractionMs;
      if (timeoutMs > 0 && idleMs > timeoutMs && mayTimeOut(client)) {
        server.log.verbose("Closing idle client");
        transport.close(false);
        continue;
      }
      if (transport instanceof Connection) {
        transport.shrinkQuery(idleMs > IDLE_QUERY_MS);
        const resized = transport.adjustReplyBuffer(nowMs, replyPeakResetMs);
        if (resized > 0) server.stats.replyBufferExpands++;
        else if (resized < 0) server.stats.replyBufferShrinks++;
        const pending = transport.pendingBytes();
        if (pending > 0) server.checkOutputLimit(transport, pending);
        else client.softLimitSinceMs = 0;
      }
      memory.account(client);
    }
    if (memory.isOver) server.evictClients();
  }

  /** The client whose turn it is; null after the last one. */
  private nextClient(): Client | null {
    this.visit ??= this.server.clients.all();
    const next = this.visit.next();
    if (next.done !== true) return next.value;
    this.visit = null;
    return null;
  }

  /** Returns empty segments to the system; their buffers go when the collector has run. */
  private trim(nowMs: number): void {
    this.lastTrimMs = nowMs;
    const { arena } = this.server.keyspace;
    arena.trim();
    if (arena.segmentsDropped === this.segmentsDropped) return;
    this.segmentsDropped = arena.segmentsDropped;
    this.server.host.collectGarbage();
  }
}

/** Whether the directive timeout is for this client: not for those that only listen. */
function mayTimeOut(client: Client): boolean {
  return !client.blocked && (client.gate & (Gate.MONITOR | Gate.SUBSCRIBED)) === 0;
}
