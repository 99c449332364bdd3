/**
 * The increment of the append-only file that is written to: when the log of changes goes into it,
 * and when it is made durable.
 *
 *     log of changes --write--> file --fdatasync--> disk
 *        length        written          synced                 `propagated`, `syncedOffset`
 *
 * appendfsync always      both at the end of each turn of the event loop; replies leave then, so
 *                         one fdatasync serves all clients of the turn. An error ends the process:
 *                         what was answered or seen by readers must not be lost
 *             everysec    written at the end of the turn, synchronised once a second in the
 *                         background. While that takes long, writing waits for up to two seconds,
 *                         because it would only wait for the disk itself
 *             no          written at the end of the turn
 *
 * A write that fails leaves the changes in the log, to be tried again; a piece that was written is
 * cut off. Meanwhile writes of clients are refused. Rules and messages are Redis's.
 */
import { bytesFromAscii } from "../base/ascii.ts";
import type { BackgroundFiles } from "../base/background-files.ts";
import type { Clock } from "../base/clock.ts";
import type { FileError, FileSystem } from "../base/file-system.ts";
import type { PropagationLog } from "../propagation/propagation-log.ts";
import { LatencyEvent, type LatencyMonitor } from "../runtime/latency.ts";
import type { Log } from "../runtime/log.ts";

export interface AofWriterParts {
  readonly files: FileSystem;
  readonly background: BackgroundFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly latency: LatencyMonitor;
  readonly changes: PropagationLog;
  /** A snapshot is being written beside. */
  isSaving(): boolean;
  /** Changes cannot be written, for this reason, or can again (null): clients must know. */
  onStatus(error: string | null): void;
  /** More changes are durable. */
  onSynced(): void;
  sleepUs(us: number): void;
  exit(code: number): void;
}

const SYNC_EVERY_MS = 1000;
const POSTPONE_MS_MAX = 2000;
const ERROR_LOG_EVERY_MS = 30_000;
const NEVER = -Infinity;
const NO_SPACE = "No space left on device";

export class AofWriter {
  policy: "always" | "everysec" | "no" = "everysec";
  /** no-appendfsync-on-rewrite. */
  sparesDisk = false;
  /** aof-timestamp-enabled. */
  writesTimestamps = false;
  /** DEBUG AOF-FLUSH-SLEEP: microseconds before a write. */
  flushSleepUs = 0;
  /** How long a synchronisation takes that is waited for: a mean that follows. */
  syncUs = 0;

  /** Descriptor of the increment; -1 = none is open. */
  file = -1;
  /** Bytes of the increment. */
  size = 0;
  /** Bytes written to all increments since the start, and those of them that are durable. */
  written = 0;
  syncedOffset = 0;
  delayedSyncs = 0;
  /** Why the last write or the last synchronisation in the background failed; null = it did not. */
  writeError: string | null = null;
  syncError: string | null = null;

  /** Moments are those of the monotonic clock, in ms: nobody sets it back. */
  private lastSyncMs = 0;
  /** The file's size when it was synchronised last. */
  private syncedSize = 0;
  /** The file that the background is synchronising: -1 = none. */
  private syncing = -1;
  /** Files before this one that the background has yet to synchronise. */
  private retiring = 0;
  private postponedSinceMs = NEVER;
  private errorLoggedMs = NEVER;
  private timestampSeconds = 0;

  constructor(private readonly parts: AofWriterParts) {}

  /** Changes so far, whether written or not. */
  get propagated(): number {
    return this.written + this.parts.changes.complete;
  }

  get isSyncing(): boolean {
    return this.syncing >= 0;
  }

  /** Begins to write to an open file of `size` bytes. The one before is closed. */
  use(file: number, size: number): void {
    const old = this.file;
    if (old >= 0) this.syncAndClose(old);
    this.file = file;
    this.size = size;
    this.syncedSize = size;
    this.lastSyncMs = this.nowMs();
  }

  /** Writes and synchronises what is left, and closes. */
  close(): void {
    const { files, log } = this.parts;
    if (this.file < 0) return;
    this.flush(true);
    try {
      files.syncData(this.file);
      this.lastSyncMs = this.nowMs();
    } catch (error) {
      log.warning(`Fail to fsync the AOF file: ${textOf(error)}`);
    }
    files.close(this.file);
    this.file = -1;
    this.size = 0;
    this.syncedSize = 0;
    this.postponedSinceMs = NEVER;
  }

