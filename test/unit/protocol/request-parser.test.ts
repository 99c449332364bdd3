import { describe, expect, test } from "bun:test";
import { BATCH_MAX, ParseStatus, RequestParser } from "../../../src/protocol/request-parser.ts";
import type { PartialRequest } from "../../../src/protocol/request-parser.ts";
import type { Args } from "../../../src/protocol/args.ts";
import { QueryBuffer } from "../../../src/server/query-buffer.ts";
import { cutAt, everyByte, randomCuts } from "../../protocol/pieces.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/protocol/request-parser.test.ts";
const seed = seedOfRun();

/** Requests in Latin-1, one array each. */
type Requests = readonly (readonly string[])[];

/**
 * A connection's way with the parser, as in server/connection.ts: chunks are parsed where they
 * lie, what is cut off waits in a query buffer. Several may share a parser.
 */
class Reader {
  readonly requests: string[][] = [];
  error = "";
  limited = false;
  private query: QueryBuffer | null = null;
  private partial: PartialRequest | null = null;

  constructor(
    private readonly parser: RequestParser,
    /** Requests to read at once; 0 = with `next`. */
    private readonly batchMax: number,
  ) {}

  /** Takes a chunk, which is overwritten afterwards, as sockets do. */
  take(chunk: Uint8Array): void {
    if (this.error !== "") return;
    const buffer = new Uint8Array(chunk.length + 7).fill(0x2a);
    buffer.set(chunk, 5);
    const own = buffer.subarray(5, 5 + chunk.length);
    if (this.query !== null && (this.query.pending > 0 || this.partial !== null)) {
      this.query.append(own, 0, own.length);
      this.runQuery(this.query);
    } else {
      const view = new DataView(own.buffer, own.byteOffset, own.length);
      this.parser.begin(own, view, 0, own.length);
      this.run();
      const rest = this.parser.requestAt;
      if (this.error === "" && rest < own.length) {
        this.query ??= new QueryBuffer(own.length - rest);
        this.query.from = this.query.length = 0;
        this.query.append(own, rest, own.length);
        this.suspend(this.query);
      }
    }
    buffer.fill(0x24);
  }

  /** Whether the last chunk ended a request. */
  get isBetweenRequests(): boolean {
    return this.partial === null;
  }

  private runQuery(query: QueryBuffer): void {
    if (this.partial === null) {
      this.parser.begin(query.bytes, query.view, query.from, query.length);
    } else {
      query.compact();
      this.parser.resume(query.bytes, query.view, query.length, this.partial);
      this.partial = null;
    }
    this.run();
    query.from = this.parser.requestAt;
    if (this.error !== "" || query.from === query.length) query.from = query.length = 0;
    else this.suspend(query);
  }

  private suspend(query: QueryBuffer): void {
    const needed = this.parser.bytesNeeded();
    this.partial = this.parser.suspend();
    query.compact();
    if (needed > 0) {
      expect(needed).toBeGreaterThan(query.pending);
      query.expect(needed);
      expect(query.capacity).toBeGreaterThanOrEqual(needed);
    }
  }

  private run(): void {
    const { parser } = this;
    parser.limited = this.limited;
    let status: ParseStatus;
    do {
      if (this.batchMax === 0) {
        status = parser.next();
        if (status === ParseStatus.READY) this.keep(parser.args);
      } else {
        status = parser.nextBatch(this.batchMax);
        for (let i = 0; i < parser.batchCount; i++) this.keep(parser.batch[i]);
      }
    } while (status === ParseStatus.READY);
    if (status === ParseStatus.BROKEN) this.error = parser.error;
  }

