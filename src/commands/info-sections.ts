/**
 * The sections of INFO: which exist, in which order, and the fields of each.
 *
 * Field names and their order are Valkey 8.1's, so that monitoring tools find what they look for.
 * Fields of things that cannot exist here (I/O threads, forked children's memory, modules) are left
 * out; fields of things that merely do not happen (replication, saves) say so with a zero.
 */
import { BUNSEN, REDIS_VERSION, VALKEY_VERSION } from "../base/version.ts";
import { Meta } from "../keyspace/record.ts";
import { Gate } from "../session/client.ts";
import { SubscriptionKind } from "../session/pubsub.ts";
import type { CommandContext } from "./context.ts";
import { humanBytes, memoryFigures, percentage, ratio } from "./memory-figures.ts";
import { type CommandSpec, fullName } from "./spec.ts";

type Field = readonly [name: string, value: string | number];

export interface InfoSection {
  /** As INFO's argument, in lower case. */
  readonly names: readonly string[];
  readonly title: string;
  /** "default" without an argument, "all" for INFO all, "named" for nothing but its name. */
  readonly shown: "default" | "all" | "named";
  fields(ctx: CommandContext): readonly Field[];
}

export const INFO_SECTIONS: readonly InfoSection[] = [
  { names: ["server"], title: "Server", shown: "default", fields: serverFields },
  { names: ["clients"], title: "Clients", shown: "default", fields: clientsFields },
  { names: ["memory"], title: "Memory", shown: "default", fields: memoryFields },
  { names: ["persistence"], title: "Persistence", shown: "default", fields: persistenceFields },
  { names: ["stats"], title: "Stats", shown: "default", fields: statsFields },
  { names: ["replication"], title: "Replication", shown: "default", fields: replicationFields },
  { names: ["cpu"], title: "CPU", shown: "default", fields: cpuFields },
  { names: ["module_list", "modules"], title: "Modules", shown: "default", fields: () => [] },
  { names: ["commandstats"], title: "Commandstats", shown: "all", fields: commandStatsFields },
  { names: ["errorstats"], title: "Errorstats", shown: "default", fields: errorStatsFields },
  { names: ["latencystats"], title: "Latencystats", shown: "all", fields: latencyStatsFields },
  { names: ["cluster"], title: "Cluster", shown: "default", fields: clusterFields },
  { names: ["keyspace"], title: "Keyspace", shown: "default", fields: keyspaceFields },
  { names: ["debug"], title: "Debug", shown: "named", fields: debugFields },
];

const SECONDS_PER_DAY = 86400;

function serverFields(ctx: CommandContext): Field[] {
  const { config, keyspace, server } = ctx;
  const process = server.process();
  const nowUs = keyspace.clock.nowUs();
  const uptime = Math.max(0, Math.floor((nowUs / 1000 - server.startedMs) / 1000));
  const hz = config.int("hz");
  return [
    ["redis_version", REDIS_VERSION],
    ["server_name", "bunsen"],
    ["bunsen_version", BUNSEN.version],
    ["valkey_version", VALKEY_VERSION],
    ["redis_git_sha1", BUNSEN.gitSha],
    ["redis_git_dirty", BUNSEN.gitDirty ? 1 : 0],
    ["redis_build_id", BUNSEN.gitSha],
    [config.bool("extended-redis-compatibility") ? "redis_mode" : "server_mode", "standalone"],
    ["os", process.platform],
    ["arch_bits", 64],
    ["bun_version", Bun.version],
    ["process_id", process.pid],
    ["process_supervised", "no"],
    ["run_id", server.runId],
    ["tcp_port", config.int("port")],
    ["server_time_usec", nowUs],
    ["uptime_in_seconds", uptime],
    ["uptime_in_days", Math.floor(uptime / SECONDS_PER_DAY)],
    ["hz", hz],
    ["configured_hz", hz],
    ["lru_clock", Math.floor(keyspace.nowMs / 1000) & Meta.CLOCK_MASK],
    ["executable", process.executable],
    ["config_file", process.configFile],
    ["io_threads_active", 0],
    ["availability_zone", config.string("availability-zone")],
    ...listenerFields(ctx),
  ];
}

function listenerFields(ctx: CommandContext): Field[] {
  const { config } = ctx;
  const listeners: string[] = [];
  const port = config.int("port");
  const addresses = config.list("bind");
  if (port !== 0 && addresses.length > 0) {
    const binds = addresses.map((address) => `bind=${address}`).join(",");
    listeners.push(`name=tcp,${binds},port=${port}`);
  }
  const path = config.string("unixsocket");
  if (path !== "") listeners.push(`name=unix,bind=${path}`);
  return listeners.map((listener, i) => [`listener${i}`, listener]);
}

