// HOT PATH: rules in src/README.md
/**
 * One connection: socket ↔ parser ↔ dispatcher ↔ socket.
 *
 * A chunk is parsed in place and its requests run where they lie, one after the other; their
 * replies collect in the engine's reply writer, and one write sends them. Only what is left over
 * costs more: a cut request moves to the connection's query buffer, bytes that the peer does not
 * take wait in its output queue.
 *
 * Small chunks are first moved into the engine's input buffer: 45 ns, where a DataView of its own
 * for each of the socket's short-lived chunks costs half a microsecond with its collection
 * (7 % of an unpipelined GET; Bun 1.4). Large chunks are parsed in the socket's own memory.
 *
 * Fairness: after REQUESTS_PER_TURN requests the rest of a pipeline waits in the query buffer, the
 * socket is paused, and the connection takes another turn after the others had theirs.
 */
import type { Socket } from "bun";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import {
  BATCH_MAX,
  type PartialRequest,
  ParseStatus,
  type RequestParser,
} from "../protocol/request-parser.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Stats } from "../runtime/stats.ts";
import type { Client, Transport } from "../session/client.ts";
import type { ClientMemory } from "../session/client-memory.ts";
import { Gate } from "../session/client.ts";
import type { HeldConnection, HeldReplies } from "./held-replies.ts";
import type { ClientLog } from "./client-log.ts";
import type { OutputLimits } from "./output-limits.ts";
import { OutputQueue } from "./output-queue.ts";
import { QueryBuffer } from "./query-buffer.ts";
import type { ReadCoalescing } from "./read-coalescing.ts";

/** Chunks up to this size go through the input buffer. */
export const INPUT_BYTES = 16 * 1024;
const REQUESTS_PER_TURN = 1000;
/** Replies of one batch are sent early above this, so that the buffer stays small. */
const FLUSH_BYTES = 256 * 1024;
/** Bulks from this size on are read into a buffer of exactly their size. */
const BIG_BULK_BYTES = 32 * 1024;
/** A connection with buffers from this size on counts in used_memory at once. */
const LARGE_BYTES = 64 * 1024;
/** A query buffer is only made smaller when more than this is free in it. */
const QUERY_WASTE_MIN = 4 * 1024;
/** Bounds of the reply buffer's nominal size, as in Redis. */
const REPLY_BUFFER_MIN = 1024;
const REPLY_BUFFER_MAX = 16 * 1024;

/** What connections of one server share. */
export interface ConnectionHost {
  readonly parser: RequestParser;
  readonly reply: ReplyWriter;
  readonly dispatcher: Dispatcher;
  readonly stats: Stats;
  readonly memory: ClientMemory;
  /** INPUT_BYTES of memory that holds the chunk being served. */
  readonly input: { readonly bytes: Uint8Array; readonly view: DataView };
  /** client-query-buffer-limit. */
  queryBufferMax: number;
  /** DEBUG CLIENT-ENFORCE-REPLY-LIST: replies count as queued before they are written. */
  replyListEnforced: boolean;
  /** Reads the clock for a batch. */
  tick(): void;
  nowMs(): number;
  /** A client's buffers may have changed while maxmemory-clients is set: evicts clients if need be. */
  settleMemory(client: Client): void;
  /** Gives the connection another turn after the other sockets' events. */
  scheduleTurn(connection: Connection): void;
  readonly coalescing: ReadCoalescing;
  /** Replies that wait for the append-only file. */
  readonly held: HeldReplies;
  /** Writes the changes at hand, and sends all replies that waited for that. */
  commit(): void;
  /** So many bytes wait for the peer: closes the client where its limit says so. */
  checkOutputLimit(connection: Connection, pendingBytes: number): void;
  readonly outputLimits: OutputLimits;
  /** A reply passed what `outputLimits` leave it, and was given up: closes the client. */
  closeForOutput(connection: Connection): void;
  readonly clientLog: ClientLog;
  /** The socket is gone. */
  forget(connection: Connection): void;
}

