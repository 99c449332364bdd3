/**
 * The command log: requests that took long (the slow log), were large, or had a large reply.
 *
 * Each of the three keeps its latest entries, numbered from 0, with the arguments shortened: long
 * ones to 128 bytes, many to 32. The dispatcher asks the thresholds, which settings copies here;
 * what is written here happens seldom.
 */

export const enum LogKind {
  SLOW = 0,
  LARGE_REQUEST = 1,
  LARGE_REPLY = 2,
}

const KINDS = 3;
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;
const REDACTED = Buffer.from("(redacted)");

export interface LogEntry {
  readonly id: number;
  /** Unix time in seconds. */
  readonly time: number;
  /** Microseconds, or bytes. */
  readonly value: number;
  readonly args: readonly Uint8Array[];
  readonly address: string;
  readonly name: string;
}

/** The request behind an entry. */
export interface LoggedRequest {
  readonly count: number;
  lengthOf(index: number): number;
  readonly bytes: Uint8Array;
  readonly start: ArrayLike<number>;
}

interface Log {
  /** Oldest first. */
  entries: LogEntry[];
  nextId: number;
  lengthMax: number;
  threshold: number;
}

export class CommandLog {
  private readonly logs: readonly Log[] = Array.from({ length: KINDS }, () => ({
    entries: [],
    nextId: 0,
    lengthMax: 0,
    threshold: Infinity,
  }));

  /**
   * Sets from which value on requests are logged (negative: none) and how many entries are kept.
   * A log that is off keeps the entries it has.
   */
  configure(kind: LogKind, threshold: number, lengthMax: number): void {
    const log = this.logs[kind];
    const isOn = threshold >= 0 && lengthMax > 0;
    log.threshold = isOn ? threshold : Infinity;
    log.lengthMax = lengthMax;
    if (isOn) trim(log);
  }

  /** From this value on requests are logged; Infinity = none are. */
  threshold(kind: LogKind): number {
    return this.logs[kind].threshold;
  }

  /** Logs a request if `value` reaches the threshold. `secrets` are not to be shown. */
  add(
    kind: LogKind,
    value: number,
    request: LoggedRequest,
    secrets: readonly number[],
    client: { readonly address: string; readonly name: string },
    nowMs: number,
  ): void {
    const log = this.logs[kind];
    if (value < log.threshold) return;
    log.entries.push({
      id: log.nextId++,
      time: Math.floor(nowMs / 1000),
      value: Math.floor(value),
      args: shortened(request, secrets),
      address: client.address,
      name: client.name,
    });
    trim(log);
  }

  length(kind: LogKind): number {
    return this.logs[kind].entries.length;
  }

  /** The latest `count` entries, newest first. */
  latest(kind: LogKind, count: number): LogEntry[] {
    const { entries } = this.logs[kind];
    return entries.slice(Math.max(0, entries.length - count)).reverse();
  }

  reset(kind: LogKind): void {
    this.logs[kind].entries = [];
  }
}

function trim(log: Log): void {
  const excess = log.entries.length - log.lengthMax;
  if (excess === 1) log.entries.shift();
  else if (excess > 0) log.entries.splice(0, excess);
}

function shortened(request: LoggedRequest, secrets: readonly number[]): Uint8Array[] {
  const { count } = request;
  const kept = count > ARGUMENTS_MAX ? ARGUMENTS_MAX - 1 : count;
  const args: Uint8Array[] = [];
  for (let i = 0; i < kept; i++) {
    args.push(secrets.includes(i) ? REDACTED : shortenedArgument(request, i));
  }
  if (kept < count) args.push(Buffer.from(`... (${count - kept} more arguments)`));
  return args;
}

function shortenedArgument(request: LoggedRequest, index: number): Uint8Array {
  const { bytes } = request;
  const start = request.start[index];
  const length = request.lengthOf(index);
  if (length <= ARGUMENT_BYTES_MAX) return bytes.slice(start, start + length);
  return Buffer.concat([
    bytes.subarray(start, start + ARGUMENT_BYTES_MAX),
    Buffer.from(`... (${length - ARGUMENT_BYTES_MAX} more bytes)`),
  ]);
}
