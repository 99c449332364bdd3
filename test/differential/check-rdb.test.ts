/** `bunsen check-rdb` beside valkey-check-rdb: the same lines and exit codes, on good and bad files. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DumpPayloads } from "../../src/persistence/dump-payload.ts";
import { describeWithPeers, getPeer } from "../support/peers.ts";
import { int64, rdbAux, rdbFile, rdbKey, rdbKeyOf } from "../support/rdb-file.ts";
import { concat, rdbString } from "../support/rdb-payload.ts";
import { ourCommandLine } from "../support/server-process.ts";
import { testKeyspace } from "../support/test-keyspace.ts";
import { olderPayloads, ownPayloads } from "../support/value-payloads.ts";

const STRING = 0;

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function run(command: readonly string[]): Outcome {
  const { exitCode, stdout } = Bun.spawnSync([...command], { stderr: "ignore" });
  return { code: exitCode, output: stdout.toString("latin1") };
}

/** A file of every type that Valkey 8 knows. */
function goodFile(): Uint8Array {
  const { keyspace } = testKeyspace();
  const payloads = new DumpPayloads(keyspace);
  const values = [...ownPayloads(payloads, keyspace.databases[0], [1, 6]), ...olderPayloads()];
  return rdbFile(
    11,
    rdbAux("redis-ver", "7.2.0"),
    [254, 0, 251, 9, 1],
    ...values.map((payload, i) => rdbKeyOf(`key${i}`, payload)),
    [254, 3, 252],
    int64(1000),
    rdbKey("expired", STRING, rdbString("value")),
    [253, 255, 255, 255, 127],
    rdbKey("last", STRING, rdbString("value")),
  );
}

describeWithPeers("check-rdb", ["valkey-check-rdb"], () => {
  let folder = "";
  const ours = (...args: readonly string[]): Outcome =>
    run([...ourCommandLine(), "check-rdb", ...args]);
  const reference = (...args: readonly string[]): Outcome =>
    run([getPeer("valkey-check-rdb"), ...args]);
  const fileOf = (bytes: Uint8Array): string => {
    const path = join(folder, "dump.rdb");
    writeFileSync(path, bytes);
    return path;
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "bunsen-test-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("tells the same of good files", () => {
    const good = goodFile();
    for (const bytes of [good, concat(good.subarray(0, -8), new Uint8Array(8)), rdbFile(3)]) {
      const path = fileOf(bytes);
      expect(ours(path)).toEqual(reference(path));
    }
  });

  test("finds fault with the same files, and names the same key", () => {
    const good = goodFile();
    const cases: Uint8Array[] = [
      rdbFile("REDIZ0011"),
      rdbFile("REDIS0000"),
      rdbFile(11, [99], rdbString("k"), rdbString("v")),
      rdbFile(11, [246]),
      concat(good.subarray(0, -1), [good[good.length - 1] ^ 1]),
      rdbFile(11, rdbKey("the key", 16, rdbString("no listpack"))),
      rdbFile(11, rdbKey("the key", 2, [0])),
    ];
    for (let i = 1; i < 6; i++) cases.push(good.subarray(0, Math.floor((good.length * i) / 6)));
    for (const bytes of cases) {
      const path = fileOf(bytes);
      const mine = ours(path);
      const theirs = reference(path);
      expect({ code: mine.code, ...findings(mine.output) }).toEqual({
        code: theirs.code,
        ...findings(theirs.output),
      });
    }
  }, 30_000);

  test("tells its version, and how it is called", () => {
    expect(ours("--version").output).toMatch(/^bunsen-check-rdb \d/);
    expect(ours().code).toBe(1);
    expect(ours("a", "--frobnicate").code).toBe(1);
    expect(ours(join(folder, "missing")).code).toBe(1);
  });

  test("counts values by type", () => {
    const path = fileOf(goodFile());
    const { code, output } = ours(path, "--stats", "--format", "csv");
    expect(code).toBe(0);
    expect(output).toContain("db.0.type.name,string,list,set,zset,hash,module,stream\n");
    expect(output).toContain("db.3.keys.total,2,0,0,0,0,0,0\n");
    expect(output).toContain("db.3.already_expired.total,1,0,0,0,0,0,0\n");
    expect(ours(path, "--stats", "--format", "info").output).toContain(
      "[info] db.3.type.string.keys.value_size:10\n",
    );
  });
});

/**
 * What an error report says besides offsets, at which an item is given up, and the cause in words. A
 * type is compared with its key only: before the first key Valkey 8.0 reports type 0.
 */
function findings(output: string): { key: string; type: string; figures: string } {
  const key = /Reading key '.*'/.exec(output)?.[0] ?? "";
  return {
    key,
    type: key === "" ? "" : (/Reading type .*/.exec(output)?.[0] ?? ""),
    figures: /\[info\] \d+ keys read/.exec(output)?.[0] ?? "",
  };
}
