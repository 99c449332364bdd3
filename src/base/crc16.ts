// HOT PATH: rules in src/README.md
/**
 * CRC-16/XMODEM and the cluster's slot of a key.
 *
 * Polynomial 0x1021, initial value 0, most significant bit first, no final XOR; "123456789" gives
 * 0x31c3. A slot is the low 14 bits. If the key contains a hash tag, the text between the first '{'
 * and the first '}' after it, and the tag is not empty, only the tag is hashed, so that keys that
 * share it live on one node. O(bytes), one table of 512 bytes.
 */

export const SLOT_COUNT = 16384;

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const TABLE = buildTable();

function buildTable(): Uint16Array {
  const table = new Uint16Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    table[byte] = crc;
  }
  return table;
}

export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >>> 8) ^ bytes[at]];
  }
  return crc;
}

/** The cluster slot of the key in bytes[start, end). */
export function keyHashSlot(bytes: Uint8Array, start: number, end: number): number {
  let open = start;
  while (open < end && bytes[open] !== OPEN_BRACE) open++;
  if (open < end) {
    let close = open + 1;
    while (close < end && bytes[close] !== CLOSE_BRACE) close++;
    if (close < end && close > open + 1) {
      return crc16(bytes, open + 1, close) & (SLOT_COUNT - 1);
    }
  }
  return crc16(bytes, start, end) & (SLOT_COUNT - 1);
}
