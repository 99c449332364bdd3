/**
 * Loads the data set when the server starts: in slices between the events of sockets, so that
 * clients are answered meanwhile, if mostly by -LOADING.
 *
 * A slice ends after loading-process-events-interval-bytes or SLICE_US, whichever comes first. A file
 * that is not larger than that interval is loaded in one go, before any client is heard. Every
 * PROGRESS_MS a line in the log says how far it is. key-load-delay, which tests use, is waited out
 * without blocking anybody.
 */
import { FileError } from "../base/file-system.ts";
import type { LoadingReport } from "../commands/server-control.ts";
import { checkRdbFile } from "../persistence/rdb-file-check.ts";
import { RdbLoader, type RdbLoadOptions } from "../persistence/rdb-file-load.ts";
import { FileSource } from "../persistence/rdb-file-source.ts";
import { fromByteString } from "../runtime/config/byte-string.ts";
import type { Server } from "./server.ts";

const SLICE_US = 10_000;
const PROGRESS_MS = 5000;
/** What a negative key-load-delay waits for once in so many keys. */
const SHORTEST_DELAY_US = 60;

/** What is loaded in steps. */
export interface LoadTask {
  readonly totalBytes: number;
  readonly loadedBytes: number;
  /** Bytes of memory that the data took where they were saved; 0 = unknown. */
  readonly usedMemoryBytes: number;
  /** Keys or commands that were read. */
  readonly keysRead: number;
  /**
   * Loads until the monotonic clock has passed `untilUs`, or so many bytes or keys more are read;
   * true when nothing more is to be done.
   */
  step(untilUs: number, bytesMax: number, keysMax: number): boolean;
}

export class Loading {
  private task: LoadTask | null = null;
  private startedMs = 0;
  private progressMs = 0;
  private timer: Timer | null = null;

  constructor(private readonly server: Server) {}

  /** Whether data are being loaded: commands without Flag.LOADING are refused. */
  get isOn(): boolean {
    return this.task !== null;
  }

  /** How far loading is, for INFO; null when nothing is loaded. */
  report(): LoadingReport | null {
    const { task } = this;
    if (task === null) return null;
    const { totalBytes, loadedBytes, usedMemoryBytes } = task;
    return { startedMs: this.startedMs, totalBytes, loadedBytes, usedMemoryBytes };
  }

  /**
   * Runs a task to its end, then calls `onDone`: at once if it is small, else later, and until then
   * `isOn`.
   */
  run(task: LoadTask, onDone: () => void): void {
    const { server } = this;
    const { bytes, delayUs } = this.limits();
    this.startedMs = server.clock.nowMs();
    this.progressMs = server.clock.monotonicUs() / 1000;
    if (delayUs === 0 && task.totalBytes <= bytes) {
      if (this.step(task, Infinity, Infinity, Infinity)) onDone();
      return;
    }
    this.task = task;
    server.setLoadingGate(true);
    setImmediate(() => this.slice(task, onDone));
  }

  /** Gives up what is being loaded: the server ends. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.task = null;
  }

  private slice(task: LoadTask, onDone: () => void): void {
    // Stopped meanwhile.
    if (this.task !== task) return;
    const { clock } = this.server;
    const { bytes, delayUs } = this.limits();
    const startUs = clock.monotonicUs();
    const keysMax = delayUs === 0 ? Infinity : Math.max(1, Math.round(SLICE_US / delayUs));
    const keysBefore = task.keysRead;
    const untilUs = bytes === Infinity ? Infinity : startUs + SLICE_US;
    if (this.step(task, untilUs, bytes, keysMax)) {
      this.task = null;
      this.server.setLoadingGate(false);
      onDone();
      return;
    }
    if (this.task !== task) return;
    this.logProgress(task);
    const delayMs = (delayUs * (task.keysRead - keysBefore)) / 1000;
    if (delayMs < 1) setImmediate(() => this.slice(task, onDone));
    else this.timer = setTimeout(() => this.slice(task, onDone), delayMs);
  }

  /** A step of a task. What it throws, as when memory is at its end, ends the process. */
  private step(task: LoadTask, untilUs: number, bytesMax: number, keysMax: number): boolean {
    const { host, log } = this.server;
    try {
      return task.step(untilUs, bytesMax, keysMax);
    } catch (error) {
      this.stop();
      log.warning(`Fatal error loading the DB: ${String(error)}. Exiting.`);
      host.exit(1);
      return false;
    }
  }

