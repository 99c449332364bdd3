/**
 * The append-only file as a person meets it: data that are there again, rewriting while clients
 * write, turning it on and off, and a server that goes on when the disk does not.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OurProcess, useProcesses } from "../support/our-process.ts";
import { formatReply, textOf } from "../support/reply.ts";
import { RespClient } from "../support/resp-client.ts";
import { freePort } from "../support/server-process.ts";

setDefaultTimeout(60_000);
const { folder, start } = useProcesses();

const READY = "Ready to accept connections";
const REWRITTEN = "Background AOF rewrite finished successfully";
const NO_AOF = "WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

function launch(...directives: string[]): [OurProcess, number] {
  const port = freePort();
  const common = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
  return [start([...common, "--enable-debug-command", "yes", ...directives]), port];
}

async function serve(...directives: string[]): Promise<[OurProcess, RespClient]> {
  const [server, port] = launch(...directives);
  await server.logged(READY);
  return [server, await RespClient.connect(port)];
}

const serveAof = (...directives: string[]) => serve("--appendonly", "yes", ...directives);

async function answer(client: RespClient, ...args: (string | number)[]): Promise<string> {
  return formatReply(await client.command(...args));
}

async function infoOf(client: RespClient, field: string): Promise<string> {
  const text = textOf(await client.must("INFO", "persistence"));
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(text)?.[1] ?? "";
}

async function digestOf(client: RespClient): Promise<string> {
  return textOf(await client.must("DEBUG", "DIGEST"));
}

async function rewritten(client: RespClient): Promise<void> {
  while ((await infoOf(client, "aof_rewrite_in_progress")) !== "0") continue;
}

/** The reply of WAITAOF: local files, and none of replicas. */
const acknowledged = (local: number) => `array of 2\n  :${local}\n  :0`;

const inFiles = (name: string) => join(folder(), "appendonlydir", name);
const manifest = () => readFileSync(inFiles("appendonly.aof.manifest"), "latin1");

describe("data", () => {
  test.each(["always", "everysec", "no"])("are there again, appendfsync %s", async (policy) => {
    const [first, client] = await serveAof("--appendfsync", policy);
    await client.must("SET", "a", "1");
    await client.must("HSET", "h", "f", "v");
    await client.must("HEXPIRE", "h", "1000", "FIELDS", "1", "f");
    await client.must("EXPIRE", "a", "1000");
    await client.must("SADD", "s", "x", "y", "z");
    await client.must("SPOP", "s");
    await client.must("SELECT", "3");
    await client.must("XADD", "stream", "*", "f", "v");
    const digest = await digestOf(client);
    await first.stop();
    const [second, again] = await serveAof("--appendfsync", policy);
    expect(await digestOf(again)).toBe(digest);
    expect(second.text()).toContain("DB loaded from append only file: ");
    expect(second.text()).toContain("Opening AOF incr file appendonly.aof.1.incr.aof");
  });

  test("of the RDB file do not count where there is an append-only file", async () => {
    const [first, client] = await serveAof();
    await client.must("SET", "a", "old");
    await client.must("SAVE");
    await client.must("SET", "a", "new");
    await first.stop();
    const [, again] = await serveAof();
    expect(await answer(again, "GET", "a")).toContain("new");
  });

  test("of an RDB file alone are not loaded, with a warning", async () => {
    const [first, client] = await serve();
    await client.must("SET", "a", "1");
    await client.must("SAVE");
    await first.stop();
    const [second, again] = await serveAof();
    expect(await answer(again, "DBSIZE")).toBe(":0");
    expect(second.text()).toContain("WARNING: dump.rdb is not loaded, since appendonly is on");
  });

  test("are confirmed when they are written, also to who ends the connection", async () => {
    const [, client] = await serveAof("--appendfsync", "always");
    client.sendRaw("SET a 1\r\nGET a\r\nQUIT\r\n");
    const replies = [];
    for (let i = 0; i < 3; i++) replies.push(formatReply((await client.readReply()).reply));
    expect(replies).toEqual(["+OK", '"1"', "+OK"]);
    expect(readFileSync(inFiles("appendonly.aof.1.incr.aof"), "latin1")).toContain("SET");
  });

  test("that are large are confirmed and written in their order", async () => {
    const [first, client] = await serveAof("--appendfsync", "always");
    const value = "x".repeat(3_000_000);
    const replies = await client.pipeline([
      ["SET", "a", value],
      ["GET", "a"],
      ["APPEND", "a", "y"],
      ["GET", "a"],
    ]);
    expect(replies.map(({ raw }) => raw.length)).toEqual([5, 3_000_012, 10, 3_000_013]);
    await first.stop();
    const [, again] = await serveAof();
    expect(await answer(again, "STRLEN", "a")).toContain("3000001");
  });
});

