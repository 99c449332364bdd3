import { describe, expect, test } from "bun:test";
import {
  ReplyType,
  ReplyWriter,
  ShortBulk,
  writeShortBulk,
} from "../../../src/protocol/reply-writer.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/protocol/reply-writer.test.ts";
const seed = seedOfRun();

function written(reply: ReplyWriter): string {
  return Buffer.from(reply.bytes.subarray(0, reply.length)).toString("latin1");
}

function write(isResp3: boolean, body: (reply: ReplyWriter) => void): string {
  const reply = new ReplyWriter();
  reply.resp3 = isResp3;
  body(reply);
  return written(reply);
}

function viewOf(text: string): DataView {
  const bytes = Uint8Array.from(Buffer.from(text, "latin1"));
  return new DataView(bytes.buffer);
}

interface Case {
  readonly title: string;
  readonly body: (reply: ReplyWriter) => void;
  readonly resp2: string;
  /** Where it differs. */
  readonly resp3?: string;
}

const CASES: readonly Case[] = [
  { title: "OK", body: (r) => r.ok(), resp2: "+OK\r\n" },
  { title: "a simple string", body: (r) => r.simple("PONG"), resp2: "+PONG\r\n" },
  { title: "an empty simple string", body: (r) => r.simple(""), resp2: "+\r\n" },
  { title: "an error", body: (r) => r.error("ERR no"), resp2: "-ERR no\r\n" },
  {
    title: "an error with line ends",
    body: (r) => r.error("ERR a\r\nb\n"),
    resp2: "-ERR a  b \r\n",
  },
  {
    title: "an error in Latin-1",
    body: (r) => r.error("ERR \xe9\xff"),
    resp2: "-ERR \xe9\xff\r\n",
  },
  { title: "0", body: (r) => r.integer(0), resp2: ":0\r\n" },
  { title: "-0", body: (r) => r.integer(-0), resp2: ":0\r\n" },
  { title: "-1", body: (r) => r.integer(-1), resp2: ":-1\r\n" },
  { title: "2^53 - 1", body: (r) => r.integer(2 ** 53 - 1), resp2: ":9007199254740991\r\n" },
  { title: "-(2^53 - 1)", body: (r) => r.integer(1 - 2 ** 53), resp2: ":-9007199254740991\r\n" },
  {
    title: "the least int64",
    body: (r) => r.bigInteger(-(2n ** 63n)),
    resp2: ":-9223372036854775808\r\n",
  },
  {
    title: "the greatest uint64",
    body: (r) => r.bigInteger(2n ** 64n - 1n),
    resp2: ":18446744073709551615\r\n",
  },
  {
    title: "bulk bytes of a view",
    body: (r) => r.bulk(viewOf("a\r\n\0\xffb"), 1, 4),
    resp2: "$4\r\n\r\n\0\xff\r\n",
  },
  { title: "an empty bulk", body: (r) => r.bulk(viewOf(""), 0, 0), resp2: "$0\r\n\r\n" },
  {
    title: "a long bulk",
    body: (r) => r.bulk(viewOf("x".repeat(1000)), 0, 1000),
    resp2: `$1000\r\n${"x".repeat(1000)}\r\n`,
  },
  { title: "bulk text of 9", body: (r) => r.bulkText("123456789"), resp2: "$9\r\n123456789\r\n" },
  {
    title: "bulk text of 10",
    body: (r) => r.bulkText("1234567890"),
    resp2: "$10\r\n1234567890\r\n",
  },
  {
    title: "bulk bytes",
    body: (r) => r.bulkBytes(new Uint8Array([1, 2, 3])),
    resp2: "$3\r\n\x01\x02\x03\r\n",
  },
  { title: "raw", body: (r) => r.raw(Buffer.from("xx+A\r\nyy"), 2, 6), resp2: "+A\r\n" },
  { title: "null", body: (r) => r.nil(), resp2: "$-1\r\n", resp3: "_\r\n" },
  { title: "null array", body: (r) => r.nilArray(), resp2: "*-1\r\n", resp3: "_\r\n" },
  { title: "true", body: (r) => r.boolean(true), resp2: ":1\r\n", resp3: "#t\r\n" },
  { title: "false", body: (r) => r.boolean(false), resp2: ":0\r\n", resp3: "#f\r\n" },
  {
    title: "double 3.141",
    body: (r) => r.double(3.141),
    resp2: "$5\r\n3.141\r\n",
    resp3: ",3.141\r\n",
  },
  { title: "double 7", body: (r) => r.double(7), resp2: "$1\r\n7\r\n", resp3: ",7\r\n" },
  { title: "double -0", body: (r) => r.double(-0), resp2: "$2\r\n-0\r\n", resp3: ",-0\r\n" },
  {
    title: "double -2 ** 31",
    body: (r) => r.double(-(2 ** 31)),
    resp2: "$11\r\n-2147483648\r\n",
    resp3: ",-2147483648\r\n",
  },
  {
    title: "double 0.1 + 0.2",
    body: (r) => r.double(0.1 + 0.2),
    resp2: "$19\r\n0.30000000000000004\r\n",
    resp3: ",0.30000000000000004\r\n",
  },
  {
    title: "double 5e-324",
    body: (r) => r.double(5e-324),
    resp2: "$6\r\n5e-324\r\n",
    resp3: ",5e-324\r\n",
  },
  {
    title: "double inf",
    body: (r) => r.double(Infinity),
    resp2: "$3\r\ninf\r\n",
    resp3: ",inf\r\n",
  },
  {
    title: "double -inf",
    body: (r) => r.double(-Infinity),
    resp2: "$4\r\n-inf\r\n",
    resp3: ",-inf\r\n",
  },
  { title: "double nan", body: (r) => r.double(NaN), resp2: "$3\r\nnan\r\n", resp3: ",nan\r\n" },
  {
    title: "a big number",
    body: (r) => r.bigNumber("1234567999999999999999999999999999999"),
    resp2: "$37\r\n1234567999999999999999999999999999999\r\n",
    resp3: "(1234567999999999999999999999999999999\r\n",
  },
  {
    title: "verbatim text",
    body: (r) => r.verbatim("txt", "Some string"),
    resp2: "$11\r\nSome string\r\n",
    resp3: "=15\r\ntxt:Some string\r\n",
  },
  { title: "an array", body: (r) => r.array(3), resp2: "*3\r\n" },
  { title: "an array of 12345", body: (r) => r.array(12_345), resp2: "*12345\r\n" },
  { title: "a map", body: (r) => r.map(3), resp2: "*6\r\n", resp3: "%3\r\n" },
  { title: "a map of 5", body: (r) => r.map(5), resp2: "*10\r\n", resp3: "%5\r\n" },
  { title: "a set", body: (r) => r.set(2), resp2: "*2\r\n", resp3: "~2\r\n" },
  { title: "a push", body: (r) => r.push(2), resp2: "*2\r\n", resp3: ">2\r\n" },
];

