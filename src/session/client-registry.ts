/** The clients that are connected, by id, oldest first. */
import type { Client } from "./client.ts";

export class ClientRegistry {
  private readonly clients = new Map<number, Client>();
  private nextId = 1;

  get count(): number {
    return this.clients.size;
  }

  /** A fresh id: ids grow and are never used twice. */
  takeId(): number {
    return this.nextId++;
  }

  insert(client: Client): void {
    this.clients.set(client.id, client);
  }

  remove(client: Client): void {
    this.clients.delete(client.id);
  }

  find(id: number): Client | undefined {
    return this.clients.get(id);
  }

  all(): IterableIterator<Client> {
    return this.clients.values();
  }
}
