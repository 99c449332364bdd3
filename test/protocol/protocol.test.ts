/**
 * The request side of the protocol, byte for byte against the reference server: each case is sent
 * whole, one byte at a time, and cut at random places.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { describeWithPeers } from "../support/peers.ts";
import { quoteBytes } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";
import { encodeCommand } from "../support/resp-client.ts";
import { type Random, seedOfRun, withSeed } from "../support/seed.ts";
import { useServer, type ServerProcess } from "../support/server-process.ts";
import { bytesOf, everyByte, exchangePieces, randomCuts } from "./pieces.ts";

interface Case {
  readonly title: string;
  readonly bytes: Uint8Array;
  /** The server closes the connection as soon as it has read the last byte. */
  readonly closes?: boolean;
  /** Too long to be sent one byte at a time. */
  readonly long?: boolean;
}

const FILE = "test/protocol/protocol.test.ts";
const SEED = seedOfRun();
const RANDOM_ROUNDS = 3;

const LETTERS = "abcdefghijklmnop".split("");

const command = (...args: readonly (string | Uint8Array)[]) => encodeCommand(args);

const INLINE: readonly Case[] = [
  { title: "PING", bytes: bytesOf("PING\r\n") },
  { title: "a bare line feed ends a line", bytes: bytesOf("PING\n") },
  { title: "several blanks and tabs", bytes: bytesOf("  PING \t  hello  \r\n") },
  { title: "empty lines", bytes: bytesOf("\r\n\r\n\n\nPING\r\n") },
  { title: "a line of blanks", bytes: bytesOf("   \r\nPING\r\n") },
  { title: "double quotes", bytes: bytesOf('ECHO "hello world"\r\n') },
  {
    title: "escapes in double quotes",
    bytes: bytesOf('ECHO "a\\n\\r\\t\\b\\a\\\\\\"\\x41\\xff\\xZZ\\q"\r\n'),
  },
  { title: "single quotes", bytes: bytesOf("ECHO 'hello \"world\" \\' \\n'\r\n") },
  { title: "empty argument", bytes: bytesOf("ECHO \"\"\r\nECHO ''\r\n") },
  { title: "quotes inside a word", bytes: bytesOf('ECHO a"b c"\r\n') },
  { title: "text behind a closing quote", bytes: bytesOf('ECHO "a"b\r\n'), closes: true },
  { title: "unbalanced double quote", bytes: bytesOf('ECHO "abc\r\n'), closes: true },
  { title: "unbalanced single quote", bytes: bytesOf("ECHO 'abc\r\n"), closes: true },
  {
    title: "unbalanced after others",
    bytes: bytesOf('PING\r\nset """test-key""" test-value\r\n'),
    closes: true,
  },
  { title: "unknown command", bytes: bytesOf("NOSUCH a b\r\n") },
  { title: "binary", bytes: bytesOf("ECHO ", new Uint8Array([0x80, 0xfe, 0x01]), "\r\n") },
  { title: "carriage return inside", bytes: bytesOf("ECHO a\rb\r\n") },
  // A line is looked for up to the first NUL, so this one never ends.
  {
    title: "a NUL byte",
    bytes: bytesOf("PING\0\r\n", "A".repeat(65537)),
    closes: true,
    long: true,
  },
  { title: "many arguments", bytes: bytesOf(`EXISTS ${"k ".repeat(300)}\r\n`), long: true },
  {
    title: "mixed with arrays",
    bytes: bytesOf("PING\r\n", command("PING", "a"), "PING b\r\n", command("PING")),
  },
  {
    title: "longer than 64 KiB without an end",
    bytes: bytesOf("A".repeat(65537)),
    closes: true,
    long: true,
  },
  { title: "looks like a bulk", bytes: bytesOf("$5\r\n") },
  { title: "HTTP POST", bytes: bytesOf("POST / HTTP/1.1\r\n"), closes: true },
  { title: "HTTP Host:", bytes: bytesOf("Host: localhost\r\n"), closes: true },
];

