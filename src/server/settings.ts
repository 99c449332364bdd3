/**
 * From directives to parts: copies values out of the configuration at start and after each CONFIG
 * SET, so that nothing on the request path ever reads the configuration.
 */
import { applyPassword, requiresPassword } from "../commands/authentication.ts";
import { ServerGate } from "../dispatch/dispatcher.ts";
import { ExpiryHold } from "../keyspace/keyspace.ts";
import { LogKind } from "../runtime/command-log.ts";
import type { Config } from "../runtime/config/config.ts";
import { LogLevel } from "../runtime/log.ts";
import { notifiedClasses } from "./keyspace-events.ts";
import { maxClientsError } from "./open-files.ts";
import type { Server } from "./server.ts";

const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: LogLevel.DEBUG,
  verbose: LogLevel.VERBOSE,
  notice: LogLevel.NOTICE,
  warning: LogLevel.WARNING,
  nothing: LogLevel.NOTHING,
};

/** Offsets in a request are signed 32-bit integers: what cannot be addressed is refused. */
const QUERY_BYTES_MAX = 2 ** 31 - 2 ** 25;
const BULK_BYTES_MAX = QUERY_BYTES_MAX - 2 ** 20;

/** Below this slow-log threshold every call is timed. */
const EXACT_TIMING_US = 1000;

type Apply = (server: Server, config: Config) => void;

