/**
 * Saving as a person meets it: files that hold what was there, in the background while commands
 * write, and a server that goes on when the disk does not.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type OurProcess, useProcesses } from "../support/our-process.ts";
import { formatReply, textOf } from "../support/reply.ts";
import { RespClient } from "../support/resp-client.ts";
import { freePort } from "../support/server-process.ts";

setDefaultTimeout(60_000);
const { folder, start } = useProcesses();

const READY = "Ready to accept connections";
const SUCCESS = "Background saving terminated with success";
const FAILURE = "Background saving error";
/** So long that a save does not end by itself. */
const DELAY_FOREVER_US = "10000000";

async function serve(...directives: string[]): Promise<[OurProcess, RespClient]> {
  const port = freePort();
  const server = start([
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--enable-debug-command",
    "yes",
    ...directives,
  ]);
  await server.logged(READY);
  return [server, await RespClient.connect(port)];
}

async function infoOf(client: RespClient, field: string): Promise<string> {
  const text = textOf(await client.must("INFO"));
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(text)?.[1] ?? "";
}

async function answer(client: RespClient, ...args: string[]): Promise<string> {
  return formatReply(await client.command(...args));
}

async function digestOf(client: RespClient): Promise<string> {
  return textOf(await client.must("DEBUG", "DIGEST"));
}

/** Waits until no save runs in the background. */
async function savedBy(client: RespClient): Promise<void> {
  while ((await infoOf(client, "rdb_bgsave_in_progress")) !== "0") continue;
}

/** Names of the files that saving makes on its way. */
function temporaryFiles(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith("temp-"));
}

test("a server finds what it saved as it ended", async () => {
  const [first, client] = await serve();
  await client.must("DEBUG", "POPULATE", "5000");
  await client.must("HSET", "hash", "a", "1", "b", "2");
  await client.must("HEXPIRE", "hash", "1000", "FIELDS", "1", "a");
  await client.must("XADD", "stream", "1-1", "a", "b");
  const before = await digestOf(client);
  client.send("SHUTDOWN");
  expect(await first.exited()).toBe(0);
  expect(first.text()).toContain("Saving the final RDB snapshot before exiting.");
  const [, again] = await serve();
  expect(await digestOf(again)).toBe(before);
  const ttl = await again.must("HTTL", "hash", "FIELDS", "1", "a");
  expect(ttl.type === "array" && ttl.items.length === 1).toBe(true);
});

test("BGSAVE keeps what was there when it began, whatever is written meanwhile", async () => {
  const [server, client] = await serve("--save", "");
  await client.must("DEBUG", "POPULATE", "20000");
  for (let i = 0; i < 3000; i++) client.send("SADD", "huge", `member:${i}`);
  for (let i = 0; i < 3000; i++) await client.readReply();
  const before = await digestOf(client);
  await client.must("CONFIG", "SET", "rdb-key-save-delay", "20");
  await client.must("BGSAVE");
  const other = await client.sibling();
  let changes = 0;
  while ((await infoOf(other, "rdb_bgsave_in_progress")) !== "0") {
    client.send("SET", `key:${changes * 37}`, "changed");
    client.send("DEL", `key:${changes * 41 + 1}`);
    client.send("SREM", "huge", `member:${changes}`);
    client.send("SET", `new:${changes}`, "value");
    for (let i = 0; i < 4; i++) await client.readReply();
    changes++;
  }
  expect(changes).toBeGreaterThan(0);
  expect(Number(await infoOf(client, "rdb_last_cow_size"))).toBeGreaterThan(0);
  expect(Number(await infoOf(client, "total_forks"))).toBe(1);
  await server.logged(SUCCESS);
  expect(await infoOf(client, "rdb_changes_since_last_save")).not.toBe("0");
  await client.must("DEBUG", "RELOAD", "NOSAVE");
  expect(await digestOf(client)).toBe(before);
  expect(temporaryFiles(folder())).toEqual([]);
});

