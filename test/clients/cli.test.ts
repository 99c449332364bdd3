/**
 * `bunsen cli` beside valkey-cli: the same command lines against the same server give the same
 * output, to the byte. Then the dialogue on a terminal, for which there is no reference: two line
 * editors draw differently.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { CERTIFICATE, PRIVATE_KEY } from "../support/certificate.ts";
import { describeWithPeers, getPeer, peersFolder } from "../support/peers.ts";
import { freePort, useServer } from "../support/server-process.ts";

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const ROOT = resolve(import.meta.dir, "../..");

/** Our client: the built executable if the tests are for it, else the source. */
function ourCli(): readonly string[] {
  const binary = process.env.BUNSEN_BIN;
  if (binary !== undefined && basename(binary).startsWith("bunsen")) {
    return [resolve(binary), "cli"];
  }
  return [process.execPath, "--define", "DEBUG=true", join(ROOT, "src", "main.ts"), "cli"];
}

const ENVIRONMENT = { PATH: process.env.PATH, HOME: "/nonexistent", TERM: "dumb" };

async function run(
  command: readonly string[],
  input: string | Uint8Array = "",
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const child = Bun.spawn([...command], {
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...ENVIRONMENT, ...env },
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).bytes(),
    new Response(child.stderr).bytes(),
    child.exited,
  ]);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
  return { stdout: text(stdout), stderr: text(stderr), exitCode };
}

/** Commands of a dialogue: replies of every type, and what changes the state of a connection. */
const DIALOGUE = `
flushall
set k "hello w\\xc3\\xb6rld\\r\\n\\x00\\xff"
get k
get none
rpush l a b "c d" e f g h i j k
lrange l 0 -1
lrange none 0 -1
hset h f1 v1 f2 "v\\"2\\\\"
hgetall h
sadd s x
smembers s
zadd z 1.5 a 2 b 17e30 c
zrange z 0 -1 withscores
zscore z a
xadd st 1-1 f v
xadd st 2-1 f v g w
xrange st - +
xread streams st 0
xinfo stream st full
incr k
incr n
nosuch command
debug protocol string
debug protocol integer
debug protocol double
debug protocol null
debug protocol array
debug protocol set
debug protocol map
debug protocol true
debug protocol false
debug protocol verbatim
config get *-max-listpack-*
command docs get set
command info get
mget k none
3 incr n
-1 incr n
0 get k
set "unbalanced
set k ""x

   get   n
multi
select 3
set a b
exec
dbsize
multi
select 5
discard
set x y
:set nothing
:nothing
restart
auth password
hello 3
hgetall h
zscore z a
hello 2
select 99
subscribe ch1 ch2
unsubscribe ch1
ping
unsubscribe
psubscribe p*
reset
ping
client tracking on
select 0
client reply on
object help
help get
help @hash
help nosuch
? set
memory doctor
latency doctor
cluster nodes
quit
`;

const OUTPUT_MODES = ["--raw", "--no-raw", "--csv", "--json", "--quoted-json"];

/** Command lines, each a run of its own. PORT stands for the server's. */
const COMMAND_LINES: readonly (readonly string[])[] = [
  ["-p", "PORT", "PING"],
  ["-p", "PORT", "-d", ", ", "lrange", "l", "0", "-1"],
  ["-p", "PORT", "-D", "@@", "-r", "3", "lrange", "l", "0", "-1"],
  ["-p", "PORT", "--show-pushes", "maybe", "get", "n"],
  ["-p", "PORT", "-x", "set", "k2"],
  ["-p", "PORT", "-X", "tag", "set", "k2", "tag"],
  ["-p", "PORT", "-X", "tag", "set", "k2", "other"],
  ["-p", "PORT", "--quoted-input", "set", '"\\x01\\xff"', "'a b'"],
  ["-p", "PORT", "--quoted-input", "set", '"open', "v"],
  ["-p", "PORT", "-e", "get"],
  ["-p", "PORT", "get"],
  ["-p", "PORT", "-n", "3", "get", "a"],
  ["-p", "PORT", "-n", "99", "get", "a"],
  ["-p", "PORT", "-a", "wrong", "get", "n"],
  ["-p", "PORT", "--no-auth-warning", "--user", "nobody", "--pass", "wrong", "get", "n"],
  ["-p", "PORT", "-3", "--no-raw", "client", "list", "id", "0"],
  ["-p", "PORT", "--scan", "--pattern", "[hl]"],
  ["-p", "PORT", "--scan", "--no-raw", "--quoted-pattern", '"\\x01*"', "--count", "100"],
  ["-p", "PORT", "--hotkeys"],
  ["-p", "PORT", "--eval", "/nonexistent/script.lua", "k", ",", "a"],
  ["-p", "PORT", "--test_hint", "set k v "],
  ["-p", "PORT", "--lru-test"],
  ["-u", "redis://127.0.0.1:PORT/3", "get", "a"],
  ["-u", "valkey://:p%40@127.0.0.1:PORT", "--no-auth-warning", "get", "n"],
  ["-u", "redis://u:p%4@127.0.0.1:PORT", "get", "n"],
  ["-u", "http://127.0.0.1:PORT", "get", "n"],
  ["-p", "1", "PING"],
  ["-p", "99999", "PING"],
  ["-s", "/nonexistent/socket", "PING"],
  ["-t", "soon", "PING"],
  ["-x", "-X", "tag", "PING"],
  ["-2", "-3", "PING"],
  ["-4", "-6", "PING"],
  ["-c", "-s", "/socket", "PING"],
  ["--rdb", "a", "--functions-rdb", "b"],
  ["--nosuch"],
  ["-X"],
];