describe("replies", () => {
  for (const { title, body, resp2, resp3 } of CASES) {
    test(title, () => {
      expect(write(false, body)).toBe(resp2);
      expect(write(true, body)).toBe(resp3 ?? resp2);
    });
  }

  test("an attribute", () => expect(write(true, (r) => r.attribute(1))).toBe("|1\r\n"));

  test("bulk strings of every length, wherever the buffer ends", () => {
    const text = "0123456789".repeat(30);
    const view = viewOf(text);
    for (const before of [0, 256 * 1024 - 150]) {
      for (let length = 0; length < 300; length++) {
        const start = 300 - length;
        const reply = new ReplyWriter();
        reply.length = before;
        reply.bulk(view, start, length);
        reply.bulk(view, 0, 5);
        const expected = `$${length}\r\n${text.slice(start)}\r\n$5\r\n01234\r\n`;
        expect(written(reply).slice(before)).toBe(expected);
      }
    }
  });

  test("short bulk strings, no byte beyond them", () => {
    const text = "0123456789".repeat(10);
    const view = viewOf(text);
    const target = new DataView(new ArrayBuffer(ShortBulk.BYTES_MAX + 2));
    for (let length = 0; length <= ShortBulk.CONTENT_MAX; length++) {
      const expected = `$${length}\r\n${text.slice(0, length)}\r\n`;
      new Uint8Array(target.buffer).fill(0);
      expect(writeShortBulk(target, 1, view, 0, length)).toBe(1 + expected.length);
      const zeros = target.byteLength - 1 - expected.length;
      const whole = Buffer.from(target.buffer).toString("latin1");
      expect(whole).toBe(`\0${expected}${"\0".repeat(zeros)}`);
    }
  });

  test("bulk integers of every number of digits", () => {
    for (const value of [0, 7, -7, 99_999_999, 123_456_789, -12_345_678, -123_456_789]) {
      const expected = `$${String(value).length}\r\n${value}\r\n`;
      expect(write(false, (r) => r.bulkInteger(value))).toBe(expected);
    }
    for (let value = 1; value < Number.MAX_SAFE_INTEGER; value *= 10) {
      for (const signed of [value, -value]) {
        const expected = `+A\r\n$${String(signed).length}\r\n${signed}\r\n+B\r\n`;
        const body = (r: ReplyWriter): void => {
          r.simple("A");
          r.bulkInteger(signed);
          r.simple("B");
        };
        expect(write(true, body)).toBe(expected);
      }
    }
  });

  test("count errors, and keep the last one's code", () => {
    const reply = new ReplyWriter();
    reply.error("WRONGTYPE Operation against a key");
    expect([reply.errorCount, reply.lastErrorCode]).toEqual([1, "WRONGTYPE"]);
    reply.ok();
    reply.error("NOSPACE");
    expect([reply.errorCount, reply.lastErrorCode]).toEqual([2, "ERR"]);
    reply.error(`${"X".repeat(30)} a`);
    expect(reply.lastErrorCode).toBe("X".repeat(30));
    reply.error(`${"X".repeat(31)} a`);
    expect(reply.lastErrorCode).toBe("ERR");
    reply.error(" a");
    expect([reply.errorCount, reply.lastErrorCode]).toEqual([5, "ERR"]);
  });
});

