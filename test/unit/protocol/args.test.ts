import { describe, expect, test } from "bun:test";
import { Args } from "../../../src/protocol/args.ts";

function argsOf(...texts: string[]): Args {
  const args = new Args();
  args.assign(texts.map((text) => Uint8Array.from(Buffer.from(text, "latin1"))));
  return args;
}

describe("arguments", () => {
  test("are assigned, measured, compared and copied", () => {
    const args = argsOf("SeT", "", "k\xff\0");
    expect(args.count).toBe(3);
    expect([0, 1, 2].map((i) => args.lengthOf(i))).toEqual([3, 0, 3]);
    expect([0, 1, 2].map((i) => args.text(i))).toEqual(["SeT", "", "k\xff\0"]);
    expect(args.is(0, "SET")).toBe(true);
    expect(args.is(0, "SETS")).toBe(false);
    expect(args.is(1, "")).toBe(true);
    const copy = args.copy(2);
    args.bytes.fill(0);
    expect([...copy]).toEqual([0x6b, 0xff, 0]);
  });

  test("grow beyond what they hold at first", () => {
    const args = new Args();
    for (let i = 0; i < 1000; i++) args.push(i, 2 * i);
    expect(args.count).toBe(1000);
    expect([...args.start.subarray(0, 1000)]).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(args.end[999]).toBe(1998);
  });

  test("move with their bytes", () => {
    const args = argsOf("ab", "c");
    args.rebase(10);
    expect([args.start[0], args.end[0], args.start[1], args.end[1]]).toEqual([10, 12, 12, 13]);
    args.rebase(-10);
    expect(args.text(1)).toBe("c");
  });

  test("are replaced as a whole", () => {
    const args = argsOf("a", "b", "c");
    args.assign([Buffer.from("new")]);
    expect(args.count).toBe(1);
    expect(args.text(0)).toBe("new");
    expect(args.view.getUint8(0)).toBe(0x6e);
    args.assign([]);
    expect(args.count).toBe(0);
  });
});