  private keep(args: Args): void {
    expect(args.count).toBeGreaterThan(0);
    const request: string[] = [];
    for (let i = 0; i < args.count; i++) {
      const text = args.text(i);
      expect(args.lengthOf(i)).toBe(text.length);
      if (text !== "") {
        expect(args.view.getUint8(args.start[i])).toBe(text.charCodeAt(0));
        expect(args.view.getUint8(args.end[i] - 1)).toBe(text.charCodeAt(text.length - 1));
      }
      request.push(text);
    }
    this.requests.push(request);
  }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

function encode(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

interface Expected {
  readonly requests: Requests;
  readonly error?: string;
  readonly limited?: boolean;
  readonly bulkMax?: number;
}

function check(pieces: readonly Uint8Array[], expected: Expected, batchMax: number): void {
  const parser = new RequestParser();
  if (expected.bulkMax !== undefined) parser.bulkMax = expected.bulkMax;
  const reader = new Reader(parser, batchMax);
  reader.limited = expected.limited ?? false;
  for (const piece of pieces) reader.take(piece);
  expect(reader.requests).toEqual(expected.requests as string[][]);
  expect(reader.error).toBe(expected.error ?? "");
}

/** Whole, byte by byte unless it is long, and cut at random, with `next` and with `nextBatch`. */
function checkCuts(text: string, expected: Expected, random: Random): void {
  const bytes = bytesOf(text);
  for (const batchMax of [0, 1, BATCH_MAX]) {
    check([bytes], expected, batchMax);
    if (bytes.length < 3000) check(everyByte(bytes), expected, batchMax);
    for (let i = 0; i < 10; i++) check(randomCuts(bytes, random), expected, batchMax);
  }
}

const LETTERS = "abcdefghij".split("");
const LONG = "x".repeat(100_000);
const PING = encode("PING");
const PINGS = [["PING"]];
const BAD_COUNT = "invalid multibulk length";
const BAD_LENGTH = "invalid bulk length";

const CASES: readonly (Expected & { title: string; text: string })[] = [
  // Arrays
  { title: "a request", text: encode("SET", "key", "value"), requests: [["SET", "key", "value"]] },
  { title: "an empty argument", text: encode("ECHO", ""), requests: [["ECHO", ""]] },
  { title: "only an empty argument", text: encode(""), requests: [[""]] },
  { title: "line ends in an argument", text: encode("\r\n*1\r\n"), requests: [["\r\n*1\r\n"]] },
  {
    title: "every byte",
    text: encode(String.fromCharCode(...Array(256).keys())),
    requests: [[String.fromCharCode(...Array(256).keys())]],
  },
  ...[8, 9, 10, 11, 99, 100, 101, 999, 1000].map((length) => ({
    title: `an argument of ${length} bytes`,
    text: encode("a", "y".repeat(length), "b"),
    requests: [["a", "y".repeat(length), "b"]],
  })),
  {
    title: "a long argument",
    text: encode("SET", "k", LONG) + PING,
    requests: [["SET", "k", LONG], ["PING"]],
  },
  {
    title: "two long arguments",
    text: encode(LONG, LONG) + encode(LONG) + PING,
    requests: [[LONG, LONG], [LONG], ["PING"]],
  },
  {
    title: "more arguments than Args has room for",
    text: encode(...Array<string>(500).fill("ab")),
    requests: [Array<string>(500).fill("ab")],
  },
  {
    title: "100,000 arguments",
    text: encode(...Array<string>(100_000).fill("")),
    requests: [Array<string>(100_000).fill("")],
  },
  { title: "a pipeline", text: PING.repeat(100), requests: Array<string[]>(100).fill(["PING"]) },
  { title: "an empty array", text: `*0\r\n${PING}`, requests: PINGS },
  {
    title: "negative counts",
    text: `*-1\r\n*-10\r\n*-9223372036854775808\r\n${PING}`,
    requests: PINGS,
  },
  { title: "nothing but empty arrays", text: "*0\r\n*-1\r\n*0\r\n", requests: [] },
  {
    title: "what ends an argument is not looked at",
    text: `*2\r\n$4\r\nECHOxx$3\r\nabcyy${PING}`,
    requests: [["ECHO", "abc"], ["PING"]],
  },
  {
    title: "what follows a carriage return is not looked at",
    text: "*1\rx$4\ryPING\r\n",
    requests: PINGS,
  },
  { title: "count -0", text: "*-0\r\n", requests: [], error: BAD_COUNT },
  { title: "count -", text: "*-\r\n", requests: [], error: BAD_COUNT },
  { title: "count +1", text: `${PING}*+1\r\n`, requests: PINGS, error: BAD_COUNT },
  { title: "count 01", text: "*01\r\n", requests: [], error: BAD_COUNT },
  { title: "count 00", text: "*00\r\n", requests: [], error: BAD_COUNT },
  { title: "no count", text: "*\r\n", requests: [], error: BAD_COUNT },
  { title: "count in letters", text: "*abc\r\n", requests: [], error: BAD_COUNT },
  { title: "count 1.5", text: "*1.5\r\n", requests: [], error: BAD_COUNT },
  { title: "count 2^31", text: "*2147483648\r\n", requests: [], error: BAD_COUNT },
  { title: "count below int64", text: "*-9223372036854775809\r\n", requests: [], error: BAD_COUNT },
  {
    title: "count of 20 digits",
    text: "*-18446744073709551615\r\n",
    requests: [],
    error: BAD_COUNT,
  },
  { title: "count with no argument yet", text: "*2147483647\r\n", requests: [] },
  {
    title: "a line where a bulk should be",
    text: "*1\r\nfoo\r\n",
    requests: [],
    error: "expected '$', got 'f'",
  },
  {
    title: "an integer where a bulk should be",
    text: "*2\r\n$4\r\nECHO\r\n:5\r\n",
    requests: [],
    error: "expected '$', got ':'",
  },
  {
    title: "a carriage return where a bulk should be",
    text: "*1\r\n\r\n",
    requests: [],
    error: "expected '$', got '\r'",
  },
  { title: "length -1", text: "*1\r\n$-1\r\n", requests: [], error: BAD_LENGTH },
  { title: "no length", text: "*1\r\n$\r\n", requests: [], error: BAD_LENGTH },
  { title: "length +4", text: "*1\r\n$+4\r\nPING\r\n", requests: [], error: BAD_LENGTH },
  { title: "length 04", text: "*1\r\n$04\r\nPING\r\n", requests: [], error: BAD_LENGTH },
  { title: "length 00", text: "*1\r\n$00\r\n\r\n", requests: [], error: BAD_LENGTH },
  { title: "length 4a", text: "*1\r\n$4a\r\nPING\r\n", requests: [], error: BAD_LENGTH },
  { title: "length 1a", text: "*1\r\n$1a2\r\nPING\r\n", requests: [], error: BAD_LENGTH },
  {
    title: "length above the limit",
    text: "*1\r\n$536870913\r\n",
    requests: [],
    error: BAD_LENGTH,
  },
  {
    title: "length at a limit",
    text: encode("x".repeat(1000)),
    requests: [["x".repeat(1000)]],
    bulkMax: 1000,
  },
  {
    title: "length above a limit",
    text: "*1\r\n$1001\r\n",
    requests: [],
    bulkMax: 1000,
    error: BAD_LENGTH,
  },
  {
    title: "length beyond int64",
    text: "*1\r\n$9223372036854775808\r\n",
    requests: [],
    error: BAD_LENGTH,
  },
  // Inline
  { title: "a line", text: "SET key value\r\n", requests: [["SET", "key", "value"]] },
  { title: "a line feed alone", text: "PING\nPING\n", requests: [["PING"], ["PING"]] },
  { title: "empty lines", text: "\r\n\n   \r\n\t\n", requests: [] },
  {
    title: "empty lines and more",
    text: `\r\n\n  \r\n${PING}\r\nPING\r\n`,
    requests: [["PING"], ["PING"]],
  },
  {
    title: "quotes",
    text: `ECHO "a\\x41\\n" 'b c' ""\r\n`,
    requests: [["ECHO", "aA\n", "b c", ""]],
  },
  {
    title: "unbalanced quotes",
    text: 'PING\r\nECHO "a\r\n',
    requests: PINGS,
    error: "unbalanced quotes in request",
  },
  { title: "a carriage return inside", text: "ECHO a\rb\r\n", requests: [["ECHO", "a", "b"]] },
  { title: "a line that begins like a bulk", text: "$5\r\n", requests: [["$5"]] },
  {
    title: "a line of 65,536 bytes",
    text: `${"A".repeat(65_534)}\r\n`,
    requests: [["A".repeat(65_534)]],
  },
  {
    title: "lines and arrays in turn",
    text: `PING\r\n${encode("a", "b")}c\n${PING}`,
    requests: [["PING"], ["a", "b"], ["c"], ["PING"]],
  },
  { title: "a NUL byte, and so no end", text: `PING\r\nPING\0\r\n${PING}`, requests: PINGS },
  // Clients that did not authenticate
  {
    title: "10 arguments, limited",
    text: encode(...LETTERS),
    requests: [LETTERS],
    limited: true,
  },
  {
    title: "11 arguments, limited",
    text: encode(...LETTERS, "k"),
    requests: [],
    limited: true,
    error: "unauthenticated multibulk length",
  },
  {
    title: "16,384 bytes, limited",
    text: encode("x".repeat(16_384)),
    requests: [["x".repeat(16_384)]],
    limited: true,
  },
  {
    title: "16,385 bytes, limited",
    text: "*1\r\n$16385\r\n",
    requests: [],
    limited: true,
    error: "unauthenticated bulk length",
  },
];

describe("requests whole and in pieces", () => {
  for (const { title, text, ...expected } of CASES) {
    test(title, () => withSeed(FILE, seed, (random) => checkCuts(text, expected, random)));
  }
});

describe("lines without an end", () => {
  const OPENINGS = [
    { opening: "", digit: "A", error: "too big inline request" },
    { opening: "*", digit: "1", error: "too big mbulk count string" },
    { opening: "*1\r\n$", digit: "1", error: "too big bulk count string" },
    { opening: "*1\r\n", digit: "x", error: "too big bulk count string" },
  ];
  for (const { opening, digit, error } of OPENINGS) {
    test(`behind ${JSON.stringify(opening)} may have 64 KiB`, () => {
      // The line itself counts from its "*" or "$".
      const before = opening.length - (/[*$]$/.test(opening) ? 1 : 0);
      const whole = bytesOf(opening.padEnd(before + 65_537, digit));
      check([whole.subarray(0, -1)], { requests: [] }, BATCH_MAX);
      check([whole.subarray(0, -1), whole.subarray(-1)], { requests: [], error }, BATCH_MAX);
      check([whole], { requests: [], error }, BATCH_MAX);
      // A carriage return may be the line's end: its verdict waits for the next byte.
      if (opening !== "") check([whole, bytesOf("\r")], { requests: [], error }, BATCH_MAX);
      whole[whole.length - 1] = 13;
      if (opening !== "") check([whole], { requests: [] }, BATCH_MAX);
    });
  }

  test("with a NUL are as long", () => {
    const bytes = bytesOf(`PING\0\r\n${"A".repeat(65_600)}\n`);
    check([bytes], { requests: [], error: "too big inline request" }, BATCH_MAX);
  });
});

describe("random streams", () => {
  /** A stream, the requests in it, and whether it ends between two of them. */
  function anyStream(random: Random): { text: string; requests: string[][] } {
    const requests: string[][] = [];
    let text = "";
    for (let left = random.below(60); left > 0; left--) {
      const kind = random.below(10);
      if (kind === 0) text += random.pick(["*0\r\n", "*-1\r\n", "\r\n", "\n", "  \r\n"]);
      else if (kind === 1) {
        const words = Array.from({ length: 1 + random.below(5) }, () => anyWord(random));
        text += words.join(random.pick([" ", "  ", "\t"])) + random.pick(["\r\n", "\n"]);
        requests.push(words);
      } else {
        const args = Array.from({ length: 1 + random.below(8) }, () => anyArgument(random));
        text += encode(...args);
        requests.push(args);
      }
    }
    return { text, requests };
  }

  function anyWord(random: Random): string {
    return Array.from({ length: 1 + random.below(20) }, () => "abcxyz019:"[random.below(10)]).join(
      "",
    );
  }

  function anyArgument(random: Random): string {
    const length = random.oneIn(30)
      ? random.below(40_000)
      : random.below(random.pick([4, 13, 150]));
    return Buffer.from(random.bytes(length)).toString("latin1");
  }

  test("in random pieces", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 60; round++) {
        const { text, requests } = anyStream(random);
        const bytes = bytesOf(text);
        const cuts = Array.from({ length: random.below(80) }, () => random.below(bytes.length + 1));
        const pieces = cutAt(
          bytes,
          cuts.sort((a, b) => a - b),
        );
        check(pieces, { requests }, random.pick([0, 1, 3, BATCH_MAX]));
      }
    }));

