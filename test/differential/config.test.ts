/**
 * The configuration engine against the reference server: defaults, the reply to good and bad values
 * of every directive that both know, several values at once, and the file after CONFIG REWRITE.
 *
 * Our side is the engine itself, not a server: it answers with the same texts.
 */

import { expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseCommandLine } from "../../src/runtime/config/command-line.ts";
import { loadConfig } from "../../src/runtime/config/config-file.ts";
import { Config } from "../../src/runtime/config/config.ts";
import { type Directive, Flag, hasFlag, isNumeric } from "../../src/runtime/config/directive.ts";
import { DIRECTIVE_NAMES, findDirective } from "../../src/runtime/config/directives.ts";
import { rewriteConfigText } from "../../src/runtime/config/rewrite.ts";
import { describeWithPeers, getPeer } from "../support/peers.ts";
import { formatReply, itemsOf, type Reply } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { useServer } from "../support/server-process.ts";

/** Directives that only one side has, or whose default differs on purpose. */
const DIFFERENT_DEFAULTS: Readonly<Record<string, string>> = {
  "syslog-ident": "names the program",
  maxclients: "the reference lowers it to what the process may open",
  "io-threads-do-reads": "8.1 only accepts it in files",
};

/** Names that only the newer reference (8.1) or Redis 7 and 8 have, or that are ours. */
const UNKNOWN_TO_PEER: ReadonlySet<string> = new Set([
  "active-defrag-cycle-us",
  "cluster-announce-client-ipv4",
  "cluster-manual-failover-timeout",
  "cluster-blacklist-ttl",
  "cluster-compatibility-sample-ratio",
  "cluster-slot-stats-enabled",
  "commandlog-execution-slower-than",
  "commandlog-large-reply-max-len",
  "commandlog-large-request-max-len",
  "commandlog-reply-larger-than",
  "commandlog-request-larger-than",
  "commandlog-slow-execution-max-len",
  "crash-on-internal-error",
  "debug-context",
  "hide-user-data-from-log",
  "import-mode",
  "lazyexpire-nested-arbitrary-keys",
  "log-format",
  "log-timestamp-format",
  "lookahead",
  "lua-enable-insecure-api",
  "rdb-version",
  "rdb-version-check",
  "rdma-bind",
  "rdma-completion-vector",
  "rdma-port",
  "rdma-rx-size",
  "repl-rdb-channel",
  "replica-full-sync-buffer-limit",
]);

/** Good values of these would disturb the reference or depend on the machine. */
const ONLY_BAD_VALUES: ReadonlySet<string> = new Set([
  "appendonly",
  "bind",
  "bind-source-addr",
  "cluster-announce-human-nodename",
  "maxclients",
  "maxmemory-clients",
  "oom-score-adj",
  "oom-score-adj-values",
  "port",
  "requirepass",
  "tls-port",
  "watchdog-period",
]);

/** Shown for a pattern by the older reference, hidden in 8.1. */
const HIDDEN_SINCE = "events-per-io-thread";

/** Values whose answer differs on purpose. */
const EXEMPT: Readonly<Record<string, string>> = {
  activedefrag: "the reference refuses it unless it was built with its own allocator",
  "repl-diskless-load": "8.1 has one mode more",
  "syslog-ident": "names the program",
  "tls-cluster": "depends on how the reference was built",
  "tls-replication": "depends on how the reference was built",
};

function host(folder: string) {
  return {
    currentDirectory: () => folder,
    changeDirectory: (path: string) => (path === folder ? null : "No such file or directory"),
    warn: () => {},
  };
}

