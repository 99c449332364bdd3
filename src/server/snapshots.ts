/**
 * Runs snapshots: one at a time in the background, in slices between requests, and others at once.
 *
 * A slice takes SLICE_US at most. After it the walk rests, the longer the busier the server is with
 * requests: up to REST_MAX times as long; while none come, it goes on after the events that are
 * there. Bytes go to a Worker, so that neither compression nor the disk is waited for; where the
 * ring to it is full, the walk waits until there is room. What runs at once uses a Worker if there
 * is much to write.
 *
 * When a database is emptied, what is left of it is lost to the walk. Its owner says what then: the
 * rest is left out (the append-only file's next increment says that it was emptied), or all is
 * written anew from what is there at the end of the turn.
 */
import type { Clock } from "../base/clock.ts";
import type { FileSystem } from "../base/file-system.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { Snapshot, type SnapshotEncoder } from "../keyspace/snapshot.ts";
import {
  ChannelState,
  LocalChannel,
  type SnapshotChannel,
  type StartSnapshotWorker,
  WorkerChannel,
} from "../persistence/snapshot-channel.ts";
import type { SnapshotOutput } from "../persistence/snapshot-encoder.ts";
import { type SinkSettings, SinkStage } from "../persistence/snapshot-sink.ts";

const SLICE_US = 250;
const REST_MAX = 30;
/** What a read and a command take, roughly: how busy a server is follows from their numbers. */
const READ_US = 8;
const COMMAND_US = 0.5;
/** How soon a walk looks again whether there is room in the ring, or its file is complete. */
const POLL_MS = 2;
/** Waiting for rdb-key-save-delay, a walk looks again at least this often. */
const DELAY_MS_MAX = 100;
/** Data above this are written at once by two threads: starting a Worker pays. */
const LARGE_BYTES = 16 * 1024 * 1024;
/** What a negative rdb-key-save-delay waits for once in so many keys. */
const SHORTEST_DELAY_US = 60;

/** Why a snapshot could not be written: the step, and the system's words. */
export interface SnapshotFailure {
  readonly stage: SinkStage;
  readonly text: string;
}

/** A snapshot that is to be written. */
export interface SnapshotRequest {
  readonly settings: SinkSettings;
  /** Makes what writes the keys; called anew when the snapshot is begun anew. */
  encoder(output: SnapshotOutput): SnapshotEncoder;
  /** What becomes of it when a database is emptied under it. */
  readonly onClear: "restart" | "drop";
  /** Called when changes begin to be held back: at the start, and when it is begun anew. */
  begun(): void;
  /** Called once at the end, unless it is cancelled. */
  done(failure: SnapshotFailure | null): void;
}

export interface SnapshotProgress {
  readonly keysDone: number;
  readonly keysTotal: number;
  readonly preservedBytes: number;
}

export interface SnapshotsParts {
  readonly keyspace: Keyspace;
  readonly clock: Clock;
  readonly files: FileSystem;
  /** Null where there are no threads. */
  readonly startWorker: StartSnapshotWorker | null;
  sleepMs(ms: number): void;
  /** Reads from clients and commands so far: how much other work there is. */
  readCount(): number;
  commandCount(): number;
  /** rdb-key-save-delay */
  keyDelayUs(): number;
}

const NO_PROGRESS: SnapshotProgress = { keysDone: 0, keysTotal: 0, preservedBytes: 0 };

export class Snapshots {
  /** Snapshots that were begun in the background: total_forks. */
  begunCount = 0;
  /** Old states that were handed over to the snapshot that ended last. */
  lastPreservedBytes = 0;

  private request: SnapshotRequest | null = null;
  private snapshot: Snapshot | null = null;
  private encoder: SnapshotEncoder | null = null;
  private channel: SnapshotChannel | null = null;
  private timer: Timer | null = null;
  private startedUs = 0;
  private hasFinished = false;
  /** How often the request at hand was begun anew. */
  private restarts = 0;
  /** Work of others, in µs, and the time when it was looked at last. */
  private workSeenUs = 0;
  private workSeenAtUs = 0;

