/**
 * --lru-test: a cache's workload, of which 80 % goes to 20 % of the keys, and what of it hits.
 *
 * Keys follow a power law with the exponent that gives this share; half of the requests are writes.
 */
import type { Clock } from "../../base/clock.ts";
import type { Prng } from "../../base/prng.ts";
import { formatFixed } from "../numbers.ts";
import { print, printError } from "./console.ts";
import type { Session } from "./session.ts";

const CYCLE_US = 1e6;
const PIPELINE = 250;
const POWER = 6.2;
const VALUE_BYTES = 5;

export async function lruTestMode(session: Session, clock: Clock, prng: Prng): Promise<void> {
  await session.mustConnect();
  const keyCount = session.options.lruTestKeys;
  const key = (): string => `lru:${powerLaw(keyCount, prng.nextFloat())}`;
  const letter = (): string => String.fromCharCode(0x41 + Math.floor(prng.nextFloat() * 57));
  const value = (): string => Array.from({ length: VALUE_BYTES }, letter).join("");
  while (true) {
    const endUs = clock.monotonicUs() + CYCLE_US;
    let hits = 0;
    let misses = 0;
    while (clock.monotonicUs() < endUs) {
      await session.requestAll(Array.from({ length: PIPELINE }, () => ["SET", key(), value()]));
      const reads = Array.from({ length: PIPELINE }, () => ["GET", key()]);
      for (const reply of await session.requestAll(reads)) {
        if (reply.type === "error") printError(`${reply.text}\n`);
        else if (reply.type === "null") misses++;
        else hits++;
      }
    }
    const gets = hits + misses;
    const share = (part: number): string => formatFixed((100 * part) / gets, 2);
    print(
      `${gets} Gets/sec | Hits: ${hits} (${share(hits)}%) | Misses: ${misses} (${share(misses)}%)\n`,
    );
  }
}

/** A number from 1 to `max`, small ones more often. `chance` is uniform in [0, 1). */
function powerLaw(max: number, chance: number): number {
  const top = (max + 1) ** (POWER + 1);
  const drawn = ((top - 1) * chance + 1) ** (1 / (POWER + 1));
  return max - Math.trunc(drawn) + 1;
}
