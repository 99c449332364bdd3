/**
 * The append-only file's place in the server: puts its parts together, copies its settings, loads
 * it at the start, and answers what commands ask of it.
 */
import type { AofReport, AppendOnlyControl } from "../commands/append-only-control.ts";
import { AofDirectory } from "../persistence/aof-directory.ts";
import type { RdbLoadOptions } from "../persistence/rdb-file-load.ts";
import { fromByteString } from "../runtime/config/byte-string.ts";
import type { Config } from "../runtime/config/config.ts";
import type { Wait } from "../session/blocking.ts";
import { AofState, AppendOnly, type BaseMaker } from "./append-only.ts";
import { AofLoader } from "./aof-loader.ts";
import { AofWriter } from "./aof-writer.ts";
import { loadRdbFile, rdbLoadOptions } from "./loading.ts";
import type { Server } from "./server.ts";

/** How much longer than the disk takes, at most, requests are gathered before it is asked. */
const GATHERING_SHARE = 0.5;
const NOT_APPEND_ONLY =
  "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

/** A client that waits until the changes up to `offset` are durable. */
interface SyncWait {
  readonly wait: Wait;
  readonly offset: number;
}

export class ServerAppendOnly implements AppendOnlyControl {
  readonly writer: AofWriter;
  readonly appendOnly: AppendOnly;
  private readonly directory: AofDirectory;
  private waits: SyncWait[] = [];
  private turnIsScheduled = false;
  /** While a turn with appendfsync always gathers requests: since when, and how many it has. */
  private gatheringUs = 0;
  private gathered = 0;

  constructor(
    private readonly server: Server,
    bases: BaseMaker,
  ) {
    const { host, config, log, clock } = server;
    const { fileSystem: files, backgroundFiles: background } = host;
    const changes = server.propagationLog;
    const names = {
      directory: config.string("appenddirname"),
      file: config.string("appendfilename"),
      toPath: fromByteString,
    };
    this.directory = new AofDirectory(files, names, log);
    this.writer = new AofWriter({
      files,
      background,
      clock,
      log,
      latency: server.observers.latency,
      changes,
      isSaving: () => bases.isBusy,
      onStatus: (error) =>
        server.refuseWrites(
          "aof",
          error === null ? null : `MISCONF Errors writing to the AOF file: ${error}`,
        ),
      onSynced: () => this.wakeSynced(),
      sleepUs: (us) => server.sleepMs(us / 1000),
      exit: (code) => host.exit(code),
    });
    this.appendOnly = new AppendOnly({
      files,
      background,
      clock,
      log,
      pid: host.pid,
      changes,
      directory: this.directory,
      writer: this.writer,
      bases,
      listen: (on) => server.listenToChanges(on),
      isInExec: () => server.isInExec(),
      onStopped: () => this.onStopped(),
    });
  }

  /** Copies the settings that are read often. */
  configure(config: Config): void {
    const { writer, appendOnly } = this;
    const policy = config.string("appendfsync");
    writer.policy = policy === "always" || policy === "no" ? policy : "everysec";
    writer.sparesDisk = config.bool("no-appendfsync-on-rewrite");
    writer.writesTimestamps = config.bool("aof-timestamp-enabled");
    appendOnly.rewritePercentage = config.int("auto-aof-rewrite-percentage");
    appendOnly.rewriteMinBytes = config.int("auto-aof-rewrite-min-size");
    appendOnly.usesRdb = config.bool("aof-use-rdb-preamble");
    appendOnly.keepsHistory = config.bool("aof-disable-auto-gc");
  }

  /** CONFIG SET appendonly: the error, or null. */
  turn(on: boolean): string | null {
    const { appendOnly } = this;
    if (on === appendOnly.isOn) return null;
    if (!on) appendOnly.stop();
    else if (!appendOnly.start()) return "Unable to turn on AOF. Check server logs.";
    return null;
  }

