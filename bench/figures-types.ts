// The data types: redis-benchmark's tests of them, large values, and memory per member.

import { join } from "node:path";
import {
  MIB,
  readHeapSize,
  throughputFigure,
  withServer,
  type AloneFigure,
  type Figure,
  type Sample,
  type SharedFigure,
} from "./figure.ts";
import { fill } from "./fill.ts";
import { cpuUsedSince, readCpuTime, readResidentBytes } from "./process-stats.ts";
import { CLIENT_CORE, displayCommand, request, type RunningServer } from "./servers.ts";

const QUICK_DIVISOR = 10;
const PIPELINE = 16;
const REQUESTS = 1_000_000;
const MEMBERS = 1_000_000;
/** Members a command when data is loaded. */
const BATCH = 100;
const STREAM_ENTRIES = 1_000_000;
const STREAM_WARM_UP = 500_000;
const POPPED = 90_000;
const RANGED = 100_000;
/** How long servers have to return free memory to the system. */
const RETURN_MS = 5000;

/** One of redis-benchmark's own tests. */
function ownTest(test: string, requests = REQUESTS): SharedFigure {
  const load = { test, pipeline: PIPELINE, requests };
  return throughputFigure("types", test, test.toUpperCase(), load, { warmUps: 1 });
}

/** One of redis-benchmark's tests that takes elements away, of as many as there are. */
function popTest(test: string, key: string, add: (i: number) => string[]): SharedFigure {
  return throughputFigure(
    "types",
    test,
    test.toUpperCase(),
    { test, pipeline: PIPELINE, requests: POPPED },
    {
      warmUps: 4,
      prepare: {
        text: `DEL ${key}; ${add(0).join(" ")}; and so on, 100,000 elements`,
        run: async (server) => {
          await request(server.port, ["DEL", key]);
          await fill(server.port, RANGED, add);
        },
      },
    },
  );
}

/** LRANGE as redis-benchmark does it, without the LPUSH that it measures with it. */
function rangeTest(count: number): SharedFigure {
  return throughputFigure(
    "types",
    `lrange-${count}`,
    `LRANGE of ${count}`,
    { test: ["LRANGE", "mylist", "0", String(count - 1)], pipeline: PIPELINE, requests: RANGED },
    {
      warmUps: 1,
      prepare: {
        text: "DEL mylist; LPUSH mylist of 1,000 elements",
        run: async (server) => {
          await request(server.port, ["DEL", "mylist"]);
          await fill(server.port, 1000, (i) => ["LPUSH", "mylist", `element:${pad(i)}`]);
        },
      },
    },
  );
}

/** A command on a value of a million members, which are loaded when the first one needs them. */
function largeTest(
  name: string,
  title: string,
  command: readonly string[],
  large: LargeValue,
  requests = REQUESTS,
): SharedFigure {
  return throughputFigure(
    "types",
    name,
    title,
    { test: command, pipeline: PIPELINE, requests, keyspace: MEMBERS },
    { warmUps: 1, prepare: { text: large.text, run: (server) => loadOnce(server, large) } },
  );
}

interface LargeValue {
  key: string;
  text: string;
  add: (i: number) => readonly string[];
}

const LARGE_ZSET: LargeValue = {
  key: "large:zset",
  text: "ZADD large:zset of 1,000,000 members",
  add: (i) => words(i, (n) => [String(n), `member:${pad(n)}`], ["ZADD", "large:zset"]),
};
const LARGE_SET: LargeValue = {
  key: "large:set",
  text: "SADD large:set of 1,000,000 members",
  add: (i) => words(i, (n) => [`member:${pad(n)}`], ["SADD", "large:set"]),
};
const LARGE_HASH: LargeValue = {
  key: "large:hash",
  text: "HSET large:hash of 1,000,000 fields",
  add: (i) => words(i, (n) => [`field:${pad(n)}`, `value:${n}`], ["HSET", "large:hash"]),
};

async function loadOnce(server: RunningServer, { key, add }: LargeValue): Promise<void> {
  if ((await request(server.port, ["EXISTS", key])) === "1") return;
  await fill(server.port, MEMBERS / BATCH, add);
}

/** The command `head` with the members BATCH * i ... of which `of` answers the words. */
function words(i: number, of: (n: number) => string[], head: readonly string[]): string[] {
  const result = [...head];
  for (let n = i * BATCH; n < (i + 1) * BATCH; n++) result.push(...of(n));
  return result;
}

/** Numbers as redis-benchmark writes them. */
function pad(n: number): string {
  return String(n).padStart(12, "0");
}

