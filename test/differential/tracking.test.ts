/** CLIENT TRACKING in all its modes, in RESP3 and redirected. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, textOf } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";

type Request = readonly Argument[];

describeWithPeers("client-side caching", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("options and their refusals", (c) => {
    c.do("CLIENT", "TRACKINGINFO");
    c.do("CLIENT", "GETREDIR");
    c.fail("CLIENT", "CACHING", "YES");
    c.fail("CLIENT", "TRACKING");
    c.fail("CLIENT", "TRACKING", "MAYBE");
    c.fail("CLIENT", "TRACKING", "ON", "NOSUCH");
    c.fail("CLIENT", "TRACKING", "ON", "REDIRECT");
    c.fail("CLIENT", "TRACKING", "ON", "REDIRECT", "x");
    c.fail("CLIENT", "TRACKING", "ON", "REDIRECT", "999999");
    c.fail("CLIENT", "TRACKING", "ON", "PREFIX", "a");
    c.fail("CLIENT", "TRACKING", "ON", "OPTIN", "OPTOUT");
    c.fail("CLIENT", "TRACKING", "ON", "BCAST", "OPTIN");
    c.fail("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "ab", "PREFIX", "abc");
    c.do("CLIENT", "TRACKING", "ON", "OPTIN", "NOLOOP");
    c.do("CLIENT", "TRACKINGINFO");
    c.fail("CLIENT", "TRACKING", "ON", "OPTOUT");
    c.fail("CLIENT", "TRACKING", "ON", "BCAST");
    c.fail("CLIENT", "CACHING", "NO");
    c.fail("CLIENT", "CACHING", "MAYBE");
    c.do("CLIENT", "CACHING", "YES");
    c.do("CLIENT", "TRACKINGINFO");
    c.do("PING");
    c.do("CLIENT", "TRACKINGINFO");
    c.do("CLIENT", "GETREDIR");
    c.do("CLIENT", "TRACKING", "OFF");
    c.do("CLIENT", "TRACKING", "ON", "OPTOUT");
    c.do("CLIENT", "CACHING", "NO");
    c.do("CLIENT", "TRACKINGINFO");
    c.do("CLIENT", "TRACKING", "OFF");
    c.do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "b", "PREFIX", "a");
    c.fail("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "abc");
    c.do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "c");
    c.do("CLIENT", "TRACKINGINFO");
    c.do("CLIENT", "TRACKING", "OFF");
    c.do("CLIENT", "TRACKINGINFO");
  });

  suite.test("keys that were read", (c) => {
    c.probe("are told once", async (client) => {
      const reader = await resp3(client);
      await reader.must("CLIENT", "TRACKING", "ON");
      await client.must("MSET", "a", "1", "b", "2");
      await reader.must("MGET", "a", "b", "none");
      await reader.must("STRLEN", "b");
      for (const request of [
        ["SET", "a", "x"],
        ["SET", "a", "y"],
        ["APPEND", "none", "z"],
        ["DEL", "b"],
        ["SET", "other", "x"],
      ]) {
        await client.must(...request);
      }
      return untilPong(reader);
    });
    c.probe("all keys", async (client) => {
      const reader = await resp3(client);
      await reader.must("CLIENT", "TRACKING", "ON");
      await reader.must("GET", "a");
      await client.must("FLUSHDB");
      await client.must("FLUSHALL");
      await client.must("SET", "a", "1");
      return untilPong(reader);
    });
  });

  suite.test("changes by the client itself", (c) => {
    const requests: readonly Request[] = [
      ["GET", "a"],
      ["SET", "a", "1"],
      ["SET", "a", "2"],
      ["MULTI"],
      ["GET", "a"],
      ["GET", "b"],
      ["SET", "a", "3"],
      ["SET", "b", "3"],
      ["EXEC"],
      ["FLUSHALL"],
      ["PING"],
    ];
    for (const options of [[], ["NOLOOP"], ["OPTIN"], ["OPTOUT"]]) {
      c.probe(`follow the reply, ${options.join(" ")}`, async (client) =>
        bytesOf(await resp3(client), [["CLIENT", "TRACKING", "ON", ...options], ...requests]),
      );
    }
    c.probe("CACHING", async (client) =>
      bytesOf(await resp3(client), [
        ["CLIENT", "TRACKING", "ON", "OPTIN"],
        ["CLIENT", "CACHING", "YES"],
        ["CLIENT", "ID"],
        ["GET", "a"],
        ["GET", "b"],
        ["CLIENT", "CACHING", "YES"],
        ["MULTI"],
        ["GET", "c"],
        ["GET", "d"],
        ["EXEC"],
        ["GET", "e"],
        ["MSET", "a", "1", "b", "1", "c", "1", "d", "1", "e", "1"],
      ]).then((text) => text.replace(/^:\d+/m, ":id")),
    );
  });

  suite.test("broadcasts", (c) => {
    c.probe("of prefixes", async (client) => {
      const all = await resp3(client);
      const some = await resp3(client);
      await all.must("CLIENT", "TRACKING", "ON", "BCAST");
      await some.must("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a:", "PREFIX", "b:");
      await client.must("MSET", "b:2", "1", "b:1", "1", "x", "1");
      await client.must("SET", "a:1", "1");
      return `${await untilPong(all)} ${await untilPong(some)}`;
    });
    c.probe("without one's own changes", async (client) => {
      const self = await resp3(client);
      await self.must("CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP");
      await self.must("SET", "mine", "1");
      await client.must("SET", "k", "1");
      return untilPong(self);
    });
  });

  suite.test("redirection", (c) => {
    c.probe("to a subscriber of RESP2, and to RESP3", async (client) => {
      let seen = "";
      for (const target of [await client.sibling(), await resp3(client)]) {
        const id = textOf(await target.must("CLIENT", "ID"));
        await target.must("SUBSCRIBE", "__redis__:invalidate");
        const reader = await client.sibling();
        await reader.must("CLIENT", "TRACKING", "ON", "REDIRECT", id);
        const info = formatReply(await reader.must("CLIENT", "TRACKINGINFO"));
        seen += info.replace(
          /:\d+/,
          `:id ${formatReply(await reader.must("CLIENT", "GETREDIR")) === `:${id}`}`,
        );
        await reader.must("GET", "a");
        await client.must("SET", "a", "1");
        seen += text((await target.readReply()).raw);
        await client.must("FLUSHALL");
        seen += text((await target.readReply()).raw);
        target.close();
        reader.close();
      }
      return seen;
    });
    c.probe("to nobody any more", async (client) => {
      const target = await client.sibling();
      const id = textOf(await target.must("CLIENT", "ID"));
      const reader = await resp3(client);
      await reader.must("CLIENT", "TRACKING", "ON", "REDIRECT", id);
      await reader.must("GET", "a");
      await client.must("CLIENT", "KILL", "ID", id);
      await target.readUntilClosed();
      await client.must("SET", "a", "1");
      const seen = await untilPong(reader);
      const info = formatReply(await reader.must("CLIENT", "TRACKINGINFO"));
      return `${seen} ${info}`.replaceAll(`:${id}`, ":id");
    });
  });

  suite.test("expired keys and RESET", (c) => {
    c.probe("a key that expires", async (client) => {
      const reader = await resp3(client);
      await reader.must("CLIENT", "TRACKING", "ON");
      do await client.must("SET", "k", "v", "PX", "50");
      while ((await reader.must("GET", "k")).type === "null");
      const seen = text((await reader.readReply()).raw);
      await reader.must("RESET");
      return seen + formatReply(await reader.must("CLIENT", "TRACKINGINFO"));
    });
  });
});

async function resp3(client: RespClient): Promise<RespClient> {
  const other = await client.sibling();
  await other.must("HELLO", 3);
  return other;
}

/** What a connection was sent so far; it ends. */
async function untilPong(client: RespClient): Promise<string> {
  client.send("PING");
  let seen = "";
  for (;;) {
    const { reply, raw } = await client.readReply();
    if (reply.type === "simple") return seen;
    seen += text(raw);
  }
}

/** All bytes that a pipeline brings; the connection ends with it. */
async function bytesOf(client: RespClient, requests: readonly Request[]): Promise<string> {
  client.sendCommands([...requests, ["QUIT"]]);
  return text(await client.readUntilClosed());
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