describeWithPeers("bunsen cli beside valkey-cli", ["valkey-cli"], () => {
  setDefaultTimeout(60_000);
  const server = useServer({ program: "ours" });
  const both = async (args: readonly string[], input = ""): Promise<[Result, Result]> => {
    const filled = args.map((arg) => arg.replaceAll("PORT", String(server().port)));
    const theirs = await run([getPeer("valkey-cli"), ...filled], input);
    return [await run([...ourCli(), ...filled], input), theirs];
  };

  for (const mode of OUTPUT_MODES) {
    for (const protocol of ["-2", "-3"]) {
      test(`a dialogue, ${mode} ${protocol}`, async () => {
        const [ours, theirs] = await both(["-p", "PORT", mode, protocol], DIALOGUE);
        expect(comparable(ours.stdout)).toBe(comparable(theirs.stdout));
        expect([ours.stderr, ours.exitCode]).toEqual([theirs.stderr, theirs.exitCode]);
      });
    }
  }

  test("command lines", async () => {
    await run([...ourCli(), "-p", String(server().port)], DIALOGUE);
    for (const args of COMMAND_LINES) {
      const [ours, theirs] = await both(args, "input\n");
      expect({ args, ...ours }).toEqual({ args, ...theirs });
    }
  });

  test("the largest keys", async () => {
    await run([...ourCli(), "-p", String(server().port)], DIALOGUE);
    for (const args of [["--bigkeys"], ["--memkeys"], ["--memkeys-samples", "2", "--count", "3"]]) {
      const [ours, theirs] = await both(["-p", "PORT", ...args]);
      // The order of types in its summary is random.
      expect(ours.stdout.split("\n").toSorted()).toEqual(theirs.stdout.split("\n").toSorted());
      expect(ours.exitCode).toBe(theirs.exitCode);
    }
  });

  test("mass insertion", async () => {
    const good = Array.from({ length: 20_000 }, (_, i) => `SET mass:${i} ${i}\r\n`).join("");
    for (const input of [good, good + "NOSUCH\r\nGET\r\n", ""]) {
      const [ours, theirs] = await both(["-p", "PORT", "--pipe"], input);
      expect(ours).toEqual(theirs);
    }
  });

  test("binary arguments and replies", async () => {
    const script = 'exec "$@" "$(printf "k\\377")" "$(printf "v\\376")"';
    const through = (command: readonly string[]) =>
      run(["sh", "-c", script, "sh", ...command, "-p", String(server().port), "set"]);
    expect((await through(ourCli())).stdout).toBe("OK\n");
    const [ours, theirs] = await both(["-p", "PORT", "--quoted-input", "get", '"k\\xff"']);
    expect(ours.stdout).toBe("v\xfe\n");
    expect(ours).toEqual(theirs);
  });

  test("hints", async () => {
    const suite = join(peersFolder(), "suite/valkey/tests/assets/test_cli_hint_suite.txt");
    const folder = mkdtempSync(join(tmpdir(), "bunsen-cli-"));
    // SET has the conditions of Redis 8 here, and the hints name them.
    const lines = readFileSync(suite, "utf8").split("\n");
    const file = join(folder, "hints.txt");
    writeFileSync(file, lines.filter((line) => !line.startsWith('"SET key')).join("\n"));
    const args = ["--verbose", "--test_hint_file", file];
    const withoutServer = await run([...ourCli(), "-p", "1", ...args]);
    expect(withoutServer).toMatchObject({ stderr: "", exitCode: 0 });
    expect(withoutServer.stdout).toContain("SUCCESS: 55/55 passed");
    const [ours, theirs] = await both(["-p", "PORT", ...args]);
    expect(ours).toEqual(theirs);
    rmSync(folder, { recursive: true });
  });
});