function clientsFields(ctx: CommandContext): Field[] {
  const pause = ctx.server.clientPause();
  let inputMax = 0;
  let outputMax = 0;
  let blocked = 0;
  let withTimeout = 0;
  let tracking = 0;
  let watching = 0;
  for (const client of ctx.clients.all()) {
    inputMax = Math.max(inputMax, client.transport.queryBytes());
    outputMax = Math.max(outputMax, client.transport.pendingBytes());
    if (client.blocked) blocked++;
    if ((client.wait?.deadlineMs ?? 0) > 0) withTimeout++;
    if (client.watched.length > 0) watching++;
    if ((client.gate & Gate.TRACKING) !== 0) tracking++;
  }
  return [
    ["connected_clients", ctx.clients.count],
    ["cluster_connections", 0],
    ["maxclients", ctx.config.int("maxclients")],
    ["client_recent_max_input_buffer", inputMax],
    ["client_recent_max_output_buffer", outputMax],
    ["blocked_clients", blocked],
    ["tracking_clients", tracking],
    ["pubsub_clients", ctx.clients.pubsub.clientCount],
    ["watching_clients", watching],
    ["clients_in_timeout_table", withTimeout],
    ["total_watched_keys", ctx.clients.watches.keyCount],
    ["total_blocking_keys", ctx.clients.blocking.keyCount],
    ["total_blocking_keys_on_nokey", ctx.clients.blocking.keyCountOnMissing()],
    ["paused_reason", pause === null ? "none" : "client_pause"],
    ["paused_actions", pause === null ? "none" : pause.writesOnly ? "write" : "all"],
    ["paused_timeout_milliseconds", pause === null ? 0 : pause.untilMs - ctx.keyspace.nowMs],
  ];
}

function memoryFields(ctx: CommandContext): Field[] {
  const figures = memoryFigures(ctx);
  const { used, peak, resident, arenaLive, arenaHeld } = figures;
  const maxMemory = ctx.config.int("maxmemory");
  return [
    ["used_memory", used],
    ["used_memory_human", humanBytes(used)],
    ["used_memory_rss", resident],
    ["used_memory_rss_human", humanBytes(resident)],
    ["used_memory_peak", peak],
    ["used_memory_peak_human", humanBytes(peak)],
    ["used_memory_peak_perc", percent(used, peak)],
    ["used_memory_overhead", figures.overhead],
    ["used_memory_startup", figures.startup],
    ["used_memory_dataset", figures.dataset],
    ["used_memory_dataset_perc", `${figures.datasetPercent.toFixed(2)}%`],
    ["allocator_allocated", arenaLive],
    ["allocator_active", arenaHeld],
    ["allocator_resident", arenaHeld],
    ["allocator_muzzy", 0],
    ["total_system_memory", figures.totalSystem],
    ["total_system_memory_human", humanBytes(figures.totalSystem)],
    ["used_memory_heap", figures.heap],
    ["used_memory_heap_capacity", figures.heapCapacity],
    ["used_memory_lua", 0],
    ["used_memory_vm_eval", 0],
    ["used_memory_lua_human", humanBytes(0)],
    ["used_memory_scripts_eval", 0],
    ["number_of_cached_scripts", 0],
    ["number_of_functions", 0],
    ["number_of_libraries", 0],
    ["used_memory_vm_functions", 0],
    ["used_memory_vm_total", 0],
    ["used_memory_vm_total_human", humanBytes(0)],
    ["used_memory_functions", 0],
    ["used_memory_scripts", 0],
    ["used_memory_scripts_human", humanBytes(0)],
    ["maxmemory", maxMemory],
    ["maxmemory_human", humanBytes(maxMemory)],
    ["maxmemory_policy", ctx.config.string("maxmemory-policy")],
    ["allocator_frag_ratio", ratio(arenaHeld, arenaLive).toFixed(2)],
    ["allocator_frag_bytes", arenaHeld - arenaLive],
    ["allocator_rss_ratio", "1.00"],
    ["allocator_rss_bytes", 0],
    ["rss_overhead_ratio", ratio(resident, arenaHeld).toFixed(2)],
    ["rss_overhead_bytes", resident - arenaHeld],
    ["mem_fragmentation_ratio", ratio(resident, used).toFixed(2)],
    ["mem_fragmentation_bytes", resident - used],
    ["mem_not_counted_for_evict", 0],
    ["mem_replication_backlog", 0],
    ["mem_total_replication_buffers", 0],
    ["mem_clients_slaves", 0],
    ["mem_clients_normal", figures.clients],
    ["mem_cluster_links", 0],
    ["mem_aof_buffer", ctx.server.appendOnly.report().waitingBytes],
    ["mem_allocator", "bunsen-arena"],
    ["mem_overhead_db_hashtable_rehashing", 0],
    ["active_defrag_running", ctx.keyspace.compactor.cpuPercent],
    ["lazyfree_pending_objects", ctx.keyspace.lazyFree.pendingCount],
    ["lazyfreed_objects", ctx.keyspace.lazyFree.freedCount],
  ];
}

