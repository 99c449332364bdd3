/** Configuration files: lines, includes, declarations, sources in order, fatal errors. */
import { expect, test } from "bun:test";
import { loadFromMemory, memoryConfig } from "../../../support/memory-config.ts";

function load(text: string) {
  const { config, warnings } = memoryConfig();
  const fatal = loadFromMemory(config, { files: { f: text }, fileName: "f" });
  return { config, fatal, warnings };
}

function fatalAt(line: number, text: string, error: string): string {
  return (
    "\n*** FATAL CONFIG FILE ERROR (Bunsen 1.2.3) ***\n" +
    `Reading the configuration file, at line ${line}\n>>> '${text}'\n${error}\n`
  );
}

test("blank lines, comments, quotes, escapes, letters of either case", () => {
  const { config, fatal } = load(
    '# port 1\r\n\n  PORT 7000 \r\n\tlogfile "a\\x41\\n"\nrequirepass \'it\\\'s\'\nunixsocket ""',
  );
  expect(fatal).toBeNull();
  expect(config.get(["port", "logfile", "requirepass", "unixsocket"])).toEqual([
    "port",
    "7000",
    "logfile",
    "aA\n",
    "requirepass",
    "it's",
    "unixsocket",
    "",
  ]);
});

test("save: the first line replaces the defaults, further lines add, empty drops all", () => {
  expect(load("save 900 1\nsave 300 10 60 5").config.string("save")).toBe("900 1 300 10 60 5");
  expect(load('save 900 1\nsave ""').config.string("save")).toBe("");
  expect(load('save ""\nsave 1 2').config.string("save")).toBe("1 2");
  expect(load("save '900 1 300 10'").config.string("save")).toBe("900 1 300 10");
  expect(load("port 1").config.string("save")).toBe("3600 1 300 100 60 10000");
});

test("multi-argument directives as separate or as one quoted argument", () => {
  const { config, fatal } = load(
    'bind "10.0.0.1 -::1"\nclient-output-buffer-limit slave 1mb 0 0\nshutdown-on-sigint nosave now',
  );
  expect(fatal).toBeNull();
  expect(config.list("bind")).toEqual(["10.0.0.1", "-::1"]);
  expect(config.outputBufferLimits().replica.hardBytes).toBe(1 << 20);
  expect(config.outputBufferLimits().pubsub.hardBytes).toBe(32 << 20);
  expect(config.list("shutdown-on-sigint")).toEqual(["nosave", "now"]);
});

test("fatal errors name the line", () => {
  const bad = "Bad directive or wrong number of arguments";
  const cases: readonly (readonly [text: string, line: number, shown: string, error: string])[] = [
    ["port 1\n nothing  at all ", 2, "nothing  at all", bad],
    ["port", 1, "port", "wrong number of arguments"],
    ["port 1 2", 1, "port 1 2", "wrong number of arguments"],
    ['\n\nport "1', 3, 'port "1', "Unbalanced quotes in configuration line"],
    ["appendonly maybe", 1, "appendonly maybe", "argument must be 'yes' or 'no'"],
    ["port 70000", 1, "port 70000", "argument must be between 0 and 65535 inclusive"],
    ["unixsocketperm 8", 1, "unixsocketperm 8", "argument couldn't be parsed as an octal number"],
    ["lfu-decay-time 1s", 1, "lfu-decay-time 1s", "argument couldn't be parsed into an integer"],
    ["replicaof h", 1, "replicaof h", "wrong number of arguments"],
    ["replicaof h x", 1, "replicaof h x", "Invalid primary port"],
    ["dir /nowhere", 1, "dir /nowhere", "No such file or directory"],
    ["include", 1, "include", bad],
    ["rename-command GET", 1, "rename-command GET", bad],
    ["sentinel monitor", 1, "sentinel monitor", "sentinel directive while not in sentinel mode"],
    ["mod.value", 1, "mod.value", "Module config specified without value"],
    ["list-max-ziplist-entries 1 2", 1, "list-max-ziplist-entries 1 2", bad],
  ];
  for (const [text, line, shown, error] of cases) {
    expect(load(text).fatal).toBe(fatalAt(line, shown, error));
  }
});

