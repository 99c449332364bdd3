import { describe, expect, test } from "bun:test";
import { ProtocolError, ReplyReader, type Reply } from "../../../src/protocol/reply-reader.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));

function readAll(...chunks: string[]): Reply[] {
  const reader = new ReplyReader();
  const replies: Reply[] = [];
  for (const chunk of chunks) {
    reader.push(bytesOf(chunk));
    for (let reply = reader.next(); reply !== null; reply = reader.next()) replies.push(reply);
  }
  return replies;
}

function skipAll(...chunks: string[]): string {
  const reader = new ReplyReader();
  let types = "";
  for (const chunk of chunks) {
    reader.push(bytesOf(chunk));
    for (let type = reader.skip(); type !== 0; type = reader.skip()) {
      types += String.fromCharCode(type);
    }
  }
  return types;
}

const bulk = (text: string): Reply => ({ type: "bulk", text });
const integer = (value: bigint): Reply => ({ type: "integer", value });

const CASES: readonly (readonly [wire: string, reply: Reply])[] = [
  ["+OK\r\n", { type: "status", text: "OK" }],
  ["+\r\n", { type: "status", text: "" }],
  ["-ERR no\r\n", { type: "error", text: "ERR no" }],
  [":0\r\n", integer(0n)],
  [":-9223372036854775808\r\n", integer(-(2n ** 63n))],
  ["$-1\r\n", { type: "null" }],
  ["*-1\r\n", { type: "null" }],
  ["_\r\n", { type: "null" }],
  ["$0\r\n\r\n", bulk("")],
  ["$4\r\n\r\n\xff\0\r\n", bulk("\r\n\xff\0")],
  ["!5\r\nERR x\r\n", { type: "error", text: "ERR x" }],
  ["=7\r\ntxt:a\nb\r\n", { type: "verbatim", format: "txt", text: "a\nb" }],
  [",3.25\r\n", { type: "double", text: "3.25" }],
  [",inf\r\n", { type: "double", text: "inf" }],
  ["#t\r\n", { type: "boolean", value: true }],
  ["#f\r\n", { type: "boolean", value: false }],
  ["(123456789012345678901\r\n", { type: "bignumber", text: "123456789012345678901" }],
  ["*0\r\n", { type: "array", items: [] }],
  ["%0\r\n", { type: "map", items: [] }],
  ["~1\r\n:1\r\n", { type: "set", items: [integer(1n)] }],
  [">2\r\n$1\r\na\r\n*0\r\n", { type: "push", items: [bulk("a"), { type: "array", items: [] }] }],
  [
    "%2\r\n+a\r\n*2\r\n:1\r\n*1\r\n$-1\r\n+b\r\n%1\r\n:1\r\n#t\r\n",
    {
      type: "map",
      items: [
        { type: "status", text: "a" },
        {
          type: "array",
          items: [integer(1n), { type: "array", items: [{ type: "null" }] }],
        },
        { type: "status", text: "b" },
        { type: "map", items: [integer(1n), { type: "boolean", value: true }] },
      ],
    },
  ],
  [
    "|1\r\n+ttl\r\n:3\r\n*1\r\n:7\r\n",
    {
      type: "array",
      items: [integer(7n)],
      attributes: [{ type: "status", text: "ttl" }, integer(3n)],
    },
  ],
];

describe("replies", () => {
  test.each(CASES)("%j whole", (wire, reply) => {
    expect(readAll(wire)).toEqual([reply]);
    expect(readAll(wire + wire)).toEqual([reply, reply]);
    expect(skipAll(wire + wire)).toBe(wire[0] + wire[0]);
  });

  test("byte by byte, and cut in two at every place", () => {
    const wire = CASES.map(([each]) => each).join("");
    const replies = CASES.map(([, reply]) => reply);
    const types = CASES.map(([each]) => each[0]).join("");
    expect(readAll(...wire.split(""))).toEqual(replies);
    expect(skipAll(...wire.split(""))).toBe(types);
    for (let cut = 1; cut < wire.length; cut++) {
      expect(readAll(wire.slice(0, cut), wire.slice(cut))).toEqual(replies);
      expect(skipAll(wire.slice(0, cut), wire.slice(cut))).toBe(types);
    }
  });

  test("of many elements, in small chunks", () => {
    const count = 200_000;
    const wire = `*${count}\r\n` + ":1\r\n".repeat(count);
    const chunks: string[] = [];
    for (let at = 0; at < wire.length; at += 1000) chunks.push(wire.slice(at, at + 1000));
    const [reply] = readAll(...chunks);
    expect(reply.type === "array" && reply.items.length).toBe(count);
  });

  test("of one long text, in small chunks", () => {
    const text = "0123456789".repeat(100_000);
    const wire = `*2\r\n$${text.length}\r\n${text}\r\n+end\r\n`;
    const chunks: string[] = [];
    for (let at = 0; at < wire.length; at += 999) chunks.push(wire.slice(at, at + 999));
    const reply: Reply = { type: "array", items: [bulk(text), { type: "status", text: "end" }] };
    expect(readAll(...chunks, ...chunks)).toEqual([reply, reply]);
    expect(skipAll(...chunks, ...chunks)).toBe("**");
  });

  test("tell whether one has begun", () => {
    const reader = new ReplyReader();
    expect(reader.isInsideReply).toBe(false);
    reader.push(bytesOf("*2\r\n:1\r\n"));
    expect(reader.next()).toBe(null);
    expect([reader.isInsideReply, reader.pendingBytes]).toEqual([true, 0]);
    reader.push(bytesOf(":2\r\n"));
    expect(reader.next()).not.toBe(null);
    expect(reader.isInsideReply).toBe(false);
  });

  test.each([
    "x\r\n",
    ":1x\r\n",
    ":\r\n",
    ":9223372036854775808\r\n",
    "$x\r\n",
    "$-2\r\n",
    "*\r\n",
    "#x\r\n",
    "_x\r\n",
    "=3\r\nabc\r\n",
  ])("refuse %j", (wire) => {
    expect(() => readAll(wire)).toThrow(ProtocolError);
  });
});
