/**
 * --latency, --latency-history, --latency-dist and --intrinsic-latency: how long the smallest
 * request takes, and how long the system lets a process wait that asks for nothing.
 */
import type { Clock } from "../../base/clock.ts";
import { formatFixed } from "../numbers.ts";
import { CliExit, print } from "./console.ts";
import type { OutputMode } from "./format.ts";
import type { Session } from "./session.ts";

const SAMPLE_INTERVAL_MS = 10;
const HISTORY_INTERVAL_MS = 15_000;
const DEFAULT_INTERVAL_MS = 1000;
const LINES_BETWEEN_LEGENDS = 20;

const COLOURS = [
  0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 144, 143, 142, 184, 226, 214, 208, 202, 196,
];
const GREYS = [0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 249, 251, 253];

/** The spectrum's letters, and up to how many microseconds each stands for. */
const BUCKETS: readonly (readonly [letter: string, maxUs: number])[] = [
  [".", 10],
  ["-", 125],
  ["*", 250],
  ["#", 500],
  ...Array.from({ length: 9 }, (_, i) => [String(i + 1), (i + 1) * 1000] as const),
  ...Array.from("ABCDE", (letter, i) => [letter, (i + 1) * 10_000] as const),
  ...Array.from("FGHIJ", (letter, i) => [letter, (i + 1) * 100_000] as const),
  ...Array.from("KLMNO", (letter, i) => [letter, 2 ** i * 1e6] as const),
  ["P", 30e6],
  ["Q", 60e6],
  ["?", Infinity],
];

export async function latencyMode(session: Session, clock: Clock): Promise<void> {
  await session.mustConnect();
  const { options, style } = session;
  const intervalMs = options.intervalMs || DEFAULT_INTERVAL_MS;
  const historyMs = options.intervalMs || HISTORY_INTERVAL_MS;
  const isShown = style.mode === "standard";
  let sinceMs = clock.monotonicUs() / 1000;
  let [min, max, total, count] = [0, 0, 0, 0];
  while (true) {
    const latency = Math.trunc((await ping(session, clock)) / 1000);
    min = count === 0 ? latency : Math.min(min, latency);
    max = Math.max(max, latency);
    total += latency;
    count++;
    const text = latencyText(style.mode, min, max, total / count, count);
    const elapsedMs = clock.monotonicUs() / 1000 - sinceMs;
    if (isShown) {
      print(`\x1b[0G\x1b[2K${text}`);
    } else if (options.hasLatencyHistory) {
      print(text);
    } else if (elapsedMs > intervalMs) {
      print(text);
      throw new CliExit(0);
    }
    if (options.hasLatencyHistory && elapsedMs > historyMs) {
      print(` -- ${formatFixed(elapsedMs / 1000, 2)} seconds range\n`);
      sinceMs = clock.monotonicUs() / 1000;
      [min, max, total, count] = [0, 0, 0, 0];
    }
    await Bun.sleep(SAMPLE_INTERVAL_MS);
  }
}

export async function latencyDistributionMode(session: Session, clock: Clock): Promise<void> {
  await session.mustConnect();
  const { options } = session;
  const intervalMs = options.intervalMs || DEFAULT_INTERVAL_MS;
  const palette = options.isMonochrome ? GREYS : COLOURS;
  let sinceUs = clock.monotonicUs();
  let counts = BUCKETS.map(() => 0);
  let total = 0;
  for (let line = 0; ;) {
    const latencyUs = await ping(session, clock);
    counts[BUCKETS.findIndex(([, maxUs]) => latencyUs <= maxUs)]++;
    total++;
    if ((clock.monotonicUs() - sinceUs) / 1000 > intervalMs) {
      if (line++ % LINES_BETWEEN_LEGENDS === 0) print(legend(palette));
      print(spectrum(counts, total, palette));
      sinceUs = clock.monotonicUs();
      counts = BUCKETS.map(() => 0);
      total = 0;
    }
    await Bun.sleep(SAMPLE_INTERVAL_MS);
  }
}

/** Runs without a server: the longest pauses of a computation that makes no system call. */
export function intrinsicLatencyMode(seconds: number, clock: Clock): never {
  const runUs = seconds * 1e6;
  const endUs = clock.monotonicUs() + runUs;
  let worst = 0;
  for (let runs = 1; ; runs++) {
    const startUs = clock.monotonicUs();
    shuffleBytes();
    const stopUs = clock.monotonicUs();
    const latency = Math.trunc(stopUs - startUs);
    if (latency > worst) {
      worst = latency;
      print(`Max latency so far: ${worst} microseconds.\n`);
    }
    if (stopUs < endUs) continue;
    const average = runUs / runs;
    print(
      `\n${runs} total runs (avg latency: ${formatFixed(average, 4)} microseconds / ` +
        `${formatFixed(average * 1000, 2)} nanoseconds per run).\n` +
        `Worst run took ${formatFixed(worst / average, 0)}x longer than the average latency.\n`,
    );
    throw new CliExit(0);
  }
}

/** Microseconds that a PING takes. */
async function ping(session: Session, clock: Clock): Promise<number> {
  const startUs = clock.monotonicUs();
  await session.requestReconnecting("PING");
  return clock.monotonicUs() - startUs;
}

function latencyText(
  mode: OutputMode,
  min: number,
  max: number,
  average: number,
  count: number,
): string {
  const avg = formatFixed(average, 2);
  switch (mode) {
    case "standard":
      return `min: ${min}, max: ${max}, avg: ${avg} (${count} samples)`;
    case "csv":
      return `${min},${max},${avg},${count}\n`;
    case "raw":
      return `${min} ${max} ${avg} ${count}\n`;
    default:
      return `{"min": ${min}, "max": ${max}, "avg": ${avg}, "count": ${count}}\n`;
  }
}

function spectrum(counts: readonly number[], total: number, palette: readonly number[]): string {
  const cells = BUCKETS.map(([letter], index) => {
    const shade = Math.ceil((counts[index] / total) * (palette.length - 1));
    return `\x1b[48;5;${palette[shade]}m${letter}`;
  });
  return `\x1b[38;5;0m${cells.join("")}\x1b[0m\n`;
}

function legend(palette: readonly number[]): string {
  const rule = "---------------------------------------------\n";
  const shades = palette.map((colour) => `\x1b[48;5;${colour}m `).join("");
  return (
    rule +
    ". - * #          .01 .125 .25 .5 milliseconds\n" +
    "1,2,3,...,9      from 1 to 9     milliseconds\n" +
    "A,B,C,D,E        10,20,30,40,50  milliseconds\n" +
    "F,G,H,I,J        .1,.2,.3,.4,.5       seconds\n" +
    "K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds\n" +
    `From 0 to 100%: ${shades}\x1b[0m\n${rule}`
  );
}

/** Some microseconds of work that nothing can wait for. */
function shuffleBytes(): number {
  const bytes = new Uint8Array(256);
  for (let k = 0; k < 256; k++) bytes[k] = k;
  let sum = 0;
  for (let step = 0, i = 0, j = 0; step < 1000; step++) {
    i = (i + 1) & 255;
    j = (j + bytes[i]) & 255;
    const swapped = bytes[i];
    bytes[i] = bytes[j];
    bytes[j] = swapped;
    sum += bytes[(bytes[i] + bytes[j]) & 255];
  }
  return sum;
}