function percent(part: number, whole: number): string {
  return `${percentage(part, whole).toFixed(2)}%`;
}

function persistenceFields(ctx: CommandContext): Field[] {
  const saving = ctx.server.saving.report();
  return [
    ["loading", ctx.server.loadingReport() === null ? 0 : 1],
    ["async_loading", 0],
    ["current_cow_peak", saving.preservedPeakBytes],
    ["current_cow_size", saving.preservedBytes],
    ["current_cow_size_age", 0],
    ["current_fork_perc", ((saving.keysDone * 100) / Math.max(1, saving.keysTotal)).toFixed(2)],
    ["current_save_keys_processed", saving.keysDone],
    ["current_save_keys_total", saving.keysTotal],
    ["rdb_changes_since_last_save", ctx.keyspace.dirty],
    ["rdb_bgsave_in_progress", Number(saving.isSaving)],
    ["rdb_last_save_time", saving.lastSaveSeconds],
    ["rdb_last_bgsave_status", saving.lastSucceeded ? "ok" : "err"],
    ["rdb_last_bgsave_time_sec", saving.lastDuration],
    ["rdb_current_bgsave_time_sec", saving.currentDuration],
    ["rdb_saves", saving.saves],
    ["rdb_last_cow_size", saving.lastPreservedBytes],
    ["rdb_last_load_keys_expired", ctx.stats.rdbKeysExpired],
    ["rdb_last_load_keys_loaded", ctx.stats.rdbKeysLoaded],
    ...aofFields(ctx),
    ...loadingFields(ctx),
  ];
}

function aofFields(ctx: CommandContext): Field[] {
  const report = ctx.server.appendOnly.report();
  const fields: Field[] = [
    ["aof_enabled", Number(report.isOn)],
    ["aof_rewrite_in_progress", Number(report.isRewriting)],
    ["aof_rewrite_scheduled", Number(report.isRewriteScheduled)],
    ["aof_last_rewrite_time_sec", report.lastRewriteSeconds],
    ["aof_current_rewrite_time_sec", report.currentRewriteSeconds],
    ["aof_last_bgrewrite_status", report.lastRewriteSucceeded ? "ok" : "err"],
    ["aof_rewrites", report.rewrites],
    ["aof_rewrites_consecutive_failures", report.rewriteFailures],
    ["aof_last_write_status", report.canWrite ? "ok" : "err"],
    ["aof_last_cow_size", 0],
    ["module_fork_in_progress", 0],
    ["module_fork_last_cow_size", 0],
  ];
  if (!report.isOn) return fields;
  return [
    ...fields,
    ["aof_current_size", report.currentBytes],
    ["aof_base_size", report.baseBytes],
    ["aof_pending_rewrite", Number(report.isRewriteScheduled)],
    ["aof_buffer_length", report.waitingBytes],
    ["aof_pending_bio_fsync", Number(report.isSyncing)],
    ["aof_delayed_fsync", report.delayedSyncs],
  ];
}

/** How far the loading of data is, while it goes on. */
function loadingFields(ctx: CommandContext): Field[] {
  const report = ctx.server.loadingReport();
  if (report === null) return [];
  const { startedMs, totalBytes, loadedBytes, usedMemoryBytes } = report;
  const elapsedSeconds = Math.floor((ctx.keyspace.nowMs - startedMs) / 1000);
  const etaSeconds = (elapsedSeconds * (totalBytes - loadedBytes)) / (loadedBytes + 1);
  return [
    ["loading_start_time", Math.floor(startedMs / 1000)],
    ["loading_total_bytes", totalBytes],
    ["loading_rdb_used_mem", usedMemoryBytes],
    ["loading_loaded_bytes", loadedBytes],
    ["loading_loaded_perc", percentage(loadedBytes, totalBytes).toFixed(2)],
    // As in Redis: nothing is known in the first second.
    ["loading_eta_seconds", elapsedSeconds === 0 ? 1 : Math.floor(etaSeconds)],
  ];
}

