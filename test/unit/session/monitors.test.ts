import { describe, expect, test } from "bun:test";
import { Args } from "../../../src/protocol/args.ts";
import type { ReplyWriter } from "../../../src/protocol/reply-writer.ts";
import { Client, Gate, type Transport } from "../../../src/session/client.ts";
import { Monitors } from "../../../src/session/monitors.ts";
import { QUIET_TRANSPORT } from "../../support/quiet-transport.ts";

const NOW_US = 1_700_000_000_000_042;

/** A client in memory, and the pieces that were sent to it. */
function clientOf(id: number, address = `127.0.0.1:${id}`, isUnix = false) {
  const sent: string[] = [];
  const transport: Transport = {
    ...QUIET_TRANSPORT,
    send: (bytes, from, to) => sent.push(Buffer.from(bytes.subarray(from, to)).toString("latin1")),
    flush: (reply: ReplyWriter) => {
      sent.push(Buffer.from(reply.bytes.subarray(0, reply.length)).toString("latin1"));
      reply.clear();
    },
  };
  return { client: new Client(id, address, "", 0, isUnix, transport, 0), sent };
}

function setUp() {
  const changes: boolean[] = [];
  const later: (() => void)[] = [];
  const monitors = new Monitors(
    (on) => changes.push(on),
    (run) => later.push(run),
  );
  const feed = (client: Client, parts: readonly string[], secrets: readonly number[] = []) => {
    const args = new Args();
    args.assign(parts.map((part) => Buffer.from(part, "latin1")));
    monitors.feed(client, args, secrets, NOW_US);
  };
  const serve = () => {
    for (const run of later.splice(0)) run();
  };
  return { changes, feed, later, monitors, serve };
}

describe("monitors", () => {
  test("are told once of what a batch ran", () => {
    const { feed, later, monitors, serve } = setUp();
    const [first, second, other] = [clientOf(1), clientOf(2), clientOf(3)];
    monitors.add(first.client);
    monitors.add(second.client);
    other.client.database = 9;
    feed(other.client, ["set", 'a"\n', "\x00\xff"]);
    feed(other.client, ["auth", "user", "secret"], [1, 2]);
    expect(later).toHaveLength(1);
    expect(first.sent).toEqual([]);
    serve();
    const lines =
      '+1700000000.000042 [9 127.0.0.1:3] "set" "a\\"\\n" "\\x00\\xff"\r\n' +
      '+1700000000.000042 [9 127.0.0.1:3] "auth" "(redacted)" "(redacted)"\r\n';
    expect(first.sent).toEqual([lines]);
    expect(second.sent).toEqual([lines]);
    serve();
    expect(first.sent).toHaveLength(1);
  });

  test("hear nothing from before they came or after they left", () => {
    const { changes, feed, monitors, serve } = setUp();
    const [first, second, other] = [clientOf(1), clientOf(2), clientOf(3, "/run/s:0", true)];
    monitors.add(first.client);
    feed(other.client, ["a"]);
    monitors.add(second.client);
    feed(other.client, ["b"]);
    monitors.remove(first.client);
    feed(other.client, ["c"]);
    serve();
    const line = (name: string) => `+1700000000.000042 [0 unix:/run/s] "${name}"\r\n`;
    expect(first.sent.join("")).toBe(line("a") + line("b"));
    expect(second.sent.join("")).toBe(line("b") + line("c"));
    expect(first.client.gate & Gate.MONITOR).toBe(0);
    expect(second.client.gate & Gate.MONITOR).not.toBe(0);
    monitors.remove(second.client);
    monitors.remove(second.client);
    expect(changes).toEqual([true, false]);
  });

  test("get a long line whole, each of them", () => {
    const { feed, monitors, serve } = setUp();
    const [first, second, other] = [clientOf(1), clientOf(2), clientOf(3)];
    monitors.add(first.client);
    monitors.add(second.client);
    feed(other.client, ["set", "k", "\x00".repeat(2_000_000)]);
    feed(other.client, ["ping"]);
    serve();
    expect(first.sent.join("")).toBe(second.sent.join(""));
    expect(first.sent.join("")).toContain(`"${"\\x00".repeat(2_000_000)}"\r\n`);
    expect(first.sent.join("")).toEndWith('"ping"\r\n');
  });
});
