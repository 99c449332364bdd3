// HOT PATH: rules in src/README.md
/**
 * Pushes: what clients are sent without having asked for it at that moment (messages of channels,
 * later invalidations). A message is encoded once per protocol, into the log of that protocol, and
 * each receiver notes the range of it:
 *
 *     log (RESP3)   [ message 1 | message 2 | message 3 | ... ]
 *     client A        from ------------------------ to           one write, no copy
 *     client B        from -- to    from ------- to              gathered, then one write
 *
 * Ranges are sent when the events at hand are served (`later`), so a pipeline of messages costs
 * each receiver one write. A client that runs commands itself meets its pushes in its replies, where
 * the dispatcher puts them (`take`): behind the reply of the command that caused them.
 *
 * Invariants:
 *   1. A client with ranges is in the `waiting` list of its log.
 *   2. Ranges ascend and do not touch.
 *   3. A log is emptied only when no client has ranges in it.
 *
 * Why not a buffer per client: a message to ten thousand subscribers would be copied as often.
 */
import { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Client } from "./client.ts";

/** A log above this is sent before more is written to it. */
const LOG_BYTES_MAX = 1024 * 1024;

/** The pushes of one protocol that are not sent yet. */
export class PushLog {
  readonly writer = new ReplyWriter();
  readonly waiting: Client[] = [];

  constructor(resp3: boolean) {
    this.writer.resp3 = resp3;
  }
}

/** What waits for one client: `from, to, from, to, ...` in a log. */
export interface WaitingPushes {
  log: PushLog;
  readonly ranges: number[];
}

export class Pushes {
  /** Made when the first client needs them: half a megabyte. */
  private resp2: PushLog | null = null;
  private resp3: PushLog | null = null;
  private readonly gathered = new GatherBuffer();
  private isScheduled = false;
  private readonly flushAll = (): void => {
    this.isScheduled = false;
    this.flush(null);
  };

  constructor(
    /** Runs a function after the events at hand. */
    readonly later: (run: () => void) => void,
    /** The client whose command runs: its replies, not yet sent, come before its pushes. */
    readonly executing: () => Client | null,
  ) {}

  /** The log in which what is for this client is written. */
  logOf(client: Client): PushLog {
    if (client.resp === 3) return (this.resp3 ??= new PushLog(true));
    return (this.resp2 ??= new PushLog(false));
  }

  /** Bytes from..to of the log, the last ones written to it, are for this client, too. */
  send(client: Client, log: PushLog, from: number, to: number): void {
    const waiting = client.pushes;
    if (waiting === null) this.register(client, log);
    else if (waiting.ranges.length === 0) {
      waiting.log = log;
      log.waiting.push(client);
    } else if (waiting.log !== log) {
      this.flushOne(client);
      waiting.log = log;
      log.waiting.push(client);
    }
    const ranges = (client.pushes as WaitingPushes).ranges;
    const last = ranges.length - 1;
    if (last > 0 && ranges[last] === from) ranges[last] = to;
    else ranges.push(from, to);
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.later(this.flushAll);
  }

  /** Moves what waits for a client behind the replies that it is about to get. */
  take(client: Client, reply: ReplyWriter): void {
    const { log, ranges } = client.pushes as WaitingPushes;
    for (let i = 0; i < ranges.length; i += 2) {
      reply.raw(log.writer.bytes, ranges[i], ranges[i + 1]);
    }
    ranges.length = 0;
  }

  /** Sends what waits for one client. */
  flushOne(client: Client): void {
    const waiting = client.pushes;
    if (waiting === null || waiting.ranges.length === 0) return;
    const { ranges } = waiting;
    const { bytes } = waiting.log.writer;
    if (client.closing) {
      ranges.length = 0;
      return;
    }
    if (ranges.length === 2) {
      const from = ranges[0];
      const to = ranges[1];
      ranges.length = 0;
      client.transport.send(bytes, from, to);
      return;
    }
    const gathered = this.gathered;
    for (let i = 0; i < ranges.length; i += 2) gathered.add(bytes, ranges[i], ranges[i + 1]);
    ranges.length = 0;
    client.transport.send(gathered.bytes, 0, gathered.length);
    gathered.clear();
  }

  /** Keeps a log from growing without bounds while one batch publishes much. Between messages. */
  makeRoom(): void {
    const resp2 = this.resp2;
    const resp3 = this.resp3;
    const isLong =
      (resp2 !== null && resp2.writer.length > LOG_BYTES_MAX) ||
      (resp3 !== null && resp3.writer.length > LOG_BYTES_MAX);
    if (isLong) this.flush(this.executing());
  }

  private flush(except: Client | null): void {
    if (this.resp2 !== null) this.flushLog(this.resp2, except);
    if (this.resp3 !== null) this.flushLog(this.resp3, except);
  }

  private flushLog(log: PushLog, except: Client | null): void {
    const { waiting, writer } = log;
    for (let i = 0; i < waiting.length; i++) if (waiting[i] !== except) this.flushOne(waiting[i]);
    waiting.length = 0;
    if (except !== null && except.pushes !== null && except.pushes.log === log) {
      this.keepFor(except, log);
    } else writer.clear();
  }

  /** COLD: reduces a log to what waits for a client that must not be sent it yet. */
  private keepFor(client: Client, log: PushLog): void {
    const { writer } = log;
    const { ranges } = client.pushes as WaitingPushes;
    let to = 0;
    for (let i = 0; i < ranges.length; i += 2) {
      writer.bytes.copyWithin(to, ranges[i], ranges[i + 1]);
      to += ranges[i + 1] - ranges[i];
    }
    ranges.length = 0;
    writer.length = to;
    if (to === 0) return;
    ranges.push(0, to);
    log.waiting.push(client);
  }

  /** COLD: once per client. */
  private register(client: Client, log: PushLog): void {
    client.pushes = { log, ranges: [] };
    log.waiting.push(client);
  }
}

/** Several ranges in a row. */
class GatherBuffer {
  bytes = new Uint8Array(0);
  length = 0;

  add(bytes: Uint8Array, from: number, to: number): void {
    const end = this.length + to - from;
    if (end > this.bytes.length) this.grow(end);
    this.bytes.set(bytes.subarray(from, to), this.length);
    this.length = end;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > 4 * LOG_BYTES_MAX) this.bytes = new Uint8Array(0);
  }

  private grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }
}
