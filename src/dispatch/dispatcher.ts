// HOT PATH: rules in src/README.md
/**
 * Runs requests: name → row → checks → handler → counters.
 *
 * The checks that most requests need not fear (password, maxmemory, MULTI, loading, ...) hang on
 * two bit sets, the client's and the server's: while both are 0, `execute` is a lookup, an arity
 * test and a call.
 *
 * Time: reading the clock costs 30 ns, 6 % of a pipelined GET. So a row that is FAST or CHEAP is
 * timed by samples, see runtime/command-times.ts; all others are timed on every call. The slow log
 * and the latency monitor see timed calls only, and settings asks for exact times when either is to
 * notice what is short.
 */
import type { Clock } from "../base/clock.ts";
import type { CommandContext } from "../commands/context.ts";
import { type CommandSpec, Flag, fullName } from "../commands/spec.ts";
import { keysOf } from "../commands/keys-of.ts";
import { endTransaction } from "../commands/transaction.ts";
import { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import { BATCH_MAX } from "../protocol/request-parser.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { LogKind } from "../runtime/command-log.ts";
import type { CommandTimes } from "../runtime/command-times.ts";
import { LatencyEvent } from "../runtime/latency.ts";
import type { Blocking } from "../session/blocking.ts";
import type { Pushes } from "../session/push-log.ts";
import type { Tracking } from "../session/tracking.ts";
import { type Client, Gate, ReplyMode } from "../session/client.ts";
import { queuedBytes } from "../session/client-memory.ts";
import type { HashIndex } from "../structures/hash-index.ts";
import type { CommandNames } from "./command-names.ts";
import { CommandLookup } from "./lookup.ts";
import { MemberPrefetch } from "./member-prefetch.ts";

/** Reasons that concern every client: bits of `Dispatcher.gate`. */
export const enum ServerGate {
  NONE = 0,
  /** maxmemory is set: DENYOOM commands look at the memory first. */
  MAXMEMORY = 1 << 16,
  LOADING = 1 << 17,
  /** CLIENT PAUSE is in force. */
  PAUSED = 1 << 18,
  /** Somebody is in MONITOR mode. */
  MONITORED = 1 << 19,
  /** Changes cannot be kept: commands that write are refused with `diskError`. */
  DISK_ERROR = 1 << 20,
}

const MULTI_RUNS: ReadonlySet<string> = new Set([
  "exec",
  "discard",
  "multi",
  "watch",
  "quit",
  "reset",
]);
/** Commands that a subscriber may send under RESP2. */
const SUBSCRIBER_RUNS: ReadonlySet<string> = new Set([
  "ping",
  "subscribe",
  "ssubscribe",
  "unsubscribe",
  "sunsubscribe",
  "psubscribe",
  "punsubscribe",
  "quit",
  "reset",
]);
/** Commands that touch keys, which clients that are fed like replicas may not. */
const KEYSPACE_FLAGS = Flag.READONLY | Flag.WRITE | Flag.MAY_REPLICATE;
/** Commands that propagate if they changed something. */
const PROPAGATING_FLAGS = Flag.WRITE | Flag.MAY_REPLICATE;
/** Not a size that a request or a reply can reach. */
const NO_LIMIT = 0x7fffffff;
/** What the headers of a request and of its first argument take up at most. */
const HEADER_BYTES_MAX = 32;
const NO_SECRETS: readonly number[] = [];
const QUOTED_ARGUMENT_BYTES_MAX = 128;
const HTTP_LOG_INTERVAL_MS = 60_000;

export class Dispatcher {
  gate: number = ServerGate.NONE;
  /** While ServerGate.PAUSED is set: commands with any of these flags wait; -1 = all commands. */
  pausedFlags = 0;
  /** The error of commands that write while ServerGate.DISK_ERROR is set. */
  diskError = "";

  private readonly lookup: CommandLookup;
  /** Of containers, by their numbers: made when the first one is asked for; null of others. */
  private readonly subcommands: (CommandLookup | null | undefined)[] = [];
  /** Per command number: the row's arity, flags and handler, side by side. */
  private readonly arity: Int16Array;
  private readonly flags: Int32Array;
  /** The last argument to look ahead for: 1 where the first key is argument 1, the row's `member`. */
  private readonly lookAhead: Uint8Array;
  /** 1 where the request's only key is argument 1, as its one key spec says. */
  private readonly onlyKeyIs1: Uint8Array;
  private readonly blocking: Blocking;
  private readonly pushes: Pushes;
  private readonly tracking: Tracking;
  private readonly times: CommandTimes;
  /** From these bytes on a request or a reply may belong in the command log. */
  private largeRequestBytes = NO_LIMIT;
  private largeReplyBytes = NO_LIMIT;
  private httpLoggedMs = 0;

  /** Per request of the prepared batch: command number, whether and how its key was hashed. */
  private readonly numbers = new Int16Array(BATCH_MAX);
  private readonly hashed = new Uint8Array(BATCH_MAX);
  private readonly batchHashes = new Int32Array(BATCH_MAX);
  /** The hashes among them, without gaps. */
  private readonly keyHashes = new Int32Array(BATCH_MAX);
  private readonly members: MemberPrefetch;

  constructor(
    private readonly table: readonly CommandSpec[],
    commandNames: CommandNames,
    private readonly ctx: CommandContext,
    private readonly clock: Clock,
    /** Evicts until memory fits; false if it cannot. */
    private readonly makeRoom: () => boolean,
    /** Lets requests run that waited for keys which are ready now. */
    private readonly onReady: () => void,
    /** What becomes of an exception in a handler: our own mistake. */
    private readonly onInternalError: (error: unknown, client: Client, name: string) => void,
  ) {
    this.members = new MemberPrefetch(ctx.keyspace);
    this.arity = new Int16Array(table.length);
    this.flags = new Int32Array(table.length);
    this.lookAhead = new Uint8Array(table.length);
    this.onlyKeyIs1 = new Uint8Array(table.length);
    // One loop: the builtins that map tables into arrays cost a start a millisecond each.
    for (let number = 0; number < table.length; number++) {
      const { arity, flags, keys, getKeys, member } = table[number];
      this.arity[number] = arity;
      this.flags[number] = flags;
      this.subcommands.push((flags & Flag.CONTAINER) === 0 ? null : undefined);
      if (keys.length === 0) continue;
      const { begin, find } = keys[0];
      if (typeof begin !== "object" || !("index" in begin) || begin.index !== 1) continue;
      this.lookAhead[number] = member ?? 1;
      const isOne = typeof find === "object" && "last" in find && find.last === 0;
      if (isOne && keys.length === 1 && getKeys === undefined) this.onlyKeyIs1[number] = 1;
    }
    this.blocking = ctx.clients.blocking;
    this.times = ctx.stats.times;
    for (let number = 0; number < table.length; number++) {
      if ((table[number].flags & (Flag.FAST | Flag.CHEAP)) !== 0) this.times.setCheap(number);
    }
    this.pushes = ctx.clients.pushes;
    this.tracking = ctx.clients.tracking;
    this.lookup = new CommandLookup(commandNames.topLevel());
  }

  /** Copies what each call is compared with, after the command log was configured. */
  updateLimits(): void {
    const { commandLog } = this.ctx.observers;
    const request = commandLog.threshold(LogKind.LARGE_REQUEST) - HEADER_BYTES_MAX;
    this.largeRequestBytes = Math.min(request, NO_LIMIT);
    this.largeReplyBytes = Math.min(commandLog.threshold(LogKind.LARGE_REPLY), NO_LIMIT);
  }

  /** The number of the command (or subcommand) that a request names, or -1. */
  resolve(args: Args, index: number): number {
    const number = this.lookup.find(args, index);
    if (number < 0) return -1;
    const subcommands = this.subcommands[number];
    if (subcommands === null || args.count < index + 2) return number;
    return (subcommands ?? this.subcommandsOf(number)).find(args, index + 1);
  }

  /** COLD: once per container. */
  private subcommandsOf(container: number): CommandLookup {
    const names = new Map<string, number>();
    for (let number = 0; number < this.table.length; number++) {
      const { name, parent } = this.table[number];
      if (parent === this.table[container].name) names.set(name, number);
    }
    const lookup = new CommandLookup(names);
    this.subcommands[container] = lookup;
    return lookup;
  }

  /**
   * Looks ahead over a batch of requests of one client: names are resolved, and the memory of their
   * first keys is touched, and of the members that they look up in large values, so that it is near
   * when the requests run.
   */
  prepare(client: Client, batch: readonly Args[], count: number): void {
    const { keyspace } = this.ctx;
    const { index } = keyspace.databases[client.database];
    let keys = 0;
    // Not their number, but 0 while there are none.
    let members = 0;
    for (let i = 0; i < count; i++) {
      const args = batch[i];
      const number = this.resolve(args, 0);
      this.numbers[i] = number;
      const last = number < 0 ? 0 : this.lookAhead[number];
      if (last === 0 || args.count < 2) {
        this.hashed[i] = 0;
        continue;
      }
      this.hashed[i] = 1;
      members += last >>> 1;
      this.batchHashes[i] = this.keyHashes[keys++] = index.hash(
        args.view,
        args.start[1],
        args.end[1],
      );
    }
    if (keys < 2) return;
    index.prefetch(this.keyHashes, keys);
    if (members !== 0 && index.size !== 0) this.prefetchMembers(index, batch, count);
  }

  /**
   * Touches the memory of the members in the batch. The first value that is small ends it, so that
   * small values, which are near with their keys, cost one look a batch.
   */
  private prefetchMembers(index: HashIndex, batch: readonly Args[], count: number): void {
    const { members } = this;
    let hash = 0;
    let root = 0;
    for (let i = 0; i < count; i++) {
      const args = batch[i];
      const member = this.hashed[i] === 0 ? 0 : this.lookAhead[this.numbers[i]];
      if (member < 2 || member >= args.count) continue;
      if (root === 0 || this.batchHashes[i] !== hash) {
        hash = this.batchHashes[i];
        root = members.largeRoot(index.candidate(hash));
        if (root === 0) break;
      }
      members.add(root, args.view, args.start[member], args.end[member]);
    }
    members.prefetch();
  }

  /** Runs request `i` of the batch that was prepared last, and writes its reply. */
  executePrepared(client: Client, args: Args, i: number, reply: ReplyWriter): void {
    const { keyspace } = this.ctx;
    if (this.hashed[i] !== 0) {
      keyspace.hashedView = args.view;
      keyspace.hashedStart = args.start[1];
      keyspace.hashedHash = this.batchHashes[i];
    }
    this.executeNumber(this.numbers[i], client, args, reply);
    keyspace.hashedView = null;
  }

  /**
   * Runs request `i` of the batch that was prepared last as a file of commands tells it: what was
   * accepted once is not refused, and does not count. The error if it cannot be run at all, or null.
   */
  replayPrepared(client: Client, args: Args, i: number, reply: ReplyWriter): string | null {
    const ctx = this.ctx;
    const { keyspace } = ctx;
    const number = this.numbers[i];
    if (number < 0) return this.unknown(args);
    const arity = this.arity[number];
    if (arity > 0 ? args.count !== arity : args.count < -arity) {
      return errors.wrongArity(fullName(this.table[number]));
    }
    if ((client.gate & Gate.IN_MULTI) !== 0 && this.table[number].name !== "exec") {
      this.enqueue(number, client, args);
      return null;
    }
    ctx.client = client;
    ctx.db = keyspace.databases[client.database];
    client.lastCommandNumber = number;
    if (this.hashed[i] !== 0) {
      keyspace.hashedView = args.view;
      keyspace.hashedStart = args.start[1];
      keyspace.hashedHash = this.batchHashes[i];
    }
    this.runHandler(this.table[number], client, args, reply);
    keyspace.hashedView = null;
    return null;
  }

  /** Runs one request and writes its reply. Requires: `args` has at least one argument. */
  execute(client: Client, args: Args, reply: ReplyWriter): void {
    this.executeNumber(this.resolve(args, 0), client, args, reply);
  }

  private executeNumber(number: number, client: Client, args: Args, reply: ReplyWriter): void {
    const ctx = this.ctx;
    ctx.client = client;
    ctx.db = ctx.keyspace.databases[client.database];
    if (number < 0) {
      this.rejectUnknown(client, args, reply);
      return;
    }
    const arity = this.arity[number];
    if (arity > 0 ? args.count !== arity : args.count < -arity) {
      this.reject(client, args, reply, number, errors.wrongArity(fullName(this.table[number])));
      return;
    }
    if ((client.gate | this.gate) !== 0) this.executeGated(number, client, args, reply);
    else this.call(number, client, args, reply);
    if (this.blocking.ready.length !== 0) this.onReady();
  }

  /** Runs a command without the checks that its request has passed already: for EXEC, for waits. */
  run(number: number, client: Client, args: Args, reply: ReplyWriter): void {
    const ctx = this.ctx;
    ctx.client = client;
    ctx.db = ctx.keyspace.databases[client.database];
    // A request that waited was shown when it came.
    const isNew = client.wait === null;
    this.call(number, client, args, reply);
    if ((client.gate & Gate.TRACKING) !== 0) this.rememberKeys(number, client, args);
    if ((this.gate & ServerGate.MONITORED) !== 0 && isNew) this.tellMonitors(number, client, args);
  }

  /** The way of requests for which some gate is set. */
  private executeGated(number: number, client: Client, args: Args, reply: ReplyWriter): void {
    const flags = this.flags[number];
    const gate = client.gate | this.gate;
    if (client.pushes !== null) this.pushes.take(client, reply);
    if ((gate & Gate.UNAUTHENTICATED) !== 0 && (flags & Flag.NO_AUTH) === 0) {
      this.reject(client, args, reply, number, errors.NO_AUTH);
      return;
    }
    if ((flags & Flag.NO_MULTI) !== 0 && (gate & Gate.IN_MULTI) !== 0) {
      this.reject(client, args, reply, number, "ERR Command not allowed inside a transaction");
      return;
    }
    if ((gate & ServerGate.MAXMEMORY) !== 0) {
      const fits = this.makeRoom();
      // It may have been this client that had to go.
      if (client.closing) return;
      // Invalidations of keys evicted just now are about their values before this command.
      if (client.pushes !== null) this.pushes.take(client, reply);
      if (!fits && this.needsRoom(number, client)) {
        this.reject(client, args, reply, number, errors.OUT_OF_MEMORY);
        return;
      }
    }
    if ((gate & Gate.TRACKING) !== 0) {
      this.tracking.limit();
      if (client.pushes !== null) this.pushes.take(client, reply);
    }
    if ((gate & ServerGate.DISK_ERROR) !== 0 && this.needsDisk(number, client)) {
      this.reject(client, args, reply, number, this.diskError);
      return;
    }
    if ((gate & Gate.SUBSCRIBED) !== 0 && client.resp === 2 && !this.runsSubscribed(number)) {
      const name = fullName(this.table[number]);
      this.reject(client, args, reply, number, errors.subscriberOnly(name));
      return;
    }
    if ((gate & ServerGate.LOADING) !== 0 && (flags & Flag.LOADING) === 0) {
      this.reject(client, args, reply, number, errors.LOADING);
      return;
    }
    if ((gate & Gate.MONITOR) !== 0 && (flags & KEYSPACE_FLAGS) !== 0) {
      this.reject(client, args, reply, number, "ERR Replica can't interact with the keyspace");
      return;
    }
    if ((gate & ServerGate.PAUSED) !== 0 && this.isPaused(number, client)) {
      client.lastCommandNumber = number;
      client.blocked = true;
      client.postponed = true;
      return;
    }
    const start = reply.length;
    if ((gate & Gate.IN_MULTI) !== 0 && !this.runsInMulti(number)) {
      this.enqueue(number, client, args);
      reply.simple("QUEUED");
      if ((gate & Gate.REPLY_MUTED) !== 0) muteReply(client, reply, start);
      return;
    }
    const noTouch = (gate & Gate.NO_TOUCH) !== 0;
    const keyspace = this.ctx.keyspace;
    if (noTouch && this.table[number].name !== "touch") keyspace.noTouch = true;
    const { hidesExpired } = keyspace;
    if ((gate & Gate.IMPORT_SOURCE) !== 0) keyspace.hidesExpired = false;
    this.call(number, client, args, reply);
    keyspace.noTouch = false;
    keyspace.hidesExpired = hidesExpired;
    if ((this.gate & ServerGate.MONITORED) !== 0) this.tellMonitors(number, client, args);
    if ((gate & Gate.REPLY_MUTED) !== 0) muteReply(client, reply, start);
    if ((gate & Gate.TRACKING) !== 0) this.afterTracked(number, client, args);
    if (client.pushes !== null) this.pushes.take(client, reply);
  }

  /** A client with CLIENT TRACKING has run a command. */
  private afterTracked(number: number, client: Client, args: Args): void {
    this.rememberKeys(number, client, args);
    const { tracking, queue } = client;
    const keepsCaching = queue !== null || this.table[number].parent === "client";
    if (tracking !== null && !keepsCaching) tracking.hasCaching = false;
  }

  /** Notes the keys that a client with CLIENT TRACKING has read. */
  private rememberKeys(number: number, client: Client, args: Args): void {
    const isRead = (this.flags[number] & (Flag.READONLY | Flag.PUBSUB)) === Flag.READONLY;
    if (!isRead || !this.tracking.remembers(client)) return;
    if (this.onlyKeyIs1[number] !== 0) {
      this.tracking.remember(client, args.view, args.start[1], args.end[1]);
    } else this.rememberEachKey(number, client, args);
  }

  /** COLD: of commands that may have several keys. */
  private rememberEachKey(number: number, client: Client, args: Args): void {
    for (const { index } of keysOf(this.table[number], args) ?? []) {
      this.tracking.remember(client, args.view, args.start[index], args.end[index]);
    }
  }

  /**
   * Whether a command must wait while clients are paused: EXEC if one of its queue must.
   * COLD: a pause is in force.
   */
  private isPaused(number: number, client: Client): boolean {
    if (this.pausedFlags === -1 || (this.flags[number] & this.pausedFlags) !== 0) return true;
    if (this.table[number].name !== "exec" || client.queue === null) return false;
    return client.queue.some(({ command }) => (this.flags[command] & this.pausedFlags) !== 0);
  }

  /** Commands that MULTI does not queue. */
  private runsInMulti(number: number): boolean {
    const { name, parent } = this.table[number];
    return parent === undefined && MULTI_RUNS.has(name);
  }

  /** Commands that RESP2 can tell from messages. */
  private runsSubscribed(number: number): boolean {
    const { name, parent } = this.table[number];
    return parent === undefined && SUBSCRIBER_RUNS.has(name);
  }

  /** COLD: keeps a copy of a request for EXEC. */
  private enqueue(number: number, client: Client, args: Args): void {
    const kept = new Args();
    kept.assign(Array.from({ length: args.count }, (_, i) => args.copy(i)));
    client.queue?.push({ command: number, args: kept });
    client.queueBytes += queuedBytes(kept.count, kept.end[kept.count - 1]);
  }

  /**
   * Whether a command is refused while changes cannot be kept: those that write, EXEC of such, and
   * PING, so that whoever watches servers finds out.
   * COLD: the disk is at fault.
   */
  private needsDisk(number: number, client: Client): boolean {
    const { name } = this.table[number];
    if ((this.flags[number] & Flag.WRITE) !== 0 || name === "ping") return true;
    if (name !== "exec" || client.queue === null) return false;
    return client.queue.some(({ command }) => (this.flags[command] & Flag.WRITE) !== 0);
  }

  /**
   * Whether a command is refused while memory is short: EXEC if one of its queue is.
   * COLD: memory is short.
   */
  private needsRoom(number: number, client: Client): boolean {
    if ((this.flags[number] & Flag.DENYOOM) !== 0) return true;
    if (this.table[number].name !== "exec" || client.queue === null) return false;
    return client.queue.some(({ command }) => (this.flags[command] & Flag.DENYOOM) !== 0);
  }

  /**
   * A request that waited was answered without being run anew: counts it as a call, and, with the
   * code of an error reply, as refused.
   */
  countAnswered(number: number, client: Client, error: string | null): void {
    const { stats } = this.ctx;
    stats.calls[number]++;
    stats.commandsProcessed++;
    client.commandCount++;
    if (error === null) return;
    stats.rejectedCalls[number]++;
    stats.countError(error);
  }

  private call(number: number, client: Client, args: Args, reply: ReplyWriter): void {
    const { stats, effects, keyspace } = this.ctx;
    const spec = this.table[number];
    const errorsBefore = reply.errorCount;
    const replyFrom = reply.length;
    const untimed = this.times.untimed;
    const untimedLeft = untimed[number];
    let us = -1;
    client.lastCommandNumber = number;
    // Remembered, since the command may be the one that turns propagation on or off.
    const propagates = effects.isOn && (this.flags[number] & Flag.TOUCHES_ARBITRARY_KEYS) === 0;
    if (propagates) effects.enter(client.database, keyspace.dirty);
    if (untimedLeft !== 0) {
      untimed[number] = untimedLeft - 1;
      this.runHandler(spec, client, args, reply);
    } else {
      const startUs = this.clock.monotonicUs();
      this.runHandler(spec, client, args, reply);
      us = this.clock.monotonicUs() - startUs;
    }
    if (propagates) {
      const writes = (this.flags[number] & PROPAGATING_FLAGS) !== 0;
      effects.leave(args, writes, keyspace.dirty);
    }
    // A request that waits counts when it is served.
    if (client.blocked) return;
    stats.calls[number]++;
    stats.commandsProcessed++;
    client.commandCount++;
    if (reply.errorCount !== errorsBefore) {
      stats.failedCalls[number]++;
      stats.countError(reply.lastErrorCode);
      // EXEC did not fail because a command in it did.
      reply.errorCount = errorsBefore;
    }
    if (us >= 0) this.noteTime(number, client, args, us);
    const spanBytes = args.end[args.count - 1] - args.start[0];
    const replyBytes = reply.length - replyFrom;
    if (spanBytes >= this.largeRequestBytes || replyBytes >= this.largeReplyBytes) {
      this.logLarge(number, client, args, replyBytes);
    }
  }

  /** Counts the time of a call, and shows it to those who look for slow ones. */
  private noteTime(number: number, client: Client, args: Args, us: number): void {
    this.times.record(number, us);
    const { stats } = this.ctx;
    if (us > stats.cycleUsMax) stats.cycleUsMax = us;
    const { commandLog, latency } = this.ctx.observers;
    if (us >= latency.thresholdUs) {
      const isFast = (this.flags[number] & Flag.FAST) !== 0;
      const event = isFast ? LatencyEvent.FAST_COMMAND : LatencyEvent.COMMAND;
      latency.note(event, us, this.clock.nowMs());
    }
    if (us >= commandLog.threshold(LogKind.SLOW)) this.log(LogKind.SLOW, number, client, args, us);
  }

  /** A request, counted as it is in RESP, or its reply may be large. */
  private logLarge(number: number, client: Client, args: Args, replyBytes: number): void {
    this.log(LogKind.LARGE_REQUEST, number, client, args, requestBytes(args));
    const isHeard = (client.gate & Gate.REPLY_MUTED) === 0;
    if (isHeard) this.log(LogKind.LARGE_REPLY, number, client, args, replyBytes);
  }

  private log(kind: LogKind, number: number, client: Client, args: Args, value: number): void {
    const { commandLog } = this.ctx.observers;
    if ((this.flags[number] & Flag.SKIP_SLOWLOG) !== 0 || value < commandLog.threshold(kind))
      return;
    const secrets = this.secretsOf(number, args);
    commandLog.add(kind, value, args, secrets, client, this.clock.nowMs());
  }

  /** Shows a command that has run to the monitors, unless it is an administrator's. */
  private tellMonitors(number: number, client: Client, args: Args): void {
    const hidden = Flag.ADMIN | Flag.SKIP_MONITOR;
    if ((this.flags[number] & hidden) !== 0 || (this.gate & ServerGate.LOADING) !== 0) return;
    const secrets = this.secretsOf(number, args);
    this.ctx.observers.monitors.feed(client, args, secrets, this.clock.nowUs());
  }

  /** Arguments of a request that nobody is to see. */
  private secretsOf(number: number, args: Args): readonly number[] {
    const { secrets } = this.table[number];
    return secrets === undefined ? NO_SECRETS : secrets(this.ctx, args);
  }

  private runHandler(spec: CommandSpec, client: Client, args: Args, reply: ReplyWriter): void {
    const start = reply.length;
    try {
      spec.run(this.ctx, args, reply);
    } catch (error) {
      reply.length = start;
      reply.error(errors.INTERNAL);
      this.onInternalError(error, client, fullName(spec));
    }
  }

  /** COLD: EXEC itself is refused, which ends the transaction. Returns the error to give. */
  private abortExec(client: Client, error: string): string {
    endTransaction(this.ctx, client);
    return `EXECABORT Transaction discarded because of: ${error.replace(/^ERR /, "")}`;
  }

  /** COLD: the client misspelled something. */
  private rejectUnknown(client: Client, args: Args, reply: ReplyWriter): void {
    if (args.is(0, "POST") || args.is(0, "HOST:")) {
      this.rejectHttp(client);
      return;
    }
    this.reject(client, args, reply, -1, this.unknown(args));
  }

  /** COLD: what to say of a request for a command that does not exist. */
  private unknown(args: Args): string {
    const container = this.lookup.find(args, 0);
    return container < 0
      ? unknownCommand(args)
      : unknownSubcommand(args, this.table[container].name);
  }

  /**
   * Ends a connection that speaks HTTP: a browser was made to talk to us, and its headers would be
   * skipped as errors until the body brings commands.
   */
  private rejectHttp(client: Client): void {
    const { keyspace, log } = this.ctx;
    client.closing = true;
    if (keyspace.nowMs - this.httpLoggedMs < HTTP_LOG_INTERVAL_MS) return;
    this.httpLoggedMs = keyspace.nowMs;
    log.warning(
      "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: " +
        "commands to Redis. This is likely due to an attacker attempting to use Cross Protocol " +
        "Scripting to compromise your Redis instance. " +
        `Connection from ${client.address} aborted.`,
    );
  }

  /** Refuses a request before it ran. */
  private reject(
    client: Client,
    args: Args,
    reply: ReplyWriter,
    number: number,
    error: string,
  ): void {
    const stats = this.ctx.stats;
    const start = reply.length;
    if (client.queue !== null) client.queueBroken = true;
    if (number >= 0 && this.table[number].name === "exec") {
      error = this.abortExec(client, error);
      // The monitors have seen MULTI, and are to know that the transaction is over.
      if ((this.gate & ServerGate.MONITORED) !== 0) this.tellMonitors(number, client, args);
    }
    reply.error(error);
    stats.countError(reply.lastErrorCode);
    if (number >= 0) stats.rejectedCalls[number]++;
    if ((client.gate & Gate.REPLY_MUTED) !== 0) muteReply(client, reply, start);
  }
}

/** Bytes of a request in RESP: an inline one is counted as if it had been sent so. */
function requestBytes(args: Args): number {
  // Besides digits and contents: "*" or "$", and CRLF after each header and content.
  let bytes = 3 + digitsOf(args.count);
  for (let i = 0; i < args.count; i++) {
    const length = args.lengthOf(i);
    bytes += 5 + digitsOf(length) + length;
  }
  return bytes;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

/** Drops a reply that CLIENT REPLY asked not to hear. */
function muteReply(client: Client, reply: ReplyWriter, start: number): void {
  if (client.replyMode === ReplyMode.ON) return;
  reply.length = start;
  if (client.replyMode === ReplyMode.SKIP_NEXT) client.replyMode = ReplyMode.SKIP;
  else if (client.replyMode === ReplyMode.SKIP) {
    client.replyMode = ReplyMode.ON;
    client.setGate(Gate.REPLY_MUTED, false);
  }
}

function unknownCommand(args: Args): string {
  let shown = "";
  for (let i = 1; i < args.count && shown.length < QUOTED_ARGUMENT_BYTES_MAX; i++) {
    shown += `'${quotedText(args, i, QUOTED_ARGUMENT_BYTES_MAX - shown.length)}' `;
  }
  const name = quotedText(args, 0, QUOTED_ARGUMENT_BYTES_MAX);
  return `ERR unknown command '${name}', with args beginning with: ${shown}`;
}

function unknownSubcommand(args: Args, container: string): string {
  const name = quotedText(args, 1, QUOTED_ARGUMENT_BYTES_MAX);
  return `ERR unknown subcommand '${name}'. Try ${container.toUpperCase()} HELP.`;
}

/** Argument `index` as errors quote it: at most `max` bytes, up to the first NUL. */
function quotedText(args: Args, index: number, max: number): string {
  const text = args.text(index);
  const nul = text.indexOf("\0");
  return text.slice(0, nul < 0 ? max : Math.min(nul, max));
}
