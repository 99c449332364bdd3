import { describe, expect, test } from "bun:test";
import { parseOptions, type BenchmarkOptions } from "../../../../src/tools/benchmark/options.ts";

function optionsOf(line: string): BenchmarkOptions {
  const parsed = parseOptions(line === "" ? [] : line.split(" "), "bunsen benchmark");
  if (!("options" in parsed)) throw new Error(`no run: ${parsed.output}${parsed.errors}`);
  return parsed.options;
}

function endOf(line: string): { output: string; errors: string; exitCode: number } {
  const parsed = parseOptions(line.split(" "), "redis-benchmark");
  if (!("exitCode" in parsed)) throw new Error("a run");
  return parsed;
}

describe("options", () => {
  test("defaults", () => {
    const { address, ...rest } = optionsOf("");
    expect(address).toMatchObject({ host: "127.0.0.1", port: 6379, path: null, tls: null });
    expect(rest).toMatchObject({
      clients: 50,
      requests: 100_000,
      dataBytes: 3,
      pipeline: 1,
      keyspace: null,
      isKeptAlive: true,
      threads: 0,
      digits: 3,
      tests: null,
      command: [],
    });
  });

  test("each has its effect", () => {
    const cases: readonly (readonly [string, Partial<BenchmarkOptions>])[] = [
      ["-a secret --user me", { password: "secret", user: "me" }],
      ["-c 5 -n 10 -P 3 -d 100", { clients: 5, requests: 10, pipeline: 3, dataBytes: 100 }],
      ["-P 0 -d 0 -c 0", { pipeline: 1, dataBytes: 1, clients: 1 }],
      ["-r 0", { keyspace: 0 }],
      ["-r -5", { keyspace: 0 }],
      ["-r 100abc", { keyspace: 100 }],
      ["-k 0", { isKeptAlive: false }],
      ["-t SET,Get", { tests: ["set", "get"] }],
      ["-q --csv -l -I -x -3", { isQuiet: true, isCsv: true, isIdle: true, isResp3: true }],
      ["--dbnum 9 --seed 42", { database: 9, seed: 42 }],
      ["--precision 0", { digits: 1 }],
      ["--precision -1", { digits: 3 }],
      ["--precision 9", { digits: 4 }],
      ["--threads -2", { threads: 0 }],
      ["--enable-tracking --histogram", { isTracking: true, drawsHistogram: true }],
      ["--num-functions 3 --num-keys-in-fcall 2", { functions: 3, functionKeys: 2 }],
    ];
    for (const [line, expected] of cases) expect(optionsOf(line)).toMatchObject(expected);
  });

  test("addresses", () => {
    expect(optionsOf("-h example -p 7000").address).toMatchObject({ host: "example", port: 7000 });
    expect(optionsOf("-s /tmp/socket").address.path).toBe("/tmp/socket");
    const { address, ...rest } = optionsOf("-u rediss://me:s%20t@[::1]:7001/3");
    expect(address).toMatchObject({ host: "::1", port: 7001, tls: { isInsecure: false } });
    expect(rest).toMatchObject({ user: "me", password: "s t", database: 3 });
    expect(optionsOf("--tls --cacert a --cert b --key c --sni d --insecure").address.tls).toEqual({
      serverName: "d",
      caFile: "a",
      caFolder: null,
      certFile: "b",
      keyFile: "c",
      ciphers: null,
      isInsecure: true,
    });
    expect(optionsOf("--cacert a").address.tls).toBeNull();
  });

  test("a command ends them", () => {
    const options = optionsOf("-n 5 SET -q x --csv");
    expect(options.command).toEqual(["SET", "-q", "x", "--csv"]);
    expect(options.isQuiet).toBe(false);
  });

  test("warnings", () => {
    const parsed = parseOptions(["-e", "--threads", "501"], "bunsen benchmark");
    expect(parsed).toMatchObject({
      warnings: [
        expect.stringContaining("-e option has no effect"),
        "WARNING: Too many threads, limiting threads to 500.\n",
      ],
      options: { threads: 500 },
    });
  });

  test("what ends the program", () => {
    expect(endOf("--help").output).toStartWith("Usage: redis-benchmark [OPTIONS] [COMMAND ARGS");
    expect(endOf("--help").exitCode).toBe(0);
    expect(endOf("--version").output).toMatch(/^redis-benchmark \d+\.\d+\.\d+\n$/);
    for (const line of ["--nosuch", "-c", "-n 1 -p", "-r -x", "--rfr maybe"]) {
      const { output, exitCode } = endOf(line);
      expect(output).toContain("or option argument missing\n\nUsage:");
      expect(exitCode).toBe(1);
    }
    expect(endOf("--nosuch").output).toStartWith('Invalid option "--nosuch" or');
    expect(endOf("-p 65536").errors).toBe("Invalid server port.\n");
    expect(endOf("--cluster").errors).toBe("--cluster is not supported yet\n");
  });
});
