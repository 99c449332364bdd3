/** Builds DUMP payloads by hand, in encodings that no server writes any more, too. */
import { Crc64 } from "../../src/base/crc64.ts";
import { ListpackBuilder } from "../../src/persistence/listpack-builder.ts";

export type Part = Uint8Array | readonly number[] | string;

/** A payload of a type: its value's parts, the RDB version, the checksum. */
export function dumpPayload(type: number, ...parts: readonly Part[]): Uint8Array {
  const bytes = concat([type], ...parts, [9, 0], new Uint8Array(8));
  const checksum = new Crc64();
  checksum.update(bytes, 0, bytes.length - 8);
  checksum.write(bytes, bytes.length - 8);
  return bytes;
}

/** A length of an RDB file. */
export function rdbLength(length: number): Uint8Array {
  if (length < 64) return Uint8Array.of(length);
  if (length < 16384) return Uint8Array.of(0x40 | (length >> 8), length & 0xff);
  return concat(
    [0x80],
    [24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff),
  );
}

/** A string of an RDB file, neither an integer nor compressed. */
export function rdbString(part: Part): Uint8Array {
  const bytes = concat(part);
  return concat(rdbLength(bytes.length), bytes);
}

/** A ziplist of texts and integers. */
export function ziplist(entries: readonly (string | number | bigint)[]): Uint8Array {
  let previousBytes = 0;
  let tail = 10;
  let body = new Uint8Array(0);
  for (const entry of entries) {
    tail = 10 + body.length;
    const previous =
      previousBytes < 254 ? [previousBytes] : [254, ...littleEndian(BigInt(previousBytes), 4)];
    const encoded = concat(previous, ziplistEntry(entry));
    previousBytes = encoded.length;
    body = concat(body, encoded);
  }
  const bytes = littleEndian(BigInt(body.length + 11), 4);
  const count = littleEndian(BigInt(Math.min(entries.length, 65535)), 2);
  return concat(bytes, littleEndian(BigInt(tail), 4), count, body, [0xff]);
}

function ziplistEntry(entry: string | number | bigint): Uint8Array {
  if (typeof entry === "string") {
    const { length } = entry;
    if (length < 64) return concat([length], entry);
    if (length < 16384) return concat([0x40 | (length >> 8), length & 0xff], entry);
    return concat(
      [0x80],
      [24, 16, 8, 0].map((shift) => (length >>> shift) & 0xff),
      entry,
    );
  }
  const value = BigInt(entry);
  if (value >= 0n && value <= 12n) return Uint8Array.of(0xf1 + Number(value));
  for (const [encoding, bytes] of [
    [0xfe, 1],
    [0xc0, 2],
    [0xf0, 3],
    [0xd0, 4],
  ]) {
    if (BigInt.asIntN(bytes * 8, value) === value) {
      return concat([encoding], littleEndian(value, bytes));
    }
  }
  return concat([0xe0], littleEndian(value, 8));
}

/** A listpack of texts and safe integers. */
export function listpack(entries: readonly (string | number)[]): Uint8Array {
  const builder = new ListpackBuilder();
  for (const entry of entries) {
    if (typeof entry === "number") builder.integer(entry);
    else builder.text(new DataView(Uint8Array.from(concat(entry)).buffer), 0, entry.length);
  }
  return builder.bytes.slice(0, builder.finish());
}

/** A zipmap of fields and values, in turn, with `spare` unused bytes behind each value. */
export function zipmap(texts: readonly string[], spare = 0): Uint8Array {
  const parts = texts.flatMap((text, i): Part[] => {
    const length =
      text.length < 254 ? [text.length] : [254, ...littleEndian(BigInt(text.length), 4)];
    return i % 2 === 0 ? [length, text] : [length, [spare], text, new Uint8Array(spare)];
  });
  return concat([Math.min(texts.length / 2, 254)], ...parts, [0xff]);
}

/** One byte per character of texts. */
export function concat(...parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) =>
        typeof part === "string" ? Buffer.from(part, "latin1") : Uint8Array.from(part),
      ),
    ),
  );
}

function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