export class Connection implements Transport, HeldConnection {
  client!: Client;
  readonly output = new OutputQueue();
  query: QueryBuffer | null = null;
  isHeld = false;
  /** The cut request at `query.from`, if any. */
  private partial: PartialRequest | null = null;
  /**
   * Replies are written from a buffer that all connections share. CLIENT LIST shows the size that
   * this connection's own would have by Redis's rules, and its recent peak.
   */
  private replyBuffer = REPLY_BUFFER_MAX;
  private replyPeak = 0;
  private replyPeakResetMs = 0;
  private turnScheduled = false;
  private paused = false;
  private closed = false;
  private readonly writeToSocket = (bytes: Uint8Array, from: number, count: number): number =>
    this.socket.write(bytes, from, count);

  constructor(
    readonly socket: Socket<Connection | undefined>,
    private readonly host: ConnectionHost,
  ) {}

  /** Takes a chunk from the socket. */
  onData(chunk: Uint8Array): void {
    const { stats } = this.host;
    const before = stats.commandsProcessed;
    this.receive(chunk);
    const count = stats.commandsProcessed - before;
    if (count > stats.cycleCommandsMax) stats.cycleCommandsMax = count;
    this.settleMemory();
  }

  private receive(chunk: Uint8Array): void {
    const { host, client } = this;
    const stats = host.stats;
    stats.bytesIn += chunk.length;
    stats.readEvents++;
    client.bytesIn += chunk.length;
    host.tick();
    const nowMs = host.nowMs();
    host.coalescing.count(client.lastInteractionMs, nowMs);
    client.lastInteractionMs = nowMs;
    if (client.closing) return;
    const query = this.query;
    if (query !== null && (query.pending > 0 || this.partial !== null)) {
      query.append(chunk, 0, chunk.length);
      if (query.pending > host.queryBufferMax) {
        this.rejectQueryBuffer();
        return;
      }
      if (!client.blocked && !this.turnScheduled) this.runQuery();
      return;
    }
    if (client.blocked) {
      this.keepRest(chunk, 0);
      return;
    }
    if (chunk.length <= INPUT_BYTES) {
      host.input.bytes.set(chunk);
      host.parser.begin(host.input.bytes, host.input.view, 0, chunk.length);
    } else {
      const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
      host.parser.begin(chunk, view, 0, chunk.length);
    }
    const wantsMore = this.runRequests(REQUESTS_PER_TURN);
    if (!wantsMore) return;
    this.keepRest(chunk, host.parser.requestAt);
  }

  /** Goes on with the query buffer: another turn, or the client is no longer blocked. */
  resume(): void {
    this.turnScheduled = false;
    if (this.closed || this.client.closing || this.client.blocked) return;
    this.host.tick();
    this.runQuery();
    this.settleMemory();
  }

  /** The peer can take more. */
  onDrain(): void {
    const before = this.output.length;
    const isEmpty = this.output.drain(this.writeToSocket);
    this.countWritten(before - this.output.length);
    this.settleMemory();
    if (isEmpty && this.client.closing && !this.isHeld) this.socket.end();
  }

  /** The peer will send no more: what it asked for is answered, then the connection ends. */
  onEnd(): void {
    this.host.clientLog.leftByItself(this.client);
    this.close(true);
  }