function statsFields(ctx: CommandContext): Field[] {
  const { keyspace, stats } = ctx;
  const { compactor, evictor, expiry } = keyspace;
  let commandUs = 0;
  for (let i = 0; i < stats.microseconds.length; i++) commandUs += stats.microseconds[i];
  return [
    ["total_connections_received", stats.connectionsReceived],
    ["total_commands_processed", stats.commandsProcessed],
    ["instantaneous_ops_per_sec", Math.round(stats.commandRate.perSecond())],
    ["total_net_input_bytes", stats.bytesIn],
    ["total_net_output_bytes", stats.bytesOut],
    ["total_net_repl_input_bytes", 0],
    ["total_net_repl_output_bytes", 0],
    ["instantaneous_input_kbps", (stats.inputRate.perSecond() / 1024).toFixed(2)],
    ["instantaneous_output_kbps", (stats.outputRate.perSecond() / 1024).toFixed(2)],
    ["instantaneous_input_repl_kbps", "0.00"],
    ["instantaneous_output_repl_kbps", "0.00"],
    ["rejected_connections", stats.connectionsRejected],
    ["sync_full", 0],
    ["sync_partial_ok", 0],
    ["sync_partial_err", 0],
    ["expired_keys", keyspace.expiredKeys],
    ["expired_fields", keyspace.expiredFields],
    ["expired_stale_perc", (expiry.staleShare * 100).toFixed(2)],
    ["expired_time_cap_reached_count", expiry.timeCapReached],
    ["expire_cycle_cpu_milliseconds", Math.floor(expiry.spentUs / 1000)],
    ["evicted_keys", keyspace.evictedKeys],
    ["evicted_clients", stats.evictedClients],
    ["evicted_scripts", 0],
    ["total_eviction_exceeded_time", Math.floor(evictor.totalExceededUs() / 1000)],
    ["current_eviction_exceeded_time", Math.floor(evictor.currentExceededUs() / 1000)],
    ["keyspace_hits", keyspace.hits],
    ["keyspace_misses", keyspace.misses],
    ["pubsub_channels", ctx.clients.pubsub.count(SubscriptionKind.CHANNEL)],
    ["pubsub_patterns", ctx.clients.pubsub.count(SubscriptionKind.PATTERN)],
    ["pubsubshard_channels", ctx.clients.pubsub.count(SubscriptionKind.SHARD_CHANNEL)],
    ["latest_fork_usec", 0],
    ["total_forks", ctx.server.saving.report().snapshots],
    ["migrate_cached_sockets", 0],
    ["slave_expires_tracked_keys", 0],
    ["active_defrag_hits", compactor.hits],
    ["active_defrag_misses", compactor.misses],
    ["active_defrag_key_hits", compactor.keyHits],
    ["active_defrag_key_misses", compactor.keyMisses],
    ["total_active_defrag_time", Math.floor(compactor.totalPassUs() / 1000)],
    ["current_active_defrag_time", Math.floor(compactor.currentPassUs() / 1000)],
    ["tracking_total_keys", ctx.clients.tracking.keyCount],
    ["tracking_total_items", ctx.clients.tracking.itemCount],
    ["tracking_total_prefixes", ctx.clients.tracking.prefixCount],
    ["unexpected_error_replies", stats.unexpectedErrorReplies],
    ["total_error_replies", stats.errorReplies],
    ["dump_payload_sanitizations", 0],
    ["total_reads_processed", stats.readEvents],
    ["total_writes_processed", stats.writeEvents],
    ["client_query_buffer_limit_disconnections", stats.queryBufferLimitDisconnections],
    ["client_output_buffer_limit_disconnections", stats.outputBufferLimitDisconnections],
    ["reply_buffer_shrinks", stats.replyBufferShrinks],
    ["reply_buffer_expands", stats.replyBufferExpands],
    ["eventloop_cycles", stats.eventLoopCycles],
    ["eventloop_duration_sum", Math.round(Math.max(stats.eventLoopUs, commandUs))],
    ["eventloop_duration_cmd_sum", Math.round(commandUs)],
    ["instantaneous_eventloop_cycles_per_sec", Math.round(stats.cycleRate.perSecond())],
    ["instantaneous_eventloop_duration_usec", Math.round(loopUsPerCycle(ctx))],
    ["acl_access_denied_auth", stats.authDeniedAuth],
    ["acl_access_denied_cmd", stats.authDeniedCommand],
    ["acl_access_denied_key", 0],
    ["acl_access_denied_channel", 0],
    ["internal_errors", stats.internalErrors],
  ];
}

