/** What handlers may ask of the append-only file: implemented by server/append-only-setup.ts. */
import type { Wait } from "../session/blocking.ts";

/** The append-only file as INFO describes it; bytes and seconds. */
export interface AofReport {
  readonly isOn: boolean;
  readonly isRewriting: boolean;
  readonly isRewriteScheduled: boolean;
  /** -1 = no rewrite was done, or none runs. */
  readonly lastRewriteSeconds: number;
  readonly currentRewriteSeconds: number;
  readonly lastRewriteSucceeded: boolean;
  readonly rewrites: number;
  readonly rewriteFailures: number;
  readonly canWrite: boolean;
  readonly currentBytes: number;
  readonly baseBytes: number;
  readonly waitingBytes: number;
  readonly isSyncing: boolean;
  readonly delayedSyncs: number;
}

export interface AppendOnlyControl {
  report(): AofReport;
  /** Begins a rewrite, or schedules one: the reply; an error begins with "ERR ". */
  rewrite(): string;
  /** Drops all data and loads the files anew (DEBUG LOADAOF). False, after log lines, on failure. */
  reload(): boolean;
  /** Microseconds to wait before each write (DEBUG AOF-FLUSH-SLEEP). */
  setFlushSleep(us: number): void;
  /** Changes so far, in bytes of the log, and those of them that are durable; -1 while it is off. */
  changesOffset(): number;
  syncedOffset(): number;
  /** Ends a client's wait when the changes up to `offset` are durable. */
  wakeWhenSynced(wait: Wait, offset: number): void;
}
