/**
 * Payloads that were damaged at random: none makes the decoder throw or read elsewhere, whatever is
 * accepted is sound, and nothing is left behind in the arena.
 */
import { expect, test } from "bun:test";
import { latin1FromBytes } from "../../../src/base/ascii.ts";
import type { Database } from "../../../src/keyspace/database.ts";
import { ValueType } from "../../../src/keyspace/record.ts";
import { DumpPayloads } from "../../../src/persistence/dump-payload.ts";
import { dumpPayload, rdbString } from "../../support/rdb-payload.ts";
import { fuzzBudgetMs, seedOfRun, withSeed } from "../../support/seed.ts";
import { bytesOf, peek, testKeyspace } from "../../support/test-keyspace.ts";
import { olderPayloads, ownPayloads } from "../../support/value-payloads.ts";

const FILE = "test/unit/persistence/dump-payload.test.ts";
const FOOTER_BYTES = 10;

test("what is encoded is decoded to the same", () => {
  const { keyspace } = testKeyspace();
  const payloads = new DumpPayloads(keyspace);
  const all = [...ownPayloads(payloads, keyspace.databases[0]), ...olderPayloads()];
  for (const bytes of all) {
    expect(payloads.verify(bytes, 0, bytes.length)).toBeTrue();
    expect(payloads.decode(bytes, viewOf(bytes), 0, bytes.length)).toBeTrue();
    const first = encodeDecoded(payloads, keyspace.databases[1]);
    expect(payloads.decode(first, viewOf(first), 0, first.length)).toBeTrue();
    const second = encodeDecoded(payloads, keyspace.databases[1]);
    expect(sorted(second)).toBe(sorted(first));
  }
  keyspace.arena.verify();
});

test("a checksum that is wrong in any bit is refused", () => {
  const { keyspace } = testKeyspace();
  const payloads = new DumpPayloads(keyspace);
  const bytes = dumpPayload(0, rdbString("text"));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] ^= 1 << (bit & 7);
    expect(payloads.verify(damaged, 0, damaged.length)).toBeFalse();
  }
  for (let end = 0; end < bytes.length; end++) expect(payloads.verify(bytes, 0, end)).toBeFalse();
});

test("damaged payloads are refused or make a sound value", async () => {
  const deadline = Bun.nanoseconds() + fuzzBudgetMs(500) * 1e6;
  await withSeed(FILE, seedOfRun(), (random) => {
    const { keyspace } = testKeyspace();
    const [database, other] = keyspace.databases;
    const payloads = new DumpPayloads(keyspace);
    const corpus = [...ownPayloads(payloads, database), ...olderPayloads()];
    let accepted = 0;
    let refused = 0;
    while (Bun.nanoseconds() < deadline) {
      const bytes = corpus[random.below(corpus.length)].slice();
      const changes = 1 + random.below(4);
      for (let i = 0; i < changes; i++) {
        const at = random.below(Math.min(bytes.length - FOOTER_BYTES, 400));
        bytes[at] = random.below(3) === 0 ? random.below(256) : bytes[at] ^ (1 << random.below(8));
      }
      const end = random.below(4) === 0 ? FOOTER_BYTES + random.below(bytes.length) : bytes.length;
      const before = keyspace.arena.liveBytes;
      if (payloads.decode(bytes, viewOf(bytes), 0, Math.min(end, bytes.length))) {
        accepted++;
        const encoded = encodeDecoded(payloads, other);
        expect(payloads.decode(encoded, viewOf(encoded), 0, encoded.length)).toBeTrue();
        payloads.decoder.free();
      } else {
        refused++;
        expect(payloads.failure).not.toBe("");
      }
      expect(keyspace.arena.liveBytes).toBe(before);
    }
    keyspace.arena.verify();
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
  });
});

/** Stores what was decoded under a key, encodes it, and removes the key. */
function encodeDecoded(payloads: DumpPayloads, database: Database): Uint8Array {
  const { decoder } = payloads;
  const { text } = decoder;
  const key = bytesOf("k");
  peek(database, "k");
  const record =
    decoder.type === ValueType.STRING
      ? database.insertString(key, 0, 1, text.view, text.start, text.length, 0)
      : database.insertRoot(key, 0, 1, decoder.type, decoder.encoding, decoder.root);
  payloads.encode(record);
  const encoded = payloads.writer.bytes.slice(0, payloads.writer.length);
  database.removeFound(peek(database, "k"));
  return encoded;
}

/** The bytes of a payload, ordered: tables are walked in any order. */
function sorted(bytes: Uint8Array): string {
  const value = bytes.slice(0, -FOOTER_BYTES).sort();
  return latin1FromBytes(value, 0, value.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
