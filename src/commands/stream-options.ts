/** The options that XADD and XTRIM have in common: how to trim, and what groups have to say. */
import { parseInt64 } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { IdForm, IdParse, StreamId } from "../structures/stream-id.ts";
import type { ReferencePolicy, TrimOptions } from "../types/stream-trim.ts";
import type { CommandContext } from "./context.ts";
import { idArgument } from "./stream-arguments.ts";

export interface StreamOptions {
  /** Null without MAXLEN and MINID. */
  readonly trim: TrimOptions | null;
  /** NOMKSTREAM: a missing stream stays missing. */
  readonly keepsMissing: boolean;
  /** Index of XADD's ID argument. */
  readonly idIndex: number;
  /** Index of the argument that says how far to trim; 0 = there is none. */
  readonly limitIndex: number;
  /** Index of the word KEEPREF; 0 = it is not there. */
  readonly keepsReferencesIndex: number;
}

/** What is collected while the arguments are read. */
interface Collected {
  limit: number | StreamId | null;
  isApproximate: boolean;
  /** LIMIT; -1 = not given. */
  removedMax: number;
  references: ReferencePolicy | null;
  keepsMissing: boolean;
  limitIndex: number;
  keepsReferencesIndex: number;
}

const TWO_STRATEGIES =
  "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
/** Without LIMIT, an approximate trim goes through so many nodes at most. */
const NODES_MAX = 100;
const REMOVED_MAX_DEFAULT = 10000;
const REMOVED_MAX_MAX = 1000000;

/** The options from argument 2 on; null after an error reply. XADD's end with its ID. */
export function streamOptions(
  ctx: CommandContext,
  args: Args,
  reply: ReplyWriter,
  isXadd: boolean,
): StreamOptions | null {
  const found: Collected = {
    limit: null,
    isApproximate: false,
    removedMax: -1,
    references: null,
    keepsMissing: false,
    limitIndex: 0,
    keepsReferencesIndex: 0,
  };
  let i = 2;
  for (; i < args.count; i++) {
    if (isXadd && args.is(i, "*")) break;
    const left = args.count - 1 - i;
    if ((args.is(i, "MAXLEN") || args.is(i, "MINID")) && left > 0) {
      const taken = strategyArguments(args, i, found, reply);
      if (taken === 0) return null;
      i += taken;
    } else if (args.is(i, "LIMIT") && left > 0) {
      const limit = parseInt64(args.bytes, args.start[i + 1], args.end[i + 1]);
      if (limit === null || limit < 0n) {
        reply.error(
          limit === null ? errors.NOT_AN_INTEGER : "ERR The LIMIT argument must be >= 0.",
        );
        return null;
      }
      found.removedMax = Number(limit);
      i++;
    } else if (isXadd && args.is(i, "NOMKSTREAM")) found.keepsMissing = true;
    else if (found.references === null && referencePolicy(args, i) !== null) {
      found.references = referencePolicy(args, i);
      if (found.references === "KEEPREF") found.keepsReferencesIndex = i;
    } else if (isXadd) {
      const id = ctx.keyspace.streams.newId;
      if (idArgument(args, i, id, IdForm.OPEN_SEQUENCE, reply) === IdParse.INVALID) return null;
      break;
    } else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  const error = conflict(found, isXadd, ctx.client.mustObey);
  if (error !== null) {
    reply.error(error);
    return null;
  }
  const { keepsMissing, limitIndex, keepsReferencesIndex } = found;
  return {
    trim: trimOptions(ctx, found),
    keepsMissing,
    idIndex: i,
    limitIndex,
    keepsReferencesIndex,
  };
}

/** The policy that argument `index` names, or null. */
export function referencePolicy(args: Args, index: number): ReferencePolicy | null {
  if (args.is(index, "KEEPREF")) return "KEEPREF";
  if (args.is(index, "DELREF")) return "DELREF";
  return args.is(index, "ACKED") ? "ACKED" : null;
}

/** Reads what follows MAXLEN or MINID at `index`; how many arguments, 0 after an error reply. */
function strategyArguments(
  args: Args,
  index: number,
  found: Collected,
  reply: ReplyWriter,
): number {
  if (found.limit !== null) {
    reply.error(TWO_STRATEGIES);
    return 0;
  }
  const hasMore = args.count - 1 - index >= 2;
  found.isApproximate = hasMore && args.is(index + 1, "~");
  const taken = found.isApproximate || (hasMore && args.is(index + 1, "=")) ? 2 : 1;
  const at = index + taken;
  found.limitIndex = at;
  if (args.is(index, "MINID")) {
    const id = new StreamId();
    if (idArgument(args, at, id, 0, reply) === IdParse.INVALID) return 0;
    found.limit = id;
    return taken;
  }
  const length = parseInt64(args.bytes, args.start[at], args.end[at]);
  if (length === null || length < 0n) {
    reply.error(length === null ? errors.NOT_AN_INTEGER : "ERR The MAXLEN argument must be >= 0.");
    return 0;
  }
  found.limit = Number(length);
  return taken;
}

/**
 * The error of options that do not go together, or null. A trim that was approximate propagates as
 * an exact one that still has its LIMIT, which means nothing then.
 */
function conflict(
  { limit, removedMax, isApproximate }: Collected,
  isXadd: boolean,
  mustObey: boolean,
): string | null {
  if (removedMax > 0 && limit === null) {
    return "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy";
  }
  if (!isXadd && limit === null) {
    return "ERR syntax error, XTRIM must be called with a trimming strategy";
  }
  if (removedMax >= 0 && !isApproximate && !mustObey) {
    return "ERR syntax error, LIMIT cannot be used without the special ~ option";
  }
  return null;
}

function trimOptions(ctx: CommandContext, found: Collected): TrimOptions | null {
  if (found.limit === null) return null;
  let { removedMax } = found;
  if (!found.isApproximate) removedMax = 0;
  else if (removedMax < 0) {
    removedMax = NODES_MAX * ctx.keyspace.streams.nodeEntriesMax;
    if (removedMax === 0) removedMax = REMOVED_MAX_DEFAULT;
    removedMax = Math.min(removedMax, REMOVED_MAX_MAX);
  }
  return {
    limit: found.limit,
    isApproximate: found.isApproximate,
    removedMax,
    references: found.references ?? "KEEPREF",
  };
}
