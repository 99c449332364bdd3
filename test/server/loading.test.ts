/**
 * The start with an RDB file: what the log says, what clients are answered meanwhile, and what becomes
 * of a file that cannot be loaded.
 */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { useProcesses } from "../support/our-process.ts";
import { rdbAux, rdbFile, rdbKey } from "../support/rdb-file.ts";
import { type Part, rdbLength, rdbString } from "../support/rdb-payload.ts";
import { textOf } from "../support/reply.ts";
import { RespClient } from "../support/resp-client.ts";
import { freePort } from "../support/server-process.ts";

const STRING = 0;
const KEYS = 5000;
const LOADING = "LOADING Valkey is loading the dataset in memory";
const TERMINATING = "Terminating server after rdb file reading failure.";
const FATAL = "Fatal error loading the DB, check server logs. Exiting.";

function text(key: string, value: string): Uint8Array {
  return rdbKey(key, STRING, rdbString(value));
}

describe("the start with an RDB file", () => {
  const processes = useProcesses();

  const start = (file: Uint8Array, ...args: readonly string[]) => {
    writeFileSync(join(processes.folder(), "dump.rdb"), file);
    const port = freePort();
    const common = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", ""];
    return { port, server: processes.start([...common, ...args]) };
  };

  test("loads a small one before it serves", async () => {
    const { port, server } = start(rdbFile(11, rdbAux("redis-ver", "7.2.4"), text("a", "b")));
    await server.logged("Ready to accept connections tcp");
    const client = await RespClient.connect(port);
    expect(textOf(await client.must("GET", "a"))).toBe("b");
    const info = textOf(await client.must("INFO", "persistence"));
    expect(info).toContain("loading:0\r\n");
    expect(info).toContain("rdb_last_load_keys_loaded:1\r\n");
    expect(info).not.toContain("loading_start_time");
    client.close();
    const places = [
      "Server initialized",
      "Loading RDB produced by Redis version 7.2.4",
      "Done loading RDB, keys loaded: 1, keys expired: 0.",
      "DB loaded from disk: ",
      "Ready to accept connections tcp",
    ].map((line) => server.text().indexOf(line));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test("answers clients while it loads a large one", async () => {
    const keys = Array.from({ length: KEYS }, (_, i) => text(`key:${i}`, "value"));
    const file = rdbFile(11, rdbAux("used-mem", "4096"), [251], rdbLength(KEYS), [0], ...keys);
    // Slower than any test machine: 50 s, unless it is told to hurry.
    const { port, server } = start(file, "--key-load-delay", "10000");
    await server.logged("Server initialized");
    const client = await RespClient.connect(port);
    const other = await RespClient.connect(port);
    for (const command of [
      ["GET", "a"],
      ["PING"],
      ["CONFIG", "SET", "appendonly", "yes"],
      ["DBSIZE"],
    ]) {
      expect(await client.command(...command)).toEqual({ type: "error", text: LOADING });
    }
    const info = textOf(await client.must("INFO", "persistence"));
    expect(info).toContain("loading:1\r\n");
    expect(info).toContain(`loading_total_bytes:${file.length}\r\n`);
    expect(info).toMatch(/loading_loaded_perc:\d+\.\d\d\r\n/);
    expect(info).toContain("loading_rdb_used_mem:4096\r\n");
    expect(info).toContain("loading_eta_seconds:");
    expect(server.text()).not.toContain("Ready to accept connections");
    await client.must("CONFIG", "SET", "key-load-delay", "0");
    await server.logged("Ready to accept connections");
    expect(await other.must("DBSIZE")).toEqual({ type: "integer", value: BigInt(KEYS) });
    expect(textOf(await client.must("INFO", "persistence"))).toContain("loading:0\r\n");
    client.close();
    other.close();
  });

  test("ends at once when it is told to while it loads", async () => {
    const keys = Array.from({ length: KEYS }, (_, i) => text(`key:${i}`, "value"));
    const { server } = start(rdbFile(11, ...keys), "--key-load-delay", "10000");
    await server.logged("Server initialized");
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(0);
    expect(server.text()).toContain(
      "Received shutdown signal during loading, scheduling shutdown.",
    );
  });

  const good = rdbFile(11, text("a", "b"), text("c", "d"));
  const cases: readonly (readonly [string, Uint8Array, ...string[]])[] = [
    ["is something else", rdbFile("APPENDONL"), "Wrong signature trying to load DB", FATAL],
    ["is of an unknown version", rdbFile("REDIS0099"), "Can't handle RDB format version 99", FATAL],
    [
      "ends early",
      good.subarray(0, 12),
      "Short read or OOM loading DB. Unrecoverable error, aborting now.",
      "Internal error in RDB reading offset ",
      "-> Unexpected EOF reading RDB file",
      "--- RDB ERROR DETECTED ---",
      TERMINATING,
    ],
    [
      "is damaged",
      rdbFile(11, rdbKey("the key", 16, rdbString("no listpack"))),
      "-> Hash listpack integrity check failed.",
      "[additional info] Reading key 'the key'",
      "[additional info] Reading type 16 (hash-listpack)",
      TERMINATING,
    ],
    [
      "has a wrong checksum",
      Uint8Array.from([...good.subarray(0, -1), 1]),
      "Wrong RDB checksum expected: (",
      "-> RDB CRC error",
      TERMINATING,
    ],
    ["has a key twice", rdbFile(11, text("a", "b"), text("a", "c")), "duplicated key 'a' in DB 0"],
    [
      "has more databases",
      rdbFile(11, [254, 16] as Part, text("a", "b")),
      "FATAL: Data file was created with a Bunsen server configured to handle more than 16 databases",
    ],
  ];
  test.each(cases)("refuses a file that %s", async (_, file, ...messages) => {
    const { server } = start(file);
    expect(await server.exited()).toBe(1);
    for (const message of messages) expect(server.text()).toContain(message);
    expect(server.text()).not.toContain("Ready to accept connections");
  });
});
