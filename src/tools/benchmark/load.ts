// HOT PATH: rules in src/README.md
/**
 * One thread's share of a load: connections that send a batch, wait for its replies, and send the
 * next one, until the run's requests are used up.
 *
 * What threads share lies in one Int32Array of shared memory (`Counter`): a batch is taken from
 * `ISSUED` before it is sent, its replies are added to `FINISHED`. The last batch is sent whole, so a
 * run of 10 requests with a pipeline of 16 makes 16, as with redis-benchmark. Latencies go to the
 * thread's own distribution: the time from a batch's first byte to the first chunk of its replies,
 * for each of its requests.
 *
 * A connection is in one of three states: it waits for replies (`pending > 0`), it opens (or opens
 * anew, without keep-alive), or there is nothing left to send for it. The share is done when all are
 * in the last one; `busy` counts those that are not.
 *
 * An error reply, a lost connection or bytes that are no reply end the run: numbers of requests that
 * failed would mislead.
 */
import type { Socket } from "bun";
import type { Clock } from "../../base/clock.ts";
import { type Address, systemText, tlsOptions } from "../connection.ts";
import type { LatencyDistribution } from "./latency-distribution.ts";
import { ReplyCounter } from "./reply-counter.ts";
import type { RequestBatch } from "./request-batch.ts";

/** Indexes into the array that all threads of a run share. */
export const enum Counter {
  /** Requests taken for sending. */
  ISSUED,
  /** Requests answered. */
  FINISHED,
  /** Connections that are open. */
  LIVE,
  LENGTH,
}

/** What every connection sends first, once: AUTH, SELECT and the like. */
export interface Greeting {
  readonly bytes: Uint8Array;
  readonly replies: number;
}

export interface LoadPlan {
  readonly address: Address;
  /** Connections of this thread. */
  readonly clients: number;
  readonly greeting: Greeting;
  /** Of all threads together. */
  readonly requests: number;
  readonly pipeline: number;
  readonly isKeptAlive: boolean;
}

/** The run cannot go on; the message is for the user. */
export class LoadFailure extends Error {}

const CLOSED = "Error: Server closed the connection";
/** Connections that are opened at a time, fewer than a system's backlog of new ones. */
const OPENING_MAX = 64;

export class Load {
  private readonly connections: LoadConnection[] = [];
  private readonly outcome = Promise.withResolvers<void>();
  private busy = 0;
  private isEnded = false;
  /** Whether connections only wait, as with -I. */
  private readonly isIdle: boolean;

  /** Requires: `batch` and `distribution` are this thread's own. A null batch sends nothing. */
  constructor(
    private readonly plan: LoadPlan,
    readonly counters: Int32Array,
    readonly batch: RequestBatch | null,
    readonly distribution: LatencyDistribution,
    readonly clock: Clock,
  ) {
    this.isIdle = batch === null;
    // A failure before anybody waits for the outcome is not unhandled.
    this.outcome.promise.catch(() => {});
  }

  get pipeline(): number {
    return this.plan.pipeline;
  }

  /** Opens all connections. COLD: before the run. */
  async connect(): Promise<void> {
    for (let opened = 0; opened < this.plan.clients; opened += OPENING_MAX) {
      const count = Math.min(OPENING_MAX, this.plan.clients - opened);
      const fresh = Array.from({ length: count }, () => new LoadConnection(this));
      this.connections.push(...fresh);
      await Promise.race([
        Promise.all(fresh.map((connection) => this.open(connection))),
        this.outcome.promise,
      ]);
    }
  }

  /**
   * Sends and receives until the run's requests are used up, for ever without a batch. Throws
   * LoadFailure. COLD: once.
   */
  async run(): Promise<void> {
    if (!this.isIdle) {
      this.busy = this.connections.length;
      for (const connection of this.connections) connection.sendFirst(this.plan.greeting);
    }
    await this.outcome.promise;
  }

  /** Closes all connections. COLD: after the run. */
  close(): void {
    this.isEnded = true;
    for (const connection of this.connections) connection.socket?.terminate();
  }

  /** Takes a batch's requests from those that are left; false if none are. */
  takeBatch(): boolean {
    const issued = Atomics.add(this.counters, Counter.ISSUED, this.plan.pipeline);
    return issued < this.plan.requests;
  }

  /** So many replies came, `latencyUs` after their batch was sent. */
  finish(replies: number, latencyUs: number): void {
    const left = this.plan.requests - Atomics.add(this.counters, Counter.FINISHED, replies);
    if (left > 0) this.distribution.record(latencyUs, Math.min(left, replies));
  }

  /** A connection has its replies: on with it, over the same socket or a new one. */
  next(connection: LoadConnection): void {
    if (this.plan.isKeptAlive) connection.send();
    else this.reopen(connection);
  }

  /** Nothing is left to send for a connection. */
  rest(): void {
    if (--this.busy === 0) this.outcome.resolve();
  }

