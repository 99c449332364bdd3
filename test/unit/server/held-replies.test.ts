import { expect, test } from "bun:test";
import { type HeldConnection, HeldReplies } from "../../../src/server/held-replies.ts";

class Peer implements HeldConnection {
  isHeld = false;
  readonly received: string[] = [];
  released = 0;

  send(bytes: Uint8Array, from: number, to: number): void {
    this.received.push(Buffer.from(bytes.subarray(from, to)).toString());
  }

  onReleased(): void {
    this.released++;
  }
}

function add(held: HeldReplies, peer: Peer, text: string): void {
  const bytes = new TextEncoder().encode(`<${text}>`);
  held.add(peer, bytes, 1, bytes.length - 1);
}

test("replies are sent in their order, those of one turn in one piece", () => {
  const held = new HeldReplies();
  const [a, b] = [new Peer(), new Peer()];
  held.isOn = true;
  add(held, a, "1");
  add(held, a, "2");
  add(held, b, "3");
  add(held, a, "4");
  expect([a.isHeld, b.isHeld, a.received]).toEqual([true, true, []]);
  held.release();
  expect([a.received, b.received]).toEqual([["12", "4"], ["3"]]);
  expect([a.isHeld, b.isHeld, a.released, b.released, held.isOn]).toEqual([
    false,
    false,
    2,
    1,
    false,
  ]);
  held.release();
  expect(a.received.length).toBe(2);
});

test("what does not fit is for the caller to write first", () => {
  const held = new HeldReplies();
  const peer = new Peer();
  const large = "x".repeat(600_000);
  expect(held.hasRoom(large.length)).toBe(true);
  add(held, peer, large);
  expect(held.hasRoom(large.length)).toBe(false);
  held.release();
  expect(peer.received).toEqual([large]);
  expect(held.hasRoom(large.length)).toBe(true);
});
