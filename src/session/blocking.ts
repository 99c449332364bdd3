/**
 * Clients whose request waits for a key: BLPOP and its like.
 *
 * A handler that finds nothing to take calls `block` and replies nothing. When a key that is waited
 * for changes, it becomes ready; after the command that changed it (after EXEC for those within),
 * the server lets the waiting requests run anew, first come first served, each until one of its
 * keys serves it. A request that runs anew and finds nothing calls `block` again and so keeps its
 * place in the queue: handlers need not know whether they run for the first time.
 *
 * Requests and keys are kept on the collector's heap: they are as many as clients that wait.
 */
import { latin1FromBytes } from "../base/ascii.ts";
import { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Client } from "./client.ts";

/** What a request that ran into its timeout is answered. */
export type TimeoutReply = (reply: ReplyWriter) => void;

/** A request that waits. */
export interface Wait {
  readonly client: Client;
  /** The request, with bytes of its own. */
  readonly args: Args;
  /** Table number of its command. */
  readonly command: number;
  /** Names of its keys, "database:key". */
  readonly keys: readonly string[];
  /** Unix ms; 0 = for ever. */
  readonly deadlineMs: number;
  readonly onTimeout: TimeoutReply;
  /** It also wants to hear that a key is gone or has another type (XREADGROUP). */
  readonly wakesOnMissing: boolean;
  /** Only keys whose value has this type can serve it (a ValueType). */
  readonly type: number;
}

export interface WaitOptions {
  type: number;
  /** Indexes of the keys among the arguments. */
  keyIndexes: readonly number[];
  deadlineMs: number;
  onTimeout: TimeoutReply;
  wakesOnMissing?: boolean;
}

export class Blocking {
  /** Keys that changed while somebody waits for them, in order; served by the server. */
  readonly ready: string[] = [];

  private readonly waits = new Map<string, Set<Wait>>();
  private readonly readyKeys = new Set<string>();
  private readonly clients = new Set<Client>();

  constructor(
    /** Tells the keyspace whether changes of keys must be reported. */
    private readonly setWatching: (on: boolean) => void,
    /** A wait with a deadline began: the owner calls `expire` when it has passed. */
    private readonly onDeadline: (deadlineMs: number) => void,
  ) {}

  /** Clients that wait. */
  get count(): number {
    return this.clients.size;
  }

  /** Keys that are waited for, and those of them that wake on a missing key. */
  get keyCount(): number {
    return this.waits.size;
  }

  keyCountOnMissing(): number {
    let count = 0;
    for (const waits of this.waits.values()) {
      if ([...waits].some((wait) => wait.wakesOnMissing)) count++;
    }
    return count;
  }

  /**
   * Lets the client's request wait. A request that waits already keeps its place. Requires: the
   * client may block (`client.mayBlock`), and the handler has not replied.
   */
  block(client: Client, args: Args, options: WaitOptions): void {
    if (client.wait !== null) return;
    const kept = new Args();
    kept.assign(Array.from({ length: args.count }, (_, i) => args.copy(i)));
    const names = options.keyIndexes.map((i) => nameOf(client.database, args, i));
    const wait: Wait = {
      client,
      args: kept,
      command: client.lastCommandNumber,
      keys: [...new Set(names)],
      deadlineMs: options.deadlineMs,
      onTimeout: options.onTimeout,
      wakesOnMissing: options.wakesOnMissing ?? false,
      type: options.type,
    };
    client.wait = wait;
    client.blocked = true;
    this.clients.add(client);
    for (const key of wait.keys) {
      const waits = this.waits.get(key);
      if (waits === undefined) this.waits.set(key, new Set([wait]));
      else waits.add(wait);
    }
    this.setWatching(true);
    if (wait.deadlineMs > 0) this.onDeadline(wait.deadlineMs);
  }

  /** Ends the client's wait, if any, without an answer. */
  release(client: Client): void {
    const { wait } = client;
    if (wait === null) return;
    client.wait = null;
    client.blocked = false;
    this.clients.delete(client);
    for (const key of wait.keys) {
      const waits = this.waits.get(key);
      waits?.delete(wait);
      if (waits?.size === 0) this.waits.delete(key);
    }
    if (this.waits.size === 0) this.setWatching(false);
  }

  /** A key changed: it may serve somebody, once the command at hand is done. */
  signal(database: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.waits.size === 0) return;
    this.signalName(`${database}:${latin1FromBytes(bytes, start, end)}`);
  }

  /** All keys that are waited for in a database may have changed. */
  signalDatabase(database: number): void {
    for (const key of this.waits.keys()) if (key.startsWith(`${database}:`)) this.signalName(key);
  }

  private signalName(name: string): void {
    if (!this.waits.has(name) || this.readyKeys.has(name)) return;
    this.readyKeys.add(name);
    this.ready.push(name);
  }

  /** Takes the next ready key, with the waits for it in the order in which they came. */
  takeReady(): { database: number; key: Buffer; waits: readonly Wait[] } | null {
    const name = this.ready.shift();
    if (name === undefined) return null;
    this.readyKeys.delete(name);
    const colon = name.indexOf(":");
    return {
      database: Number(name.slice(0, colon)),
      key: Buffer.from(name.slice(colon + 1), "latin1"),
      waits: [...(this.waits.get(name) ?? [])],
    };
  }

  /** The waits whose deadline has passed. */
  expired(nowMs: number): Wait[] {
    const expired: Wait[] = [];
    for (const { wait } of this.clients) {
      if (wait !== null && wait.deadlineMs > 0 && wait.deadlineMs <= nowMs) expired.push(wait);
    }
    return expired;
  }

  /** The earliest deadline of all waits; 0 if none has one. */
  nextDeadlineMs(): number {
    let next = 0;
    for (const { wait } of this.clients) {
      if (wait === null || wait.deadlineMs === 0) continue;
      if (next === 0 || wait.deadlineMs < next) next = wait.deadlineMs;
    }
    return next;
  }
}

function nameOf(database: number, args: Args, index: number): string {
  return `${database}:${args.text(index)}`;
}
