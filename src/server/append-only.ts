/**
 * The append-only file: on or off, its files, and their rewriting.
 *
 *     OFF --start--> WAITING --first rewrite done--> ON --stop--> OFF
 *                       |  ^
 *                       +--+ a rewrite fails: another one is scheduled
 *
 * A rewrite makes a new base from a snapshot. The moment it begins, a new increment takes the
 * changes, so base and increment together are the data; when the base is complete, the manifest
 * names them, and the files before become history and go. While WAITING, changes go to a temporary
 * increment, which becomes a real one with the first base.
 *
 * Rules, file names and messages are Redis 7's.
 */
import type { BackgroundFiles } from "../base/background-files.ts";
import type { Clock } from "../base/clock.ts";
import type { FileSystem } from "../base/file-system.ts";
import type { AofDirectory } from "../persistence/aof-directory.ts";
import { AofManifest, ManifestError, manifestErrorLines } from "../persistence/aof-manifest.ts";
import type { PropagationLog } from "../propagation/propagation-log.ts";
import type { Log } from "../runtime/log.ts";
import type { AofWriter } from "./aof-writer.ts";

export const enum AofState {
  OFF = 0,
  ON = 1,
  /** Turned on, and the first rewrite is not done yet. */
  WAITING = 2,
}

/** What writes bases: snapshots of the keyspace, one at a time. */
export interface BaseMaker {
  /** A snapshot is being written, whatever for. */
  readonly isBusy: boolean;
  /**
   * Begins to write a base. `done` is called once, at the end, after a log line if it failed;
   * not if it is cancelled.
   */
  start(path: string, isRdb: boolean, done: (succeeded: boolean) => void): void;
  /** Writes a base at once. False, after a log line, if that fails. */
  write(path: string, isRdb: boolean): boolean;
  /** Ends the base that is being written. */
  cancel(): void;
}

export interface AppendOnlyParts {
  readonly files: FileSystem;
  readonly background: BackgroundFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly pid: number;
  readonly changes: PropagationLog;
  readonly directory: AofDirectory;
  readonly writer: AofWriter;
  readonly bases: BaseMaker;
  /** Whether changes are to be logged. */
  listen(on: boolean): void;
  /** Whether commands of a transaction are running. */
  isInExec(): boolean;
  /** The append-only file was turned off: nobody has to wait for it. */
  onStopped(): void;
}

const REWRITE_FAILURES_MAX = 3;
const REWRITE_DELAY_MINUTES_MAX = 60;
const MINUTE_MS = 60_000;

export class AppendOnly {
  state: AofState = AofState.OFF;
  /** auto-aof-rewrite-percentage, 0 = never, and auto-aof-rewrite-min-size. */
  rewritePercentage = 0;
  rewriteMinBytes = 0;
  /** aof-use-rdb-preamble. */
  usesRdb = true;
  /** aof-disable-auto-gc. */
  keepsHistory = false;

  manifest = new AofManifest();
  /** Bytes of base and increments, and what they were after the last rewrite. */
  currentBytes = 0;
  baseBytes = 0;
  isRewriteScheduled = false;
  isRewriting = false;
  /** Of the rewrite that runs, unix ms; and how many seconds the last one took, -1 = none did. */
  rewriteStartedMs = 0;
  lastRewriteSeconds = -1;
  lastRewriteSucceeded = true;
  rewrites = 0;
  rewriteFailures = 0;

  private delayMinutes = 0;
  private nextRewriteMs = 0;
  /** Bytes of the increment that `currentBytes` counts. */
  private countedBytes = 0;

  constructor(private readonly parts: AppendOnlyParts) {}

  get isOn(): boolean {
    return this.state !== AofState.OFF;
  }

  /** Reads the manifest from the disk. False, after log lines, if it is broken. */
  loadManifest(): boolean {
    const { directory, log } = this.parts;
    try {
      this.manifest = directory.loadManifest();
      return true;
    } catch (error) {
      if (error instanceof ManifestError) {
        for (const line of manifestErrorLines(error)) log.warning(line);
      } else {
        log.warning(
          `Fatal error: can't open the AOF manifest file ${directory.manifestName} for reading: ${textOf(error)}`,
        );
      }
      return false;
    }
  }