  test("of several connections that share a parser", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 20; round++) {
        const parser = new RequestParser();
        const streams = Array.from({ length: 5 }, () => {
          const { text, requests } = anyStream(random);
          const reader = new Reader(parser, random.pick([0, BATCH_MAX]));
          return { requests, reader, pieces: randomCuts(bytesOf(text), random) };
        });
        for (;;) {
          const open = streams.filter(({ pieces }) => pieces.length > 0);
          if (open.length === 0) break;
          const { reader, pieces } = random.pick(open);
          reader.take(pieces.shift()!);
        }
        for (const { reader, requests } of streams) {
          expect(reader.requests).toEqual(requests);
          expect(reader.isBetweenRequests).toBe(true);
        }
      }
    }));

  test("cut off and damaged never throw, and never yield what was not sent", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 300; round++) {
        const bytes = bytesOf(anyStream(random).text);
        for (let i = random.below(4); i > 0; i--) {
          bytes[random.below(bytes.length)] = random.pick([13, 10, 36, 42, 45, 48, 57, 0, 255]);
        }
        const reader = new Reader(new RequestParser(), BATCH_MAX);
        for (const piece of randomCuts(bytes, random)) reader.take(piece);
        const whole = new Reader(new RequestParser(), 0);
        whole.take(bytes);
        expect(reader.requests).toEqual(whole.requests);
        expect(reader.error).toBe(whole.error);
      }
    }));
});

