/**
 * CLIENT TRACKING: clients keep keys they have read in a cache of their own and are told when those
 * change. Two modes:
 *
 *     default     the server remembers who read which key, tells each once, and forgets it
 *     broadcast   clients name prefixes; the keys below one that changed go out together, to all
 *                 its clients, when the events at hand are served
 *
 * Invalidations are pushes under RESP3; a RESP2 client has them redirected to another connection,
 * as messages of the channel `__redis__:invalidate`.
 *
 * The table of the default mode (session/tracking-table.ts) holds client ids, which are never used
 * twice: a client that leaves costs nothing, its ids go when their keys change or the table is cut.
 * Databases are not told apart, as in Redis. tracking-table-max-keys bounds it.
 */
import { latin1FromBytes } from "../base/ascii.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { type Client, Gate } from "./client.ts";
import type { Pushes } from "./push-log.ts";
import { TrackingTable } from "./tracking-table.ts";

const CHANNEL = "__redis__:invalidate";
/** Keys that one run of `limit` drops at first, and that each further one drops in addition. */
const LIMIT_KEYS = 100;

export interface TrackingOptions {
  /** The client that is sent the invalidations; 0 = this one. */
  readonly redirect: number;
  readonly isBroadcast: boolean;
  readonly isOptIn: boolean;
  readonly isOptOut: boolean;
  /** Changes by the client itself are not told. */
  readonly isNoLoop: boolean;
}

/** How a client tracks. */
export interface ClientTracking {
  options: TrackingOptions;
  /** CLIENT CACHING was given for the next command. */
  hasCaching: boolean;
  /** The client to redirect to is gone. */
  isBroken: boolean;
  /** In broadcast mode. */
  readonly prefixes: Set<string>;
}

/** A prefix of the broadcast mode. */
interface Broadcast {
  readonly clients: Set<Client>;
  /** Keys that changed since the last broadcast, and who changed them last. */
  keys: Map<string, Client | null>;
}

export class Tracking {
  clientCount = 0;
  /** tracking-table-max-keys; 0 = no limit. */
  keysMax = 0;
  /** Made when it is needed. */
  private table: TrackingTable | null = null;
  private readonly broadcasts = new Map<string, Broadcast>();
  private isScheduled = false;
  private runsOverLimit = 0;

  constructor(
    private readonly pushes: Pushes,
    private readonly find: (id: number) => Client | undefined,
    /** `isListening` may have changed. */
    private readonly onChange: () => void,
    private readonly hashKey0: number,
    private readonly hashKey1: number,
  ) {}

  /** Whether changes of keys are of interest. */
  get isListening(): boolean {
    return this.keyCount > 0 || this.broadcasts.size > 0;
  }

  get keyCount(): number {
    return this.table === null ? 0 : this.table.keyCount;
  }

  /** Ids in the table. */
  get itemCount(): number {
    return this.table === null ? 0 : this.table.itemCount;
  }

  get prefixCount(): number {
    return this.broadcasts.size;
  }

  /** Begins, or goes on with other options. Without prefixes, broadcasts are about all keys. */
  enable(client: Client, options: TrackingOptions, prefixes: readonly string[]): void {
    const known = client.tracking;
    if (known === null) {
      this.clientCount++;
      client.tracking = { options, hasCaching: false, isBroken: false, prefixes: new Set() };
    } else {
      known.options = options;
      known.isBroken = false;
    }
    client.setGate(Gate.TRACKING, true);
    if (!options.isBroadcast) return;
    for (const prefix of prefixes.length === 0 ? [""] : prefixes) {
      const own = (client.tracking as ClientTracking).prefixes;
      if (!own.has(prefix)) client.nameBytes += prefix.length;
      own.add(prefix);
      const broadcast = this.broadcasts.get(prefix);
      if (broadcast !== undefined) broadcast.clients.add(client);
      else this.broadcasts.set(prefix, { clients: new Set([client]), keys: new Map() });
    }
    this.onChange();
  }

  disable(client: Client): void {
    if (client.tracking === null) return;
    for (const prefix of client.tracking.prefixes) {
      client.nameBytes -= prefix.length;
      const broadcast = this.broadcasts.get(prefix);
      broadcast?.clients.delete(client);
      if (broadcast?.clients.size === 0) this.broadcasts.delete(prefix);
    }
    client.tracking = null;
    client.setGate(Gate.TRACKING, false);
    this.clientCount--;
    this.onChange();
  }

  /** Whether keys that the client reads now are to be remembered. */
  remembers(client: Client): boolean {
    if (client.tracking === null) return false;
    const { options, hasCaching } = client.tracking;
    if (options.isBroadcast) return false;
    return options.isOptIn ? hasCaching : !(options.isOptOut && hasCaching);
  }

