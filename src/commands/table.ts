/** All commands, in the order of their groups; a row's index is the command's number. */
import { aclCommands } from "./acl.ts";
import { appendOnlyCommands } from "./append-only.ts";
import { clientCommands } from "./client.ts";
import { clusterCommands } from "./cluster.ts";
import { commandCommands } from "./command.ts";
import { configCommands } from "./config.ts";
import { connectionCommands } from "./connection.ts";
import { debugCommands } from "./debug.ts";
import { infoCommands } from "./info.ts";
import { listMoveCommands } from "./list-move.ts";
import { listPopCommands } from "./list-pop.ts";
import { listSearchCommands } from "./list-search.ts";
import { listCommands } from "./list.ts";
import { pubsubCommands } from "./pubsub.ts";
import { latencyCommands } from "./latency.ts";
import { memoryCommands } from "./memory.ts";
import { moduleCommands } from "./module.ts";
import { monitorCommands } from "./monitor.ts";
import { saveCommands } from "./save.ts";
import { serverCommands } from "./server.ts";
import { slowlogCommands } from "./slowlog.ts";
import { genericDatabaseCommands } from "./generic-database.ts";
import { genericExpireCommands } from "./generic-expire.ts";
import { dumpCommands } from "./dump.ts";
import { genericObjectCommands } from "./generic-object.ts";
import { genericScanCommands } from "./generic-scan.ts";
import { genericCommands } from "./generic.ts";
import { sortCommands } from "./sort.ts";
import { type CommandSpec, Flag, fullName } from "./spec.ts";
import { streamDeleteCommands } from "./stream-delete.ts";
import { streamGroupCommands } from "./stream-group.ts";
import { streamInfoCommands } from "./stream-info.ts";
import { streamPendingCommands } from "./stream-pending.ts";
import { streamReadCommands } from "./stream-read.ts";
import { streamCommands } from "./stream.ts";
import { stringDigestCommands } from "./string-digest.ts";
import { stringIncrementFloatCommands } from "./string-increment-float.ts";
import { stringIncrementCommands } from "./string-increment.ts";
import { stringLcsCommands } from "./string-lcs.ts";
import { stringMultipleCommands } from "./string-multiple.ts";
import { stringRangeCommands } from "./string-range.ts";
import { bitmapCommands } from "./bitmap.ts";
import { bitfieldCommands } from "./bitfield.ts";
import { bitopCommands } from "./bitop.ts";
import { hyperloglogCommands } from "./hyperloglog.ts";
import { hashExpireValueCommands } from "./hash-expire-values.ts";
import { hashExpireCommands } from "./hash-expire.ts";
import { hashIncrementCommands } from "./hash-increment.ts";
import { hashRandomCommands } from "./hash-random.ts";
import { hashCommands } from "./hash.ts";
import { setAlgebraCommands } from "./set-algebra.ts";
import { setRandomCommands } from "./set-random.ts";
import { setCommands } from "./set.ts";
import { stringCommands } from "./string.ts";
import { transactionCommands } from "./transaction.ts";
import { geoSearchCommands } from "./geo-search.ts";
import { geoCommands } from "./geo.ts";
import { zsetPopCommands } from "./zset-pop.ts";
import { zsetRangeCommands } from "./zset-range.ts";
import { zsetScanCommands } from "./zset-scan.ts";
import { zsetStoreCommands } from "./zset-store.ts";
import { zsetCommands } from "./zset.ts";

/** The rows of all groups. Throws when two rows have one name or a subcommand has no container. */
export function commandTable(): readonly CommandSpec[] {
  const rows = [
    ...connectionCommands,
    ...clientCommands,
    ...aclCommands,
    ...appendOnlyCommands,
    ...clusterCommands,
    ...commandCommands,
    ...configCommands,
    ...debugCommands,
    ...infoCommands,
    ...memoryCommands,
    ...slowlogCommands,
    ...latencyCommands,
    ...monitorCommands,
    ...transactionCommands,
    ...moduleCommands,
    ...pubsubCommands,
    ...serverCommands,
    ...saveCommands,
    ...genericCommands,
    ...genericExpireCommands,
    ...genericScanCommands,
    ...genericObjectCommands,
    ...genericDatabaseCommands,
    ...dumpCommands,
    ...sortCommands,
    ...stringCommands,
    ...listCommands,
    ...listSearchCommands,
    ...listPopCommands,
    ...listMoveCommands,
    ...streamCommands,
    ...streamReadCommands,
    ...streamGroupCommands,
    ...streamPendingCommands,
    ...streamDeleteCommands,
    ...streamInfoCommands,
    ...bitopCommands,
    ...bitfieldCommands,
    ...bitmapCommands,
    ...hyperloglogCommands,
    ...stringRangeCommands,
    ...stringMultipleCommands,
    ...stringLcsCommands,
    ...stringIncrementCommands,
    ...stringIncrementFloatCommands,
    ...stringDigestCommands,
    ...hashCommands,
    ...hashIncrementCommands,
    ...hashRandomCommands,
    ...hashExpireCommands,
    ...hashExpireValueCommands,
    ...setCommands,
    ...setRandomCommands,
    ...setAlgebraCommands,
    ...zsetCommands,
    ...zsetRangeCommands,
    ...zsetScanCommands,
    ...zsetStoreCommands,
    ...zsetPopCommands,
    ...geoCommands,
    ...geoSearchCommands,
  ];
  const names = new Set<string>();
  for (const row of rows) {
    const name = fullName(row);
    if (names.has(name)) throw new Error(`two commands are called ${name}`);
    names.add(name);
  }
  const containers = new Set<string>();
  for (const row of rows) if (row.flags & Flag.CONTAINER) containers.add(row.name);
  for (const row of rows) {
    if (row.parent !== undefined && !containers.has(row.parent)) {
      throw new Error(`${fullName(row)} has no container`);
    }
  }
  return rows;
}
