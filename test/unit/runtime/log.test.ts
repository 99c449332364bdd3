import { describe, expect, test } from "bun:test";
import { ManualClock } from "../../../src/base/clock.ts";
import { Log, LogLevel } from "../../../src/runtime/log.ts";

const TWO_HOURS_MS = 2 * 3600 * 1000;

/** A log, and the lines that reached its sink. */
function newLog(unixMs: number): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const log = new Log(
    4711,
    new ManualClock(unixMs),
    () => TWO_HOURS_MS,
    (line) => void lines.push(line),
  );
  return { log, lines };
}

describe("the log", () => {
  test("writes lines in Redis's form, in local time", () => {
    const { log, lines } = newLog(Date.UTC(2026, 10, 2, 4, 20, 5, 7));
    log.notice("Ready to accept connections tcp");
    log.role = "S";
    log.warning("w");
    expect(lines).toEqual([
      "4711:M 02 Nov 2026 06:20:05.007 * Ready to accept connections tcp\n",
      "4711:S 02 Nov 2026 06:20:05.007 # w\n",
    ]);
  });

  test("writes what is at or above its level", () => {
    const { log, lines } = newLog(0);
    const marks = (level: LogLevel): string => {
      lines.length = 0;
      log.level = level;
      log.debug("m");
      log.verbose("m");
      log.notice("m");
      log.warning("m");
      return lines.map((line) => line.at(-4)).join("");
    };
    expect(marks(LogLevel.DEBUG)).toBe(".-*#");
    expect(marks(LogLevel.VERBOSE)).toBe("-*#");
    expect(marks(LogLevel.NOTICE)).toBe("*#");
    expect(marks(LogLevel.WARNING)).toBe("#");
    expect(marks(LogLevel.NOTHING)).toBe("");
  });

  test("cuts messages at 1,023 characters, and leaves raw text alone", () => {
    const { log, lines } = newLog(0);
    log.warning("x".repeat(2000));
    expect(lines[0].endsWith(` # ${"x".repeat(1023)}\n`)).toBe(true);
    log.level = LogLevel.NOTHING;
    log.raw("banner");
    expect(lines[1]).toBe("banner");
  });
});
