import { describe, expect, test } from "bun:test";
import { Args } from "../../../src/protocol/args.ts";
import { CommandLog, LogKind } from "../../../src/runtime/command-log.ts";

const CLIENT = { address: "127.0.0.1:7", name: "n" };

function request(...parts: string[]): Args {
  const args = new Args();
  args.assign(parts.map((part) => Buffer.from(part)));
  return args;
}

function add(log: CommandLog, value: number, args = request("get", "k"), secrets: number[] = []) {
  log.add(LogKind.SLOW, value, args, secrets, CLIENT, 1_700_000_000_999);
}

function textsOf(log: CommandLog): string[] {
  return log.latest(LogKind.SLOW, 1)[0].args.map((arg) => Buffer.from(arg).toString());
}

describe("a command log", () => {
  test("keeps what reaches the threshold, newest first, up to its length", () => {
    const log = new CommandLog();
    add(log, 1e9);
    expect(log.length(LogKind.SLOW)).toBe(0);
    log.configure(LogKind.SLOW, 10, 3);
    for (const value of [9.9, 10, 11, 5, 12.7, 13]) add(log, value);
    const entries = log.latest(LogKind.SLOW, Infinity);
    expect(entries.map(({ id, value }) => [id, value])).toEqual([
      [3, 13],
      [2, 12],
      [1, 11],
    ]);
    expect(entries[0]).toMatchObject({ time: 1_700_000_000, address: "127.0.0.1:7", name: "n" });
    expect(log.latest(LogKind.SLOW, 2)).toHaveLength(2);
    expect(log.latest(LogKind.SLOW, 0)).toHaveLength(0);
    expect(log.length(LogKind.LARGE_REPLY)).toBe(0);
  });

  test("is shortened by a smaller length, but not by being turned off", () => {
    const log = new CommandLog();
    log.configure(LogKind.SLOW, 0, 10);
    for (let i = 0; i < 10; i++) add(log, i);
    log.configure(LogKind.SLOW, 0, 4);
    expect(log.length(LogKind.SLOW)).toBe(4);
    log.configure(LogKind.SLOW, -1, 4);
    add(log, 1e9);
    log.configure(LogKind.SLOW, 0, 0);
    add(log, 1e9);
    expect(log.length(LogKind.SLOW)).toBe(4);
    log.reset(LogKind.SLOW);
    expect(log.length(LogKind.SLOW)).toBe(0);
    log.configure(LogKind.SLOW, 0, 4);
    add(log, 1);
    // Ids go on.
    expect(log.latest(LogKind.SLOW, 1)[0].id).toBe(10);
  });

  test("shortens arguments, and hides secrets", () => {
    const log = new CommandLog();
    log.configure(LogKind.SLOW, 0, 10);
    add(log, 1, request("set", "A".repeat(128), "B".repeat(130)));
    expect(textsOf(log)).toEqual(["set", "A".repeat(128), `${"B".repeat(128)}... (2 more bytes)`]);
    const many = Array.from({ length: 32 }, (_, i) => String(i));
    add(log, 1, request(...many));
    expect(textsOf(log)).toEqual(many);
    add(log, 1, request(...many, "32"));
    expect(textsOf(log)).toEqual([...many.slice(0, 31), "... (2 more arguments)"]);
    add(log, 1, request("auth", "user", "x".repeat(200)), [1, 2]);
    expect(textsOf(log)).toEqual(["auth", "(redacted)", "(redacted)"]);
  });

  test("owns its bytes", () => {
    const log = new CommandLog();
    log.configure(LogKind.SLOW, 0, 10);
    const args = request("get", "k");
    add(log, 1, args);
    args.bytes.fill(0);
    expect(textsOf(log)).toEqual(["get", "k"]);
  });
});
