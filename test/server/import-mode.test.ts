/**
 * import-mode: another server's data are being moved here, and it is that server that says when
 * keys end. Valkey has it since 8.1, so there is no reference server to compare with.
 */
import { expect, test } from "bun:test";
import { formatReply } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { useServer } from "../support/server-process.ts";

const server = useServer({ program: "ours", directives: { "import-mode": "yes" } });

async function expectReplies(
  client: RespClient,
  expected: readonly (readonly [request: string, reply: string])[],
): Promise<void> {
  for (const [request, reply] of expected) {
    expect(`${request} -> ${formatReply(await client.command(...request.split(" ")))}`).toBe(
      `${request} -> ${reply}`,
    );
  }
}

test("expired keys stay, and only the importing client sees them", async () => {
  const source = await server().connect();
  const other = await server().connect();
  await expectReplies(source, [
    ["CLIENT IMPORT-SOURCE ON", "+OK"],
    ["SET key value PXAT 1000", "+OK"],
    ["GET key", '"value"'],
    ["TTL key", ":0"],
    ["EXISTS key", ":1"],
    ["SET later value", "+OK"],
    ["EXPIRE later -5", ":1"],
    ["GETEX later PXAT 2000", '"value"'],
    ["PEXPIRETIME later", ":2000"],
  ]);
  await expectReplies(other, [
    ["GET key", "null bulk"],
    ["EXISTS key", ":0"],
    ["DBSIZE", ":2"],
    ["WATCH key", "+OK"],
    ["MULTI", "+OK"],
    ["GET key", "+QUEUED"],
  ]);
  expect(formatReply(await other.command("EXEC"))).toContain("null bulk");
  // A write by somebody else removes what has expired: this server is a primary.
  await expectReplies(other, [
    ["APPEND key new", ":3"],
    ["GET key", '"new"'],
    ["TTL key", ":-1"],
  ]);
  await expectReplies(source, [
    ["CLIENT IMPORT-SOURCE OFF", "+OK"],
    ["GET later", "null bulk"],
    ["DBSIZE", ":2"],
    ["CONFIG SET import-mode no", "+OK"],
    ["GET later", "null bulk"],
    ["DBSIZE", ":1"],
    ["CLIENT IMPORT-SOURCE ON", "-ERR Server is not in import mode"],
    ["CONFIG SET import-mode yes", "+OK"],
    ["FLUSHALL", "+OK"],
  ]);
  source.close();
  other.close();
});

test("nothing is evicted", async () => {
  const client = await server().connect();
  await expectReplies(client, [
    ["SET key value", "+OK"],
    ["CONFIG SET maxmemory 1 maxmemory-policy allkeys-random", "+OK"],
    ["SET other value", "-OOM command not allowed when used memory > 'maxmemory'."],
    ["GET key", '"value"'],
    ["CONFIG SET import-mode no", "+OK"],
    ["GET key", "null bulk"],
    ["CONFIG SET maxmemory 0", "+OK"],
  ]);
  client.close();
});
