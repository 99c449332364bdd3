/**
 * Who a client is. There is one user, "default"; `requirepass` is its password, and without one it
 * gets in with any.
 *
 * A connection counts as authenticated when it was accepted while no password was required, or
 * gave the right one. Setting a password later throws nobody out, as in Valkey; removing it lets
 * those in who had not authenticated, until the next password is set.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Config } from "../runtime/config/config.ts";
import { type Client, Gate } from "../session/client.ts";
import type { ClientRegistry } from "../session/client-registry.ts";

export const DEFAULT_USER = "default";

/** Whether the default user needs a password. */
export function requiresPassword(config: Config): boolean {
  return config.string("requirepass") !== "";
}

/** Makes `client` what a new connection is. For accepted connections and for RESET. */
export function beginUnauthenticated(client: Client, config: Config): void {
  const isOpen = !requiresPassword(config);
  client.user = DEFAULT_USER;
  client.authenticated = isOpen;
  if (isOpen) client.everAuthenticated = true;
  client.setGate(Gate.UNAUTHENTICATED, !isOpen);
}

/** Applies a changed `requirepass` to the clients that are connected. */
export function applyPassword(clients: ClientRegistry, config: Config): void {
  const isClosed = requiresPassword(config);
  for (const client of clients.all()) {
    client.setGate(Gate.UNAUTHENTICATED, isClosed && !client.authenticated);
  }
}

/** Authenticates `client` if the password is right. Byte strings with a character per byte. */
export function authenticate(
  client: Client,
  config: Config,
  user: string,
  password: string,
): boolean {
  if (user !== DEFAULT_USER) return false;
  if (requiresPassword(config) && !isSamePassword(password, config.string("requirepass"))) {
    return false;
  }
  client.user = user;
  client.authenticated = true;
  client.everAuthenticated = true;
  client.setGate(Gate.UNAUTHENTICATED, false);
  return true;
}

/** Compares digests, so that the time taken tells neither the length nor the first difference. */
function isSamePassword(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(Buffer.from(text, "latin1")).digest();
}