  /** Closes without writing what is left: the file is given up. */
  abandon(): void {
    if (this.file < 0) return;
    this.parts.background.close(this.file);
    this.file = -1;
    this.size = 0;
    this.syncedSize = 0;
    this.postponedSinceMs = NEVER;
  }

  /** Errors of an earlier use of the append-only file are over. */
  forgetErrors(): void {
    const { log } = this.parts;
    if (this.syncError !== null) {
      log.warning("AOF reopen, just ignore the AOF fsync error in bio job");
    }
    if (this.writeError !== null) log.warning("AOF reopen, just ignore the last error.");
    this.syncError = null;
    this.writeError = null;
    this.tellStatus();
  }

  /**
   * Writes the complete changes of the log and sees to their durability. Unless `force`d, writing
   * waits a while for a synchronisation that takes long.
   */
  flush(force: boolean): void {
    if (this.file < 0) return;
    const { changes } = this.parts;
    const nowMs = this.nowMs();
    if (changes.complete === 0) {
      if (this.isSyncDue(nowMs)) this.sync(nowMs);
      else if (this.size === this.syncedSize && !this.isSyncing && this.policy !== "no") {
        this.markSynced(this.written);
      }
      return;
    }
    if (this.policy === "everysec" && this.isSyncing && !force && this.postpones(nowMs)) return;
    this.postponedSinceMs = NEVER;
    if (this.write()) this.sync(nowMs);
  }

  /** With nothing to write: whether earlier writes are to be made durable now. */
  private isSyncDue(nowMs: number): boolean {
    if (this.size === this.syncedSize) return false;
    if (this.policy === "always") return true;
    const isTime = nowMs - this.lastSyncMs >= SYNC_EVERY_MS;
    return this.policy === "everysec" && isTime && !this.isSyncing;
  }

