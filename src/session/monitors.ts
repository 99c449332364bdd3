/**
 * Clients in MONITOR mode, and what they are told: a line for each command that any client runs.
 *
 * Lines collect until the events at hand are served, so that a pipeline of a thousand commands is
 * one write to each monitor and not a thousand. All monitors get the same bytes: whoever joins or
 * leaves lets what was collected go out first.
 */
import { writeAscii } from "../base/ascii.ts";
import { writeQuoted } from "../base/sds-quote.ts";
import type { Args } from "../protocol/args.ts";
import { ReplyWriter } from "../protocol/reply-writer.ts";
import { type Client, Gate } from "./client.ts";

/** Lines are sent early above this. */
const PENDING_BYTES_MAX = 256 * 1024;
const PLUS = 43;
const SPACE = 32;
const CRLF = "\r\n";
const REDACTED = '"(redacted)"';
const US_PER_SECOND = 1_000_000;
/** A quoted byte takes up to four characters; two quotes and a space. */
const QUOTED_BYTE_MAX = 4;
const QUOTES = 3;

export class Monitors {
  private readonly clients = new Set<Client>();
  private readonly pending = new ReplyWriter();
  private readonly output = new ReplyWriter();
  private flushScheduled = false;

  constructor(
    /** Told when there begins, or ceases, to be a monitor. */
    private readonly onChange: (hasMonitors: boolean) => void,
    /** Runs a function after the events at hand. */
    private readonly later: (run: () => void) => void,
  ) {}

  get count(): number {
    return this.clients.size;
  }

  add(client: Client): void {
    if (this.clients.has(client)) return;
    this.flush();
    this.clients.add(client);
    client.setGate(Gate.MONITOR, true);
    if (this.clients.size === 1) this.onChange(true);
  }

  remove(client: Client): void {
    if (!this.clients.has(client)) return;
    this.flush();
    this.clients.delete(client);
    client.setGate(Gate.MONITOR, false);
    if (this.clients.size === 0) this.onChange(false);
  }

  /** Tells of a command that a client has run; `secrets` are arguments that are not shown. */
  feed(client: Client, args: Args, secrets: readonly number[], nowUs: number): void {
    const { pending } = this;
    const seconds = Math.floor(nowUs / US_PER_SECOND);
    const micros = String(nowUs % US_PER_SECOND).padStart(6, "0");
    const head = `${seconds}.${micros} [${client.database} ${sourceOf(client)}]`;
    pending.reserve(head.length + 1);
    pending.bytes[pending.length++] = PLUS;
    pending.length = writeAscii(pending.bytes, pending.length, head);
    for (let i = 0; i < args.count; i++) {
      pending.reserve(QUOTED_BYTE_MAX * args.lengthOf(i) + QUOTES + REDACTED.length + CRLF.length);
      const { bytes } = pending;
      bytes[pending.length++] = SPACE;
      pending.length = secrets.includes(i)
        ? writeAscii(bytes, pending.length, REDACTED)
        : writeQuoted(bytes, pending.length, args.bytes, args.start[i], args.end[i]);
    }
    pending.length = writeAscii(pending.bytes, pending.length, CRLF);
    if (pending.length > PENDING_BYTES_MAX) this.flush();
    else if (!this.flushScheduled) {
      this.flushScheduled = true;
      this.later(this.flushLater);
    }
  }

  private readonly flushLater = (): void => {
    this.flushScheduled = false;
    this.flush();
  };

  private flush(): void {
    const { pending, output } = this;
    if (pending.length === 0) return;
    const { bytes, length } = pending;
    // Cleared first: a monitor that does not read may be closed by the flush, and so be removed.
    pending.clear();
    for (const client of this.clients) {
      output.raw(bytes, 0, length);
      client.transport.flush(output);
    }
  }
}

/** Where a command came from, as MONITOR shows it. */
function sourceOf(client: Client): string {
  return client.isUnix ? `unix:${client.address.replace(/:0$/, "")}` : client.address;
}