/** Without the client's name, and without the number of the connection that HELLO tells. */
function comparable(output: string): string {
  return output
    .replace(/valkey-cli |bunsen cli /g, "")
    .replace(/\bid("?(?: => |[,: \n])\s*(?:\d+\) )?(?:\(integer\) )?)\d+/g, "id$1N");
}

describe("redirections", () => {
  setDefaultTimeout(30_000);

  test("of a cluster are followed with -c", async () => {
    const asked: string[] = [];
    const node = (answer: (request: string) => string) =>
      Bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        socket: {
          data(socket, bytes) {
            const words = bytes
              .toString()
              .split("\r\n")
              .filter((_, i) => i > 0 && i % 2 === 0);
            asked.push(words.join(" "));
            socket.write(answer(words[0]));
          },
        },
      });
    const last = node((request) => (request === "ASKING" ? "+OK\r\n" : "$3\r\nbar\r\n"));
    const second = node(() => `-ASK 12182 127.0.0.1:${last.port}\r\n`);
    const first = node(() => `-MOVED 12182 :${second.port}\r\n`);
    const moved = await run([...ourCli(), "-c", "-p", String(first.port), "GET", "foo"]);
    expect(moved).toEqual({ stdout: "bar\n", stderr: "", exitCode: 0 });
    expect(asked).toEqual(["GET foo", "GET foo", "ASKING", "GET foo"]);
    const still = await run([...ourCli(), "-p", String(first.port), "GET", "foo"]);
    expect(still.stdout).toBe(`MOVED 12182 :${second.port}\n\n`);
    for (const listener of [first, second, last]) listener.stop(true);
  });
});

describe("TLS", () => {
  setDefaultTimeout(30_000);

  test("trusts what the options name, and nobody else", async () => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      tls: { cert: CERTIFICATE, key: PRIVATE_KEY },
      socket: { data: (socket) => void socket.write("+PONG\r\n") },
    });
    const folder = mkdtempSync(join(tmpdir(), "bunsen-cli-"));
    const file = join(folder, "ca.crt");
    writeFileSync(file, CERTIFICATE);
    writeFileSync(join(folder, "README"), "no certificate");
    const ping = (...args: string[]) =>
      run([...ourCli(), "-p", String(server.port), "--tls", ...args, "PING"]);
    const pong = { stdout: "PONG\n", stderr: "", exitCode: 0 };
    expect(await ping("--cacert", file)).toEqual(pong);
    expect(await ping("--cacertdir", folder, "--sni", "localhost")).toEqual(pong);
    expect(await ping("--insecure")).toEqual(pong);
    expect(
      await run([...ourCli(), "-u", `rediss://localhost:${server.port}`, "--cacert", file, "PING"]),
    ).toEqual(pong);
    const untrusted = await ping();
    expect(untrusted.stderr).toContain("Could not negotiate a TLS connection: self signed");
    expect(untrusted.exitCode).toBe(1);
    const missing = await ping("--cacert", join(folder, "none"));
    expect(missing.stderr).toContain("none: No such file or directory");
    rmSync(folder, { recursive: true });
    server.stop(true);
  });
});

