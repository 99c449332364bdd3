/**
 * How a snapshot's bytes reach its sink: in this thread (`LocalChannel`), for what is small or where
 * there are no threads, or through a ring to a Worker (`WorkerChannel`). A failure does not
 * interrupt whoever writes: `state` tells of it, and bytes are taken and dropped from then on.
 */
import { type FileSystem, fileError } from "../base/file-system.ts";
import type { SnapshotOutput } from "./snapshot-encoder.ts";
import { type RingFailure, RingPhase, RingRequest, SnapshotRing } from "./snapshot-ring.ts";
import { type SinkSettings, SinkStage, SnapshotSink } from "./snapshot-sink.ts";
import type { SnapshotOrder } from "./snapshot-worker.ts";

export const enum ChannelState {
  WRITING = 0,
  DONE = 1,
  FAILED = 2,
}

export interface SnapshotChannel extends SnapshotOutput {
  readonly state: ChannelState;
  /** The reason of state FAILED. */
  readonly failure: RingFailure | null;
  /** Everything has been taken: completes the file, sooner or later. */
  finish(): void;
  /** Sleeps until there is room, or after `finish` until the file is complete; or for a while. */
  wait(): void;
  /** Removes what there is of the file: soon, or, where it must not be left behind, at once. */
  abandon(atOnce: boolean): void;
  /** Frees what the channel holds. Requires: it is done or has failed. */
  close(): void;
}

/** Starts a Worker of snapshot-worker.ts; `onEnd` is called when it ends by itself. */
export type StartSnapshotWorker = (
  order: SnapshotOrder,
  onMessage: () => void,
  onEnd: () => void,
) => { terminate(): void };

export class LocalChannel implements SnapshotChannel {
  state: ChannelState = ChannelState.WRITING;
  failure: RingFailure | null = null;

  private readonly sink: SnapshotSink;

  constructor(files: FileSystem, settings: SinkSettings) {
    this.sink = new SnapshotSink(files, settings);
    this.attempt(() => this.sink.open());
  }

  take(bytes: Uint8Array, start: number, end: number): number {
    if (this.state === ChannelState.WRITING) {
      this.attempt(() => this.sink.feed(bytes, start, end));
    }
    return end - start;
  }

  finish(): void {
    if (this.state !== ChannelState.WRITING) return;
    this.attempt(() => {
      this.sink.finish();
      this.state = ChannelState.DONE;
    });
  }

  wait(): void {}

  abandon(): void {
    this.sink.abandon();
  }

  close(): void {}

  private attempt(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.state = ChannelState.FAILED;
      this.failure = { stage: this.sink.stage, text: fileError(error).message };
      this.sink.abandon();
    }
  }
}

/** A Worker that has not begun after this time never will. */
const START_MS_MAX = 10_000;
const WAIT_MS = 1000;
/** How long `abandon` waits until the file is gone. */
const ABANDON_MS = 2000;

export class WorkerChannel implements SnapshotChannel {
  private readonly ring = new SnapshotRing();
  private readonly worker: { terminate(): void };
  private hasFinished = false;
  private isAbandoned = false;
  private lost: RingFailure | null = null;
  private waitedMs = 0;

  constructor(
    start: StartSnapshotWorker,
    private readonly settings: SinkSettings,
    private readonly files: FileSystem,
    isBackground: boolean,
    /** The state may have changed. */
    onChange: () => void,
  ) {
    const onMessage = (): void => {
      if (this.isAbandoned) this.close();
      else onChange();
    };
    this.worker = start({ memory: this.ring.memory, settings, isBackground }, onMessage, () => {
      this.lose("the thread that writes it ended");
      if (!this.isAbandoned) onChange();
    });
  }

  get state(): ChannelState {
    if (this.ring.phase === RingPhase.DONE) return ChannelState.DONE;
    if (this.lost !== null || this.ring.phase === RingPhase.FAILED) return ChannelState.FAILED;
    return ChannelState.WRITING;
  }

  get failure(): RingFailure | null {
    return this.ring.phase === RingPhase.FAILED ? this.ring.failure() : this.lost;
  }

  take(bytes: Uint8Array, start: number, end: number): number {
    if (this.state === ChannelState.FAILED) return end - start;
    return this.ring.write(bytes, start, end);
  }

  finish(): void {
    this.hasFinished = true;
    this.ring.request(RingRequest.FINISH);
  }

  wait(): void {
    const { ring } = this;
    const { phase } = ring;
    if (phase === RingPhase.STARTING) {
      ring.awaitPhase(RingPhase.STARTING, WAIT_MS);
      this.waitedMs += WAIT_MS;
      if (ring.phase === RingPhase.STARTING && this.waitedMs >= START_MS_MAX) {
        this.lose("the thread that writes it does not start");
      }
    } else if (this.hasFinished) ring.awaitPhase(phase, WAIT_MS);
    else ring.awaitReader(WAIT_MS);
  }

  abandon(atOnce: boolean): void {
    const { ring } = this;
    this.isAbandoned = true;
    ring.request(RingRequest.ABANDON);
    if (!atOnce) return;
    if (ring.phase === RingPhase.WRITING) ring.awaitPhase(RingPhase.WRITING, ABANDON_MS);
    this.lose("it was given up");
    this.close();
  }

  close(): void {
    this.worker.terminate();
  }

  /** The Worker is gone or as good as gone; so is its file. */
  private lose(text: string): void {
    const { phase } = this.ring;
    if (phase !== RingPhase.STARTING && phase !== RingPhase.WRITING) return;
    this.lost = { stage: SinkStage.WRITE, text };
    try {
      this.files.remove(this.settings.temporary);
    } catch {
      // Nobody takes it for a snapshot.
    }
  }
}
