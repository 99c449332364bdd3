/**
 * The server: puts the parts together, starts and stops them, and is what commands can ask for
 * through ServerControl. It holds no globals; several can live in one process.
 *
 *     listener → Connection → RequestParser → Dispatcher → handler → Database
 *                    ↑______________ ReplyWriter ______________|
 */
import type { Clock } from "../base/clock.ts";
import { type Prng, randomHex } from "../base/prng.ts";
import { BUNSEN } from "../base/version.ts";
import type { CommandContext, Observers } from "../commands/context.ts";
import type {
  LoadingReport,
  ProcessMemoryReport,
  ProcessReport,
  ServerControl,
  ShutdownOptions,
} from "../commands/server-control.ts";
import type { CommandSpec } from "../commands/spec.ts";
import { commandTable } from "../commands/table.ts";
import { CommandNames } from "../dispatch/command-names.ts";
import { Dispatcher, ServerGate } from "../dispatch/dispatcher.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { DumpPayloads } from "../persistence/dump-payload.ts";
import { Effects } from "../propagation/effects.ts";
import { PropagationLog } from "../propagation/propagation-log.ts";
import { RequestParser } from "../protocol/request-parser.ts";
import type { Args } from "../protocol/args.ts";
import { ReplyWriter } from "../protocol/reply-writer.ts";
import { CommandLog } from "../runtime/command-log.ts";
import type { Config } from "../runtime/config/config.ts";
import { rewriteConfigText } from "../runtime/config/rewrite.ts";
import { LatencyMonitor } from "../runtime/latency.ts";
import type { Log } from "../runtime/log.ts";
import { Stats } from "../runtime/stats.ts";
import type { Wait } from "../session/blocking.ts";
import type { ClientMemory } from "../session/client-memory.ts";
import { ClientRegistry } from "../session/client-registry.ts";
import type { Client } from "../session/client.ts";
import type { KeyState } from "../session/watch.ts";
import { Monitors } from "../session/monitors.ts";
import { Pushes } from "../session/push-log.ts";
import { Acceptor } from "./acceptor.ts";
import { AofBases } from "./aof-bases.ts";
import { ServerAppendOnly } from "./append-only-setup.ts";
import { banner } from "./banner.ts";
import { ClientLog } from "./client-log.ts";
import { ClientPause } from "./client-pause.ts";
import { type Connection, type ConnectionHost, INPUT_BYTES } from "./connection.ts";
import { Cron } from "./cron.ts";
import { HeldReplies } from "./held-replies.ts";
import type { Host } from "./host.ts";
import { KeyspaceEvents } from "./keyspace-events.ts";
import { Loading } from "./loading.ts";
import { OomScore } from "./oom-score.ts";
import { ReadCoalescing } from "./read-coalescing.ts";
import { Saving } from "./saving.ts";
import { Shutdown } from "./shutdown.ts";
import { Snapshots } from "./snapshots.ts";
import { fitMaxClients } from "./open-files.ts";
import { OutputLimits } from "./output-limits.ts";
import { applySettings } from "./settings.ts";
import { Wakeups } from "./wakeups.ts";

const SCRATCH_BYTES = 65536;
const RUN_ID_CHARACTERS = 40;
/** How old the process's memory figures may be. */
const MEMORY_SAMPLE_MS = 100;
/** What a queued reply takes up at least in Redis, where DEBUG can enforce the queue. */
const REPLY_BLOCK_BYTES = 16 * 1024;
export interface ServerParts {
  config: Config;
  host: Host;
  clock: Clock;
  prng: Prng;
  log: Log;
  /** Absolute path of the configuration file, or "". */
  configFile: string;
}

