/**
 * WATCH: who waits for which keys to change. Keys live on the collector's heap here, as only those
 * that clients name at this moment do.
 *
 * A watched key's change marks the client, whose EXEC then does nothing. A key that had expired
 * already when WATCH named it does not count as changed when it is removed.
 */
import { latin1FromBytes } from "../base/ascii.ts";
import type { Client } from "./client.ts";

/** One key that a client watches. */
export interface WatchedKey {
  readonly database: number;
  readonly key: Uint8Array;
  /** It had expired, but not been removed, when WATCH named it. */
  readonly wasExpired: boolean;
}

export class WatchRegistry {
  private readonly watchers = new Map<string, Set<Client>>();

  /** Keys that are watched by at least one client. */
  get keyCount(): number {
    return this.watchers.size;
  }

  /** Adds a key to those that the client watches; false if it watches it already. */
  watch(client: Client, database: number, key: Uint8Array, wasExpired: boolean): boolean {
    const name = nameOf(database, key, 0, key.length);
    let clients = this.watchers.get(name);
    if (clients === undefined) this.watchers.set(name, (clients = new Set()));
    if (clients.has(client)) return false;
    clients.add(client);
    client.watched.push({ database, key, wasExpired });
    client.nameBytes += key.length;
    return true;
  }

  /** Forgets all keys of a client. O(its keys). */
  unwatch(client: Client): void {
    for (const { database, key } of client.watched) {
      client.nameBytes -= key.length;
      const name = nameOf(database, key, 0, key.length);
      const clients = this.watchers.get(name);
      clients?.delete(client);
      if (clients?.size === 0) this.watchers.delete(name);
    }
    client.watched = [];
  }

  /** A key changed: marks those who watch it. */
  touch(database: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.watchers.size === 0) return;
    const clients = this.watchers.get(nameOf(database, bytes, start, end));
    if (clients !== undefined) for (const client of clients) client.watchBroken = true;
  }

  /** Marks those who watch a key of `database` that `exists` says is, or will be, there. */
  touchDatabase(database: number, exists: (key: Uint8Array) => boolean): void {
    const prefix = `${database}:`;
    for (const [name, clients] of this.watchers) {
      if (!name.startsWith(prefix)) continue;
      if (!exists(Buffer.from(name.slice(prefix.length), "latin1"))) continue;
      for (const client of clients) client.watchBroken = true;
    }
  }
}

function nameOf(database: number, bytes: Uint8Array, start: number, end: number): string {
  return `${database}:${latin1FromBytes(bytes, start, end)}`;
}
