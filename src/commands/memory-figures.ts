/**
 * Where the memory is: the figures that INFO memory and MEMORY STATS share.
 *
 * "Used" is what maxmemory counts: live blocks of the arena and the buffers of clients. "Overhead"
 * is what of it is not keys and values: the indexes and those buffers. The JavaScript heap and what
 * the arena holds without using it show in the resident size only.
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
  readonly overhead: number;
  readonly dataset: number;
  readonly clients: number;
  readonly resident: number;
  /** Live blocks of the arena, and all of its spans. */
  readonly arenaLive: number;
  readonly arenaHeld: number;
  readonly heap: number;
  readonly heapCapacity: number;
  readonly totalSystem: number;
  /** Databases that hold keys. */
  readonly databases: readonly DatabaseFigures[];
}

/** O(databases + clients + segments of the indexes). */
export function memoryFigures(ctx: CommandContext): MemoryFigures {
  const { arena } = ctx.keyspace;
  const process = ctx.server.process();
  const used = ctx.server.usedMemoryBytes();
  const databases = ctx.keyspace.databases
    .filter(({ index }) => index.size > 0)
    .map(({ id, index, volatile }) => ({
      id,
      indexBytes: index.memoryBytes(),
      expiryIndexBytes: volatile.memoryBytes(),
    }));
  let indexes = 0;
  for (const { indexBytes, expiryIndexBytes } of databases) {
    indexes += indexBytes + expiryIndexBytes;
  }
  const clients = used - arena.liveBytes;
  const overhead = indexes + clients;
  return {
    used,
    peak: Math.max(ctx.stats.peakMemoryBytes, used),
    overhead,
    dataset: used - overhead,
    clients,
    resident: process.residentBytes,
    arenaLive: arena.liveBytes,
    arenaHeld: arena.spanBytes,
    heap: process.heapBytes,
    heapCapacity: process.heapCapacityBytes,
    totalSystem: process.totalSystemMemoryBytes,
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
