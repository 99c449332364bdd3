// HOT PATH: rules in src/README.md
/**
 * Channels, patterns and shard channels, and who is subscribed to them. All of it lives on the
 * collector's heap: subscriptions are few beside keys, and end with their clients.
 *
 * A message goes to the subscribers of its channel in the order in which they came, then to those
 * of each pattern that matches, in the order of the patterns. A client that is reached twice gets
 * it twice. Publishing is O(receivers + patterns).
 *
 * Names of channels are bytes; as keys of maps they are strings of one character per byte.
 */
import { equalBytes, latin1FromBytes } from "../base/ascii.ts";
import { globMatch } from "../base/glob.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { type Client, Gate } from "./client.ts";
import type { Pushes } from "./push-log.ts";

export const enum SubscriptionKind {
  CHANNEL = 0,
  PATTERN = 1,
  SHARD_CHANNEL = 2,
}

/** A channel or pattern with at least one subscriber. */
interface Subscribed {
  readonly name: Uint8Array;
  readonly clients: Set<Client>;
}

/** What a client is subscribed to: names by SubscriptionKind. */
export type Subscriptions = readonly [Set<string>, Set<string>, Set<string>];

export class PubSub {
  /** Clients with at least one subscription. */
  clientCount = 0;
  /** By SubscriptionKind. */
  private readonly subscribed: readonly Map<string, Subscribed>[] = [
    new Map<string, Subscribed>(),
    new Map<string, Subscribed>(),
    new Map<string, Subscribed>(),
  ];
  /** The channel that was published to last, by kind: as a rule, it is the next one, too. */
  private readonly recent: (Subscribed | null)[] = [null, null, null];

  constructor(private readonly pushes: Pushes) {}

  /** Channels (or patterns) that have subscribers. */
  count(kind: SubscriptionKind): number {
    return this.subscribed[kind].size;
  }

  /** Whether a message to any channel could reach somebody. */
  get hasListeners(): boolean {
    return (
      this.subscribed[SubscriptionKind.CHANNEL].size > 0 ||
      this.subscribed[SubscriptionKind.PATTERN].size > 0
    );
  }

  /** Subscribers of one channel. */
  subscriberCount(kind: SubscriptionKind, name: string): number {
    return this.subscribed[kind].get(name)?.clients.size ?? 0;
  }

  /** Names of the channels that have subscribers. */
  *names(kind: SubscriptionKind): IterableIterator<Uint8Array> {
    for (const { name } of this.subscribed[kind].values()) yield name;
  }

  /** Subscribes a client, unless it is subscribed already. COLD: rare beside messages. */
  subscribe(client: Client, kind: SubscriptionKind, name: Uint8Array): void {
    const key = latin1FromBytes(name, 0, name.length);
    client.subscriptions ??= [new Set(), new Set(), new Set()];
    const own = client.subscriptions[kind];
    if (own.has(key)) return;
    own.add(key);
    client.nameBytes += key.length;
    const map = this.subscribed[kind];
    const known = map.get(key);
    if (known === undefined) map.set(key, { name, clients: new Set([client]) });
    else known.clients.add(client);
    if ((client.gate & Gate.SUBSCRIBED) !== 0) return;
    client.setGate(Gate.SUBSCRIBED, true);
    this.clientCount++;
  }

  /** Ends a subscription, if there is one. COLD: rare beside messages. */
  unsubscribe(client: Client, kind: SubscriptionKind, key: string): void {
    if (client.subscriptions === null || !client.subscriptions[kind].delete(key)) return;
    client.nameBytes -= key.length;
    const map = this.subscribed[kind];
    const subscribed = map.get(key) as Subscribed;
    subscribed.clients.delete(client);
    if (subscribed.clients.size === 0) {
      map.delete(key);
      this.recent[kind] = null;
    }
    if (client.subscriptions.some((names) => names.size > 0)) return;
    client.setGate(Gate.SUBSCRIBED, false);
    this.clientCount--;
  }

  /** Ends all subscriptions of a client. COLD: once per client. */
  forget(client: Client): void {
    if (client.subscriptions === null) return;
    for (const kind of [
      SubscriptionKind.CHANNEL,
      SubscriptionKind.PATTERN,
      SubscriptionKind.SHARD_CHANNEL,
    ]) {
      for (const name of client.subscriptions[kind]) this.unsubscribe(client, kind, name);
    }
    client.subscriptions = null;
  }

  /**
   * Sends a message to the subscribers of the channel that is bytes from..to of `bytes` and `view`,
   * which cover the same memory. Returns how many it reached.
   */
  publish(
    kind: SubscriptionKind.CHANNEL | SubscriptionKind.SHARD_CHANNEL,
    bytes: Uint8Array,
    view: DataView,
    from: number,
    to: number,
    messageView: DataView,
    messageFrom: number,
    messageTo: number,
  ): number {
    let receivers = 0;
    this.pushes.makeRoom();
    if (this.subscribed[kind].size > 0) {
      const subscribed = this.channel(kind, bytes, from, to);
      if (subscribed !== null) {
        const word = kind === SubscriptionKind.CHANNEL ? "message" : "smessage";
        const { clients } = subscribed;
        this.deliver(clients, word, null, view, from, to, messageView, messageFrom, messageTo);
        receivers += clients.size;
      }
    }
    const patterns = this.subscribed[SubscriptionKind.PATTERN];
    if (kind === SubscriptionKind.SHARD_CHANNEL || patterns.size === 0) return receivers;
    for (const { name, clients } of patterns.values()) {
      if (!globMatch(name, 0, name.length, bytes, from, to, false)) continue;
      this.deliver(clients, "pmessage", name, view, from, to, messageView, messageFrom, messageTo);
      receivers += clients.size;
    }
    return receivers;
  }

  /** The channel of this name, if it has subscribers. */
  private channel(
    kind: SubscriptionKind,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): Subscribed | null {
    const recent = this.recent[kind];
    if (recent !== null && equalBytes(recent.name, 0, recent.name.length, bytes, from, to)) {
      return recent;
    }
    const found = this.subscribed[kind].get(latin1FromBytes(bytes, from, to)) ?? null;
    if (found !== null) this.recent[kind] = found;
    return found;
  }

  /** Encodes a message once per protocol and sends it to the clients. */
  private deliver(
    clients: Set<Client>,
    word: string,
    pattern: Uint8Array | null,
    view: DataView,
    from: number,
    to: number,
    messageView: DataView,
    messageFrom: number,
    messageTo: number,
  ): void {
    const { pushes } = this;
    let from2 = -1;
    let from3 = -1;
    for (const client of clients) {
      const log = pushes.logOf(client);
      const { writer } = log;
      const isEncoded = writer.resp3 ? from3 >= 0 : from2 >= 0;
      if (!isEncoded) {
        if (writer.resp3) from3 = writer.length;
        else from2 = writer.length;
        writeHead(writer, word, pattern);
        writer.bulk(view, from, to - from);
        writer.bulk(messageView, messageFrom, messageTo - messageFrom);
      }
      pushes.send(client, log, writer.resp3 ? from3 : from2, writer.length);
    }
  }
}

function writeHead(writer: ReplyWriter, word: string, pattern: Uint8Array | null): void {
  writer.push(pattern === null ? 3 : 4);
  writer.bulkText(word);
  if (pattern !== null) writer.bulkBytes(pattern);
}