test("a save in the background is given up on request, by FLUSHALL, and by the end", async () => {
  const [server, client] = await serve("--save", "");
  const begin = async () => {
    await client.must("DEBUG", "POPULATE", "1000");
    await client.must("BGSAVE");
    while (temporaryFiles(folder()).length === 0) await client.must("PING");
  };
  const isGone = async () => {
    expect(await infoOf(client, "rdb_bgsave_in_progress")).toBe("0");
    expect(await infoOf(client, "rdb_last_bgsave_status")).toBe("ok");
    while (temporaryFiles(folder()).length > 0) await client.must("PING");
  };
  await client.must("CONFIG", "SET", "rdb-key-save-delay", DELAY_FOREVER_US);
  await begin();
  expect(await answer(client, "BGSAVE")).toContain("Background save already in progress");
  expect(await answer(client, "SAVE")).toContain("Background save already in progress");
  expect(await answer(client, "BGSAVE", "CANCEL")).toContain("Background saving cancelled");
  await isGone();
  expect(await answer(client, "BGSAVE", "CANCEL")).toContain("not in progress or scheduled");
  await begin();
  await client.must("FLUSHALL");
  await isGone();
  await begin();
  client.send("SHUTDOWN", "NOSAVE");
  expect(await server.exited()).toBe(0);
  expect(readdirSync(folder())).toEqual([]);
});

test("FLUSHDB lets a save begin anew", async () => {
  const [, client] = await serve("--save", "");
  await client.must("CONFIG", "SET", "rdb-key-save-delay", "2000");
  await client.must("DEBUG", "POPULATE", "1000");
  await client.must("SELECT", "1");
  await client.must("SET", "kept", "value");
  await client.must("SELECT", "0");
  await client.must("BGSAVE");
  await client.must("FLUSHDB");
  await client.must("SET", "late", "value");
  await savedBy(client);
  await client.must("DEBUG", "RELOAD", "NOSAVE");
  expect(await answer(client, "DBSIZE")).not.toContain("1000");
  await client.must("SELECT", "1");
  expect(await answer(client, "GET", "kept")).toContain("value");
});

test("BGSAVE in a transaction runs after it", async () => {
  const [server, client] = await serve("--save", "");
  await client.must("MULTI");
  await client.must("BGSAVE");
  await client.must("SET", "key", "value");
  expect(await answer(client, "EXEC")).toContain("Background saving scheduled");
  await server.logged(SUCCESS);
});

test("save points save by themselves", async () => {
  const [server, client] = await serve("--save", "1", "2");
  await client.must("MSET", "a", "1", "b", "2", "c", "3");
  await server.logged("2 changes in 1 seconds. Saving...");
  await server.logged(SUCCESS);
  expect(existsSync(join(folder(), "dump.rdb"))).toBe(true);
});

