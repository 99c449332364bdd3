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
  wasExpired: boolean;
}

/** What a database holds of a key; an expired one has not been removed yet. */
export type KeyState = "missing" | "alive" | "expired";

export class WatchRegistry {
  private readonly watchers = new Map<string, Map<Client, WatchedKey>>();

  /** Keys that are watched by at least one client. */
  get keyCount(): number {
    return this.watchers.size;
  }

  /** Adds a key to those that the client watches; false if it watches it already. */
  watch(client: Client, database: number, key: Uint8Array, wasExpired: boolean): boolean {
    const name = nameOf(database, key, 0, key.length);
    let clients = this.watchers.get(name);
    if (clients === undefined) this.watchers.set(name, (clients = new Map()));
    if (clients.has(client)) return false;
    const watched = { database, key, wasExpired };
    clients.set(client, watched);
    client.watched.push(watched);
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

  /** A key changed, or vanished by itself: marks those who watch it. */
  touch(
    database: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    hasVanished: boolean,
  ): void {
    if (this.watchers.size === 0) return;
    const clients = this.watchers.get(nameOf(database, bytes, start, end));
    if (clients === undefined) return;
    for (const [client, watched] of clients) {
      if (!watched.wasExpired) client.watchBroken = true;
      else if (hasVanished) watched.wasExpired = false;
    }
  }

  /**
   * A database is about to be emptied or exchanged: marks those who watch a key of it, if the key
   * is there before or after, which `statesOf` says.
   */
  touchDatabase(
    database: number,
    statesOf: (key: Uint8Array) => readonly [before: KeyState, after: KeyState],
  ): void {
    const prefix = `${database}:`;
    for (const [name, clients] of this.watchers) {
      if (!name.startsWith(prefix)) continue;
      const [before, after] = statesOf(Buffer.from(name.slice(prefix.length), "latin1"));
      if (before === "missing" && after === "missing") continue;
      for (const [client, watched] of clients) {
        // For whom the key had expired, and now does not exist or has expired again, nothing changed.
        if (watched.wasExpired && after !== "alive") watched.wasExpired = after === "expired";
        else if (before === "missing" && after === "expired") watched.wasExpired = true;
        else client.watchBroken = true;
      }
    }
  }
}

function nameOf(database: number, bytes: Uint8Array, start: number, end: number): string {
  return `${database}:${latin1FromBytes(bytes, start, end)}`;
}