  /** COLD: ends the run. */
  fail(message: string): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.outcome.reject(new LoadFailure(message));
  }

  /** The server, or the network, closed a socket. COLD: ends the run. */
  lost(connection: LoadConnection, error: Error | undefined): void {
    if (!this.isIdle && connection.pending === 0) return;
    this.fail(error === undefined ? CLOSED : `Error: ${systemText(error)}`);
  }

  /** COLD: a new socket costs more than what it allocates. */
  private reopen(connection: LoadConnection): void {
    const { socket } = connection;
    connection.socket = null;
    socket?.end();
    const issued = Atomics.load(this.counters, Counter.ISSUED);
    if (issued >= this.plan.requests) {
      this.rest();
      return;
    }
    void this.open(connection).then(() => {
      if (!this.isEnded) connection.sendFirst(this.plan.greeting);
    });
  }

  /** COLD: once per socket. */
  private async open(connection: LoadConnection): Promise<void> {
    const { host, path, port, tls } = this.plan.address;
    const { promise: secured, resolve: secure } = Promise.withResolvers<string | null>();
    const socket = {
      ...SOCKET_EVENTS,
      handshake: (_: Socket<LoadConnection>, isDone: boolean, error: Error | null) => {
        const isTrusted = isDone && (error === null || tls?.isInsecure === true);
        secure(isTrusted ? null : (error?.message ?? "the handshake failed"));
      },
    };
    const name = path ?? `${host}:${port}`;
    try {
      const options = { data: connection, socket, ...(tls && { tls: tlsOptions(tls, host) }) };
      if (path !== null) await Bun.connect({ unix: path, ...options });
      else await Bun.connect({ hostname: host, port, ...options });
    } catch (error) {
      this.fail(`Could not connect to server at ${name}: ${systemText(error)}`);
      return;
    }
    const problem = tls === null ? null : await secured;
    if (problem !== null) this.fail(`Could not negotiate a TLS connection: ${problem}`);
  }
}

class LoadConnection {
  socket: Socket<LoadConnection> | null = null;
  /** Replies that are awaited, those to the greeting not included. */
  pending = 0;
  private readonly replies = new ReplyCounter();
  private greetingReplies = 0;
  private startUs = 0;
  /** Negative until the first chunk of replies. */
  private latencyUs = -1;
  /** What the socket has not taken. */
  private unsent: Uint8Array | null = null;

  constructor(private readonly load: Load) {}

  /** Sends a batch, if one is left. */
  send(): void {
    const { load } = this;
    const { batch } = load;
    if (batch === null || !load.takeBatch()) {
      load.rest();
      return;
    }
    batch.randomize();
    this.pending = load.pipeline;
    this.latencyUs = -1;
    this.startUs = load.clock.monotonicUs();
    this.write(batch.bytes);
  }

  /** Sends a batch after the greeting. COLD: once per socket. */
  sendFirst(greeting: Greeting): void {
    const { load } = this;
    const { batch } = load;
    if (greeting.replies === 0 || batch === null) {
      this.send();
      return;
    }
    if (!load.takeBatch()) {
      load.rest();
      return;
    }
    batch.randomize();
    this.pending = load.pipeline;
    this.greetingReplies = greeting.replies;
    this.latencyUs = -1;
    this.startUs = load.clock.monotonicUs();
    this.write(Buffer.concat([greeting.bytes, batch.bytes]));
  }

  onData(chunk: Uint8Array): void {
    const { load, replies } = this;
    if (this.latencyUs < 0) this.latencyUs = load.clock.monotonicUs() - this.startUs;
    let count = replies.take(chunk);
    if (replies.error !== null) {
      load.fail(`Error from server: ${replies.error}`);
      return;
    }
    if (replies.isBroken) {
      load.fail("Error: Protocol error");
      return;
    }
    if (this.greetingReplies > 0) {
      const greeted = Math.min(count, this.greetingReplies);
      this.greetingReplies -= greeted;
      count -= greeted;
    }
    if (count === 0) return;
    load.finish(count, this.latencyUs);
    this.pending -= count;
    if (this.pending === 0) load.next(this);
  }

  onDrain(): void {
    const { unsent } = this;
    if (unsent === null) return;
    this.unsent = null;
    this.write(unsent);
  }

  onOpen(socket: Socket<LoadConnection>): void {
    this.socket = socket;
    Atomics.add(this.load.counters, Counter.LIVE, 1);
  }

  onClose(socket: Socket<LoadConnection>, error: Error | undefined): void {
    Atomics.sub(this.load.counters, Counter.LIVE, 1);
    if (socket === this.socket) this.load.lost(this, error);
  }

  onError(error: Error): void {
    this.load.fail(`Error: ${systemText(error)}`);
  }

  private write(bytes: Uint8Array): void {
    const { socket } = this;
    if (socket === null) return;
    const written = Math.max(0, socket.write(bytes));
    // The batch is shared: another connection changes it before this one is writable.
    if (written < bytes.length) this.unsent = bytes.slice(written);
  }
}

const SOCKET_EVENTS = {
  open: (socket: Socket<LoadConnection>) => socket.data.onOpen(socket),
  data: (socket: Socket<LoadConnection>, chunk: Uint8Array) => socket.data.onData(chunk),
  drain: (socket: Socket<LoadConnection>) => socket.data.onDrain(),
  close: (socket: Socket<LoadConnection>, error?: Error) => socket.data.onClose(socket, error),
  error: (socket: Socket<LoadConnection>, error: Error) => socket.data.onError(error),
};
