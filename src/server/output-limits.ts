/**
 * client-output-buffer-limit: how much a client may leave unread before it is disconnected. The
 * hard limit acts at once, the soft one after its seconds in a row; a client that never
 * authenticated where a password is required gets a kilobyte.
 *
 * A single reply has a limit too where the user set none: it is built in memory.
 */
import { REPLY_BYTES_MAX } from "../protocol/reply-writer.ts";
import { type Client, Gate } from "../session/client.ts";

/** Limits of one class of clients; 0 bytes = no limit. */
export interface OutputLimit {
  hardBytes: number;
  softBytes: number;
  softSeconds: number;
}

const UNAUTHENTICATED_BYTES_MAX = 1024;

/** A reply is built in memory, and a copy of it waits for a peer that is slow to take it. */
const REPLY_MEMORY_SHARE = 4;
/** The reply that is allowed on a machine of any size. */
const REPLY_BYTES_SAFE = 256 * 1024 * 1024;

export class OutputLimits {
  /** Of the classes normal and pubsub. */
  normal: OutputLimit;
  pubsub: OutputLimit;
  /** No reply may be longer, whatever the limits say. */
  private readonly replyBytesMax: number;

  constructor(limits: { normal: OutputLimit; pubsub: OutputLimit }, machineBytes: number) {
    this.normal = limits.normal;
    this.pubsub = limits.pubsub;
    this.replyBytesMax = Math.min(
      REPLY_BYTES_MAX,
      Math.max(REPLY_BYTES_SAFE, machineBytes / REPLY_MEMORY_SHARE),
    );
  }

  /** Bytes that may wait for a client's peer before the client is closed at once. */
  bytesMax(client: Client): number {
    const { hardBytes } = this.of(client);
    return hardBytes === 0 ? this.replyBytesMax : Math.min(hardBytes, this.replyBytesMax);
  }

  /** Whether a client for whom so many bytes wait is to be closed. */
  isExceeded(client: Client, pendingBytes: number, nowMs: number): boolean {
    if (
      pendingBytes > UNAUTHENTICATED_BYTES_MAX &&
      (client.gate & Gate.UNAUTHENTICATED) !== 0 &&
      !client.everAuthenticated
    ) {
      return true;
    }
    const { hardBytes: hard, softBytes: soft, softSeconds } = this.of(client);
    if (hard > 0 && pendingBytes >= hard) return true;
    if (soft === 0 || pendingBytes < soft) {
      client.softLimitSinceMs = 0;
      return false;
    }
    if (client.softLimitSinceMs === 0) client.softLimitSinceMs = nowMs;
    return nowMs - client.softLimitSinceMs > softSeconds * 1000;
  }

  private of(client: Client): OutputLimit {
    return (client.gate & Gate.SUBSCRIBED) === 0 ? this.normal : this.pubsub;
  }
}
