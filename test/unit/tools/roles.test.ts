import { describe, expect, test } from "bun:test";
import { parseInvocation, type Role } from "../../../src/tools/roles.ts";

const CASES: readonly (readonly [name: string, args: string[], role: Role, rest: string[]])[] = [
  ["bunsen", [], "server", []],
  ["./bunsen", ["redis.conf", "--port", "1"], "server", ["redis.conf", "--port", "1"]],
  ["bun", ["cli", "-p", "1"], "cli", ["-p", "1"]],
  ["bunsen", ["server", "redis.conf"], "server", ["redis.conf"]],
  ["bunsen", ["benchmark", "-q"], "benchmark", ["-q"]],
  ["bunsen", ["check-rdb", "dump.rdb"], "check-rdb", ["dump.rdb"]],
  ["bunsen", ["./cli"], "server", ["./cli"]],
  ["/usr/bin/redis-cli", ["cli"], "cli", ["cli"]],
  ["valkey-cli", ["server"], "cli", ["server"]],
  ["redis-server", ["cli"], "server", ["cli"]],
  ["valkey-server", ["valkey.conf"], "server", ["valkey.conf"]],
  ["valkey-benchmark", ["-n", "1"], "benchmark", ["-n", "1"]],
  ["redis-check-aof", ["--fix", "x"], "check-aof", ["--fix", "x"]],
  ["bunsen-cli", [], "cli", []],
  ["C:\\tools\\redis-cli.exe", ["PING"], "cli", ["PING"]],
  ["redis-cli-7.2", ["PING"], "cli", ["PING"]],
  ["redis-climate", ["x.conf"], "server", ["x.conf"]],
  ["/opt/redis-cli/bunsen", ["x.conf"], "server", ["x.conf"]],
];

describe("the role", () => {
  test.each(CASES)("of %p with %p", (name, args, role, rest) => {
    expect(parseInvocation(name, args)).toEqual({ role, args: rest });
  });
});