export class Server implements ServerControl, ConnectionHost {
  readonly config: Config;
  readonly host: Host;
  readonly log: Log;
  readonly clock: Clock;
  readonly configFile: string;
  readonly keyspace: Keyspace;
  readonly payloads: DumpPayloads;
  readonly propagationLog: PropagationLog;
  readonly effects: Effects;
  readonly clients: ClientRegistry;
  readonly memory: ClientMemory;
  readonly clientLog: ClientLog;
  readonly keyspaceEvents: KeyspaceEvents;
  readonly wakeups: Wakeups;
  readonly stats: Stats;
  readonly observers: Observers;
  readonly parser = new RequestParser();
  readonly input = sharedMemory(INPUT_BYTES);
  readonly reply = new ReplyWriter();
  readonly dispatcher: Dispatcher;
  readonly acceptor: Acceptor;
  readonly outputLimits: OutputLimits;
  readonly cron: Cron;
  readonly loading: Loading;
  readonly snapshots: Snapshots;
  readonly saving: Saving;
  readonly held = new HeldReplies();
  readonly coalescing: ReadCoalescing;
  readonly appendOnly: ServerAppendOnly;
  readonly pause: ClientPause;
  readonly oomScore: OomScore;
  readonly commands: readonly CommandSpec[];
  readonly namedCommands: readonly CommandSpec[];
  readonly startedMs: number;
  readonly runId: string;

  queryBufferMax = 0;
  /** maxmemory in bytes; 0 = none. */
  maxMemoryBytes = 0;
  /** DEBUG CLIENT-ENFORCE-REPLY-LIST. */
  replyListEnforced = false;

  /**
   * What the process takes up before it holds data: the JavaScript heap, measured once, so that
   * used memory depends on the data and not on the collector.
   */
  startupMemoryBytes = 0;

  private readonly ctx: CommandContext;
  private readonly names: CommandNames;
  private readonly ending: Shutdown;
  /** Why commands that write are refused, by who cannot keep changes. */
  private readonly writeRefusals = new Map<"rdb" | "aof", string>();
  /** A key expires or is evicted: the change that is reported next is nobody's. */
  private isVanishing = false;
  private memorySample: ProcessMemoryReport | null = null;
  private memorySampleMs = 0;

  constructor(parts: ServerParts) {
    const { config, host, clock, prng, log } = parts;
    this.config = config;
    this.host = host;
    this.clock = clock;
    this.log = log;
    this.configFile = parts.configFile;
    this.commands = commandTable();
    this.names = new CommandNames(this.commands);
    for (const { from, to } of config.declarations.renamedCommands) this.names.rename(from, to);
    this.namedCommands = this.names.named().map((number) => this.commands[number]);
    this.stats = new Stats(this.commands.length);
    this.startedMs = clock.nowMs();
    this.runId = randomHex(prng, RUN_ID_CHARACTERS);
    this.keyspace = new Keyspace(config.int("databases"), clock, prng, {
      onEvent: (_class, event, database, view, start, end) =>
        this.keyspaceEvents.publish(event, database, view, start, end),
      onModified: (database, view, start, end) => {
        this.onModified(database, view, start, end);
        this.isVanishing = false;
      },
      onReplaced: (database, by) => this.onReplaced(database, by),
      onFieldVanished: (database, view, start, end, fieldView, fieldStart, fieldEnd) => {
        const { effects } = this;
        if (!effects.isOn) return;
        effects.fieldVanished(database, view, start, end, fieldView, fieldStart, fieldEnd);
      },
      onVanished: (database, view, start, end, evicted) => {
        if (this.effects.isOn) this.effects.vanished(database, view, start, end, evicted);
        // What follows tells onModified, if anyone listens.
        this.isVanishing = this.keyspace.watchesKeys;
      },
    });
    this.outputLimits = new OutputLimits(config.outputBufferLimits(), host.totalMemoryBytes);
    // Whoever's reply is given up runs no further request, see Connection.flush.
    this.reply.onOverflow = () => {
      this.ctx.client.closing = true;
    };
    this.payloads = new DumpPayloads(this.keyspace);
    this.propagationLog = new PropagationLog(() => this.onPropagation());
    this.effects = new Effects(this.propagationLog);
    this.clients = new ClientRegistry(
      (on) => {
        this.keyspace.watchesKeys = on;
      },
      (deadlineMs) => this.wakeups.schedule(deadlineMs),
      new Pushes(queueMicrotask, () => ctx.client),
      prng.nextUint32() | 0,
      prng.nextUint32() | 0,
    );
    this.memory = this.clients.memory;
    this.keyspaceEvents = new KeyspaceEvents(this.clients.pubsub);
    this.observers = {
      commandLog: new CommandLog(),
      latency: new LatencyMonitor(),
      monitors: new Monitors(
        (on) => this.setServerGate(ServerGate.MONITORED, on),
        (run) => setImmediate(run),
      ),
    };
    const ctx: CommandContext = (this.ctx = {
      keyspace: this.keyspace,
      // Set before every command; no handler runs without a client.
      client: undefined as unknown as Client,
      db: this.keyspace.databases[0],
      clients: this.clients,
      config,
      stats: this.stats,
      observers: this.observers,
      log,
      prng,
      payloads: this.payloads,
      effects: this.effects,
      scratch: sharedMemory(SCRATCH_BYTES),
      server: this,
    });
    this.clientLog = new ClientLog(ctx);
    this.cron = new Cron(this);
    this.loading = new Loading(this);
    this.snapshots = new Snapshots({
      keyspace: this.keyspace,
      clock,
      files: host.fileSystem,
      startWorker: host.startSnapshotWorker ?? null,
      sleepMs: (ms) => host.sleepMs(ms),
      readCount: () => this.stats.readEvents,
      commandCount: () => this.stats.commandsProcessed,
      keyDelayUs: () => config.int("rdb-key-save-delay"),
    });
    this.saving = new Saving(this);
    this.ending = new Shutdown(this);
    this.appendOnly = new ServerAppendOnly(this, new AofBases(this));
    this.coalescing = new ReadCoalescing({
      clock,
      sleepMs: (ms) => host.sleepMs(ms),
      later: setImmediate,
      sendReplies: () => this.appendOnly.endTurnEarly(),
    });
    this.dispatcher = new Dispatcher(
      this.commands,
      this.names,
      ctx,
      clock,
      () => this.cron.makeRoom(),
      () => this.wakeups.serve(),
      (error, client, name) => this.onInternalError(error, client, name),
    );
    const { blocking, pushes } = this.clients;
    this.wakeups = new Wakeups(blocking, this.keyspace, this.dispatcher, pushes, setImmediate);
    this.pause = new ClientPause(this.dispatcher, this.keyspace, this.clients, setImmediate, () =>
      this.cron.makeRoomSoon(),
    );
    this.oomScore = new OomScore(host.fileSystem, (text) => log.warning(text));
    this.acceptor = new Acceptor(this);
    applySettings(this);
  }