function streamCommand(bun: string, port: number | "PORT", entries: number): string[] {
  return [
    "taskset",
    "-c",
    String(CLIENT_CORE),
    bun,
    "bench/stream-load.ts",
    "--port",
    String(port),
    "--consumers",
    "4",
    "--entries",
    String(entries),
    "--count",
    String(PIPELINE),
  ];
}

const STREAM_GROUP: SharedFigure = {
  kind: "shared",
  group: "types",
  name: "xreadgroup",
  title: "XREADGROUP and XACK, 4 consumers",
  commands: (isQuick) => [
    "XADD stream of 1,500,000 entries; XGROUP CREATE stream group 0",
    displayCommand(streamCommand("bun", "PORT", STREAM_ENTRIES / (isQuick ? QUICK_DIVISOR : 1))),
  ],
  measure: async (server, isQuick) => {
    const divisor = isQuick ? QUICK_DIVISOR : 1;
    const entries = STREAM_ENTRIES / divisor;
    const warmUp = STREAM_WARM_UP / divisor;
    await request(server.port, ["DEL", "stream"]);
    await fill(server.port, entries + warmUp, (i) => {
      return ["XADD", "stream", "*", "sensor", `s${i % 100}`, "value", String(i)];
    });
    await request(server.port, ["XGROUP", "CREATE", "stream", "group", "0"]);
    await runStreamLoad(server, warmUp);
    const start = readCpuTime(server.pid);
    await runStreamLoad(server, entries);
    return { entryCpu: cpuUsedSince(server.pid, start).totalMicros / entries };
  },
};