describe("deferred lengths", () => {
  for (const count of [0, 1, 9, 10, 12_345]) {
    test(`of ${count} elements`, () => {
      const body = (r: ReplyWriter): void => {
        r.simple("before");
        const mark = r.deferLength();
        for (let i = 0; i < count; i++) r.integer(i);
        r.setDeferred(mark, ReplyType.SET, count);
        r.simple("after");
      };
      const elements = Array.from({ length: count }, (_, i) => `:${i}\r\n`).join("");
      expect(write(false, body)).toBe(`+before\r\n*${count}\r\n${elements}+after\r\n`);
      expect(write(true, body)).toBe(`+before\r\n~${count}\r\n${elements}+after\r\n`);
    });
  }

  test("of maps, flat in RESP2", () => {
    const body = (r: ReplyWriter): void => {
      const mark = r.deferLength();
      r.ok();
      r.setDeferred(mark, ReplyType.MAP, 5);
    };
    expect(write(false, body)).toBe("*10\r\n+OK\r\n");
    expect(write(true, body)).toBe("%5\r\n+OK\r\n");
  });

  test("nested at random, over the growth of the buffer", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 60; round++) {
        const reply = new ReplyWriter();
        reply.resp3 = random.oneIn(2);
        // The buffer is full to the last bytes, so that a header may be what makes it grow.
        const filler = "x".repeat(reply.bytes.length - 9 - random.below(120));
        reply.bulkText(filler);
        const before = `$${filler.length}\r\n${filler}\r\n`;
        expect(written(reply).slice(before.length)).toBe("");
        const expected = nest(reply, random, 4);
        expect(written(reply).slice(before.length)).toBe(expected);
        expect(written(reply).startsWith(before)).toBe(true);
      }
    }));

  /** Writes a random tree, and returns what it should look like. */
  function nest(reply: ReplyWriter, random: Random, depth: number): string {
    if (depth === 0 || random.oneIn(4)) {
      const text = "v".repeat(random.below(14));
      reply.bulkText(text);
      return `$${text.length}\r\n${text}\r\n`;
    }
    const type = random.pick([ReplyType.ARRAY, ReplyType.MAP, ReplyType.SET, ReplyType.PUSH]);
    const isMap = type === ReplyType.MAP;
    const count = random.below(random.pick([3, 8, 14]));
    const mark = reply.deferLength();
    let inside = "";
    for (let i = isMap ? 2 * count : count; i > 0; i--) inside += nest(reply, random, depth - 1);
    reply.setDeferred(mark, type, count);
    const sign = String.fromCharCode(reply.resp3 ? type : ReplyType.ARRAY);
    return `${sign}${isMap && !reply.resp3 ? 2 * count : count}\r\n${inside}`;
  }
});