describe("a rewrite", () => {
  test.each(["yes", "no"])(
    "loses nothing of what is written meanwhile, base in RDB: %s",
    async (rdb) => {
      const [first, client] = await serveAof("--aof-use-rdb-preamble", rdb);
      await client.must("DEBUG", "POPULATE", "3000", "key", "50");
      for (let i = 0; i < 2000; i++) client.send("ZADD", "huge", i, `member:${i}`);
      for (let i = 0; i < 2000; i++) await client.readReply();
      await client.must("BGREWRITEAOF");
      await rewritten(client);
      for (let round = 0; round < 5; round++) {
        await client.must("CONFIG", "SET", "rdb-key-save-delay", "100");
        await client.must("BGREWRITEAOF");
        for (let i = 0; i < 300; i++) {
          client.send("SET", `key:${(i * 37 + round) % 3000}`, `changed ${round}`);
          client.send("DEL", `key:${(i * 41 + round) % 3000}`);
          client.send("ZREM", "huge", `member:${i + 300 * round}`);
          client.send("MULTI");
          client.send("INCR", "count");
          client.send("SWAPDB", 0, 1);
          client.send("SWAPDB", 0, 1);
          client.send("EXEC");
        }
        for (let i = 0; i < 300 * 8; i++) await client.readReply();
        await client.must("CONFIG", "SET", "rdb-key-save-delay", "0");
        await rewritten(client);
      }
      expect(await infoOf(client, "aof_rewrites")).toBe("6");
      expect(manifest()).toContain(
        `appendonly.aof.7.base.${rdb === "yes" ? "rdb" : "aof"} seq 7 type b`,
      );
      const digest = await digestOf(client);
      await client.must("DEBUG", "LOADAOF");
      expect(await digestOf(client)).toBe(digest);
      await first.stop();
      const [, again] = await serveAof();
      expect(await digestOf(again)).toBe(digest);
    },
  );

  test("under which everything is deleted ends, and brings nothing back", async () => {
    const [first, client] = await serveAof();
    await client.must("DEBUG", "POPULATE", "1000");
    await client.must("SELECT", "1");
    await client.must("SET", "other", "x");
    await client.must("BGREWRITEAOF");
    await rewritten(client);
    await client.must("CONFIG", "SET", "rdb-key-save-delay", "10000");
    await client.must("BGREWRITEAOF");
    await client.must("SELECT", "0");
    await client.must("FLUSHDB");
    await client.must("SET", "after", "x");
    await client.must("CONFIG", "SET", "rdb-key-save-delay", "0");
    await rewritten(client);
    const digest = await digestOf(client);
    expect(await infoOf(client, "aof_last_bgrewrite_status")).toBe("ok");
    await first.stop();
    const [, again] = await serveAof();
    expect(await digestOf(again)).toBe(digest);
    expect(await answer(again, "DBSIZE")).toContain("1");
  });

  test("begins by itself", async () => {
    const [server, client] = await serveAof(
      "--auto-aof-rewrite-percentage",
      "100",
      "--auto-aof-rewrite-min-size",
      "1000",
    );
    for (let i = 0; i < 40; i++) await client.must("SET", "a", "x".repeat(100));
    await server.logged("Starting automatic rewriting of AOF on");
    await server.logged(REWRITTEN);
    expect(Number(await infoOf(client, "aof_current_size"))).toBeLessThan(1000);
  });
});

