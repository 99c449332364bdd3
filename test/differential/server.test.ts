/** Server commands: configuration, introspection and counters, against the reference server. */
import { expect, test } from "bun:test";
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers, isStandIn } from "../support/peers.ts";
import { formatReply, isError, itemsOf, textOf, type Reply } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";

/** INFO fields that every client of ours may rely on, by section. */
const INFO_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Server: [
    "redis_version",
    "server_name",
    "valkey_version",
    "redis_git_sha1",
    "redis_mode|server_mode",
    "os",
    "arch_bits",
    "process_id",
    "run_id",
    "tcp_port",
    "server_time_usec",
    "uptime_in_seconds",
    "uptime_in_days",
    "hz",
    "configured_hz",
    "lru_clock",
    "executable",
    "config_file",
  ],
  Clients: [
    "connected_clients",
    "maxclients",
    "blocked_clients",
    "tracking_clients",
    "pubsub_clients",
    "watching_clients",
    "clients_in_timeout_table",
    "total_watched_keys",
    "total_blocking_keys",
  ],
  Memory: [
    "used_memory",
    "used_memory_human",
    "used_memory_rss",
    "used_memory_peak",
    "used_memory_peak_perc",
    "used_memory_overhead",
    "used_memory_startup",
    "used_memory_dataset",
    "total_system_memory",
    "maxmemory",
    "maxmemory_policy",
    "mem_fragmentation_ratio",
    "mem_allocator",
  ],
  Persistence: [
    "loading",
    "rdb_changes_since_last_save",
    "rdb_bgsave_in_progress",
    "rdb_last_save_time",
    "rdb_last_bgsave_status",
    "aof_enabled",
    "aof_rewrite_in_progress",
  ],
  Stats: [
    "total_connections_received",
    "total_commands_processed",
    "instantaneous_ops_per_sec",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "rejected_connections",
    "expired_keys",
    "evicted_keys",
    "keyspace_hits",
    "keyspace_misses",
    "pubsub_channels",
    "pubsub_patterns",
    "total_error_replies",
    "unexpected_error_replies",
    "total_reads_processed",
    "total_writes_processed",
  ],
  Replication: ["role", "connected_slaves", "master_replid", "master_repl_offset"],
  CPU: ["used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children"],
};

/** Rows that 8.1 has with other flags than the reference executable, 8.0. */
const ROWS_CHANGED_IN_8_1: ReadonlySet<string> = new Set([
  "memory|malloc-stats",
  "memory|purge",
  "exec",
]);