const ARRAYS: readonly Case[] = [
  { title: "PING", bytes: command("PING") },
  { title: "an empty argument", bytes: command("ECHO", "") },
  { title: "an argument with line ends", bytes: command("ECHO", "a\r\nb\r\n*1\r\n") },
  { title: "empty array", bytes: bytesOf("*0\r\n", command("PING")) },
  { title: "negative count", bytes: bytesOf("*-1\r\n", command("PING")) },
  { title: "very negative count", bytes: bytesOf("*-10\r\n*-2147483648\r\n", command("PING")) },
  { title: "count with a plus sign", bytes: bytesOf("*+1\r\n"), closes: true },
  { title: "count with a leading zero", bytes: bytesOf("*01\r\n"), closes: true },
  { title: "count is empty", bytes: bytesOf("*\r\n"), closes: true },
  { title: "count is text", bytes: bytesOf("*abc\r\n"), closes: true },
  { title: "count has a blank", bytes: bytesOf("* 1\r\n"), closes: true },
  { title: "count is a fraction", bytes: bytesOf("*1.5\r\n"), closes: true },
  { title: "count beyond 32 bits", bytes: bytesOf("*3000000000\r\n"), closes: true },
  { title: "count of 2147483648", bytes: bytesOf("*2147483648\r\n"), closes: true },
  { title: "count beyond 64 bits", bytes: bytesOf("*99999999999999999999\r\n"), closes: true },
  {
    title: "count without an end",
    bytes: bytesOf(`*${"1".repeat(65537)}`),
    closes: true,
    long: true,
  },
  { title: "element is no bulk", bytes: bytesOf("*1\r\nfoo\r\n"), closes: true },
  { title: "element is an integer", bytes: bytesOf("*2\r\n$4\r\nECHO\r\n:5\r\n"), closes: true },
  {
    title: "second element is no bulk",
    bytes: bytesOf("*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n"),
    closes: true,
  },
  { title: "element begins with a carriage return", bytes: bytesOf("*1\r\n\r\n"), closes: true },
  { title: "negative bulk length", bytes: bytesOf("*2\r\n$4\r\nECHO\r\n$-10\r\n"), closes: true },
  { title: "null bulk", bytes: bytesOf("*2\r\n$4\r\nECHO\r\n$-1\r\n"), closes: true },
  { title: "empty bulk length", bytes: bytesOf("*1\r\n$\r\n"), closes: true },
  { title: "bulk length is text", bytes: bytesOf("*2\r\n$4\r\nECHO\r\n$blabla\r\n"), closes: true },
  { title: "bulk length with a plus sign", bytes: bytesOf("*1\r\n$+4\r\n"), closes: true },
  { title: "bulk length with a leading zero", bytes: bytesOf("*1\r\n$04\r\n"), closes: true },
  {
    title: "bulk length above the limit",
    bytes: bytesOf("*2\r\n$4\r\nECHO\r\n$536870913\r\n"),
    closes: true,
  },
  {
    title: "bulk length beyond 32 bits",
    bytes: bytesOf("*2\r\n$4\r\nECHO\r\n$4294967300\r\n"),
    closes: true,
  },
  {
    title: "bulk length beyond 64 bits",
    bytes: bytesOf("*1\r\n$99999999999999999999\r\n"),
    closes: true,
  },
  {
    title: "bulk length without an end",
    bytes: bytesOf(`*1\r\n$${"1".repeat(65537)}`),
    closes: true,
    long: true,
  },
  {
    title: "what ends a bulk is not checked",
    bytes: bytesOf("*2\r\n$4\r\nECHOxx$3\r\nabcyy", command("PING")),
  },
  { title: "what follows a carriage return is not checked", bytes: bytesOf("*1\rx$4\ryPING\r\n") },
  {
    title: "an error behind good commands",
    bytes: bytesOf(command("PING", "1"), command("PING", "2"), "*1\r\n!\r\n"),
    closes: true,
  },
  {
    title: "unknown command with long arguments",
    bytes: command("NOSUCH", "a".repeat(300), "b\r\nc"),
  },
  { title: "an empty command name", bytes: command("", "a") },
  { title: "wrong arity", bytes: command("GET") },
  {
    title: "a pipeline",
    bytes: bytesOf(...Array.from({ length: 40 }, (_, i) => command("ECHO", `${i}`))),
  },
  {
    title: "a big pipeline",
    bytes: bytesOf(...Array.from({ length: 5000 }, (_, i) => command("ECHO", `number ${i}`))),
    long: true,
  },
  {
    title: "1,000 arguments",
    bytes: command("EXISTS", ...Array.from({ length: 1000 }, (_, i) => `k${i}`)),
    long: true,
  },
  { title: "a large argument", bytes: command("ECHO", "x".repeat(200_000)), long: true },
  {
    title: "large arguments in a pipeline",
    bytes: bytesOf(
      command("ECHO", "x".repeat(40_000)),
      command("PING"),
      command("ECHO", "y".repeat(33_000)),
      command("PING"),
    ),
    long: true,
  },
];

