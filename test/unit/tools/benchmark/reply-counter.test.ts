import { describe, expect, test } from "bun:test";
import { ReplyReader } from "../../../../src/protocol/reply-reader.ts";
import { ReplyCounter } from "../../../../src/tools/benchmark/reply-counter.ts";
import { seedOfRun, withSeed } from "../../../support/seed.ts";

const FILE = "test/unit/tools/benchmark/reply-counter.test.ts";

const REPLIES: readonly string[] = [
  "+OK\r\n",
  ":-12\r\n",
  "$-1\r\n",
  "$0\r\n\r\n",
  "$5\r\na\r\nb\n\r\n",
  "*-1\r\n",
  "*0\r\n",
  "*2\r\n$1\r\na\r\n*2\r\n:1\r\n_\r\n",
  "*1\r\n-ERR inside\r\n",
  "_\r\n",
  "#t\r\n",
  ",1.5\r\n",
  "(123456789012345678901\r\n",
  "=7\r\ntxt:abc\r\n",
  "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
  "~2\r\n+a\r\n+b\r\n",
  "|1\r\n+ttl\r\n:3\r\n+described\r\n",
  "*2\r\n|1\r\n+ttl\r\n:3\r\n+described\r\n+plain\r\n",
];
const PUSH = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";

function countOf(...chunks: readonly string[]): number {
  const counter = new ReplyCounter();
  return chunks.reduce((sum, chunk) => sum + counter.take(Buffer.from(chunk, "latin1")), 0);
}

describe("ReplyCounter", () => {
  test("counts each kind of reply, whole and byte by byte", () => {
    for (const reply of REPLIES) {
      expect([reply, countOf(reply)]).toEqual([reply, 1]);
      expect([reply, countOf(...reply.split(""))]).toEqual([reply, 1]);
      expect([reply, countOf(reply.slice(0, -1))]).toEqual([reply, 0]);
    }
  });

  test("does not count pushes", () => {
    expect(countOf(PUSH)).toBe(0);
    expect(countOf(`+OK\r\n${PUSH}+OK\r\n`)).toBe(2);
  });

  test("keeps the first error reply's text, however it arrives", () => {
    for (const error of ["-ERR no such thing\r\n", "!17\r\nERR no such thing\r\n"]) {
      for (const chunks of [[`+OK\r\n${error}`], error.split("")]) {
        const counter = new ReplyCounter();
        for (const chunk of chunks) counter.take(Buffer.from(chunk));
        expect(counter.error).toBe("ERR no such thing");
        counter.take(Buffer.from("-ERR another\r\n"));
        expect(counter.error).toBe("ERR no such thing");
      }
    }
  });

  test("takes an error within an array for a value", () => {
    const counter = new ReplyCounter();
    expect(counter.take(Buffer.from("*1\r\n-ERR inside\r\n"))).toBe(1);
    expect(counter.error).toBeNull();
  });

  test("notices what is no reply", () => {
    const counter = new ReplyCounter();
    expect(counter.take(Buffer.from("+OK\r\nHTTP/1.1 400\r\n"))).toBe(1);
    expect(counter.isBroken).toBe(true);
  });

  test("agrees with the reply reader on random streams cut at random", () =>
    withSeed(FILE, seedOfRun(), (random) => {
      for (let round = 0; round < 200; round++) {
        const length = 1 + random.below(30);
        const stream = Array.from({ length }, () => random.pick(REPLIES)).join("");
        const counter = new ReplyCounter();
        const reader = new ReplyReader();
        let counted = 0;
        let read = 0;
        for (let at = 0; at < stream.length;) {
          const to = at + 1 + random.below(12);
          const chunk = Buffer.from(stream.slice(at, to), "latin1");
          counted += counter.take(chunk);
          reader.push(chunk);
          while (reader.next() !== null) read++;
          expect(counted).toBe(read);
          at = to;
        }
        expect(counted).toBe(length);
      }
    }));
});