  /** There are changes: they are written at the end of the turn, and no reply leaves before. */
  onChanges(): void {
    if (this.writer.file < 0) {
      this.server.propagationLog.drop(this.server.propagationLog.complete);
      return;
    }
    this.server.held.isOn = true;
    if (this.turnIsScheduled) return;
    this.turnIsScheduled = true;
    this.gathered = 0;
    this.gatheringUs = this.server.clock.monotonicUs();
    setImmediate(this.endTurn);
  }

  private readonly endTurn = (): void => {
    if (this.writer.policy === "always" && this.gathers()) {
      setImmediate(this.endTurn);
      return;
    }
    this.turnIsScheduled = false;
    this.commit();
  };

  /**
   * Whether to look once more for requests before the disk is waited for: while each look finds
   * some, clients are left that may send any, and less time has gone than the disk takes anyway.
   * Clients that were answered together so stay together, and share the next fdatasync.
   */
  private gathers(): boolean {
    const { held, clients, clock } = this.server;
    const { count } = held;
    if (count === this.gathered || count >= clients.count) return false;
    this.gathered = count;
    return clock.monotonicUs() - this.gatheringUs < this.writer.syncUs * GATHERING_SHARE;
  }

  /** Sends what waits for the turn's end. False: replies wait for the disk, with others' changes. */
  endTurnEarly(): boolean {
    if (!this.server.held.isOn) return true;
    if (this.writer.policy === "always") return false;
    this.commit();
    return true;
  }

  /** Writes the changes at hand, and lets the replies go that waited for that. */
  commit(): void {
    this.writer.flush(false);
    this.server.held.release();
  }

  /**
   * Loads the data at the start, then calls `onReady`: the append-only file if it is on, else the
   * RDB file. What cannot be loaded ends the process.
   */
  loadAtStart(onReady: () => void): void {
    const { server, appendOnly } = this;
    const { host, config } = server;
    if (!appendOnly.loadManifest()) {
      host.exit(1);
      return;
    }
    if (config.bool("appendonly")) this.loadFiles(onReady);
    else {
      appendOnly.removeHistory();
      loadRdbFile(server, onReady);
    }
  }

  private loadFiles(onReady: () => void): void {
    const { server, appendOnly } = this;
    const { host, log, clock } = server;
    const startedUs = clock.monotonicUs();
    if (!appendOnly.manifest.isEmpty) host.expectWork();
    const loader = this.newLoader();
    server.loading.run(loader, () => {
      const { outcome } = loader;
      if (outcome === "failed") {
        host.exit(1);
        return;
      }
      if (outcome !== "missing") {
        const seconds = (clock.monotonicUs() - startedUs) / 1e6;
        log.notice(`DB loaded from append only file: ${seconds.toFixed(3)} seconds`);
        appendOnly.loaded(loader.totalBytes, loader.baseBytes);
      } else this.warnOfRdbFile();
      if (!appendOnly.openAtStart()) {
        host.exit(1);
        return;
      }
      appendOnly.removeHistory();
      onReady();
    });
  }

  /** The data set begins empty although there is an RDB file: as in Redis, but not silently. */
  private warnOfRdbFile(): void {
    const { host, config, log } = this.server;
    const name = config.string("dbfilename");
    if (!host.fileSystem.exists(fromByteString(name))) return;
    log.warning(
      `WARNING: ${name} is not loaded, since appendonly is on and there is no append-only file yet. To take its data over, start with appendonly no and set it to yes by CONFIG SET.`,
    );
  }

