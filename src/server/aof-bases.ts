/**
 * Makes the bases of the append-only file: snapshots as RDB files, or as commands with
 * aof-use-rdb-preamble no.
 */
import { REDIS_VERSION } from "../base/version.ts";
import { Snapshot, type SnapshotEncoder } from "../keyspace/snapshot.ts";
import { RdbSnapshotEncoder, type SnapshotOutput } from "../persistence/snapshot-encoder.ts";
import { type SinkSettings, SnapshotSink } from "../persistence/snapshot-sink.ts";
import { CommandSnapshotEncoder } from "./aof-base-encoder.ts";
import type { BaseMaker } from "./append-only.ts";
import type { Server } from "./server.ts";

export class AofBases implements BaseMaker {
  isBusy = false;

  constructor(private readonly server: Server) {}

  start(path: string, isRdb: boolean, done: (succeeded: boolean) => void): boolean {
    this.isBusy = true;
    const succeeded = this.write(path, isRdb);
    setImmediate(() => {
      if (!this.isBusy) return;
      this.isBusy = false;
      done(succeeded);
    });
    return true;
  }

  write(path: string, isRdb: boolean): boolean {
    const { server } = this;
    const { host, keyspace, clock, log, config } = server;
    const settings: SinkSettings = {
      temporary: `temp-rewriteaof-${host.pid}.aof`,
      target: path,
      directory: ".",
      checksums: isRdb && config.bool("rdbchecksum"),
      isPlain: !isRdb,
      syncsAlong: config.bool("aof-rewrite-incremental-fsync"),
    };
    const sink = new SnapshotSink(host.fileSystem, settings);
    const output: SnapshotOutput = {
      take(bytes, start, end) {
        sink.feed(bytes, start, end);
        return end - start;
      },
    };
    const snapshot = new Snapshot(keyspace, clock, this.encoder(isRdb, output));
    try {
      sink.open();
      while (!snapshot.run(Infinity));
      if (snapshot.failure !== null) throw snapshot.failure;
      sink.finish();
      return true;
    } catch (error) {
      sink.abandon();
      const text = error instanceof Error ? error.message : String(error);
      log.warning(`Write error writing append only file on disk: ${text}`);
      return false;
    }
  }

  cancel(): void {
    this.isBusy = false;
  }

  private encoder(isRdb: boolean, output: SnapshotOutput): SnapshotEncoder {
    const { keyspace, clock, config } = this.server;
    const seconds = Math.floor(clock.nowMs() / 1000);
    const { functions } = keyspace;
    if (!isRdb) {
      const timestampSeconds = config.bool("aof-timestamp-enabled") ? seconds : null;
      return new CommandSnapshotEncoder(keyspace, { timestampSeconds, functions }, output);
    }
    return new RdbSnapshotEncoder(
      keyspace,
      {
        version: 0,
        compresses: config.bool("rdbcompression"),
        clock: "none",
        auxiliary: [
          ["redis-ver", REDIS_VERSION],
          ["redis-bits", "64"],
          ["ctime", String(seconds)],
          ["used-mem", String(this.server.usedMemoryBytes())],
          ["aof-base", "1"],
        ],
        functions,
      },
      output,
    );
  }
}