  /** The files were loaded: so many bytes, of which the base has so many. */
  loaded(totalBytes: number, baseBytes: number): void {
    this.currentBytes = totalBytes;
    this.baseBytes = baseBytes;
  }

  /**
   * Begins to write when the server starts with appendonly yes, after loading: goes on with the
   * last increment. False, after a log line, if that is not possible.
   */
  openAtStart(): boolean {
    const { directory, bases, log, writer, files } = this.parts;
    const { manifest } = this;
    if (!directory.make()) return false;
    const isEmpty = manifest.isEmpty;
    const hasIncrement = manifest.increments.length > 0;
    const prefix = directory.names.file;
    if (isEmpty) {
      const name = manifest.addBase(prefix, this.usesRdb);
      if (!bases.write(directory.path(name), this.usesRdb)) return false;
      log.notice(`Creating AOF base file ${name} on server start`);
    }
    const name = manifest.lastIncrement(prefix);
    let file: number;
    try {
      file = files.open(directory.path(name), "append");
    } catch (error) {
      log.warning(`Can't open the append-only file ${name}: ${textOf(error)}`);
      return false;
    }
    if (!directory.saveManifest(manifest)) return false;
    const size = files.size(file);
    this.collect(file, size);
    this.countedBytes = size;
    writer.forgetErrors();
    this.state = AofState.ON;
    const action = hasIncrement ? "Opening" : "Creating";
    log.notice(`${action} AOF incr file ${name} on server start`);
    return true;
  }

  /** CONFIG SET appendonly yes. False, after a log line, if it cannot be turned on. */
  start(): boolean {
    const { log, bases, writer } = this.parts;
    this.state = AofState.WAITING;
    if (bases.isBusy && !this.isRewriting) {
      this.isRewriteScheduled = true;
      log.notice(
        "AOF was enabled but there is already another background operation. An AOF background " +
          "was scheduled to start when possible.",
      );
    } else if (this.parts.isInExec()) {
      this.isRewriteScheduled = true;
      log.notice(
        "AOF was enabled during a transaction. An AOF background was scheduled to start when possible.",
      );
    } else {
      if (this.isRewriting) {
        log.notice(
          "AOF was enabled but there is already an AOF rewriting in background. Stopping " +
            "background AOF and starting a rewrite now.",
        );
        this.cancelRewrite();
      }
      if (!this.rewrite()) {
        this.state = AofState.OFF;
        log.warning(
          "The server needs to enable the AOF but can't trigger a background AOF rewrite " +
            "operation. Check the above logs for more info about the error.",
        );
        return false;
      }
    }
    writer.forgetErrors();
    return true;
  }

  /** CONFIG SET appendonly no: what is written stays, and is not gone on with. */
  stop(): void {
    const { writer, log } = this.parts;
    this.parts.listen(false);
    writer.close();
    this.state = AofState.OFF;
    if (this.isRewriteScheduled) {
      this.isRewriteScheduled = false;
      log.notice("AOF was disabled but there is a scheduled AOF background, cancel it.");
    }
    if (this.isRewriting) this.cancelRewrite();
    this.parts.onStopped();
  }

  /**
   * The data are about to be replaced by what no increment tells: a rewrite that runs begins anew
   * afterwards.
   */
  postponeRewrite(): void {
    if (!this.isRewriting) return;
    this.cancelRewrite();
    this.isRewriteScheduled = true;
  }

  /** Ends a rewrite that runs, as if nobody had asked for it. */
  private cancelRewrite(): void {
    const { log, bases, pid } = this.parts;
    log.notice(`Killing running AOF rewrite child: ${pid}`);
    bases.cancel();
    this.removeTemporaryBase();
    this.isRewriting = false;
  }

  /** BGREWRITEAOF: the reply, or, beginning with a code, the error. */
  rewriteOnRequest(): string {
    const { log, bases } = this.parts;
    if (this.isRewriting) {
      return "ERR Background append only file rewriting already in progress";
    }
    if (bases.isBusy || this.parts.isInExec()) {
      this.isRewriteScheduled = true;
      this.rewriteFailures = 0;
      log.notice("Background append only file rewriting scheduled.");
      return "Background append only file rewriting scheduled";
    }
    return this.rewrite()
      ? "Background append only file rewriting started"
      : "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.";
  }

