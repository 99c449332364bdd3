/**
 * The server's log, in Redis's line format:
 *
 *     <pid>:<role> <day> <month> <year> <hour>:<minute>:<second>.<ms> <level> <message>
 *     4711:M 22 Nov 2026 16:20:00.000 * Ready to accept connections tcp
 *
 * The role is M for a primary, S for a replica, C for a child, X for a sentinel. Levels are . - * # from debug to
 * warning. Where a line goes is decided by the sink: standard output, or a file opened for append.
 */
import type { Clock } from "../base/clock.ts";

export const enum LogLevel {
  DEBUG = 0,
  VERBOSE = 1,
  NOTICE = 2,
  WARNING = 3,
  NOTHING = 4,
}

const LEVEL_MARKS = ".-*#";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MESSAGE_CHARACTERS_MAX = 1023;

export class Log {
  level: LogLevel = LogLevel.NOTICE;
  role: "M" | "S" | "C" | "X" = "M";

  constructor(
    private readonly pid: number,
    private readonly clock: Clock,
    /** Local time minus UTC, in ms, at a moment in unix ms. */
    private readonly utcOffsetMs: (nowMs: number) => number,
    /** Writes a line, which ends with a newline. */
    public sink: (line: string) => void,
  ) {}

  debug(message: string): void {
    this.write(LogLevel.DEBUG, message);
  }

  verbose(message: string): void {
    this.write(LogLevel.VERBOSE, message);
  }

  notice(message: string): void {
    this.write(LogLevel.NOTICE, message);
  }

  warning(message: string): void {
    this.write(LogLevel.WARNING, message);
  }

  write(level: LogLevel, message: string): void {
    if (level < this.level) return;
    const shown = message.slice(0, MESSAGE_CHARACTERS_MAX);
    const nowMs = this.clock.nowMs();
    const time = logTime(new Date(nowMs + this.utcOffsetMs(nowMs)));
    this.sink(`${this.pid}:${this.role} ${time} ${LEVEL_MARKS[level]} ${shown}\n`);
  }

  /** Writes text as it is: the banner. */
  raw(text: string): void {
    this.sink(text);
  }
}

/** The moment whose UTC fields are the local time. */
function logTime(date: Date): string {
  const day = pad(date.getUTCDate(), 2);
  const hours = pad(date.getUTCHours(), 2);
  const time = `${hours}:${pad(date.getUTCMinutes(), 2)}:${pad(date.getUTCSeconds(), 2)}`;
  const ms = pad(date.getUTCMilliseconds(), 3);
  return `${day} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ${time}.${ms}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
