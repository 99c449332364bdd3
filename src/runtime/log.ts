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
    const time = logTime(new Date(this.clock.nowMs()));
    this.sink(`${this.pid}:${this.role} ${time} ${LEVEL_MARKS[level]} ${shown}\n`);
  }

  /** Writes text as it is: the banner. */
  raw(text: string): void {
    this.sink(text);
  }
}

function logTime(date: Date): string {
  const day = pad(date.getDate(), 2);
  const time = `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
  const ms = pad(date.getMilliseconds(), 3);
  return `${day} ${MONTHS[date.getMonth()]} ${date.getFullYear()} ${time}.${ms}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
