/** Fields that expire: HEXPIRE, HTTL and their relatives, HPERSIST. Valkey 9's commands. */
import { NotifyClass } from "../keyspace/notify.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Hashes } from "../types/hash.ts";
import type { CommandContext } from "./context.ts";
import { GT_LT_NOT_COMPATIBLE, NX_NOT_COMPATIBLE } from "./generic-expire.ts";
import {
  fieldArguments,
  fieldsRemoved,
  fieldsWord,
  momentArgument,
  propagateFieldExpiry,
} from "./hash-fields.ts";
import { dropStaleFields, openHash, storeHash } from "./hash-value.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { isPast } from "./string-options.ts";

/** What the commands reply for a field. */
const NO_FIELD = -2;
const NO_EXPIRY = -1;
const NOT_MET = 0;
const DONE = 1;
const DELETED = 2;

export const hashExpireCommands: readonly CommandSpec[] = [
  expireRow("hexpire", true, true),
  expireRow("hpexpire", false, true),
  expireRow("hexpireat", true, false),
  expireRow("hpexpireat", false, false),
  ttlRow("httl", true, true),
  ttlRow("hpttl", false, true),
  ttlRow("hexpiretime", true, false),
  ttlRow("hpexpiretime", false, false),
  {
    name: "hpersist",
    arity: -5,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW update"),
    run: hpersistCommand,
  },
];

function expireRow(name: string, isSeconds: boolean, isRelative: boolean): CommandSpec {
  return {
    name,
    arity: -6,
    flags: Flag.WRITE | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RW update"),
    run: (ctx, args, reply) => expireFields(ctx, args, reply, name, isSeconds, isRelative),
  };
}

function ttlRow(name: string, isSeconds: boolean, isRelative: boolean): CommandSpec {
  return {
    name,
    arity: -5,
    flags: Flag.READONLY | Flag.FAST,
    acl: Acl.HASH,
    keys: oneKey("RO access"),
    run: (ctx, args, reply) => replyTtls(ctx, args, reply, isSeconds, isRelative),
  };
}

/** On what a field's expiry depends. */
interface Conditions {
  readonly nx: boolean;
  readonly xx: boolean;
  readonly gt: boolean;
  readonly lt: boolean;
}

const NO_CONDITIONS: Conditions = { nx: false, xx: false, gt: false, lt: false };

/** HEXPIRE key time [NX | XX | GT | LT] FIELDS numfields field [field ...] */
function expireFields(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  command: string,
  isSeconds: boolean,
  isRelative: boolean,
): void {
  const { view, start, end } = args;
  const { db, keyspace } = ctx;
  const word = fieldsWord(args, 3);
  const conditions = word < args.count ? conditionArguments(args, word, reply) : NO_CONDITIONS;
  if (conditions === null) return;
  const fields = fieldArguments(args, word, 1, reply);
  if (fields === null) return;
  const atMs = momentArgument(ctx, args, 2, isSeconds, isRelative, command, reply);
  if (atMs === null) return;
  let record = db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  record = dropStaleFields(ctx, args, record, fields.first, args.count);
  const { hashes } = keyspace;
  const removes = isPast(ctx, atMs);
  const changed: number[] = [];
  reply.array(fields.count);
  for (let i = fields.first; i < args.count; i++) {
    if (record === 0 || !hashes.find(view, start[i], end[i])) {
      reply.integer(NO_FIELD);
    } else if (!isMet(conditions, hashes.expireAtMs(view, start[i], end[i]), atMs)) {
      reply.integer(NOT_MET);
    } else {
      changed.push(i);
      if (removes) hashes.remove(view, start[i], end[i]);
      else hashes.setExpireAt(view, start[i], end[i], atMs);
      reply.integer(removes ? DELETED : DONE);
    }
  }
  if (changed.length === 0) return;
  if (removes) {
    fieldsRemoved(ctx, args, record, "hexpired", changed);
    return;
  }
  storeHash(ctx, args, record);
  if (ctx.effects.isOn) propagateFieldExpiry(ctx, args, changed, atMs);
  db.changed(NotifyClass.HASH, "hexpire", view, start[1], end[1]);
  keyspace.dirty += changed.length - 1;
}