  /** What is due: writing what had to wait, and rewriting. Called by the cron. */
  tick(): void {
    const { writer, bases, log } = this.parts;
    writer.flush(false);
    this.count();
    if (bases.isBusy) return;
    if (this.isRewriteScheduled) {
      if (!this.isRewriteLimited()) this.rewrite();
      return;
    }
    if (this.state !== AofState.ON || this.rewritePercentage === 0) return;
    if (this.currentBytes <= this.rewriteMinBytes) return;
    const growth = Math.floor((this.currentBytes * 100) / (this.baseBytes || 1)) - 100;
    if (growth < this.rewritePercentage || this.isRewriteLimited()) return;
    log.notice(`Starting automatic rewriting of AOF on ${growth}% growth`);
    this.rewrite();
  }

  /** The end of an event-loop turn that changed something. */
  endTurn(): void {
    this.parts.writer.flush(false);
  }

  /** Writes and synchronises everything at the end of the server. False if it must not end yet. */
  shutDown(force: boolean): boolean {
    const { log, writer, files } = this.parts;
    if (!this.isOn) return true;
    if (this.isRewriting) {
      if (this.state === AofState.WAITING) {
        log.warning(
          force ? "Writing initial AOF. Exit anyway." : "Writing initial AOF, can't exit",
        );
        if (!force) return false;
      }
      log.warning("There is a child saving an .aof. Killing it!");
      this.cancelRewrite();
    }
    log.notice("Calling fsync() on the AOF file.");
    if (writer.file < 0) return true;
    writer.flush(true);
    try {
      files.syncData(writer.file);
    } catch (error) {
      log.warning(`Fail to fsync the AOF file: ${textOf(error)}.`);
    }
    return true;
  }

  /** Removes the files that are history, unless they are to be kept. */
  removeHistory(): void {
    const { directory, background, log } = this.parts;
    const { manifest } = this;
    if (this.keepsHistory || manifest.history.length === 0) return;
    for (const { name } of manifest.history) {
      log.notice(`Removing the history file ${name} in the background`);
      background.remove(directory.path(name));
    }
    manifest.history = [];
    manifest.isDirty = true;
    directory.saveManifest(manifest);
  }

  /** Bytes of all files, with those written since they were counted last. */
  count(): void {
    const { writer } = this.parts;
    if (writer.file < 0) return;
    this.currentBytes += writer.size - this.countedBytes;
    this.countedBytes = writer.size;
  }

  /** Begins a rewrite. False, after a log line, if it cannot begin. */
  private rewrite(): boolean {
    const { bases, directory, changes, writer, log, clock, pid } = this.parts;
    if (bases.isBusy) return false;
    if (!directory.make()) {
      this.lastRewriteSucceeded = false;
      return false;
    }
    changes.forgetSelection();
    writer.flush(true);
    this.count();
    if (this.isOn && !this.openIncrement()) {
      this.lastRewriteSucceeded = false;
      return false;
    }
    this.rewrites++;
    const isRdb = this.usesRdb;
    this.isRewriteScheduled = false;
    this.isRewriting = true;
    this.rewriteStartedMs = clock.nowMs();
    log.notice(`Background append only file rewriting started by pid ${pid}`);
    bases.start(this.temporaryBase(), isRdb, (succeeded) => this.onRewritten(succeeded, isRdb));
    return true;
  }

  /** The increment that takes the changes from now on. */
  private openIncrement(): boolean {
    const { directory, files, log } = this.parts;
    const isTemporary = this.state === AofState.WAITING;
    const manifest = this.manifest.copy();
    const name = isTemporary
      ? directory.temporaryIncrementName
      : manifest.addIncrement(directory.names.file);
    let file: number;
    try {
      // Emptied, but written to at its end, wherever a failed write leaves it.
      files.close(files.open(directory.path(name), "write"));
      file = files.open(directory.path(name), "append");
    } catch (error) {
      log.warning(`Can't open the append-only file ${name}: ${textOf(error)}`);
      return false;
    }
    if (!isTemporary && !directory.saveManifest(manifest)) {
      files.close(file);
      return false;
    }
    log.notice(`Creating AOF incr file ${name} on background rewrite`);
    this.collect(file, 0);
    this.countedBytes = 0;
    if (!isTemporary) this.manifest = manifest;
    return true;
  }

