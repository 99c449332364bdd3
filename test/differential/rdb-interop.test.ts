/**
 * One random data set, written to an RDB file by Redis 7.0 and by Valkey 8.0 and loaded by ours, or
 * the other way round: the same keys, values, encodings, expiries, consumer groups, and the same
 * DEBUG DIGEST.
 */
import { afterAll, expect, test } from "bun:test";
import { compareKeyspaces } from "../support/keyspace-state.ts";
import { describeWithPeers, type PeerName } from "../support/peers.ts";
import { fillAtRandom } from "../support/random-dataset.ts";
import { formatReply, itemsOf, textOf } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { seedOfRun, withSeed } from "../support/seed.ts";
import { type Directives, ServerProcess } from "../support/server-process.ts";

const FILE = "test/differential/rdb-interop.test.ts";
const WRITERS: readonly PeerName[] = ["valkey-server", "redis-server"];

for (const writer of WRITERS) {
  describeWithPeers(`an RDB file of ${writer}`, [writer, "valkey-server"], () => {
    const servers: ServerProcess[] = [];
    const start = async (program: "ours" | PeerName, dir?: string): Promise<ServerProcess> => {
      const server = await ServerProcess.start({
        program,
        directives: dir === undefined ? {} : { dir },
      });
      servers.push(server);
      return server;
    };
    afterAll(async () => {
      for (const server of servers) await server.stop();
    });

    test("is loaded as Valkey loads it", async () => {
      await withSeed(FILE, seedOfRun(), async (random) => {
        const source = await start(writer);
        const filling = await source.connect();
        await fillAtRandom(filling, random);
        await filling.must("SAVE");
        filling.close();
        const ours = await start("ours", source.folder);
        const reference = await start("valkey-server", source.folder);
        const [mine, theirs] = await Promise.all([ours.connect(), reference.connect()]);
        expect(await compareKeyspaces(mine, theirs)).toBeNull();
        for (const database of [0, 1, 9]) {
          await Promise.all([mine.must("SELECT", database), theirs.must("SELECT", database)]);
          await expectSameGroups(mine, theirs);
        }
        const log = ours.stdout();
        expect(log).toMatch(/Loading RDB produced by (Redis|Valkey) version \d/);
        expect(log).toMatch(/Done loading RDB, keys loaded: \d+, keys expired: 0\./);
        expect(log).toMatch(/DB loaded from disk: \d+\.\d{3} seconds/);
        mine.close();
        theirs.close();
      });
    }, 60_000);
  });
}

describeWithPeers("an RDB file of ours", ["valkey-server", "redis-server"], () => {
  const servers: ServerProcess[] = [];
  const start = async (program: "ours" | PeerName, directives: Directives) => {
    const server = await ServerProcess.start({ program, directives });
    servers.push(server);
    return { server, client: await server.connect() };
  };
  afterAll(async () => {
    for (const server of servers) await server.stop();
  });

  test("is loaded by Valkey, and by Redis in a version that it knows", async () => {
    await withSeed(FILE, seedOfRun(), async (random) => {
      const ours = await start("ours", {});
      await fillAtRandom(ours.client, random);
      const expectSame = async (reference: RespClient): Promise<void> => {
        expect(await compareKeyspaces(ours.client, reference)).toBeNull();
        for (const database of [0, 1, 9]) {
          await Promise.all([
            ours.client.must("SELECT", database),
            reference.must("SELECT", database),
          ]);
          await expectSameGroups(ours.client, reference);
        }
        await Promise.all([ours.client.must("SELECT", 0), reference.must("SELECT", 0)]);
      };
      await ours.client.must("SAVE");
      const valkey = await start("valkey-server", { dir: ours.server.folder });
      await expectSame(valkey.client);
      await ours.client.must("CONFIG", "SET", "rdb-version", "10");
      await ours.client.must("SAVE");
      // What Redis has understood is judged by Valkey: their digests of doubles differ.
      const redis = await start("redis-server", { dir: ours.server.folder });
      await redis.client.must("SAVE");
      await expectSame((await start("valkey-server", { dir: ours.server.folder })).client);
      for (const { client } of [ours, valkey, redis]) client.close();
    });
  }, 60_000);
});

/** What the digest leaves out of streams. */
async function expectSameGroups(mine: RespClient, theirs: RespClient): Promise<void> {
  for (const key of itemsOf(await theirs.must("KEYS", "*"))) {
    const name = textOf(key);
    if (textOf(await theirs.must("TYPE", name)) !== "stream") continue;
    for (const command of [
      ["XINFO", "GROUPS", name],
      ["XPENDING", name, "group0", "-", "+", 100],
      ["XPENDING", name, "group1"],
    ]) {
      const [ours, reference] = await Promise.all([
        mine.command(...command),
        theirs.command(...command),
      ]);
      // Idle times behind the consumers' names are told at slightly different moments.
      const isExtended = command.length > 3;
      const shown = (reply: typeof ours): string =>
        isExtended ? formatReply(reply).replace(/("\w+"\n\s+):\d+/g, "$1") : formatReply(reply);
      expect(shown(ours)).toBe(shown(reference));
    }
  }
}
