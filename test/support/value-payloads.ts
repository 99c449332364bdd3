/** DUMP payloads of values of all types, in all encodings: what tests of readers begin with. */
import type { Database } from "../../src/keyspace/database.ts";
import { ValueType } from "../../src/keyspace/record.ts";
import type { DumpPayloads } from "../../src/persistence/dump-payload.ts";
import { SetEncoding } from "../../src/types/set.ts";
import { dumpPayload, rdbString, ziplist, zipmap } from "./rdb-payload.ts";
import { bytesOf, peek, put } from "./test-keyspace.ts";

/** Payloads of values of all types and encodings, as this server writes them. */
export function ownPayloads(
  payloads: DumpPayloads,
  database: Database,
  counts: readonly number[] = [1, 6, 600],
): Uint8Array[] {
  const { lists, sets, hashes, zsets, streams } = database.keyspace;
  const texts = ["a", "1", "-70000", "9223372036854775807", "x".repeat(100), ""];
  const encoded: Uint8Array[] = [];
  const dump = (record: number) => {
    payloads.encode(record);
    encoded.push(payloads.writer.bytes.slice(0, payloads.writer.length));
  };
  const insert = (type: ValueType, value: { encoding: number; root: number }) => {
    const key = `key${encoded.length}`;
    peek(database, key);
    const keyView = bytesOf(key);
    dump(database.insertRoot(keyView, 0, key.length, type, value.encoding, value.root));
  };
  for (const text of [...texts, "abc".repeat(100)]) dump(put(database, "string", text));
  for (const count of counts) {
    lists.createQuicklist();
    for (let i = 0; i < count; i++) {
      lists.push(false, bytesOf(`${texts[i % 6]}${i}`), 0, texts[i % 6].length + `${i}`.length);
    }
    lists.settle();
    insert(ValueType.LIST, lists);
    sets.create(SetEncoding.INTSET);
    for (let i = 0; i < count; i++) sets.add(bytesOf(`${i * i}`), 0, `${i * i}`.length);
    insert(ValueType.SET, sets);
    sets.create(SetEncoding.INTSET);
    hashes.create();
    zsets.create(count, 0);
    for (let i = 0; i < count; i++) {
      const text = bytesOf(`m${i}`);
      sets.add(text, 0, text.byteLength);
      hashes.set(text, 0, text.byteLength, bytesOf(texts[i % 6]), 0, texts[i % 6].length);
      zsets.add(text, 0, text.byteLength, i / 4);
    }
    insert(ValueType.SET, sets);
    hashes.convertFor(count, 0, 0);
    insert(ValueType.HASH, hashes);
    insert(ValueType.ZSET, zsets);
  }
  const root = streams.create();
  insert(ValueType.STREAM, { encoding: 0, root });
  return encoded;
}

/** A stream of three nodes with a group, from a server: DUMP of a stream made by XADD. */
const STREAM = Buffer.from(
  "150310000000000000000100000000000000012d2d0000001200010101010201816102816202000102010001" +
    "0001010102010501030100010101030104010501ff100000000000000005000000000000000033330000000f" +
    "00020100010101856f7468657206000102010001000184746578740504010201010100018574657874320604" +
    "01ff10000000000000000700000000000000001f1f0000000a000101000101018166020001020100010001f2" +
    "40e201040401ff0407000101010205010167060081ffffffffffffffff030000000000000001000000000000" +
    "0001421c7304a20100000100000000000000050000000000000000421c7304a2010000010000000000000006" +
    "0000000000000000461c7304a2010000010205616c696365421c7304a2010000421c7304a201000002000000" +
    "000000000100000000000000010000000000000005000000000000000003626f62461c7304a2010000461c73" +
    "04a201000001000000000000000600000000000000000b00ac8de9c00305555b",
  "hex",
);

/** The same values in encodings that servers do not write any more. */
export function olderPayloads(): Uint8Array[] {
  const entries = ["a", 1, "b", -70000, "c".repeat(70), 9223372036854775807n];
  return [
    dumpPayload(10, rdbString(ziplist(entries))),
    dumpPayload(13, rdbString(ziplist(entries))),
    dumpPayload(12, rdbString(ziplist(["a", -5, "b", "1.5", "c", 3]))),
    dumpPayload(14, [2], rdbString(ziplist(entries)), rdbString(ziplist([1, 2]))),
    dumpPayload(9, rdbString(zipmap(["a", "1", "b", "x".repeat(300)], 2))),
    dumpPayload(1, [2], rdbString("a"), rdbString("b")),
    dumpPayload(3, [2], rdbString("a"), [1, 0x31], rdbString("b"), [254]),
    Uint8Array.from(STREAM),
  ];
}
