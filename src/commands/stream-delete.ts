/** XDELEX and XACKDEL: removing entries with an eye on the groups that refer to them. */
import { parseInt64 } from "../base/integer.ts";
import { NotifyClass } from "../keyspace/notify.ts";
import { ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { IdParse } from "../structures/stream-id.ts";
import { findGroup } from "../types/stream-group.ts";
import type { ReferencePolicy } from "../types/stream-trim.ts";
import { INT32_MAX, checkType } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { idArgument, streamOf } from "./stream-arguments.ts";
import { referencePolicy } from "./stream-options.ts";
import { groupsOf, propagateIds } from "./stream-propagation.ts";

export const streamDeleteCommands: readonly CommandSpec[] = [
  {
    name: "xdelex",
    arity: -5,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STREAM,
    keys: oneKey("RW delete"),
    run: xdelexCommand,
  },
  {
    name: "xackdel",
    arity: -6,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.STREAM,
    keys: oneKey("RW update delete"),
    run: xackdelCommand,
  },
];

/** What became of one ID. */
const enum Outcome {
  MISSING = -1,
  DELETED = 1,
  KEPT = 2,
}

interface DeleteRequest {
  readonly isXackdel: boolean;
  readonly references: ReferencePolicy;
  readonly firstId: number;
  readonly idCount: number;
  /** Indexes of IDs that were acknowledged in XACKDEL's group, and of those that were deleted. */
  readonly acknowledged: number[];
  readonly deleted: number[];
}

/** XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...] */
function xdelexCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { streams, streamGroups } = ctx.keyspace;
  deleteGeneric(ctx, args, reply, 2, (request, index) => {
    const id = streams.newId;
    if (request.references === "ACKED" && streamGroups.isReferenced(streams, id)) {
      return Outcome.KEPT;
    }
    if (request.references === "DELREF") streamGroups.acknowledgeEverywhere(streams, id);
    if (!streams.remove(id)) return Outcome.MISSING;
    request.deleted.push(index);
    return Outcome.DELETED;
  });
}

/** XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...] */
function xackdelCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { arena, streams, streamGroups } = ctx.keyspace;
  deleteGeneric(ctx, args, reply, 3, (request, index) => {
    const id = streams.newId;
    const group = findGroup(arena, streams.groups, args.view, args.start[2], args.end[2]);
    streamGroups.open(group);
    if (!streamGroups.acknowledge(id)) return Outcome.MISSING;
    ctx.keyspace.dirty++;
    request.acknowledged.push(index);
    if (request.references === "ACKED" && streamGroups.isReferenced(streams, id)) {
      return Outcome.KEPT;
    }
    if (request.references === "DELREF") streamGroups.acknowledgeEverywhere(streams, id);
    if (streams.remove(id)) request.deleted.push(index);
    return Outcome.DELETED;
  });
}

/**
 * Replies with what `removeOne` makes of each ID, which is in `streams.newId`. The options begin at
 * argument `first`; if that is 3, argument 2 names a group that must exist.
 */
function deleteGeneric(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  first: number,
  removeOne: (request: DeleteRequest, index: number) => Outcome,
): void {
  const { view, start, end } = args;
  const { keyspace, db } = ctx;
  const { arena, streams } = keyspace;
  const record = db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !checkType(ctx, record, ValueType.STREAM, reply)) return;
  const request = deleteRequest(args, reply, first);
  if (request === null) return;
  const { firstId, idCount } = request;
  if (record !== 0) streamOf(ctx, record);
  const hasGroup =
    first === 2 || (record !== 0 && findGroup(arena, streams.groups, view, start[2], end[2]) !== 0);
  if (record === 0 || !hasGroup) {
    reply.array(idCount);
    for (let i = 0; i < idCount; i++) reply.integer(Outcome.MISSING);
    return;
  }
  const id = streams.newId;
  for (let i = firstId; i < firstId + idCount; i++) {
    if (idArgument(args, i, id, 0, reply) === IdParse.INVALID) return;
  }
  const lengthBefore = streams.length;
  reply.array(idCount);
  for (let i = firstId; i < firstId + idCount; i++) {
    id.parse(args.bytes, start[i], end[i], 0);
    reply.integer(removeOne(request, i));
  }
  if (ctx.effects.isOn) propagateDeleted(ctx, args, request);
  const deleted = lengthBefore - streams.length;
  if (deleted === 0) return;
  keyspace.dirty += deleted - 1;
  db.changed(NotifyClass.STREAM, "xdel", view, start[1], end[1]);
}

/** Propagates as XACK, where references went, and XDEL, which older servers know as well. */
function propagateDeleted(ctx: CommandContext, args: Args, request: DeleteRequest): void {
  const { arena, streams } = ctx.keyspace;
  const { acknowledged, deleted, references } = request;
  if (references === "DELREF") {
    const all = Array.from({ length: request.idCount }, (_, i) => request.firstId + i);
    // An ID that was not pending in XACKDEL's group stays pending in the others.
    const ids = request.isXackdel ? acknowledged : all;
    for (const group of groupsOf(ctx)) propagateIds(ctx, args, group, ids);
  } else if (acknowledged.length > 0) {
    const { view, start, end } = args;
    const group = findGroup(arena, streams.groups, view, start[2], end[2]);
    propagateIds(ctx, args, group, acknowledged);
  }
  propagateIds(ctx, args, 0, deleted);
}

/** Reads the options from argument `first` on; null after an error reply. */
function deleteRequest(args: Args, reply: ReplyWriter, first: number): DeleteRequest | null {
  let references: ReferencePolicy | null = null;
  let firstId = 0;
  let idCount = 0;
  for (let i = first; i < args.count; i++) {
    const policy = referencePolicy(args, i);
    if (policy !== null && references === null) references = policy;
    else if (args.is(i, "IDS") && i + 1 < args.count && firstId === 0) {
      const count = parseInt64(args.bytes, args.start[i + 1], args.end[i + 1]);
      if (count === null || count < 1n || count > INT32_MAX) {
        reply.error("ERR Number of IDs must be a positive integer");
        return null;
      }
      firstId = i + 2;
      idCount = Number(count);
      if (firstId + idCount > args.count) {
        reply.error("ERR The `numids` parameter must match the number of arguments");
        return null;
      }
      i = firstId + idCount - 1;
    } else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  if (firstId === 0) {
    reply.error("ERR IDS option is required");
    return null;
  }
  return {
    isXackdel: first === 3,
    references: references ?? "KEEPREF",
    firstId,
    idCount,
    acknowledged: [],
    deleted: [],
  };
}