const REPLIES: readonly Case[] = [
  { title: "null bulk", bytes: command("GET", "none") },
  {
    title: "null bulk in RESP3",
    bytes: bytesOf(command("CLIENT", "REPLY", "ON"), command("GET", "none")),
  },
  {
    title: "null array",
    bytes: bytesOf(
      command("WATCH", "k"),
      command("SET", "k", "v"),
      command("MULTI"),
      command("PING"),
      command("EXEC"),
    ),
  },
  { title: "empty array", bytes: command("KEYS", "none") },
  {
    title: "HELLO with a wrong version",
    bytes: bytesOf(command("HELLO", "5"), command("HELLO", "abc"), command("HELLO", "3", "x")),
  },
  { title: "an error in the arguments' text", bytes: command("CONFIG", "GET\r\n-ERR", "x") },
  {
    title: "QUIT ends the connection",
    bytes: bytesOf(command("PING"), command("QUIT")),
    closes: true,
  },
  {
    title: "DEBUG PROTOCOL in RESP2",
    bytes: bytesOf(
      ...[
        "string",
        "integer",
        "double",
        "null",
        "array",
        "set",
        "map",
        "attrib",
        "true",
        "false",
        "bignum",
        "verbatim",
        "push",
      ].map((type) => command("DEBUG", "PROTOCOL", type)),
    ),
  },
];

/** HELLO 3 answers with the connection's id, so only what follows it is compared. */
const RESP3_REPLIES: readonly Case[] = [
  { title: "nulls", bytes: bytesOf(command("GET", "none"), command("MGET", "a", "b")) },
  {
    title: "DEBUG PROTOCOL",
    bytes: bytesOf(
      ...[
        "string",
        "integer",
        "double",
        "null",
        "array",
        "set",
        "map",
        "attrib",
        "push",
        "true",
        "false",
        "bignum",
        "verbatim",
      ].map((type) => command("DEBUG", "PROTOCOL", type)),
    ),
  },
  {
    title: "maps",
    bytes: bytesOf(command("CONFIG", "GET", "maxmemory"), command("COMMAND", "DOCS", "none-such")),
  },
  { title: "errors", bytes: bytesOf(command("NOSUCH"), command("GET"), command("PING", "a", "b")) },
];

describeWithPeers("protocol", ["valkey-server"], () => {
  setDefaultTimeout(30_000);
  const ours = useServer({ program: "ours" });
  const reference = useServer({ program: "valkey-server" });
  registerCases("inline commands", INLINE, ours, reference);
  registerCases("arrays", ARRAYS, ours, reference);
  registerCases("replies", REPLIES, ours, reference);
  registerCases("RESP3 replies", RESP3_REPLIES, ours, reference, (client) =>
    client.must("HELLO", 3),
  );

  test("random commands in random pieces", async () => {
    await withSeed(FILE, SEED, async (random) => {
      for (let round = 0; round < 20; round++) {
        const commands = Array.from({ length: 1 + random.below(30) }, () => randomCommand(random));
        const whole = bytesOf(...commands);
        await compareDeliveries(
          { title: "random", bytes: whole },
          [randomCuts(whole, random)],
          ours(),
          reference(),
        );
      }
    });
  });
});

describeWithPeers("protocol, client without a password", ["valkey-server"], () => {
  setDefaultTimeout(30_000);
  const directives = { requirepass: "secret" };
  const ours = useServer({ program: "ours", directives });
  const reference = useServer({ program: "valkey-server", directives });
  // Such a client may not ECHO, so each case that is no error ends with QUIT.
  registerCases(
    "unauthenticated",
    [
      {
        title: "10 elements",
        bytes: bytesOf(command("EXISTS", ...LETTERS.slice(0, 9)), command("QUIT")),
        closes: true,
      },
      { title: "11 elements", bytes: bytesOf("*11\r\n"), closes: true },
      { title: "100 elements", bytes: bytesOf("*100\r\n"), closes: true },
      {
        title: "a bulk of 16384 bytes",
        bytes: bytesOf(command("ECHO", "x".repeat(16384)), command("QUIT")),
        closes: true,
        long: true,
      },
      {
        title: "a bulk of 16385 bytes",
        bytes: bytesOf("*2\r\n$4\r\nECHO\r\n$16385\r\n"),
        closes: true,
      },
      { title: "a bulk of 100000000 bytes", bytes: bytesOf("*1\r\n$100000000\r\n"), closes: true },
      {
        title: "commands",
        bytes: bytesOf(
          command("PING"),
          command("GET", "k"),
          command("NOSUCH"),
          command("HELLO"),
          command("HELLO", "3"),
          command("QUIT"),
        ),
        closes: true,
      },
      // First in its pipeline: the reference drops this error when another reply is still unsent.
      {
        title: "a wrong password",
        bytes: bytesOf(command("AUTH", "x"), command("QUIT")),
        closes: true,
      },
      {
        title: "after AUTH the limits are gone",
        bytes: bytesOf(
          command("AUTH", "secret"),
          command("EXISTS", ...LETTERS),
          command("ECHO", "x".repeat(20_000)),
        ),
        long: true,
      },
    ],
    ours,
    reference,
    undefined,
    (client) => client.must("AUTH", "secret"),
  );
});

