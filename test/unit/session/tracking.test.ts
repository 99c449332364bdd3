import { expect, test } from "bun:test";
import type { Client } from "../../../src/session/client.ts";
import { Pushes } from "../../../src/session/push-log.ts";
import { Tracking, type TrackingOptions } from "../../../src/session/tracking.ts";
import { type ListeningClient, listeningClient } from "../../support/listening-client.ts";

const PLAIN: TrackingOptions = {
  redirect: 0,
  isBroadcast: false,
  isOptIn: false,
  isOptOut: false,
  isNoLoop: false,
};

class Scene {
  readonly clients = [listeningClient(1, 3), listeningClient(2, 3)];
  readonly tracking = new Tracking(
    new Pushes(
      (run) => this.runs.push(run),
      () => null,
    ),
    (id) => this.clients.find(({ client }) => client.id === id)?.client,
    () => {},
    1,
    2,
  );
  private readonly runs: (() => void)[] = [];

  change(key: string, by: Client | null): void {
    const view = viewOf(key);
    this.tracking.invalidate(view, 0, view.byteLength, by);
  }

  read(client: Client, key: string): void {
    const view = viewOf(key);
    this.tracking.remember(client, view, 0, view.byteLength);
  }

  /** What a client was sent, after the events at hand. */
  told({ writes }: ListeningClient): string {
    while (this.runs.length > 0) for (const run of this.runs.splice(0)) run();
    return writes.splice(0).join("");
  }
}

function viewOf(text: string): DataView {
  const bytes = Buffer.from(text, "latin1");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function invalidation(...keys: string[]): string {
  const items = keys.map((key) => `$${key.length}\r\n${key}\r\n`).join("");
  return `>2\r\n$10\r\ninvalidate\r\n*${keys.length}\r\n${items}`;
}

test("a key that was read is told once, to all who have read it", () => {
  const scene = new Scene();
  const { tracking, clients } = scene;
  for (const { client } of clients) {
    tracking.enable(client, PLAIN, []);
    scene.read(client, "k\xff");
    scene.read(client, "k\xff");
  }
  expect([tracking.keyCount, tracking.itemCount, tracking.isListening]).toEqual([1, 2, true]);
  scene.change("k\xff", clients[0].client);
  scene.change("k\xff", null);
  for (const listener of clients) expect(scene.told(listener)).toBe(invalidation("k\xff"));
  expect([tracking.keyCount, tracking.itemCount, tracking.isListening]).toEqual([0, 0, false]);
});

test("broadcasts gather keys, in order, without one's own where that is wished", () => {
  const scene = new Scene();
  const { tracking, clients } = scene;
  const [all, own] = clients;
  tracking.enable(all.client, { ...PLAIN, isBroadcast: true }, []);
  tracking.enable(own.client, { ...PLAIN, isBroadcast: true, isNoLoop: true }, ["a", "b"]);
  scene.change("b", all.client);
  scene.change("c", null);
  scene.change("a", own.client);
  expect(scene.told(all)).toBe(invalidation("a", "b", "c"));
  expect(scene.told(own)).toBe(invalidation("b"));
  tracking.disable(all.client);
  tracking.disable(own.client);
  expect([tracking.prefixCount, tracking.clientCount, tracking.isListening]).toEqual([0, 0, false]);
});

test("a table above its limit loses keys until it fits", () => {
  const scene = new Scene();
  const { tracking, clients } = scene;
  tracking.enable(clients[0].client, PLAIN, []);
  for (let i = 0; i < 1000; i++) scene.read(clients[0].client, `k${i}`);
  tracking.limit();
  expect(tracking.keyCount).toBe(1000);
  tracking.keysMax = 10;
  while (tracking.keyCount > 10) tracking.limit();
  expect([tracking.keyCount, tracking.itemCount]).toEqual([10, 10]);
  expect(scene.told(clients[0]).split("invalidate").length - 1).toBe(990);
});