  constructor(private readonly parts: SnapshotsParts) {}

  /** Whether one is running in the background. */
  get isBusy(): boolean {
    return this.request !== null;
  }

  progress(): SnapshotProgress {
    return this.snapshot ?? NO_PROGRESS;
  }

  /** Begins a snapshot in the background. Requires: none is running there. */
  start(request: SnapshotRequest): void {
    this.request = request;
    this.restarts = 0;
    this.begunCount++;
    this.begin(request);
  }

  /** Ends the one in the background; `atOnce`: its file is gone when this returns. */
  cancel(atOnce = false): void {
    if (this.request === null) return;
    this.end();
    this.channel?.abandon(atOnce);
    this.channel = null;
  }

  /** Writes a snapshot while everything waits. Why it failed, or null. */
  write(request: SnapshotRequest): SnapshotFailure | null {
    const { keyspace, clock } = this.parts;
    const channel = this.newChannel(request.settings, false);
    const encoder = request.encoder(channel);
    const snapshot = new Snapshot(keyspace, clock, encoder);
    const delayUs = this.keyDelayUs();
    let keysSlept = 0;
    while (!snapshot.run(delayUs === 0 ? Infinity : 0) && channel.state !== ChannelState.FAILED) {
      if (encoder.hasWaitingBytes && !encoder.flush()) channel.wait();
      if (delayUs === 0) continue;
      this.parts.sleepMs(((snapshot.keysDone - keysSlept) * delayUs) / 1000);
      keysSlept = snapshot.keysDone;
    }
    snapshot.stop();
    if (snapshot.failure !== null) {
      channel.abandon(true);
      return { stage: SinkStage.WRITE, text: snapshot.failure.message };
    }
    while (encoder.hasWaitingBytes && channel.state === ChannelState.WRITING) {
      encoder.flush();
      if (encoder.hasWaitingBytes) channel.wait();
    }
    channel.finish();
    while (channel.state === ChannelState.WRITING) channel.wait();
    const { failure } = channel;
    channel.close();
    return failure;
  }

  private begin(request: SnapshotRequest): void {
    const { keyspace, clock } = this.parts;
    const channel = this.newChannel(this.settingsOf(request), true);
    const encoder = request.encoder(channel);
    this.channel = channel;
    this.encoder = encoder;
    this.hasFinished = false;
    this.startedUs = clock.monotonicUs();
    this.snapshot = new Snapshot(keyspace, clock, encoder, (snapshot, database) => {
      if (request.onClear === "drop") snapshot.drop(database);
      else this.restart();
    });
    this.snapshot.start();
    request.begun();
    this.schedule(0);
  }

  /** A database is about to be emptied: what follows is written anew when the turn is over. */
  private restart(): void {
    this.restarts++;
    this.snapshot?.stop();
    this.snapshot = null;
    this.channel?.abandon(false);
    this.channel = null;
    this.schedule(0);
  }

  /**
   * What is begun anew is written to another file: the thread that was given up removes its own
   * sooner or later.
   */
  private settingsOf({ settings }: SnapshotRequest): SinkSettings {
    if (this.restarts === 0) return settings;
    return { ...settings, temporary: `${settings.temporary}.${this.restarts}` };
  }

  private newChannel(settings: SinkSettings, isBackground: boolean): SnapshotChannel {
    const { startWorker, files, keyspace } = this.parts;
    const needsWorker = isBackground || keyspace.arena.liveBytes > LARGE_BYTES;
    if (!needsWorker || startWorker === null) return new LocalChannel(files, settings);
    const onChange = isBackground ? this.onChannelChange : () => {};
    try {
      return new WorkerChannel(startWorker, settings, files, isBackground, onChange);
    } catch {
      // No thread is to be had: it takes longer, that is all.
      return new LocalChannel(files, settings);
    }
  }

  private readonly onChannelChange = (): void => {
    if (this.request !== null && this.timer === null) this.schedule(0);
    else if (this.channel !== null && this.channel.state !== ChannelState.WRITING) this.schedule(0);
  };