  /** Begins to load the data and to serve. False, after log lines that say why, when an address cannot be had. */
  start(): boolean {
    const { config, log } = this;
    const port = config.int("port");
    const version = BUNSEN.version;
    log.notice("oO0OoO0OoO0Oo Bunsen is starting oO0OoO0OoO0Oo");
    log.notice(
      `Bunsen version=${version}, bits=64, commit=${BUNSEN.gitSha}, modified=${BUNSEN.gitDirty ? 1 : 0}, pid=${this.host.pid}, just started`,
    );
    if (this.configFile === "") {
      log.warning(
        "Warning: no config file specified, using the default config. In order to specify a config file use bunsen /path/to/redis.conf",
      );
    } else log.notice("Configuration loaded");
    if (config.bool("always-show-logo") || config.string("logfile") === "") {
      log.raw(
        banner({ version, gitSha: BUNSEN.gitSha, mode: "standalone", port, pid: this.host.pid }),
      );
    }
    if (!fitMaxClients(config, log, this.host.openFilesMax)) return false;
    this.acceptor.maxClients = config.int("maxclients");
    if (!this.acceptor.start()) return false;
    const pidFile = config.string("pidfile");
    if (pidFile !== "") {
      const error = this.host.replaceFile(pidFile, `${this.host.pid}\n`);
      if (error !== null) log.warning(`Failed to write PID file: ${error}`);
    }
    this.startupMemoryBytes = this.host.memory().heapBytes;
    log.notice("Server initialized");
    this.cron.start();
    this.appendOnly.loadAtStart(() => {
      this.acceptor.announce();
    });
    return true;
  }

  /** A signal to end; a second SIGINT ends the process at once. */
  onSignal(name: "SIGTERM" | "SIGINT"): void {
    this.ending.onSignal(name);
  }

  /** What the cron does for persistence. */
  tickPersistence(): void {
    this.ending.tick();
    this.saving.tick();
  }

