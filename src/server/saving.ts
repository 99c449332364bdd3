/**
 * Saving to RDB files: SAVE, BGSAVE, save points, and what becomes of failures.
 *
 * At most one save runs in the background, and none beside a rewrite of the append-only file: what
 * is asked for then is refused or scheduled, by Redis's rules. A save that fails leaves the old
 * file as it is; while stop-writes-on-bgsave-error says so, commands that write are refused until
 * one succeeds.
 */
import type { ReloadOptions, SavingControl, SavingReport } from "../commands/saving-control.ts";
import { FileError } from "../base/file-system.ts";
import { REDIS_VERSION } from "../base/version.ts";
import { loadRdb } from "../persistence/rdb-file-load.ts";
import { FileSource } from "../persistence/rdb-file-source.ts";
import { RdbSnapshotEncoder, type SnapshotFormat } from "../persistence/snapshot-encoder.ts";
import { type SinkSettings, SinkStage } from "../persistence/snapshot-sink.ts";
import { fromByteString } from "../runtime/config/byte-string.ts";
import { LatencyEvent } from "../runtime/latency.ts";
import { rdbLoadOptions } from "./loading.ts";
import type { Server } from "./server.ts";
import type { SnapshotFailure, SnapshotRequest } from "./snapshots.ts";

/** After a failure, a save point does not try again sooner. */
const RETRY_SECONDS = 5;
const MISCONF =
  "MISCONF Valkey is configured to save RDB snapshots, but it's currently unable to persist to " +
  "disk. Commands that may modify the data set are disabled, because this instance is configured " +
  "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). " +
  "Please check the Valkey logs for details about the RDB error.";
/** What the last step of writing is called in the log. */
const WRITE_STEPS: Readonly<Record<number, string>> = {
  [SinkStage.WRITE]: "rdbSaveRio",
  [SinkStage.SYNC]: "fsync",
  [SinkStage.CLOSE]: "fclose",
};

export class Saving implements SavingControl {
  private lastSaveMs: number;
  private lastSucceeded = true;
  private lastTryMs = 0;
  private startedMs = 0;
  private lastDuration = -1;
  private saves = 0;
  private lastPreservedBytes = 0;
  private preservedPeakBytes = 0;
  private isScheduled = false;
  private isSaving = false;
  private dirtyAtStart = 0;
  /** Temporary files have names of their own: one may still be there when the next one begins. */
  private temporaryCount = 0;

  constructor(private readonly server: Server) {
    this.lastSaveMs = server.startedMs;
  }

  report(): SavingReport {
    const { snapshots, clock } = this.server;
    const { keysDone, keysTotal, preservedBytes } = snapshots.progress();
    const elapsed = Math.floor((clock.nowMs() - this.startedMs) / 1000);
    this.preservedPeakBytes = snapshots.isBusy
      ? Math.max(this.preservedPeakBytes, preservedBytes)
      : 0;
    return {
      keysDone,
      keysTotal,
      preservedBytes,
      preservedPeakBytes: this.preservedPeakBytes,
      isSaving: this.isSaving,
      lastSaveSeconds: Math.floor(this.lastSaveMs / 1000),
      lastSucceeded: this.lastSucceeded,
      lastDuration: this.lastDuration,
      currentDuration: this.isSaving ? elapsed : -1,
      saves: this.saves,
      lastPreservedBytes: this.lastPreservedBytes,
      snapshots: snapshots.begunCount,
    };
  }

  save(): boolean {
    if (this.isSaving) return false;
    this.saves++;
    return this.saveNow();
  }

  saveInBackground(schedules: boolean): string {
    const { snapshots, log } = this.server;
    if (this.isSaving) return "ERR Background save already in progress";
    const isInExec = this.server.isInExec();
    if (snapshots.isBusy || isInExec) {
      if (!schedules && !isInExec) {
        return (
          "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE " +
          "SCHEDULE in order to schedule a BGSAVE whenever possible."
        );
      }
      this.isScheduled = true;
      log.notice(
        schedules
          ? "Background saving scheduled due to user request"
          : "Background saving scheduled to run after transaction execution",
      );
      return "Background saving scheduled";
    }
    this.begin();
    return "Background saving started";
  }

