/** The command-line tools of Redis and Valkey, against our server. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { describeWithPeers, getPeer, type PeerName } from "../support/peers.ts";
import { useServer } from "../support/server-process.ts";

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

for (const [cli, benchmark] of [
  ["valkey-cli", "valkey-benchmark"],
  ["redis-cli", "redis-benchmark"],
] as const) {
  describeWithPeers(cli, [cli, benchmark], () => {
    setDefaultTimeout(30_000);
    const server = useServer({ program: "ours" });
    const run = (...args: readonly string[]) => runTool(cli, server().port, args);

    test("commands and their replies", async () => {
      expect((await run("FLUSHALL")).stdout).toBe("OK\n");
      expect((await run("SET", "k", "hello world")).stdout).toBe("OK\n");
      expect((await run("GET", "k")).stdout).toBe("hello world\n");
      expect((await run("INCR", "n")).stdout).toBe("1\n");
      expect((await run("GET", "none")).stdout).toBe("\n");
      expect((await run("--no-raw", "GET", "none")).stdout).toBe("(nil)\n");
      expect((await run("--no-raw", "MGET", "k", "none")).stdout).toBe(
        '1) "hello world"\n2) (nil)\n',
      );
      expect((await run("NOSUCH", "a")).stdout).toContain("ERR unknown command 'NOSUCH'");
    });

    test("RESP3 and JSON output", async () => {
      await run("SET", "k", "v");
      expect((await run("-3", "--no-raw", "GET", "none")).stdout).toBe("(nil)\n");
      expect((await run("-3", "--no-raw", "CONFIG", "GET", "maxmemory")).stdout).toBe(
        '1# "maxmemory" => "0"\n',
      );
      expect((await run("--json", "CONFIG", "GET", "maxmemory")).stdout).toBe(
        '{"maxmemory":"0"}\n',
      );
      expect((await run("--json", "GET", "k")).stdout).toBe('"v"\n');
    });

    test("HELP reads COMMAND DOCS", async () => {
      // Colours are switched on even when the output is no terminal.
      const stdout = Bun.stripANSI((await run("HELP", "set")).stdout);
      expect(stdout).toContain("SET key value");
      expect(stdout).toContain("since: 1.0.0");
      expect(stdout).toContain("group: string");
    });

    test("--scan, --bigkeys and --memkeys", async () => {
      await run("FLUSHALL");
      await run(
        "MSET",
        ...Array.from({ length: 50 }, (_, i) => [`key:${i}`, "v".repeat(i)]).flat(),
      );
      const scanned = (await run("--scan", "--pattern", "key:4*")).stdout.trim().split("\n");
      expect(scanned.length).toBe(11);
      expect((await run("--bigkeys")).stdout).toMatch(/"key:49"'? has 49 bytes/);
      expect((await run("--memkeys")).stdout).toContain("Sampled 50 keys in the keyspace!");
    });

    test("commands from standard input", async () => {
      const input = Array.from({ length: 500 }, (_, i) => `SET piped:${i} ${i}`).join("\n");
      const { stdout } = await runTool(cli, server().port, [], input + "\n");
      expect(stdout).toBe("OK\n".repeat(500));
    });

    test("--pipe", async () => {
      const input = Array.from({ length: 1000 }, (_, i) => `SET mass:${i} ${i}\r\n`).join("");
      const { stdout } = await runTool(cli, server().port, ["--pipe"], input);
      expect(stdout).toContain("errors: 0, replies: 1000");
      expect((await run("GET", "mass:999")).stdout).toBe("999\n");
    });

    test("INFO", async () => {
      const { stdout } = await run("INFO", "server");
      expect(stdout).toContain(`tcp_port:${server().port}`);
      expect(stdout).toContain(`process_id:${server().pid}`);
    });

    test(`a short ${benchmark}`, async () => {
      const args = [
        "-n",
        "2000",
        "-c",
        "10",
        "-P",
        "16",
        "-r",
        "100",
        "-t",
        "ping,set,get,incr,mset",
        "--csv",
      ];
      const { stdout, exitCode } = await runTool(benchmark, server().port, args);
      expect(exitCode).toBe(0);
      for (const title of ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET"]) {
        expect(stdout).toContain(`"${title}`);
      }
    });
  });
}

/** Runs one of the tools against a port. Standard input is empty unless given. */
async function runTool(
  tool: PeerName,
  port: number,
  args: readonly string[],
  input = "",
): Promise<Result> {
  const child = Bun.spawn([getPeer(tool), "-p", String(port), ...args], {
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, TERM: "dumb" },
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}