  private onRewritten(succeeded: boolean, isRdb: boolean): void {
    const { log, clock, changes, writer, background, directory } = this.parts;
    this.isRewriting = false;
    if (succeeded) {
      log.notice("Background AOF rewrite terminated with success");
      succeeded = this.install(isRdb);
    } else log.warning("Background AOF rewrite terminated with error");
    this.lastRewriteSucceeded = succeeded;
    this.rewriteFailures = succeeded ? 0 : this.rewriteFailures + 1;
    if (succeeded) {
      log.notice("Background AOF rewrite finished successfully");
      if (this.state === AofState.WAITING) this.state = AofState.ON;
    }
    this.removeTemporaryBase();
    this.lastRewriteSeconds = Math.floor((clock.nowMs() - this.rewriteStartedMs) / 1000);
    if (this.state !== AofState.WAITING) return;
    // The temporary increment belongs to a base that does not exist.
    this.parts.listen(false);
    changes.drop(changes.complete);
    writer.abandon();
    const name = directory.temporaryIncrementName;
    log.notice(`Removing the temp incr aof file ${name} in the background`);
    background.remove(directory.path(name));
    this.isRewriteScheduled = true;
  }

  /** Puts the new base in the place of the files before. */
  private install(isRdb: boolean): boolean {
    const { directory, writer, background } = this.parts;
    const manifest = this.manifest.copy();
    const prefix = directory.names.file;
    const temporary = this.temporaryBase();
    const baseName = manifest.addBase(prefix, isRdb);
    const basePath = directory.path(baseName);
    if (!this.rename(temporary, basePath, "base", temporary, baseName)) return false;
    let incrementPath: string | null = null;
    if (this.state === AofState.WAITING) {
      const temporaryName = directory.temporaryIncrementName;
      const name = manifest.addIncrement(prefix);
      const path = directory.path(name);
      if (!this.rename(directory.path(temporaryName), path, "incr", temporaryName, name)) {
        background.remove(basePath);
        return false;
      }
      incrementPath = path;
    }
    manifest.retireIncrements(writer.file >= 0);
    if (!directory.saveManifest(manifest)) {
      background.remove(basePath);
      if (incrementPath !== null) background.remove(incrementPath);
      return false;
    }
    this.manifest = manifest;
    if (this.isOn) {
      const size = directory.sizeOf(baseName);
      this.currentBytes = ("bytes" in size ? size.bytes : 0) + writer.size;
      this.countedBytes = writer.size;
      this.baseBytes = this.currentBytes;
    }
    this.removeHistory();
    return true;
  }

  private rename(
    from: string,
    to: string,
    kind: "base" | "incr",
    fromName: string,
    toName: string,
  ): boolean {
    const { files, log } = this.parts;
    try {
      files.rename(from, to);
    } catch (error) {
      log.warning(
        `Error trying to rename the temporary AOF ${kind} file ${from} into ${to}: ${textOf(error)}`,
      );
      return false;
    }
    log.notice(`Successfully renamed the temporary AOF ${kind} file ${fromName} into ${toName}`);
    return true;
  }

  /** After three failures in a row, whether the next rewrite by itself has to wait. */
  private isRewriteLimited(): boolean {
    const { clock, log } = this.parts;
    if (this.rewriteFailures < REWRITE_FAILURES_MAX) {
      this.delayMinutes = 0;
      this.nextRewriteMs = 0;
      return false;
    }
    const nowMs = clock.nowMs();
    if (this.nextRewriteMs !== 0) {
      if (nowMs < this.nextRewriteMs) return true;
      this.nextRewriteMs = 0;
      return false;
    }
    this.delayMinutes = Math.min(this.delayMinutes * 2 || 1, REWRITE_DELAY_MINUTES_MAX);
    this.nextRewriteMs = nowMs + this.delayMinutes * MINUTE_MS;
    log.warning(
      `Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${this.delayMinutes} minutes`,
    );
    return true;
  }

  private collect(file: number, size: number): void {
    this.parts.writer.use(file, size);
    this.parts.listen(true);
  }

  private temporaryBase(): string {
    return `temp-rewriteaof-bg-${this.parts.pid}.aof`;
  }

  private removeTemporaryBase(): void {
    this.parts.background.remove(this.temporaryBase());
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
