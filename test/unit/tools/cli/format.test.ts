import { describe, expect, test } from "bun:test";
import type { Reply } from "../../../../src/protocol/reply-reader.ts";
import {
  formatInvalidation,
  formatReply,
  type OutputMode,
} from "../../../../src/tools/cli/format.ts";

const bulk = (text: string): Reply => ({ type: "bulk", text });
const integer = (value: number): Reply => ({ type: "integer", value: BigInt(value) });
const array = (...items: Reply[]): Reply => ({ type: "array", items });
const map = (...items: Reply[]): Reply => ({ type: "map", items });
const NULL: Reply = { type: "null" };

function format(reply: Reply, mode: OutputMode): string {
  return formatReply(reply, { mode, valueDelimiter: "|", replyDelimiter: ";" });
}

describe("replies", () => {
  const nested = array(bulk("a"), array(integer(1), NULL), map(bulk("k"), array(bulk("v"))));

  test.each([
    ["standard", '1) "a"\n2) 1) (integer) 1\n   2) (nil)\n3) 1# "k" => 1) "v"\n'],
    ["raw", "a|1||k v;"],
    ["csv", '"a",1,NULL,"k","v"\n'],
    ["json", '["a",[1,null],{"k":["v"]}]\n'],
    ["quoted-json", '["a",[1,null],{"k":["v"]}]\n'],
  ] as const)("nested, %s", (mode, text) => {
    expect(format(nested, mode)).toBe(text);
  });

  test("of a map with values of several lines begin them on a line of their own", () => {
    const reply = map(bulk("k"), array(integer(1), integer(2)), bulk("l"), map());
    expect(format(reply, "standard")).toBe(
      '1# "k" => \n   1) (integer) 1\n   2) (integer) 2\n2# "l" => (empty hash)\n',
    );
  });

  test("with ten elements are numbered in a column", () => {
    const reply = array(...Array.from({ length: 10 }, (_, i) => array(integer(i), NULL)));
    const lines = format(reply, "standard").split("\n");
    expect(lines.slice(0, 3)).toEqual([" 1) 1) (integer) 0", "    2) (nil)", " 2) 1) (integer) 1"]);
    expect(lines[18]).toBe("10) 1) (integer) 9");
  });

  test.each([
    [{ type: "set", items: [] }, "(empty set)\n"],
    [{ type: "push", items: [] }, "(empty push)\n"],
    [{ type: "set", items: [integer(1)] }, "1~ (integer) 1\n"],
    [{ type: "double", text: "1.5" }, "(double) 1.5\n"],
    [{ type: "bignumber", text: "12345678901234567890" }, "(big number) 12345678901234567890\n"],
    [{ type: "boolean", value: true }, "(true)\n"],
    [{ type: "error", text: "ERR no" }, "(error) ERR no\n"],
    [{ type: "verbatim", format: "txt", text: "a\nb" }, "a\nb\n"],
  ] as const)("case %# in the standard format", (reply, text) => {
    expect(format(reply, "standard")).toBe(text);
  });

  test("as JSON: escapes, errors, keys that are no texts", () => {
    const text = bulk('"\\\n\u0001\xc3\xa9\xff');
    expect(format(text, "json")).toBe('"\\"\\\\\\n\\u0001\xc3\xa9\xff"\n');
    expect(format(text, "quoted-json")).toBe('"\\\\"\\\\\\\\\\\\n\\\\x01\\\\xc3\\\\xa9\\\\xff"\n');
    expect(format({ type: "error", text: "ERR" }, "json")).toBe('error:"ERR"\n');
    expect(format(map(integer(1), NULL, array(), NULL), "json")).toBe('{"1":null,"[]":null}\n');
  });

  test("that are texts to be read stay as they are", () => {
    const style = { mode: "standard", valueDelimiter: "\n", replyDelimiter: "\n" } as const;
    expect(formatReply(bulk("a:1\r\n"), style, true)).toBe("a:1\r\n");
  });

  test("of client-side caching", () => {
    const push: Reply = { type: "push", items: [bulk("invalidate"), array(bulk("a"), bulk("b"))] };
    expect(formatInvalidation(push)).toBe("-> invalidate: 'a', 'b'\n");
    expect(formatInvalidation(array(bulk("invalidate"), array()))).toBe(null);
    expect(formatInvalidation({ type: "push", items: [bulk("message"), bulk("x")] })).toBe(null);
  });
});
