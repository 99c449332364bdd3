/**
 * DUMP and RESTORE: a value as a payload that travels between servers.
 * Documentation: the "Generic" group of Redis's command reference.
 */
import { NotifyClass } from "../keyspace/notify.ts";
import { Meta, StringEncoding, ValueType } from "../keyspace/record.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { Acl, type CommandSpec, Flag, oneKey } from "./spec.ts";
import { isPast } from "./string-options.ts";

const BUSY_KEY = "BUSYKEY Target key name already exists.";
const WRONG_PAYLOAD = "ERR DUMP payload version or checksum are wrong";
const BAD_FORMAT = "ERR Bad data format";
const FREQUENCY_MAX = 255n;

export const dumpCommands: readonly CommandSpec[] = [
  {
    name: "dump",
    arity: 2,
    flags: Flag.READONLY,
    acl: Acl.KEYSPACE,
    keys: oneKey("RO access"),
    tips: ["nondeterministic_output"],
    run: dumpCommand,
  },
  {
    name: "restore",
    arity: -4,
    flags: Flag.WRITE | Flag.DENYOOM,
    acl: Acl.KEYSPACE | Acl.DANGEROUS,
    keys: oneKey("OW update"),
    run: restoreCommand,
  },
  {
    name: "restore-asking",
    arity: -4,
    flags: Flag.WRITE | Flag.DENYOOM | Flag.ASKING,
    acl: Acl.KEYSPACE | Acl.DANGEROUS,
    keys: oneKey("OW update"),
    run: restoreCommand,
  },
];

/** DUMP key */
function dumpCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const record = ctx.db.lookupRead(args.view, args.start[1], args.end[1]);
  if (record === 0) {
    reply.nil();
    return;
  }
  const { payloads } = ctx;
  payloads.encode(record);
  reply.bulk(payloads.writer.view, 0, payloads.writer.length);
}

interface RestoreOptions {
  replaces: boolean;
  /** The time to live is the unix time of its end. */
  isAbsolute: boolean;
  idleSeconds: bigint | null;
  frequency: bigint | null;
}

/** RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency] */
function restoreCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const options = restoreOptions(args, reply);
  if (options === null) return;
  const { db, payloads } = ctx;
  const { view, bytes, start, end } = args;
  if (!options.replaces && db.lookupWrite(view, start[1], end[1]) !== 0) {
    reply.error(BUSY_KEY);
    return;
  }
  const ttl = int64Argument(args, 2, reply);
  if (ttl === null) return;
  if (ttl < 0n) {
    reply.error("ERR Invalid TTL value, must be >= 0");
    return;
  }
  if (!payloads.verify(bytes, start[3], end[3])) {
    reply.error(WRONG_PAYLOAD);
    return;
  }
  if (!payloads.decode(bytes, view, start[3], end[3])) {
    ctx.log.verbose(`Internal error in RDB reading -> ${payloads.failure}`);
    reply.error(BAD_FORMAT);
    return;
  }
  let isReplaced = false;
  if (options.replaces) {
    const old = db.peek(view, start[1], end[1]);
    isReplaced = old !== 0;
    if (isReplaced) db.removeFound(old);
  }
  const nowMs = BigInt(ctx.keyspace.nowMs);
  const atMs = ttl === 0n || options.isAbsolute ? ttl : BigInt.asIntN(64, ttl + nowMs);
  if (ttl !== 0n && isPast(ctx, atMs)) {
    payloads.decoder.free();
    if (isReplaced) {
      if (ctx.effects.isOn) ctx.effects.deletes(args, 1, ctx.effects.unlinksReplaced);
      db.changed(NotifyClass.GENERIC, "del", view, start[1], end[1]);
    }
  } else {
    insertDecoded(ctx, args, atMs);
    setAccessClock(ctx, args, options);
    if (ctx.effects.isOn && ttl !== 0n && !options.isAbsolute) propagateRestore(ctx, args, atMs);
    db.changed(NotifyClass.GENERIC, "restore", view, start[1], end[1]);
  }
  reply.ok();
}

/** RESTORE propagates with the moment of its expiry. */
function propagateRestore(ctx: CommandContext, args: Args, atMs: bigint): void {
  const { effects } = ctx;
  effects
    .begin(args.count + 1)
    .arguments(args, 0, 2)
    .bigint(atMs);
  effects.arguments(args, 3, args.count).text("ABSTTL");
}

/** The options of RESTORE; null after an error reply. */
function restoreOptions(args: Args, reply: ReplyWriter): RestoreOptions | null {
  const options: RestoreOptions = {
    replaces: false,
    isAbsolute: false,
    idleSeconds: null,
    frequency: null,
  };
  for (let i = 4; i < args.count; i++) {
    const hasNext = i + 1 < args.count;
    if (args.is(i, "REPLACE")) options.replaces = true;
    else if (args.is(i, "ABSTTL")) options.isAbsolute = true;
    else if (args.is(i, "IDLETIME") && hasNext && options.frequency === null) {
      options.idleSeconds = int64Argument(args, ++i, reply);
      if (options.idleSeconds === null) return null;
      if (options.idleSeconds < 0n) {
        reply.error("ERR Invalid IDLETIME value, must be >= 0");
        return null;
      }
    } else if (args.is(i, "FREQ") && hasNext && options.idleSeconds === null) {
      options.frequency = int64Argument(args, ++i, reply);
      if (options.frequency === null) return null;
      if (options.frequency < 0n || options.frequency > FREQUENCY_MAX) {
        reply.error("ERR Invalid FREQ value, must be >= 0 and <= 255");
        return null;
      }
    } else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  return options;
}

/** Adds the key at argument 1, which is missing, with what was decoded. It expires at `atMs`. */
function insertDecoded(ctx: CommandContext, args: Args, atMs: bigint): void {
  const { db } = ctx;
  const { view } = args;
  const from = args.start[1];
  const to = args.end[1];
  const { decoder } = ctx.payloads;
  const { text } = decoder;
  db.find(view, from, to);
  if (decoder.type === ValueType.STRING) {
    const encoding = StringEncoding.AUTO;
    db.insertString(view, from, to, text.view, text.start, text.length, encoding);
  } else {
    const record = db.insertRoot(view, from, to, decoder.type, decoder.encoding, decoder.root);
    if (decoder.hasFieldExpiry) {
      db.find(view, from, to);
      db.setFieldExpiry(record, true);
    }
  }
  if (atMs !== 0n) db.setExpireAt(db.find(view, from, to), atMs);
}

function setAccessClock(ctx: CommandContext, args: Args, options: RestoreOptions): void {
  const { keyspace, db } = ctx;
  const record = db.find(args.view, args.start[1], args.end[1]);
  if (options.frequency !== null) keyspace.setFrequency(record, Number(options.frequency));
  if (options.idleSeconds !== null) {
    // The clock wraps; longer times are told modulo its range, as in Valkey.
    keyspace.setIdleSeconds(record, Number(options.idleSeconds & BigInt(Meta.CLOCK_MASK)));
  }
}
