import { describe, expect, test } from "bun:test";
import {
  addExtended,
  EXTENDED_BYTES_MAX,
  extendedFromNumber,
  isFiniteExtended,
  parseExtended,
  writeExtended,
} from "../../../src/base/extended.ts";
import { seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/extended.test.ts";
const seed = seedOfRun();
const output = new Uint8Array(EXTENDED_BYTES_MAX);

function parsed(text: string) {
  const bytes = Buffer.from(`1${text}1`, "latin1");
  return parseExtended(bytes, 1, bytes.length - 1);
}

function written(value: ReturnType<typeof parsed>): string | null {
  if (value === null) return null;
  return Buffer.from(output.subarray(0, writeExtended(output, 0, value))).toString("latin1");
}

describe("values recorded from Valkey", () => {
  const sums: [string, string, string | null][] = [
    ["3", "0.2", "3.2"],
    ["10.50", "0.1", "10.6"],
    ["5.0e3", "2.0e2", "5200"],
    ["0.1", "0.2", "0.3"],
    ["1000.5", "0.1", "1000.59999999999999998"],
    ["-0", "-0.0", "0"],
    ["0", "-1e-18", "0"],
    ["0", "1.5e-17", "0.00000000000000002"],
    ["0x10", "0x.8p1", "17"],
    ["9223372036854775807", "1", "9223372036854775808"],
    ["18446744073709551617", "0", "18446744073709551616"],
    ["inf", "1", "inf"],
    ["-infinity", "1", "-inf"],
    ["inf", "-inf", "nan"],
    ["1e4932", "1e4932", "inf"],
    ["nan", "1", null],
    ["1e4933", "1", null],
    ["1e-5000", "1", null],
    [" 1", "1", null],
    ["1 ", "1", null],
    ["", "1", null],
    ["0".repeat(EXTENDED_BYTES_MAX + 1), "1", null],
  ];
  for (const [a, b, sum] of sums) {
    test(`${a.slice(0, 30)} + ${b} = ${sum}`, () => {
      const [left, right] = [parsed(a), parsed(b)];
      const result = left === null || right === null ? null : addExtended(left, right);
      expect(written(result)).toBe(sum);
    });
  }
});

describe("properties", () => {
  test("integers of 64 bits are exact, also in sums that fit", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 5000; round++) {
        const a = (BigInt(random.next()) << 31n) | BigInt(random.next() >>> 1);
        const b = BigInt(random.next()) >> BigInt(random.below(32));
        const sign = random.pick([1n, -1n]);
        const sum = addExtended(parsed(String(sign * a))!, parsed(String(b))!);
        expect(written(sum)).toBe(String(sign * a + b));
      }
    }));

  test("a double is taken over exactly and prints as toFixed has it", () =>
    withSeed(FILE, seed, (random) => {
      for (let round = 0; round < 5000; round++) {
        const value = ((random.next() - 2 ** 31) * 2 ** 20 + random.next()) / 2 ** random.below(70);
        // At an exact tie toFixed takes the larger of the two, not the even one.
        if (Number.isInteger(value * 2 ** 18) && !Number.isInteger(value * 2 ** 17)) continue;
        const fixed = value.toFixed(17).replace(/\.?0+$/, "");
        expect(written(extendedFromNumber(value))).toBe(fixed === "-0" ? "0" : fixed);
      }
    }));

  test("special doubles", () => {
    expect(written(extendedFromNumber(-0))).toBe("0");
    expect(written(extendedFromNumber(5e-324))).toBe("0");
    expect(extendedFromNumber(5e-324)).toEqual({ significand: 1n, exponent: -1074 });
    expect(written(extendedFromNumber(2 ** 70))).toBe(String(2n ** 70n));
    expect(written(extendedFromNumber(-Infinity))).toBe("-inf");
    expect(written(extendedFromNumber(NaN))).toBe("nan");
    expect(isFiniteExtended(extendedFromNumber(Infinity))).toBe(false);
    expect(isFiniteExtended(extendedFromNumber(NaN))).toBe(false);
    expect(isFiniteExtended(extendedFromNumber(1.5))).toBe(true);
  });
});
