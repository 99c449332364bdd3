/** MONITOR, SLOWLOG, COMMANDLOG and LATENCY, against the reference server. */
import { expect, test } from "bun:test";
import { useDifferential } from "../support/differential.ts";
import { describeWithPeers } from "../support/peers.ts";
import { formatReply, itemsOf, textOf, type Reply } from "../support/reply.ts";
import type { Argument, RespClient } from "../support/resp-client.ts";

const LONG = "A".repeat(129);
/** Lines of MONITOR and entries of the log differ by times and ports. */
const TIME = /^[0-9]+\.[0-9]{6} /;
const ADDRESS = /127\.0\.0\.1:[0-9]+/;

/** Arguments of the logged requests, newest first. */
async function logged(client: RespClient, ...get: readonly Argument[]): Promise<string> {
  const entries = itemsOf(await client.must(...get));
  return entries.map((entry) => formatReply(itemsOf(entry)[3])).join("\n");
}

describeWithPeers("observers", ["valkey-server"], () => {
  const suite = useDifferential();

  suite.test("MONITOR", (c) => {
    c.probe("the lines of what others run", async (client) => {
      const monitor = await client.sibling();
      const other = await client.sibling();
      await monitor.must("MONITOR");
      const pipeline: readonly (readonly Argument[])[] = [
        ["set", "k", 'a"b\\c\r\n\t\x07\x00\xff'],
        ["SELECT", "3"],
        ["GET", "k"],
        ["nosuch"],
        ["get"],
        ["CONFIG", "GET", "port"],
        ["LPUSH", "k2", "x"],
        ["INCR", "k2"],
        ["AUTH", "user", "secret"],
        ["AUTH", "secret"],
        ["HELLO", "3", "AUTH", "user", "secret", "SETNAME", "n"],
        ["MULTI"],
        ["SET", "a", ""],
        ["GET", "a"],
        ["EXEC"],
        ["MULTI"],
        ["NOSUCH"],
        ["EXEC"],
        ["MULTI"],
        ["EXEC", "x"],
        ["MULTI"],
        ["SET", "a", "b"],
        ["DISCARD"],
        ["BLPOP", "nolist", "0.01"],
        ["DEBUG", "JMAP"],
        ["FLUSHALL"],
        ["SELECT", "0"],
        ["RESET"],
        ["PING", "end"],
      ];
      other.sendCommands(pipeline);
      const lines: string[] = [];
      for (;;) {
        const line = textOf((await monitor.readReply()).reply);
        expect(line).toMatch(TIME);
        lines.push(line.replace(TIME, "").replace(ADDRESS, "ADDRESS"));
        if (line.endsWith('"PING" "end"')) break;
      }
      monitor.close();
      other.close();
      return lines.join("\n");
    });
    c.probe("what a monitor may do", async (client) => {
      const monitor = await client.sibling();
      const replies: Reply[] = [];
      await monitor.must("MONITOR");
      for (const args of [
        ["GET", "k"],
        ["SET", "k", "v"],
        ["MONITOR", "x"],
      ]) {
        replies.push(await monitor.command(...args));
      }
      const info = textOf(await client.must("CLIENT", "LIST"));
      const letters = info.split("\n").filter((line) => line.includes("flags=O")).length;
      replies.push(await monitor.command("RESET"), await monitor.command("GET", "k"));
      monitor.close();
      return `${replies.map((reply) => formatReply(reply)).join(" ")} ${letters}`;
    });
    c.do("MULTI");
    c.do("MONITOR");
    c.probe("refused in EXEC", async (client) => formatReply(await client.command("EXEC")));
  });

  suite.test("SLOWLOG", (c) => {
    c.do("SLOWLOG", "HELP");
    c.do("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "100");
    c.do("SLOWLOG", "RESET");
    c.ignore("MSET", ...Array.from({ length: 32 }, (_, i) => String(i)));
    c.do("SET", "k", LONG);
    c.do("MULTI");
    c.do("GET", "k");
    c.ignore("EXEC");
    c.failContaining("WRONGPASS", "AUTH", "user", "secret");
    c.do("CONFIG", "SET", "requirepass", "");
    c.failContaining("wrong number", "GET");
    c.do("CONFIG", "SET", "slowlog-log-slower-than", "-1");
    c.probe("entries", (client) => logged(client, "SLOWLOG", "GET", "-1"));
    c.sameShape("SLOWLOG", "GET", "1");
    c.do("SLOWLOG", "LEN");
    c.do("SLOWLOG", "GET", "0");
    c.do("CONFIG", "SET", "slowlog-max-len", "0");
    c.do("SLOWLOG", "LEN");
    c.do("SLOWLOG", "RESET");
    c.do("SLOWLOG", "GET");
    for (const count of ["-2", "x", "", "9223372036854775808"]) c.fail("SLOWLOG", "GET", count);
    c.fail("SLOWLOG", "GET", "1", "2");
    c.fail("SLOWLOG", "LEN", "x");
    c.do("CONFIG", "SET", "slowlog-log-slower-than", "10000", "slowlog-max-len", "128");
  });

  // The reference executable has no COMMANDLOG.
  suite.testOurs("COMMANDLOG", (c) => {
    const limits = ["commandlog-request-larger-than", "commandlog-reply-larger-than"];
    c.ours("+OK", "COMMANDLOG", "RESET", "large-reply");
    c.ours("+OK", "COMMANDLOG", "RESET", "large-request");
    // *3 $3 SET $1 k $1000 ...: 1000 bytes of value and 29 of the rest.
    c.ours("+OK", "CONFIG", "SET", limits[0], "1030", limits[1], "308");
    c.ours("+OK", "SET", "k", "A".repeat(1000));
    c.ours(":0", "COMMANDLOG", "LEN", "LARGE-request");
    c.ours("+OK", "SET", "k", "A".repeat(1001));
    c.ours(":1", "COMMANDLOG", "LEN", "large-request");
    c.ours(":0", "COMMANDLOG", "LEN", "large-reply");
    c.ours(`"${"A".repeat(299)}"`, "GETRANGE", "k", 0, 298);
    c.ours(":0", "COMMANDLOG", "LEN", "large-reply");
    c.ours(`"${"A".repeat(300)}"`, "GETRANGE", "k", 0, 299);
    c.ours(":1", "COMMANDLOG", "LEN", "large-reply");
    c.ours("array (empty)", "COMMANDLOG", "GET", "0", "large-request");
    for (const command of ["GET", "LEN", "RESET"]) {
      const count = command === "GET" ? ["1"] : [];
      c.ours(
        "-ERR type should be one of the following: slow, large-request, large-reply",
        "COMMANDLOG",
        command,
        ...count,
        "fast",
      );
    }
    c.ours("+OK", "CONFIG", "SET", limits[0], "1048576", limits[1], "1048576");
  });

  suite.test("LATENCY", (c) => {
    c.do("LATENCY", "HELP");
    c.do("CONFIG", "SET", "latency-monitor-threshold", "1");
    c.do("LATENCY", "RESET");
    c.do("LATENCY", "LATEST");
    c.do("LATENCY", "HISTORY", "command");
    c.fail("LATENCY", "GRAPH", "command");
    c.do("DEBUG", "SLEEP", "0.005");
    c.probe("a spike", async (client) => {
      const [latest] = itemsOf(await client.must("LATENCY", "LATEST"));
      const history = itemsOf(await client.must("LATENCY", "HISTORY", "command"));
      const graph = textOf(await client.must("LATENCY", "GRAPH", "command"));
      const shape = graph.replace(/[0-9]+/g, "N");
      // 8.1 adds the sum and the count of all spikes.
      return `${formatReply(itemsOf(latest)[0])} ${history.length}\n${shape}`;
    });
    c.do("LATENCY", "RESET", "none", "COMMAND");
    c.do("CONFIG", "SET", "latency-monitor-threshold", "0");
    c.fail("LATENCY", "GRAPH");
    c.fail("LATENCY", "NOSUCH");
  });

  suite.test("LATENCY HISTOGRAM and INFO latencystats", (c) => {
    c.do("CONFIG", "RESETSTAT");
    c.do("SET", "k", "v");
    c.do("SET", "k", "v");
    c.do("LATENCY", "HISTOGRAM", "get", "nosuch");
    c.probe("calls by command", async (client) => {
      const reply = await client.must("LATENCY", "HISTOGRAM", "SET", "nosuch", "config", "client");
      const names = /"(?:calls|set|config\|[a-z]+|histogram_usec)"|"calls"\s+:[0-9]+/g;
      return (formatReply(reply).match(names) ?? []).join(" ");
    });
    c.probe("percentiles", async (client) => {
      const info = textOf(await client.must("INFO", "latencystats"));
      const line = info.split("\r\n").find((text) => text.includes("_usec_set:")) ?? "";
      return line.replace(/=[0-9]+\.[0-9]{3}/g, "=N");
    });
    c.do("CONFIG", "SET", "latency-tracking", "no");
    c.do("INFO", "latencystats");
    c.do("CONFIG", "SET", "latency-tracking", "yes");
    c.do("CONFIG", "RESETSTAT");
    c.do("LATENCY", "HISTOGRAM", "set");
  });

  test("sampled calls are all counted", async () => {
    const client = await suite.ours().connect();
    await client.must("CONFIG", "RESETSTAT");
    await client.pipeline(Array.from({ length: 1000 }, () => ["GET", "k"]));
    const reply = formatReply(await client.must("LATENCY", "HISTOGRAM", "get"));
    expect(reply).toMatch(/"calls"\s+:1000\n/);
    expect(textOf(await client.must("INFO", "commandstats"))).toContain("cmdstat_get:calls=1000,");
    client.close();
  });
});
