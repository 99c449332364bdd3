import { expect, test } from "bun:test";
import { Effects } from "../../../src/propagation/effects.ts";
import { PropagationLog } from "../../../src/propagation/propagation-log.ts";
import { Args } from "../../../src/protocol/args.ts";
import { ParseStatus, RequestParser } from "../../../src/protocol/request-parser.ts";

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

function requestOf(...parts: string[]): Args {
  const args = new Args();
  args.assign(parts.map(latin1));
  return args;
}

/** The command as RESP. */
function resp(...parts: string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("")}`;
}

function take(log: PropagationLog): string {
  const text = Buffer.from(log.bytes.subarray(0, log.length)).toString("latin1");
  log.clear();
  return text;
}

test("a request that changed something propagates as it came, behind a SELECT where needed", () => {
  let calls = 0;
  const log = new PropagationLog(() => calls++);
  const effects = new Effects(log);
  const set = requestOf("set", "key", "value");
  effects.enter(3, 0);
  effects.leave(set, true, 1);
  expect(calls).toBe(1);
  effects.enter(3, 1);
  effects.leave(set, true, 2);
  expect(calls).toBe(1);
  expect(take(log)).toBe(resp("SELECT", "3") + resp("set", "key", "value").repeat(2));
  // Changed nothing; changes, but is no command that writes.
  effects.enter(3, 2);
  effects.leave(set, true, 2);
  effects.enter(3, 2);
  effects.leave(set, false, 3);
  expect(take(log)).toBe("");
  effects.enter(0, 3);
  effects.leave(set, true, 4);
  log.forgetSelection();
  effects.enter(0, 3);
  effects.leave(set, true, 4);
  const selected = resp("SELECT", "0") + resp("set", "key", "value");
  expect(calls).toBe(2);
  expect(take(log)).toBe(selected + selected);
});

test("a request in RESP is taken as the bytes that it came in", () => {
  const log = new PropagationLog(() => {});
  const effects = new Effects(log);
  for (const text of [
    resp("SET", "k", "v"),
    resp("set", "k".repeat(300), "v".repeat(70_000)),
    // An inline one as if it were.
    "SET k v\r\n",
  ]) {
    const parser = new RequestParser();
    const bytes = latin1(`PING\r\n${text}`);
    parser.begin(bytes, viewOf(bytes), 0, bytes.length);
    expect(parser.next()).toBe(ParseStatus.READY);
    expect(parser.next()).toBe(ParseStatus.READY);
    effects.enter(0, 0);
    effects.leave(parser.args, true, 1);
    const expected = text.length > 40 ? text : resp("SET", "k", "v");
    log.forgetSelection();
    expect(take(log)).toBe(resp("SELECT", "0") + expected);
  }
});

test("several commands of a unit become a transaction; the handler says which", () => {
  const log = new PropagationLog(() => {});
  const effects = new Effects(log);
  const args = requestOf("SPOP", "set", "2");
  const one = latin1("a\r\nb");
  effects.enter(0, 0);
  effects.begin(4).text("SREM").argument(args, 1).bytes(viewOf(one), 0, 4).integer(-12);
  effects.leave(args, true, 2);
  expect(take(log)).toBe(resp("SELECT", "0") + resp("SREM", "set", "a\r\nb", "-12"));
  // EXEC, with two commands in it, the second of which begins with a key that expired.
  effects.enter(0, 0);
  effects.enter(0, 0);
  effects.leave(args, true, 1);
  effects.enter(2, 1);
  effects.vanished(2, viewOf(one), 0, 1, false);
  effects.begin(2).text("X").bigint(-9223372036854775808n);
  effects.verbatim(args);
  effects.leave(args, true, 5);
  effects.leave(requestOf("EXEC"), false, 5);
  expect(take(log)).toBe(
    resp("MULTI") +
      resp("SPOP", "set", "2") +
      resp("SELECT", "2") +
      resp("UNLINK", "a") +
      resp("X", "-9223372036854775808") +
      resp("SPOP", "set", "2") +
      resp("EXEC"),
  );
  effects.enter(2, 0);
  effects.none();
  effects.leave(args, true, 1);
  expect(take(log)).toBe("");
});

test("a key that vanishes propagates as a deletion, alone or before what it was found by", () => {
  const log = new PropagationLog(() => {});
  const effects = new Effects(log);
  const key = latin1("key");
  effects.unlinksEvicted = false;
  effects.vanished(0, viewOf(key), 0, 3, true);
  expect(take(log)).toBe(resp("SELECT", "0") + resp("DEL", "key"));
  // The request itself changed nothing.
  effects.enter(0, 7);
  effects.vanished(0, viewOf(key), 0, 3, false);
  effects.leave(requestOf("GET", "key"), true, 7);
  expect(take(log)).toBe(resp("UNLINK", "key"));
});