  cancel(): string {
    const { log } = this.server;
    if (this.isSaving) {
      log.notice("Background saving will be aborted due to user request");
      this.abort();
      return "Background saving cancelled";
    }
    if (this.isScheduled) {
      log.notice("Scheduled background saving will be cancelled due to user request");
      this.isScheduled = false;
      return "Scheduled background saving cancelled";
    }
    return "ERR Background saving is currently not in progress or scheduled";
  }

  flushed(): void {
    if (this.isSaving) this.abort();
    if (this.server.config.savePoints().length > 0) this.saveNow();
  }

  reload({ merges, flushes, saves }: ReloadOptions): string | null {
    const { keyspace, log, host, config } = this.server;
    if (saves && !this.saveNow()) return "ERR";
    this.server.appendOnly.appendOnly.postponeRewrite();
    if (flushes) keyspace.clearAll(false);
    const path = fromByteString(config.string("dbfilename"));
    const functions: string[] = [];
    const options = { ...rdbLoadOptions(this.server), replacesKeys: merges, functions };
    let failure: string | null;
    try {
      const file = host.fileSystem.open(path, "read");
      failure = loadRdb(new FileSource(host.fileSystem, file), keyspace, options).failure;
      host.fileSystem.close(file);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      log.warning(`Fatal error: can't open the RDB file ${path} for reading: ${error.message}`);
      failure = error.message;
    }
    if (failure !== null) return "ERR Error trying to load the RDB dump, check server logs.";
    keyspace.functions.splice(0, Infinity, ...functions);
    log.notice("DB reloaded by DEBUG RELOAD");
    return null;
  }

  /** Begins what is due: save points, and what was scheduled. Called by the cron. */
  tick(): void {
    const { snapshots, config, keyspace, log, clock } = this.server;
    if (snapshots.isBusy) return;
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    const sinceTry = nowSeconds - Math.floor(this.lastTryMs / 1000);
    if (!this.lastSucceeded && sinceTry <= RETRY_SECONDS) return;
    const sinceSave = nowSeconds - Math.floor(this.lastSaveMs / 1000);
    for (const { seconds, changes } of config.savePoints()) {
      if (keyspace.dirty < changes || sinceSave <= seconds) continue;
      log.notice(`${changes} changes in ${seconds} seconds. Saving...`);
      this.begin();
      return;
    }
    if (this.isScheduled) this.begin();
  }

  /** Whether a file is to be written when the server ends, where SHUTDOWN does not say. */
  get savesAtEnd(): boolean {
    return this.server.config.savePoints().length > 0;
  }

  /** The server ends: what is being saved in the background is given up. */
  abortAtEnd(): void {
    if (!this.isSaving) return;
    this.server.log.warning("There is a child saving an .rdb. Killing it!");
    this.isSaving = false;
    this.server.snapshots.cancel(true);
  }

  /** Saves while everything waits. False, after log lines, on failure. */
  saveNow(): boolean {
    return this.saved(this.server.snapshots.write(this.foregroundRequest(() => {})));
  }

  /** Saves in slices, as the server ends: `done` hears whether it succeeded. */
  saveAtEnd(done: (succeeded: boolean) => void): void {
    const request = this.foregroundRequest((failure) => done(this.saved(failure)));
    this.server.snapshots.start(request);
  }

  /** Commands that write are refused, or not any more. */
  updateWriteRefusal(): void {
    const { config } = this.server;
    const refuses =
      !this.lastSucceeded && this.savesAtEnd && config.bool("stop-writes-on-bgsave-error");
    this.server.refuseWrites("rdb", refuses ? MISCONF : null);
  }

  private begin(): void {
    const { snapshots, log, host, clock, keyspace } = this.server;
    this.isScheduled = false;
    this.isSaving = true;
    this.saves++;
    this.lastTryMs = clock.nowMs();
    this.startedMs = this.lastTryMs;
    log.notice(`Background saving started by pid ${host.pid}`);
    snapshots.start({
      ...this.request(`temp-${host.pid}-${++this.temporaryCount}.rdb`),
      begun: () => {
        this.dirtyAtStart = keyspace.dirty;
      },
      done: (failure) => this.ended(failure),
    });
  }

  private ended(failure: SnapshotFailure | null): void {
    const { log, clock, keyspace, snapshots } = this.server;
    const nowMs = clock.nowMs();
    this.isSaving = false;
    this.lastDuration = Math.floor(nowMs / 1000) - Math.floor(this.startedMs / 1000);
    this.lastPreservedBytes = snapshots.lastPreservedBytes;
    if (failure === null) {
      log.notice("DB saved on disk");
      log.notice("Background saving terminated with success");
      keyspace.dirty -= this.dirtyAtStart;
      this.lastSaveMs = nowMs;
    } else {
      this.logFailure(failure);
      log.warning("Background saving error");
    }
    this.setSucceeded(failure === null);
  }

