import { describe, expect, test } from "bun:test";
import { needsQuotes, quoteBytes } from "../../../src/base/sds-quote.ts";
import { splitArgs } from "../../../src/base/split-args.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/split-args.test.ts";
const seed = seedOfRun();

function split(line: string): string[] | null {
  const bytes = Buffer.from(`"${line}"`, "latin1");
  const args = splitArgs(bytes, 1, bytes.length - 1);
  return args === null ? null : args.map((arg) => Buffer.from(arg).toString("latin1"));
}

describe("split", () => {
  const cases: [string, string[] | null][] = [
    ["", []],
    ["  \t\r\n", []],
    ["PING", ["PING"]],
    [" set  key\tvalue\r\n", ["set", "key", "value"]],
    ['"a b" c', ["a b", "c"]],
    ["'a b' c", ["a b", "c"]],
    ['""', [""]],
    ["''  ''", ["", ""]],
    ['foo"bar baz"', ["foobar baz"]],
    ["foo'bar baz' x", ["foobar baz", "x"]],
    ['"a"b', null],
    ["'a'b", null],
    ['"a""b"', null],
    ['"a', null],
    ["'a", null],
    ['"a\\"', null],
    ['"a\\', null],
    ['a"', null],
    ['"\\n\\r\\t\\a\\b\\q\\\\\\""', ['\n\r\t\x07\bq\\"']],
    ['"\\x41\\xfF\\x4"', ["A\xffx4"]],
    ['"\\xg1"', ["xg1"]],
    ["'\\n\\''", ["\\n'"]],
    ["a\\nb", ["a\\nb"]],
    ["a\vb\fc", ["a\vb\fc"]],
    ["\va \fb", ["a", "b"]],
    ['"a"\vb', ["a", "b"]],
    ["a\0b c", ["a"]],
    ['"a\0b"', null],
    ["\xe9 \xff", ["\xe9", "\xff"]],
  ];
  for (const [line, args] of cases) {
    test(JSON.stringify(line), () => expect(split(line)).toEqual(args));
  }

  test("a NUL byte before the range does not end the line", () => {
    const bytes = Buffer.from("\0a b\0", "latin1");
    expect(splitArgs(bytes, 1, 4)?.length).toBe(2);
  });
});

describe("quote", () => {
  test("escapes", () => {
    const bytes = Buffer.from('a "\\\n\r\t\x07\b\0\x1f\x7f\xff~', "latin1");
    expect(Buffer.from(quoteBytes(bytes, 0, bytes.length)).toString("latin1")).toBe(
      '"a \\"\\\\\\n\\r\\t\\a\\b\\x00\\x1f\\x7f\\xff~"',
    );
    expect(Buffer.from(quoteBytes(bytes, 1, 1)).toString("latin1")).toBe('""');
  });

  test("whether quotes are needed", () => {
    const needs = (text: string) => needsQuotes(Buffer.from(text, "latin1"), 0, text.length);
    expect(["", "a b", 'a"', "a'", "a\\", "\n", "\x7f", "\xe9"].every(needs)).toBe(true);
    expect(["a", "/tmp/x.conf", "a,b;c", "~"].some(needs)).toBe(false);
  });

  test("what is quoted splits back to the same bytes, and so does what needs no quotes", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 5000; round++) {
        const bytes = random.bytes(random.below(20));
        const isAscii = random.oneIn(2);
        if (isAscii) for (let at = 0; at < bytes.length; at++) bytes[at] = 0x20 + (bytes[at] % 95);
        const quoted = quoteBytes(bytes, 0, bytes.length);
        expect(splitArgs(quoted, 0, quoted.length)).toEqual([bytes]);
        if (needsQuotes(bytes, 0, bytes.length)) continue;
        expect(splitArgs(bytes, 0, bytes.length)).toEqual([bytes]);
      }
    }));
});
