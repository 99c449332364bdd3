import { describe, expect, test } from "bun:test";
import { isShortDecimal, writeDecimalSum } from "../../../src/base/decimal-sum.ts";
import {
  addExtended,
  EXTENDED_BYTES_MAX,
  parseExtended,
  writeExtended,
} from "../../../src/base/extended.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/decimal-sum.test.ts";
const seed = seedOfRun();
const output = new Uint8Array(EXTENDED_BYTES_MAX);

/** The sum, or null where that is not known here. */
function sum(left: string, right: string): string | null {
  const bytes = Buffer.from(`1${left}1${right}1`, "latin1");
  const middle = left.length + 1;
  const end = writeDecimalSum(output, 0, bytes, 1, middle, bytes, middle + 1, bytes.length - 1);
  return end < 0 ? null : Buffer.from(output.subarray(0, end)).toString("latin1");
}

/** What base/extended.ts makes of it. */
function extendedSum(left: string, right: string): string {
  const [a, b] = [left, right].map((text) => parseExtended(Buffer.from(text), 0, text.length));
  const end = writeExtended(output, 0, addExtended(a!, b!));
  return Buffer.from(output.subarray(0, end)).toString("latin1");
}

function anyDecimal(random: Random): string {
  const sign = random.pick(["", "-"]);
  if (random.below(3) === 0) return `${sign}${random.below(60) / (1 << random.below(7))}`;
  const digits = (count: number) =>
    Array.from({ length: count }, () => random.pick([0, 9, 5, 3, 7]));
  const whole = random.below(12);
  const fraction = digits(random.below(15 - whole)).join("");
  return `${sign}${digits(whole).join("")}${random.pick(["", "."])}${fraction}`;
}

describe("sums of short decimals", () => {
  const sums: [string, string, string | null][] = [
    ["3", "0.2", "3.2"],
    ["10.50", "0.1", "10.6"],
    ["1000.5", "0.25", "1000.75"],
    ["1000.5", "0.1", null],
    ["-.5", "5.", "4.5"],
    ["-0", "-0.0", "0"],
    ["-1.05", "1", "-0.05"],
    ["0", "0.0000000000001", "0.0000000000001"],
    ["999999999999998", "1", "999999999999999"],
    ["999999999999999", "1", null],
    ["1000000000000000", "1", null],
    ["1", "1e1", null],
    ["1", "+1", null],
    ["1", "", null],
    ["1", ".", null],
    ["1", "-", null],
    ["1", "1.1.1", null],
    ["inf", "1", null],
  ];
  for (const [left, right, expected] of sums) {
    test(`${left} + ${right} = ${expected}`, () => {
      expect(sum(left, right)).toBe(expected);
      expect(sum(right, left)).toBe(expected);
    });
  }

  test("are what extended precision prints", () =>
    withSeed(FILE, seed, (random) => {
      let known = 0;
      for (let round = 0; round < 20_000; round++) {
        const left = anyDecimal(random);
        const right = anyDecimal(random);
        const result = sum(left, right);
        if (result === null) continue;
        known++;
        expect(isShortDecimal(Buffer.from(left), 0, left.length)).toBe(true);
        expect(result).toBe(extendedSum(left, right));
      }
      expect(known).toBeGreaterThan(3000);
    }));
});