describe("while the server runs", () => {
  test("it is turned on and off", async () => {
    const [server, client] = await serve();
    await client.must("SET", "a", "1");
    await client.must("CONFIG", "SET", "appendonly", "yes");
    await server.logged(REWRITTEN);
    await client.must("SET", "b", "2");
    await client.must("CONFIG", "SET", "appendonly", "no");
    await client.must("SET", "c", "3");
    expect(await infoOf(client, "aof_enabled")).toBe("0");
    await server.stop();
    const [, again] = await serveAof();
    expect(await answer(again, "MGET", "a", "b", "c")).toMatch(/"1"\n *"2"\n *null/);
  });

  test("turned on and off in a transaction, it keeps what it should", async () => {
    const [server, client] = await serve();
    await client.pipeline([
      ["MULTI"],
      ["SET", "a", "1"],
      ["CONFIG", "SET", "appendonly", "yes"],
      ["SET", "b", "2"],
      ["EXEC"],
    ]);
    await server.logged(REWRITTEN);
    await client.pipeline([
      ["MULTI"],
      ["SET", "c", "3"],
      ["CONFIG", "SET", "appendonly", "no"],
      ["SET", "d", "4"],
      ["EXEC"],
    ]);
    await server.stop();
    const [, again] = await serveAof();
    expect(await answer(again, "MGET", "a", "b", "c", "d")).toMatch(/"1"\n *"2"\n *null.*\n *null/);
  });

  test("WAITAOF and WAIT tell what they can", async () => {
    const [server, client] = await serve();
    expect(await answer(client, "WAITAOF", 1, 0, 0)).toContain(NO_AOF);
    expect(await answer(client, "WAITAOF", 0, 0, 0)).toBe(acknowledged(0));
    expect(await answer(client, "WAITAOF", 2, 0, 0)).toContain("must between 0 and 1");
    expect(await answer(client, "WAIT", 0, 0)).toBe(":0");
    expect(await answer(client, "WAIT", 1, 10)).toBe(":0");
    expect(await answer(client, "WAIT", 1, -1)).toContain("timeout is negative");
    await client.must("CONFIG", "SET", "appendonly", "yes");
    await server.logged(REWRITTEN);
    await client.must("SET", "a", "1");
    expect(await answer(client, "WAITAOF", 1, 0, 0)).toBe(acknowledged(1));
    expect(await answer(client, "WAITAOF", 1, 1, 10)).toBe(acknowledged(1));
    await client.must("CONFIG", "SET", "appendfsync", "no");
    await client.must("SET", "a", "2");
    expect(await answer(client, "WAITAOF", 1, 0, 10)).toBe(acknowledged(0));
    const other = await client.sibling();
    other.send("WAITAOF", 1, 0, 0);
    while (!(await answer(client, "INFO", "clients")).includes("blocked_clients:1")) continue;
    await client.must("CONFIG", "SET", "appendonly", "no");
    expect(formatReply((await other.readReply()).reply)).toContain(NO_AOF);
  });

  test("clients are answered while it is loaded", async () => {
    mkdirSync(join(folder(), "appendonlydir"));
    writeFileSync(
      inFiles("appendonly.aof.manifest"),
      "file appendonly.aof.1.incr.aof seq 1 type i\n",
    );
    const increment = "*2\r\n$4\r\nINCR\r\n$1\r\na\r\n";
    writeFileSync(inFiles("appendonly.aof.1.incr.aof"), increment.repeat(5000));
    // Slower than any test machine: 50 s, unless it is told to hurry.
    const [server, port] = launch("--appendonly", "yes", "--key-load-delay", "10000");
    await server.logged("Server initialized");
    const client = await RespClient.connect(port);
    expect(await answer(client, "GET", "a")).toContain("LOADING");
    expect(await infoOf(client, "loading")).toBe("1");
    expect(await infoOf(client, "loading_total_bytes")).toBe(String(increment.length * 5000));
    await client.must("CONFIG", "SET", "key-load-delay", "0");
    await server.logged(READY);
    expect(await answer(client, "GET", "a")).toBe('"5000"');
  });

  test("what cannot be loaded ends the start, and is told", async () => {
    mkdirSync(join(folder(), "appendonlydir"));
    writeFileSync(
      inFiles("appendonly.aof.manifest"),
      "file appendonly.aof.1.incr.aof seq 1 type i\n",
    );
    writeFileSync(inFiles("appendonly.aof.1.incr.aof"), "*1\r\n$4\r\nPING\r\n!!!");
    const [server] = launch("--appendonly", "yes");
    expect(await server.exited()).toBe(1);
    expect(server.text()).toContain("At offset 14 of appendonly.aof.1.incr.aof: expected '*'");
    expect(server.text()).toContain("Bad file format reading the append only file");
    writeFileSync(inFiles("appendonly.aof.manifest"), "!!!\n");
    const [other] = launch("--appendonly", "yes");
    expect(await other.exited()).toBe(1);
    expect(other.text()).toContain("Reading the manifest file, at line 1");
    rmSync(inFiles("appendonly.aof.manifest"));
    const [last] = launch("--appendonly", "yes", "--appenddirname", "dump.rdb");
    await last.logged(READY);
    expect(existsSync(join(folder(), "dump.rdb", "appendonly.aof.manifest"))).toBe(true);
  });
});