  private limits(): { bytes: number; delayUs: number } {
    const { config } = this.server;
    const interval = config.int("loading-process-events-interval-bytes");
    const delay = config.int("key-load-delay");
    return {
      bytes: interval === 0 ? Infinity : interval,
      delayUs: delay < 0 ? SHORTEST_DELAY_US / -delay : delay,
    };
  }

  private logProgress(task: LoadTask): void {
    const { clock, log } = this.server;
    const nowMs = clock.monotonicUs() / 1000;
    if (nowMs - this.progressMs < PROGRESS_MS) return;
    this.progressMs = nowMs;
    const { totalBytes, loadedBytes, keysRead } = task;
    const elapsedMs = clock.nowMs() - this.startedMs;
    const leftSeconds = ((totalBytes - loadedBytes) * elapsedMs) / Math.max(loadedBytes, 1) / 1000;
    log.notice(
      `Loading: ${keysRead} keys, ${megabytes(loadedBytes)} of ${megabytes(totalBytes)} MB ` +
        `(${((loadedBytes / totalBytes) * 100).toFixed(0)} %), ${Math.ceil(leftSeconds)} s left`,
    );
  }
}

/** How an RDB file is loaded into a server's keyspace; parts of it the caller may replace. */
export function rdbLoadOptions(server: Server): RdbLoadOptions {
  const { config, log, keyspace, payloads } = server;
  return {
    log,
    checksChecksum: config.bool("rdbchecksum") && !payloads.skipsChecksum,
    takesNewerVersions: payloads.takesNewerVersions,
    dropsExpired: true,
    replacesKeys: false,
    functions: keyspace.functions,
  };
}

/**
 * Loads the RDB file that the configuration names, if there is one, then calls `onReady`. A file that
 * cannot be loaded ends the process.
 */
export function loadRdbFile(server: Server, onReady: () => void): void {
  const { host, config, log, clock, stats } = server;
  const { fileSystem } = host;
  const path = fromByteString(config.string("dbfilename"));
  let file: number;
  try {
    // Asked first: an exception costs a start half a millisecond. The first question, unlike the
    // second, throws where the answer cannot be had.
    if (!fileSystem.isDirectory(path) && !fileSystem.exists(path)) {
      onReady();
      return;
    }
    file = fileSystem.open(path, "read");
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    log.warning(`Fatal error: can't open the RDB file ${path} for reading: ${error.message}`);
    log.warning(FATAL);
    host.exit(1);
    return;
  }
  host.expectWork();
  const startedUs = clock.monotonicUs();
  const loader = new RdbLoader(
    new FileSource(fileSystem, file),
    server.keyspace,
    rdbLoadOptions(server),
  );
  server.loading.run(loader, () => {
    fileSystem.close(file);
    stats.rdbKeysLoaded = loader.keysLoaded;
    stats.rdbKeysExpired = loader.keysExpired;
    if (loader.failure !== null) {
      if (loader.isForeign) log.warning(FATAL);
      else if (loader.isDamaged) explainDamage(server, path);
      host.exit(1);
      return;
    }
    const seconds = (clock.monotonicUs() - startedUs) / 1e6;
    log.notice(`DB loaded from disk: ${seconds.toFixed(3)} seconds`);
    onReady();
  });
}

/** Says in the log where and how a file is damaged. */
function explainDamage(server: Server, path: string): void {
  const { host, clock, keyspace, log } = server;
  const file = host.fileSystem.open(path, "read");
  checkRdbFile({
    name: path,
    source: new FileSource(host.fileSystem, file),
    clock,
    prng: keyspace.prng,
    print: (line) => log.raw(`${line}\n`),
  });
  host.fileSystem.close(file);
  log.warning(TERMINATING);
}

const FATAL = "Fatal error loading the DB, check server logs. Exiting.";
const TERMINATING = "Terminating server after rdb file reading failure.";

function megabytes(bytes: number): string {
  return (bytes / 1048576).toFixed(1);
}
