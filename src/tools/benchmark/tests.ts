/**
 * The tests that a benchmark without a command of its own runs, in their order: names for -t,
 * titles, and requests. Names, titles and requests are those of valkey-benchmark.
 */
import { encodeCommand } from "../connection.ts";

export interface BenchmarkTest {
  /** Any of these selects it. */
  readonly names: readonly string[];
  readonly title: string;
  readonly request: Uint8Array;
  /** A request that has to succeed before the test is run. */
  readonly preparation: Uint8Array | null;
  /** Left out when the server cannot do it, unless it was asked for by name. */
  readonly isOptional: boolean;
}

interface TestSettings {
  readonly dataBytes: number;
  readonly keyspace: number | null;
  readonly functions: number;
  readonly functionKeys: number;
}

const LRANGE_LENGTHS = [100, 300, 500, 600];
const MSET_KEYS = 10;
/** More source than this is not sent: the functions that would exceed it are left out. */
const LIBRARY_BYTES_MAX = 64 * 1024;

export function benchmarkTests(settings: TestSettings): readonly BenchmarkTest[] {
  const data = benchmarkData(settings.dataBytes);
  const score = settings.keyspace === null ? "0" : "__rand_int__";
  const key = "key:__rand_int__";
  const pairs = Array.from({ length: MSET_KEYS }, () => [key, data]).flat();
  const lranges = LRANGE_LENGTHS.map((length) => `lrange_${length}`);
  return [
    { ...test(["ping_inline", "ping"], "PING_INLINE"), request: Buffer.from("PING\r\n") },
    test(["ping_mbulk", "ping"], "PING_MBULK", "PING"),
    test(["set"], "SET", "SET", key, data),
    test(["get"], "GET", "GET", key),
    test(["incr"], "INCR", "INCR", "counter:__rand_int__"),
    test(["lpush"], "LPUSH", "LPUSH", "mylist", data),
    test(["rpush"], "RPUSH", "RPUSH", "mylist", data),
    test(["lpop"], "LPOP", "LPOP", "mylist"),
    test(["rpop"], "RPOP", "RPOP", "mylist"),
    test(["sadd"], "SADD", "SADD", "myset", "element:__rand_int__"),
    test(["hset"], "HSET", "HSET", "myhash", "element:__rand_int__", data),
    test(["spop"], "SPOP", "SPOP", "myset"),
    test(["zadd"], "ZADD", "ZADD", "myzset", score, "element:__rand_int__"),
    test(["zpopmin"], "ZPOPMIN", "ZPOPMIN", "myzset"),
    test(["lrange", ...lranges], "LPUSH (needed to benchmark LRANGE)", "LPUSH", "mylist", data),
    ...LRANGE_LENGTHS.map((length) =>
      test(
        ["lrange", `lrange_${length}`],
        `LRANGE_${length} (first ${length} elements)`,
        "LRANGE",
        "mylist",
        "0",
        String(length - 1),
      ),
    ),
    test(["mset"], `MSET (${MSET_KEYS} keys)`, "MSET", ...pairs),
    test(["xadd"], "XADD", "XADD", "mystream", "*", "myfield", data),
    ...functionTests(settings),
  ];
}

/** Without names, all. */
export function isSelected(candidate: BenchmarkTest, names: readonly string[] | null): boolean {
  return names === null || candidate.names.some((name) => names.includes(name));
}

function test(
  names: readonly string[],
  title: string,
  ...command: readonly string[]
): BenchmarkTest {
  return { names, title, request: encodeCommand(command), preparation: null, isOptional: false };
}

function functionTests({ functions, functionKeys }: TestSettings): readonly BenchmarkTest[] {
  const load = (library: string) => ["FUNCTION", "LOAD", "REPLACE", library];
  const many = load(librarySource(functions, false));
  const one = load(librarySource(1, functionKeys > 0));
  const keys = Array.from({ length: functionKeys }, (_, index) => `key${index + 1}`);
  return [
    {
      ...test(["function_load"], "FUNCTION LOAD", ...many),
      preparation: encodeCommand(many),
      isOptional: true,
    },
    {
      ...test(["fcall"], "FCALL", "FCALL", "foo1", String(functionKeys), ...keys),
      preparation: encodeCommand(one),
      isOptional: true,
    },
  ];
}

/** A library of functions foo1, foo2 and so on, that return a key or nothing. */
function librarySource(functions: number, hasKeys: boolean): string {
  const parameters = hasKeys ? "keys, args" : "";
  const result = hasKeys ? "keys[1]" : "0";
  let source = "#!lua name=benchlib\n";
  for (let number = functions; number > 0; number--) {
    const name = `foo${number}`;
    const piece =
      `local function ${name}(${parameters})\nreturn ${result}\nend\n` +
      `redis.register_function('${name}', ${name})\n`;
    if (source.length + piece.length >= LIBRARY_BYTES_MAX) break;
    source += piece;
  }
  return source;
}

/** The same printable bytes every time, hard to compress. */
function benchmarkData(count: number): string {
  const bytes = Buffer.alloc(count);
  let state = 1234;
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = 0x30 + ((state >>> 16) & 63);
  }
  return bytes.toString("latin1");
}