async function runStreamLoad(server: RunningServer, entries: number): Promise<void> {
  const child = Bun.spawn(streamCommand(process.execPath, server.port, entries), {
    cwd: join(import.meta.dir, ".."),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`stream-load.ts failed: ${errors}`);
}

interface LoadedValue {
  name: string;
  title: string;
  /** Elements in all, and bytes of each. */
  count: number;
  payload: number;
  /** The command that adds elements BATCH * i and so on. */
  add: (i: number) => readonly string[];
}

const LOADED_VALUES: readonly LoadedValue[] = [
  {
    name: "set-memory",
    title: "Memory, a set of 10 million members of 10 bytes",
    count: 10_000_000,
    payload: 10,
    add: (i) => words(i, (n) => [`m${ninth(n)}`], ["SADD", "set"]),
  },
  {
    name: "hash-memory",
    title: "Memory, a hash of 5 million fields of 10 + 10 bytes",
    count: 5_000_000,
    payload: 20,
    add: (i) => words(i, (n) => [`f${ninth(n)}`, `v${ninth(n)}`], ["HSET", "hash"]),
  },
  {
    name: "zset-memory",
    title: "Memory, a sorted set of 5 million members of 20 bytes",
    count: 5_000_000,
    payload: 20,
    add: (i) => words(i, (n) => [String(n), `member:${pad(n)}z`], ["ZADD", "zset"]),
  },
  {
    name: "list-memory",
    title: "Memory, a list of 10 million elements of 10 bytes",
    count: 10_000_000,
    payload: 10,
    add: (i) => words(i, (n) => [`e${ninth(n)}`], ["RPUSH", "list"]),
  },
  {
    name: "small-hash-memory",
    title: "Memory, a million hashes of 5 fields (sessions)",
    count: 1_000_000 * BATCH,
    payload: 0,
    add: sessionHash,
  },
];

/** A session as web frameworks keep them. */
function sessionHash(i: number): string[] {
  return [
    "HSET",
    `session:${pad(i)}`,
    "user",
    String(1e3 + i),
    "name",
    `user${i}`,
    "csrf",
    `token${pad(i)}`,
    "created",
    String(17e8 + i),
    "lang",
    "en",
  ];
}

function ninth(n: number): string {
  return String(n).padStart(9, "0");
}

function memoryFigure(value: LoadedValue): AloneFigure {
  return {
    kind: "alone",
    group: "types",
    name: value.name,
    title: value.title,
    isOursOnly: false,
    repeats: () => 1,
    commands: () => [`${value.add(0).slice(0, 6).join(" ")} ...; FLUSHALL; the same again`],
    measure: (kind, isQuick) =>
      withServer(kind, async (server) => {
        const count = isQuick ? value.count / QUICK_DIVISOR : value.count;
        const empty = await warmEmptyBytes(server, count / BATCH, value.add);
        await fill(server.port, count / BATCH, value.add);
        const loaded = await settledBytes(server);
        if (value.payload === 0) return { bytesPerKey: (loaded - empty) / (count / BATCH) };
        return { bytesPerMember: (loaded - empty) / count - value.payload };
      }),
  };
}

/**
 * What an empty server takes that has worked: a tenth of the data is loaded and dropped
 * before, so that buffers and compiled code are not counted as data.
 */
async function warmEmptyBytes(
  server: RunningServer,
  count: number,
  add: (i: number) => readonly string[],
): Promise<number> {
  await fill(server.port, count / QUICK_DIVISOR, add);
  await request(server.port, ["FLUSHALL"]);
  return settledBytes(server);
}

/** Resident bytes when the server has had time to give back what only loading took. */
async function settledBytes(server: RunningServer): Promise<number> {
  await Bun.sleep(RETURN_MS);
  return readResidentBytes(server.pid);
}

function streamEntry(i: number): string[] {
  return ["XADD", "stream", "*", "sensor", `s${i % 100}`, "value", `${i % 1000}`, "unit", "C"];
}

const STREAM_MEMORY: AloneFigure = {
  kind: "alone",
  group: "types",
  name: "stream-memory",
  title: "Memory, a stream of 2 million entries of 3 small fields",
  isOursOnly: false,
  repeats: () => 1,
  commands: () => ["XADD stream * sensor s1 value 17 unit C; and so on"],
  measure: (kind, isQuick) =>
    withServer(kind, async (server) => {
      const count = 2_000_000 / (isQuick ? QUICK_DIVISOR : 1);
      const empty = await warmEmptyBytes(server, count, streamEntry);
      await fill(server.port, count, streamEntry);
      return { bytesPerKey: ((await settledBytes(server)) - empty) / count };
    }),
};

const TYPES_HEAP: AloneFigure = {
  kind: "alone",
  group: "types",
  name: "types-heap",
  title: "JS heap with the values of the memory figures",
  isOursOnly: true,
  repeats: () => 1,
  commands: () => ["DEBUG JSHEAP; all of the above; DEBUG JSHEAP"],
  measure: (kind, isQuick) =>
    withServer(kind, async (server): Promise<Sample> => {
      const empty = await readHeapSize(server);
      for (const { count, add } of LOADED_VALUES) {
        await fill(server.port, count / BATCH / (isQuick ? QUICK_DIVISOR : 1), add);
      }
      return {
        heapGrowth: ((await readHeapSize(server)) - empty) / MIB,
        heapEmpty: empty / MIB,
      };
    }),
};

export const TYPES_FIGURES: readonly Figure[] = [
  ownTest("lpush"),
  ownTest("rpush"),
  ownTest("lpop"),
  ownTest("rpop"),
  ownTest("sadd"),
  ownTest("hset"),
  popTest("spop", "myset", (i) => ["SADD", "myset", `element:${pad(i)}`]),
  ownTest("zadd"),
  popTest("zpopmin", "myzset", (i) => ["ZADD", "myzset", "0", `element:${pad(i)}`]),
  rangeTest(100),
  rangeTest(300),
  rangeTest(600),
  ownTest("mset", REQUESTS / 5),
  largeTest(
    "zadd-1m",
    "ZADD, a sorted set of a million",
    ["ZADD", "large:zset", "__rand_int__", "member:__rand_int__"],
    LARGE_ZSET,
  ),
  largeTest(
    "zrank-1m",
    "ZRANK, a sorted set of a million",
    ["ZRANK", "large:zset", "member:__rand_int__"],
    LARGE_ZSET,
  ),
  largeTest(
    "zrange-1m",
    "ZRANGE of 100, a sorted set of a million",
    ["ZRANGE", "large:zset", "500000", "500099"],
    LARGE_ZSET,
    RANGED,
  ),
  largeTest(
    "zrangebyscore-1m",
    "ZRANGEBYSCORE LIMIT 0 10, a sorted set of a million",
    ["ZRANGEBYSCORE", "large:zset", "__rand_int__", "+inf", "LIMIT", "0", "10"],
    LARGE_ZSET,
    RANGED * 3,
  ),
  largeTest(
    "sismember-1m",
    "SISMEMBER, a set of a million",
    ["SISMEMBER", "large:set", "member:__rand_int__"],
    LARGE_SET,
  ),
  largeTest(
    "hget-1m",
    "HGET, a hash of a million",
    ["HGET", "large:hash", "field:__rand_int__"],
    LARGE_HASH,
  ),
  throughputFigure(
    "types",
    "xadd",
    "XADD",
    {
      test: ["XADD", "events", "*", "sensor", "s1", "value", "__rand_int__"],
      pipeline: PIPELINE,
      requests: REQUESTS,
    },
    { warmUps: 1 },
  ),
  STREAM_GROUP,
  ...LOADED_VALUES.map(memoryFigure),
  STREAM_MEMORY,
  TYPES_HEAP,
];