describe("the buffer", () => {
  test("grows with every kind of reply, and keeps what is there", () =>
    withSeed(FILE, seed, (random) => {
      for (const isResp3 of [false, true]) {
        for (const { body, resp2, resp3 } of CASES) {
          const expected = isResp3 ? (resp3 ?? resp2) : resp2;
          const reply = new ReplyWriter();
          reply.resp3 = isResp3;
          // So full that the reply does not fit, or only just.
          const room = random.below(expected.length + 3);
          reply.length = reply.bytes.length - room;
          reply.bytes.fill(0x2e, 0, reply.length);
          const before = reply.length;
          body(reply);
          expect(written(reply).slice(before)).toBe(expected);
          expect(reply.bytes.subarray(0, before).every((byte) => byte === 0x2e)).toBe(true);
          expect(reply.view.buffer).toBe(reply.bytes.buffer);
          expect(reply.length).toBeLessThanOrEqual(reply.bytes.length);
        }
      }
    }));

  test("stays when it is cleared, unless it is unusually large", () => {
    const reply = new ReplyWriter();
    const atFirst = reply.bytes;
    reply.ok();
    reply.clear();
    expect(reply.length).toBe(0);
    expect(reply.bytes).toBe(atFirst);
    reply.bulkBytes(new Uint8Array(10 * 1024 * 1024));
    expect(reply.bytes.length).toBeGreaterThan(10 * 1024 * 1024);
    reply.clear();
    expect(reply.bytes.length).toBe(atFirst.length);
    expect(reply.view.buffer).toBe(reply.bytes.buffer);
  });
});

describe("a reply beyond the limit", () => {
  const LIMIT = 400_000;

  function limitedWriter(): { reply: ReplyWriter; givenUp: () => number } {
    const reply = new ReplyWriter();
    let count = 0;
    reply.limit = LIMIT;
    reply.onOverflow = () => count++;
    return { reply, givenUp: () => count };
  }

  test("is given up once, whatever is written after it", () =>
    withSeed(FILE, seed, (random) => {
      const { reply, givenUp } = limitedWriter();
      const capacityMax = LIMIT + 100;
      for (let i = 0; i < 100_000; i++) {
        const { body } = random.pick(CASES);
        const mark = reply.deferLength();
        body(reply);
        if (random.oneIn(3)) reply.setDeferred(mark, ReplyType.ARRAY, i);
        expect(reply.length).toBeLessThanOrEqual(reply.bytes.length);
      }
      expect(reply.overflowed).toBe(true);
      expect(givenUp()).toBe(1);
      expect(reply.bytes.length).toBeLessThanOrEqual(capacityMax);
      reply.clear();
      expect(reply.overflowed).toBe(false);
      reply.ok();
      expect(written(reply)).toBe("+OK\r\n");
    }));

  test("may be one piece that is larger than the buffer, which is written to nowhere", () => {
    const { reply, givenUp } = limitedWriter();
    reply.bulkBytes(new Uint8Array(2 * LIMIT));
    reply.bulkBytes(new Uint8Array(3 * LIMIT));
    expect(givenUp()).toBe(1);
    reply.clear();
    expect(reply.bytes.length).toBeGreaterThan(0);
    reply.ok();
    expect(written(reply)).toBe("+OK\r\n");
  });

  test("is not given up at the limit itself", () => {
    const { reply, givenUp } = limitedWriter();
    while (reply.length < LIMIT - 5) reply.raw(new Uint8Array(5), 0, 5);
    reply.ok();
    expect(reply.length).toBe(LIMIT);
    expect(givenUp()).toBe(0);
  });
});