/** Mean duration of the event loop's latest cycles. */
function loopUsPerCycle(ctx: CommandContext): number {
  const cycles = ctx.stats.cycleRate.perSecond();
  return cycles === 0 ? 0 : ctx.stats.loopTimeRate.perSecond() / cycles;
}

function replicationFields(ctx: CommandContext): Field[] {
  return [
    ["role", "master"],
    ["connected_slaves", 0],
    ["replicas_waiting_psync", 0],
    ["master_failover_state", "no-failover"],
    ["master_replid", ctx.server.runId],
    ["master_replid2", "0".repeat(40)],
    ["master_repl_offset", 0],
    ["second_repl_offset", -1],
    ["repl_backlog_active", 0],
    ["repl_backlog_size", ctx.config.int("repl-backlog-size")],
    ["repl_backlog_first_byte_offset", 0],
    ["repl_backlog_histlen", 0],
  ];
}

function cpuFields(ctx: CommandContext): Field[] {
  const { systemSeconds, userSeconds } = ctx.server.processCpu();
  return [
    ["used_cpu_sys", systemSeconds.toFixed(6)],
    ["used_cpu_user", userSeconds.toFixed(6)],
    ["used_cpu_sys_children", "0.000000"],
    ["used_cpu_user_children", "0.000000"],
  ];
}

function commandStatsFields(ctx: CommandContext): Field[] {
  const { stats } = ctx;
  const fields: Field[] = [];
  for (const [number, spec] of ctx.server.commands.entries()) {
    stats.times.settle(number);
    const calls = stats.calls[number];
    const rejected = stats.rejectedCalls[number];
    const failed = stats.failedCalls[number];
    if (calls + rejected + failed === 0) continue;
    const usec = Math.round(stats.microseconds[number]);
    const usecPerCall = (calls === 0 ? 0 : usec / calls).toFixed(2);
    fields.push([
      `cmdstat_${shownName(spec)}`,
      `calls=${calls},usec=${usec},usec_per_call=${usecPerCall},` +
        `rejected_calls=${rejected},failed_calls=${failed}`,
    ]);
  }
  return fields;
}

function latencyStatsFields(ctx: CommandContext): Field[] {
  const { config, stats } = ctx;
  if (!config.bool("latency-tracking")) return [];
  const percentiles = config.latencyPercentiles();
  const fields: Field[] = [];
  for (const [number, spec] of ctx.server.commands.entries()) {
    const histogram = stats.times.histogram(number);
    if (histogram === null) continue;
    const values = percentiles.map((p) => `p${p}=${(histogram.valueAt(p) / 1000).toFixed(3)}`);
    fields.push([`latency_percentiles_usec_${shownName(spec)}`, values.join(",")]);
  }
  return fields;
}

function shownName(spec: CommandSpec): string {
  return withoutMarks(fullName(spec));
}

function errorStatsFields(ctx: CommandContext): Field[] {
  return [...ctx.stats.errors.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, count]) => [`errorstat_${withoutMarks(code)}`, `count=${count}`]);
}

/** The text with `_` for the characters that have a meaning in INFO. */
function withoutMarks(text: string): string {
  return text.replace(/[#:\r\n]/g, "_");
}

function clusterFields(): Field[] {
  return [["cluster_enabled", 0]];
}

function keyspaceFields(ctx: CommandContext): Field[] {
  const fields: Field[] = [];
  for (const { id, index, volatile, averageTtlMs, expiringFields } of ctx.keyspace.databases) {
    if (index.size === 0) continue;
    const ttl = Math.round(averageTtlMs);
    const text = `keys=${index.size},expires=${volatile.size},avg_ttl=${ttl}`;
    const { size } = expiringFields;
    // Valkey 9 shows it always, 8.1 never: only where there is something to show.
    fields.push([`db${id}`, size === 0 ? text : `${text},keys_with_volatile_items=${size}`]);
  }
  return fields;
}

function debugFields(ctx: CommandContext): Field[] {
  const { arena } = ctx.keyspace;
  const { stats } = ctx;
  return [
    // The append-only file is written by a Worker.
    ["eventloop_duration_aof_sum", 0],
    ["eventloop_duration_cron_sum", Math.round(stats.cronUs)],
    ["eventloop_duration_max", Math.round(stats.cycleUsMax)],
    ["eventloop_cmd_per_cycle_max", stats.cycleCommandsMax],
    ["arena_reserved_bytes", arena.reservedBytes],
    ["arena_segments_dropped", arena.segmentsDropped],
  ];
}
