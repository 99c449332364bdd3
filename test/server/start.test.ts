/** How the program starts, and with which line it does not: addresses, files, configuration. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REDIS_VERSION } from "../../src/base/version.ts";
import { type OurProcess, useProcesses } from "../support/our-process.ts";
import { textOf } from "../support/reply.ts";
import { RespClient } from "../support/resp-client.ts";
import { freePort } from "../support/server-process.ts";

setDefaultTimeout(30_000);
const { folder, start } = useProcesses();

const READY = "Ready to accept connections";
const isRoot = process.getuid?.() === 0;

const local = (port: number) => ["--port", String(port), "--bind", "127.0.0.1"];

/** Ends with exit code 1, and its last line says why. */
async function endsWith(server: OurProcess, ...texts: readonly string[]): Promise<void> {
  expect(await server.exited()).toBe(1);
  for (const text of texts) expect(server.text()).toContain(text);
  expect(server.text()).not.toContain(READY);
}

async function answers(port: number, ...command: readonly string[]): Promise<string[]> {
  const client = await RespClient.connect(port);
  const reply = await client.must(...command);
  client.close();
  return reply.type === "array" ? reply.items.map(textOf) : [textOf(reply)];
}

test("--version names the Redis version first, where programs that start servers look", async () => {
  const server = start(["--version"]);
  expect(await server.exited()).toBe(0);
  const line = server.text().trim();
  expect(/v=(\d+)\.(\d+)\.(\d+)/.exec(line)?.[0]).toBe(`v=${REDIS_VERSION}`);
  expect(/\d+(?:\.\d+)+/.exec(line)?.[0]).toBe(REDIS_VERSION);
  expect(line).toMatch(/ bunsen=\S+$/);
});

describe("what keeps it from serving is one line, and exit code 1", () => {
  test("a port in use", async () => {
    const port = freePort();
    await start(local(port)).logged(READY);
    await endsWith(
      start(local(port)),
      `# Warning: Could not create server TCP listening socket 127.0.0.1:${port}: bind: Address already in use`,
      `# Failed listening on port ${port} (tcp), aborting.`,
    );
    expect(await answers(port, "PING")).toEqual(["PONG"]);
  });

  test("an address that is not this machine's", async () => {
    const port = freePort();
    await endsWith(
      start(["--port", String(port), "--bind", "203.0.113.5"]),
      `socket 203.0.113.5:${port}: bind: Cannot assign requested address`,
    );
  });

  test("an optional address may be missing, but then others must be there", async () => {
    const port = freePort();
    const server = start(["--port", String(port), "--bind", "127.0.0.1", "-203.0.113.5"]);
    await server.logged(READY);
    expect(await answers(port, "PING")).toEqual(["PONG"]);
    await endsWith(
      start(["--port", String(freePort()), "--bind", "-203.0.113.5"]),
      "Configured to not listen anywhere, exiting.",
    );
  });

  test("a unix socket in a folder that is missing", async () => {
    await endsWith(
      start([...local(freePort()), "--unixsocket", join(folder(), "missing", "s")]),
      "# Failed opening Unix socket: bind: No such file or directory",
    );
  });

  test.skipIf(isRoot)("a port that only root may have", async () => {
    await endsWith(start(local(1)), "bind: Permission denied");
  });

  test("a log file that cannot be opened", async () => {
    await endsWith(
      start([...local(freePort()), "--logfile", join(folder(), "missing", "log")]),
      "Can't open the log file: No such file or directory",
    );
  });

  test("a data folder that is missing", async () => {
    await endsWith(
      start([...local(freePort()), "--dir", join(folder(), "missing")]),
      "No such file or directory",
      ">>> 'dir ",
    );
  });

  test("a configuration file that is missing", async () => {
    await endsWith(
      start([join(folder(), "missing.conf")]),
      `Fatal error, can't open config file '${join(folder(), "missing.conf")}': No such file or directory`,
    );
  });
});

