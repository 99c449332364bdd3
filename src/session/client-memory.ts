/**
 * How much memory clients hold, and which of them go when that is too much (maxmemory-clients).
 *
 * A client's figure is derived in O(1) from what it keeps anyway. It is taken again after each
 * event of its socket while there is a limit, and by the cron otherwise; never per request. For
 * evictions clients stand in buckets by the power of two that their figure is in:
 *
 *     bucket    0          1            2               ...  18
 *     bytes     < 32 KiB   32..64 KiB   64..128 KiB     ...  from 4 GiB on
 *
 * so the largest ones, to a factor of two, are found without sorting, and a client moves only when
 * its figure leaves its power of two.
 *
 * Invariants:
 *   1. `totalBytes` is the sum of `memoryBytes` of all clients that were not forgotten.
 *   2. While there is a limit, exactly the clients that may be evicted stand in a bucket, each in
 *      that of its `memoryBytes`; without a limit all buckets are empty.
 */
import type { Client } from "./client.ts";

/** A connection's objects: client, transport and socket. */
const CLIENT_BYTES = 2048;
/** A watched key, a subscription, a prefix: objects and index entries beside its name. */
const NAME_BYTES = 160;
/** A queued request and an argument of it, beside its bytes. */
const REQUEST_BYTES = 240;
const ARGUMENT_BYTES = 16;

const BUCKETS = 19;
const FIRST_BUCKET_BYTES = 32 * 1024;
/** Of `Client.memoryBucket`. */
const NO_BUCKET = -1;
const FORGOTTEN = -2;
/** A lower limit would leave nobody who could raise it. */
const LIMIT_BYTES_MIN = 128 * 1024;

export class ClientMemory {
  totalBytes = 0;
  /** 0 = no limit. */
  limitBytes = 0;
  private readonly buckets: readonly Set<Client>[] = Array.from(
    { length: BUCKETS },
    () => new Set<Client>(),
  );

  get isOver(): boolean {
    return this.limitBytes !== 0 && this.totalBytes >= this.limitBytes;
  }

  /** Sets the limit, and looks at all clients anew. */
  setLimit(bytes: number, clients: Iterable<Client>): void {
    this.limitBytes = bytes === 0 ? 0 : Math.max(bytes, LIMIT_BYTES_MIN);
    for (const client of clients) this.account(client);
  }

  /** Takes a client's figure anew. O(1). */
  account(client: Client): void {
    if (client.memoryBucket === FORGOTTEN) return;
    const bytes = memoryOf(client);
    this.totalBytes += bytes - client.memoryBytes;
    client.memoryBytes = bytes;
    const bucket = this.limitBytes === 0 || client.noEvict ? NO_BUCKET : bucketOf(bytes);
    if (bucket !== client.memoryBucket) this.move(client, bucket);
  }

  /** A client is gone. */
  forget(client: Client): void {
    if (client.memoryBucket === FORGOTTEN) return;
    this.move(client, FORGOTTEN);
    this.totalBytes -= client.memoryBytes;
    client.memoryBytes = 0;
  }

  /**
   * Calls `close` for the largest clients until the others fit. False if they do not, though all
   * that may be evicted are gone.
   */
  evict(close: (client: Client) => void): boolean {
    for (let bucket = BUCKETS - 1; bucket >= 0 && this.isOver; bucket--) {
      for (const client of this.buckets[bucket]) {
        close(client);
        this.forget(client);
        if (!this.isOver) break;
      }
    }
    return !this.isOver;
  }

  /** What stands in each bucket, from `from` bytes to below `to`. O(clients). */
  bucketFigures(): { from: number; to: number; bytes: number; clients: number }[] {
    return this.buckets.map((clients, bucket) => {
      let bytes = 0;
      for (const { memoryBytes } of clients) bytes += memoryBytes;
      const to = bucket === BUCKETS - 1 ? Infinity : FIRST_BUCKET_BYTES * 2 ** bucket;
      const from = bucket === 0 ? 0 : FIRST_BUCKET_BYTES * 2 ** (bucket - 1);
      return { from, to, bytes, clients: clients.size };
    });
  }

  private move(client: Client, bucket: number): void {
    if (client.memoryBucket >= 0) this.buckets[client.memoryBucket].delete(client);
    if (bucket >= 0) this.buckets[bucket].add(client);
    client.memoryBucket = bucket;
  }
}

/** Bytes that a client holds at this moment, but for the request it runs. */
export function memoryOf(client: Client): number {
  const { transport, subscriptions, tracking, queue } = client;
  let names = client.watched.length;
  if (subscriptions !== null) {
    names += subscriptions[0].size + subscriptions[1].size + subscriptions[2].size;
  }
  if (tracking !== null) names += tracking.prefixes.size;
  return (
    CLIENT_BYTES +
    transport.memoryBytes() +
    names * NAME_BYTES +
    client.nameBytes +
    (queue === null ? 0 : queue.length * REQUEST_BYTES + client.queueBytes)
  );
}

/** Bytes that a request of so many arguments and bytes adds to `Client.queueBytes`. */
export function queuedBytes(argumentCount: number, argumentBytes: number): number {
  return argumentCount * ARGUMENT_BYTES + argumentBytes;
}

function bucketOf(bytes: number): number {
  const units = Math.floor(bytes / FIRST_BUCKET_BYTES);
  return Math.min(32 - Math.clz32(units), BUCKETS - 1);
}
