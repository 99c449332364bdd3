/**
 * Append-only files of Redis 7.0, of Valkey 8.0 and of ours, with bases of both kinds and changes
 * behind them: each server that loads them has the same keys, values, encodings and expiries, and
 * the same DEBUG DIGEST. The checkers of Redis and Valkey accept ours, and ours accepts theirs.
 */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareKeyspaces } from "../support/keyspace-state.ts";
import { describeWithPeers, findPeer, getPeer, type PeerName } from "../support/peers.ts";
import { fillAtRandom } from "../support/random-dataset.ts";
import { textOf } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { seedOfRun, withSeed } from "../support/seed.ts";
import { type Directives, ServerProcess, ourCommandLine } from "../support/server-process.ts";

const FILE = "test/differential/aof-interop.test.ts";
const FILES = "appendonlydir";
const ROOT = join(import.meta.dir, "../..");

/** The databases of the random data set, and free ones. */
const MOVES = [
  [0, 3],
  [1, 4],
  [9, 5],
];

setDefaultTimeout(120_000);

describeWithPeers("append-only files", ["valkey-server", "redis-server"], () => {
  const servers: ServerProcess[] = [];
  const clients: RespClient[] = [];
  const folders: string[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const server of servers.splice(0)) await server.stop();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  async function start(
    program: "ours" | PeerName,
    directives: Directives,
  ): Promise<{ server: ServerProcess; client: RespClient }> {
    const server = await ServerProcess.start({ program, directives });
    servers.push(server);
    const client = await server.connect();
    clients.push(client);
    return { server, client };
  }

  /** A copy of the files, for a server of its own: what loads them also goes on writing them. */
  function copyOf(server: ServerProcess): string {
    const folder = mkdtempSync(join(tmpdir(), "bunsen-aof-"));
    folders.push(folder);
    cpSync(join(server.folder, FILES), join(folder, FILES), { recursive: true });
    return folder;
  }

  async function rewrite(client: RespClient): Promise<void> {
    await client.must("BGREWRITEAOF");
    for (;;) {
      const info = textOf(await client.must("INFO", "persistence"));
      if (!info.includes("aof_rewrite_in_progress:1")) {
        expect(info).toContain("aof_last_bgrewrite_status:ok");
        return;
      }
    }
  }

  async function loadedBy(program: "ours" | PeerName, source: ServerProcess): Promise<RespClient> {
    const directives = { dir: copyOf(source), appendonly: "yes" };
    return (await start(program, directives)).client;
  }

  function check(command: readonly string[], folder: string): void {
    const manifest = join(folder, FILES, "appendonly.aof.manifest");
    const { stdout, exitCode } = Bun.spawnSync([...command, manifest], { cwd: ROOT });
    expect(stdout.toString()).toContain("All AOF files and manifest are valid");
    expect(exitCode).toBe(0);
  }

  for (const writer of ["ours", "redis-server", "valkey-server"] as const) {
    test.each(["yes", "no"])(`of ${writer}, aof-use-rdb-preamble %s`, async (preamble) => {
      await withSeed(FILE, seedOfRun(), async (random) => {
        const source = await start(writer, {
          appendonly: "yes",
          appendfsync: "always",
          "aof-use-rdb-preamble": preamble,
          "auto-aof-rewrite-percentage": "0",
          // The newest that Redis 7.0 reads.
          ...(writer === "ours" ? { "rdb-version": "10", "aof-timestamp-enabled": "yes" } : {}),
        });
        await fillAtRandom(source.client, random);
        await rewrite(source.client);
        // Room for as many keys again: the base's databases get other numbers.
        for (const [from, to] of MOVES) await source.client.must("SWAPDB", from, to);
        await fillAtRandom(source.client, random);
        const ours = await loadedBy("ours", source.server);
        const valkey = await loadedBy("valkey-server", source.server);
        expect(await compareKeyspaces(ours, valkey)).toBeNull();
        // Where the writer is newer, Redis need not know its files.
        if (writer !== "valkey-server") {
          const redis = await start("redis-server", {
            dir: copyOf(source.server),
            appendonly: "yes",
          });
          await redis.client.must("SAVE");
          // What Redis has understood is judged by Valkey: their digests of doubles differ.
          const judge = await start("valkey-server", { dir: folders.at(-1) ?? "" });
          // As its values have, so ours come out of a dump: a list may be a listpack again then.
          await ours.must("DEBUG", "RELOAD");
          expect(await compareKeyspaces(ours, judge.client)).toBeNull();
        }
        const folder = copyOf(source.server);
        check([...ourCommandLine(), "check-aof"], folder);
        if (writer === "valkey-server") check([getPeer("valkey-check-aof")], folder);
        else check([findPeer("redis-check-aof" as PeerName) ?? "redis-check-aof"], folder);
      });
    });
  }
});