/** Directives and what becomes of their values; run once at start. */
const SETTINGS: readonly (readonly [names: readonly string[], apply: Apply])[] = [
  [["loglevel"], (server, config) => (server.log.level = LOG_LEVELS[config.string("loglevel")])],
  [
    ["protected-mode"],
    (server, config) => (server.acceptor.protectedMode = config.bool("protected-mode")),
  ],
  [
    ["requirepass"],
    (server, config) => {
      server.acceptor.hasPassword = requiresPassword(config);
      applyPassword(server.clients, config);
    },
  ],
  [
    ["client-query-buffer-limit"],
    (server, config) => {
      const limit = config.int("client-query-buffer-limit");
      server.queryBufferMax = Math.min(limit, QUERY_BYTES_MAX);
    },
  ],
  [
    ["client-output-buffer-limit"],
    (server, config) => {
      const { normal, pubsub } = config.outputBufferLimits();
      server.outputLimits.normal = normal;
      server.outputLimits.pubsub = pubsub;
    },
  ],
  [
    ["tracking-table-max-keys"],
    ({ clients }, config) => (clients.tracking.keysMax = config.int("tracking-table-max-keys")),
  ],
  [
    ["notify-keyspace-events"],
    ({ keyspace, keyspaceEvents }, config) => {
      keyspaceEvents.kinds = config.keyspaceEvents();
      keyspace.notifyFlags = notifiedClasses(keyspaceEvents.kinds);
    },
  ],
  [
    ["proto-max-bulk-len"],
    (server, config) => {
      server.parser.bulkMax = Math.min(config.int("proto-max-bulk-len"), BULK_BYTES_MAX);
      server.keyspace.stringBytesMax = server.parser.bulkMax;
    },
  ],
  [
    ["rdbcompression"],
    (server, config) => (server.payloads.writer.compresses = config.bool("rdbcompression")),
  ],
  [["save", "stop-writes-on-bgsave-error"], (server) => server.saving.updateWriteRefusal()],
  [
    ["rdb-version-check"],
    (server, config) =>
      (server.payloads.takesNewerVersions = config.string("rdb-version-check") === "relaxed"),
  ],
  [
    ["hll-sparse-max-bytes"],
    (server, config) => (server.keyspace.sparseHllBytesMax = config.int("hll-sparse-max-bytes")),
  ],
  [
    ["maxmemory"],
    (server, config) => {
      server.maxMemoryBytes = config.int("maxmemory");
      const { dispatcher } = server;
      if (server.maxMemoryBytes > 0) dispatcher.gate |= ServerGate.MAXMEMORY;
      else dispatcher.gate &= ~ServerGate.MAXMEMORY;
      // A lower limit takes effect without another command, but not within the one that set it.
      server.cron.makeRoomSoon();
    },
  ],
  [
    ["maxmemory", "maxmemory-clients"],
    ({ clients }, config) => {
      const limit = config.percentOrBytes("maxmemory-clients");
      const bytes =
        "bytes" in limit
          ? limit.bytes
          : Math.floor((config.int("maxmemory") * limit.percent) / 100);
      clients.memory.setLimit(bytes, clients.all());
    },
  ],
  [
    ["import-mode"],
    ({ keyspace }, config) => keyspace.holdExpiry(ExpiryHold.IMPORT, config.bool("import-mode")),
  ],
  [
    ["maxmemory-policy", "lfu-log-factor", "lfu-decay-time"],
    (server, config) =>
      server.keyspace.setLfu(
        config.string("maxmemory-policy").endsWith("lfu")
          ? {
              logFactor: config.int("lfu-log-factor"),
              decayMinutes: config.int("lfu-decay-time"),
            }
          : null,
      ),
  ],
  [
    ["slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold"],
    (server, config) => {
      const { commandLog, latency } = server.observers;
      const threshold = config.int("slowlog-log-slower-than");
      commandLog.configure(LogKind.SLOW, threshold, config.int("slowlog-max-len"));
      latency.configure(config.int("latency-monitor-threshold"));
      const isExact = commandLog.threshold(LogKind.SLOW) < EXACT_TIMING_US;
      server.stats.times.setExact(isExact || latency.thresholdUs < Infinity);
    },
  ],
  [
    ["commandlog-request-larger-than", "commandlog-large-request-max-len"],
    (server, config) => {
      const threshold = config.int("commandlog-request-larger-than");
      const lengthMax = config.int("commandlog-large-request-max-len");
      server.observers.commandLog.configure(LogKind.LARGE_REQUEST, threshold, lengthMax);
      server.dispatcher.updateLimits();
    },
  ],
  [
    ["commandlog-reply-larger-than", "commandlog-large-reply-max-len"],
    (server, config) => {
      const threshold = config.int("commandlog-reply-larger-than");
      const lengthMax = config.int("commandlog-large-reply-max-len");
      server.observers.commandLog.configure(LogKind.LARGE_REPLY, threshold, lengthMax);
      server.dispatcher.updateLimits();
    },
  ],
  [
    ["latency-tracking"],
    (server, config) => (server.stats.times.tracking = config.bool("latency-tracking")),
  ],
  [
    ["maxmemory-policy", "maxmemory-samples", "maxmemory-eviction-tenacity"],
    (server, config) =>
      server.keyspace.evictor.configure(
        config.string("maxmemory-policy"),
        config.int("maxmemory-samples"),
        config.int("maxmemory-eviction-tenacity"),
      ),
  ],
  [
    ["active-expire-effort"],
    (server, config) => (server.keyspace.expiry.effort = config.int("active-expire-effort")),
  ],
  [
    [
      "activedefrag",
      "active-defrag-ignore-bytes",
      "active-defrag-threshold-lower",
      "active-defrag-threshold-upper",
      "active-defrag-cycle-min",
      "active-defrag-cycle-max",
      "active-defrag-cycle-us",
    ],
    (server, config) =>
      server.keyspace.compactor.configure({
        enabled: config.bool("activedefrag"),
        ignoreBytes: config.int("active-defrag-ignore-bytes"),
        thresholdLower: config.int("active-defrag-threshold-lower"),
        thresholdUpper: config.int("active-defrag-threshold-upper"),
        cycleMin: config.int("active-defrag-cycle-min"),
        cycleMax: config.int("active-defrag-cycle-max"),
        cycleUs: config.int("active-defrag-cycle-us"),
      }),
  ],
  [
    ["hash-max-listpack-entries", "hash-max-listpack-value"],
    ({ keyspace }, config) => {
      keyspace.hashLimits.entriesMax = config.int("hash-max-listpack-entries");
      keyspace.hashLimits.bytesMax = config.int("hash-max-listpack-value");
    },
  ],
  [
    ["set-max-intset-entries", "set-max-listpack-entries", "set-max-listpack-value"],
    ({ keyspace }, config) => {
      keyspace.setLimits.integersMax = config.int("set-max-intset-entries");
      keyspace.setLimits.entriesMax = config.int("set-max-listpack-entries");
      keyspace.setLimits.bytesMax = config.int("set-max-listpack-value");
    },
  ],
  [
    ["zset-max-listpack-entries", "zset-max-listpack-value"],
    ({ keyspace }, config) => {
      keyspace.zsetLimits.entriesMax = config.int("zset-max-listpack-entries");
      keyspace.zsetLimits.bytesMax = config.int("zset-max-listpack-value");
    },
  ],
  [
    ["list-max-listpack-size", "list-compress-depth"],
    ({ keyspace }, config) => {
      keyspace.lists.maxListpackSize = config.int("list-max-listpack-size");
      keyspace.lists.compressDepth = config.int("list-compress-depth");
    },
  ],
  [
    ["lazyfree-lazy-expire", "lazyfree-lazy-eviction", "lazyfree-lazy-server-del"],
    ({ effects }, config) => {
      effects.unlinksExpired = config.bool("lazyfree-lazy-expire");
      effects.unlinksEvicted = config.bool("lazyfree-lazy-eviction");
      effects.unlinksReplaced = config.bool("lazyfree-lazy-server-del");
    },
  ],
  [
    ["stream-node-max-bytes", "stream-node-max-entries"],
    ({ keyspace }, config) => {
      keyspace.streams.nodeBytesMax = config.int("stream-node-max-bytes");
      keyspace.streams.nodeEntriesMax = config.int("stream-node-max-entries");
    },
  ],
  [
    [
      "appendfsync",
      "no-appendfsync-on-rewrite",
      "aof-timestamp-enabled",
      "auto-aof-rewrite-percentage",
      "auto-aof-rewrite-min-size",
      "aof-use-rdb-preamble",
      "aof-disable-auto-gc",
    ],
    ({ appendOnly }, config) => appendOnly.configure(config),
  ],
  [["hz"], (server, config) => server.cron.setFrequency(config.int("hz"))],
];