/** The conditions at arguments [3, to); null after an error reply. */
function conditionArguments(args: Args, to: number, reply: ReplyWriter): Conditions | null {
  const words = new Set<string>();
  for (let i = 3; i < to; i++) {
    const name = args.text(i);
    const word = name.toUpperCase();
    if (!["NX", "XX", "GT", "LT"].includes(word)) {
      reply.error(`ERR Unsupported option ${name.replace(/\0.*$/s, "")}`);
      return null;
    }
    words.add(word);
  }
  const [nx, xx, gt, lt] = ["NX", "XX", "GT", "LT"].map((word) => words.has(word));
  if (nx && (xx || gt || lt)) {
    reply.error(NX_NOT_COMPATIBLE);
    return null;
  }
  if (gt && lt) {
    reply.error(GT_LT_NOT_COMPATIBLE);
    return null;
  }
  return { nx, xx, gt, lt };
}

/** Whether a field that expires at `currentMs` (-1 = never, which counts as later than all) may. */
function isMet({ nx, xx, gt, lt }: Conditions, currentMs: number, atMs: number): boolean {
  if (currentMs < 0) return !xx && !gt;
  return !nx && (!gt || atMs > currentMs) && (!lt || atMs < currentMs);
}

/** HTTL key FIELDS numfields field [field ...], and its relatives */
function replyTtls(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  isSeconds: boolean,
  isRelative: boolean,
): void {
  const { view, start, end } = args;
  const fields = fieldArguments(args, 2, 1, reply, errors.SYNTAX);
  if (fields === null) return;
  const record = ctx.db.lookupRead(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  const { hashes, nowMs } = ctx.keyspace;
  reply.array(fields.count);
  for (let i = fields.first; i < args.count; i++) {
    const atMs = record === 0 ? NO_FIELD : momentOf(hashes, view, start[i], end[i]);
    if (atMs < 0) {
      reply.integer(atMs);
      continue;
    }
    const ms = isRelative ? Math.max(0, atMs - nowMs) : atMs;
    reply.integer(isSeconds ? Math.floor((ms + 500) / 1000) : ms);
  }
}

/** When a field expires, NO_EXPIRY or NO_FIELD. */
function momentOf(hashes: Hashes, view: DataView, start: number, end: number): number {
  if (!hashes.find(view, start, end)) return NO_FIELD;
  const atMs = hashes.expireAtMs(view, start, end);
  return atMs < 0 ? NO_EXPIRY : atMs;
}

/** HPERSIST key FIELDS numfields field [field ...] */
function hpersistCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { view, start, end } = args;
  const fields = fieldArguments(args, 2, 1, reply);
  if (fields === null) return;
  let record = ctx.db.lookupWrite(view, start[1], end[1]);
  if (record !== 0 && !openHash(ctx, record, reply)) return;
  record = dropStaleFields(ctx, args, record, fields.first, args.count);
  const { hashes } = ctx.keyspace;
  const changed: number[] = [];
  reply.array(fields.count);
  for (let i = fields.first; i < args.count; i++) {
    if (record === 0 || !hashes.find(view, start[i], end[i])) reply.integer(NO_FIELD);
    else if (hashes.persist(view, start[i], end[i])) {
      reply.integer(DONE);
      changed.push(i);
    } else reply.integer(NO_EXPIRY);
  }
  if (changed.length === 0) return;
  storeHash(ctx, args, record);
  if (ctx.effects.isOn) propagateFieldExpiry(ctx, args, changed, null);
  ctx.db.changed(NotifyClass.HASH, "hpersist", view, start[1], end[1]);
  ctx.keyspace.dirty += changed.length - 1;
}
