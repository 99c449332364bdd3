/**
 * Checks the RDB file that an append-only file may begin with, by loading it into a keyspace that
 * nobody uses.
 */
import { systemClock } from "../../base/clock.ts";
import { systemFiles } from "../../base/file-system.ts";
import { systemPrng } from "../../base/prng.ts";
import { Keyspace } from "../../keyspace/keyspace.ts";
import { loadRdb } from "../../persistence/rdb-file-load.ts";
import { FileSource } from "../../persistence/rdb-file-source.ts";

const DATABASES = 2 ** 14;

/** The offset behind the RDB file, or null, after messages, if it is damaged. */
export function checkPreamble(path: string, print: (text: string) => void): number | null {
  const keyspace = new Keyspace(DATABASES, systemClock(), systemPrng(), {
    onEvent() {},
    onModified() {},
    onReplaced() {},
    onVanished() {},
    onFieldVanished() {},
  });
  const file = systemFiles.open(path, "read");
  print(`[offset 0] Checking RDB file ${path}\n`);
  try {
    const result = loadRdb(new FileSource(systemFiles, file), keyspace, {
      log: { debug() {}, notice() {}, warning: (message) => print(`${message}\n`) },
      checksChecksum: true,
      takesNewerVersions: false,
      dropsExpired: false,
      replacesKeys: false,
      functions: [],
    });
    return result.failure === null ? result.endOffset : null;
  } finally {
    systemFiles.close(file);
  }
}
