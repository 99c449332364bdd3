/**
 * What the log says of clients that are closed, as Valkey says it. `hide-user-data-from-log` keeps
 * names and what clients sent out of it.
 */
import { latin1FromBytes } from "../base/ascii.ts";
import { quoteBytes } from "../base/sds-quote.ts";
import { describeClient } from "../commands/client-list.ts";
import type { CommandContext } from "../commands/context.ts";
import { LogLevel } from "../runtime/log.ts";
import type { Client } from "../session/client.ts";

/** Of a request that breaks the protocol, so much of its beginning and end is shown together. */
const EXCERPT_BYTES_MAX = 128;
const QUERY_BEGIN_BYTES = 64;
const REDACTED = "*redacted*";

export class ClientLog {
  constructor(private readonly ctx: CommandContext) {}

  outputLimitReached(client: Client): void {
    this.ctx.log.warning(
      `Client ${this.describe(client)} closed for overcoming of output buffer limits.`,
    );
  }

  queryLimitReached(client: Client, input: Uint8Array): void {
    const begin = quoteBytes(input, 0, Math.min(input.length, QUERY_BEGIN_BYTES));
    const shown = this.hides ? REDACTED : latin1FromBytes(begin, 0, begin.length);
    this.ctx.log.warning(
      `Closing client that reached max query buffer length: ${this.describe(client)} ` +
        `(qbuf initial bytes: ${shown})`,
    );
  }

  evicted(client: Client): void {
    this.ctx.log.notice(`Evicting client: ${this.describe(client)}`);
  }

  protocolBroken(client: Client, error: string, input: Uint8Array): void {
    if (this.ctx.log.level > LogLevel.VERBOSE) return;
    const shown = this.hides ? REDACTED : excerptOf(input);
    this.ctx.log.verbose(
      `Protocol error (${error}) from client: ${this.describe(client)}. Query buffer: ${shown}`,
    );
  }

  leftByItself(client: Client): void {
    if (this.ctx.log.level > LogLevel.VERBOSE) return;
    this.ctx.log.verbose(`Client closed connection ${this.describe(client)}`);
  }

  private get hides(): boolean {
    return this.ctx.config.bool("hide-user-data-from-log");
  }

  private describe(client: Client): string {
    return describeClient(this.ctx, client, 0, this.hides ? REDACTED : null);
  }
}

/** Input with dots for what cannot be printed, without its middle if it is long. */
function excerptOf(input: Uint8Array): string {
  const { length } = input;
  const printable = (from: number, to: number): string =>
    latin1FromBytes(input, from, to).replace(/[^ -~]/g, ".");
  if (length < EXCERPT_BYTES_MAX) return `'${printable(0, length)}'`;
  const half = EXCERPT_BYTES_MAX / 2;
  const left = length - EXCERPT_BYTES_MAX;
  return `'${printable(0, half)}' (... more ${left} bytes ...) '${printable(length - half, length)}'`;
}