describeWithPeers("server commands", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("CONFIG GET", (c) => {
    c.do("CONFIG", "GET", "maxmemory");
    c.do("CONFIG", "GET", "MAXMEMORY");
    c.do("CONFIG", "GET", "none such");
    c.do("CONFIG", "GET", "maxmemory-policy");
    c.sorted("CONFIG", "GET", "maxmemory*");
    c.sorted("CONFIG", "GET", "hash-max-*");
    c.sorted("CONFIG", "GET", "maxmemory", "hz", "maxmemory");
    c.sorted("CONFIG", "GET", "h[xyz]", "none");
    for (const name of [
      "appendonly",
      "appendfsync",
      "save",
      "databases",
      "timeout",
      "tcp-keepalive",
      "hz",
      "maxclients",
      "lfu-log-factor",
      "proto-max-bulk-len",
      "client-query-buffer-limit",
      "client-output-buffer-limit",
      "notify-keyspace-events",
      "list-max-listpack-size",
      "set-max-intset-entries",
      "zset-max-listpack-value",
      "loglevel",
      "requirepass",
      "slowlog-max-len",
      "slowlog-log-slower-than",
      "latency-monitor-threshold",
      "lazyfree-lazy-user-del",
      "bind",
      "unixsocket",
      "protected-mode",
      "tcp-backlog",
      "dbfilename",
      "rdbcompression",
      "io-threads",
      "daemonize",
      "appendfilename",
      "repl-backlog-size",
      "replica-read-only",
      "slave-read-only",
      "cluster-enabled",
      "list-max-ziplist-size",
    ]) {
      c.do("CONFIG", "GET", name);
    }
  });

  suite.test("CONFIG SET", (c) => {
    // Each: directive, values that are taken, values at the edge (taken or refused alike).
    const settings: readonly (readonly [string, readonly string[], readonly string[]])[] = [
      [
        "maxmemory",
        ["100mb", "1GB", "1g", "1k", "1kb", "1000", "0"],
        ["-1", "abc", "1x", "", "1.5g", "1 mb"],
      ],
      ["maxmemory-policy", ["allkeys-lru", "VOLATILE-TTL", "noeviction"], ["bad", ""]],
      ["hash-max-listpack-entries", ["10", "512"], ["-1", "abc", "9223372036854775808"]],
      ["hash-max-ziplist-entries", ["10", "512"], ["abc"]],
      ["slowlog-max-len", ["10", "128"], ["-1", "abc"]],
      ["slowlog-log-slower-than", ["-1", "0", "10000"], ["abc", "-2"]],
      ["timeout", ["10", "0"], ["-1", "abc"]],
      ["tcp-keepalive", ["0", "300"], ["-1"]],
      ["hz", ["100", "1000", "10"], ["abc"]],
      ["lazyfree-lazy-user-del", ["yes", "NO", "yes"], ["maybe", "1", ""]],
      ["loglevel", ["debug", "notice"], ["loud"]],
      ["notify-keyspace-events", ["KEA", "Kx", "AKE", "g$lshzxetdmn", "Kg$", ""], ["q"]],
      [
        "client-output-buffer-limit",
        ["normal 0 0 0", "pubsub 33554432 8388608 60", "replica 256mb 64mb 60 pubsub 32mb 8mb 60"],
        ["normal", "bad 1 2 3", "normal a b c", "normal 1 2"],
      ],
      ["save", ["100 1", "3600 1 300 100", ""], ["abc", "1", "-1 1", "1 -1"]],
      ["appendfsync", ["always", "everysec"], ["sometimes"]],
      ["proto-max-bulk-len", ["1mb", "512mb"], ["1000", "abc"]],
      ["client-query-buffer-limit", ["2mb", "1gb"], ["abc"]],
      ["maxmemory-samples", ["1", "64", "5"], ["0", "65"]],
      ["list-max-listpack-size", ["-5", "128", "-2"], ["abc"]],
      ["latency-tracking-info-percentiles", ["50 99", "50 99 99.9"], ["101", "abc", "-1"]],
      ["rdbcompression", ["no", "yes"], ["2"]],
    ];
    for (const [name, good, edge] of settings) {
      for (const value of good) {
        c.do("CONFIG", "SET", name, value);
        c.do("CONFIG", "GET", name);
      }
      for (const value of edge) {
        c.either("CONFIG", "SET", name, value);
        c.do("CONFIG", "GET", name);
      }
      c.do("CONFIG", "SET", name, good[good.length - 1]);
    }
    // Back to the defaults: other tests compare them.
    c.do("CONFIG", "SET", "lazyfree-lazy-user-del", "no");
  });

  suite.test("CONFIG SET of several, all or none", (c) => {
    c.do("CONFIG", "SET", "maxmemory-samples", "7", "hash-max-listpack-value", "70");
    c.do("CONFIG", "GET", "maxmemory-samples");
    c.fail("CONFIG", "SET", "maxmemory-samples", "8", "hash-max-listpack-value", "abc");
    c.do("CONFIG", "GET", "maxmemory-samples");
    c.fail("CONFIG", "SET", "maxmemory-samples", "8", "none such", "1");
    c.fail("CONFIG", "SET", "maxmemory-samples", "8", "maxmemory-samples", "9");
    c.fail("CONFIG", "SET", "maxmemory-samples", "8", "hz");
    c.do("CONFIG", "GET", "maxmemory-samples");
    c.do("CONFIG", "SET", "maxmemory-samples", "5", "hash-max-listpack-value", "64");
    c.fail("CONFIG", "SET", "none such", "1");
    c.fail("CONFIG", "SET", "databases", "32");
    c.fail("CONFIG", "SET", "daemonize", "yes");
    c.fail("CONFIG", "SET", "maxmemory");
    c.fail("CONFIG", "SET");
    c.fail("CONFIG", "RESETSTAT", "x");
    c.do("CONFIG", "RESETSTAT");
    c.fail("CONFIG", "REWRITE", "x");
    c.do("CONFIG", "HELP");
  });

  suite.test("COMMAND", (c) => {
    for (const name of [
      "get",
      "set",
      "del",
      "mset",
      "config",
      "ping",
      "incr",
      "client",
      "object",
      "copy",
      "expire",
    ]) {
      c.probe(`COMMAND INFO ${name}`, (client) => commandInfo(client, name));
    }
    c.do("COMMAND", "INFO", "none-such");
    c.do("COMMAND", "INFO", "config|none");
    c.do("COMMAND", "GETKEYS", "GET", "k");
    c.do("COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2");
    c.do("COMMAND", "GETKEYS", "MGET", "a", "b", "c");
    c.do("COMMAND", "GETKEYS", "COPY", "a", "b");
    c.do("COMMAND", "GETKEYS", "SET", "k", "v", "EX", "10");
    c.do("COMMAND", "GETKEYS", "OBJECT", "ENCODING", "k");
    c.do("COMMAND", "GETKEYSANDFLAGS", "SET", "k", "v");
    c.do("COMMAND", "GETKEYSANDFLAGS", "GET", "k");
    c.do("COMMAND", "GETKEYSANDFLAGS", "RENAME", "k", "l");
    c.do("COMMAND", "GETKEYSANDFLAGS", "GETDEL", "k");
    c.fail("COMMAND", "GETKEYS", "PING");
    c.fail("COMMAND", "GETKEYS", "NOSUCH", "a");
    c.fail("COMMAND", "GETKEYS", "GET");
    c.fail("COMMAND", "GETKEYS", "GET", "a", "b");
    c.fail("COMMAND", "GETKEYS");
    c.fail("COMMAND", "GETKEYSANDFLAGS", "PING");
    c.fail("COMMAND", "COUNT", "x");
    c.fail("COMMAND", "NOSUCH");
    c.do("COMMAND", "DOCS", "none-such");
    c.do("COMMAND", "LIST", "FILTERBY", "PATTERN", "none-such*");
    c.do("COMMAND", "LIST", "FILTERBY", "ACLCAT", "none-such");
    c.do("COMMAND", "LIST", "FILTERBY", "MODULE", "none-such");
    c.fail("COMMAND", "LIST", "FILTERBY", "BAD", "x");
    c.fail("COMMAND", "LIST", "FILTERBY", "PATTERN");
    c.fail("COMMAND", "LIST", "BAD");
    c.sorted("COMMAND", "LIST", "FILTERBY", "PATTERN", "incr*");
    c.sorted("COMMAND", "LIST", "FILTERBY", "PATTERN", "GETR*");
    c.do("COMMAND", "HELP");
  });

  test("COMMAND's rows are the reference's, command by command", async () => {
    const [ours, reference] = await Promise.all([
      suite.ours().connect(),
      suite.reference().connect(),
    ]);
    const [mine, theirs] = await Promise.all([commandRows(ours), commandRows(reference)]);
    const differing: string[] = [];
    for (const [name, row] of mine) {
      if (ROWS_CHANGED_IN_8_1.has(name)) continue;
      const expected = theirs.get(name);
      if (expected !== undefined && expected !== row)
        differing.push(`${name}\n  ours:      ${row}\n  reference: ${expected}`);
    }
    ours.close();
    reference.close();
    expect(differing.join("\n")).toBe("");
  });

  test("COMMAND, COMMAND COUNT, COMMAND LIST and COMMAND DOCS agree with each other", async () => {
    const client = await suite.ours().connect();
    const rows = itemsOf(await client.must("COMMAND"));
    const count = Number(textOf(await client.must("COMMAND", "COUNT")));
    const listed = itemsOf(await client.must("COMMAND", "LIST")).map(textOf);
    const documented = itemsOf(await client.must("COMMAND", "DOCS"));
    const names = rows.map((row) => textOf(itemsOf(row)[0])).sort();
    client.close();
    expect(count).toBe(rows.length);
    expect(listed.filter((name) => !name.includes("|")).sort()).toEqual(names);
    expect(
      documented
        .filter((_, i) => i % 2 === 0)
        .map(textOf)
        .sort(),
    ).toEqual(names);
  });

  suite.test("COMMAND DOCS", (c) => {
    for (const name of ["get", "getex", "del", "expire", "copy", "ping", "scan", "lcs"]) {
      c.probe(`COMMAND DOCS ${name}`, async (client) =>
        docsOf(await client.must("COMMAND", "DOCS", name)),
      );
    }
  });

  suite.test("TIME, LASTSAVE, DBSIZE, LOLWUT", (c) => {
    c.sameShape("TIME");
    c.sameShape("LASTSAVE");
    c.do("DBSIZE");
    c.sameShape("LOLWUT");
    c.fail("TIME", "x");
    c.fail("LASTSAVE", "x");
    c.probe("TIME is now", async (client) => {
      const [seconds] = itemsOf(await client.must("TIME")).map((item) => Number(textOf(item)));
      return String(Math.abs(seconds - Date.now() / 1000) < 60);
    });
  });

  suite.test("ROLE, REPLICAOF and WAIT of a lone server", (c) => {
    c.where("role", () => {
      c.do("ROLE");
    });
    c.where("replicaof", () => {
      c.do("REPLICAOF", "NO", "ONE");
      c.fail("REPLICAOF", "host");
      c.fail("REPLICAOF", "host", "abc");
    });
    c.where("wait", () => {
      c.do("WAIT", "0", "0");
      c.fail("WAIT", "abc", "0");
      c.fail("WAIT", "0", "-1");
    });
  });

  suite.test("MEMORY", (c) => {
    c.do("SET", "k", "v");
    c.sameShape("MEMORY", "USAGE", "k");
    c.sameShape("MEMORY", "USAGE", "k", "SAMPLES", "0");
    c.do("MEMORY", "USAGE", "none");
    c.fail("MEMORY", "USAGE", "k", "SAMPLES");
    c.fail("MEMORY", "USAGE", "k", "SAMPLES", "-1");
    c.fail("MEMORY", "USAGE", "k", "SAMPLES", "abc");
    c.fail("MEMORY", "USAGE", "k", "BAD", "1");
    c.fail("MEMORY", "STATS", "x");
    c.do("MEMORY", "HELP");
  });

  suite.test("SLOWLOG", (c) => {
    c.where("slowlog", () => {
      c.do("CONFIG", "SET", "slowlog-log-slower-than", "-1");
      c.do("SLOWLOG", "RESET");
      c.do("SLOWLOG", "LEN");
      c.do("SLOWLOG", "GET");
      c.do("CONFIG", "SET", "slowlog-log-slower-than", "0");
      c.do("SET", "k", "v");
      c.do("CONFIG", "SET", "slowlog-log-slower-than", "-1");
      c.probe("what was logged", async (client) => {
        const entries = itemsOf(await client.must("SLOWLOG", "GET", "10"));
        return entries.map((entry) => formatReply(itemsOf(entry)[3])).join("\n");
      });
      c.do("SLOWLOG", "RESET");
      c.fail("SLOWLOG", "GET", "abc");
      c.fail("SLOWLOG", "GET", "-2");
      c.fail("SLOWLOG", "GET", "1", "2");
      c.do("CONFIG", "SET", "slowlog-log-slower-than", "10000");
    });
  });

  suite.test("LATENCY", (c) => {
    c.where("latency", () => {
      c.do("LATENCY", "RESET");
      c.do("LATENCY", "LATEST");
      c.do("LATENCY", "HISTORY", "none");
      c.fail("LATENCY", "HISTORY");
    });
  });

  suite.test("INFO", (c) => {
    c.do("INFO", "none-such");
    c.do("INFO", "sentinel");
    c.do("INFO", "keyspace");
    c.do("MSET", "a", "1", "b", "2");
    c.do("PEXPIREAT", "a", "4102444800000");
    c.do("SELECT", "7");
    c.do("SET", "c", "3");
    c.probe("keyspace", async (client) =>
      textOf(await client.must("INFO", "KeySpace")).replace(/avg_ttl=[0-9]+/g, "avg_ttl=N"),
    );
    for (const sections of [
      ["server"],
      ["clients", "cpu"],
      ["CPU", "cpu"],
      ["memory", "stats", "none"],
      ["replication", "cluster"],
    ]) {
      c.probe(`sections of INFO ${sections.join(" ")}`, (client) =>
        infoSections(client, ...sections),
      );
    }
  });

  test("INFO's sections and fields", async () => {
    const client = await suite.ours().connect();
    const text = textOf(await client.must("INFO"));
    const everything = textOf(await client.must("INFO", "everything"));
    client.close();
    const missing: string[] = [];
    for (const [section, fields] of Object.entries(INFO_FIELDS)) {
      const body = new RegExp(`(?:^|\\n)# ${section}\\r\\n([^#]*)`).exec(text)?.[1];
      if (body === undefined) missing.push(`# ${section}`);
      for (const field of fields) {
        const found = field
          .split("|")
          .some((name) => new RegExp(`(^|\\n)${name}:[^\\r\\n]*\\r\\n`).test(body ?? ""));
        if (!found) missing.push(`${section}: ${field}`);
      }
    }
    expect(missing).toEqual([]);
    expect(text).toContain("# Keyspace\r\n");
    expect(text).toContain("# Errorstats\r\n");
    expect(text).not.toContain("# Commandstats\r\n");
    expect(everything).toContain("# Commandstats\r\n");
  });

  suite.test("counters of INFO", (c) => {
    c.do("CONFIG", "RESETSTAT");
    c.do("SET", "k", "v");
    c.do("GET", "k");
    c.do("GET", "none");
    c.fail("NOSUCH");
    c.fail("GET");
    c.fail("INCR", "k");
    c.where("lpush", () => c.fail("LPUSH", "k", "v"));
    c.do("EXISTS", "k", "none");
    c.probe("hits and misses", (client) =>
      infoFields(client, "stats", "keyspace_hits", "keyspace_misses", "total_error_replies"),
    );
    c.probe("errorstats", async (client) => textOf(await client.must("INFO", "errorstats")));
    c.probe("commandstats", async (client) =>
      [
        ...textOf(await client.must("INFO", "commandstats")).matchAll(
          /^(cmdstat_(?:get|set|incr|lpush|exists)):calls=([0-9]+),.*(rejected_calls=.*)\r$/gm,
        ),
      ]
        .map((match) => `${match[1]} ${match[2]} ${match[3]}`)
        .sort()
        .join("\n"),
    );
    c.do("CONFIG", "RESETSTAT");
    c.probe("hits and misses", (client) =>
      infoFields(client, "stats", "keyspace_hits", "keyspace_misses", "total_error_replies"),
    );
  });

  suite.test("DEBUG", (c) => {
    c.fail("DEBUG");
    c.do("DEBUG", "SLEEP", "0");
    c.do("DEBUG", "SET-ACTIVE-EXPIRE", "1");
    c.do("DEBUG", "DIGEST");
    c.do("MSET", "a", "123456", "b", "text", "c", "x".repeat(100));
    c.do("DEBUG", "DIGEST");
    c.do("DEBUG", "DIGEST-VALUE", "a", "none", "b");
    c.do("PEXPIREAT", "a", "4102444800000");
    c.do("DEBUG", "DIGEST");
    c.fail("DEBUG", "OBJECT", "none");
    c.probe("DEBUG OBJECT", async (client) =>
      textOf(await client.must("DEBUG", "OBJECT", "a"))
        .replace(/at:0x[0-9a-f]+/, "at:N")
        .replace(/lru.*/, ""),
    );
    for (const type of [
      "string",
      "integer",
      "double",
      "bignum",
      "null",
      "array",
      "set",
      "map",
      "attrib",
      "verbatim",
      "true",
      "false",
    ]) {
      c.do("DEBUG", "PROTOCOL", type);
    }
    c.fail("DEBUG", "PROTOCOL", "bad");
    c.fail("DEBUG", "NOSUCH");
    c.fail("DEBUG", "OBJECT");
    c.fail("DEBUG", "SLEEP");
  });

  suite.test("DEBUG POPULATE", (c) => {
    c.do("DEBUG", "POPULATE", "100");
    c.do("DBSIZE");
    c.do("GET", "key:99");
    c.do("DEBUG", "POPULATE", "10", "prefix", "50");
    c.do("GET", "prefix:9");
    c.do("DEBUG", "DIGEST");
    c.fail("DEBUG", "POPULATE", "abc");
  });

  suite.test("SHUTDOWN with wrong arguments", (c) => {
    c.fail("SHUTDOWN", "BAD");
    c.fail("SHUTDOWN", "SAVE", "NOSAVE");
    c.fail("SHUTDOWN", "ABORT");
    c.fail("SHUTDOWN", "NOW", "ABORT");
  });

  suite.test("scripting, publish and others that need no data", (c) => {
    c.where("publish", () => {
      c.do("PUBLISH", "channel", "message");
    });
    c.where("pubsub", () => {
      c.do("PUBSUB", "CHANNELS");
      c.do("PUBSUB", "NUMSUB", "a", "b");
      c.do("PUBSUB", "NUMPAT");
    });
    c.where("publish", () => {
      c.fail("PUBLISH", "channel");
    });
    c.where("script", () => {
      c.do("SCRIPT", "FLUSH");
      c.do("SCRIPT", "EXISTS", "0123456789012345678901234567890123456789");
    });
    c.where("evalsha", () => {
      c.fail("EVALSHA", "0123456789012345678901234567890123456789", "0");
    });
    c.do("ACL", "WHOAMI");
    c.where("acl|users", () => c.sorted("ACL", "USERS"));
  });

  test.skipIf(isStandIn())("the version is named", async () => {
    const client = await suite.ours().connect();
    const info = textOf(await client.must("INFO", "server"));
    client.close();
    expect(info).toMatch(/redis_version:7\.[0-9]+\.[0-9]+\r\n/);
    expect(info).toMatch(/valkey_version:8\.1\.[0-9]+\r\n/);
  });
});