  // --- ServerControl

  commandNumber(name: string): number {
    return this.names.find(name);
  }

  run(command: number, client: Client, args: Args, reply: ReplyWriter): void {
    this.dispatcher.run(command, client, args, reply);
  }

  unblock(wait: Wait, error: string | null): void {
    this.wakeups.unblock(wait, error);
  }

  process(): ProcessReport {
    return {
      pid: this.host.pid,
      executable: this.host.executable,
      configFile: this.configFile,
      platform: this.host.platform,
    };
  }

  processMemory(): ProcessMemoryReport {
    const nowMs = this.nowMs();
    if (this.memorySample === null || Math.abs(nowMs - this.memorySampleMs) >= MEMORY_SAMPLE_MS) {
      const totalSystemBytes = this.host.totalMemoryBytes;
      this.memorySample = { ...this.host.memory(), totalSystemBytes };
      this.memorySampleMs = nowMs;
    }
    return this.memorySample;
  }

  processCpu(): { userSeconds: number; systemSeconds: number } {
    return this.host.cpu();
  }

  loadingReport(): LoadingReport | null {
    return this.loading.report();
  }

  shutdown(options: ShutdownOptions, client: Client): string | null {
    const { id, address, localAddress, name } = client;
    const user = `name=${name} user=default`;
    return this.ending.begin(options, `id=${id} addr=${address} laddr=${localAddress} ${user}`);
  }

  abortShutdown(): boolean {
    return this.ending.abort();
  }

  /** Everything is kept that is to be kept: stops, and ends the process. */
  end(): void {
    const { log, host, config } = this;
    this.acceptor.stop();
    this.loading.stop();
    this.cron.stop();
    this.wakeups.stop();
    const pidFile = config.string("pidfile");
    if (pidFile !== "") {
      log.notice("Removing the pid file.");
      host.removeFile(pidFile);
    }
    this.acceptor.removeUnixSocket();
    for (const client of this.clients.all()) client.transport.close(false);
    log.warning("Bunsen is now ready to exit, bye bye...");
    host.exit(0);
  }

  sleepMs(ms: number): void {
    this.host.sleepMs(ms);
  }

  pauseClients(untilMs: number, writesOnly: boolean): void {
    this.pause.begin(untilMs, writesOnly);
  }

  unpauseClients(): void {
    this.pause.end();
  }

  clientPause(): { untilMs: number; writesOnly: boolean } | null {
    return this.pause.current();
  }

  disconnect(client: Client): void {
    client.transport.close(false);
  }

  pauseCron(paused: boolean): void {
    this.cron.paused = paused;
  }

  setActiveExpire(on: boolean): void {
    this.cron.activeExpire = on;
  }

  purgeMemory(): void {
    this.keyspace.arena.trim();
    this.host.collectGarbage();
  }

  rewriteConfig(forcesAll: boolean): string | null {
    if (this.configFile === "") return "ERR The server is running without a config file";
    const old = this.host.files.read(this.configFile);
    const text = "error" in old ? "" : old.text;
    const rewritten = rewriteConfigText(text, this.config, {
      users: [],
      forcesAll,
    });
    const error = this.host.replaceFile(this.configFile, rewritten);
    if (error !== null) {
      this.log.warning(`CONFIG REWRITE failed: ${error}`);
      return `ERR Rewriting config file: ${error}`;
    }
    this.log.notice("CONFIG REWRITE executed with success.");
    return null;
  }

  setReplyBufferPeakReset(ms: number | null): void {
    this.cron.replyPeakResetMs = ms;
  }

  enforceReplyList(on: boolean): void {
    this.replyListEnforced = on;
  }

  usedMemoryBytes(): number {
    return this.startupMemoryBytes + this.keyspace.arena.liveBytes + this.memory.totalBytes;
  }

  panic(reason: string): void {
    this.log.warning("=== BUNSEN BUG REPORT START: Cut & paste starting from here ===");
    this.log.warning(reason);
    this.host.abort();
  }

  // --- ConnectionHost

  tick(): void {
    this.keyspace.tick();
  }

  nowMs(): number {
    return this.keyspace.nowMs;
  }

  scheduleTurn(connection: Connection): void {
    setImmediate(() => connection.resume());
  }

