/** DEBUG for listpacks and quicklists: what they are made of, as lines of the log. */
import { Meta, ValueType, encodingOf, metaOf, rootOf, typeOf, viewOf } from "../keyspace/record.ts";
import { VALUE_TYPES } from "../keyspace/value-types.ts";
import { type Arena, Ref } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { parseMemory } from "../runtime/config/numbers.ts";
import { ListpackEntry } from "../structures/listpack-entry.ts";
import {
  Listpack,
  listpackBase,
  listpackBytes,
  listpackIsEnd,
  listpackLength,
  listpackNext,
} from "../structures/listpack.ts";
import { ListCursor } from "../structures/quicklist.ts";
import { ListEncoding } from "../types/list.ts";
import type { CommandContext } from "./context.ts";
import { attachList } from "./list-value.ts";

/** Largest threshold of DEBUG QUICKLIST-PACKED-THRESHOLD. */
const PACKED_THRESHOLD_MAX = 2n ** 32n - 2n ** 20n;
const SHOWN_BYTES_MAX = 40;

/** DEBUG LISTPACK key */
export function debugListpack(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { arena } = ctx.keyspace;
  const record = ctx.db.peek(args.view, args.start[2], args.end[2]);
  if (record === 0) {
    reply.error(errors.NO_SUCH_KEY);
    return;
  }
  const meta = metaOf(arena, record);
  if (VALUE_TYPES[typeOf(meta)].encodingName(arena, record) !== "listpack") {
    reply.error("ERR Not a listpack encoded object.");
    return;
  }
  const root = rootOf(viewOf(arena, record), record, meta);
  const lines = describeListpack(arena.views[root >>> Ref.SEGMENT_SHIFT], listpackBase(root));
  for (const line of lines) ctx.log.warning(line);
  reply.simple("Listpack structure printed on stdout");
}

/** DEBUG QUICKLIST key [level]: with a level above 0, the nodes' contents too. */
export function debugQuicklist(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { arena } = ctx.keyspace;
  const record = ctx.db.peek(args.view, args.start[2], args.end[2]);
  if (record === 0) {
    reply.error(errors.NO_SUCH_KEY);
    return;
  }
  if (!isQuicklist(arena, record)) {
    reply.error("ERR Not a quicklist encoded object.");
    return;
  }
  const showsContents = args.count === 4 && parseInt(args.text(3), 10) > 0;
  const list = attachList(ctx, record).asQuicklist();
  const cursor = new ListCursor();
  const { count, nodeCount, fill, compressDepth } = list;
  ctx.log.warning(`quicklist: ${count} elements, ${nodeCount} nodes, ${fill}, ${compressDepth}`);
  for (let node = list.head; node !== 0; node = list.nextNode(node)) {
    const isPlain = list.plainBytesOf(node) > 0;
    ctx.log.warning(`node: ${isPlain ? "plain" : "packed"}, ${list.nodeBytes(node)} bytes`);
    if (!showsContents || isPlain) continue;
    list.open(cursor, node);
    for (const line of describeListpack(cursor.view, cursor.base)) ctx.log.warning(line);
  }
  reply.simple("Quicklist structure printed on stdout");
}

/** DEBUG QUICKLIST-PACKED-THRESHOLD size */
export function debugPackedThreshold(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const bytes = parseMemory(args.text(2));
  if (bytes === null || bytes > PACKED_THRESHOLD_MAX) {
    reply.error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
    return;
  }
  ctx.keyspace.lists.setPackedThreshold(Number(bytes));
  reply.ok();
}

/** What DEBUG OBJECT says of a quicklist; nothing of other values. */
export function quicklistFields(ctx: CommandContext, record: number, isFast: boolean): string[] {
  if (!isQuicklist(ctx.keyspace.arena, record)) return [];
  const list = attachList(ctx, record).asQuicklist();
  let bytes = 0;
  for (let node = list.head; node !== 0; node = list.nextNode(node)) bytes += list.nodeBytes(node);
  return [
    `ql_nodes:${list.nodeCount}`,
    `ql_avg_node:${inHundredths(list.count / list.nodeCount)}`,
    `ql_listpack_max:${list.fill}`,
    `ql_compressed:${list.compressDepth === 0 ? 0 : 1}`,
    ...(isFast ? [] : [`ql_uncompressed_size:${bytes}`]),
  ];
}

/** With two digits as printf has them: it rounds ties to the even digit. */
function inHundredths(value: number): string {
  const text = value.toFixed(2);
  const isTie = value * 8 === Math.floor(value * 8) && value * 4 !== Math.floor(value * 4);
  return isTie && Number(text.at(-1)) % 2 === 1 ? (value - 0.005).toFixed(2) : text;
}

function isQuicklist(arena: Arena, record: number): boolean {
  const meta = metaOf(arena, record);
  const isList = (meta & Meta.ROOT) !== 0 && typeOf(meta) === ValueType.LIST;
  return isList && encodingOf(meta) === ListEncoding.QUICKLIST;
}

function describeListpack(view: DataView, base: number): string[] {
  const lines = [`listpack: ${listpackBytes(view, base)} bytes, ${listpackLength(view, base)}`];
  const entry = new ListpackEntry();
  for (let at = base + Listpack.HEADER; !listpackIsEnd(view, at);) {
    const next = listpackNext(view, at);
    entry.read(view, at);
    const text = new Uint8Array(entry.textLength());
    entry.writeText(text, new DataView(text.buffer), 0);
    const shown = Buffer.from(text.subarray(0, SHOWN_BYTES_MAX)).toString("latin1");
    lines.push(`entry at ${at - base}, ${next - at} bytes: ${JSON.stringify(shown)}`);
    at = next;
  }
  return lines;
}