test("obsolete directives are accepted", () => {
  const text = "lua-replicate-commands yes\nio-threads-do-reads yes\ndynamic-hz no\nlookahead 4";
  expect(load(text).fatal).toBeNull();
});

test("declarations are collected and may be checked", () => {
  const { config, fatal } = load(
    'user alice on +@all\nrename-command FLUSHALL ""\nloadmodule /m.so a b\nm.x 1 2\nsentinel',
  );
  expect(fatal).toBeNull();
  expect(config.declarations).toEqual({
    users: [["alice", "on", "+@all"]],
    renamedCommands: [{ from: "FLUSHALL", to: "" }],
    modules: [{ path: "/m.so", args: ["a", "b"] }],
    moduleValues: [{ name: "m.x", value: "1 2" }],
    wantsSentinel: true,
  });
  const checked = loadFromMemory(memoryConfig().config, {
    argumentLines: "rename-command NOPE x",
    checkRename: (from, to) => (from === "NOPE" && to === "x" ? "No such command" : null),
  });
  expect(checked).toBe(fatalAt(2, "rename-command NOPE x", "No such command"));
  const user = loadFromMemory(memoryConfig().config, {
    argumentLines: "user bob bad",
    checkUser: (args) => `Error in user declaration '${args[1]}': Syntax error`,
  });
  expect(user).toBe(fatalAt(2, "user bob bad", "Error in user declaration 'bad': Syntax error"));
});

test("include: files, patterns, missing files, endless nesting", () => {
  const { config } = memoryConfig();
  const files = {
    main: "port 1\ninclude sub\nhz 20\ninclude dir/*\ninclude none/*",
    sub: "port 2\nhz 30",
    "dir/a": "timeout 1\n",
    "dir/b": "timeout 2\n",
    loop: "include loop",
    bad: "port 1\ninclude broken",
    broken: "\n\nport x",
    missing: "include gone",
  };
  expect(loadFromMemory(config, { files, fileName: "main" })).toBeNull();
  expect(config.get(["port", "hz", "timeout"])).toEqual(["port", "2", "hz", "20", "timeout", "2"]);
  expect(loadFromMemory(config, { files, fileName: "missing" })).toBe(
    "Fatal error, can't open config file 'gone': No such file or directory",
  );
  expect(loadFromMemory(config, { files, fileName: "bad" })).toBe(
    fatalAt(3, "port x", "argument couldn't be parsed into an integer"),
  );
  expect(loadFromMemory(config, { files, fileName: "loop" })).toContain("Too many nested includes");
  expect(loadFromMemory(config, { files, fileName: "none" })).toContain("can't open config file");
});

test("sources: file, standard input, environment, command line; the last one wins", () => {
  const { config } = memoryConfig();
  const fatal = loadFromMemory(config, {
    files: { f: "port 1\nhz 11\ntimeout 1\nmaxclients 11\n" },
    fileName: "f",
    standardInput: "hz 12\ntimeout 2\nmaxclients 12",
    environmentLines: "timeout 3\nmaxclients 13",
    argumentLines: "maxclients 14",
  });
  expect(fatal).toBeNull();
  expect(["port", "hz", "timeout", "maxclients"].map((name) => config.int(name))).toEqual([
    1, 12, 3, 14,
  ]);
});

test("cluster mode: one database, no replicaof", () => {
  const { config, fatal, warnings } = load("cluster-enabled yes\ndatabases 4");
  expect(fatal).toBeNull();
  expect(config.int("databases")).toBe(1);
  expect(warnings[0]).toContain("Changing databases number from 4 to 1");
  expect(load("cluster-enabled yes\nreplicaof h 1").fatal).toBe(
    "\n*** FATAL CONFIG FILE ERROR (Bunsen 1.2.3) ***\n" +
      "replicaof directive not allowed in cluster mode\n",
  );
});
