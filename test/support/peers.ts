/**
 * Where the reference servers and their tools are.
 *
 * They are looked for in $BUNSEN_PEERS/bin (default: ~/.cache/bunsen-peers/bin) and, for the
 * tools that a distribution may have installed, on PATH. A test that needs a missing one is
 * skipped with a message that says so; with CI=true it fails instead, because a build that
 * silently compares with nothing proves nothing.
 */
import { describe, test } from "bun:test";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";

export type PeerName =
  | "valkey-server"
  | "valkey-cli"
  | "valkey-benchmark"
  | "valkey-check-rdb"
  | "valkey-check-aof"
  | "redis-server"
  | "redis-cli"
  | "redis-benchmark";

/** The folder that the peers' installer fills. */
export function peersFolder(): string {
  return process.env.BUNSEN_PEERS ?? join(homedir(), ".cache", "bunsen-peers");
}

/** Path of a peer's executable, or null when it is not installed. */
export function findPeer(name: PeerName): string | null {
  const installed = join(peersFolder(), "bin", name);
  if (existsSync(installed)) return installed;
  return Bun.which(name);
}

/** Path of a peer's executable. Requires: it is installed (inside `describeWithPeers` it is). */
export function getPeer(name: PeerName): string {
  const path = findPeer(name);
  if (path === null) throw new Error(missingMessage([name]));
  return path;
}

/** `describe`, but skipped (or failed, under CI=true) when one of the peers is missing. */
export function describeWithPeers(title: string, peers: readonly PeerName[], body: () => void) {
  const missing = peers.filter((name) => findPeer(name) === null);
  if (missing.length === 0) {
    describe(title, body);
    return;
  }
  const message = missingMessage(missing);
  if (process.env.CI === "true") {
    test(title, () => {
      throw new Error(message);
    });
    return;
  }
  console.warn(`${title}: skipped, ${message}`);
  describe.skip(`${title} (${message})`, body);
}

/**
 * True when BUNSEN_BIN names a reference server, which then stands in for ours: that is how the
 * tests themselves are tested. What only ours can do is left out then.
 */
export function isStandIn(): boolean {
  return /^(valkey|redis)-server/.test(basename(process.env.BUNSEN_BIN ?? ""));
}

function missingMessage(names: readonly string[]): string {
  return `${names.join(", ")} not found in ${join(peersFolder(), "bin")} nor on PATH`;
}
