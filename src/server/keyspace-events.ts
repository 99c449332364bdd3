// HOT PATH: rules in src/README.md
/**
 * Keyspace notifications: each event of an enabled class is a message on up to two channels,
 *
 *     __keyspace@<database>__:<key>      says the event
 *     __keyevent@<database>__:<event>    says the key
 *
 * Both are built in memory of our own, since the key may lie anywhere. The keyspace asks for the
 * class before it calls, so that events cost nothing while nobody wants them.
 */
import { writeAscii } from "../base/ascii.ts";
import { copyBytes } from "../base/bytes.ts";
import { writeInteger } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { type PubSub, SubscriptionKind } from "../session/pubsub.ts";

const KINDS = NotifyClass.KEYSPACE | NotifyClass.KEYEVENT;
/** Longest "__keyspace@<database>__:". */
const PREFIX_BYTES_MAX = 40;

/** The classes in which `bits` (notify-keyspace-events) lets events out at all. */
export function notifiedClasses(bits: number): number {
  return (bits & KINDS) === 0 ? 0 : bits & ~KINDS;
}

export class KeyspaceEvents {
  /** Bits of NotifyClass: which of the two kinds of channel. */
  kinds = 0;
  private bytes = new Uint8Array(1024);
  private view = new DataView(this.bytes.buffer);

  constructor(private readonly pubsub: PubSub) {}

  /** Publishes an event of the key start..end of `key`. */
  publish(event: string, database: number, key: DataView, start: number, end: number): void {
    if (!this.pubsub.hasListeners) return;
    const keyLength = end - start;
    const needed = PREFIX_BYTES_MAX + keyLength + 2 * event.length;
    if (needed > this.bytes.length) this.grow(needed);
    const { bytes, view, pubsub } = this;
    if ((this.kinds & NotifyClass.KEYSPACE) !== 0) {
      const nameAt = this.writePrefix("__keyspace@", database);
      copyBytes(view, nameAt, key, start, keyLength);
      const channelTo = nameAt + keyLength;
      const to = writeAscii(bytes, channelTo, event);
      pubsub.publish(SubscriptionKind.CHANNEL, bytes, view, 0, channelTo, view, channelTo, to);
    }
    if ((this.kinds & NotifyClass.KEYEVENT) !== 0) {
      const channelTo = writeAscii(bytes, this.writePrefix("__keyevent@", database), event);
      pubsub.publish(SubscriptionKind.CHANNEL, bytes, view, 0, channelTo, key, start, end);
    }
  }

  private writePrefix(prefix: string, database: number): number {
    const { bytes } = this;
    return writeAscii(bytes, writeInteger(bytes, writeAscii(bytes, 0, prefix), database), "__:");
  }

  private grow(needed: number): void {
    this.bytes = new Uint8Array(needed * 2);
    this.view = new DataView(this.bytes.buffer);
  }
}
