/**
 * What Valkey accepts as a double and how it prints one: a score goes in through ZADD and comes out
 * through ZSCORE, on their side and through our codecs, and must come out as the same bytes.
 */
import { expect, test } from "bun:test";
import { DOUBLE_BYTES_MAX, parseDouble, writeDouble } from "../../src/base/double.ts";
import { describeWithPeers } from "../support/peers.ts";
import { seedOfRun, type Random, withSeed } from "../support/seed.ts";
import { useServer } from "../support/server-process.ts";

const FILE = "test/differential/double.test.ts";
const seed = seedOfRun();
const BATCH = 200;
const scratch = new Uint8Array(DOUBLE_BYTES_MAX + 8);

function ours(text: string): string | null {
  const bytes = Buffer.from(text, "latin1");
  const value = parseDouble(bytes, 0, bytes.length);
  if (Number.isNaN(value)) return null;
  const end = writeDouble(scratch, 3, value);
  return Buffer.from(scratch.subarray(3, end)).toString("latin1");
}

function digits(random: Random, countMax: number): string {
  let text = "";
  for (let count = random.below(countMax + 1); count > 0; count--) text += random.below(10);
  return text;
}

/** A double of random bits, so of every magnitude, as text that reads back to it. */
function anyDouble(random: Random): string {
  const bits = new Uint32Array([random.next(), random.next()]);
  const value = new Float64Array(bits.buffer)[0];
  return Number.isFinite(value) ? String(value) : "1";
}

/** A score as people have them: two decimals, a sum of such, or a fraction of 53 bits. */
function ordinaryScore(random: Random): string {
  const cents = random.below(10_000_000) / 100;
  if (random.oneIn(3)) return String(cents);
  if (random.oneIn(2)) return String(cents + random.below(1000) / 10);
  return String((random.next() * 0x200000 + (random.next() >>> 11)) / 2 ** 53);
}

/** A text that looks like a number and may be none. */
function nearNumber(random: Random): string {
  const sign = random.pick(["", "", "", "-", "+", "--", " "]);
  const kind = random.below(10);
  if (kind === 0) return sign + random.pick(["inf", "INF", "Infinity", "infinit", "nan", "infi"]);
  if (kind === 1) {
    const hex = () => random.next().toString(16).slice(0, random.below(9));
    const prefix = random.pick(["0x", "0X", "00x"]);
    const power = random.pick(["", "", "p3", "P-5", "p", "p+70", "p-1080", "p-1140", "p1000"]);
    return `${sign}${prefix}${hex()}${random.pick(["", "."])}${hex()}${power}`;
  }
  const point = random.pick(["", ".", ".", "."]);
  const power = () => random.pick(["e", "E-", "e+"]) + digits(random, 3);
  const exponent = random.pick(["", "", "", power(), power(), "e"]);
  const junk = random.pick(["", "", "", "", "", "", "x", " ", "\0", "f"]);
  const length = () => random.pick([0, 1, 3, 20]);
  return sign + digits(random, length()) + point + digits(random, length()) + exponent + junk;
}

const FIXED = [
  "",
  " ",
  ".",
  "-",
  "+",
  "e5",
  "0",
  "-0",
  "+0",
  "-0.0",
  "0x",
  "0x.",
  "0x.8",
  "0x1.",
  "0x1p",
  "5.",
  ".5",
  "1e400",
  "-1e400",
  "1e-400",
  "0e-400",
  "0e99999999999999999999",
  "1e-99999999999999999999",
  "5e-324",
  "3e-324",
  "2e-324",
  "2.4703282292062327e-324",
  "2.4703282292062328e-324",
  "1.7976931348623157e308",
  "1.7976931348623158e308",
  "1.7976931348623159e308",
  "2e308",
  "4611686018427387904",
  "4611686018427387905",
  "4611686018427388928",
  "9223372036854775807",
  "-4611686018427387904",
  "9007199254740993",
  "18014398509481985",
  "1e18",
  "1e19",
  "123456789e15",
  "0.1",
  "0.3",
  "1e21",
  "1e22",
  "1e23",
  "0.000001",
  "0.0000001",
  "1e-7",
  "123456.7890123456789",
  "3.14159265358979",
  "12345.678901234",
  "9.5e-7",
  "0x1p-1074",
  "0x1p-1075",
  "0x1.8p-1075",
  "0x1p1023",
  "0x1.fffffffffffff8p1023",
  "0x1.fffffffffffff7p1023",
  "0x1p1024",
  "0x0p99999",
  "2.2250738585072014e-308",
  "2.2250738585072011e-308",
  "-2.2250738585072014e-308",
  "\t1",
  "1\n",
  "infinity",
  "-infinity",
  "+inf",
  "iNf",
  "inf ",
  "infx",
  "nan",
  "-nan",
  "nan(1)",
  "1_0",
  "1,5",
];

describeWithPeers("doubles, against Valkey", ["valkey-server"], () => {
  // A listpack keeps integral scores as integers and so loses the sign of zero; a skip list does
  // not.
  const getServer = useServer({
    program: "valkey-server",
    directives: { "zset-max-listpack-entries": "0" },
  });

  async function compare(texts: readonly string[]): Promise<void> {
    const client = await getServer().connect();
    const differences: string[] = [];
    for (let first = 0; first < texts.length; first += BATCH) {
      const batch = texts.slice(first, first + BATCH);
      const commands = batch.flatMap((text) => [
        ["DEL", "z"],
        ["ZADD", "z", Buffer.from(text, "latin1"), "m"],
        ["ZSCORE", "z", "m"],
      ]);
      const replies = await client.pipeline(commands);
      for (let index = 0; index < batch.length; index++) {
        const { reply } = replies[index * 3 + 2];
        const theirs = reply.type === "bulk" ? Buffer.from(reply.bytes).toString("latin1") : null;
        const mine = ours(batch[index]);
        const text = JSON.stringify(batch[index]);
        if (mine !== theirs) differences.push(`${text}: ours ${mine}, theirs ${theirs}`);
      }
    }
    client.close();
    expect(differences).toEqual([]);
  }

  function compareRandom(count: number, generate: (random: Random) => string): Promise<void> {
    return withSeed(FILE, seed, (random) =>
      compare(Array.from({ length: count }, () => generate(random))),
    );
  }

  test("the corners of the grammar and of the range", () => compare(FIXED));
  test("random numbers and near-numbers", () => compareRandom(5000, nearNumber));
  test("doubles of random bits", () => compareRandom(5000, anyDouble));
  test("ordinary scores", () => compareRandom(5000, ordinaryScore));

  test("powers of two and their neighbours, where the interval is lopsided", async () => {
    const texts: string[] = [];
    const value = new Float64Array(1);
    const bits = new BigUint64Array(value.buffer);
    for (let exponent = -1074; exponent <= 1023; exponent++) {
      value[0] = 2 ** exponent;
      const middle = bits[0];
      for (const delta of [-1n, 0n, 1n]) {
        bits[0] = middle + delta;
        texts.push(String(value[0]));
      }
    }
    await compare(texts);
  });
});