  private newLoader(): AofLoader {
    const { server, directory } = this;
    const { clock, log, keyspace, dispatcher, effects, config } = server;
    const rdbOptions: RdbLoadOptions = { ...rdbLoadOptions(server), dropsExpired: false };
    return new AofLoader(
      {
        clock,
        log,
        keyspace,
        dispatcher,
        effects,
        directory,
        rdbOptions,
        truncates: config.bool("aof-load-truncated"),
        onErrorReply: (error, command) => {
          server.stats.unexpectedErrorReplies++;
          log.warning(
            `== CRITICAL == This server is sending an error to its AOF-loading-client: '${error}' after processing the command '${command}'`,
          );
          if (config.string("propagation-error-behavior") !== "panic") return;
          server.panic(
            `This server panicked sending an error to its AOF-loading-client after processing the command '${command}'`,
          );
        },
      },
      this.appendOnly.manifest,
    );
  }

  // --- AppendOnlyControl

  reload(): boolean {
    const { server, appendOnly, writer } = this;
    const { keyspace, log } = server;
    if (appendOnly.isOn) writer.flush(true);
    appendOnly.postponeRewrite();
    keyspace.clearAll(false);
    keyspace.functions.length = 0;
    if (!appendOnly.loadManifest()) {
      server.host.exit(1);
      return false;
    }
    appendOnly.removeHistory();
    const loader = this.newLoader();
    while (!loader.step(Infinity, Infinity, Infinity));
    if (loader.outcome === "loaded" || loader.outcome === "empty") {
      keyspace.dirty = 0;
      log.notice("Append Only File loaded by DEBUG LOADAOF");
      return true;
    }
    return false;
  }

  rewrite(): string {
    return this.appendOnly.rewriteOnRequest();
  }

  setFlushSleep(us: number): void {
    this.writer.flushSleepUs = us;
  }

  changesOffset(): number {
    return this.writer.propagated;
  }

  syncedOffset(): number {
    return this.appendOnly.state === AofState.ON ? this.writer.syncedOffset : -1;
  }

  wakeWhenSynced(wait: Wait, offset: number): void {
    this.waits.push({ wait, offset });
  }

  report(): AofReport {
    const { appendOnly, writer, server } = this;
    appendOnly.count();
    const nowMs = server.clock.nowMs();
    const sinceMs = nowMs - appendOnly.rewriteStartedMs;
    return {
      isOn: appendOnly.isOn,
      isRewriting: appendOnly.isRewriting,
      isRewriteScheduled: appendOnly.isRewriteScheduled,
      lastRewriteSeconds: appendOnly.lastRewriteSeconds,
      currentRewriteSeconds: appendOnly.isRewriting ? Math.floor(sinceMs / 1000) : -1,
      lastRewriteSucceeded: appendOnly.lastRewriteSucceeded,
      rewrites: appendOnly.rewrites,
      rewriteFailures: appendOnly.rewriteFailures,
      canWrite: writer.writeError === null && writer.syncError === null,
      currentBytes: appendOnly.currentBytes,
      baseBytes: appendOnly.baseBytes,
      waitingBytes: server.propagationLog.complete,
      isSyncing: writer.isSyncing,
      delayedSyncs: writer.delayedSyncs,
    };
  }

  /** What is due from time to time. */
  tick(): void {
    this.appendOnly.tick();
    if (this.waits.length === 0) return;
    // Some have given up, or are gone.
    this.waits = this.waits.filter(({ wait }) => wait.client.wait === wait);
    this.wakeSynced();
  }

  /** Answers the clients whose changes are durable now. */
  private wakeSynced(): void {
    if (this.waits.length === 0) return;
    const syncedOffset = this.syncedOffset();
    const served = this.waits.filter(({ offset }) => offset <= syncedOffset);
    this.waits = this.waits.filter(({ offset }) => offset > syncedOffset);
    this.end(served, null);
  }

  /** Nobody will synchronise anything any more. */
  private onStopped(): void {
    const { waits } = this;
    this.waits = [];
    this.end(waits, NOT_APPEND_ONLY);
  }

  private end(waits: readonly SyncWait[], error: string | null): void {
    for (const { wait } of waits) {
      // The client may be gone, or wait for something else by now.
      if (wait.client.wait === wait) this.server.unblock(wait, error);
    }
  }
}
