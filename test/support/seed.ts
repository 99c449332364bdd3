/**
 * Randomness of tests: one seed per run, from SEED when given, and a generator that repeats
 * itself exactly. A failing random test prints the line that replays it.
 */

/** Seed of this run: SEED (a number, or any text such as a commit hash), else a fresh one. */
export function seedOfRun(): number {
  const given = process.env.SEED;
  if (given === undefined || given === "") {
    return crypto.getRandomValues(new Uint32Array(1))[0];
  }
  if (/^[0-9]{1,10}$/.test(given)) return Number(given) >>> 0;
  return Bun.hash.crc32(given) >>> 0;
}

/** Milliseconds a random test may take: FUZZ_MS when given, else the test's own small default. */
export function fuzzBudgetMs(defaultMs: number): number {
  const given = Number(process.env.FUZZ_MS);
  return Number.isFinite(given) && given > 0 ? given : defaultMs;
}

/** Runs `body`; an error it throws is given the replay line of `file`, a path from the root. */
export async function withSeed(
  file: string,
  seed: number,
  body: (random: Random) => Promise<void> | void,
): Promise<void> {
  try {
    await body(new Random(seed));
  } catch (error) {
    const replay = `replay: SEED=${seed} bun test ${file}`;
    console.error(replay);
    if (error instanceof Error) error.message += `\n${replay}`;
    throw error;
  }
}

/** Small seeded generator (splitmix32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** An unsigned 32-bit integer. */
  next(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  /** True once in `count` times on average. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.next() & 0xff;
    return bytes;
  }
}