function configOf(folder: string, text: string): Config {
  const config = new Config(host(folder));
  const fatal = loadConfig(config, {
    files: { read: () => ({ text }), glob: () => [] },
    fileName: "server.conf",
    standardInput: null,
    environmentLines: "",
    argumentLines: "",
    version: "0.0.0",
  });
  expect(fatal).toBeNull();
  return config;
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

/** The text of a reply, one character per byte. */
function textOf(reply: Reply): string {
  if (reply.type === "bulk") return Buffer.from(reply.bytes).toString("latin1");
  return "text" in reply ? reply.text : formatReply(reply);
}

/** Directives both know, with the text of the reference's values. */
async function peerValues(client: RespClient): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  const items = itemsOf(await client.must("CONFIG", "GET", "*")).map(textOf);
  for (let i = 0; i < items.length; i += 2) values.set(items[i], items[i + 1]);
  for (const { name } of DIRECTIVE_NAMES.values()) {
    if (values.has(name)) continue;
    const exact = itemsOf(await client.must("CONFIG", "GET", name)).map(textOf);
    if (exact.length === 2) values.set(name, exact[1]);
  }
  return values;
}

const LARGE = ["9223372036854775807", "9223372036854775808", "18446744073709551615"];
const NUMBERS = ["", "abc", "-1", "0", "1", "1 ", " 1", "01", "+1", "1.5", "0x1", "1\n", "-0"];
const AMOUNTS = ["1kb", "1KB", "7k", "2Gb", "3g", "10m", "10mB", "5b", "1x", "mb", "-1mb", "1 mb"];
const HUGE = ["99999999999999999999", "99999999999999999999gb", "9".repeat(127), "9".repeat(128)];
const PERCENTS = ["5%", "100%", "101%", "-5%", "%", "0%", "5.5%"];
const TEXTS = ["", "x", "two words", 'quote " and \\', "tab\t", "\xff\x00tail", "a/b", "a.b-c"];

const SPECIAL_VALUES: Readonly<Record<string, readonly string[]>> = {
  save: [
    "",
    "900 1",
    "900 1 300 10",
    "1",
    "0 1",
    "1 -1",
    "a b",
    "1 ",
    "1  2",
    " 1 2",
    "1 3000000000",
  ],
  "client-output-buffer-limit": [
    "",
    "normal 1gb 1gb 1",
    "slave 1gb 512mb 60 pubsub 1gb 1k 5",
    "REPLICA 0 0 0",
    "replica 1 2",
    "master 0 0 0",
    "nobody 0 0 0",
    "normal x 0 0",
    "normal 0 0 -1",
    "normal 0 0 1s",
  ],
  "notify-keyspace-events": ["", "KEA", "AKEmn", "An", "g$lshzxetdnKEm", "Kx", "q", "K E", "a"],
  bind: [],
  "rdma-bind": [],
  "oom-score-adj-values": ["", "1 2", "a b c", "1 2 3000", "-2001 0 0", "1  2"],
  "latency-tracking-info-percentiles": [
    "",
    "50",
    "0.1 99.99 100",
    "100.1",
    "-1",
    "x",
    "inf",
    "nan",
    "0x10",
    "1e1",
    "33.3333333",
    ".5",
    "5.",
    "1  2",
  ],
  dir: ["", "/does/not/exist"],
  replicaof: ["no one", "x"],
  "locale-collate": ["", "C", "nowhere"],
  "proc-title-template": [
    "",
    "{title}",
    "{title} {port}",
    "{nothing}",
    "{",
    "{title",
    "{{x",
    "{server-mode}",
    "plain",
    "  ",
  ],
  "cluster-announce-hostname": ["", "a.b-c", "a_b", "a".repeat(255), "a".repeat(256)],
  "cluster-announce-client-ipv4": ["", "1.2.3.4", "1.2.3", "01.2.3.4", "::1"],
  "cluster-announce-client-ipv6": ["", "::1", "1.2.3.4", "fe80::1%eth0"],
};

function candidates(row: Directive): readonly string[] {
  const special = SPECIAL_VALUES[row.name];
  if (special !== undefined) return special;
  if (row.kind === "bool") return ["yes", "no", "YES", "nO", "", "1", "true", "yes ", "no\0x"];
  if (row.kind === "string") return TEXTS;
  if (isNumeric(row)) {
    const min = BigInt(row.min);
    const max = BigInt(row.max);
    const bounds = [min - 1n, min, max, max + 1n, (min + max) / 2n].map(String);
    const units = row.unit === undefined ? [] : [...AMOUNTS, ...PERCENTS, ...HUGE];
    return [...NUMBERS, ...LARGE, ...bounds, ...units];
  }
  if (!("values" in row)) throw new Error(`no values to try for ${row.name}`);
  const names = row.values.map(([name]) => name);
  const lists = [names.join(" "), names.slice(-2).join(" ")];
  return [...names, names[0].toUpperCase(), "", "bogus", ...lists];
}