/** A COMMAND row as text, without the tips, in an order that does not depend on the server. */
async function commandInfo(client: RespClient, name: string): Promise<string> {
  const [row] = itemsOf(await client.must("COMMAND", "INFO", name));
  return rowText(row);
}

async function commandRows(client: RespClient): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  const add = (row: Reply) => {
    const fields = itemsOf(row);
    const subcommands = itemsOf(fields[9]);
    rows.set(textOf(fields[0]), rowText(row));
    for (const subcommand of subcommands) add(subcommand);
  };
  for (const row of itemsOf(await client.must("COMMAND"))) add(row);
  return rows;
}

/** Name, arity, flags, key positions, categories, key specifications; sets in order. */
function rowText(row: Reply): string {
  const fields = itemsOf(row);
  const set = (reply: Reply) => itemsOf(reply).map(textOf).sort().join(",");
  const specs = itemsOf(fields[8])
    .map((spec) => sortedText(withoutNotes(spec)))
    .join(" ; ");
  return [
    textOf(fields[0]),
    textOf(fields[1]),
    set(fields[2]),
    ...fields.slice(3, 6).map(textOf),
    set(fields[6]),
    set(fields[7]),
    specs,
  ].join(" | ");
}

/** A key specification without its notes, which are prose. */
function withoutNotes(spec: Reply): Reply {
  if (spec.type === "map") {
    return { ...spec, entries: spec.entries.filter(([key]) => textOf(key) !== "notes") };
  }
  if (spec.type !== "array") return spec;
  const at = spec.items.findIndex((item) => item.type === "bulk" && textOf(item) === "notes");
  return at === -1 ? spec : { ...spec, items: spec.items.toSpliced(at, 2) };
}

