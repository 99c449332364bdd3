/**
 * Extended precision against Valkey on x86: a value is SET, INCRBYFLOAT adds to it there, and
 * parseExtended, addExtended and writeExtended do here. The texts must be the same, and so must
 * what is refused.
 */
import { expect, test } from "bun:test";
import {
  addExtended,
  EXTENDED_BYTES_MAX,
  isFiniteExtended,
  parseExtended,
  writeExtended,
} from "../../src/base/extended.ts";
import { describeWithPeers } from "../support/peers.ts";
import { type Random, seedOfRun, withSeed } from "../support/seed.ts";
import { useServer } from "../support/server-process.ts";

const FILE = "test/differential/incrbyfloat.test.ts";
const seed = seedOfRun();
const BATCH = 100;
const output = new Uint8Array(EXTENDED_BYTES_MAX + 4);

type Pair = readonly [value: string, increment: string];

function ours([value, increment]: Pair): string {
  const [a, b] = [value, increment].map((text) => {
    const bytes = Buffer.from(text, "latin1");
    return parseExtended(bytes, 0, bytes.length);
  });
  if (a === null || b === null) return "ERR value is not a valid float";
  const sum = addExtended(a, b);
  if (!isFiniteExtended(sum)) return "ERR increment would produce NaN or Infinity";
  const end = writeExtended(output, 2, sum);
  return Buffer.from(output.subarray(2, end)).toString("latin1");
}

function digits(random: Random, countMax: number): string {
  let text = "";
  for (let count = 1 + random.below(countMax); count > 0; count--) text += random.below(10);
  return text;
}

/** A number as counters and prices have it. */
function ordinary(random: Random): string {
  const sign = random.pick(["", "-"]);
  const places = random.pick([0, 1, 2, 2, 3, 9, 17]);
  return sign + digits(random, 7) + (places === 0 ? "" : `.${digits(random, places)}`);
}

/** A number of any magnitude and length. */
function extreme(random: Random): string {
  const sign = random.pick(["", "-", "+"]);
  const exponent = () => random.pick([5, 40, 4932, 4951, 5000]);
  const power = `${random.pick(["", "-"])}${random.below(exponent())}`;
  if (random.oneIn(4)) {
    const hex = random.next().toString(16) + random.next().toString(16);
    return `${sign}0x${hex.slice(0, 9)}.${hex.slice(9)}p${random.below(33_000) - 16_500}`;
  }
  const integer = digits(random, random.pick([1, 19, 20, 25, 200]));
  return `${sign}${integer}.${digits(random, 30)}e${power}`;
}

/** Halfway between two values of 64 bits, or a little beside it. */
function tie(random: Random): string {
  const high = (1n << 63n) | (BigInt(random.next()) << 31n) | BigInt(random.next() >>> 1);
  const half = ((high << 1n) | 1n) << 70n;
  const delta = random.pick([-1n, 0n, 0n, 0n, 1n]);
  return (half + delta).toString();
}

const FIXED: Pair[] = [
  ["3", "0.2"],
  ["10.50", "0.1"],
  ["5.0e3", "2.0e2"],
  ["1000.5", "0.1"],
  ["0", "0"],
  ["-0", "-0"],
  ["-0.0", "0"],
  ["1", "-1"],
  ["0", "-1e-18"],
  ["0", "5e-18"],
  ["0", "1.5e-17"],
  ["0", "2.5e-17"],
  ["0x10", "0x.8p1"],
  ["9223372036854775807", "1"],
  ["-9223372036854775808", "-1"],
  ["18446744073709551615", "0"],
  ["18446744073709551616", "1"],
  ["18446744073709551617", "0"],
  ["inf", "1"],
  ["inf", "-inf"],
  ["1", "infinity"],
  ["nan", "1"],
  ["1", "nan"],
  ["", "1"],
  ["1", ""],
  [" 1", "1"],
  ["1 ", "1"],
  ["1\0", "1"],
  ["abc", "1"],
  ["1e4932", "1"],
  ["1.18973149535723176502e4932", "1.18973149535723176502e4932"],
  ["1.18973149535723176502e4932", "-1.18973149535723176502e4932"],
  ["1.189731495357231765021e4932", "0"],
  ["1.1897314953572317651e4932", "0"],
  ["1.1897314953572317652e4932", "0"],
  ["1e4933", "1"],
  ["1e99999999999999999999", "1"],
  ["1e-99999999999999999999", "1"],
  ["0e99999999999999999999", "1"],
  ["3.6451995318824746025e-4951", "1"],
  ["1.9e-4951", "1"],
  ["1.8e-4951", "1"],
  ["1e-5000", "1"],
  ["0x1p-16445", "0"],
  ["0x1p-16446", "0"],
  ["0x1.8p-16446", "0"],
  ["0x1p16383", "0x1p16383"],
  ["0x1p16384", "0"],
  ["0x1.fffffffffffffffep16383", "0"],
  ["0x1.ffffffffffffffffp16383", "0"],
  ["0x", "1"],
  ["0x1p", "1"],
  ["1e", "1"],
  [".", "1"],
  [".5", "5."],
  ["0".repeat(5119), "1"],
  [`0.${"0".repeat(5000)}1e5001`, "1"],
  [`${"0".repeat(5000)}1e-3`, "1"],
  [`1${"0".repeat(5000)}e-5000`, "1"],
  [`1${"0".repeat(5000)}e-9951`, "1"],
  [`1${"0".repeat(5000)}e-9952`, "1"],
  ["0".repeat(5120), "1"],
  [`1${"0".repeat(4932)}`, "1"],
  [`0.${"0".repeat(4900)}1`, "1"],
];

describeWithPeers("INCRBYFLOAT's arithmetic, against Valkey", ["valkey-server"], () => {
  const getServer = useServer({ program: "valkey-server" });

  async function compare(pairs: readonly Pair[]): Promise<void> {
    const client = await getServer().connect();
    const differences: string[] = [];
    for (let first = 0; first < pairs.length; first += BATCH) {
      const batch = pairs.slice(first, first + BATCH);
      const commands = batch.flatMap(([value, increment]) => [
        ["SET", "k", Buffer.from(value, "latin1")],
        ["INCRBYFLOAT", "k", Buffer.from(increment, "latin1")],
      ]);
      const replies = await client.pipeline(commands);
      for (const [index, pair] of batch.entries()) {
        const { reply } = replies[index * 2 + 1];
        const theirs =
          reply.type === "bulk"
            ? Buffer.from(reply.bytes).toString("latin1")
            : reply.type === "error" && reply.text;
        const mine = ours(pair);
        if (mine !== theirs) differences.push(`${pair.join(" + ")}: ${mine}, theirs ${theirs}`);
      }
    }
    client.close();
    expect(differences).toEqual([]);
  }

  function compareRandom(count: number, generate: (random: Random) => string): Promise<void> {
    return withSeed(FILE, seed, (random) =>
      compare(Array.from({ length: count }, () => [generate(random), generate(random)] as const)),
    );
  }

  test("the corners of the grammar and of the range", () => compare(FIXED));
  test("ordinary numbers", () => compareRandom(5000, ordinary));
  test("numbers of any magnitude", () => compareRandom(1500, extreme));
  test("sums that round at a tie", () => compareRandom(1000, tie));
});
