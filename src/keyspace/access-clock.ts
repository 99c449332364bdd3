// HOT PATH: rules in src/README.md
/**
 * LFU access clocks: 24 bits in a record's meta word.
 *
 *     bits 8..23  minutes (unix time, low 16 bits) of the last decay
 *     bits 0..7   logarithmic access counter
 *
 * The counter grows with probability 1 / ((counter - LFU_INITIAL) * factor + 1) per access, so 255
 * stands for about a million accesses at factor 10, and loses one per `decayMinutes`.
 * Source: Redis's documentation, "Key eviction: the LFU mode". All functions are O(1).
 */
import type { Prng } from "../base/prng.ts";

export interface LfuSettings {
  /** lfu-log-factor. */
  logFactor: number;
  /** lfu-decay-time: minutes per decrement; 0 = never. */
  decayMinutes: number;
}

/** What a new key starts with, so that it is not evicted at once. */
export const LFU_INITIAL = 5;

function minutesOf(nowMs: number): number {
  return Math.floor(nowMs / 60000) & 0xffff;
}

/** The counter after the decay that is due, without storing it. */
export function lfuCounter(clock: number, nowMs: number, settings: LfuSettings): number {
  const counter = clock & 0xff;
  if (settings.decayMinutes === 0) return counter;
  const elapsed = (minutesOf(nowMs) - (clock >>> 8)) & 0xffff;
  return Math.max(0, counter - Math.floor(elapsed / settings.decayMinutes));
}

export function freshLfuClock(nowMs: number): number {
  return lfuClock(nowMs, LFU_INITIAL);
}

/** The clock of a key whose counter, 0..255, was right just now. */
export function lfuClock(nowMs: number, counter: number): number {
  return (minutesOf(nowMs) << 8) | counter;
}

/** The clock after an access. */
export function touchedLfuClock(
  clock: number,
  nowMs: number,
  settings: LfuSettings,
  prng: Prng,
): number {
  const counter = lfuCounter(clock, nowMs, settings);
  const base = Math.max(0, counter - LFU_INITIAL);
  const grows = counter < 255 && prng.nextFloat() < 1 / (base * settings.logFactor + 1);
  return (minutesOf(nowMs) << 8) | (grows ? counter + 1 : counter);
}