describe("a suspended request", () => {
  test("names what it needs as soon as it can", () => {
    const parser = new RequestParser();
    const bytes = bytesOf(`${PING}*2\r\n$3\r\nGET\r\n$1000\r\nab`);
    parser.begin(bytes, new DataView(bytes.buffer), 0, bytes.length);
    expect(parser.next()).toBe(ParseStatus.READY);
    expect(parser.next()).toBe(ParseStatus.MORE);
    expect(parser.requestAt).toBe(PING.length);
    expect(parser.bytesNeeded()).toBe("*2\r\n$3\r\nGET\r\n$1000\r\n".length + 1002);
    const partial = parser.suspend();
    expect(partial.args.count).toBe(1);
    expect(partial.expected).toBe(2);
    expect(partial.bulkLength).toBe(1000);
    expect(partial.scanAt).toBe(20);
    expect([partial.args.start[0], partial.args.end[0]]).toEqual([8, 11]);
    expect(parser.args).not.toBe(partial.args);
  });

  test("between requests needs nothing", () => {
    const parser = new RequestParser();
    const bytes = bytesOf(PING);
    parser.begin(bytes, new DataView(bytes.buffer), 0, bytes.length);
    expect(parser.next()).toBe(ParseStatus.READY);
    expect(parser.next()).toBe(ParseStatus.MORE);
    expect(parser.requestAt).toBe(bytes.length);
    expect(parser.bytesNeeded()).toBe(0);
  });
});

