import { beforeEach, describe, expect, test } from "bun:test";
import { bytesFromAscii, latin1FromBytes } from "../../../src/base/ascii.ts";
import { datasetDigest } from "../../../src/commands/debug-digest.ts";
import { AofDirectory } from "../../../src/persistence/aof-directory.ts";
import { Log, LogLevel } from "../../../src/runtime/log.ts";
import { AofLoader } from "../../../src/server/aof-loader.ts";
import { rdbLoadOptions } from "../../../src/server/loading.ts";
import { Engine } from "../../support/engine.ts";
import { MemoryFiles } from "../../support/memory-files.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const INCREMENT = "dir/a.aof.1.incr.aof";
const MANIFEST = "dir/a.aof.manifest";
const RANDOM_PLACES = Number(process.env.DAMAGE_PLACES ?? 10_000);

let files: MemoryFiles;
let engine: Engine;
let messages: string[];

beforeEach(() => {
  files = new MemoryFiles();
  engine = new Engine(1_700_000_000_000);
  messages = [];
});

function resp(...args: string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

function put(path: string, content: string | Uint8Array): void {
  files.contents.set(path, typeof content === "string" ? bytesFromAscii(content) : content);
}

/** Loads what is in `files`: what became of it. */
function load(truncates = true): string {
  const { server, clock } = engine;
  const { keyspace, dispatcher, effects } = server;
  keyspace.clearAll(false);
  messages = [];
  const log = new Log(
    1,
    clock,
    () => 0,
    (line) => messages.push(line.trimEnd().replace(/^.*? [-*#.] /, "")),
  );
  log.level = LogLevel.NOTICE;
  const names = { directory: "dir", file: "a.aof", toPath: (name: string) => name };
  const directory = new AofDirectory(files, names, log);
  const loader = new AofLoader(
    {
      clock,
      log,
      keyspace,
      dispatcher,
      effects,
      directory,
      rdbOptions: { ...rdbLoadOptions(server), log, dropsExpired: false },
      truncates,
      onErrorReply: (error, command) => messages.push(`error of ${command}: ${error}`),
    },
    directory.loadManifest(),
  );
  // In many steps, as at a start.
  while (!loader.step(Infinity, 1, Infinity));
  return loader.outcome;
}

/** One increment, as the manifest names it. */
function putIncrement(content: string | Uint8Array): void {
  put(MANIFEST, "file a.aof.1.incr.aof seq 1 type i\n");
  put(INCREMENT, content);
}

function get(key: string): string | null {
  const reply = engine.connect().command("GET", key);
  return reply?.type === "bulk" ? latin1FromBytes(reply.bytes, 0, reply.bytes.length) : null;
}

describe("an append-only file", () => {
  test("is loaded: base and increments, with annotations and transactions", () => {
    put(
      MANIFEST,
      "file a.aof.1.base.aof seq 1 type b\nfile old seq 1 type h\n" +
        "file a.aof.1.incr.aof seq 1 type i\nfile a.aof.2.incr.aof seq 2 type i\n",
    );
    put("dir/a.aof.1.base.aof", `#TS:1\r\n${resp("SELECT", "1")}${resp("SET", "a", "1")}`);
    put(INCREMENT, "");
    const transaction = resp("MULTI") + resp("INCR", "b") + resp("INCR", "b") + resp("EXEC");
    put("dir/a.aof.2.incr.aof", `${transaction}#TS:2\r\n${resp("SET", "c", "x".repeat(700_000))}#`);
    expect(load()).toBe("loaded");
    expect([get("a"), get("b"), get("c")?.length]).toEqual([null, "2", 700_000]);
    expect(messages).toEqual([
      "DB loaded from base file a.aof.1.base.aof: 0.000 seconds",
      "DB loaded from incr file a.aof.2.incr.aof: 0.000 seconds",
    ]);
  });

  test("keeps keys that have expired until their time is looked at", () => {
    putIncrement(
      resp("RPUSH", "l", "a") + resp("PEXPIREAT", "l", "1000") + resp("RPUSH", "l", "b"),
    );
    expect(load()).toBe("loaded");
    expect(engine.connect().command("LLEN", "l")).toMatchObject({ value: 0n });
  });

  test("tells of commands that fail", () => {
    putIncrement(resp("SET", "a", "x") + resp("INCR", "a") + resp("SET", "b", "y"));
    expect(load()).toBe("loaded");
    expect(messages[0]).toBe("error of incr: ERR value is not an integer or out of range");
    expect(get("b")).toBe("y");
  });

  test("with a command that does not exist is refused, and where it is is told", () => {
    putIncrement(resp("SET", "a", "1") + resp("BLA", "a"));
    expect(load()).toBe("failed");
    expect(messages).toEqual([
      "The command at offset 27 of a.aof.1.incr.aof cannot be run",
      "Error reading the append only file a.aof.1.incr.aof, error: unknown command 'BLA', with args beginning with: 'a'",
    ]);
  });

  test("keeps libraries of functions, which nothing runs yet", () => {
    const library = (name: string, body: string) => `#!lua name=${name}\n${body}`;
    putIncrement(
      resp("FUNCTION", "LOAD", library("a", "1")) +
        resp("FUNCTION", "LOAD", library("b", "2")) +
        resp("FUNCTION", "LOAD", "REPLACE", library("a", "3")) +
        resp("FUNCTION", "DELETE", "b"),
    );
    expect(load()).toBe("loaded");
    expect(engine.server.keyspace.functions).toEqual([library("a", "3")]);
  });

  test("of more databases than there are is refused", () => {
    putIncrement(resp("SELECT", "99") + resp("SET", "a", "1"));
    expect(load()).toBe("failed");
    expect(messages.at(-1)).toStartWith("FATAL: Data file was created with a Bunsen server");
    expect(get("a")).toBeNull();
  });

  test("is not loaded where a file of it is missing", () => {
    put(MANIFEST, "file a.aof.1.incr.aof seq 1 type i\n");
    expect(load()).toBe("failed");
    expect(messages).toEqual([
      "Unable to obtain the AOF file a.aof.1.incr.aof length. stat: No such file or directory",
    ]);
  });

  test("of an older version is taken over", () => {
    put("a.aof", resp("SET", "a", "1"));
    expect(load()).toBe("loaded");
    expect(get("a")).toBe("1");
    expect(files.text(MANIFEST)).toBe("file a.aof seq 1 type b\n");
    expect(files.exists("a.aof")).toBe(false);
    expect(files.text("dir/a.aof")).toBe(resp("SET", "a", "1"));
  });
});

describe("an end that is missing", () => {
  const commands = [
    resp("SET", "a", "1"),
    resp("MULTI") + resp("INCR", "a") + resp("SET", "b", "\r\n$") + resp("EXEC"),
    resp("SELECT", "1") + resp("SET", "c", "x".repeat(120)) + resp("SELECT", "0"),
  ];
  const text = commands.join("");
  /** Where a prefix may end: behind commands that are in no transaction. */
  const boundaries = new Set<number>();
  for (let at = 0, inMulti = false; at < text.length;) {
    const match = /^\*(\d+)\r\n/.exec(text.slice(at));
    let next = at + (match?.[0].length ?? 0);
    const first = next;
    for (let i = 0; i < Number(match?.[1]); i++) {
      const header = /^\$(\d+)\r\n/.exec(text.slice(next));
      next += (header?.[0].length ?? 0) + Number(header?.[1]) + 2;
    }
    if (text.startsWith("$5\r\nMULTI", first)) inMulti = true;
    if (text.startsWith("$4\r\nEXEC", first)) inMulti = false;
    at = next;
    if (!inMulti) boundaries.add(at);
  }

  test("is cut off behind what is complete, at every length", () => {
    for (let length = 1; length <= text.length; length++) {
      putIncrement(text.slice(0, length));
      const complete = Math.max(0, ...[...boundaries].filter((at) => at <= length));
      expect(load()).toBe(complete === length ? "loaded" : "truncated");
      expect(files.text(INCREMENT)).toBe(text.slice(0, complete));
      expect(get("b") === null).toBe(get("a") !== "2");
      if (complete === length) continue;
      expect(messages).toContain(
        `!!! Truncating the AOF a.aof.1.incr.aof at offset ${complete} !!!`,
      );
      const digest = datasetDigest(engine.server.keyspace);
      expect(load()).toBe(complete === 0 ? "empty" : "loaded");
      expect(datasetDigest(engine.server.keyspace)).toBe(digest);
    }
  });

  test("is refused unless it may be cut off", () => {
    for (let length = 1; length <= text.length; length++) {
      putIncrement(text.slice(0, length));
      const isComplete = boundaries.has(length);
      expect(load(false)).toBe(isComplete ? "loaded" : "failed");
      expect(files.text(INCREMENT).length).toBe(length);
      if (isComplete) continue;
      expect(messages.at(-1)).toStartWith(
        "Unexpected end of file reading the append only file a.aof.1.incr.aof.",
      );
      expect(messages.join("\n")).toContain(" offset ");
    }
  });

  test("is refused in the middle of the files", () => {
    putIncrement(text.slice(0, -1));
    put(MANIFEST, "file a.aof.1.incr.aof seq 1 type i\nfile a.aof.2.incr.aof seq 2 type i\n");
    put("dir/a.aof.2.incr.aof", resp("SET", "z", "1"));
    expect(load()).toBe("failed");
    expect(messages.at(-1)).toBe("Fatal error: the truncated file is not the last file");
  });
});

describe("damage", () => {
  const text =
    resp("SET", "a", "1") +
    resp("RPUSH", "list", "a", "b") +
    resp("MULTI") +
    resp("INCR", "a") +
    resp("EXEC") +
    resp("XADD", "s", "1-1", "f", "v") +
    resp("PEXPIREAT", "list", "9999999999999");

  /** It is loaded, cut off or refused with a place, and in no case anything else happens. */
  function loadDamaged(content: Uint8Array): void {
    putIncrement(content);
    const outcome = load();
    if (outcome === "failed") expect(messages.join("\n")).toContain(" offset ");
    else expect(["loaded", "truncated"]).toContain(outcome);
  }

  test("of any bit is told, or does no harm", () => {
    const bytes = bytesFromAscii(text);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >>> 3] ^= 1 << (bit & 7);
      loadDamaged(flipped);
    }
  });

  test(
    "at random places is told, or does no harm",
    () =>
      withSeed("test/unit/server/aof-loader.test.ts", seedOfRun(), (random) => {
        const bytes = bytesFromAscii(text.repeat(3));
        for (let i = 0; i < RANDOM_PLACES; i++) {
          const damaged = bytes.slice(
            0,
            random.oneIn(4) ? 1 + random.below(bytes.length) : undefined,
          );
          for (let j = 1 + random.below(3); j > 0; j--) {
            damaged[random.below(damaged.length)] = random.pick([
              random.below(256),
              0x2a,
              0x24,
              0x0d,
            ]);
          }
          loadDamaged(damaged);
        }
      }),
    60_000,
  );

  test("that announces too much allocates nothing for it", () => {
    for (const header of [
      "*2147483647\r\n",
      "*3\r\n$2000000000\r\nx",
      "*1000000\r\n$3\r\nSET\r\n",
    ]) {
      putIncrement(header);
      expect(load()).toBe("truncated");
    }
    putIncrement("*99999999999999\r\n");
    expect(load()).toBe("failed");
  });
});