  /** Whether to wait for the synchronisation that is under way. */
  private postpones(nowMs: number): boolean {
    if (this.postponedSinceMs === NEVER) {
      this.postponedSinceMs = nowMs;
      return true;
    }
    if (nowMs - this.postponedSinceMs < POSTPONE_MS_MAX) return true;
    this.delayedSyncs++;
    this.parts.log.notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without " +
        "waiting for fsync to complete, this may slow down the server.",
    );
    return false;
  }

  private write(): boolean {
    const { changes, clock, latency } = this.parts;
    if (this.flushSleepUs > 0) this.parts.sleepUs(this.flushSleepUs);
    const startUs = clock.monotonicUs();
    const isWritten = this.writeTimestamp() && this.append(changes.bytes, changes.complete);
    const us = clock.monotonicUs() - startUs;
    if (us >= latency.thresholdUs) {
      latency.note(this.writeEvent(), us, clock.nowMs());
      latency.note(LatencyEvent.AOF_WRITE, us, clock.nowMs());
    }
    if (!isWritten) return false;
    const { complete } = changes;
    this.written += complete;
    changes.drop(complete);
    if (this.writeError !== null) {
      this.writeError = null;
      this.parts.log.notice("AOF write error looks solved. The server can write again.");
      this.tellStatus();
    }
    return true;
  }

  private writeEvent(): LatencyEvent {
    if (this.isSyncing) return LatencyEvent.AOF_WRITE_PENDING_SYNC;
    return this.parts.isSaving()
      ? LatencyEvent.AOF_WRITE_ACTIVE_CHILD
      : LatencyEvent.AOF_WRITE_ALONE;
  }

  /** With aof-timestamp-enabled: says once a second how late it is. */
  private writeTimestamp(): boolean {
    if (!this.writesTimestamps) return true;
    const seconds = Math.floor(this.parts.clock.nowMs() / 1000);
    if (seconds <= this.timestampSeconds) return true;
    const annotation = bytesFromAscii(`#TS:${seconds}\r\n`);
    if (!this.append(annotation, annotation.length)) return false;
    this.timestampSeconds = seconds;
    return true;
  }

  /** Writes to the file's end: all, or, but for what cannot be taken back, nothing. */
  private append(bytes: Uint8Array, length: number): boolean {
    const { files } = this.parts;
    let done = 0;
    let failure: unknown = null;
    try {
      while (done < length) done += files.write(this.file, bytes, done, length - done);
    } catch (error) {
      failure = error;
    }
    if (failure === null) {
      this.size += length;
      return true;
    }
    this.onWriteFailure(bytes, done, length, textOf(failure));
    return false;
  }

  private onWriteFailure(bytes: Uint8Array, done: number, length: number, text: string): void {
    const { files, log, changes } = this.parts;
    const nowMs = this.nowMs();
    const logs = nowMs - this.errorLoggedMs > ERROR_LOG_EVERY_MS;
    if (logs) this.errorLoggedMs = nowMs;
    let kept = done;
    if (done === 0) {
      if (logs) log.warning(`Error writing to the AOF file: ${text}`);
    } else {
      if (logs) {
        log.warning(
          `Short write while writing to the AOF file: (nwritten=${done}, expected=${length})`,
        );
      }
      try {
        files.truncate(this.file, this.size);
        kept = 0;
      } catch (error) {
        if (logs) {
          log.warning(
            "Could not remove short write from the append-only file. The server may refuse to " +
              `load the AOF the next time it starts. ftruncate: ${textOf(error)}`,
          );
        }
      }
    }
    if (this.policy === "always") {
      log.warning(
        "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
      );
      this.parts.exit(1);
    }
    this.size += kept;
    if (bytes === changes.bytes && kept > 0) {
      this.written += kept;
      changes.drop(kept);
    }
    this.writeError = done === 0 ? text : NO_SPACE;
    this.tellStatus();
  }

  private sync(nowMs: number): void {
    if (this.policy === "no" || (this.sparesDisk && this.parts.isSaving())) return;
    if (this.policy === "always") this.syncNow(nowMs);
    else if (nowMs - this.lastSyncMs >= SYNC_EVERY_MS) {
      if (!this.isSyncing) this.syncLater();
      this.lastSyncMs = nowMs;
    }
  }

  private syncNow(nowMs: number): void {
    const { files, log, clock, latency } = this.parts;
    const startUs = clock.monotonicUs();
    try {
      files.syncData(this.file);
    } catch (error) {
      log.warning(
        `Can't persist AOF for fsync error when the AOF fsync policy is 'always': ${textOf(error)}. Exiting...`,
      );
      this.parts.exit(1);
    }
    const us = clock.monotonicUs() - startUs;
    this.syncUs += (us - this.syncUs) / 8;
    if (us >= latency.thresholdUs) latency.note(LatencyEvent.AOF_SYNC_ALWAYS, us, clock.nowMs());
    this.lastSyncMs = nowMs;
    this.syncedSize = this.size;
    this.markSynced(this.written);
  }

  /** Lets the background synchronise the file. */
  private syncLater(): void {
    const { file, written } = this;
    this.syncing = file;
    this.syncedSize = this.size;
    this.parts.background.syncData(file, (error) => {
      // A file that was replaced meanwhile is closed by whoever waits for this.
      if (this.syncing === file) this.syncing = -1;
      this.onBackgroundSync(error, written);
      if (this.postponedSinceMs !== NEVER) this.flush(false);
    });
  }

  /** The file is not written to any more. */
  private syncAndClose(file: number): void {
    const { background } = this.parts;
    const { written } = this;
    if (this.syncing === file) this.syncing = -1;
    this.retiring++;
    background.syncData(file, (error) => {
      this.retiring--;
      this.onBackgroundSync(error, written);
      background.close(file);
    });
  }

  private onBackgroundSync(error: FileError | null, offset: number): void {
    const text = error === null ? null : error.message;
    if (text !== null && this.syncError === null) {
      this.parts.log.warning(`Fail to fsync the AOF file: ${text}`);
    }
    const changed = this.syncError !== text;
    this.syncError = text;
    if (changed) this.tellStatus();
    if (error === null) this.markSynced(offset);
  }

  /** Changes up to `offset` are durable, unless some of them are in files before this one. */
  private markSynced(offset: number): void {
    if (this.retiring > 0 || offset <= this.syncedOffset) return;
    this.syncedOffset = offset;
    this.parts.onSynced();
  }

  private nowMs(): number {
    return this.parts.clock.monotonicUs() / 1000;
  }

  private tellStatus(): void {
    this.parts.onStatus(this.writeError ?? this.syncError);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
