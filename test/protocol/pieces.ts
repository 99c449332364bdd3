/**
 * Delivery of bytes in pieces. TCP may join what is written separately, so each piece is followed
 * by a PING on a second connection: once that is answered, the server has been through its event
 * loop after the piece arrived, and has read it. No delay is involved.
 */
import { concatBytes, encodeCommand, type RespClient } from "../support/resp-client.ts";
import type { Random } from "../support/seed.ts";

const MARKER = new TextEncoder().encode("$25\r\n<end of the test's input>\r\n");
const MARKER_COMMAND = encodeCommand(["ECHO", "<end of the test's input>"]);

/** Cuts `bytes` at the offsets, which are in increasing order. */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (const offset of [...offsets, bytes.length]) {
    if (offset > start) pieces.push(bytes.subarray(start, offset));
    start = Math.max(start, offset);
  }
  return pieces;
}

export function everyByte(bytes: Uint8Array): Uint8Array[] {
  return cutAt(
    bytes,
    Array.from(bytes, (_, i) => i),
  );
}

export function randomCuts(bytes: Uint8Array, random: Random): Uint8Array[] {
  const offsets = Array.from({ length: 1 + random.below(6) }, () => random.below(bytes.length + 1));
  return cutAt(
    bytes,
    offsets.sort((a, b) => a - b),
  );
}

/**
 * Sends the pieces one by one and returns everything the server answered, and whether it closed
 * the connection. `barrier` is another connection to the same server. A server that is expected
 * to close is not sent anything more: bytes it never reads would make its last reply get lost.
 */
export async function exchangePieces(
  client: RespClient,
  barrier: RespClient,
  pieces: readonly Uint8Array[],
  expectClose: boolean,
): Promise<{ bytes: Uint8Array; closed: boolean }> {
  for (const piece of pieces) {
    if (client.isClosed) break;
    client.sendRaw(piece);
    if (pieces.length > 1) await barrier.command("PING");
  }
  if (expectClose) return { bytes: await client.readUntilClosed(), closed: true };
  client.sendRaw(MARKER_COMMAND);
  return client.readUntil(MARKER);
}

export function bytesOf(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const encoder = new TextEncoder();
  return concatBytes(parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part)));
}
