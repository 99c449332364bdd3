/**
 * Wakes clients that wait for keys: when a key is ready, after the command that made it so, and
 * when their time is up. See session/blocking.ts for the rules.
 *
 * Replies to woken clients go through a writer of their own, because the engine's may hold the
 * replies of the client whose command woke them.
 */
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { metaOf, typeOf } from "../keyspace/record.ts";
import { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Blocking, Wait } from "../session/blocking.ts";
import type { Pushes } from "../session/push-log.ts";

export class Wakeups {
  private readonly reply = new ReplyWriter();
  private timer: Timer | null = null;
  private timerAtMs = 0;

  constructor(
    private readonly blocking: Blocking,
    private readonly keyspace: Keyspace,
    private readonly dispatcher: Dispatcher,
    private readonly pushes: Pushes,
    /** Runs a function after the events at hand. */
    private readonly later: (run: () => void) => void,
  ) {}

  /** Serves all ready keys, and those that become ready by serving them (BLMOVE). */
  serve(): void {
    for (;;) {
      const ready = this.blocking.takeReady();
      if (ready === null) return;
      // The command that made the key ready may have taken long enough for it to expire.
      this.keyspace.tick();
      const view = new DataView(ready.key.buffer, ready.key.byteOffset, ready.key.length);
      for (const wait of ready.waits) {
        if (wait.client.wait !== wait) continue;
        const record = this.keyspace.databases[ready.database].peek(view, 0, ready.key.length);
        const fits =
          record !== 0 && typeOf(metaOf(this.keyspace.arena, record)) === Number(wait.type);
        if (fits || wait.wakesOnMissing) this.retry(wait);
      }
    }
  }

  /** A wait with a deadline began: makes sure that somebody looks when it has passed. */
  schedule(deadlineMs: number): void {
    if (this.timer !== null && this.timerAtMs <= deadlineMs) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timerAtMs = deadlineMs;
    const delay = Math.max(0, deadlineMs - this.keyspace.clock.nowMs());
    // A timer may fire a little early by the wall clock, and takes 31 bits of ms at most.
    this.timer = setTimeout(() => this.expire(), Math.min(delay + 1, 2147483647));
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Ends a client's wait early (CLIENT UNBLOCK): with its timeout's reply, or an error. */
  unblock(wait: Wait, error: string | null): void {
    if (error === null) this.answer(wait, wait.onTimeout);
    else this.answer(wait, (reply) => reply.error(error), true);
  }

  private expire(): void {
    this.timer = null;
    this.keyspace.tick();
    for (const wait of this.blocking.expired(this.keyspace.nowMs))
      this.answer(wait, wait.onTimeout);
    const next = this.blocking.nextDeadlineMs();
    if (next !== 0) this.schedule(next);
  }

  private retry(wait: Wait): void {
    const { client } = wait;
    const { reply } = this;
    this.pushes.flushOne(client);
    reply.resp3 = client.resp === 3;
    client.blocked = false;
    this.dispatcher.run(wait.command, client, wait.args, reply);
    if (reply.length === 0) client.blocked = true;
    else this.finish(wait);
  }

  private answer(wait: Wait, write: (reply: ReplyWriter) => void, failed = false): void {
    this.pushes.flushOne(wait.client);
    this.reply.resp3 = wait.client.resp === 3;
    write(this.reply);
    const error = failed ? this.reply.lastErrorCode : null;
    this.dispatcher.countAnswered(wait.command, wait.client, error);
    this.finish(wait);
  }

  /** Sends what is written, and lets the client's following requests run. */
  private finish(wait: Wait): void {
    const { client } = wait;
    this.blocking.release(client);
    client.transport.flush(this.reply);
    this.later(() => client.transport.resume());
  }
}