describe("a replica", () => {
  setDefaultTimeout(30_000);
  const mark = "m".repeat(40);

  /** A primary that knows REPLCONF and answers SYNC with these bytes. */
  function primary(answer: string): Bun.TCPSocketListener {
    return Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, bytes) {
          const text = bytes.toString();
          if (text.includes("REPLCONF ACK")) return;
          if (!text.startsWith("SYNC")) socket.write("+OK\r\n");
          else socket.end(answer);
        },
      },
    });
  }

  test.each([
    ["a length", "\n\n$8\r\nREDIS\0\r\n", "SYNC sent to primary, writing 8 bytes"],
    ["a mark", `$EOF:${mark}\r\nREDIS\0\r\n${mark}`, "writing bytes of bulk transfer until EOF"],
  ])("fetches a snapshot with %s", async (_, answer, message) => {
    const server = primary(answer);
    const folder = mkdtempSync(join(tmpdir(), "bunsen-cli-"));
    const file = join(folder, "dump.rdb");
    const result = await run([...ourCli(), "-p", String(server.port), "--rdb", file]);
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain("Transfer finished with success");
    expect(result.exitCode).toBe(0);
    expect(readFileSync(file, "latin1")).toBe("REDIS\0\r\n");
    const toOutput = await run([...ourCli(), "-p", String(server.port), "--rdb", "-"]);
    expect(toOutput.stdout).toBe("REDIS\0\r\n");
    rmSync(folder, { recursive: true });
    server.stop(true);
  });

  test("shows the commands that follow", async () => {
    const server = primary(
      `$EOF:${mark}\r\nREDIS${mark}*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n`,
    );
    const result = await run([...ourCli(), "-p", String(server.port), "--replica"]);
    expect(result.stdout).toBe('"PING"\n"DEL","a"\n');
    expect(result.stderr).toContain("Full resync done after 5 bytes. Logging commands");
    expect(result.stderr).toEndWith("Error: Server closed the connection\n");
    expect(result.exitCode).toBe(1);
    server.stop(true);
  });
});

describe("the program's name", () => {
  setDefaultTimeout(30_000);
  const binary = process.env.BUNSEN_BIN;
  const isExecutable = binary !== undefined && basename(binary).startsWith("bunsen");

  test.skipIf(!isExecutable)("chooses the role", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bunsen-cli-"));
    for (const name of ["redis-cli", "valkey-cli"]) {
      symlinkSync(resolve(binary ?? ""), join(folder, name));
      const { stdout } = await run([join(folder, name), "--version"]);
      expect(stdout).toStartWith(`${name} `);
    }
    rmSync(folder, { recursive: true });
  });

  test("of a sub-command", async () => {
    expect((await run([...ourCli(), "--version"])).stdout).toStartWith("bunsen cli ");
    expect((await run([...ourCli(), "--help"])).stdout).toContain("Usage: bunsen cli [OPTIONS]");
    const cluster = await run([...ourCli(), "--cluster", "info", "127.0.0.1:7000"]);
    expect(cluster.stderr).toBe("bunsen cli: --cluster is not supported yet\n");
    expect(cluster.exitCode).toBe(1);
  });
});

/** Our client on a terminal of its own. */
class Dialogue {
  readonly child: Bun.Subprocess;
  #output = "";
  #waiting: (() => void)[] = [];

