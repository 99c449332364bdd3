/** DEBUG CLIENT-EVICTION: the buckets from which maxmemory-clients takes the largest clients. */
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { CommandContext } from "./context.ts";

const BOUND_WIDTH = 10;

export function debugClientEviction(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { memory } = ctx.clients;
  if (memory.limitBytes === 0) {
    reply.error("ERR maxmemory-clients is disabled.");
    return;
  }
  let text = "";
  for (const { from, to, bytes, clients } of memory.bucketFigures()) {
    const last = to === Infinity ? "+            " : ` - ${padded(to - 1)}`;
    text += `bucket ${padded(from)}${last}: tot-mem: ${padded(bytes)}, clients: ${clients}\n`;
  }
  reply.verbatim("txt", text);
}

function padded(value: number): string {
  return String(value).padStart(BOUND_WIDTH);
}
