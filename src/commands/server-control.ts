/**
 * What handlers may ask of the layers above them: implemented by server/server.ts, so that imports
 * keep pointing downward.
 */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Wait } from "../session/blocking.ts";
import type { Client } from "../session/client.ts";
import type { AppendOnlyControl } from "./append-only-control.ts";
import type { SavingControl } from "./saving-control.ts";
import type { CommandSpec } from "./spec.ts";

export interface ShutdownOptions {
  save: boolean | null;
  now: boolean;
  force: boolean;
}

/** The process as INFO describes it. */
export interface ProcessReport {
  readonly pid: number;
  readonly executable: string;
  readonly configFile: string;
  readonly platform: string;
}

/** Bytes of the process, and of the machine. */
export interface ProcessMemoryReport {
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly heapCapacityBytes: number;
  readonly totalSystemBytes: number;
}

/** How far the loading of data is. */
export interface LoadingReport {
  readonly startedMs: number;
  readonly totalBytes: number;
  readonly loadedBytes: number;
  /** Bytes of memory that the data took where they were saved; 0 = unknown. */
  readonly usedMemoryBytes: number;
}

export interface ServerControl {
  /** Server version, as INFO shows it. */
  readonly startedMs: number;
  readonly runId: string;
  /** The command table, in number order: INFO commandstats and ACL CAT read it. */
  readonly commands: readonly CommandSpec[];
  /** The commands that rename-command has not taken away: COMMAND lists them. */
  readonly namedCommands: readonly CommandSpec[];
  /** The table number of what is called so now, in lower case ("client|list"), or -1. */
  commandNumber(fullName: string): number;
  process(): ProcessReport;
  /** As it was up to a tenth of a second ago: to ask the system takes long. */
  processMemory(): ProcessMemoryReport;
  /** CPU time of the process. */
  processCpu(): { userSeconds: number; systemSeconds: number };
  readonly appendOnly: AppendOnlyControl;
  /** Null while no data are being loaded. */
  loadingReport(): LoadingReport | null;
  /** Runs a request whose checks are passed: EXEC runs its queue with it. */
  run(command: number, client: Client, args: Args, reply: ReplyWriter): void;
  /** Ends a client's wait for a key: as at its timeout, or with an error. */
  unblock(wait: Wait, error: string | null): void;
  /** Begins to shut down. An error text, if it cannot; else the server ends. */
  shutdown(options: ShutdownOptions, client: Client): string | null;
  /** Takes back a signal to end that nothing has come of yet; false if there is none. */
  abortShutdown(): boolean;
  /** Saving to RDB files. */
  readonly saving: SavingControl;
  /** Blocks the whole server (DEBUG SLEEP). */
  sleepMs(ms: number): void;
  /** Holds back requests, or only those that write, until `untilMs` (CLIENT PAUSE). */
  pauseClients(untilMs: number, writesOnly: boolean): void;
  unpauseClients(): void;
  /** The pause that is on, or null. */
  clientPause(): { untilMs: number; writesOnly: boolean } | null;
  /** Closes a client's connection at once. */
  disconnect(client: Client): void;
  /** Pauses or resumes the cron (DEBUG PAUSE-CRON). */
  pauseCron(paused: boolean): void;
  /** Active expiry on or off (DEBUG SET-ACTIVE-EXPIRE). */
  setActiveExpire(on: boolean): void;
  /** Forces the collector and gives unused memory back (MEMORY PURGE). */
  purgeMemory(): void;
  /** Writes CONFIG REWRITE's text to the configuration file: the error reply, or null. */
  rewriteConfig(forcesAll: boolean): string | null;
  /** Milliseconds of DEBUG REPLYBUFFER PEAK-RESET-TIME; -1 = never; null = the default. */
  setReplyBufferPeakReset(ms: number | null): void;
  /** DEBUG CLIENT-ENFORCE-REPLY-LIST. */
  enforceReplyList(on: boolean): void;
  /** What the process took up before it held data; a part of `usedMemoryBytes`. */
  readonly startupMemoryBytes: number;
  /** Memory in use by the rules of maxmemory. */
  usedMemoryBytes(): number;
  /** Crashes on purpose (DEBUG PANIC and its like). */
  panic(reason: string): void;
}
