/** The clients that are connected, by id, oldest first; what they wait for, watch, and listen to. */
import { Blocking } from "./blocking.ts";
import type { Client } from "./client.ts";
import { ClientMemory } from "./client-memory.ts";
import { PubSub } from "./pubsub.ts";
import type { Pushes } from "./push-log.ts";
import { Tracking } from "./tracking.ts";
import { WatchRegistry } from "./watch.ts";

export class ClientRegistry {
  readonly watches = new WatchRegistry();
  readonly blocking: Blocking;
  readonly pubsub: PubSub;
  readonly tracking: Tracking;
  readonly memory = new ClientMemory();
  private readonly clients = new Map<number, Client>();
  private nextId = 1;

  constructor(
    /** Tells the keyspace whether changes of keys must be reported. */
    private readonly setWatching: (on: boolean) => void,
    /** A client waits until a deadline, in unix ms. */
    onDeadline: (deadlineMs: number) => void,
    readonly pushes: Pushes,
    /** Secret keys of hashes over what clients name. */
    hashKey0: number,
    hashKey1: number,
  ) {
    this.pubsub = new PubSub(pushes);
    this.tracking = new Tracking(
      pushes,
      (id) => this.find(id),
      () => this.updateWatching(),
      hashKey0,
      hashKey1,
    );
    this.blocking = new Blocking(() => this.updateWatching(), onDeadline);
  }

  get count(): number {
    return this.clients.size;
  }

  /** A fresh id: ids grow and are never used twice. */
  takeId(): number {
    return this.nextId++;
  }

  insert(client: Client): void {
    this.clients.set(client.id, client);
    this.memory.account(client);
  }

  /** Forgets a client, with what it waited for and watched. */
  remove(client: Client): void {
    this.clients.delete(client.id);
    this.memory.forget(client);
    this.blocking.release(client);
    this.pubsub.forget(client);
    this.tracking.disable(client);
    this.watches.unwatch(client);
    this.updateWatching();
  }

  find(id: number): Client | undefined {
    return this.clients.get(id);
  }

  all(): IterableIterator<Client> {
    return this.clients.values();
  }

  /** Called whenever the keys that anyone watches, waits for or tracks may have become some, or none. */
  updateWatching(): void {
    this.setWatching(
      this.watches.keyCount > 0 || this.blocking.keyCount > 0 || this.tracking.isListening,
    );
  }
}