  constructor(args: readonly string[], home: string) {
    this.child = Bun.spawn([...ourCli(), ...args], {
      env: { PATH: process.env.PATH, HOME: home, TERM: "xterm" },
      terminal: {
        cols: 120,
        rows: 30,
        data: (_, bytes) => {
          this.#output += Buffer.from(bytes).toString("latin1");
          for (const wake of this.#waiting.splice(0)) wake();
        },
      },
    });
  }

  type(keys: string): void {
    this.child.terminal!.write(keys);
  }

  /** Waits for the prompt: what is typed before it would be edited by nobody. */
  async prompt(): Promise<void> {
    await this.see("> \x1b[");
  }

  /** Waits for a text on the screen, and forgets all up to its end. */
  async see(text: string): Promise<string> {
    while (!this.#output.includes(text)) {
      const { promise, resolve: wake } = Promise.withResolvers<void>();
      this.#waiting.push(wake);
      await Promise.race([promise, this.child.exited]);
      if (this.child.exitCode !== null && !this.#output.includes(text)) {
        throw new Error(`${JSON.stringify(text)} is not in ${JSON.stringify(this.#output)}`);
      }
    }
    const end = this.#output.indexOf(text) + text.length;
    const seen = this.#output.slice(0, end);
    this.#output = this.#output.slice(end);
    return seen;
  }
}

describe("a dialogue on a terminal", () => {
  setDefaultTimeout(30_000);
  const server = useServer({ program: "ours" });
  let home = "";
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "bunsen-cli-"));
  });
  afterAll(() => rmSync(home, { recursive: true }));

  async function open(): Promise<Dialogue> {
    const dialogue = new Dialogue(["-p", String(server().port)], home);
    await dialogue.prompt();
    return dialogue;
  }

  test("executes, formats, and shows its state in the prompt", async () => {
    const dialogue = await open();
    dialogue.type("set k 'a b'\r");
    await dialogue.see("OK\r\n");
    await dialogue.prompt();
    dialogue.type("get k\r");
    await dialogue.see('"a b"\r\n');
    await dialogue.prompt();
    dialogue.type("multi\r");
    await dialogue.see("(TX)> \x1b[");
    dialogue.type("select 3\r");
    await dialogue.see("[3](TX)> \x1b[");
    dialogue.type("discard\r");
    await dialogue.see(`${server().port}> \x1b[`);
    dialogue.type("quit\r");
    expect(await dialogue.child.exited).toBe(0);
  });

  test("hints at arguments and completes commands", async () => {
    const dialogue = await open();
    dialogue.type("getrange ");
    await dialogue.see("\x1b[90mkey start end\x1b[39m");
    dialogue.type("k ");
    await dialogue.see("\x1b[90mstart end\x1b[39m");
    dialogue.type("\x15getra\t");
    await dialogue.see("GETRANGE");
    dialogue.type(" k 0 0\r");
    await dialogue.prompt();
    dialogue.type("help @transac\t");
    await dialogue.see("tions");
    dialogue.type("\r");
    await dialogue.see("Starts a transaction.");
    await dialogue.prompt();
    dialogue.type(":set nohints\r");
    await dialogue.prompt();
    dialogue.type("getrange ");
    dialogue.type("k 0 0\r");
    expect(await dialogue.see("\r\n")).not.toContain("start");
    await dialogue.prompt();
    dialogue.type("\x04");
    expect(await dialogue.child.exited).toBe(0);
  });

  test("remembers lines, but writes no passwords", async () => {
    const first = await open();
    first.type("echo first\r");
    await first.prompt();
    first.type("auth secret\r");
    await first.see("(error) ");
    await first.prompt();
    first.type("\x1b[A");
    await first.see("auth secret");
    first.type("\x15exit\r");
    expect(await first.child.exited).toBe(0);
    expect(readFileSync(join(home, ".bunsencli_history"), "utf8")).not.toContain("secret");
    const second = await open();
    second.type("\x1b[A\x1b[A");
    await second.see("echo first");
    second.type("\r");
    await second.see('"first"\r\n');
    await second.prompt();
    second.type("exit\r");
    expect(await second.child.exited).toBe(0);
  });

  test("shows messages until a key is pressed", async () => {
    const dialogue = await open();
    dialogue.type("subscribe ch\r");
    await dialogue.see("Reading messages...");
    const publisher = await server().connect();
    await publisher.must("PUBLISH", "ch", "news");
    await dialogue.see('3) "news"\r\n');
    await dialogue.see("Reading messages...");
    dialogue.type("p");
    await dialogue.see("(subscribed mode)> \x1b[");
    dialogue.type("ing\r");
    await dialogue.see('1) "pong"\r\n');
    await dialogue.see("Reading messages...");
    dialogue.type("\x03");
    await dialogue.see("Ready to reconnect");
    await dialogue.prompt();
    dialogue.type("monitor\r");
    await dialogue.see("OK\r\n");
    await publisher.must("ECHO", "seen");
    await dialogue.see('"ECHO" "seen"\r\n');
    dialogue.type("\x03");
    await dialogue.prompt();
    dialogue.type("ping\r");
    await dialogue.see("PONG\r\n");
    await dialogue.prompt();
    publisher.close();
    dialogue.type("\x03");
    expect(await dialogue.child.exited).toBe(0);
  });

  test("goes on after the connection was lost, and connects elsewhere", async () => {
    const dialogue = await open();
    dialogue.type("select 2\r");
    await dialogue.see("[2]> \x1b[");
    const other = await server().connect();
    await other.must("CLIENT", "KILL", "TYPE", "normal");
    dialogue.type("ping\r");
    await dialogue.see("Error: Server closed the connection\r\n");
    await dialogue.see("not connected> \x1b[");
    dialogue.type("ping\r");
    await dialogue.see("PONG\r\n");
    await dialogue.see("[2]> \x1b[");
    const port = freePort();
    dialogue.type(`connect 127.0.0.1 ${port}\r`);
    await dialogue.see(`Could not connect to Valkey at 127.0.0.1:${port}: Connection refused`);
    await dialogue.see("not connected> \x1b[");
    dialogue.type("\x04");
    expect(await dialogue.child.exited).toBe(0);
    other.close();
  });
});
