/** CLIENT PAUSE, REPLY and KILL in pipelines and across connections, against the reference. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, textOf } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";

describeWithPeers("clients and their treatment", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("a paused pipeline goes on where it stopped", (c) => {
    c.probe("writes wait, reads before them do not", async (client) => {
      const other = await client.sibling();
      await client.must("CLIENT", "PAUSE", "100000", "WRITE");
      other.sendCommands([
        ["GET", "k"],
        ["SET", "k", "1"],
        ["GET", "k"],
        ["INCR", "k"],
        ["GET", "k"],
      ]);
      const before = await readReplies(other, 1);
      const seen = formatReply(await client.must("EXISTS", "k"));
      await client.must("CLIENT", "UNPAUSE");
      const after = await readReplies(other, 4);
      other.close();
      return `${before}; ${seen}; ${after}`;
    });
    c.do("GET", "k");
  });

  suite.test("a request that is cut while clients are paused", (c) => {
    c.probe("its rest arrives during the pause", async (client) => {
      const other = await client.sibling();
      const id = textOf(await other.must("CLIENT", "ID"));
      await client.must("CLIENT", "PAUSE", "100000", "WRITE");
      other.sendRaw("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhe");
      other.sendRaw("llo\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
      await untilFlags(client, id, "b");
      await client.must("CLIENT", "UNPAUSE");
      const replies = await readReplies(other, 2);
      other.close();
      return replies;
    });
  });

  suite.test("several paused clients, and a pause that a second one extends", (c) => {
    c.probe("all go on", async (client) => {
      const others = [await client.sibling(), await client.sibling(), await client.sibling()];
      await client.must("CLIENT", "PAUSE", "1", "WRITE");
      await client.must("CLIENT", "PAUSE", "100000", "WRITE");
      await client.must("CLIENT", "PAUSE", "1", "WRITE");
      for (const other of others) {
        const id = textOf(await other.must("CLIENT", "ID"));
        other.send("INCR", "counter");
        await untilFlags(client, id, "b");
      }
      await client.must("CLIENT", "UNPAUSE");
      const replies: string[] = [];
      for (const other of others) replies.push(await readReplies(other, 1));
      for (const other of others) other.close();
      return replies.sort().join(" ");
    });
    c.do("GET", "counter");
  });

  suite.test("a pause of all commands ends by itself", (c) => {
    c.probe("PING waits for its end", async (client) => {
      const replies = await client.pipeline([
        ["CLIENT", "PAUSE", "20"],
        ["PING"],
        ["SET", "k", "v"],
        ["GET", "k"],
      ]);
      return replies.map(({ reply }) => formatReply(reply)).join(" ");
    });
  });

  suite.test("a paused client that is killed", (c) => {
    c.probe("its request never runs", async (client) => {
      const other = await client.sibling();
      const id = textOf(await other.must("CLIENT", "ID"));
      await client.must("CLIENT", "PAUSE", "100000", "WRITE");
      other.send("SET", "k", "never");
      await untilFlags(client, id, "b");
      const killed = formatReply(await client.must("CLIENT", "KILL", "ID", id));
      await other.readUntilClosed();
      await client.must("CLIENT", "UNPAUSE");
      return `${killed} ${formatReply(await client.must("EXISTS", "k"))}`;
    });
  });

  suite.test("CLIENT REPLY in pipelines", (c) => {
    const pipelines: readonly (readonly (readonly string[])[])[] = [
      [
        ["CLIENT", "REPLY", "SKIP"],
        ["CLIENT", "REPLY", "SKIP"],
        ["PING", "1"],
        ["PING", "2"],
      ],
      [
        ["CLIENT", "REPLY", "SKIP"],
        ["CLIENT", "REPLY", "ON"],
        ["PING", "1"],
      ],
      [["CLIENT", "REPLY", "SKIP"], ["NOSUCH"], ["PING", "1"]],
      [
        ["CLIENT", "REPLY", "SKIP"],
        ["CLIENT", "REPLY", "BAD"],
        ["PING", "1"],
      ],
      [
        ["CLIENT", "REPLY", "OFF"],
        ["CLIENT", "REPLY", "SKIP"],
        ["CLIENT", "REPLY", "ON"],
      ],
      [["CLIENT", "REPLY", "SKIP"], ["CLIENT", "REPLY", "OFF"], ["PING"], ["RESET"]],
      [["CLIENT", "REPLY", "OFF"], ["RESET"], ["PING", "1"]],
      [["CLIENT", "REPLY", "SKIP"], ["RESET"], ["PING", "1"]],
      [
        ["CLIENT", "REPLY", "SKIP"],
        ["HELLO", "3"],
        ["PING", "1"],
      ],
    ];
    for (const commands of pipelines) {
      c.probe(commands.flat().join(" "), async (client) => {
        const other = await client.sibling();
        other.sendCommands([...commands, ["ECHO", "end"], ["QUIT"]]);
        const bytes = await other.readUntilClosed();
        return Buffer.from(bytes).toString("latin1");
      });
    }
  });

  suite.test("CLIENT KILL takes the client off the list at once", (c) => {
    c.probe("killed, then listed, in one write", async (client) => {
      const victims = [await client.sibling(), await client.sibling()];
      const ids: string[] = [];
      for (const victim of victims) ids.push(textOf(await victim.must("CLIENT", "ID")));
      const replies = await client.pipeline([
        ["CLIENT", "KILL", "ID", ids[0]],
        ["CLIENT", "KILL", "ID", ids[0]],
        ["CLIENT", "LIST", "ID", ...ids],
        ["CLIENT", "KILL", "ID", ids[1], "SKIPME", "no"],
        ["CLIENT", "LIST", "ID", ...ids],
      ]);
      for (const victim of victims) await victim.readUntilClosed();
      const count = (text: string) => text.split("\n").filter((line) => line !== "").length;
      return replies
        .map(({ reply }, i) => (i === 2 || i === 4 ? count(textOf(reply)) : formatReply(reply)))
        .join(" ");
    });
    c.probe("the client itself, after its reply", async (client) => {
      const other = await client.sibling();
      const id = textOf(await other.must("CLIENT", "ID"));
      other.sendCommands([
        ["CLIENT", "KILL", "ID", id, "SKIPME", "no"],
        ["SET", "k", "never"],
      ]);
      const bytes = await other.readUntilClosed();
      return `${Buffer.from(bytes).toString("latin1")} ${formatReply(await client.must("EXISTS", "k"))}`;
    });
  });

  suite.test("letters of the flags field", (c) => {
    c.probe("no-evict and no-touch", async (client) => {
      await client.must("CLIENT", "NO-EVICT", "ON");
      await client.must("CLIENT", "NO-TOUCH", "ON");
      const on = fieldOf(textOf(await client.must("CLIENT", "INFO")), "flags");
      await client.must("RESET");
      return `${on} ${fieldOf(textOf(await client.must("CLIENT", "INFO")), "flags")}`;
    });
  });
});

async function readReplies(client: RespClient, count: number): Promise<string> {
  const replies: string[] = [];
  for (let i = 0; i < count; i++) replies.push(formatReply((await client.readReply()).reply));
  return replies.join(" ");
}

function fieldOf(line: string, name: string): string {
  return new RegExp(`(?:^| )${name}=([^ \\n]*)`).exec(line)?.[1] ?? "";
}

/** Asks until the client `id` has these flags. */
async function untilFlags(client: RespClient, id: string, flags: string): Promise<void> {
  for (;;) {
    const line = textOf(await client.must("CLIENT", "LIST", "ID", id));
    if (fieldOf(line, "flags") === flags) return;
  }
}
