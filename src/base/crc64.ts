// HOT PATH: rules in src/README.md
/**
 * CRC-64 in the variant of RDB files and DUMP payloads.
 *
 * Polynomial 0xad93d23594c935a9 (Jones), reflected, initial value 0, no final XOR; "123456789"
 * gives e9c6d914c4b8d9ca. The register is two unsigned 32-bit halves, since a bigint per byte would
 * be allocated. Eight bytes are taken per step (slicing-by-8, Kounavis and Berry): table k maps a
 * byte to its effect after k more zero bytes, so the eight lookups of a step are independent of
 * each other.
 *
 *   TABLE   8 slices of 256 entries, each two words: [low, high]; 16 KiB
 *
 * O(bytes). The checksum of a file is built up in pieces:
 *
 *   const checksum = new Crc64();
 *   checksum.update(chunk, 0, chunk.length);
 *   checksum.write(bytes, offset);  // eight bytes, little-endian, as RDB stores them
 */

const POLYNOMIAL_REFLECTED_HIGH = 0x95ac9329;
const POLYNOMIAL_REFLECTED_LOW = 0xac4bc9b5;

const SLICE_WORDS = 512;

const TABLE = buildTable();

function buildTable(): Int32Array {
  // Signed, since words above 2^31 would be doubles, and the loops below slow at times.
  const table = new Int32Array(8 * SLICE_WORDS);
  for (let byte = 0; byte < 256; byte++) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (carry) {
        low ^= POLYNOMIAL_REFLECTED_LOW;
        high ^= POLYNOMIAL_REFLECTED_HIGH;
      }
    }
    table[byte * 2] = low;
    table[byte * 2 + 1] = high;
  }
  for (let at = SLICE_WORDS; at < table.length; at += 2) {
    const low = table[at - SLICE_WORDS];
    const high = table[at - SLICE_WORDS + 1];
    const entry = (low & 0xff) * 2;
    table[at] = ((low >>> 8) | (high << 24)) ^ table[entry];
    table[at + 1] = (high >>> 8) ^ table[entry + 1];
  }
  return table;
}

export class Crc64 {
  #low = 0;
  #high = 0;

  /** Takes in bytes[start, end). */
  update(bytes: Uint8Array, start: number, end: number): void {
    const table = TABLE;
    let low = this.#low;
    let high = this.#high;
    let at = start;
    for (const last = end - 8; at <= last; at += 8) {
      const i0 = ((low ^ bytes[at]) & 0xff) * 2 + 7 * SLICE_WORDS;
      const i1 = (((low >>> 8) ^ bytes[at + 1]) & 0xff) * 2 + 6 * SLICE_WORDS;
      const i2 = (((low >>> 16) ^ bytes[at + 2]) & 0xff) * 2 + 5 * SLICE_WORDS;
      const i3 = ((low >>> 24) ^ bytes[at + 3]) * 2 + 4 * SLICE_WORDS;
      const i4 = ((high ^ bytes[at + 4]) & 0xff) * 2 + 3 * SLICE_WORDS;
      const i5 = (((high >>> 8) ^ bytes[at + 5]) & 0xff) * 2 + 2 * SLICE_WORDS;
      const i6 = (((high >>> 16) ^ bytes[at + 6]) & 0xff) * 2 + SLICE_WORDS;
      const i7 = ((high >>> 24) ^ bytes[at + 7]) * 2;
      low = table[i0] ^ table[i1] ^ table[i2] ^ table[i3];
      low ^= table[i4] ^ table[i5] ^ table[i6] ^ table[i7];
      high = table[i0 + 1] ^ table[i1 + 1] ^ table[i2 + 1] ^ table[i3 + 1];
      high ^= table[i4 + 1] ^ table[i5 + 1] ^ table[i6 + 1] ^ table[i7 + 1];
    }
    for (; at < end; at++) {
      const entry = ((low ^ bytes[at]) & 0xff) * 2;
      low = ((low >>> 8) | (high << 24)) ^ table[entry];
      high = (high >>> 8) ^ table[entry + 1];
    }
    this.#low = low;
    this.#high = high;
  }

  /** Starts over, as if nothing had been taken in. */
  reset(): void {
    this.#low = 0;
    this.#high = 0;
  }

  /** Writes the checksum of everything so far as eight bytes, least significant first. */
  write(bytes: Uint8Array, offset: number): void {
    for (let index = 0; index < 4; index++) {
      bytes[offset + index] = this.#low >>> (index * 8);
      bytes[offset + 4 + index] = this.#high >>> (index * 8);
    }
  }

  /** Whether the eight bytes at the offset are the checksum of everything so far. */
  matches(bytes: Uint8Array, offset: number): boolean {
    for (let index = 0; index < 4; index++) {
      if (bytes[offset + index] !== ((this.#low >>> (index * 8)) & 0xff)) return false;
      if (bytes[offset + 4 + index] !== ((this.#high >>> (index * 8)) & 0xff)) return false;
    }
    return true;
  }

  /** The checksum so far as a number; for logs and tests. */
  digest(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }
}
