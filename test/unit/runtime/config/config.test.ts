/** CONFIG GET and SET, appliers and rollback, typed access. */
import { expect, test } from "bun:test";
import type { Config } from "../../../../src/runtime/config/config.ts";
import { KEYSPACE_EVENT_BITS } from "../../../../src/runtime/config/special.ts";
import { memoryConfig } from "../../../support/memory-config.ts";

const LOCAL = { isLocalClient: true, loadingError: null };

function failure(name: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
}

test("an applier runs once per command, only for changed values, with all values stored", () => {
  const { config } = memoryConfig();
  const seen: string[] = [];
  const apply = (now: Config) => {
    seen.push(now.get(["hz", "timeout"]).join(" "));
    return null;
  };
  config.onApply(["hz", "timeout"], apply);
  expect(config.set(["hz", "20", "timeout", "5"], LOCAL)).toBeNull();
  expect(config.set(["hz", "20", "port", "1"], LOCAL)).toBeNull();
  expect(config.set(["timeout", "x"], LOCAL)).not.toBeNull();
  expect(seen).toEqual(["hz 20 timeout 5"]);
});

test("a refused apply rolls back everything and takes back earlier appliers", () => {
  const { config, warnings } = memoryConfig();
  const calls: string[] = [];
  config.onApply(["maxmemory"], (now) => {
    calls.push(`maxmemory ${now.int("maxmemory")}`);
    return null;
  });
  config.onApply(["port"], (now) => {
    calls.push(`port ${now.int("port")}`);
    return now.int("port") === 80 ? "Unable to listen on this port. Check server logs." : null;
  });
  config.onApply(["hz"], () => {
    calls.push("hz");
    return null;
  });
  const error = config.set(["maxmemory", "10mb", "port", "80", "hz", "20"], LOCAL);
  expect(error).toBe(failure("port", "Unable to listen on this port. Check server logs."));
  expect(calls).toEqual(["maxmemory 10485760", "port 80", "maxmemory 0", "port 6379"]);
  expect(config.get(["maxmemory", "port", "hz"])).toEqual([
    "maxmemory",
    "0",
    "port",
    "6379",
    "hz",
    "10",
  ]);
  expect(warnings).toEqual([
    "Failed applying new configuration. Possibly related to new port setting. " +
      "Restoring previous settings.",
  ]);
});

test("a refused value restores the values before it, the directory too", () => {
  const { config } = memoryConfig();
  config.assign("enable-protected-configs", "yes");
  const error = config.set(["dir", "/data", "save", "1 1", "hz", "x"], LOCAL);
  expect(error).toBe(failure("hz", "argument couldn't be parsed into an integer"));
  expect(config.host.currentDirectory()).toBe("/start");
  expect(config.get(["dir", "save"])).toEqual(["dir", "/start", "save", "3600 1 300 100 60 10000"]);
  expect(config.set(["dir", "/nowhere"], LOCAL)).toBe(failure("dir", "No such file or directory"));
  expect(config.set(["dir", "/data"], LOCAL)).toBeNull();
  expect(config.string("dir")).toBe("/data");
});

test("protected directives: no, local, yes", () => {
  const { config } = memoryConfig();
  const refusal = failure("DbFileName", "can't set protected config");
  const remote = { isLocalClient: false, loadingError: null };
  expect(config.set(["DbFileName", "a.rdb"], LOCAL)).toBe(refusal);
  config.assign("enable-protected-configs", "local");
  expect(config.set(["DbFileName", "a.rdb"], remote)).toBe(refusal);
  expect(config.set(["DbFileName", "a.rdb"], LOCAL)).toBeNull();
  config.assign("enable-protected-configs", "yes");
  expect(config.set(["DbFileName", "b.rdb"], remote)).toBeNull();
});

test("while loading, some directives are refused with the given reply", () => {
  const { config } = memoryConfig();
  const loading = { isLocalClient: true, loadingError: "LOADING wait" };
  expect(config.set(["appendonly", "yes"], loading)).toBe("LOADING wait");
  expect(config.set(["hz", "20"], loading)).toBeNull();
});

