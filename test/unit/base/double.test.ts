import { describe, expect, test } from "bun:test";
import { DOUBLE_BYTES_MAX, parseDouble, writeDouble } from "../../../src/base/double.ts";
import { writeShortest } from "../../../src/base/grisu.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/double.test.ts";
const seed = seedOfRun();

function parsed(text: string): number {
  const bytes = Buffer.from(`1${text}1`, "latin1");
  return parseDouble(bytes, 1, bytes.length - 1);
}

function written(value: number): string {
  const bytes = new Uint8Array(DOUBLE_BYTES_MAX + 4).fill(0x7e);
  const end = writeDouble(bytes, 2, value);
  expect(end - 2).toBeLessThanOrEqual(DOUBLE_BYTES_MAX);
  expect(bytes.subarray(0, 2).every((byte) => byte === 0x7e)).toBe(true);
  return Buffer.from(bytes.subarray(2, end)).toString("latin1");
}

function anyDouble(random: Random): number {
  const bits = new Uint32Array([random.next(), random.next()]);
  const value = new Float64Array(bits.buffer)[0];
  return Number.isFinite(value) ? value : 0.1;
}

describe("parse", () => {
  const accepted: [string, number][] = [
    ["0", 0],
    ["-0", -0],
    ["+1", 1],
    ["5.", 5],
    [".5", 0.5],
    ["-1.5e3", -1500],
    ["1E+2", 100],
    ["0010", 10],
    ["0x10", 16],
    ["-0X.8p1", -1],
    ["0x1p-1074", 5e-324],
    ["inf", Infinity],
    ["-INFINITY", -Infinity],
    ["0e9999999999999999999", 0],
    ["5e-324", 5e-324],
    ["1.7976931348623158e308", Number.MAX_VALUE],
    ["9007199254740993", 9007199254740992],
    ["0.1000000000000000055511151231257827021181583404541015625", 0.1],
    [`${"0".repeat(400)}1${"0".repeat(400)}e-400`, 1],
    [`0.${"0".repeat(400)}1e400`, 0.1],
  ];
  for (const [text, value] of accepted) {
    test(JSON.stringify(text.slice(0, 60)), () => expect(parsed(text)).toBe(value));
  }

  const refused = ["", " ", " 1", "1 ", ".", "-", "+-1", "--1", "e5", "1e", "1e+", "1.2.3", "1x"];
  refused.push("0x", "0x.", "0x1p", "0xg", "00x1", "in", "infi", "nan", "-nan", "1e400", "1e-400");
  refused.push("0x1p1024", "0x1p-1075", "1\0", "1_000", "1,5", "1e5.0", "0x1e+2", "2e-324");
  for (const text of refused) {
    test(`${JSON.stringify(text)} is refused`, () => expect(parsed(text)).toBe(NaN));
  }

  test("agrees with the language on decimals of every length", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 10_000; round++) {
        const count = 1 + random.below(22);
        let text = "";
        for (let at = 0; at < count; at++) text += random.below(10);
        const point = random.below(count + 1);
        text = `${text.slice(0, point)}.${text.slice(point)}`;
        if (random.oneIn(2)) text += `e${random.below(61) - 30}`;
        expect(parsed(text)).toBe(Number(text));
      }
    }));
});

describe("write", () => {
  test("decimals of a few places, and what is next to them, as writeShortest has them", () =>
    withSeed(FILE, seed, (random) => {
      const bytes = new Uint8Array(DOUBLE_BYTES_MAX);
      const bits = new BigInt64Array(1);
      const value = new Float64Array(bits.buffer);
      for (let round = 0; round < 50_000; round++) {
        value[0] = random.below(2 ** random.below(45)) / 10 ** random.below(7);
        if (round % 3 === 1) bits[0]++;
        if (Number.isInteger(value[0])) continue;
        const end = writeShortest(bytes, 0, value[0]);
        expect(written(value[0])).toBe(Buffer.from(bytes.subarray(0, end)).toString());
        expect(Number(written(-value[0]))).toBe(-value[0]);
      }
    }));

  const cases: [number, string][] = [
    [0, "0"],
    [-0, "-0"],
    [NaN, "nan"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [3, "3"],
    [-17, "-17"],
    [2 ** 53, "9007199254740992"],
    [-(2 ** 62), "-4611686018427387904"],
    [2 ** 62 + 1024, "4611686018427389000"],
    [1e18, "1000000000000000000"],
    [1e19, "1e+19"],
    [123456789e12, "1.23456789e+20"],
    [-58578216684496100000, "-58578216684496100000"],
    [23509675275652112000, "23509675275652112000"],
    [-12135140877285594e6, "-12135140877285594000000"],
    [123456789e14, "1.23456789e+22"],
    [0.1, "0.1"],
    [1 / 3, "0.3333333333333333"],
    [0.1 + 0.2, "0.30000000000000004"],
    [0.000001, "0.000001"],
    [0.0012345678901234567, "0.0012345678901234567"],
    [0.00000123, "1.23e-6"],
    [1.5e-7, "1.5e-7"],
    [3.141592653589793, "3.141592653589793"],
    [12345.678901234, "1.2345678901234e+4"],
    [5e-324, "5e-324"],
    [-2.2250738585072014e-308, "-2.2250738585072014e-308"],
    [Number.MAX_VALUE, "1.7976931348623157e+308"],
  ];
  for (const [value, text] of cases) test(text, () => expect(written(value)).toBe(text));

  test("every text reads back as the same double", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 20_000; round++) {
        const value = anyDouble(random);
        expect(parsed(written(value))).toBe(value);
      }
    }));

  test("integral doubles between 2^53 and 2^62 have all their digits", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 10_000; round++) {
        const value = Math.floor(2 ** (53 + 9 * (random.next() / 2 ** 32)));
        expect(written(value)).toBe(BigInt(value).toString());
      }
    }));
});