const mayMount = process.platform === "linux" && process.getuid?.() === 0 && canMount();

/** Whether a small file system can be had: root may have been forbidden to mount. */
function canMount(): boolean {
  const probe = `/tmp/bunsen-mount-aof-${process.pid}`;
  mkdirSync(probe);
  const isMounted = mount("size=64k", probe);
  if (isMounted) Bun.spawnSync(["umount", probe]);
  rmSync(probe, { recursive: true });
  return isMounted;
}

function mount(options: string, path: string): boolean {
  const command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", path];
  return Bun.spawnSync(command, { stderr: "ignore" }).exitCode === 0;
}

// Where no file system can be mounted, no disk can be filled.
describe.skipIf(!mayMount)("a full disk", () => {
  test("refuses writes until there is room, and loses nothing that was confirmed", async () => {
    const directory = join(folder(), "small");
    mkdirSync(directory);
    expect(mount("size=400k", directory)).toBe(true);
    try {
      const [server, client] = await serveAof("--dir", directory);
      let written = 0;
      while ((await answer(client, "RPUSH", "list", "x".repeat(10_000))).startsWith(":")) written++;
      expect(await answer(client, "SET", "a", "b")).toContain(
        "MISCONF Errors writing to the AOF file: No space left on device",
      );
      expect(await answer(client, "PING")).toContain("MISCONF");
      expect(await answer(client, "LLEN", "list")).toBe(`:${written}`);
      expect(await infoOf(client, "aof_last_write_status")).toBe("err");
      expect(server.text()).toMatch(/(Short write while|Error) writing to the AOF file/);
      expect(mount("remount,size=4m", directory)).toBe(true);
      await server.logged("AOF write error looks solved. The server can write again.");
      await client.must("SET", "a", "b");
      await client.must("BGREWRITEAOF");
      await rewritten(client);
      expect(await infoOf(client, "aof_last_bgrewrite_status")).toBe("ok");
      const digest = await digestOf(client);
      await server.stop();
      const [last, again] = await serveAof("--dir", directory);
      expect(await digestOf(again)).toBe(digest);
      expect(readdirSync(join(directory, "appendonlydir")).length).toBe(3);
      await last.stop();
    } finally {
      Bun.spawnSync(["umount", directory]);
    }
  });

  test("ends a server that must not lose anything", async () => {
    const directory = join(folder(), "small");
    mkdirSync(directory);
    expect(mount("size=200k", directory)).toBe(true);
    try {
      const [server, client] = await serveAof("--dir", directory, "--appendfsync", "always");
      for (let i = 0; i < 100; i++) client.send("RPUSH", "list", "x".repeat(10_000));
      expect(await server.exited()).toBe(1);
      expect(server.text()).toContain("Can't recover from AOF write error");
      expect(mount("remount,size=4m", directory)).toBe(true);
      let confirmed = 0;
      try {
        for (;;)
          confirmed = Number((await client.readReply()).reply.type === "integer") + confirmed;
      } catch {
        // The connection is closed.
      }
      const [last, again] = await serveAof("--dir", directory);
      const length = await again.must("LLEN", "list");
      expect(length.type === "integer" ? Number(length.value) : -1).toBeGreaterThanOrEqual(
        confirmed,
      );
      await last.stop();
    } finally {
      Bun.spawnSync(["umount", directory]);
    }
  });
});
