/**
 * What a handler may touch besides its arguments and its reply. One context serves an engine; the
 * dispatcher points `client` and `db` at whoever runs a command before it calls the handler.
 */
import type { Prng } from "../base/prng.ts";
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { DumpPayloads } from "../persistence/dump-payload.ts";
import type { Effects } from "../propagation/effects.ts";
import type { CommandLog } from "../runtime/command-log.ts";
import type { Config } from "../runtime/config/config.ts";
import type { LatencyMonitor } from "../runtime/latency.ts";
import type { Log } from "../runtime/log.ts";
import type { Stats } from "../runtime/stats.ts";
import type { Client } from "../session/client.ts";
import type { ClientRegistry } from "../session/client-registry.ts";
import type { Monitors } from "../session/monitors.ts";
import type { ServerControl } from "./server-control.ts";

/** The same memory as bytes and as a view. */
export interface Scratch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Who looks at the commands that run. */
export interface Observers {
  readonly commandLog: CommandLog;
  readonly latency: LatencyMonitor;
  readonly monitors: Monitors;
}

export interface CommandContext {
  readonly keyspace: Keyspace;
  client: Client;
  /** The client's selected database. */
  db: Database;
  /** What the command that runs propagates as, if not as its request. */
  readonly effects: Effects;
  readonly clients: ClientRegistry;
  readonly config: Config;
  readonly stats: Stats;
  readonly observers: Observers;
  readonly log: Log;
  readonly prng: Prng;
  readonly payloads: DumpPayloads;
  /** 64 KiB to build a value in; contents last until the next command. */
  readonly scratch: Scratch;
  /** What only the layers above can do: shut down, sleep, report on the process. */
  readonly server: ServerControl;
}