describeWithPeers("configuration", ["valkey-server"], () => {
  const server = useServer({
    program: "valkey-server",
    directives: {
      "#": ["a comment", "another: comment"],
      "enable-protected-configs": "yes",
      "MaxMemory-Policy": "allkeys-lru",
      "slave-priority": ["90", "80"],
      "client-output-buffer-limit": ["pubsub 16mb 4mb 30", "normal 0 0 0"],
      save: ["900 1", '"300 10 60 5"'],
      " ": ["", ""],
      "list-max-ziplist-size": "-3",
      requirepass: '""',
      unixsocketperm: "700",
      "rename-command": 'MEMORY "renamed memory"',
      "shutdown-on-sigterm": "now force",
      "proc-title-template": "'{title} x'",
      maxmemory: "1gb",
      user: "alice on nopass ~* &* +@all",
      "lua-replicate-commands": "yes",
      timeout: "0",
    },
  });
  const plain = useServer({ program: "valkey-server", directives: {} });

  async function ourConfig(peer = server()): Promise<Config> {
    return configOf(peer.folder, await readFile(join(peer.folder, "server.conf"), "latin1"));
  }

  test("every default is the reference's", async () => {
    const config = await ourConfig(plain());
    const client = await plain().connect();
    const theirs = await peerValues(client);
    client.close();
    const problems: string[] = [];
    for (const [name, value] of theirs) {
      if (name in DIFFERENT_DEFAULTS) continue;
      const [, ours] = config.get([name]);
      if (ours !== value) problems.push(`${name}: ours '${ours}', reference '${value}'`);
    }
    for (const { row, isAlias } of DIRECTIVE_NAMES.values()) {
      if (isAlias || UNKNOWN_TO_PEER.has(row.name) || theirs.has(row.name)) continue;
      problems.push(`${row.name}: unknown to the reference`);
    }
    expect(problems).toEqual([]);
    expect(theirs.size).toBeGreaterThan(200);
  });

  test("a configuration file means the same", async () => {
    const config = await ourConfig();
    const client = await server().connect();
    const problems: string[] = [];
    for (const [name, value] of await peerValues(client)) {
      if (name in DIFFERENT_DEFAULTS) continue;
      const [, ours] = config.get([name]);
      if (ours !== value) problems.push(`${name}: ours '${ours}', reference '${value}'`);
    }
    client.close();
    expect(problems).toEqual([]);
  });

  test("every value of every directive gets the reference's answer", async () => {
    const config = await ourConfig();
    const client = await server().connect();
    const initial = await peerValues(client);
    const options = { isLocalClient: true, loadingError: null };
    const problems: string[] = [];
    let tried = 0;
    for (const [name, before] of initial) {
      const row = findDirective(name)?.row;
      if (row === undefined || name in EXEMPT) continue;
      for (const value of candidates(row)) {
        const error = config.set([name, value], options);
        const [, ours] = config.get([name]);
        if (error === null && ONLY_BAD_VALUES.has(row.name)) {
          config.assign(name, before);
          continue;
        }
        const theirs = await client.command("CONFIG", "SET", name, bytes(value));
        const got = itemsOf(await client.must("CONFIG", "GET", name)).map(textOf)[1];
        tried++;
        const answer = error ?? "OK";
        if (answer !== textOf(theirs) || ours !== got) {
          problems.push(
            `${name} '${value}'\n  ours ${answer} -> '${ours}'` +
              `\n  reference ${textOf(theirs)} -> '${got}'`,
          );
        }
        if (error === null) {
          config.assign(name, before);
          await client.must("CONFIG", "SET", name, bytes(before));
        }
      }
    }
    client.close();
    expect(problems).toEqual([]);
    expect(tried).toBeGreaterThan(2000);
  }, 60_000);

  test("several values at once: answers and results", async () => {
    const config = await ourConfig();
    const client = await server().connect();
    const scripts: readonly (readonly string[])[] = [
      ["maxmemory", "10mb", "hz", "20"],
      ["maxmemory", "20mb", "hz", "x"],
      ["hz", "30", "maxmemory-clients", "200%", "timeout", "x"],
      ["hz", "10", "hz", "20"],
      ["hz", "10", "HZ", "20"],
      ["replica-priority", "1", "slave-priority", "2"],
      ["hz", "40", "nothing", "1"],
      ["nothing", "1", "daemonize", "yes"],
      ["daemonize", "yes", "nothing", "1"],
      ["Daemonize", "yes"],
      ["save", "1 1", "dir", "/does/not/exist"],
      ["MAXMEMORY-samples", "0"],
      ["slave-Priority", "x"],
      ["hz"],
      ["hz", "10", "timeout"],
      ["maxmemory", "1gb", "hz", "10", "replica-priority", "80", "save", "900 1 300 10 60 5"],
    ];
    for (const pairs of scripts) {
      const ours = config.set(pairs, { isLocalClient: true, loadingError: null }) ?? "OK";
      const theirs = textOf(await client.command("CONFIG", "SET", ...pairs));
      // One argument alone is refused by the arity check, before the engine.
      if (pairs.length > 1) expect(`${pairs}: ${ours}`).toBe(`${pairs}: ${theirs}`);
      const names = ["hz", "maxmemory", "save", "replica-priority", "timeout"];
      const got = await client.must("CONFIG", "GET", ...names);
      expect(sortedPairs(config.get(names))).toEqual(sortedPairs(itemsOf(got).map(textOf)));
    }
    client.close();
  });

  test("CONFIG GET: patterns, letters of either case, aliases, hidden names", async () => {
    const config = await ourConfig();
    const client = await server().connect();
    for (const patterns of [
      ["maxmemory*", "MAXMEMORY", "*of"],
      ["MaxMemory", "maxmemory"],
      ["TimeOut", "time*"],
      ["*slave*", "replica-priority"],
      ["key-load-delay"],
      ["key-load-dela?"],
      ["KEY-load-delay", "*"],
      ["nothing", "[abc]ind"],
      ["h[^a-y]", "\\port", "por[t]"],
    ]) {
      const theirs = itemsOf(await client.must("CONFIG", "GET", ...patterns)).map(textOf);
      const ours = config.get(patterns);
      const known = (pair: readonly [string, string]) =>
        pair[0] !== HIDDEN_SINCE &&
        !(pair[0].toLowerCase() in DIFFERENT_DEFAULTS) &&
        !UNKNOWN_TO_PEER.has(findDirective(pair[0])?.row.name ?? "");
      const theirPairs = sortedPairs(theirs).filter(known);
      expect(sortedPairs(ours).filter(known)).toEqual(theirPairs);
    }
    client.close();
  });

  test("CONFIG REWRITE writes the reference's file", async () => {
    const config = await ourConfig();
    const client = await server().connect();
    const path = join(server().folder, "server.conf");
    const changes = ["maxmemory", "1536mb", "maxmemory-clients", "5%"];
    const more = ["save", "", "masterauth", 'p"w\x01 \\', "hz", "50", "slave-read-only", "no"];
    const limits = [
      "client-output-buffer-limit",
      "replica 1gb 0 7",
      "notify-keyspace-events",
      "KEA",
      "bind",
      "127.0.0.1 -::1",
    ];
    for (const pairs of [changes, more, limits, ["save", "7 8"], ["timeout", "5", "hz", "10"]]) {
      const before = await readFile(path, "latin1");
      expect(config.set(pairs, { isLocalClient: true, loadingError: null })).toBeNull();
      await client.must("CONFIG", "SET", ...pairs);
      await client.must("CONFIG", "REWRITE");
      const users = itemsOf(await client.must("ACL", "LIST")).map(textOf);
      const ours = rewriteConfigText(before, config, {
        users: users.map((user) => user.replace(/^user /, "")),
        forcesAll: false,
      });
      expect(comparable(ours)).toEqual(comparable(await readFile(path, "latin1")));
    }
    client.close();
  });

  test("a bad line of a file or of the command line gets the reference's fatal error", async () => {
    const path = join(plain().folder, "bad.conf");
    for (const text of BAD_FILES) {
      await writeFile(path, text, "latin1");
      expect(ourFatal(text, [])).toBe(theirFatal([path]));
    }
    await writeFile(path, "hz 10\n");
    for (const argv of BAD_COMMAND_LINES) {
      expect(ourFatal("hz 10\n", argv)).toBe(theirFatal([path, ...argv]));
    }
  });

  test("flags agree: immutable directives", async () => {
    const client = await plain().connect();
    const problems: string[] = [];
    for (const [name, value] of await peerValues(client)) {
      const row = findDirective(name)?.row;
      if (row === undefined || !hasFlag(row, Flag.Immutable)) continue;
      const reply = textOf(await client.command("CONFIG", "SET", name, value));
      if (!reply.endsWith("can't set immutable config")) problems.push(`${name}: ${reply}`);
    }
    client.close();
    expect(problems).toEqual([]);
  });
});

