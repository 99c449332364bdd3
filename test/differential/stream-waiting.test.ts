/** XREAD and XREADGROUP that wait, against the reference server. */
import { useDifferential, type Script } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, textOf } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";

type Command = readonly Argument[];

/** What a command that waits is answered when the others have run. */
function waits(c: Script, title: string, waiting: Command, ...changes: readonly Command[]): void {
  c.probe(title, async (client) => {
    const waiter = await client.sibling();
    try {
      const answer = waiter.command(...waiting);
      await untilBlocked(client);
      for (const change of changes) await client.must(...change);
      return formatReply(await answer);
    } finally {
      waiter.close();
    }
  });
}

async function untilBlocked(client: RespClient): Promise<void> {
  while (!textOf(await client.must("INFO", "clients")).includes("blocked_clients:1\r\n"));
}

const GROUP_READ = ["XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"];

describeWithPeers("waiting for entries of streams", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("XREAD", (c) => {
    c.do("XADD", "s", "1-1", "a", "1");
    waits(
      c,
      "$ is the last ID at the time of the request",
      ["XREAD", "BLOCK", "0", "STREAMS", "s", "$"],
      ["XADD", "other", "1-1", "a", "1"],
      ["XADD", "s", "2-1", "a", "2"],
    );
    waits(
      c,
      "of a missing key, and of two",
      ["XREAD", "COUNT", "5", "BLOCK", "0", "STREAMS", "t", "s", "$", "2-1"],
      ["XADD", "t", "1-1", "a", "1"],
    );
    waits(
      c,
      "one answer for all that a transaction adds",
      ["XREAD", "BLOCK", "0", "STREAMS", "s", "2-1"],
      ["MULTI"],
      ["XDEL", "s", "2-1"],
      ["XADD", "s", "3-1", "a", "3"],
      ["XADD", "s", "4-1", "a", "4"],
      ["EXEC"],
    );
    waits(
      c,
      "of a key of another type",
      ["XREAD", "BLOCK", "0", "STREAMS", "u", "0"],
      ["SET", "u", "x"],
      ["DEL", "u"],
      ["XADD", "u", "1-1", "a", "1"],
    );
    waits(
      c,
      "the + ID",
      ["XREAD", "BLOCK", "0", "STREAMS", "v", "+"],
      ["XADD", "v", "1-1", "a", "1"],
    );
    c.do("XREAD", "BLOCK", "5", "STREAMS", "s", "$");
  });

  suite.test("XREADGROUP", (c) => {
    c.do("XADD", "s", "1-1", "a", "1");
    c.do("XGROUP", "CREATE", "s", "g", "$");
    waits(c, "a new entry", GROUP_READ, ["XADD", "s", "2-1", "a", "2"]);
    waits(
      c,
      "an older last ID",
      GROUP_READ,
      ["XGROUP", "SETID", "s", "g", "1-0"],
      ["XADD", "s", "3-1", "a", "3"],
    );
    c.do("XPENDING", "s", "g");
    waits(c, "the group is destroyed", GROUP_READ, ["XGROUP", "DESTROY", "s", "g"]);
    c.do("XGROUP", "CREATE", "s", "g", "$");
    waits(c, "the key is deleted", GROUP_READ, ["DEL", "s"]);
    c.do("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
    waits(c, "the key has another type", GROUP_READ, ["SET", "s", "x"]);
    c.do("DEL", "s");
    c.do("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM");
    waits(c, "all keys are flushed", GROUP_READ, ["FLUSHALL"]);
  });
});
