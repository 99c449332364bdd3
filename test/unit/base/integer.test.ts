/** Integer codecs against the language's own conversions. */
import { describe, expect, test } from "bun:test";
import {
  decimalLength,
  INT64_MAX,
  INT64_MIN,
  parseInt64,
  parseInteger,
  parseUint64,
  parseUnsigned,
  writeBigInt,
  writeInteger,
} from "../../../src/base/integer.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const FILE = "test/unit/base/integer.test.ts";
const seed = seedOfRun();
const ROUNDS = 10_000;

/** Bytes with foreign digits on both sides, so that a read past the range changes the result. */
function framed(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(`9${text}9`, "latin1"));
}

function onRange<T>(parse: (bytes: Uint8Array, start: number, end: number) => T, text: string): T {
  const bytes = framed(text);
  return parse(bytes, 1, bytes.length - 1);
}

/** The definition of canonical, spelled with the language's own conversions. */
function modelInt64(text: string): bigint | null {
  if (!/^(0|-?[1-9][0-9]{0,19})$/.test(text)) return null;
  const value = BigInt(text);
  return value >= INT64_MIN && value <= INT64_MAX ? value : null;
}

function checkParse(text: string): void {
  const exact = modelInt64(text);
  expect(onRange(parseInt64, text)).toBe(exact);
  const isSafe = exact !== null && Number.isSafeInteger(Number(exact));
  expect(onRange(parseInteger, text)).toBe(isSafe ? Number(exact) : NaN);
  expect(onRange(parseUnsigned, text)).toBe(isSafe && exact >= 0n ? Number(exact) : NaN);
}

function written(write: (bytes: Uint8Array) => number): string {
  const bytes = new Uint8Array(32).fill(0x7e);
  const end = write(bytes);
  expect(bytes.subarray(end).every((byte) => byte === 0x7e)).toBe(true);
  expect(bytes.subarray(0, 3).every((byte) => byte === 0x7e)).toBe(true);
  return Buffer.from(bytes.subarray(3, end)).toString("latin1");
}

describe("parse", () => {
  const texts = [
    "",
    "-",
    "+",
    "0",
    "-0",
    "+1",
    "00",
    "01",
    "-01",
    "1",
    "-1",
    " 1",
    "1 ",
    "1.",
    "1e3",
    "0x1",
    "12a",
    "a12",
    "/",
    ":",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740991",
    "-9007199254740992",
    "9999999999999999",
    "10000000000000000",
    "999999999",
    "1000000000",
    "-999999999",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "100000000000000000000",
    "-99999999999999999999",
    "123456789:",
    "12345678901234567a",
    "1234567890123456789/",
  ];
  for (const text of texts) test(JSON.stringify(text), () => checkParse(text));

  test("random texts agree with the definition", () =>
    withSeed(FILE, seed, (random: Random) => {
      for (let round = 0; round < ROUNDS; round++) {
        let text = random.oneIn(3) ? "-" : "";
        const length = random.below(22);
        for (let at = 0; at < length; at++) text += random.below(10);
        const middle = length >> 1;
        const foreign = random.pick(["/", ":", "-", "+", " ", "a"]);
        if (random.oneIn(8)) text = text.slice(0, middle) + foreign + text.slice(middle);
        checkParse(text);
      }
    }));

  test("an unsigned 64-bit number is read as strtoull reads it", () => {
    const cases: [string, bigint | null][] = [
      ["0", 0n],
      ["5", 5n],
      ["005", 5n],
      ["+5", 5n],
      [" \t5", 5n],
      ["5 ", null],
      ["", null],
      ["-", null],
      ["+", null],
      ["-5", null],
      ["-05", 18446744073709551611n],
      [" -1", 18446744073709551615n],
      ["5\0x", 5n],
      ["\0", null],
      ["18446744073709551615", 18446744073709551615n],
      ["18446744073709551616", null],
      ["9223372036854775808", 9223372036854775808n],
      ["1526919030474-55", null],
      ["000000000000000000000000000018446744073709551615", 18446744073709551615n],
      ["1a", null],
      ["- 5", null],
    ];
    for (const [text, value] of cases) expect(onRange(parseUint64, text)).toBe(value);
  });
});

describe("write", () => {
  test("every boundary of the length and of the number of bits", () => {
    const values: bigint[] = [0n];
    for (let exponent = 0n; exponent <= 19n; exponent++) values.push(10n ** exponent);
    for (let exponent = 0n; exponent <= 64n; exponent++) values.push(2n ** exponent);
    for (const base of values) {
      for (let delta = -2n; delta <= 2n; delta++) {
        for (const value of [base + delta, -(base + delta)]) {
          if (value > 18446744073709551615n || value < INT64_MIN) continue;
          expect(written((bytes) => writeBigInt(bytes, 3, value))).toBe(value.toString());
          if (!Number.isSafeInteger(Number(value))) continue;
          expect(written((bytes) => writeInteger(bytes, 3, Number(value)))).toBe(value.toString());
          expect(decimalLength(Number(value))).toBe(value.toString().length);
        }
      }
    }
  });

  test("multiples of 10^8 and their neighbours, where the split into halves could round", () =>
    withSeed(FILE, seed, (random: Random) => {
      for (let round = 0; round < ROUNDS; round++) {
        const distance = random.below(random.oneIn(2) ? 100 : 90071990);
        const value = (90071990 - distance) * 1e8 + random.below(3) - 1;
        expect(written((bytes) => writeInteger(bytes, 3, value))).toBe(value.toString());
      }
    }));

  test("minus zero is written as zero", () => {
    expect(written((bytes) => writeInteger(bytes, 3, -0))).toBe("0");
  });

  test("random values survive the round trip", () =>
    withSeed(FILE, seed, (random: Random) => {
      for (let round = 0; round < ROUNDS; round++) {
        const bits = (BigInt(random.next()) << 32n) | BigInt(random.next());
        const value = BigInt.asIntN(64, bits) >> BigInt(random.below(64));
        const text = written((bytes) => writeBigInt(bytes, 3, value));
        expect(text).toBe(value.toString());
        expect(onRange(parseInt64, text)).toBe(value);
      }
    }));
});