  /** What is being saved in the background is not wanted any more: no failure. */
  private abort(): void {
    const { log, clock, observers, snapshots } = this.server;
    const startUs = clock.monotonicUs();
    this.isSaving = false;
    this.lastDuration = Math.floor((clock.nowMs() - this.startedMs) / 1000);
    snapshots.cancel();
    this.lastPreservedBytes = snapshots.lastPreservedBytes;
    log.warning("Background saving terminated by signal 10");
    const us = clock.monotonicUs() - startUs;
    observers.latency.note(LatencyEvent.RDB_UNLINK, us, clock.nowMs());
  }

  /** A save is over that was not in the background. */
  private saved(failure: SnapshotFailure | null): boolean {
    const { log, clock, keyspace } = this.server;
    if (failure !== null) {
      this.logFailure(failure);
      return false;
    }
    log.notice("DB saved on disk");
    keyspace.dirty = 0;
    this.dirtyAtStart = 0;
    this.lastSaveMs = clock.nowMs();
    this.setSucceeded(true);
    return true;
  }

  private setSucceeded(succeeded: boolean): void {
    this.lastSucceeded = succeeded;
    this.updateWriteRefusal();
  }

  private foregroundRequest(done: (failure: SnapshotFailure | null) => void): SnapshotRequest {
    return { ...this.request(this.temporaryName), begun: () => {}, done };
  }

  /** The file that a save which is not in the background makes. */
  get temporaryName(): string {
    return `temp-${this.server.host.pid}.rdb`;
  }

  private request(temporary: string): Omit<SnapshotRequest, "begun" | "done"> {
    const { config, keyspace, host } = this.server;
    // Whole paths: CONFIG SET dir may come in between.
    const directory = fromByteString(host.currentDirectory());
    const settings: SinkSettings = {
      temporary: `${directory}/${temporary}`,
      target: `${directory}/${fromByteString(config.string("dbfilename"))}`,
      directory,
      compresses: config.bool("rdbcompression"),
      checksums: config.bool("rdbchecksum"),
      syncsAlong: config.bool("rdb-save-incremental-fsync"),
    };
    return {
      settings,
      onClear: "restart",
      encoder: (output) => new RdbSnapshotEncoder(keyspace, rdbFormat(this.server, false), output),
    };
  }

  private logFailure({ stage, text }: SnapshotFailure): void {
    const { log, host, config } = this.server;
    const directory = fromByteString(host.currentDirectory());
    const temporary = this.temporaryName;
    if (stage === SinkStage.OPEN) {
      log.warning(
        `Failed opening the temp RDB file ${temporary} (in server root dir ${directory}) for saving: ${text}`,
      );
    } else if (stage === SinkStage.RENAME) {
      const target = fromByteString(config.string("dbfilename"));
      log.warning(
        `Error moving temp DB file ${temporary} on the final destination ${target} (in server root dir ${directory}): ${text}`,
      );
    } else if (stage === SinkStage.SYNC_DIRECTORY) {
      log.warning(`Failed to fsync directory while saving DB: ${text}`);
    } else log.warning(`Write error while saving DB to the disk(${WRITE_STEPS[stage]}): ${text}`);
  }
}

/** How an RDB file is written: a dump, or the base of an append-only file. */
export function rdbFormat(server: Server, isBase: boolean): SnapshotFormat {
  const { config, keyspace, clock } = server;
  const policy = config.string("maxmemory-policy");
  const version = config.string("rdb-version");
  return {
    version: version === "auto" ? 0 : Number(version),
    compresses: config.bool("rdbcompression"),
    clock: policy.endsWith("-lru") ? "idle" : policy.endsWith("-lfu") ? "frequency" : "none",
    auxiliary: [
      ["redis-ver", REDIS_VERSION],
      ["redis-bits", "64"],
      ["ctime", String(Math.floor(clock.nowMs() / 1000))],
      ["used-mem", String(server.usedMemoryBytes())],
      ["aof-base", isBase ? "1" : "0"],
    ],
    functions: keyspace.functions,
  };
}