describe("a batch", () => {
  test("holds up to as many requests as asked, with their ends", () => {
    const parser = new RequestParser();
    const bytes = bytesOf(`${PING.repeat(3)}*0\r\n\r\n${PING.repeat(20)}PING\r\n!`);
    parser.begin(bytes, new DataView(bytes.buffer), 0, bytes.length);
    expect(parser.nextBatch(2)).toBe(ParseStatus.READY);
    expect([...parser.ends.subarray(0, parser.batchCount)]).toEqual([14, 28]);
    expect(parser.nextBatch(BATCH_MAX)).toBe(ParseStatus.READY);
    expect(parser.batchCount).toBe(BATCH_MAX);
    expect(parser.ends[0]).toBe(42);
    expect(parser.ends[1]).toBe(62);
    expect(parser.nextBatch(BATCH_MAX)).toBe(ParseStatus.MORE);
    expect(parser.batchCount).toBe(6);
    expect(parser.requestAt).toBe(bytes.length - 1);
    expect(new Set(parser.batch).size).toBe(BATCH_MAX);
  });

  test("of one after a resumed request holds arguments of its own", () => {
    const parser = new RequestParser();
    const first = bytesOf(`${PING}*1\r\n$4\r\nEC`);
    parser.begin(first, new DataView(first.buffer), 0, first.length);
    expect(parser.nextBatch(BATCH_MAX)).toBe(ParseStatus.MORE);
    const partial = parser.suspend();
    expect(parser.batch).not.toContain(partial.args);
    const second = bytesOf(`*1\r\n$4\r\nECHO\r\n${PING}`);
    parser.resume(second, new DataView(second.buffer), second.length, partial);
    expect(parser.nextBatch(BATCH_MAX)).toBe(ParseStatus.MORE);
    expect(parser.batchCount).toBe(2);
    expect([parser.batch[0].text(0), parser.batch[1].text(0)]).toEqual(["ECHO", "PING"]);
    expect(new Set(parser.batch).size).toBe(BATCH_MAX);
  });
});