  /** The socket is closed, by whomever. */
  onClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.client.closing = true;
    this.output.clear();
    this.query = null;
    this.partial = null;
    this.host.forget(this);
  }

  flush(reply: ReplyWriter): void {
    const length = reply.length;
    if (reply.overflowed) {
      if (!this.closed) this.host.closeForOutput(this);
    } else if (length === 0) return;
    else this.send(reply.bytes, 0, length);
    reply.clear();
  }

  send(bytes: Uint8Array, from: number, to: number): void {
    if (this.closed) return;
    const { host, output } = this;
    const length = to - from;
    if (host.held.isOn) {
      if (!host.held.hasRoom(length)) host.commit();
      if (host.held.isOn) {
        host.held.add(this, bytes, from, to);
        return;
      }
    }
    if (length > this.replyPeak) this.replyPeak = length;
    if (host.replyListEnforced) {
      output.push(bytes, from, to);
      host.checkOutputLimit(this, output.length);
      if (!this.closed) this.onDrain();
      return;
    }
    // As in Valkey, what exceeds the reply buffer counts even if the peer would take it at once.
    if (length > REPLY_BUFFER_MAX) {
      host.checkOutputLimit(this, output.length + length);
      if (this.closed) return;
    }
    let written = 0;
    if (output.length === 0) {
      written = Math.max(0, this.socket.write(bytes, from, length));
      this.countWritten(written);
    }
    if (written < length) {
      output.push(bytes, from + written, to);
      host.checkOutputLimit(this, output.length);
      if (host.memory.limitBytes !== 0 || output.length >= LARGE_BYTES) {
        host.memory.account(this.client);
      }
    }
  }

  close(afterPending: boolean): void {
    this.client.closing = true;
    if (this.closed) return;
    if (!afterPending) {
      this.socket.end();
      // Not only when the event arrives: whoever asks next must not find the client any more.
      this.onClose();
    } else if (this.output.length === 0 && !this.isHeld) this.socket.end();
  }

  onReleased(): void {
    if (this.client.closing && !this.closed && this.output.length === 0) this.socket.end();
  }

  pendingBytes(): number {
    return this.output.length;
  }

  pendingBuffers(): number {
    return this.output.buffers;
  }

  /** As in Valkey, arguments of the cut request that are read already do not count. */
  queryBytes(): number {
    if (this.query === null) return 0;
    return this.query.pending - (this.partial === null ? 0 : this.partial.scanAt);
  }

  queryBytesFree(): number {
    return this.query === null ? 0 : this.query.capacity - this.query.pending;
  }

  memoryBytes(): number {
    return this.output.length + (this.query === null ? 0 : this.query.capacity);
  }

  replyBufferBytes(): number {
    return this.replyBuffer;
  }

  replyBufferPeak(): number {
    return Math.min(this.replyPeak, this.replyBuffer);
  }

  /**
   * Fits the reply buffer's nominal size to its use: +1 = it grew, -1 = it shrank. The peak is
   * forgotten every `resetAfterMs`; never if that is negative.
   */
  adjustReplyBuffer(nowMs: number, resetAfterMs: number): number {
    const size = this.replyBuffer;
    const peak = this.replyBufferPeak();
    if (size / 2 >= REPLY_BUFFER_MIN && peak < size / 2) {
      this.replyBuffer = Math.max(REPLY_BUFFER_MIN, peak + 1);
    } else if (peak === size) this.replyBuffer = Math.min(REPLY_BUFFER_MAX, size * 2);
    if (resetAfterMs >= 0 && nowMs - this.replyPeakResetMs >= resetAfterMs) {
      this.replyPeak = 0;
      this.replyPeakResetMs = nowMs;
    }
    return Math.sign(this.replyBuffer - size);
  }

  /**
   * Gives back a query buffer that an idle connection does not use, or what a busy one has not
   * needed since the last look. A large bulk that is arriving keeps its room until it stalls.
   */
  shrinkQuery(isIdle: boolean): void {
    const query = this.query;
    if (query === null) return;
    const announced = this.partial === null ? 0 : this.bulkExpected;
    if (query.capacity - query.pending > QUERY_WASTE_MIN) {
      if (isIdle && query.pending === 0) {
        this.query = null;
        return;
      }
      if (isIdle) query.resize(query.pending);
      else if (query.capacity > BIG_BULK_BYTES && query.peak < query.capacity / 2) {
        query.resize(Math.max(query.peak, announced));
      }
    }
    query.peak = Math.max(query.pending, announced);
  }

  /** Bytes that the cut request announced. */
  private bulkExpected = 0;

  /** What is large is counted at once, so that used_memory is never far off; the rest by the cron. */
  private settleMemory(): void {
    const { host, client } = this;
    if (host.memory.limitBytes !== 0) host.settleMemory(client);
    else if (client.memoryBytes >= LARGE_BYTES || this.memoryBytes() >= LARGE_BYTES) {
      host.memory.account(client);
    }
  }

  private countWritten(count: number): void {
    this.host.stats.bytesOut += count;
    this.host.stats.writeEvents++;
    this.client.bytesOut += count;
  }

  /**
   * Runs requests of the parser's input, about `turns` at most, and sends their replies. True when
   * the input is not used up: its rest begins at the parser's `requestAt`.
   */
  private runRequests(turns: number): boolean {
    const { host, client } = this;
    const { parser, reply } = host;
    reply.resp3 = client.resp === 3;
    this.limitReply(reply);
    for (let left = turns; left > 0; left -= parser.batchCount) {
      // Before AUTH each request may change how the next is to be read.
      const isLimited = (client.gate & Gate.UNAUTHENTICATED) !== 0;
      parser.limited = isLimited;
      const from = parser.requestAt;
      const status = parser.nextBatch(isLimited ? 1 : BATCH_MAX);
      if (!this.runBatch(from)) {
        this.flush(reply);
        if (!client.closing) return true;
        this.close(true);
        return false;
      }
      if (status !== ParseStatus.READY) {
        if (status === ParseStatus.BROKEN) this.rejectProtocol(parser.error);
        else this.flush(reply);
        return status === ParseStatus.MORE && !client.closing;
      }
      if (reply.length <= FLUSH_BYTES) continue;
      this.flush(reply);
      this.settleMemory();
      if (client.closing) return false;
      this.limitReply(reply);
    }
    this.flush(reply);
    if (client.closing) return false;
    this.takeTurnLater();
    return true;
  }

  /** Tells the writer how long a reply may become, beside what the peer has not taken yet. */
  private limitReply(reply: ReplyWriter): void {
    reply.limit = this.host.outputLimits.bytesMax(this.client) - this.output.length;
  }

  /**
   * Runs the parser's batch, whose first request begins at `from`. False when the client blocks or
   * closes; then the parser's `requestAt` is where the requests begin that have not run.
   */
  private runBatch(from: number): boolean {
    const { client } = this;
    const { parser, reply, dispatcher } = this.host;
    const { batch, ends, batchCount } = parser;
    if (batchCount === 1) {
      dispatcher.execute(client, batch[0], reply);
      if (!client.blocked && !client.closing) return true;
      parser.requestAt = client.postponed ? from : ends[0];
      return false;
    }
    dispatcher.prepare(client, batch, batchCount);
    for (let i = 0; i < batchCount; i++) {
      dispatcher.executePrepared(client, batch[i], i, reply);
      if (client.blocked || client.closing) {
        parser.requestAt = !client.postponed ? ends[i] : i === 0 ? from : ends[i - 1];
        return false;
      }
    }
    return true;
  }

  /** Runs what the query buffer holds. */
  private runQuery(): void {
    const query = this.query;
    if (query === null) return;
    const { parser } = this.host;
    if (this.partial === null) parser.begin(query.bytes, query.view, query.from, query.length);
    else {
      query.compact();
      parser.resume(query.bytes, query.view, query.length, this.partial);
      this.partial = null;
    }
    const wantsMore = this.runRequests(REQUESTS_PER_TURN);
    if (this.query === null) return;
    query.from = parser.requestAt;
    if (!wantsMore || query.from === query.length) {
      query.from = query.length = 0;
      if (!this.turnScheduled) this.unpause();
      return;
    }
    if (this.turnScheduled) this.pause();
    else if (this.client.blocked) return;
    else this.suspend(query);
  }

  /** Keeps the rest of a chunk, from `from` on, in a query buffer. */
  private keepRest(chunk: Uint8Array, from: number): void {
    if (from === chunk.length) return;
    this.query ??= new QueryBuffer(chunk.length - from);
    const query = this.query;
    query.from = query.length = 0;
    query.append(chunk, from, chunk.length);
    if (this.turnScheduled) this.pause();
    else if (this.client.blocked) return;
    else this.suspend(query);
  }

  /** Takes the cut request at `query.from` from the parser. */
  private suspend(query: QueryBuffer): void {
    const needed = this.host.parser.bytesNeeded();
    this.bulkExpected = needed;
    this.partial = this.host.parser.suspend();
    query.compact();
    if (needed > BIG_BULK_BYTES) query.expect(Math.min(needed, this.host.queryBufferMax));
    if (query.pending > this.host.queryBufferMax) this.rejectQueryBuffer();
    else this.unpause();
  }

  private takeTurnLater(): void {
    if (this.turnScheduled) return;
    this.turnScheduled = true;
    this.host.scheduleTurn(this);
  }

  private pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.socket.pause();
  }

  private unpause(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  private rejectProtocol(error: string): void {
    const { reply } = this.host;
    this.host.clientLog.protocolBroken(this.client, error, this.host.parser.unparsed());
    reply.error(`ERR Protocol error: ${error}`);
    this.host.stats.countError(reply.lastErrorCode);
    this.flush(reply);
    this.close(true);
  }

  private rejectQueryBuffer(): void {
    this.host.stats.queryBufferLimitDisconnections++;
    if (this.query !== null) {
      const { bytes, from, length } = this.query;
      this.host.clientLog.queryLimitReached(this.client, bytes.subarray(from, length));
    }
    this.close(false);
  }
}
