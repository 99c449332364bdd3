/**
 * `bunsen benchmark` against a real server: what it sends, what it reports, and that its output has
 * the shape of valkey-benchmark's.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { describeWithPeers, getPeer, isStandIn } from "../support/peers.ts";
import { textOf } from "../support/reply.ts";
import {
  OutputCollector,
  ourCommandLine,
  ServerProcess,
  useServer,
} from "../support/server-process.ts";

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

async function run(command: readonly string[], input = ""): Promise<Result> {
  const child = Bun.spawn([...command], {
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  return { stdout, stderr, exitCode };
}

/**
 * Output with its numbers left out, and one row of a distribution, which has as many as there are
 * different latencies.
 */
function shapeOf(output: string): string {
  return output
    .split("\n")
    .map((line) => line.slice(line.lastIndexOf("\r") + 1))
    .map((line) => line.replace(/ *(\d+(\.\d+)?|inf)\b/g, " N"))
    .filter((line, index, lines) => line === "" || line !== lines[index - 1])
    .join("\n");
}

// A reference server in place of ours has no such tool.
if (!isStandIn()) {
  describeWithPeers("bunsen benchmark", ["valkey-benchmark"], () => {
    setDefaultTimeout(30_000);
    const server = useServer({ program: "ours" });
    const benchmark = (line: string, input?: string) =>
      run(
        [...ourCommandLine(), "benchmark", "-p", String(server().port), ...line.split(" ")],
        input,
      );
    const ask = async (...command: readonly string[]) => {
      const client = await server().connect();
      const reply = await client.command(...command);
      client.close();
      return reply;
    };
    const askText = async (...command: readonly string[]) => textOf(await ask(...command));
    const calls = async (command: string) => {
      const info = await askText("INFO", "commandstats");
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
    };
    const reset = async () => {
      await ask("FLUSHALL");
      await ask("CONFIG", "RESETSTAT");
    };

    test("has the shape of valkey-benchmark's output", async () => {
      const reference = [getPeer("valkey-benchmark"), "-p", String(server().port)];
      for (const line of [
        "-t set,get,mset -n 2000 -c 7",
        "-t set,get -n 2000 -P 4 -r 100 -q",
        "-t ping,lrange_100,xadd -n 1000 --csv",
        "-n 1000 --threads 3 -k 1 -d 20 -t incr",
        "-n 1000 SET key __rand_int__",
        "-n 1000 -q -r 10 --precision 4 HSET h f__rand_int__ x",
        "-t nosuch",
      ]) {
        const ours = await benchmark(line);
        const theirs = await run([...reference, ...line.split(" ")]);
        expect([line, shapeOf(ours.stdout)]).toEqual([line, shapeOf(theirs.stdout)]);
        expect([line, ours.stderr, ours.exitCode]).toEqual([line, theirs.stderr, theirs.exitCode]);
      }
    });

    test("makes as many requests as it says, the last pipeline whole", async () => {
      for (const [line, requests] of [
        ["-n 1000 -c 10", 1000],
        ["-n 10 -c 50", 10],
        ["-n 1001 -c 3 -P 5", 1005],
        ["-n 10 -P 16", 16],
        ["-n 1000 -c 7 --threads 3 -P 4", 1000],
        ["-n 20 -c 3 -k 0", 20],
        ["-n 1", 1],
      ] as const) {
        await reset();
        const { stdout, exitCode } = await benchmark(`${line} -t set`);
        expect([line, exitCode]).toEqual([line, 0]);
        expect([line, await calls("set")]).toEqual([line, requests]);
        expect(stdout).toContain(`  ${requests} requests completed in `);
        expect(stdout).toMatch(
          new RegExp(`100\\.000% <= .* \\(cumulative count ${/\d+/.exec(line)?.[0]}\\)`),
        );
      }
    });

    test("writes the keys of its keyspace, and one key without -r", async () => {
      await reset();
      await benchmark("-t set -n 2000 -r 50 -q");
      expect(await ask("DBSIZE")).toMatchObject({ value: 50n });
      expect(await ask("GET", "key:000000000049")).toMatchObject({ type: "bulk" });
      await reset();
      await benchmark("-t set -n 100 -q -d 10");
      expect(await ask("DBSIZE")).toMatchObject({ value: 1n });
      expect(await ask("STRLEN", "key:__rand_int__")).toMatchObject({ value: 10n });
    });

    test("runs all tests, and leaves out what the server cannot do", async () => {
      await reset();
      const { stdout, stderr, exitCode } = await benchmark("-n 20 -c 2 --csv");
      expect(stderr).toBe("");
      expect(exitCode).toBe(0);
      const titles = stdout.split("\n").map((line) => /^"([^"]*)"/.exec(line)?.[1] ?? "");
      expect(titles.slice(0, 20)).toEqual([
        "test",
        "PING_INLINE",
        "PING_MBULK",
        "SET",
        "GET",
        "INCR",
        "LPUSH",
        "RPUSH",
        "LPOP",
        "RPOP",
        "SADD",
        "HSET",
        "SPOP",
        "ZADD",
        "ZPOPMIN",
        "LPUSH (needed to benchmark LRANGE)",
        "LRANGE_100 (first 100 elements)",
        "LRANGE_300 (first 300 elements)",
        "LRANGE_500 (first 500 elements)",
        "LRANGE_600 (first 600 elements)",
      ]);
      expect(titles.slice(20, 22)).toEqual(["MSET (10 keys)", "XADD"]);
    });

    test("repeats a seed's requests", async () => {
      const keysOf = async (options: string) => {
        await reset();
        await benchmark(`${options} -c 1 -n 20 -r 1000000 -t set -q`);
        return JSON.stringify(await ask("DEBUG", "DIGEST"));
      };
      expect(await keysOf("--seed 7")).toBe(await keysOf("--seed 7"));
      expect(await keysOf("--seed 7")).not.toBe(await keysOf("--seed 8"));
    });

    test("greets the server: database, protocol, tracking", async () => {
      await reset();
      const { exitCode, stderr } = await benchmark(
        "-n 10 -c 2 --dbnum 9 -3 --enable-tracking -q -t set,get",
      );
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(await calls("select")).toBe(4);
      expect(await calls("hello")).toBe(4);
      expect(await calls("client\\|tracking")).toBe(4);
      expect(await askText("INFO", "keyspace")).toContain("db9:keys=1");
    });

    test("authenticates, and says when it may not", async () => {
      await ask("CONFIG", "SET", "requirepass", "sesame");
      try {
        const port = server().port;
        expect((await benchmark("-a sesame -n 10 -q -t set")).exitCode).toBe(0);
        expect(
          (await benchmark(`-u redis://default:sesame@127.0.0.1:${port} -n 5 -q PING`)).exitCode,
        ).toBe(0);
        expect(await benchmark("-n 10")).toMatchObject({
          stdout: "",
          stderr: `Node 127.0.0.1:${port} replied with error:\nNOAUTH Authentication required.\n`,
          exitCode: 1,
        });
        const wrong = await benchmark("-a wrong -n 10");
        expect(wrong.stderr).toContain("replied with error:\nWRONGPASS");
      } finally {
        const client = await server().connect();
        await client.command("AUTH", "sesame");
        await client.command("CONFIG", "SET", "requirepass", "");
        client.close();
      }
    });

    test("takes the last argument from standard input", async () => {
      await benchmark("-x -n 10 -q SET key", "a\r\nb");
      expect(await askText("GET", "key")).toBe("a\r\nb");
    });

    test("ends at the first error, whoever meets it", async () => {
      await ask("SET", "text", "abc");
      for (const line of ["-n 1000 -q INCR text", "-n 1000 --threads 2 -q INCR text"]) {
        const { stderr, exitCode } = await benchmark(line);
        expect(stderr).toBe("Error from server: ERR value is not an integer or out of range\n");
        expect(exitCode).toBe(1);
      }
      const { stderr, exitCode } = await benchmark("-t function_load -n 10");
      if (exitCode !== 0) expect(stderr).toStartWith("Error from server: ERR unknown command");
    });

    test("idle connections wait until they are refused", async () => {
      await ask("CONFIG", "SET", "maxclients", "5");
      const { stdout, stderr, exitCode } = await benchmark("-c 10 -I");
      await ask("CONFIG", "SET", "maxclients", "1000");
      expect(stdout).toStartWith("Creating 10 idle connections and waiting forever");
      expect(stderr).toBe("Error from server: ERR max number of clients reached\n");
      expect(exitCode).toBe(1);
    });

    test("draws a histogram when asked to", async () => {
      const { stdout } = await benchmark("-n 1000 -t set -q --histogram");
      expect(stdout).toMatch(/\nLatency histogram:\n( +[\d.]+ - +[\d.]+ ms  .{40} +[\d.]+%\n)+/);
    });

    test("ends when the server goes away", async () => {
      const mortal = await ServerProcess.start({ program: "ours" });
      const running: { child: Bun.ReadableSubprocess; output: OutputCollector }[] = [];
      try {
        const port = String(mortal.port);
        for (const options of ["-t get -n 1000 -q -l", "-I"]) {
          const child = Bun.spawn(
            [...ourCommandLine(), "benchmark", "-p", port, "-c", "3", ...options.split(" ")],
            { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
          );
          running.push({ child, output: new OutputCollector(child) });
        }
        expect(await running[0].output.waitFor("requests per second")).toBe(true);
        expect(await running[1].output.waitFor("clients: 3")).toBe(true);
        await mortal.stop();
        for (const { child, output } of running) {
          expect(await child.exited).toBe(1);
          expect(await output.waitFor("the end of the output")).toBe(false);
          expect(output.text()).toMatch(
            /Error: Server closed the connection|Connection reset|Could not connect|failed to fetch/,
          );
        }
      } finally {
        for (const { child } of running) child.kill();
        await mortal.stop();
      }
    });

    test("says when nobody answers", async () => {
      expect(await benchmark("-p 1 -n 10")).toEqual({
        stdout: "",
        stderr: "Could not connect to server at 127.0.0.1:1: Connection refused\n",
        exitCode: 1,
      });
    });
  });
}