test("features that do not exist here refuse a change, and only a change", () => {
  const { config } = memoryConfig();
  expect(config.set(["rdma-port", "0"], LOCAL)).toBeNull();
  expect(config.set(["rdma-port", "7"], LOCAL)).toBe(
    failure("rdma-port", "No RDMA building support."),
  );
  expect(config.int("rdma-port")).toBe(0);
});

test("64-bit numbers stay exact", () => {
  const { config } = memoryConfig();
  expect(config.set(["maxmemory", "18446744073709551615"], LOCAL)).toBeNull();
  expect(config.get(["maxmemory"])).toEqual(["maxmemory", "18446744073709551615"]);
  expect(config.bigint("maxmemory")).toBe(18446744073709551615n);
  expect(config.int("maxmemory")).toBe(Number.MAX_SAFE_INTEGER);
  expect(config.set(["slowlog-log-slower-than", "9007199254740993"], LOCAL)).toBeNull();
  expect(config.string("commandlog-execution-slower-than")).toBe("9007199254740993");
});

test("values are bytes", () => {
  const { config } = memoryConfig();
  const password = "\x00\xff\xe9 \"'";
  expect(config.set(["requirepass", password, "logfile", "x"], LOCAL)).toBe(
    failure("logfile", "can't set immutable config"),
  );
  expect(config.set(["requirepass", password], LOCAL)).toBeNull();
  expect(config.string("requirepass")).toBe(password);
  expect(config.isSensitive("RequirePass")).toBe(true);
  expect(config.isSensitive("masterauth")).toBe(true);
  expect(config.isSensitive("port")).toBe(false);
});

test("typed access", () => {
  const { config } = memoryConfig();
  expect(config.bool("protected-mode")).toBe(true);
  expect(config.int("port")).toBe(6379);
  expect(config.string("logfile")).toBe("");
  expect(config.string("maxmemory-policy")).toBe("noeviction");
  expect(config.list("bind")).toEqual(["*", "-::*"]);
  expect(config.list("shutdown-on-sigterm")).toEqual(["default"]);
  expect(config.savePoints()).toEqual([
    { seconds: 3600, changes: 1 },
    { seconds: 300, changes: 100 },
    { seconds: 60, changes: 10000 },
  ]);
  expect(config.outputBufferLimits().replica).toEqual({
    hardBytes: 268435456,
    softBytes: 67108864,
    softSeconds: 60,
  });
  expect(config.latencyPercentiles()).toEqual([50, 99, 99.9]);
  expect(config.replicationSource()).toBeNull();
  expect(config.assign("replicaof", "10.0.0.1 6380")).toBeNull();
  expect(config.replicationSource()).toEqual({ host: "10.0.0.1", port: 6380 });
  config.assign("notify-keyspace-events", "Kx");
  expect(config.keyspaceEvents()).toBe(KEYSPACE_EVENT_BITS.K | KEYSPACE_EVENT_BITS.x);
  expect(config.percentOrBytes("maxmemory-clients")).toEqual({ bytes: 0 });
  config.assign("maxmemory-clients", "5%");
  expect(config.percentOrBytes("maxmemory-clients")).toEqual({ percent: 5 });
  expect(config.bool("crash-on-internal-error")).toBe(false);
});

test("a wrong name or kind in the server's own code throws", () => {
  const { config } = memoryConfig();
  expect(() => config.bool("port")).toThrow("port is of kind int");
  expect(() => config.int("bind")).toThrow("not numeric");
  expect(() => config.list("port")).toThrow("one argument");
  expect(() => config.string("no-such-thing")).toThrow("there is no directive no-such-thing");
});

test("two configurations share nothing", () => {
  const first = memoryConfig().config;
  const second = memoryConfig().config;
  expect(first.set(["hz", "99", "save", ""], LOCAL)).toBeNull();
  expect(second.get(["hz", "save"])).toEqual(["hz", "10", "save", "3600 1 300 100 60 10000"]);
});