test("a file that cannot be written leaves a server that can be read", async () => {
  const [server, client] = await serve("--save", "3600", "1");
  await client.must("SET", "key", "value");
  const target = join(folder(), "dump.rdb");
  mkdirSync(target);
  expect(await answer(client, "SAVE")).toContain("ERR");
  await server.logged("Error moving temp DB file");
  await client.must("BGSAVE");
  await server.logged(FAILURE);
  expect(temporaryFiles(folder())).toEqual([]);
  expect(await infoOf(client, "rdb_last_bgsave_status")).toBe("err");
  expect(await answer(client, "SET", "key", "other")).toContain("MISCONF Valkey is configured");
  expect(await answer(client, "PING")).toContain("MISCONF");
  expect(await answer(client, "GET", "key")).toContain("value");
  await client.must("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
  await client.must("SET", "key", "other");
  await client.must("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes");
  server.signal("SIGTERM");
  await server.logged("Error trying to save the DB, can't exit.");
  expect(await answer(client, "SHUTDOWN")).toContain("Errors trying to SHUTDOWN. Check logs.");
  rmSync(target, { recursive: true });
  await client.must("BGSAVE");
  await server.logged(SUCCESS);
  await client.must("SET", "key", "other");
});

test("SHUTDOWN FORCE ends a server that cannot save", async () => {
  const [server, client] = await serve("--save", "3600", "1");
  await client.must("SET", "key", "value");
  mkdirSync(join(folder(), "dump.rdb"));
  client.send("SHUTDOWN", "FORCE");
  expect(await server.exited()).toBe(0);
  expect(server.text()).toContain("Error trying to save the DB. Exit anyway.");
});

test("FLUSHALL empties the file where there are save points", async () => {
  const [, client] = await serve("--save", "3600", "100");
  await client.must("DEBUG", "POPULATE", "100");
  await client.must("SAVE");
  await client.must("FLUSHALL");
  await client.must("DEBUG", "POPULATE", "10");
  await client.must("DEBUG", "RELOAD", "NOSAVE");
  expect(await answer(client, "DBSIZE")).toContain("0");
  expect(await answer(client, "DBSIZE")).not.toContain("10");
});

test("a directory that is gone is named in the log", async () => {
  const [server, client] = await serve("--save", "", "--enable-protected-configs", "yes");
  const directory = join(folder(), "gone");
  mkdirSync(directory);
  await client.must("CONFIG", "SET", "dir", directory);
  rmSync(directory, { recursive: true });
  await client.must("SET", "key", "value");
  expect(await answer(client, "SAVE")).toContain("ERR");
  await server.logged("Failed opening the temp RDB file");
  await client.must("CONFIG", "SET", "dir", folder());
  await client.must("SAVE");
});

const mayMount = process.platform === "linux" && process.getuid?.() === 0 && canMount();

/** Whether a small file system can be had: root may have been forbidden to mount. */
function canMount(): boolean {
  const probe = `/tmp/bunsen-mount-${process.pid}`;
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
test.skipIf(!mayMount)("a full disk refuses writes until there is room", async () => {
  const directory = join(folder(), "small");
  mkdirSync(directory);
  expect(mount("size=1m", directory)).toBe(true);
  try {
    const [server, client] = await serve("--save", "3600", "1", "--dir", directory);
    await client.must("CONFIG", "SET", "rdbcompression", "no");
    await client.must("DEBUG", "POPULATE", "3000", "key", "1000");
    expect(await answer(client, "SAVE")).toContain("ERR");
    await server.logged("Write error while saving DB to the disk(rdbSaveRio): No space left");
    expect(readdirSync(directory)).toEqual([]);
    await client.must("BGSAVE");
    await server.logged(FAILURE);
    expect(readdirSync(directory)).toEqual([]);
    expect(await answer(client, "SET", "a", "b")).toContain("MISCONF");
    expect(await answer(client, "DBSIZE")).toContain("3000");
    expect(mount("remount,size=32m", directory)).toBe(true);
    await client.must("BGSAVE");
    await server.logged(SUCCESS);
    await client.must("SET", "a", "b");
    client.send("SHUTDOWN", "NOSAVE");
    await server.exited();
  } finally {
    Bun.spawnSync(["umount", directory]);
  }
});

test("a second SIGINT gives up the last save", async () => {
  const [server, client] = await serve("--save", "3600", "1");
  await client.must("DEBUG", "POPULATE", "100");
  await client.must("CONFIG", "SET", "rdb-key-save-delay", DELAY_FOREVER_US);
  server.signal("SIGINT");
  while (temporaryFiles(folder()).length === 0) await Bun.file(join(folder(), "x")).exists();
  server.signal("SIGINT");
  expect(await server.exited()).toBe(1);
  expect(server.text()).toContain("You insist... exiting now.");
  expect(readdirSync(folder())).toEqual([]);
});

test("SHUTDOWN ABORT takes back a signal", async () => {
  const [server, client] = await serve();
  await client.must("DEBUG", "PAUSE-CRON", "1");
  expect(await answer(client, "SHUTDOWN", "ABORT")).toContain("No shutdown in progress.");
  server.signal("SIGTERM");
  await server.logged("Received SIGTERM scheduling shutdown...");
  await client.must("SHUTDOWN", "ABORT");
  expect(server.text()).toContain("Shutdown manually aborted.");
  await client.must("DEBUG", "PAUSE-CRON", "0");
  await client.must("PING");
});
