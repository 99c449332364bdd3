/** Command line and environment as configuration lines; cases of the reference's own suite. */
import { expect, test } from "bun:test";
import { parseCommandLine, parseEnvironment } from "../../../../src/runtime/config/command-line.ts";
import { loadFromMemory, memoryConfig } from "../../../support/memory-config.ts";

/** The values after loading the options over `save 900 1`. */
function values(argv: readonly string[], ...names: readonly string[]): string[] {
  const { config } = memoryConfig();
  const { lines, fileName } = parseCommandLine(["file", ...argv]);
  expect(fileName).toBe("file");
  const fatal = loadFromMemory(config, {
    files: { file: "save 900 1" },
    fileName: "file",
    argumentLines: lines,
  });
  expect(fatal).toBeNull();
  return names.map((name) => config.string(name));
}

test("names and values", () => {
  expect(values(["--port", "6380", "--loglevel", "debug"], "port", "loglevel")).toEqual([
    "6380",
    "debug",
  ]);
  expect(values(["--maxmemory 700mb"], "maxmemory")).toEqual(["734003200"]);
  expect(
    values(["--maxmemory '700mb'", "--maxmemory-policy 'volatile-lru'"], "maxmemory-policy"),
  ).toEqual(["volatile-lru"]);
  expect(values(["--SAVE", "100", "100"], "save")).toEqual(["900 1 100 100"]);
  expect(values(["--requirepass", 'a "b" \\ é'], "requirepass")).toEqual(['a "b" \\ \xc3\xa9']);
});

test("save without a value", () => {
  for (const argv of [
    ["--save", "--loglevel", "verbose"],
    ["--loglevel", "verbose", "--save"],
    ["--save", "", "--loglevel", "verbose"],
    ["--loglevel", "verbose", "--save", ""],
  ]) {
    expect(values(argv, "save", "loglevel")).toEqual(["", "verbose"]);
  }
});

test("a value may start with --", () => {
  const title = "proc-title-template";
  expect(values([`--${title}`, "--my--title", "--hz", "20"], title, "hz")).toEqual([
    "--my--title",
    "20",
  ]);
  expect(values([`--${title} --my--title`, "--hz 20"], title, "hz")).toEqual(["--my--title", "20"]);
  expect(values([`--${title}`, "--save", "--save", ""], title, "save")).toEqual(["--save", ""]);
});

test("several values, separate or in one argument", () => {
  const separate = ["--shutdown-on-sigint", "nosave", "force", "now"];
  const argv = [...separate, "--shutdown-on-sigterm", "nosave force"];
  expect(values(argv, "shutdown-on-sigint", "shutdown-on-sigterm")).toEqual([
    "nosave now force",
    "nosave force",
  ]);
});

test("file name and standard input", () => {
  expect(parseCommandLine([])).toEqual({ fileName: null, readsStandardInput: false, lines: "" });
  expect(parseCommandLine(["-"]).readsStandardInput).toBe(true);
  expect(parseCommandLine(["f", "--port", "1", "-"])).toEqual({
    fileName: "f",
    readsStandardInput: true,
    lines: 'port "1" ',
  });
  expect(parseCommandLine(["f", "--logfile", "-", "--port", "1"])).toEqual({
    fileName: "f",
    readsStandardInput: false,
    lines: 'logfile "-" \nport "1" ',
  });
});

test("wrong options end in a fatal error", () => {
  for (const argv of [["--nothing", "1"], ["--port"], ["-p", "1"]]) {
    const { lines } = parseCommandLine(argv);
    const fatal = loadFromMemory(memoryConfig().config, { argumentLines: lines });
    expect(fatal).toContain("FATAL CONFIG FILE ERROR");
  }
});

test("environment", () => {
  const environment = {
    BUNSEN_MAXMEMORY_POLICY: "allkeys-lru",
    BUNSEN_save: "1 2",
    BUNSEN_REQUIREPASS: "a b\u00e9",
    BUNSEN_SLAVE_PRIORITY: "7",
    BUNSEN_PEERS: "/x",
    PORT: "1",
  };
  const { lines, unknown } = parseEnvironment(environment);
  const { config } = memoryConfig();
  expect(loadFromMemory(config, { environmentLines: lines })).toBeNull();
  expect(unknown).toEqual(["BUNSEN_PEERS"]);
  expect(config.string("maxmemory-policy")).toBe("allkeys-lru");
  expect(config.string("save")).toBe("1 2");
  expect(config.string("requirepass")).toBe("a b\xc3\xa9");
  expect(config.int("replica-priority")).toBe(7);
  expect(config.int("port")).toBe(6379);
});
