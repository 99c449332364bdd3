/**
 * Random numbers, injected.
 *
 * The engine draws every random decision (SRANDMEMBER, eviction samples, skip levels, run IDs) from
 * one Prng that its owner passes in, so that a test can replay a whole run from a seed. The
 * generator is xoshiro128** by Blackman and Vigna: 128 bits of state, period 2^128 - 1, four shifts
 * and three multiplications of 32 bits, which JavaScript's integer operations do without bigint. It
 * is not for secrets: keys and passwords come from the system directly.
 */

export interface Prng {
  /** A uniform integer in [0, 2^32). */
  nextUint32(): number;
  /** A uniform multiple of 2^-53 in [0, 1). */
  nextFloat(): number;
  /** A uniform integer in [0, count). Requires: 1 <= count <= 2^53. */
  nextBelow(count: number): number;
}

class Xoshiro128 implements Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Requires: not all four words are zero, which is the generator's fixed point. */
  constructor(a: number, b: number, c: number, d: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
  }

  nextUint32(): number {
    const b = this.#b;
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    return result >>> 0;
  }

  nextFloat(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  nextBelow(count: number): number {
    // The largest float is 1 - 2^-53, and its product with any count up to 2^53 rounds below count.
    return Math.floor(this.nextFloat() * count);
  }
}

/** The sequence of a seed, the same on every machine. Any integer will do, zero too. */
export function seededPrng(seed: number): Prng {
  // One round of splitmix32 per word spreads neighbouring seeds apart and never yields four zeros.
  let state = seed | 0;
  const words = [0, 0, 0, 0].map(() => {
    state = (state + 0x9e3779b9) | 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return word ^ (word >>> 16);
  });
  return new Xoshiro128(words[0], words[1], words[2], words[3]);
}

/** A generator that starts from the operating system's randomness. */
export function systemPrng(): Prng {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return new Xoshiro128(words[0] | 1, words[1], words[2], words[3]);
}

/** Fills the whole array with random bytes. */
export function fillRandom(prng: Prng, bytes: Uint8Array): void {
  let word = 0;
  for (let at = 0; at < bytes.length; at++) {
    if ((at & 3) === 0) word = prng.nextUint32();
    bytes[at] = word;
    word >>>= 8;
  }
}

/**
 * Random lower-case hexadecimal digits: 40 of them name a run, a replication history or a cluster
 * node.
 */
export function randomHex(prng: Prng, length: number): string {
  let text = "";
  while (text.length < length) text += prng.nextUint32().toString(16).padStart(8, "0");
  return text.slice(0, length);
}
