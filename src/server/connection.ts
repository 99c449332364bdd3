// HOT PATH: rules in src/README.md
/**
 * One connection: socket ↔ parser ↔ dispatcher ↔ socket.
 *
 * A chunk from the socket is parsed where it lies; its requests run one after the other, their
 * replies collect in the engine's reply writer, and one write sends them. Only what is left over
 * costs more: a cut request moves to the connection's query buffer, bytes that the peer does not
 * take wait in its output queue.
 *
 * Fairness: after REQUESTS_PER_TURN requests the rest of a pipeline waits in the query buffer, the
 * socket is paused, and the connection takes another turn after the others had theirs.
 */
import type { Socket } from "bun";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import {
  type PartialRequest,
  ParseStatus,
  type RequestParser,
} from "../protocol/request-parser.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Stats } from "../runtime/stats.ts";
import type { Client, Transport } from "../session/client.ts";
import { Gate } from "../session/client.ts";
import { OutputQueue } from "./output-queue.ts";
import { QueryBuffer } from "./query-buffer.ts";

const REQUESTS_PER_TURN = 1000;
/** Replies of one batch are sent early above this, so that the buffer stays small. */
const FLUSH_BYTES = 256 * 1024;
/** Bulks from this size on are read into a buffer of exactly their size. */
const BIG_BULK_BYTES = 32 * 1024;

/** What connections of one server share. */
export interface ConnectionHost {
  readonly parser: RequestParser;
  readonly reply: ReplyWriter;
  readonly dispatcher: Dispatcher;
  readonly stats: Stats;
  /** client-query-buffer-limit. */
  queryBufferMax: number;
  /** Reads the clock for a batch. */
  tick(): void;
  nowMs(): number;
  /** Gives the connection another turn after the other sockets' events. */
  scheduleTurn(connection: Connection): void;
  /** The output queue grew: closes the client where its limit says so. */
  checkOutputLimit(connection: Connection): void;
  logVerbose(message: string): void;
  logWarning(message: string): void;
  /** The socket is gone. */
  forget(connection: Connection): void;
}

export class Connection implements Transport {
  client!: Client;
  readonly output = new OutputQueue();
  query: QueryBuffer | null = null;
  /** The cut request at `query.from`, if any. */
  private partial: PartialRequest | null = null;
  /** Nominal size and recent peak of the reply buffer, as CLIENT LIST reports them. */
  private replyBuffer = 16 * 1024;
  private replyPeak = 0;
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
    const { host, client } = this;
    const stats = host.stats;
    stats.bytesIn += chunk.length;
    stats.readEvents++;
    client.bytesIn += chunk.length;
    host.tick();
    client.lastInteractionMs = host.nowMs();
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
    host.parser.begin(
      chunk,
      new DataView(chunk.buffer, chunk.byteOffset, chunk.length),
      0,
      chunk.length,
    );
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
  }

  /** The peer can take more. */
  onDrain(): void {
    const before = this.output.length;
    const isEmpty = this.output.drain(this.writeToSocket);
    this.countWritten(before - this.output.length);
    if (isEmpty && this.client.closing) this.socket.end();
  }

  /** The peer will send no more: what it asked for is answered, then the connection ends. */
  onEnd(): void {
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
    if (length === 0) return;
    if (this.closed) {
      reply.clear();
      return;
    }
    let written = 0;
    if (this.output.length === 0) {
      written = Math.max(0, this.socket.write(reply.bytes, 0, length));
      this.countWritten(written);
    }
    if (written < length) {
      this.output.push(reply.bytes, written, length);
      this.host.checkOutputLimit(this);
    }
    reply.clear();
  }

  close(afterPending: boolean): void {
    this.client.closing = true;
    if (this.closed) return;
    if (!afterPending) this.socket.terminate();
    else if (this.output.length === 0) this.socket.end();
  }

  pendingBytes(): number {
    return this.output.length;
  }

  pendingBuffers(): number {
    return this.output.buffers;
  }

  queryBytes(): number {
    return this.query === null ? 0 : this.query.pending;
  }

  queryBytesFree(): number {
    return this.query === null ? 0 : this.query.capacity - this.query.pending;
  }

  replyBufferBytes(): number {
    return this.replyBuffer;
  }

  replyBufferPeak(): number {
    return this.replyPeak;
  }

  /** Gives back a query buffer that is unused, or much larger than its use since the last look. */
  shrinkQuery(isIdle: boolean): void {
    const query = this.query;
    if (query === null) return;
    if (query.pending === 0 && this.partial === null && isIdle) {
      this.query = null;
      return;
    }
    if (query.capacity > BIG_BULK_BYTES && (query.peak < query.capacity / 2 || isIdle)) {
      const needed = this.partial === null ? 0 : this.bulkExpected;
      if (needed < query.capacity / 2) query.resize(Math.max(needed, query.pending));
    }
    query.peak = query.pending;
  }

  /** Bytes that the cut request announced. */
  private bulkExpected = 0;

  private countWritten(count: number): void {
    this.host.stats.bytesOut += count;
    this.host.stats.writeEvents++;
    this.client.bytesOut += count;
  }

  /**
   * Runs requests of the parser's input, at most `turns`, and sends their replies. True when the
   * input is not used up: its rest begins at the parser's `requestAt`.
   */
  private runRequests(turns: number): boolean {
    const { host, client } = this;
    const { parser, reply, dispatcher } = host;
    reply.resp3 = client.resp === 3;
    for (let left = turns; ; left--) {
      parser.limited = (client.gate & Gate.UNAUTHENTICATED) !== 0;
      const requestAt = parser.requestAt;
      const status = parser.next();
      if (status !== ParseStatus.READY) {
        if (status === ParseStatus.BROKEN) this.rejectProtocol(parser.error);
        else this.flush(reply);
        return status === ParseStatus.MORE;
      }
      dispatcher.execute(client, parser.args, reply);
      if (client.closing) {
        this.flush(reply);
        this.close(true);
        return false;
      }
      if (client.blocked || left === 1) {
        if (client.postponed) parser.requestAt = requestAt;
        this.flush(reply);
        if (!client.blocked) this.takeTurnLater();
        return true;
      }
      if (reply.length > FLUSH_BYTES) this.flush(reply);
    }
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
    if (this.turnScheduled || this.client.blocked) this.pause();
    else this.suspend(query);
  }

  /** Keeps the rest of a chunk, from `from` on, in a query buffer. */
  private keepRest(chunk: Uint8Array, from: number): void {
    if (from === chunk.length) return;
    this.query ??= new QueryBuffer(chunk.length - from);
    const query = this.query;
    query.from = query.length = 0;
    query.append(chunk, from, chunk.length);
    if (this.turnScheduled || this.client.blocked) this.pause();
    else this.suspend(query);
  }

  /** Takes the cut request at `query.from` from the parser. */
  private suspend(query: QueryBuffer): void {
    const needed = this.host.parser.bytesNeeded();
    this.bulkExpected = needed;
    this.partial = this.host.parser.suspend();
    query.compact();
    if (needed > BIG_BULK_BYTES) query.expect(needed);
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
    this.host.logVerbose(`Protocol error (${error}) from client: id=${this.client.id}`);
    reply.error(`ERR Protocol error: ${error}`);
    this.host.stats.countError(reply.lastErrorCode);
    this.flush(reply);
    this.close(true);
  }

  private rejectQueryBuffer(): void {
    this.host.stats.queryBufferLimitDisconnections++;
    this.host.logWarning(
      `Closing client that reached max query buffer length: id=${this.client.id}`,
    );
    this.close(false);
  }
}