const BAD_FILES: readonly string[] = [
  "# c\n\n  nothing   at all \n",
  "port",
  "PORT 1 2",
  'logfile "x',
  "logfile 'x'y",
  "appendonly maybe",
  "port 70000",
  "maxmemory 1x",
  "maxmemory-clients 101%",
  "unixsocketperm 888",
  "unixsocketperm 1000",
  "loglevel loud",
  "maxmemory-policy",
  "shutdown-on-sigterm save nosave",
  "shutdown-on-sigterm 'a",
  "replicaof h",
  "replicaof h x",
  "replicaof h 70000",
  "slaveof no one\nsave 1",
  "save 0 1",
  "client-output-buffer-limit normal 1 2",
  "client-output-buffer-limit master 1 2 3",
  "notify-keyspace-events q",
  "oom-score-adj-values 1 2",
  "latency-tracking-info-percentiles x",
  "dbfilename a/b",
  "dbfilename ''",
  "dir ''",
  "include",
  "include a b",
  "rename-command GET",
  "sentinel monitor x",
  "module.value",
  "list-max-ziplist-entries 1 2",
  "proc-title-template {x}",
  "bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
  "cluster-enabled yes\nreplicaof h 1",
];

const BAD_COMMAND_LINES: readonly (readonly string[])[] = [
  ["--port"],
  ["--port", "--hz", "1"],
  ["--port 1 2"],
  ["-p", "1"],
  ["--hz", "1", "2"],
  ["--nothing", "a b", 'c"d'],
  ["--maxmemory", "1x", "--hz", "2"],
  ["--save", "--nothing"],
  ["--save", "1"],
  ["--loglevel", "debug", "stray"],
];

