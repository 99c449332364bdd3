/** What clients may not do: be too many, be idle, come from elsewhere, ask or keep too much. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { useProcesses } from "../support/our-process.ts";
import { formatReply, textOf } from "../support/reply.ts";
import { concatBytes, encodeCommand, RespClient } from "../support/resp-client.ts";
import { freePort, useServer } from "../support/server-process.ts";
import { connectUnread } from "../support/unread-client.ts";

setDefaultTimeout(60_000);

const decode = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

async function infoField(client: RespClient, name: string): Promise<string> {
  const text = textOf(await client.must("INFO", "everything"));
  return new RegExp(`^${name}:(.*)\r$`, "m").exec(text)?.[1] ?? "";
}

describe("clients that are refused", () => {
  const server = useServer({ program: "ours", directives: { maxclients: "3" } });

  test("one more than maxclients", async () => {
    const clients: RespClient[] = [];
    for (let i = 0; i < 3; i++) {
      const client = await server().connect();
      await client.must("PING");
      clients.push(client);
    }
    const refused = await server().connect();
    expect(decode(await refused.readUntilClosed())).toBe("-ERR max number of clients reached\r\n");
    expect(await infoField(clients[0], "rejected_connections")).toBe("1");
    clients[2].close();
    while ((await infoField(clients[0], "connected_clients")) !== "2") continue;
    const next = await server().connect();
    await next.must("PING");
    for (const client of [...clients, next]) client.close();
  });
});

describe("protected mode", () => {
  const { start } = useProcesses();
  const address = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === "IPv4" && !each.internal)?.address;

  test.skipIf(address === undefined)("refuses who comes from another interface", async () => {
    const port = freePort();
    await start(["--port", String(port)]).logged("Ready to accept connections");
    const read = async (): Promise<string> => {
      let received = "";
      const ended = Promise.withResolvers<void>();
      const socket = await Bun.connect({
        hostname: address ?? "",
        port,
        socket: {
          open: (opened) => void opened.write("PING\r\n"),
          data(each, chunk) {
            received += decode(chunk);
            if (received.endsWith("\r\n")) each.end();
          },
          close: () => ended.resolve(),
          error: () => ended.resolve(),
        },
      });
      await ended.promise;
      socket.end();
      return received;
    };
    expect(await read()).toStartWith("-DENIED Running in protected mode");
    const local = await RespClient.connect(port);
    await local.must("PING");
    await local.must("CONFIG", "SET", "protected-mode", "no");
    expect(await read()).toBe("+PONG\r\n");
    await local.must("CONFIG", "SET", "protected-mode", "yes", "requirepass", "secret");
    expect(await read()).toStartWith("-NOAUTH");
    local.close();
  });
});

describe("clients that are closed", () => {
  const server = useServer({ program: "ours", directives: { loglevel: "verbose" } });

  test("for being idle longer than the timeout", async () => {
    const idle = await server().connect();
    await idle.must("PING");
    const other = await server().connect();
    await other.must("CONFIG", "SET", "timeout", "1");
    expect(await idle.readUntilClosed()).toEqual(new Uint8Array(0));
    const next = await server().connect();
    await next.must("CONFIG", "SET", "timeout", "0");
    expect(server().stdout()).toContain("Closing idle client");
    next.close();
  });

  test("for a line without end", async () => {
    const client = await server().connect();
    client.sendRaw("A".repeat(70_000));
    expect(decode(await client.readUntilClosed())).toBe(
      "-ERR Protocol error: too big inline request\r\n",
    );
  });

  test("for an argument whose bytes no offset could count", async () => {
    const client = await server().connect();
    await client.must("CONFIG", "SET", "proto-max-bulk-len", "8gb");
    const huge = await server().connect();
    huge.sendRaw("*2\r\n$4\r\nECHO\r\n$3000000000\r\n");
    expect(decode(await huge.readUntilClosed())).toBe(
      "-ERR Protocol error: invalid bulk length\r\n",
    );
    await client.must("CONFIG", "SET", "proto-max-bulk-len", "512mb");
    client.close();
  });

  test("for a request beyond client-query-buffer-limit", async () => {
    const client = await server().connect();
    await client.must("CONFIG", "RESETSTAT");
    await client.must("CONFIG", "SET", "client-query-buffer-limit", "1mb");
    const greedy = await server().connect();
    greedy.send("SET", "huge", "x".repeat(3_000_000));
    expect(await greedy.readUntilClosed()).toEqual(new Uint8Array(0));
    expect(await infoField(client, "client_query_buffer_limit_disconnections")).toBe("1");
    expect(formatReply(await client.command("EXISTS", "huge"))).toBe(":0");
    await client.must("CONFIG", "SET", "client-query-buffer-limit", "1gb");
    client.close();
  });

  test("for not reading what they asked for, before they can ask for more", async () => {
    const client = await server().connect();
    await client.must("CONFIG", "RESETSTAT");
    await client.must("SET", "big", "x".repeat(100_000));
    await client.must("CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0");
    const get = encodeCommand(["GET", "big"]);
    const commands = [
      ...Array.from({ length: 900 }, () => get),
      encodeCommand(["SET", "ran", "1"]),
    ];
    const slow = await connectUnread(server().port, concatBytes(commands));
    const closed = () => infoField(client, "client_output_buffer_limit_disconnections");
    while ((await closed()) === "0") continue;
    expect(await closed()).toBe("1");
    expect(await infoField(client, "connected_clients")).toBe("1");
    expect(formatReply(await client.command("EXISTS", "ran"))).toBe(":0");
    expect(Number(await infoField(client, "mem_clients_normal"))).toBeLessThan(4_000_000);
    expect(server().stdout()).toContain("closed for overcoming of output buffer limits");
    slow.end();
    await client.must("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
    client.close();
  });

  test("for one reply beyond the limit, even if they would read it", async () => {
    const client = await server().connect();
    await client.must("SET", "big", "x".repeat(100_000));
    await client.must("CONFIG", "SET", "client-output-buffer-limit", "normal 10 0 0");
    const eager = await server().connect();
    eager.send("GET", "big");
    expect(await eager.readUntilClosed()).toEqual(new Uint8Array(0));
    await client.must("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
    expect(textOf(await client.must("GET", "big")).length).toBe(100_000);
    client.close();
  });

  test("for a reply without end, which is not written to its end", async () => {
    const client = await server().connect();
    await client.must("CONFIG", "RESETSTAT");
    await client.must("HSET", "hash", "field", "value");
    await client.must("SADD", "set", "member");
    await client.must("ZADD", "zset", "1", "member");
    await client.must("CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0");
    const count = "-1000000000000";
    for (const [command, key] of [
      ["HRANDFIELD", "hash"],
      ["SRANDMEMBER", "set"],
      ["ZRANDMEMBER", "zset"],
    ]) {
      const endless = await server().connect();
      endless.sendCommands([
        [command, key, count],
        ["SET", "ran", "1"],
      ]);
      expect(await endless.readUntilClosed()).toEqual(new Uint8Array(0));
    }
    expect(await infoField(client, "client_output_buffer_limit_disconnections")).toBe("3");
    expect(formatReply(await client.command("EXISTS", "ran"))).toBe(":0");
    await client.must("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
    client.close();
  });

  test("after the rest of a transaction whose replies are too long", async () => {
    const client = await server().connect();
    await client.must("SADD", "set", "member");
    await client.must("CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0");
    const greedy = await server().connect();
    greedy.sendCommands([
      ["MULTI"],
      ["SRANDMEMBER", "set", "-1000000000000"],
      ["SET", "last", "1"],
      ["EXEC"],
      ["SET", "behind", "1"],
    ]);
    await greedy.readUntilClosed();
    expect(formatReply(await client.command("EXISTS", "last"))).toBe(":1");
    expect(formatReply(await client.command("EXISTS", "behind"))).toBe(":0");
    await client.must("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
    client.close();
  });

  test("with a line in the log that shows what they sent only where it may", async () => {
    const client = await server().connect();
    const breakProtocol = async (name: string): Promise<void> => {
      const broken = await server().connect();
      await broken.must("CLIENT", "SETNAME", name);
      broken.sendRaw("*2\r\n$3\r\nGET\r\n$secret\r\n");
      await broken.readUntilClosed();
    };
    await breakProtocol("first");
    const shown = "Protocol error (invalid bulk length) from client: id=";
    expect(await server().logged(shown)).toBe(true);
    expect(server().stdout()).toMatch(/ name=\*redacted\* .*\. Query buffer: \*redacted\*/);
    expect(server().stdout()).not.toContain("secret");
    await client.must("CONFIG", "SET", "hide-user-data-from-log", "no");
    await breakProtocol("second");
    expect(await server().logged("Query buffer: '*2..$3..GET..$secret..'")).toBe(true);
    expect(server().stdout()).toMatch(/ name=second .*Query buffer: /);
    await breakProtocol("x".repeat(20));
    const long = await server().connect();
    long.sendRaw(`*2\r\n$300\r\n${"y".repeat(300)}\r\n$secret\r\n`);
    await long.readUntilClosed();
    expect(await server().logged("y' (... more ")).toBe(true);
    await client.must("CONFIG", "SET", "hide-user-data-from-log", "yes");
    client.close();
  });
});
