/** Connection commands, against the reference server. */
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, isError, itemsOf, textOf } from "../support/reply.ts";
import { ConnectionClosed, type Argument, type RespClient } from "../support/resp-client.ts";

describeWithPeers("connection commands", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("PING and ECHO", (c) => {
    c.do("PING");
    c.do("ping");
    c.do("PING", "hello");
    c.do("PING", "");
    c.do("PING", "\r\n\0");
    c.do("ECHO", "hello");
    c.do("ECHO", "");
    c.do("ECHO", "x".repeat(100_000));
    c.fail("PING", "a", "b");
    c.fail("ECHO");
    c.fail("ECHO", "a", "b");
  });

  suite.test("unknown commands", (c) => {
    c.fail("NOSUCH");
    c.fail("nosuch", "with", "arguments", "that are", "quoted '\"");
    c.fail("NOSUCH", "");
    c.fail("");
    c.fail("", "a");
    c.fail("x".repeat(200));
    c.fail("NOSUCH", "y".repeat(200), "z");
    c.fail("NOSUCH", ..."abcdefghijklmnopqrstuvwxyz".split("").map((letter) => letter.repeat(10)));
    c.fail("NO\r\nSUCH", "a\r\nb");
    c.fail("NO\0SUCH", "a\0b");
    c.fail(new Uint8Array([0xff, 0xfe]), new Uint8Array([0x80, 0x0a]));
    c.fail("GET|x", "a");
    c.fail("config|get", "a");
    c.fail("GET ", "a");
  });

  suite.test("arity and subcommands", (c) => {
    for (const container of [
      "CONFIG",
      "CLIENT",
      "COMMAND",
      "OBJECT",
      "DEBUG",
      "MEMORY",
      "ACL",
      "SCRIPT",
      "LATENCY",
      "SLOWLOG",
      "PUBSUB",
      "XINFO",
      "XGROUP",
      "CLUSTER",
      "FUNCTION",
      "MODULE",
    ]) {
      c.where(container.toLowerCase(), () => {
        if (container !== "COMMAND") c.fail(container);
        c.fail(container, "NOSUCH");
        c.fail(container, "NOSUCH", "a", "b");
        c.fail(container, "");
        c.fail(container, "x".repeat(200));
        c.fail(container, "No\r\nSuch");
      });
    }
    c.fail("CONFIG", "GET");
    c.fail("CONFIG", "SET", "a");
    c.fail("CLIENT", "SETNAME");
    c.fail("CLIENT", "ID", "x");
    c.fail("COMMAND", "COUNT", "x");
    c.fail("MEMORY", "USAGE");
    c.fail("CLIENT", "KILL");
    c.fail("config", "resetstat", "x");
  });

  suite.test("HELLO", (c) => {
    c.probe("without arguments", hello());
    c.probe("protocol 2", hello("2"));
    c.probe("protocol 3", hello("3"));
    c.do("GET", "none");
    c.probe("protocol 3, then again without", hello());
    c.probe("protocol 2 again", hello("2"));
    c.do("GET", "none");
    c.probe("with a name", hello("3", "SETNAME", "me"));
    c.do("CLIENT", "GETNAME");
    c.probe("with the user", hello("2", "AUTH", "default", "anything"));
    c.probe("with all", hello("3", "auth", "default", "", "setname", "you"));
    c.do("CLIENT", "GETNAME");
    for (const version of ["0", "1", "4", "-1", "99"]) c.fail("HELLO", version);
    for (const version of ["abc", "", "2.0", "9223372036854775808"]) c.fail("HELLO", version);
    c.fail("HELLO", "3", "SETNAME");
    c.fail("HELLO", "3", "SETNAME", "with space");
    c.fail("HELLO", "3", "SETNAME", "new\nline");
    c.fail("HELLO", "3", "AUTH", "default");
    c.fail("HELLO", "3", "AUTH", "nobody", "x");
    c.fail("HELLO", "3", "BAD");
    c.fail("HELLO", "3", "BAD", "x");
    c.fail("HELLO", "2", "AUTH", "nobody", "x", "SETNAME", "changed");
    c.do("CLIENT", "GETNAME");
    c.probe("an empty name", hello("2", "SETNAME", ""));
    c.do("CLIENT", "GETNAME");
  });

  suite.test("AUTH without a password configured", (c) => {
    c.fail("AUTH", "x");
    c.fail("AUTH", "");
    c.do("AUTH", "default", "x");
    c.do("AUTH", "default", "");
    c.fail("AUTH", "nobody", "x");
    c.fail("AUTH", "nobody", "");
    c.fail("AUTH");
    c.fail("AUTH", "a", "b", "c");
  });

  suite.test("requirepass", (c) => {
    c.do("CONFIG", "SET", "requirepass", "secret");
    c.do("CONFIG", "GET", "requirepass");
    c.do("PING");
    c.probe("a new connection", async (client) => {
      const other = await client.sibling();
      const replies: string[] = [];
      for (const args of [
        ["PING"],
        ["GET", "k"],
        ["NOSUCH"],
        ["GET"],
        ["COMMAND"],
        ["INFO"],
        ["MULTI"],
        ["EXEC"],
        ["WATCH", "k"],
        ["SELECT", "1"],
        ["HELLO"],
        ["HELLO", "3"],
        ["HELLO", "9"],
        ["AUTH", "wrong"],
        ["AUTH", "default", "wrong"],
        ["AUTH", "nobody", "secret"],
        ["AUTH"],
        ["RESET"],
        ["HELLO", "2", "AUTH", "default", "wrong"],
        ["CLIENT", "ID"],
        ["AUTH", "secret"],
        ["PING"],
        ["AUTH", "wrong"],
        ["PING"],
        ["RESET"],
        ["PING"],
        ["AUTH", "default", "secret"],
        ["GET", "k"],
        ["AUTH", "nobody", "x"],
        ["GET", "k"],
      ]) {
        replies.push(`${args.join(" ")}: ${formatReply(await other.command(...args))}`);
      }
      other.close();
      return replies.join("\n");
    });
    c.probe("HELLO with AUTH", async (client) => {
      const other = await client.sibling();
      const first = await other.command("HELLO", "3", "AUTH", "default", "secret");
      const second = await other.command("PING");
      other.close();
      return `${isError(first)} ${formatReply(second)}`;
    });
    c.do("CONFIG", "SET", "requirepass", "");
    c.do("CONFIG", "GET", "requirepass");
  });

  suite.test("QUIT answers and closes", (c) => {
    c.probe("QUIT", closesAfter(["QUIT"]));
    c.probe("QUIT with arguments", closesAfter(["QUIT", "now"]));
    c.probe("commands behind QUIT", closesAfter(["QUIT"], ["SET", "behind", "quit"]));
    c.probe(
      "commands before QUIT",
      closesAfter(["SET", "before", "quit"], ["QUIT"], ["SET", "behind", "quit"]),
    );
    c.do("EXISTS", "behind");
    c.do("EXISTS", "before");
  });

  suite.test("RESET", (c) => {
    c.do("SELECT", "3");
    c.do("CLIENT", "SETNAME", "me");
    c.do("CLIENT", "REPLY", "ON");
    c.probe("protocol 3", hello("3"));
    c.do("RESET");
    c.do("GET", "none");
    c.do("CLIENT", "GETNAME");
    c.do("SET", "k", "in 0");
    c.where("multi", () => {
      c.do("MULTI");
      c.do("SET", "k", "v");
      c.do("RESET");
      c.fail("EXEC");
    });
    c.do("GET", "k");
    c.fail("RESET", "x");
  });

  suite.test("names and library of a client", (c) => {
    c.do("CLIENT", "GETNAME");
    c.do("CLIENT", "SETNAME", "my-name");
    c.do("CLIENT", "GETNAME");
    c.fail("CLIENT", "SETNAME", "with space");
    c.fail("CLIENT", "SETNAME", "new\nline");
    c.fail("CLIENT", "SETNAME", "ключ");
    c.do("CLIENT", "GETNAME");
    c.do("CLIENT", "SETNAME", "");
    c.do("CLIENT", "GETNAME");
    c.do("CLIENT", "SETINFO", "LIB-NAME", "lib");
    c.do("CLIENT", "SETINFO", "lib-ver", "1.2.3");
    c.fail("CLIENT", "SETINFO", "LIB-NAME", "with space");
    c.fail("CLIENT", "SETINFO", "LIB-VER", "new\nline");
    c.fail("CLIENT", "SETINFO", "BAD", "x");
    c.fail("CLIENT", "SETINFO", "LIB-NAME");
    c.probe("CLIENT INFO", async (client) => {
      const info = textOf(await client.must("CLIENT", "INFO"));
      return ["name", "db", "user", "lib-name", "lib-ver", "flags", "sub", "multi", "resp"]
        .map((field) => new RegExp(`(?:^| )${field}=([^ \\n]*)`).exec(info)?.[0].trim())
        .join(" ");
    });
  });

  suite.test("fields of CLIENT LIST and CLIENT INFO", (c) => {
    // "capa" is 8.1's.
    const fieldsOf = (text: string) =>
      [...text.matchAll(/(?:^| )([a-z-]+)=/gm)]
        .map((match) => match[1])
        .filter((field) => field !== "capa")
        .join(" ");
    c.probe("CLIENT INFO", async (client) => fieldsOf(textOf(await client.must("CLIENT", "INFO"))));
    c.probe("CLIENT LIST ID", async (client) => {
      const id = textOf(await client.must("CLIENT", "ID"));
      const text = textOf(await client.must("CLIENT", "LIST", "ID", id));
      return `${fieldsOf(text)} ${text.startsWith(`id=${id} `)} ${text.endsWith("\n")} ${text.includes("cmd=client|list")}`;
    });
    c.do("CLIENT", "LIST", "TYPE", "master");
    c.do("CLIENT", "LIST", "TYPE", "replica");
    c.do("CLIENT", "LIST", "TYPE", "pubsub");
    c.do("CLIENT", "LIST", "ID", "99999999");
    c.fail("CLIENT", "LIST", "TYPE");
    c.fail("CLIENT", "LIST", "TYPE", "bad");
    c.fail("CLIENT", "LIST", "ID");
    c.fail("CLIENT", "LIST", "BAD");
    c.fail("CLIENT", "INFO", "x");
  });

  suite.testOurs("filters of CLIENT LIST (8.1, the reference executable is 8.0)", (c) => {
    c.ours("-ERR client-id should be greater than 0", "CLIENT", "LIST", "ID", "0");
    c.ours("-ERR client-id should be greater than 0", "CLIENT", "LIST", "ID", "-1");
    c.ours("-ERR syntax error", "CLIENT", "LIST", "ID", "abc");
    c.ours("-ERR syntax error", "CLIENT", "KILL", "ID", "abc");
    c.ours("-ERR syntax error", "CLIENT", "LIST", "ADDR");
    c.ours("-ERR syntax error", "CLIENT", "LIST", "SKIPME", "maybe");
    c.ours("-ERR No such user 'nobody'", "CLIENT", "LIST", "USER", "nobody");
    c.ours("-ERR maxage should be greater than 0", "CLIENT", "LIST", "MAXAGE", "0");
    c.ours("-ERR maxage is not an integer or out of range", "CLIENT", "LIST", "MAXAGE", "x");
    c.do("CLIENT", "LIST", "ID", "1", "2", "TYPE", "normal");
    c.do("CLIENT", "LIST", "ADDR", "1.2.3.4:5", "SKIPME", "yes");
  });

  suite.test("CLIENT ID, GETREDIR, NO-EVICT, NO-TOUCH and TRACKINGINFO", (c) => {
    c.sameShape("CLIENT", "ID");
    c.probe("ids grow", async (client) => {
      const other = await client.sibling();
      const mine = Number(textOf(await client.must("CLIENT", "ID")));
      const its = Number(textOf(await other.must("CLIENT", "ID")));
      other.close();
      return String(mine > 0 && its > mine);
    });
    c.do("CLIENT", "GETREDIR");
    c.do("CLIENT", "TRACKINGINFO");
    for (const subcommand of ["NO-EVICT", "NO-TOUCH"]) {
      c.do("CLIENT", subcommand, "ON");
      c.do("CLIENT", subcommand, "off");
      c.fail("CLIENT", subcommand, "BAD");
      c.fail("CLIENT", subcommand);
    }
  });

  suite.test("CLIENT KILL", (c) => {
    c.probe(
      "by id",
      killed((id) => ["CLIENT", "KILL", "ID", id]),
    );
    c.probe(
      "by id, several filters",
      killed((id) => ["CLIENT", "KILL", "ID", id, "TYPE", "normal", "USER", "default"]),
    );
    c.probe(
      "by address",
      killed((_id, address) => ["CLIENT", "KILL", address]),
    );
    c.probe(
      "by address filter",
      killed((_id, address) => ["CLIENT", "KILL", "ADDR", address]),
    );
    c.do("CLIENT", "KILL", "ID", "99999999");
    c.fail("CLIENT", "KILL", "1.2.3.4:5");
    c.do("CLIENT", "KILL", "ADDR", "1.2.3.4:5");
    c.do("CLIENT", "KILL", "LADDR", "1.2.3.4:5");
    c.do("CLIENT", "KILL", "TYPE", "pubsub");
    c.do("CLIENT", "KILL", "MAXAGE", "1000000");
    c.fail("CLIENT", "KILL", "USER", "nobody");
    c.fail("CLIENT", "KILL", "TYPE", "bad");
    c.fail("CLIENT", "KILL", "ID", "0");
    c.fail("CLIENT", "KILL", "ID", "-5");
    c.fail("CLIENT", "KILL", "ID", "1", "SKIPME", "maybe");
    c.fail("CLIENT", "KILL", "ID", "1", "BAD");
    c.fail("CLIENT", "KILL", "BAD", "x");
    c.fail("CLIENT", "KILL", "ID", "1", "ADDR");
  });

  suite.test("CLIENT UNBLOCK", (c) => {
    c.do("CLIENT", "UNBLOCK", "99999999");
    c.do("CLIENT", "UNBLOCK", "99999999", "TIMEOUT");
    c.do("CLIENT", "UNBLOCK", "99999999", "error");
    c.do("CLIENT", "UNBLOCK", "-1");
    c.fail("CLIENT", "UNBLOCK", "99999999", "BAD");
    c.fail("CLIENT", "UNBLOCK", "abc");
    c.fail("CLIENT", "UNBLOCK");
  });

  suite.test("CLIENT REPLY", (c) => {
    c.do("CLIENT", "REPLY", "ON");
    c.probe("SKIP", async (client) => {
      client.send("CLIENT", "REPLY", "SKIP");
      client.send("PING", "skipped");
      return formatReply(await client.command("PING", "answered"));
    });
    c.probe("OFF and ON", async (client) => {
      client.send("CLIENT", "REPLY", "OFF");
      client.send("PING", "unanswered");
      client.send("NOSUCH");
      client.send("CLIENT", "REPLY", "SKIP");
      const on = await client.command("CLIENT", "REPLY", "ON");
      return `${formatReply(on)} ${formatReply(await client.command("PING"))}`;
    });
    c.fail("CLIENT", "REPLY", "BAD");
    c.fail("CLIENT", "REPLY");
    c.fail("CLIENT", "REPLY", "ON", "x");
  });

  suite.test("CLIENT PAUSE and UNPAUSE", (c) => {
    c.do("CLIENT", "UNPAUSE");
    c.do("CLIENT", "PAUSE", "0");
    c.do("CLIENT", "PAUSE", "100000", "WRITE");
    c.do("GET", "k");
    c.probe("a write waits for UNPAUSE", async (client) => {
      const other = await client.sibling();
      other.send("SET", "k", "paused");
      const before = formatReply(await client.must("GET", "k")).replace("null bulk", "null");
      await client.must("CLIENT", "UNPAUSE");
      const reply = formatReply((await other.readReply()).reply);
      other.close();
      return `${before} ${reply}`;
    });
    c.do("GET", "k");
    c.fail("CLIENT", "PAUSE", "abc");
    c.fail("CLIENT", "PAUSE", "-1");
    c.fail("CLIENT", "PAUSE", "10", "BAD");
    c.fail("CLIENT", "PAUSE");
    c.fail("CLIENT", "UNPAUSE", "x");
  });

  suite.test("CLIENT HELP", (c) => {
    c.sameShape("CLIENT", "CAPA", "redirect");
    c.fail("CLIENT", "HELP", "x");
    c.probe("CLIENT HELP begins alike", async (client) => {
      const lines = itemsOf(await client.must("CLIENT", "HELP")).map(textOf);
      return lines.slice(0, 3).join("\n");
    });
  });

  suite.test("MULTI, EXEC, DISCARD and WATCH", (c) => {
    c.where("multi", () => {
      c.do("MULTI");
      c.do("SET", "k", "1");
      c.do("INCR", "k");
      c.do("GET", "k");
      c.do("EXEC");
      c.fail("EXEC");
      c.fail("DISCARD");
      c.do("MULTI");
      c.fail("MULTI");
      c.do("SET", "k", "never");
      c.do("DISCARD");
      c.do("GET", "k");
      c.do("MULTI");
      c.fail("NOSUCH");
      c.do("SET", "k", "never");
      c.fail("EXEC");
      c.do("GET", "k");
      c.do("MULTI");
      c.fail("GET");
      c.fail("EXEC");
      c.do("MULTI");
      c.do("SET", "text", "abc");
      c.do("INCR", "text");
      c.do("SET", "after", "the error");
      c.do("EXEC");
      c.do("MULTI");
      c.do("EXEC");
      c.do("WATCH", "k");
      c.on("other").do("SET", "k", "changed");
      c.do("MULTI");
      c.do("SET", "k", "never");
      c.do("EXEC");
      c.do("GET", "k");
      c.do("WATCH", "k", "none");
      c.do("UNWATCH");
      c.on("other").do("SET", "k", "changed again");
      c.do("MULTI");
      c.do("SET", "k", "at last");
      c.do("EXEC");
      c.do("MULTI");
      c.fail("WATCH", "k");
      c.do("DISCARD");
      c.fail("WATCH");
      c.fail("MULTI", "x");
      c.fail("EXEC", "x");
      c.fail("DISCARD", "x");
      c.fail("UNWATCH", "x");
    });
  });
});