/** What we would print before giving up, without the title line that names the program. */
function ourFatal(text: string, argv: readonly string[]): string {
  const { lines } = parseCommandLine(["file", ...argv]);
  const fatal = loadConfig(new Config(host("/")), {
    files: { read: () => ({ text }), glob: () => [] },
    fileName: "file",
    standardInput: null,
    environmentLines: "",
    argumentLines: lines,
    version: "0.0.0",
  });
  return withoutTitle(fatal ?? "accepted");
}

function theirFatal(argv: readonly string[]): string {
  const run = Bun.spawnSync([getPeer("valkey-server"), ...argv], { timeout: 5000 });
  return withoutTitle(run.stderr.toString("latin1"));
}

function withoutTitle(text: string): string {
  return text.replace(/ERROR \(.*\) \*/, "ERROR *");
}

function sortedPairs(items: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < items.length; i += 2) pairs.push([items[i], items[i + 1]]);
  return pairs.sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

/** The kept part in order, and the appended part sorted: its order is the hash table's there. */
function comparable(text: string): { kept: string[]; appended: string[] } {
  const lines = text.split("\n");
  const signature = lines.indexOf("# Generated by CONFIG REWRITE");
  const end = signature < 0 ? lines.length : signature;
  return { kept: lines.slice(0, end), appended: lines.slice(end).sort() };
}
