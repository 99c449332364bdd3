/**
 * Makes the bases of the append-only file: snapshots as RDB files, or as commands with
 * aof-use-rdb-preamble no.
 */
import type { SnapshotEncoder } from "../keyspace/snapshot.ts";
import { RdbSnapshotEncoder, type SnapshotOutput } from "../persistence/snapshot-encoder.ts";
import type { SinkSettings } from "../persistence/snapshot-sink.ts";
import { CommandSnapshotEncoder } from "./aof-base-encoder.ts";
import type { BaseMaker } from "./append-only.ts";
import { rdbFormat } from "./saving.ts";
import type { Server } from "./server.ts";
import type { SnapshotFailure, SnapshotRequest } from "./snapshots.ts";

export class AofBases implements BaseMaker {
  /** Temporary files have names of their own: one may still be there when the next one begins. */
  private temporaryCount = 0;

  constructor(private readonly server: Server) {}

  get isBusy(): boolean {
    return this.server.snapshots.isBusy;
  }

  start(path: string, isRdb: boolean, done: (succeeded: boolean) => void): void {
    this.server.snapshots.start(
      this.request(path, isRdb, (failure) => done(this.succeeded(failure))),
    );
  }

  write(path: string, isRdb: boolean): boolean {
    return this.succeeded(this.server.snapshots.write(this.request(path, isRdb, () => {})));
  }

  cancel(): void {
    this.server.snapshots.cancel();
  }

  private succeeded(failure: SnapshotFailure | null): boolean {
    if (failure === null) return true;
    this.server.log.warning(`Write error writing append only file on disk: ${failure.text}`);
    return false;
  }

  private request(
    path: string,
    isRdb: boolean,
    done: (failure: SnapshotFailure | null) => void,
  ): SnapshotRequest {
    const { host, config } = this.server;
    const settings: SinkSettings = {
      temporary: `temp-rewriteaof-${host.pid}-${++this.temporaryCount}.aof`,
      target: path,
      directory: ".",
      compresses: isRdb && config.bool("rdbcompression"),
      checksums: isRdb && config.bool("rdbchecksum"),
      isPlain: !isRdb,
      syncsAlong: config.bool("aof-rewrite-incremental-fsync"),
    };
    return {
      settings,
      encoder: (output) => this.encoder(isRdb, output),
      // The increment that was opened at the start says what was emptied since.
      onClear: "drop",
      begun: () => {},
      done,
    };
  }

  private encoder(isRdb: boolean, output: SnapshotOutput): SnapshotEncoder {
    const { keyspace, clock, config } = this.server;
    if (isRdb) return new RdbSnapshotEncoder(keyspace, rdbFormat(this.server, true), output);
    const timestampSeconds = config.bool("aof-timestamp-enabled")
      ? Math.floor(clock.nowMs() / 1000)
      : null;
    const { functions } = keyspace;
    return new CommandSnapshotEncoder(keyspace, { timestampSeconds, functions }, output);
  }
}
