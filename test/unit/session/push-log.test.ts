import { expect, test } from "bun:test";
import { ReplyWriter } from "../../../src/protocol/reply-writer.ts";
import type { Client } from "../../../src/session/client.ts";
import { Pushes } from "../../../src/session/push-log.ts";
import { type ListeningClient, listeningClient } from "../../support/listening-client.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/session/push-log.test.ts";
const seed = seedOfRun();

class Scene {
  executing: Client | null = null;
  readonly pushes = new Pushes(
    (run) => this.runs.push(run),
    () => this.executing,
  );
  private readonly runs: (() => void)[] = [];

  /** Encodes a push once for each protocol and sends it to all. */
  push(text: string, receivers: readonly ListeningClient[]): void {
    for (const resp of [2, 3]) {
      const some = receivers.filter(({ client }) => client.resp === resp);
      if (some.length === 0) continue;
      const log = this.pushes.logOf(some[0].client);
      const from = log.writer.length;
      log.writer.push(1);
      log.writer.bulkText(text);
      for (const { client } of some) this.pushes.send(client, log, from, log.writer.length);
    }
  }

  /** The events at hand are served. */
  flush(): void {
    for (const run of this.runs.splice(0)) run();
  }
}

function encoded(resp: 2 | 3, text: string): string {
  return `${resp === 3 ? ">" : "*"}1\r\n$${text.length}\r\n${text}\r\n`;
}

test("one write sends what came since the last, in the client's protocol", () => {
  const scene = new Scene();
  const two = listeningClient(1, 2);
  const three = listeningClient(2, 3);
  scene.push("a", [two, three]);
  scene.push("b", [three]);
  scene.push("c", [two, three]);
  expect([two.writes, three.writes]).toEqual([[], []]);
  scene.flush();
  expect(two.writes).toEqual([encoded(2, "a") + encoded(2, "c")]);
  expect(three.writes).toEqual([encoded(3, "a") + encoded(3, "b") + encoded(3, "c")]);
  scene.flush();
  expect(two.writes.length).toBe(1);
});

test("pushes that are taken into a reply are not sent again", () => {
  const scene = new Scene();
  const client = listeningClient(1, 3);
  const reply = new ReplyWriter();
  scene.push("a", [client]);
  scene.push("b", [client]);
  scene.pushes.take(client.client, reply);
  expect(Buffer.from(reply.bytes.subarray(0, reply.length)).toString()).toBe(
    encoded(3, "a") + encoded(3, "b"),
  );
  scene.push("c", [client]);
  scene.flush();
  expect(client.writes).toEqual([encoded(3, "c")]);
});

test("a client that changes its protocol gets each push in that of its time", () => {
  const scene = new Scene();
  const client = listeningClient(1, 3);
  scene.push("a", [client]);
  client.client.resp = 2;
  scene.push("b", [client]);
  scene.flush();
  expect(client.writes.join("")).toBe(encoded(3, "a") + encoded(2, "b"));
});

test("a client that is closing gets nothing more", () => {
  const scene = new Scene();
  const client = listeningClient(1, 3);
  scene.push("a", [client]);
  client.client.closing = true;
  scene.flush();
  expect(client.writes).toEqual([]);
});

test("every client gets its pushes in order, whoever runs and however much there is", () =>
  withSeed(FILE, seed, (random) => {
    const scene = new Scene();
    const clients = [1, 2, 3, 4, 5].map((id) => listeningClient(id, id % 2 === 0 ? 2 : 3));
    const expected = clients.map(() => "");
    const reply = new ReplyWriter();
    for (let step = 0; step < 2000; step++) {
      scene.pushes.makeRoom();
      const text = "x".repeat(random.oneIn(50) ? random.below(400_000) : random.below(50));
      const receivers = clients.filter(() => random.oneIn(2));
      scene.push(text, receivers);
      for (const receiver of receivers) {
        const resp = receiver.client.resp;
        expected[clients.indexOf(receiver)] += encoded(resp, text);
      }
      if (random.oneIn(10)) {
        const { client, writes } = clients[random.below(clients.length)];
        if (client.pushes !== null) scene.pushes.take(client, reply);
        writes.push(Buffer.from(reply.bytes.subarray(0, reply.length)).toString("latin1"));
        reply.clear();
        scene.executing = client;
      }
      if (random.oneIn(30)) scene.flush();
    }
    scene.flush();
    for (const [i, { writes }] of clients.entries())
      expect(writes.join("") === expected[i]).toBe(true);
  }));