/** HELLO's reply without what belongs to the instance (id, version, name of the server). */
function hello(...args: readonly Argument[]): (client: RespClient) => Promise<string> {
  return async (client) => {
    const reply = await client.must("HELLO", ...args);
    const flat = itemsOf(reply);
    const lines: string[] = [reply.type];
    for (let i = 0; i < flat.length; i += 2) {
      const field = textOf(flat[i]);
      const instance = field === "id" || field === "version";
      lines.push(`${field} ${instance ? flat[i + 1].type : formatReply(flat[i + 1])}`);
    }
    return lines.join("\n");
  };
}

/** Sends the commands in one write on a connection of its own and reads until it is closed. */
function closesAfter(
  ...commands: readonly (readonly string[])[]
): (client: RespClient) => Promise<string> {
  return async (client) => {
    const other = await client.sibling();
    const replies: string[] = [];
    try {
      other.sendCommands(commands);
      for (;;) replies.push(formatReply((await other.readReply()).reply));
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error;
      return `${replies.join(" ")} closed`;
    }
  };
}

/** Kills a connection by the command that `kill` makes of its id and address. */
function killed(kill: (id: string, address: string) => readonly Argument[]) {
  return async (client: RespClient): Promise<string> => {
    const victim = await client.sibling();
    const id = textOf(await victim.must("CLIENT", "ID"));
    const info = textOf(await victim.must("CLIENT", "INFO"));
    const address = /(?:^| )addr=([^ ]+)/.exec(info)?.[1] ?? "";
    const reply = await client.must(...kill(id, address));
    await victim.readUntilClosed();
    return formatReply(reply);
  };
}
