import { expect, test } from "bun:test";
import {
  Int64,
  int64Length,
  isInt64,
  parseSafeInteger,
  writeInt64,
} from "../../../src/base/int64.ts";
import { parseInteger } from "../../../src/base/integer.ts";
import { type Random, seedOfRun, withSeed } from "../../support/seed.ts";

const INT64_MAX = 2n ** 63n - 1n;
const EDGES = [0n, 1n, 9n, 10n, 127n, 10n ** 9n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 10n ** 18n];

function viewOf(text: string): DataView {
  return new DataView(Uint8Array.from(text, (character) => character.charCodeAt(0)).buffer);
}

function isInt64Text(text: string): boolean {
  return isInt64(viewOf(text), 0, text.length);
}

/** Parses the text, and writes it again. */
function checkValue(value: bigint): void {
  const text = value.toString();
  const view = viewOf(`x${text}y`);
  expect(isInt64(view, 1, 1 + text.length)).toBe(true);
  const parsed = new Int64();
  expect(parsed.parse(view, 1, 1 + text.length)).toBe(true);
  expect((BigInt(parsed.high) << 32n) | BigInt(parsed.low >>> 0)).toBe(value);
  expect(parsed.toNumber()).toBe(Number(value));
  expect(int64Length(parsed.high, parsed.low)).toBe(text.length);
  const bytes = new Uint8Array(24);
  expect(writeInt64(bytes, 2, parsed.high, parsed.low)).toBe(2 + text.length);
  expect(Buffer.from(bytes.subarray(2, 2 + text.length)).toString()).toBe(text);
}

test("values at and around the edges come back exactly", () => {
  for (const edge of EDGES) {
    for (let delta = -2n; delta <= 2n; delta++) {
      checkValue(edge + delta);
      checkValue(-edge + delta);
    }
  }
  for (let delta = 0n; delta <= 2n; delta++) {
    checkValue(INT64_MAX - delta);
    checkValue(-INT64_MAX - 1n + delta);
  }
});

test("random values of every length come back exactly", async () => {
  await withSeed("test/unit/base/int64.test.ts", seedOfRun(), (random) => {
    for (let i = 0; i < 3000; i++) checkValue(randomInt64(random));
  });
});

function randomInt64(random: Random): bigint {
  const word = (BigInt(random.next()) << 32n) | BigInt(random.next());
  return BigInt.asIntN(64, word) >> BigInt(random.below(64));
}

test("what is no canonical int64 is refused", () => {
  const texts = ["", "-", "+1", "01", "-0", "-01", "1 ", " 1", "1.", "0x1", "1e5", "--1", "1-"];
  texts.push("9223372036854775808", "-9223372036854775809", "10000000000000000000");
  texts.push(
    "99999999999999999999",
    "-99999999999999999999",
    "9".repeat(40),
    "922337203685477580a",
  );
  for (const text of texts) {
    expect([text, isInt64Text(text)]).toEqual([text, false]);
    const parsed = new Int64();
    parsed.set(7);
    expect(parsed.parse(viewOf(text), 0, text.length)).toBe(false);
    expect(parsed.toNumber()).toBe(7);
  }
});

test("parseSafeInteger agrees with parseInteger", async () => {
  await withSeed("test/unit/base/int64.test.ts", seedOfRun(), (random) => {
    const texts = ["", "-", "-0", "0", "00", "9007199254740991", "9007199254740992", "-1", "x"];
    texts.push("-9007199254740991", "-9007199254740992", "12345678901234567");
    for (let i = 0; i < 2000; i++) {
      let text = "";
      for (let length = random.below(19); length >= 0; length--)
        text += "0123456789-"[random.below(11)];
      texts.push(text, text.replaceAll("-", "8"), `-${text.replaceAll("-", "3")}`);
    }
    for (const text of texts) {
      const view = viewOf(text);
      const expected = parseInteger(new Uint8Array(view.buffer), 0, text.length);
      expect([text, parseSafeInteger(view, 0, text.length)]).toEqual([text, expected]);
    }
  });
});