  /** The next slice follows after so many milliseconds; 0 = after the events that are there. */
  private schedule(ms: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (ms >= 1) this.timer = setTimeout(this.slice, ms);
    else {
      const { request } = this;
      setImmediate(() => {
        if (this.request === request && this.timer === null) this.slice();
      });
    }
  }

  private readonly slice = (): void => {
    this.timer = null;
    const { request, snapshot, channel } = this;
    if (request === null) return;
    if (snapshot === null || channel === null) {
      this.begin(request);
      return;
    }
    const { clock } = this.parts;
    const startUs = clock.monotonicUs();
    const keysMax = this.keysAllowed(snapshot, startUs);
    if (!snapshot.isOver && keysMax > 0) snapshot.run(startUs + SLICE_US, keysMax);
    if (this.isOver(snapshot, channel)) return;
    this.schedule(this.restMs(snapshot, startUs));
  };

  /** Whether it is over, for better or worse; then whoever asked for it hears of it. */
  private isOver(snapshot: Snapshot, channel: SnapshotChannel): boolean {
    if (snapshot.failure !== null) {
      channel.abandon(false);
      this.report({ stage: SinkStage.WRITE, text: snapshot.failure.message });
      return true;
    }
    if (channel.state !== ChannelState.WRITING) {
      const { failure } = channel;
      channel.close();
      this.report(failure);
      return true;
    }
    if (!snapshot.isOver || this.hasFinished) return false;
    const encoder = this.encoder as SnapshotEncoder;
    encoder.flush();
    if (encoder.hasWaitingBytes) return false;
    this.hasFinished = true;
    channel.finish();
    return channel.state !== ChannelState.WRITING && this.isOver(snapshot, channel);
  }

  private report(failure: SnapshotFailure | null): void {
    const { request } = this;
    this.end();
    this.channel = null;
    request?.done(failure);
  }

  private end(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.lastPreservedBytes = this.progress().preservedBytes;
    this.snapshot?.stop();
    this.snapshot = null;
    this.encoder = null;
    this.request = null;
  }

  private restMs(snapshot: Snapshot, startUs: number): number {
    const { clock } = this.parts;
    const nowUs = clock.monotonicUs();
    if (snapshot.isOver || this.encoder?.hasWaitingBytes === true) return POLL_MS;
    const keysMax = this.keysAllowed(snapshot, nowUs);
    if (keysMax <= 0)
      return Math.min(DELAY_MS_MAX, Math.max(1, (-keysMax * this.keyDelayUs()) / 1000));
    const busyShare = this.busyShare(nowUs);
    if (busyShare === 0) return 0;
    const rest = Math.min(REST_MAX, 1 + busyShare * (REST_MAX - 1) * 2);
    return Math.max(1, ((nowUs - startUs) * rest) / 1000);
  }

  /** The share of the time since the last call in which requests were served, roughly. */
  private busyShare(nowUs: number): number {
    const { parts } = this;
    const workUs = parts.readCount() * READ_US + parts.commandCount() * COMMAND_US;
    // CONFIG RESETSTAT sets the counters back.
    const doneUs = Math.max(0, workUs - this.workSeenUs);
    const elapsedUs = Math.max(1, nowUs - this.workSeenAtUs);
    this.workSeenUs = workUs;
    this.workSeenAtUs = nowUs;
    return Math.min(1, doneUs / elapsedUs);
  }

  /** Keys that may be written now, by rdb-key-save-delay. */
  private keysAllowed(snapshot: Snapshot, nowUs: number): number {
    const delayUs = this.keyDelayUs();
    if (delayUs === 0) return Infinity;
    return Math.floor((nowUs - this.startedUs) / delayUs) + 1 - snapshot.keysDone;
  }

  private keyDelayUs(): number {
    const delay = this.parts.keyDelayUs();
    return delay < 0 ? SHORTEST_DELAY_US / -delay : delay;
  }
}