describeWithPeers("protocol, other limits", ["valkey-server"], () => {
  setDefaultTimeout(30_000);
  const directives = { "proto-max-bulk-len": "1mb", "client-query-buffer-limit": "2mb" };
  const ours = useServer({ program: "ours", directives });
  const reference = useServer({ program: "valkey-server", directives });
  registerCases(
    "proto-max-bulk-len 1mb",
    [
      { title: "a bulk of 1 MiB", bytes: command("ECHO", "x".repeat(1 << 20)), long: true },
      {
        title: "a bulk of 1 MiB and a byte",
        bytes: bytesOf("*2\r\n$4\r\nECHO\r\n$1048577\r\n"),
        closes: true,
      },
      {
        title: "a value cannot grow beyond it",
        bytes: bytesOf(
          command("SETRANGE", "k", "1048576", "x"),
          command("SETRANGE", "k", "1048575", "x"),
          command("APPEND", "k", "x"),
          command("DEL", "k"),
        ),
      },
    ],
    ours,
    reference,
  );
});

/** `prepare` runs first on each new connection, `authenticate` on the one that sends barriers. */
function registerCases(
  group: string,
  cases: readonly Case[],
  ours: () => ServerProcess,
  reference: () => ServerProcess,
  prepare?: (client: RespClient) => Promise<unknown>,
  authenticate?: (client: RespClient) => Promise<unknown>,
): void {
  for (const each of cases) {
    test(`${group}: ${each.title}`, async () => {
      await withSeed(FILE, SEED, async (random) => {
        const deliveries = [[each.bytes]];
        if (!each.long) deliveries.push(everyByte(each.bytes));
        for (let i = 0; i < RANDOM_ROUNDS; i++) deliveries.push(randomCuts(each.bytes, random));
        await compareDeliveries(each, deliveries, ours(), reference(), prepare, authenticate);
      });
    });
  }
}

/** The reference gets the bytes whole; ours gets each delivery and must answer the same bytes. */
async function compareDeliveries(
  each: Case,
  deliveries: readonly (readonly Uint8Array[])[],
  ours: ServerProcess,
  reference: ServerProcess,
  prepare?: (client: RespClient) => Promise<unknown>,
  authenticate?: (client: RespClient) => Promise<unknown>,
): Promise<void> {
  const [ourBarrier, referenceBarrier] = await Promise.all([ours.connect(), reference.connect()]);
  await authenticate?.(ourBarrier);
  await authenticate?.(referenceBarrier);
  try {
    const expected = await deliver(reference, referenceBarrier, [each.bytes], each, prepare);
    for (const pieces of deliveries) {
      const got = await deliver(ours, ourBarrier, pieces, each, prepare);
      expect(`${pieces.length > 1 ? "in pieces" : "whole"}: ${got}`).toBe(
        `${pieces.length > 1 ? "in pieces" : "whole"}: ${expected}`,
      );
    }
  } finally {
    ourBarrier.close();
    referenceBarrier.close();
  }
}

async function deliver(
  server: ServerProcess,
  barrier: RespClient,
  pieces: readonly Uint8Array[],
  each: Case,
  prepare?: (client: RespClient) => Promise<unknown>,
): Promise<string> {
  await barrier.must("FLUSHALL");
  const client = await server.connect();
  await prepare?.(client);
  const { bytes, closed } = await exchangePieces(client, barrier, pieces, each.closes === true);
  client.close();
  return `${quoteBytes(bytes, 2000)} of ${bytes.length} bytes, hash ${Bun.hash(bytes)}${closed ? ", closed" : ""}`;
}

function randomCommand(random: Random): Uint8Array {
  const key = `key${random.below(5)}`;
  switch (random.below(6)) {
    case 0:
      return command("SET", key, random.bytes(random.below(60)));
    case 1:
      return command("GET", key);
    case 2:
      return command("APPEND", key, random.bytes(random.below(2000)));
    case 3:
      return bytesOf(`STRLEN ${key}\r\n`);
    case 4:
      return bytesOf("\r\n");
    default:
      return command("ECHO", random.bytes(random.below(300)));
  }
}