/** Copies all values now, and again whenever CONFIG SET changes them. */
export function applySettings(server: Server): void {
  const { config } = server;
  for (const [names, apply] of SETTINGS) {
    apply(server, config);
    config.onApply(names, () => {
      apply(server, config);
      return null;
    });
  }
  config.onApply(["bind"], () =>
    server.acceptor.listenTcp() ? null : "Failed to bind to specified addresses.",
  );
  config.onApply(["port"], () =>
    server.acceptor.listenTcp() ? null : "Unable to listen on this port. Check server logs.",
  );
  config.onApply(["appendonly"], () => server.appendOnly.turn(config.bool("appendonly")));
  config.onApply(["aof-disable-auto-gc"], () => {
    server.appendOnly.appendOnly.removeHistory();
    return null;
  });
  server.acceptor.maxClients = config.int("maxclients");
  config.onApply(["maxclients"], () => {
    server.acceptor.maxClients = config.int("maxclients");
    return maxClientsError(config, server.host.openFilesMax);
  });
  adjustOomScore(server);
  config.onApply(["oom-score-adj", "oom-score-adj-values"], () =>
    adjustOomScore(server) ? null : "Failed to set current oom_score_adj. Check server logs.",
  );
  config.onApply(["unixsocketperm"], () => {
    const path = config.string("unixsocket");
    if (path !== "") server.host.setFileMode(path, config.int("unixsocketperm"));
    return null;
  });
}

/** Applies oom-score-adj and its values; false after a failure. */
function adjustOomScore(server: Server): boolean {
  const { config, oomScore } = server;
  const [forPrimary] = config.list("oom-score-adj-values");
  return oomScore.apply(config.string("oom-score-adj"), Number(forPrimary));
}