describe("a bad directive is named with its line", () => {
  const cases: readonly (readonly [title: string, line: string, message: string])[] = [
    ["unknown", "no-such-directive yes", "Bad directive or wrong number of arguments"],
    ["no number", "hz fast", "argument couldn't be parsed into an integer"],
    ["no amount of memory", "maxmemory 12zz", "argument must be a memory value"],
    ["neither yes nor no", "appendonly maybe", "argument must be 'yes' or 'no'"],
    ["too few arguments", "timeout", "wrong number of arguments"],
    ["unbalanced quotes", 'requirepass "abc', "Unbalanced quotes in configuration line"],
  ];
  for (const [title, line, message] of cases) {
    test(title, async () => {
      const file = join(folder(), "bad.conf");
      writeFileSync(file, `# a comment\n\nport ${freePort()}\n${line}\n`);
      await endsWith(
        start([file]),
        "*** FATAL CONFIG FILE ERROR",
        "Reading the configuration file, at line 4",
        `>>> '${line}'`,
        message,
      );
    });
  }
});

describe("configuration comes from", () => {
  test("a file, which arguments override", async () => {
    const file = join(folder(), "my.conf");
    const port = freePort();
    writeFileSync(file, "port 1\nmaxmemory 5mb\nmaxclients 77\n");
    await start([file, ...local(port), "--maxclients", "88"]).logged(READY);
    expect(await answers(port, "CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", "5242880"]);
    expect(await answers(port, "CONFIG", "GET", "maxclients")).toEqual(["maxclients", "88"]);
  });

  test("standard input", async () => {
    const port = freePort();
    const stdin = `port ${port}\nbind 127.0.0.1\nmaxclients 55`;
    await start(["-"], { stdin }).logged(READY);
    expect(await answers(port, "CONFIG", "GET", "maxclients")).toEqual(["maxclients", "55"]);
  });

  test("the environment, which arguments override", async () => {
    const port = freePort();
    const env = {
      BUNSEN_PORT: String(port),
      BUNSEN_BIND: "127.0.0.1",
      BUNSEN_MAXMEMORY_POLICY: "allkeys-lru",
      BUNSEN_HZ: "11",
      BUNSEN_NO_SUCH_DIRECTIVE: "1",
    };
    const server = start(["--hz", "22"], { env });
    await server.logged(READY);
    expect(server.text()).toContain("BUNSEN_NO_SUCH_DIRECTIVE names no directive and is ignored");
    expect(await answers(port, "CONFIG", "GET", "hz")).toEqual(["hz", "22"]);
    expect(await answers(port, "CONFIG", "GET", "maxmemory-policy")).toEqual([
      "maxmemory-policy",
      "allkeys-lru",
    ]);
  });

  test("the environment, whose bad values are named", async () => {
    await endsWith(start([], { env: { BUNSEN_PORT: "xyz" } }), `>>> 'port "xyz"'`);
  });
});

describe("files of a running server", () => {
  test("the log file gets every line, standard output none", async () => {
    const port = freePort();
    const log = join(folder(), "server.log");
    const server = start([...local(port), "--logfile", log]);
    while (!existsSync(log) || !readFileSync(log, "utf8").includes(READY))
      await Bun.file(log).exists();
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(0);
    expect(server.text()).toBe("");
    const lines = readFileSync(log, "utf8").trimEnd().split("\n");
    const stamp = `${server.pid}:M `;
    expect(lines.at(-1)?.startsWith(stamp)).toBe(true);
    expect(lines.at(-1)).toMatch(
      /^\d+:M \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3} # .*ready to exit, bye bye\.\.\.$/,
    );
  });

  test("the pid file is there while it runs", async () => {
    const file = join(folder(), "server.pid");
    const server = start([...local(freePort()), "--pidfile", file]);
    await server.logged(READY);
    expect(readFileSync(file, "utf8")).toBe(`${server.pid}\n`);
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(0);
    expect(existsSync(file)).toBe(false);
  });

  test("without a pid file it serves all the same", async () => {
    const server = start([...local(freePort()), "--pidfile", join(folder(), "missing", "pid")]);
    await server.logged(READY);
    expect(server.text()).toContain("# Failed to write PID file: No such file or directory");
  });

  test("the unix socket has its permissions, and goes with the server", async () => {
    const path = join(folder(), "server.sock");
    const args = ["--port", "0", "--unixsocket", path, "--unixsocketperm", "700"];
    const server = start(args);
    await server.logged(READY);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    const client = await RespClient.connect(path);
    expect(textOf(await client.must("PING"))).toBe("PONG");
    expect(textOf(await client.must("CLIENT", "LIST"))).toContain(`addr=${path}:0 `);
    client.close();
    server.signal("SIGTERM");
    expect(await server.exited()).toBe(0);
    expect(existsSync(path)).toBe(false);
  });
});
