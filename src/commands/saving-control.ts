/** What handlers may ask of saving to RDB files: implemented by server/saving.ts. */

/** Saving as INFO describes it; bytes, seconds and unix seconds. */
export interface SavingReport {
  /** Of the snapshot that is being taken, whatever for. */
  readonly keysDone: number;
  readonly keysTotal: number;
  readonly preservedBytes: number;
  readonly preservedPeakBytes: number;
  readonly isSaving: boolean;
  readonly lastSaveSeconds: number;
  readonly lastSucceeded: boolean;
  /** How long the last save in the background took, and how long the current one does; -1 = none. */
  readonly lastDuration: number;
  readonly currentDuration: number;
  readonly saves: number;
  readonly lastPreservedBytes: number;
  /** Snapshots begun in the background. */
  readonly snapshots: number;
}

export interface ReloadOptions {
  /** Whether keys that are there already are replaced. */
  readonly merges: boolean;
  readonly flushes: boolean;
  readonly saves: boolean;
}

export interface SavingControl {
  report(): SavingReport;
  /** Saves at once. False, after log lines, on failure. */
  save(): boolean;
  /** BGSAVE [SCHEDULE]: the reply; an error begins with "ERR ". */
  saveInBackground(schedules: boolean): string;
  /** BGSAVE CANCEL: the reply; an error begins with "ERR ". */
  cancel(): string;
  /** All databases were emptied on request: what is being saved is gone. */
  flushed(): void;
  /** DEBUG RELOAD. The error, or null. */
  reload(options: ReloadOptions): string | null;
}