  /** The client has read a key, which may be missing. */
  remember(client: Client, view: DataView, start: number, end: number): void {
    this.table ??= new TrackingTable(this.hashKey0, this.hashKey1);
    const { table } = this;
    const wasEmpty = table.itemCount === 0;
    table.add(view, start, end, client.id);
    if (wasEmpty) this.onChange();
  }

  /** A key changed, by a command of `by`, or by itself (null). */
  invalidate(view: DataView, start: number, end: number, by: Client | null): void {
    if (this.broadcasts.size > 0) {
      const key = textOf(view, start, end);
      for (const [prefix, broadcast] of this.broadcasts) {
        if (!key.startsWith(prefix)) continue;
        broadcast.keys.set(key, by);
        this.schedule();
      }
    }
    if (this.table === null) return;
    const ids = this.table.take(view, start, end);
    if (ids !== null) this.tell(textOf(view, start, end), ids, by);
  }

  /** All keys are gone. */
  invalidateAll(clients: Iterable<Client>): void {
    if (this.clientCount > 0) {
      for (const client of clients) {
        const nothing = client.resp === 3 ? "_\r\n" : "$-1\r\n";
        if (client.tracking !== null) this.send(client, (writer) => writeRaw(writer, nothing));
      }
    }
    this.table?.clear();
    this.onChange();
  }

  /** Drops keys, as if they had changed, while there are too many. */
  limit(): void {
    const { keysMax, table } = this;
    if (table === null || keysMax === 0 || table.keyCount <= keysMax) {
      this.runsOverLimit = 0;
      return;
    }
    const effort = LIMIT_KEYS * (this.runsOverLimit + 1);
    table.dropSome(Math.min(effort, table.keyCount - keysMax), (view, start, end, ids) => {
      this.tell(textOf(view, start, end), ids, null);
    });
    if (table.keyCount <= keysMax) this.runsOverLimit = 0;
    else this.runsOverLimit++;
  }

  /** Tells those who have read a key that was forgotten. */
  private tell(key: string, ids: readonly number[], by: Client | null): void {
    for (const id of ids) {
      const client = this.find(id);
      const options = client?.tracking?.options;
      if (client === undefined || options === undefined || options.isBroadcast) continue;
      if (options.isNoLoop && client === by) continue;
      this.send(client, (writer) => {
        writer.array(1);
        writer.bulkText(key);
      });
    }
    if (this.keyCount === 0) this.onChange();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    this.pushes.later(() => {
      this.isScheduled = false;
      this.broadcast();
    });
  }

  private broadcast(): void {
    for (const broadcast of this.broadcasts.values()) {
      if (broadcast.keys.size === 0) continue;
      const changed = [...broadcast.keys].sort(([a], [b]) => (a < b ? -1 : 1));
      broadcast.keys = new Map();
      for (const client of broadcast.clients) {
        const isNoLoop = client.tracking?.options.isNoLoop === true;
        const told = isNoLoop ? changed.filter(([, by]) => by !== client) : changed;
        if (told.length === 0) continue;
        this.send(client, (writer) => {
          writer.array(told.length);
          for (const [key] of told) writer.bulkText(key);
        });
      }
    }
  }

  /** Sends an invalidation, whose keys `writeKeys` writes, to whom the client wants it sent. */
  private send(client: Client, writeKeys: (writer: ReplyWriter) => void): void {
    const { tracking } = client;
    if (tracking === null) return;
    const { redirect } = tracking.options;
    const target = redirect === 0 ? client : this.find(redirect);
    if (target === undefined || target.closing) {
      tracking.isBroken = true;
      if (client.resp === 2) return;
      this.push(client, (writer) => {
        writer.push(2);
        writer.bulkText("tracking-redir-broken");
        writer.integer(redirect);
      });
    } else if (target.resp === 3) {
      this.push(target, (writer) => {
        writer.push(2);
        writer.bulkText("invalidate");
        writeKeys(writer);
      });
    } else if (redirect !== 0 && (target.gate & Gate.SUBSCRIBED) !== 0) {
      this.push(target, (writer) => {
        writer.push(3);
        writer.bulkText("message");
        writer.bulkText(CHANNEL);
        writeKeys(writer);
      });
    }
  }

  private push(target: Client, write: (writer: ReplyWriter) => void): void {
    const log = this.pushes.logOf(target);
    const from = log.writer.length;
    write(log.writer);
    this.pushes.send(target, log, from, log.writer.length);
  }
}

function textOf(view: DataView, start: number, end: number): string {
  return latin1FromBytes(new Uint8Array(view.buffer, view.byteOffset), start, end);
}

function writeRaw(writer: ReplyWriter, text: string): void {
  const bytes = Buffer.from(text, "latin1");
  writer.raw(bytes, 0, bytes.length);
}
