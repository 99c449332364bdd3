// HOT PATH: rules in src/README.md
/**
 * Counters of an engine, as INFO shows them. Per-command counters are arrays indexed by the
 * command's number in the table, so that counting a call is one addition.
 */

import { CommandTimes } from "./command-times.ts";

/** Samples of a rate, one per cron tick, as INFO's instantaneous_* are averaged. */
const RATE_SAMPLES = 16;

/** Error codes that are counted each by itself, and the name of all further ones together. */
const ERROR_CODES_MAX = 128;
const ERROR_CODES_OVERFLOW = "ERRORSTATS_OVERFLOW";

/** A counter's growth per second over the last 16 samples. */
export class Rate {
  private readonly samples = new Float64Array(RATE_SAMPLES);
  private index = 0;
  private lastValue = 0;
  private lastMs = 0;

  /** Takes a sample of the counter's `value` at `nowMs`. */
  sample(value: number, nowMs: number): void {
    const elapsed = nowMs - this.lastMs;
    if (this.lastMs !== 0 && elapsed > 0) {
      this.samples[this.index] = ((value - this.lastValue) * 1000) / elapsed;
      this.index = (this.index + 1) % RATE_SAMPLES;
    }
    this.lastValue = value;
    this.lastMs = nowMs;
  }

  perSecond(): number {
    let sum = 0;
    for (const sample of this.samples) sum += sample;
    return sum / RATE_SAMPLES;
  }

  reset(): void {
    this.samples.fill(0);
    this.lastMs = 0;
  }
}

export class Stats {
  connectionsReceived = 0;
  connectionsRejected = 0;
  commandsProcessed = 0;
  bytesIn = 0;
  bytesOut = 0;
  errorReplies = 0;
  unexpectedErrorReplies = 0;
  evictedClients = 0;
  queryBufferLimitDisconnections = 0;
  outputBufferLimitDisconnections = 0;
  authDeniedAuth = 0;
  authDeniedCommand = 0;
  replyBufferShrinks = 0;
  replyBufferExpands = 0;
  readEvents = 0;
  writeEvents = 0;
  cronRuns = 0;
  eventLoopUs = 0;
  /** Of the cron's runs. */
  cronUs = 0;
  /** The longest timed command, or run of the cron, and the most requests of one chunk. */
  cycleUsMax = 0;
  cycleCommandsMax = 0;
  peakMemoryBytes = 0;
  internalErrors = 0;
  /** Of the RDB file that was loaded last. */
  rdbKeysLoaded = 0;
  rdbKeysExpired = 0;

  readonly commandRate = new Rate();
  readonly inputRate = new Rate();
  readonly outputRate = new Rate();
  readonly cycleRate = new Rate();
  readonly loopTimeRate = new Rate();

  /** Calls, microseconds, refusals and failures by command number. */
  readonly calls: Float64Array;
  readonly microseconds: Float64Array;
  readonly times: CommandTimes;
  readonly rejectedCalls: Float64Array;
  readonly failedCalls: Float64Array;
  /** Error replies by their code ("ERR", "WRONGTYPE"). */
  readonly errors = new Map<string, number>();

  constructor(commandCount: number) {
    this.calls = new Float64Array(commandCount);
    this.microseconds = new Float64Array(commandCount);
    this.times = new CommandTimes(this.calls, this.microseconds);
    this.rejectedCalls = new Float64Array(commandCount);
    this.failedCalls = new Float64Array(commandCount);
  }

  /** Counts an error reply under its code; scripts make codes up, and so there is a limit. */
  countError(code: string): void {
    this.errorReplies++;
    const isKnown = this.errors.has(code) || this.errors.size < ERROR_CODES_MAX;
    const counted = isKnown ? code : ERROR_CODES_OVERFLOW;
    this.errors.set(counted, (this.errors.get(counted) ?? 0) + 1);
  }

  /** Cycles of the event loop, which nothing counts: each read and each run of the cron is one. */
  get eventLoopCycles(): number {
    return this.cronRuns + this.readEvents;
  }

  /** Samples the rates: called by the cron. */
  sampleRates(nowMs: number): void {
    this.commandRate.sample(this.commandsProcessed, nowMs);
    this.inputRate.sample(this.bytesIn, nowMs);
    this.outputRate.sample(this.bytesOut, nowMs);
    this.cycleRate.sample(this.eventLoopCycles, nowMs);
    this.loopTimeRate.sample(this.eventLoopUs, nowMs);
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.connectionsReceived = 0;
    this.connectionsRejected = 0;
    this.commandsProcessed = 0;
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.errorReplies = 0;
    this.unexpectedErrorReplies = 0;
    this.evictedClients = 0;
    this.queryBufferLimitDisconnections = 0;
    this.outputBufferLimitDisconnections = 0;
    this.authDeniedAuth = 0;
    this.authDeniedCommand = 0;
    this.replyBufferShrinks = 0;
    this.replyBufferExpands = 0;
    this.readEvents = 0;
    this.writeEvents = 0;
    this.cronRuns = 0;
    this.eventLoopUs = 0;
    this.cronUs = 0;
    this.cycleUsMax = 0;
    this.cycleCommandsMax = 0;
    this.commandRate.reset();
    this.inputRate.reset();
    this.outputRate.reset();
    this.cycleRate.reset();
    this.loopTimeRate.reset();
    this.resetCommands();
    this.errors.clear();
  }

  private resetCommands(): void {
    this.calls.fill(0);
    this.microseconds.fill(0);
    this.times.reset();
    this.rejectedCalls.fill(0);
    this.failedCalls.fill(0);
  }
}
