/**
 * What commands on streams propagate as: IDs that were made up, trims with exact limits, and the
 * entries that a group gave to a consumer, one XCLAIM each.
 *
 * Handlers call these only while `ctx.effects.isOn`. All lists that are propagated are those that
 * Valkey propagates, and need no more than XADD, XTRIM, XDEL, XACK, XCLAIM and XGROUP of it.
 */
import { Ref } from "../memory/arena.ts";
import type { Args } from "../protocol/args.ts";
import { nameTableGet, nameTableSize } from "../structures/name-table.ts";
import type { StreamId } from "../structures/stream-id.ts";
import { nodeBase } from "../structures/stream-node.ts";
import {
  ConsumerBlock,
  GroupBlock,
  blockNameLength,
  blockNameStart,
} from "../types/stream-group.ts";
import type { Streams } from "../types/stream.ts";
import type { CommandContext } from "./context.ts";
import type { StreamOptions } from "./stream-options.ts";

/** An ID as an argument of the command begun last. */
function writeId({ effects, scratch }: CommandContext, id: StreamId): void {
  effects.bytes(scratch.view, 0, id.writeText(scratch.bytes, 0));
}

/** The name of a group or a consumer, likewise. */
function writeName({ effects, keyspace }: CommandContext, block: number, nameAt: number): void {
  const { arena } = keyspace;
  const start = blockNameStart(arena, block, nameAt);
  const end = start + blockNameLength(arena, block, nameAt);
  effects.bytes(arena.views[block >>> Ref.SEGMENT_SHIFT], start, end);
}

/** XADD propagates with the ID that it chose, if it did, and with an exact trim. */
export function propagateXadd(
  ctx: CommandContext,
  args: Args,
  options: StreamOptions | null,
  idIndex: number,
  isChosen: boolean,
): void {
  const { effects, keyspace } = ctx;
  const left = options === null ? 0 : propagateOptions(ctx, args, options, idIndex, args.count);
  if (left === 0) effects.begin(args.count).arguments(args, 0, idIndex);
  if (isChosen) writeId(ctx, keyspace.streams.newId);
  else effects.argument(args, idIndex);
  effects.arguments(args, idIndex + 1, args.count);
}

/** XTRIM propagates with an exact limit. */
export function propagateXtrim(ctx: CommandContext, args: Args, options: StreamOptions): void {
  propagateOptions(ctx, args, options, args.count, args.count);
}

/**
 * Begins a command of `count` arguments less those that go, and writes those before `to`: an
 * approximate limit becomes what was reached; KEEPREF, which not every server knows, goes. Returns
 * 0, and does nothing, if all of them stay as they are.
 */
function propagateOptions(
  ctx: CommandContext,
  args: Args,
  { trim, limitIndex, keepsReferencesIndex }: StreamOptions,
  to: number,
  count: number,
): number {
  const { effects, keyspace } = ctx;
  const isApproximate = trim !== null && trim.isApproximate;
  if (!isApproximate && keepsReferencesIndex === 0) return 0;
  const written = keepsReferencesIndex === 0 ? count : count - 1;
  effects.begin(written);
  // With other policies what goes are the first that may go: their number tells which.
  const byLength =
    isApproximate && (trim.references !== "KEEPREF" || args.is(limitIndex - 2, "MAXLEN"));
  for (let i = 0; i < to; i++) {
    if (i === keepsReferencesIndex && i !== 0) continue;
    if (!isApproximate || i < limitIndex - 2 || i > limitIndex) effects.argument(args, i);
    else if (i === limitIndex - 2) {
      if (byLength && !args.is(i, "MAXLEN")) effects.text("MAXLEN");
      else effects.argument(args, i);
    } else if (i === limitIndex - 1) effects.text("=");
    else if (byLength) effects.integer(keyspace.streams.length);
    else writeId(ctx, firstEntryId(keyspace.streams));
  }
  return written;
}

/** The ID of the first entry that still takes up room, deleted or not; the largest if there is none. */
function firstEntryId(streams: Streams): StreamId {
  const { arena, nodes, reader, edgeId } = streams;
  const node = nodes.seekFirst();
  if (node === 0) return streams.maxId;
  nodes.readId(edgeId);
  reader.open(arena.views[node >>> Ref.SEGMENT_SHIFT], nodeBase(node), edgeId);
  reader.first();
  return reader.id;
}

/** The group and the key that a command names, by the indexes of their arguments. */
export interface GroupArguments {
  readonly key: number;
  readonly group: number;
}

/** The ID of an entry, or the index of the argument that says it. */
type EntryId = StreamId | number;

/** The pending entry `entry` of the group at hand propagates, with whose it is and since when. */
export function propagateClaim(
  ctx: CommandContext,
  args: Args,
  { key, group }: GroupArguments,
  id: EntryId,
  entry: number,
): void {
  const { effects, keyspace } = ctx;
  const { streamGroups } = keyspace;
  effects.begin(14).text("XCLAIM").argument(args, key).argument(args, group);
  writeName(ctx, streamGroups.consumerOf(entry), ConsumerBlock.NAME);
  effects.integer(0);
  if (typeof id === "number") effects.argument(args, id);
  else writeId(ctx, id);
  effects.text("TIME").integer(streamGroups.delivered(entry));
  effects.text("RETRYCOUNT").bigint(streamGroups.deliveries(entry));
  effects.text("FORCE").text("JUSTID").text("LASTID");
  writeId(ctx, streamGroups.lastId);
}

/** How far the group at hand has read propagates. */
export function propagateGroupPosition(
  ctx: CommandContext,
  args: Args,
  { key, group }: GroupArguments,
): void {
  const { effects, keyspace } = ctx;
  effects.begin(7).text("XGROUP").text("SETID").argument(args, key).argument(args, group);
  writeId(ctx, keyspace.streamGroups.lastId);
  effects.text("ENTRIESREAD").bigint(keyspace.streamGroups.entriesRead());
}

/** The consumer that argument `name` names propagates as made. */
export function propagateConsumer(
  { effects }: CommandContext,
  args: Args,
  { key, group }: GroupArguments,
  name: number,
): void {
  effects.begin(5).text("XGROUP").text("CREATECONSUMER").argument(args, key);
  effects.argument(args, group).argument(args, name);
}

/** Entries of the key at argument 1, as arguments of XDEL, or of XACK for `group` (0 = XDEL). */
export function propagateIds(
  ctx: CommandContext,
  args: Args,
  group: number,
  indexes: readonly number[],
): void {
  if (indexes.length === 0) return;
  const { effects } = ctx;
  if (group === 0)
    effects
      .begin(2 + indexes.length)
      .text("XDEL")
      .argument(args, 1);
  else {
    effects
      .begin(3 + indexes.length)
      .text("XACK")
      .argument(args, 1);
    writeName(ctx, group, GroupBlock.NAME);
  }
  for (const index of indexes) effects.argument(args, index);
}

/** The blocks of all groups of the stream at hand. */
export function groupsOf({ keyspace }: CommandContext): number[] {
  const { arena, streams } = keyspace;
  const { groups } = streams;
  return Array.from({ length: nameTableSize(arena, groups) }, (_, i) =>
    nameTableGet(arena, groups, i),
  );
}
