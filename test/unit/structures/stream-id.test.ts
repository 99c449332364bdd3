import { describe, expect, test } from "bun:test";
import { ID_TEXT_BYTES_MAX, IdForm, IdParse, StreamId } from "../../../src/structures/stream-id.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/structures/stream-id.test.ts";
const seed = seedOfRun();
const UINT64_MAX = (1n << 64n) - 1n;

function idOf(ms: bigint, seq: bigint): StreamId {
  const id = new StreamId();
  id.addTime(Number(BigInt.asIntN(32, ms >> 32n)), Number(BigInt.asIntN(32, ms)));
  id.addSequence(Number(BigInt.asIntN(32, seq >> 32n)), Number(BigInt.asIntN(32, seq)));
  return id;
}

function textOf(id: StreamId): string {
  const bytes = new Uint8Array(ID_TEXT_BYTES_MAX);
  const end = id.writeText(bytes, 0);
  expect(end).toBe(id.textLength());
  return Buffer.from(bytes.subarray(0, end)).toString("latin1");
}

/** The ID of a text, or what was wrong with it. */
function parse(text: string, forms = 0): string {
  const bytes = Buffer.from(`<${text}>`, "latin1");
  const id = new StreamId();
  const parsed = id.parse(bytes, 1, bytes.length - 1, forms);
  if (parsed === IdParse.INVALID) return "invalid";
  return parsed === IdParse.OPEN ? `${textOf(id)} open` : textOf(id);
}

/** A number near a power of two, as often as not. */
function randomUint64(random: Random): bigint {
  const bits = BigInt(random.below(65));
  return BigInt.asUintN(64, (1n << bits) + BigInt(random.below(5) - 2));
}

describe("StreamId", () => {
  test("counts, compares, and reads what it wrote", () =>
    withSeed(FILE, seed, (random) => {
      const words = new Int32Array(6);
      for (let i = 0; i < 5000; i++) {
        const [ms, seq, otherMs] = Array.from({ length: 3 }, () => randomUint64(random));
        const otherSeq = random.oneIn(2) ? seq : randomUint64(random);
        const number = (ms << 64n) | seq;
        const other = ((random.oneIn(2) ? ms : otherMs) << 64n) | otherSeq;
        const id = idOf(ms, seq);
        const otherId = idOf(other >> 64n, otherSeq);
        expect(textOf(id)).toBe(`${ms}-${seq}`);
        expect(parse(`${ms}-${seq}`)).toBe(`${ms}-${seq}`);
        expect(Math.sign(id.compare(otherId))).toBe(number < other ? -1 : number > other ? 1 : 0);
        expect(id.equals(otherId)).toBe(number === other);
        otherId.write(words, 2);
        expect(Math.sign(id.compareAt(words, 2))).toBe(Math.sign(id.compare(otherId)));
        const copy = new StreamId();
        copy.read(words, 2);
        expect(copy.equals(otherId)).toBe(true);
        const next = BigInt.asUintN(128, number + 1n);
        expect(id.increment()).toBe(next !== 0n);
        expect(textOf(id)).toBe(`${next >> 64n}-${next & UINT64_MAX}`);
        expect(id.decrement()).toBe(next !== 0n);
        expect(textOf(id)).toBe(`${ms}-${seq}`);
      }
    }));

  test("takes the time of a clock", () => {
    const id = new StreamId();
    id.setTime(1_700_000_000_123);
    expect(textOf(id)).toBe("1700000000123-0");
    id.setMax();
    expect(textOf(id)).toBe(`${UINT64_MAX}-${UINT64_MAX}`);
    expect(id.isMax() && id.hasMaxSequence() && !id.isZero()).toBe(true);
    id.setMin();
    expect(textOf(id)).toBe("0-0");
    expect(id.isZero() && !id.isMax()).toBe(true);
  });

  test("has the forms that a caller allows", () => {
    expect(parse("5")).toBe("5-0");
    expect(parse("5", IdForm.MISSING_IS_MAX)).toBe(`5-${UINT64_MAX}`);
    expect(parse("-")).toBe("invalid");
    expect(parse("+")).toBe("invalid");
    expect(parse("-", IdForm.RANGE)).toBe("0-0");
    expect(parse("+", IdForm.RANGE)).toBe(`${UINT64_MAX}-${UINT64_MAX}`);
    expect(parse("5-*")).toBe("invalid");
    expect(parse("5-*", IdForm.OPEN_SEQUENCE)).toBe("5-0 open");
    expect(parse("5-**", IdForm.OPEN_SEQUENCE)).toBe("invalid");
    expect(parse("*", IdForm.OPEN_SEQUENCE)).toBe("invalid");
  });

  test("refuses what is no ID", () => {
    for (const text of ["", "-5", "5-", "1-2-3", "1-x", "x-1", "1.5", "$", ">", "(1", "1--1"]) {
      expect(parse(text)).toBe("invalid");
    }
    expect(parse("18446744073709551616")).toBe("invalid");
    expect(parse("9".repeat(128))).toBe("invalid");
  });
});