/** Any nested reply as text; flat key-value arrays and sets lose their order. */
function sortedText(reply: Reply): string {
  if (reply.type === "map" || reply.type === "array" || reply.type === "set") {
    return `[${itemsOf(reply).map(sortedText).sort().join(" ")}]`;
  }
  return isError(reply) ? formatReply(reply) : reply.type === "null" ? "null" : textOf(reply);
}

/** COMMAND DOCS without prose that each server words itself. */
function docsOf(reply: Reply): string {
  const [name, body] = itemsOf(reply);
  const flat = itemsOf(body);
  const parts: string[] = [textOf(name)];
  for (let i = 0; i < flat.length; i += 2) {
    const field = textOf(flat[i]);
    if (field === "since" || field === "group") parts.push(`${field} ${textOf(flat[i + 1])}`);
    if (field === "arguments")
      parts.push(
        itemsOf(flat[i + 1])
          .map((arg) => argumentText(arg))
          .join("\n"),
      );
  }
  return parts.join("\n");
}

/** One argument of COMMAND DOCS, without prose and version. */
function argumentText(argument: Reply): string {
  const flat = itemsOf(argument);
  const parts: string[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const field = textOf(flat[i]);
    if (field === "arguments") {
      parts.push(
        `(${itemsOf(flat[i + 1])
          .map((inner) => argumentText(inner))
          .join(", ")})`,
      );
    } else if (field !== "summary" && field !== "since") {
      parts.push(`${field}=${sortedText(flat[i + 1])}`);
    }
  }
  return parts.join(" ");
}

async function infoSections(client: RespClient, ...sections: readonly Argument[]): Promise<string> {
  const text = textOf(await client.must("INFO", ...sections));
  return [...text.matchAll(/^# (.*)\r$/gm)].map((match) => match[1]).join(" ");
}

async function infoFields(
  client: RespClient,
  section: string,
  ...fields: readonly string[]
): Promise<string> {
  const text = textOf(await client.must("INFO", section));
  return fields.map((field) => new RegExp(`^${field}:.*$`, "m").exec(text)?.[0].trim()).join(" ");
}
