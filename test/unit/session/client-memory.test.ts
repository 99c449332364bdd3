import { describe, expect, test } from "bun:test";
import { Client } from "../../../src/session/client.ts";
import { ClientMemory, memoryOf } from "../../../src/session/client-memory.ts";
import { listeningClient } from "../../support/listening-client.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/session/client-memory.test.ts";
const seed = seedOfRun();
const LIMIT = 1_000_000;

/** A client whose buffers hold what `held` says. */
function clientWith(id: number, held: { bytes: number }): Client {
  const { transport } = listeningClient(id, 2).client;
  return new Client(id, "", "", 0, false, { ...transport, memoryBytes: () => held.bytes }, 0);
}

class Scene {
  readonly memory = new ClientMemory();
  readonly held = new Map<Client, { bytes: number }>();
  readonly evicted: Client[] = [];
  private nextId = 1;

  add(bytes: number): Client {
    const held = { bytes };
    const client = clientWith(this.nextId++, held);
    this.held.set(client, held);
    this.memory.account(client);
    return client;
  }

  set(client: Client, bytes: number): void {
    (this.held.get(client) as { bytes: number }).bytes = bytes;
    this.memory.account(client);
  }

  remove(client: Client): void {
    this.held.delete(client);
    this.memory.forget(client);
  }

  evict(): boolean {
    return this.memory.evict((client) => {
      this.evicted.push(client);
      this.held.delete(client);
    });
  }

  /** The sum of what the clients hold, counted anew. */
  sum(): number {
    let bytes = 0;
    for (const client of this.held.keys()) bytes += memoryOf(client);
    return bytes;
  }
}

describe("eviction", () => {
  test("takes the largest clients, and no more than needed", () => {
    const scene = new Scene();
    for (const bytes of [10_000, 150_000, 150_000]) scene.add(bytes);
    const large = scene.add(600_000);
    scene.memory.setLimit(LIMIT, scene.held.keys());
    expect(scene.memory.isOver).toBe(false);
    const second = scene.add(500_000);
    expect(scene.memory.isOver).toBe(true);
    expect(scene.evict()).toBe(true);
    expect(scene.evicted[0]).toBe(large);
    expect(scene.evicted.length).toBe(1);
    scene.set(second, 900_000);
    expect(scene.evict()).toBe(true);
    expect(scene.evicted[1]).toBe(second);
    expect(scene.held.size).toBe(3);
  });

  test("spares those who may not be evicted, and says that it was not enough", () => {
    const scene = new Scene();
    scene.memory.setLimit(LIMIT, []);
    const spared = scene.add(100);
    spared.noEvict = true;
    scene.set(spared, 2 * LIMIT);
    const small = scene.add(1);
    expect(scene.evict()).toBe(false);
    expect(scene.evicted[0]).toBe(small);
    spared.noEvict = false;
    scene.memory.account(spared);
    expect(scene.evict()).toBe(true);
    expect(scene.evicted[1]).toBe(spared);
  });

  test("does nothing without a limit, and knows all clients when there is one again", () => {
    const scene = new Scene();
    scene.memory.setLimit(LIMIT, []);
    const client = scene.add(900_000);
    scene.memory.setLimit(0, scene.held.keys());
    scene.set(client, 5_000_000);
    expect(scene.memory.isOver).toBe(false);
    scene.evict();
    expect(scene.evicted).toEqual([]);
    scene.memory.setLimit(LIMIT, scene.held.keys());
    expect(scene.evict()).toBe(true);
    expect(scene.evicted[0]).toBe(client);
  });

  test("has a least limit", () => {
    const scene = new Scene();
    scene.memory.setLimit(1, []);
    scene.add(100_000);
    expect(scene.memory.isOver).toBe(false);
    scene.add(100_000);
    expect(scene.memory.isOver).toBe(true);
  });
});

test("a client's names and queue count", () => {
  const client = clientWith(1, { bytes: 0 });
  const empty = memoryOf(client);
  client.watched.push({ database: 0, key: new Uint8Array(3), wasExpired: false });
  client.nameBytes = 1000;
  const watching = memoryOf(client);
  expect(watching).toBeGreaterThan(empty + 1000);
  client.queue = [];
  client.queueBytes = 5000;
  expect(memoryOf(client)).toBe(watching + 5000);
});

test("any order of events keeps the sum", () =>
  withSeed(FILE, seed, (random) => {
    const scene = new Scene();
    for (let i = 0; i < 3000; i++) {
      const clients = [...scene.held.keys()];
      const action = random.below(clients.length === 0 ? 1 : 6);
      if (action === 0) scene.add(random.below(200_000));
      else if (action === 1) scene.remove(random.pick(clients));
      else if (action === 2) random.pick(clients).noEvict = random.oneIn(2);
      else if (action === 3) scene.memory.setLimit(random.pick([0, LIMIT]), clients);
      else scene.set(random.pick(clients), random.below(300_000));
      for (const client of scene.held.keys()) if (random.oneIn(2)) scene.memory.account(client);
      if (random.oneIn(5)) {
        for (const client of scene.held.keys()) scene.memory.account(client);
        const fits = scene.evict();
        const limit = scene.memory.limitBytes;
        if (fits && limit !== 0) expect(scene.sum()).toBeLessThan(limit);
        if (!fits) for (const client of scene.held.keys()) expect(client.noEvict).toBe(true);
      }
      expect(scene.memory.totalBytes).toBe(scene.sum());
    }
  }));
