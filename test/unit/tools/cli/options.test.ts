import { describe, expect, test } from "bun:test";
import { parseOptions } from "../../../../src/tools/cli/options.ts";
import { parseServerUri } from "../../../../src/tools/cli/uri.ts";

function parse(line: string, isTerminal = false) {
  const surroundings = {
    program: "bunsen cli",
    product: "Valkey",
    isTerminal,
    password: "environment",
  };
  return parseOptions(line === "" ? [] : line.split(" "), surroundings);
}

describe("options", () => {
  test("end where the command begins", () => {
    const { options, words } = parse("-h host -p 7000 -n 2 SET -x -1");
    expect(options).toMatchObject({ host: "host", port: 7000, database: 2 });
    expect(options.readsLastArgument).toBe(false);
    expect(words).toEqual(["SET", "-x", "-1"]);
  });

  test("have defaults that depend on the output", () => {
    expect(parse("").options).toMatchObject({ output: "raw", showsPushes: false });
    expect(parse("", true).options).toMatchObject({ output: "standard", showsPushes: true });
  });

  test("override the environment", () => {
    expect(parse("").options.password).toBe("environment");
    expect(parse("--no-auth-warning -a p").options.password).toBe("p");
  });

  test("of JSON ask for RESP3 unless it was asked for", () => {
    expect(parse("--json").options).toMatchObject({ output: "json", resp3: "implied" });
    expect(parse("-3 --quoted-json").options).toMatchObject({
      output: "quoted-json",
      resp3: "asked",
    });
  });

  test("take numbers as C does", () => {
    expect(parse("-r -1 -i 0.5 -t 1.5").options).toMatchObject({
      repeat: -1,
      intervalMs: 500,
      timeoutMs: 1500,
    });
  });

  test("choose modes", () => {
    expect([...parse("--scan --pattern a* --count 7").options.modes]).toEqual(["scan"]);
    expect([...parse("--latency-history").options.modes]).toEqual(["latency"]);
    expect(parse("--rdb x.rdb").options).toMatchObject({ dumpFile: "x.rdb" });
  });
});

describe("server URIs", () => {
  test.each([
    ["redis://", { isTls: false }],
    ["rediss://h", { isTls: true, host: "h" }],
    ["VALKEYS://h:1", { isTls: true, host: "h", port: 1 }],
    ["valkey://h/3", { isTls: false, host: "h", database: 3 }],
    ["redis://:p%20w@h:1/", { isTls: false, user: "", password: "p w", host: "h", port: 1 }],
    ["redis://p@h", { isTls: false, password: "p", host: "h" }],
    [
      "redis://u:p@[::1]:7/2",
      { isTls: false, user: "u", password: "p", host: "::1", port: 7, database: 2 },
    ],
    ["redis:///4", { isTls: false, database: 4 }],
  ])("%s", (uri, parts) => {
    expect(parseServerUri(uri)).toEqual(parts);
  });
});