  checkOutputLimit(connection: Connection, pendingBytes: number): void {
    const pending = this.replyListEnforced
      ? Math.max(pendingBytes, REPLY_BLOCK_BYTES)
      : pendingBytes;
    if (this.outputLimits.isExceeded(connection.client, pending, this.keyspace.nowMs)) {
      this.closeForOutput(connection);
    }
  }

  closeForOutput(connection: Connection): void {
    const { client } = connection;
    this.stats.outputBufferLimitDisconnections++;
    this.clientLog.outputLimitReached(client);
    connection.close(false);
  }

  settleMemory(client: Client): void {
    this.memory.account(client);
    if (this.memory.isOver) this.evictClients();
  }

  /** Closes the largest clients until the others fit maxmemory-clients. */
  evictClients(): void {
    const fits = this.memory.evict((client) => {
      this.clientLog.evicted(client);
      this.stats.evictedClients++;
      client.transport.close(false);
    });
    if (!fits) this.log.warning("Over client maxmemory after evicting all evictable clients");
  }

  /** There are changes for those who keep them. */
  private onPropagation(): void {
    this.appendOnly.onChanges();
  }

  commit(): void {
    this.appendOnly.commit();
  }

  /** Whether changes are wanted. */
  listenToChanges(on: boolean): void {
    this.effects.isOn = on;
  }

  /** Commands of a transaction are running. */
  isInExec(): boolean {
    const { client } = this.ctx;
    return client !== undefined && !client.mayBlock;
  }

  /** Commands that write are answered with this error, or, if it is null, are not any more. */
  refuseWrites(by: "rdb" | "aof", error: string | null): void {
    const { writeRefusals } = this;
    if (error === null) writeRefusals.delete(by);
    else writeRefusals.set(by, error);
    this.dispatcher.diskError = writeRefusals.get("rdb") ?? writeRefusals.get("aof") ?? "";
    this.setServerGate(ServerGate.DISK_ERROR, writeRefusals.size > 0);
  }

  forget(connection: Connection): void {
    this.clients.remove(connection.client);
    this.observers.monitors.remove(connection.client);
  }

  // ---

  /** Whether commands without Flag.LOADING are refused. */
  setLoadingGate(on: boolean): void {
    this.setServerGate(ServerGate.LOADING, on);
  }

  private setServerGate(gate: ServerGate, on: boolean): void {
    const { dispatcher } = this;
    dispatcher.gate = on ? dispatcher.gate | gate : dispatcher.gate & ~gate;
  }

  /** A key changed that somebody may watch or wait for. */
  private onModified(database: number, view: DataView, start: number, end: number): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const { pushes, tracking } = this.clients;
    tracking.invalidate(view, start, end, this.isVanishing ? null : pushes.executing());
    this.clients.watches.touch(database, bytes, start, end, this.isVanishing);
    this.clients.blocking.signal(database, bytes, start, end);
  }

  /** The keys of a database are about to vanish or to be exchanged. */
  private onReplaced(database: number, by: number): void {
    const { databases } = this.keyspace;
    const stateOf = (id: number, key: Uint8Array): KeyState => {
      if (id < 0) return "missing";
      const view = new DataView(key.buffer, key.byteOffset, key.length);
      const record = databases[id].find(view, 0, key.length);
      if (record === 0) return "missing";
      return databases[id].hasExpired(record) ? "expired" : "alive";
    };
    this.clients.watches.touchDatabase(database, (key) => [
      stateOf(database, key),
      stateOf(by, key),
    ]);
    this.clients.blocking.signalDatabase(database);
  }

  /** A handler threw: our own mistake. The request is answered, the mistake reported. */
  onInternalError(error: unknown, client: Client, command: string): void {
    this.stats.internalErrors++;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.log.warning(`Internal error in command '${command}' of client id=${client.id}`);
    for (const line of stack.split("\n")) this.log.warning(line);
    if (this.config.bool("crash-on-internal-error")) {
      this.panic("An internal error is fatal: crash-on-internal-error is yes.");
    }
  }
}

/** The same fresh memory as bytes and as a view. */
function sharedMemory(length: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(length);
  return { bytes, view: new DataView(bytes.buffer) };
}
