/**
 * CLIENT PAUSE: requests wait, until a moment or CLIENT UNPAUSE. A postponed request stays in its
 * connection's query buffer and is parsed and run anew afterwards, so nothing is kept of it here.
 *
 * A second pause can extend the first and make it stricter, but neither shorten nor relax it.
 * While paused, the server also neither expires nor evicts keys: data stand still.
 */
import { Flag } from "../commands/spec.ts";
import { type Dispatcher, ServerGate } from "../dispatch/dispatcher.ts";
import { ExpiryHold, type Keyspace } from "../keyspace/keyspace.ts";
import type { ClientRegistry } from "../session/client-registry.ts";

const WRITING = Flag.WRITE | Flag.MAY_REPLICATE;
const EVERYTHING = -1;

export class ClientPause {
  /** Unix ms; 0 = not paused. */
  private untilMs = 0;

  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly keyspace: Keyspace,
    private readonly clients: ClientRegistry,
    /** Runs a function after the events at hand. */
    private readonly later: (run: () => void) => void,
    private readonly onEnd: () => void,
  ) {}

  get isPaused(): boolean {
    return this.untilMs !== 0;
  }

  /** The pause that is on, or null. */
  current(): { untilMs: number; writesOnly: boolean } | null {
    if (!this.isPaused) return null;
    return { untilMs: this.untilMs, writesOnly: this.dispatcher.pausedFlags !== EVERYTHING };
  }

  begin(untilMs: number, writesOnly: boolean): void {
    const { dispatcher } = this;
    this.untilMs = Math.max(this.untilMs, untilMs);
    if (!writesOnly) dispatcher.pausedFlags = EVERYTHING;
    else if (dispatcher.pausedFlags !== EVERYTHING) dispatcher.pausedFlags = WRITING;
    dispatcher.gate |= ServerGate.PAUSED;
    this.keyspace.holdExpiry(ExpiryHold.PAUSE, true);
  }

  /** Ends the pause when its time has come. */
  check(nowMs: number): void {
    if (this.isPaused && nowMs >= this.untilMs) this.end();
  }

  end(): void {
    if (!this.isPaused) return;
    this.untilMs = 0;
    this.dispatcher.pausedFlags = 0;
    this.dispatcher.gate &= ~ServerGate.PAUSED;
    this.keyspace.holdExpiry(ExpiryHold.PAUSE, false);
    this.onEnd();
    for (const client of this.clients.all()) {
      if (!client.postponed) continue;
      client.postponed = false;
      client.blocked = false;
      this.later(() => client.transport.resume());
    }
  }
}
