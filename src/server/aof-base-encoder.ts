/**
 * Writes a snapshot as commands: the base of an append-only file with aof-use-rdb-preamble no.
 *
 *     [#TS:<seconds>] | FUNCTION LOAD ... | SELECT n | commands of a key | commands of a key | ...
 *
 * A key that is handed over while a value is half written goes right behind the commands that are
 * there, since a value's steps end between commands; only its readers must be others. O(bytes).
 */
import { bytesFromAscii } from "../base/ascii.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { SnapshotEncoder, ValueSteps } from "../keyspace/snapshot.ts";
import { ownStructures } from "../persistence/rdb-structures.ts";
import { RdbWriter } from "../persistence/rdb-writer.ts";
import type { SnapshotOutput } from "../persistence/snapshot-encoder.ts";
import { PropagationLog } from "../propagation/propagation-log.ts";
import { ValueCommands } from "../propagation/value-commands.ts";

/** Bytes that are passed on at once, and those that may wait before the walk has to. */
const FLUSH_BYTES = 64 * 1024;
const WAITING_BYTES_MAX = 512 * 1024;

export interface CommandFormat {
  /** With aof-timestamp-enabled, the time to begin with, in seconds; else null. */
  readonly timestampSeconds: number | null;
  /** The libraries of functions, one character per byte. */
  readonly functions: readonly string[];
}

export class CommandSnapshotEncoder implements SnapshotEncoder {
  private readonly log = new PropagationLog(() => {});
  private readonly writer = new RdbWriter();
  private readonly main: ValueCommands;
  /** For what is handed over while a value is half written. */
  private readonly aside: ValueCommands;
  private isMidValue = false;
  private hasEnded = false;
  /** Bytes of the writer that the output has taken. */
  private taken = 0;

  constructor(
    keyspace: Keyspace,
    private readonly format: CommandFormat,
    private readonly output: SnapshotOutput,
  ) {
    this.main = new ValueCommands(ownStructures(keyspace), this.log);
    this.aside = new ValueCommands(ownStructures(keyspace), this.log);
    this.writer.startSpan();
  }

  begin(): void {
    const { timestampSeconds, functions } = this.format;
    if (timestampSeconds !== null) {
      const annotation = bytesFromAscii(`#TS:${timestampSeconds}\r\n`);
      this.writer.raw(annotation, 0, annotation.length);
    }
    for (const library of functions) this.main.library(bytesFromAscii(library));
  }

  database(): void {
    // The log selects a database before its first command.
  }

  key(database: number, record: number): ValueSteps | null {
    const steps = this.main.steps(database, record);
    const isWhole = steps.next().done === true || steps.next().done === true;
    this.collect();
    if (isWhole) return null;
    this.isMidValue = true;
    return steps;
  }

  preserve(database: number, record: number): number {
    const from = this.log.length;
    (this.isMidValue ? this.aside : this.main).key(database, record);
    const count = this.log.length - from;
    this.collect();
    return count;
  }

  completed(): void {
    this.isMidValue = false;
  }

  end(): void {
    this.collect();
    this.writer.endSpan();
    this.hasEnded = true;
  }

  flush(): boolean {
    this.collect();
    const { writer } = this;
    if (this.hasEnded) this.pass();
    else if (writer.length - this.taken >= FLUSH_BYTES) {
      writer.endSpan();
      this.pass();
      writer.startSpan();
    }
    return writer.length - this.taken < WAITING_BYTES_MAX;
  }

  /** Whether bytes wait that the output had no room for. */
  get hasWaitingBytes(): boolean {
    return this.taken < this.writer.length;
  }

  /** Moves the commands that are there into the open span. */
  private collect(): void {
    const { log } = this;
    if (log.length === 0) return;
    this.writer.raw(log.bytes, 0, log.length);
    log.clear();
  }

  private pass(): void {
    const { writer } = this;
    this.taken += this.output.take(writer.bytes, this.taken, writer.length);
    if (this.taken < writer.length) {
      // What has been taken makes room once it is the larger part.
      if (this.taken * 2 < writer.length) return;
      writer.drop(this.taken);
    } else writer.clear();
    this.taken = 0;
  }
}
