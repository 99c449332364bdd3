/**
 * client-output-buffer-limit: how much a client may leave unread before it is disconnected. The
 * hard limit acts at once, the soft one after its seconds in a row; a client that never
 * authenticated where a password is required gets a kilobyte.
 */
import { type Client, Gate } from "../session/client.ts";

/** Limits of one class of clients; 0 bytes = no limit. */
export interface OutputLimit {
  hardBytes: number;
  softBytes: number;
  softSeconds: number;
}

const UNAUTHENTICATED_BYTES_MAX = 1024;

export function exceedsOutputLimit(
  client: Client,
  pendingBytes: number,
  limit: OutputLimit,
  nowMs: number,
): boolean {
  if (
    pendingBytes > UNAUTHENTICATED_BYTES_MAX &&
    (client.gate & Gate.UNAUTHENTICATED) !== 0 &&
    !client.everAuthenticated
  ) {
    return true;
  }
  const { hardBytes: hard, softBytes: soft } = limit;
  if (hard > 0 && pendingBytes >= hard) return true;
  if (soft === 0 || pendingBytes < soft) {
    client.softLimitSinceMs = 0;
    return false;
  }
  if (client.softLimitSinceMs === 0) client.softLimitSinceMs = nowMs;
  return nowMs - client.softLimitSinceMs > limit.softSeconds * 1000;
}
