import { describe, expect, test } from "bun:test";
import { documentedCommands } from "../../../../src/commands/docs/table.ts";
import { describeArguments, hintFor } from "../../../../src/tools/cli/hints.ts";

const docs = documentedCommands();
const argsOf = (name: string) => docs.get(name)?.doc.args ?? [];

describe("hints", () => {
  test.each([
    ["xrange", "", "key start end [COUNT count]"],
    ["xrange", "k - + count", "count"],
    ["xrange", "k - + count 3", ""],
    ["zrandmember", "k 3", "[WITHSCORES]"],
    ["zrandmember", "k three", ""],
    ["mget", "a b", "[key ...]"],
    ["scan", "0 count", "count [MATCH pattern] [TYPE type]"],
    ["blmove", "a b left", "LEFT|RIGHT timeout"],
    ["config|set", "a 1 b", "value [parameter value ...]"],
  ])("%s behind %j", (name, words, hint) => {
    const typed = words === "" ? [] : words.split(" ");
    expect(hintFor(argsOf(name), typed).trimEnd()).toBe(hint);
  });

  test("of every command describe it in brackets that close", () => {
    for (const [name, { doc }] of docs) {
      const text = describeArguments(doc.args ?? []);
      const depth = text.split("").reduce((d, c) => d + (c === "[" ? 1 : c === "]" ? -1 : 0), 0);
      expect({ name, text, depth }).toEqual({ name, text, depth: 0 });
    }
  });
});
