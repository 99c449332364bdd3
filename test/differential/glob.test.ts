/**
 * Glob patterns against Valkey: random patterns over random keys, through KEYS there and through
 * globMatch here.
 */
import { expect, test } from "bun:test";
import { globMatch } from "../../src/base/glob.ts";
import { describeWithPeers } from "../support/peers.ts";
import { type Random, seedOfRun, withSeed } from "../support/seed.ts";
import { useServer } from "../support/server-process.ts";

const FILE = "test/differential/glob.test.ts";
const seed = seedOfRun();
const KEY_COUNT = 300;
const PATTERN_COUNT = 3000;
const BATCH = 100;

function randomBytes(random: Random, alphabet: string, lengthMax: number): Buffer {
  let text = "";
  for (let count = 1 + random.below(lengthMax); count > 0; count--) {
    text += alphabet[random.below(alphabet.length)];
  }
  return Buffer.from(text, "latin1");
}

describeWithPeers("glob patterns, against Valkey", ["valkey-server"], () => {
  const getServer = useServer({ program: "valkey-server" });

  test("random patterns find the same keys", () =>
    withSeed(FILE, seed, async (random) => {
      const client = await getServer().connect();
      const keys = new Map<string, Buffer>();
      for (let count = 0; count < KEY_COUNT; count++) {
        const key = randomBytes(random, "aabbcB-]^\\*\x7f\x80\xff", 5);
        keys.set(key.toString("latin1"), key);
      }
      await client.pipeline([...keys.values()].map((key) => ["SET", key, ""]));

      let matchCount = 0;
      for (let first = 0; first < PATTERN_COUNT; first += BATCH) {
        const patterns = Array.from({ length: BATCH }, () =>
          randomBytes(random, "abc**??[[]]^-\\\x7f\x80\xff", 9),
        );
        const replies = await client.pipeline(patterns.map((pattern) => ["KEYS", pattern]));
        for (const [index, pattern] of patterns.entries()) {
          const { reply } = replies[index];
          if (reply.type !== "array") throw new Error(`KEYS answered ${reply.type}`);
          const theirs = reply.items.map((item) =>
            item.type === "bulk" ? Buffer.from(item.bytes).toString("latin1") : "",
          );
          const ours = [...keys].filter(([, key]) =>
            globMatch(pattern, 0, pattern.length, key, 0, key.length, false),
          );
          matchCount += ours.length;
          expect({ pattern, keys: ours.map(([name]) => name).sort() }).toEqual({
            pattern,
            keys: theirs.sort(),
          });
        }
      }
      expect(matchCount).toBeGreaterThan(PATTERN_COUNT);
      client.close();
    }));
});
