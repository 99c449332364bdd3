/**
 * A Worker that writes one snapshot's file: it gets the ring and the sink's settings in a message,
 * writes until the other side says that it is all, and ends. What it says about it stands in the
 * ring.
 */
import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { fileError, systemFiles } from "../base/file-system.ts";
import { RingPhase, RingRequest, SnapshotRing } from "./snapshot-ring.ts";
import { type SinkSettings, SnapshotSink } from "./snapshot-sink.ts";

/** The message that starts it. */
export interface SnapshotOrder {
  readonly memory: SharedArrayBuffer;
  readonly settings: SinkSettings;
  /** Whether others are served meanwhile: then they come first. */
  readonly isBackground: boolean;
}

/** Looks around at least this often, in case a wake-up was missed. */
const SLEEP_MS = 100;
/** As nice counts: a core that others want as well is theirs for nine tenths. */
const BACKGROUND_PRIORITY = 19;

declare const self: Worker;

self.onmessage = (event: MessageEvent<SnapshotOrder>) => {
  if (event.data.isBackground) stepBack();
  const ring = new SnapshotRing(event.data.memory);
  const sink = new SnapshotSink(systemFiles, event.data.settings);
  try {
    const isWanted = !ring.isAbandoned;
    if (isWanted) {
      sink.open();
      ring.setPhase(RingPhase.WRITING);
    }
    if (isWanted && writeAll(ring, sink)) {
      sink.finish();
      ring.setPhase(RingPhase.DONE);
    } else {
      sink.abandon();
      ring.setPhase(RingPhase.ABANDONED);
    }
  } catch (error) {
    sink.abandon();
    ring.fail({ stage: sink.stage, text: fileError(error).message });
  }
  self.postMessage(null);
};

/** Gives this thread a lower priority, where the system has one per thread: on Linux. */
function stepBack(): void {
  try {
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    if (thread > 0) setPriority(thread, BACKGROUND_PRIORITY);
  } catch {
    // Elsewhere, all threads are equal.
  }
}

/** Writes what comes until the end; false: it is not wanted any more. */
function writeAll(ring: SnapshotRing, sink: SnapshotSink): boolean {
  const feed = (bytes: Uint8Array, start: number, end: number): void =>
    sink.feed(bytes, start, end);
  for (;;) {
    const request = ring.read(feed, SLEEP_MS);
    if (request === RingRequest.FINISH) return true;
    if (request === RingRequest.ABANDON) return false;
  }
}
