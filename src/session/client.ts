/**
 * What the server knows of one connection, without its socket: the transport is an interface, so
 * that a test, or an engine inside another process, can be a client too.
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Wait } from "./blocking.ts";
import type { Subscriptions } from "./pubsub.ts";
import type { WaitingPushes } from "./push-log.ts";
import type { ClientTracking } from "./tracking.ts";
import type { WatchedKey } from "./watch.ts";

/** Reasons why a request of this client cannot simply run: the dispatcher looks closer if any is set. */
export const enum Gate {
  NONE = 0,
  /** A password is required and has not been given. */
  UNAUTHENTICATED = 1 << 0,
  /** MULTI was called: commands are queued. */
  IN_MULTI = 1 << 1,
  /** Subscribed to something: under RESP2, only pub/sub commands may run. */
  SUBSCRIBED = 1 << 2,
  /** CLIENT REPLY OFF or SKIP. */
  REPLY_MUTED = 1 << 3,
  /** CLIENT NO-TOUCH on. */
  NO_TOUCH = 1 << 4,
  /** CLIENT TRACKING on. */
  TRACKING = 1 << 5,
  /** In MONITOR mode. */
  MONITOR = 1 << 6,
  /** CLIENT IMPORT-SOURCE on. */
  IMPORT_SOURCE = 1 << 7,
}

export const enum ReplyMode {
  ON = 0,
  OFF = 1,
  /** The reply of the command that runs, and the next one's, are dropped. */
  SKIP_NEXT = 2,
  SKIP = 3,
}

/** The connection's side of a client. */
export interface Transport {
  /** Sends the bytes written in `reply`, or keeps them until the peer takes them, and clears it. */
  flush(reply: ReplyWriter): void;
  /** Sends from..to of `bytes`, or keeps a copy of what the peer does not take. */
  send(bytes: Uint8Array, from: number, to: number): void;
  /** Closes: at once, or after what is pending was sent. */
  close(afterPending: boolean): void;
  /** Goes on with the requests that waited while the client was blocked. */
  resume(): void;
  /** Bytes not yet taken by the peer, and in how many buffers. */
  pendingBytes(): number;
  pendingBuffers(): number;
  /** Bytes of the query buffer in use, and free. */
  queryBytes(): number;
  queryBytesFree(): number;
  /** Bytes of the buffers it holds. */
  memoryBytes(): number;
  /** Bytes of the connection's own reply buffer, as CLIENT LIST shows it (rbs). */
  replyBufferBytes(): number;
  /** Largest use of that buffer lately (rbp). */
  replyBufferPeak(): number;
}

/** A request that MULTI queued, with bytes of its own. */
export interface QueuedRequest {
  readonly command: number;
  readonly args: Args;
}

export class Client {
  /** Bits of Gate. */
  gate: number = Gate.NONE;
  database = 0;
  resp: 2 | 3 = 2;
  name = "";
  libraryName = "";
  libraryVersion = "";
  user = "default";
  authenticated = false;
  /** True once the client has authenticated, even if RESET took it back. */
  everAuthenticated = false;
  replyMode: ReplyMode = ReplyMode.ON;
  noEvict = false;
  /** CLIENT CAPA words. */
  capabilities: string[] = [];
  /** Table number of the last command that ran; -1 = none. */
  lastCommandNumber = -1;
  /** Unix ms. */
  lastInteractionMs: number;
  /** No further request is read; the connection ends after the replies. */
  closing = false;
  /** A request waits (BLPOP and its like): the following ones stay unread. */
  blocked = false;
  /** It is blocked because clients are paused: the request runs anew when the pause ends. */
  postponed = false;
  /** The request that waits for a key, see session/blocking.ts. */
  wait: Wait | null = null;
  /** It reads a log of changes: what it sends has been accepted before. */
  mustObey = false;
  /** False while EXEC or a script runs its commands: they must not wait. */
  mayBlock = true;
  /** Requests since MULTI; null outside of a transaction. */
  queue: QueuedRequest[] | null = null;
  /** A request could not be queued: EXEC will refuse. */
  queueBroken = false;
  /** Bytes of the queue's arguments, see session/client-memory.ts. */
  queueBytes = 0;
  watched: WatchedKey[] = [];
  /** A watched key has changed: EXEC will do nothing. */
  watchBroken = false;
  /** What it is subscribed to; null = nothing yet. */
  subscriptions: Subscriptions | null = null;
  /** CLIENT TRACKING; null = off. */
  tracking: ClientTracking | null = null;
  /** Pushes that are not sent yet; null = there were none so far. */
  pushes: WaitingPushes | null = null;
  /** Since when the soft output limit is exceeded, in unix ms; 0 = it is not. */
  softLimitSinceMs = 0;
  /** Bytes of the names of keys it watches, channels it listens to, and prefixes it tracks. */
  nameBytes = 0;
  /** Its memory when that was looked at last, and its place, see session/client-memory.ts. */
  memoryBytes = 0;
  memoryBucket = -1;
  commandCount = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly createdMs: number;

  constructor(
    readonly id: number,
    /** "ip:port" or "path:0". */
    readonly address: string,
    readonly localAddress: string,
    readonly descriptor: number,
    readonly isUnix: boolean,
    readonly transport: Transport,
    nowMs: number,
  ) {
    this.createdMs = nowMs;
    this.lastInteractionMs = nowMs;
  }

  setGate(gate: Gate, on: boolean): void {
    this.gate = on ? this.gate | gate : this.gate & ~gate;
  }
}
