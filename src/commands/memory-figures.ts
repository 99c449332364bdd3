/**
 * Where the memory is: the figures that INFO memory and MEMORY STATS share.
 *
 * "Used" is what maxmemory counts: the heap of the empty server, live blocks of the arena, and what
 * clients occupy. "Overhead" is what of it is not keys and values: the heap, the indexes, the
 * clients. What the heap grows by, and what the arena holds without using it, show in the resident
 * size only.
 */
import type { CommandContext } from "./context.ts";

export interface DatabaseFigures {
  readonly id: number;
  readonly indexBytes: number;
  readonly expiryIndexBytes: number;
}

export interface MemoryFigures {
  readonly used: number;
  readonly peak: number;
  readonly startup: number;
  readonly overhead: number;
  /** The part of the overhead that is indexes of databases. */
  readonly indexes: number;
  readonly dataset: number;
  /** Of what is used beyond the empty server. */
  readonly datasetPercent: number;
  readonly clients: number;
  readonly resident: number;
  /** Live blocks of the arena, and all of its spans. */
  readonly arenaLive: number;
  readonly arenaHeld: number;
  readonly heap: number;
  readonly heapCapacity: number;
  readonly totalSystem: number;
  /** Databases that hold, or once held, keys. */
  readonly databases: readonly DatabaseFigures[];
}

/** O(databases + clients + segments of the indexes). */
export function memoryFigures(ctx: CommandContext): MemoryFigures {
  const { arena } = ctx.keyspace;
  const process = ctx.server.processMemory();
  const used = ctx.server.usedMemoryBytes();
  const databases = ctx.keyspace.databases
    .filter(({ index }) => index.wasUsed)
    .map(({ id, index, volatile }) => ({
      id,
      indexBytes: index.memoryBytes(),
      expiryIndexBytes: volatile.memoryBytes(),
    }));
  let indexes = 0;
  for (const { indexBytes, expiryIndexBytes } of databases) {
    indexes += indexBytes + expiryIndexBytes;
  }
  const startup = ctx.server.startupMemoryBytes;
  const clients = used - startup - arena.liveBytes;
  const overhead = startup + indexes + clients;
  const dataset = used - overhead;
  return {
    used,
    peak: Math.max(ctx.stats.peakMemoryBytes, used),
    startup,
    overhead,
    indexes,
    dataset,
    datasetPercent: (dataset * 100) / Math.max(1, used - startup),
    clients,
    resident: process.residentBytes,
    arenaLive: arena.liveBytes,
    arenaHeld: arena.spanBytes,
    heap: process.heapBytes,
    heapCapacity: process.heapCapacityBytes,
    totalSystem: process.totalSystemBytes,
    databases,
  };
}

/** `part / whole`, or 1 where there is nothing to compare with. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}

/** `part` in percent of `whole`; 100 where there is nothing to compare with. */
export function percentage(part: number, whole: number): number {
  return ratio(part, whole) * 100;
}

/** "123B", "1.50K", "2.00M": bytes for a human, as INFO writes them. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${"KMGTP"[unit]}`;
}
