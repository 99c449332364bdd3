/**
 * CLIENT TRACKING and what belongs to it: CACHING, GETREDIR, TRACKINGINFO. The rules of tracking are
 * in session/tracking.ts.
 */
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Client } from "../session/client.ts";
import type { TrackingOptions } from "../session/tracking.ts";
import { int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";

/**
 * CLIENT TRACKING ON | OFF [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN]
 * [OPTOUT] [NOLOOP]
 */
export function clientTrackingCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { client, clients } = ctx;
  const parsed = parseOptions(ctx, args, reply);
  if (parsed === null) return;
  if (args.is(2, "ON")) {
    const error = refusalOf(client, parsed.options, parsed.prefixes);
    if (error !== null) {
      reply.error(error);
      return;
    }
    clients.tracking.enable(client, parsed.options, parsed.prefixes);
  } else if (args.is(2, "OFF")) clients.tracking.disable(client);
  else {
    reply.error(errors.SYNTAX);
    return;
  }
  reply.ok();
}

interface ParsedOptions {
  readonly options: TrackingOptions;
  readonly prefixes: readonly string[];
}

/** Null after an error reply. */
function parseOptions(ctx: CommandContext, args: Args, reply: ReplyWriter): ParsedOptions | null {
  const prefixes: string[] = [];
  let redirect = 0;
  let isBroadcast = false;
  let isOptIn = false;
  let isOptOut = false;
  let isNoLoop = false;
  for (let i = 3; i < args.count; i++) {
    const hasMore = i + 1 < args.count;
    if (args.is(i, "REDIRECT") && hasMore) {
      if (redirect !== 0) {
        reply.error("ERR A client can only redirect to a single other client");
        return null;
      }
      const id = int64Argument(args, ++i, reply);
      if (id === null) return null;
      redirect = Number(id);
      if (ctx.clients.find(redirect) === undefined) {
        reply.error("ERR The client ID you want redirect to does not exist");
        return null;
      }
    } else if (args.is(i, "BCAST")) isBroadcast = true;
    else if (args.is(i, "OPTIN")) isOptIn = true;
    else if (args.is(i, "OPTOUT")) isOptOut = true;
    else if (args.is(i, "NOLOOP")) isNoLoop = true;
    else if (args.is(i, "PREFIX") && hasMore) prefixes.push(args.text(++i));
    else {
      reply.error(errors.SYNTAX);
      return null;
    }
  }
  return { options: { redirect, isBroadcast, isOptIn, isOptOut, isNoLoop }, prefixes };
}

/** Why the client cannot track so, or null. */
function refusalOf(
  client: Client,
  options: TrackingOptions,
  prefixes: readonly string[],
): string | null {
  const { isBroadcast, isOptIn, isOptOut } = options;
  const before = client.tracking?.options;
  if (!isBroadcast && prefixes.length > 0) {
    return "ERR PREFIX option requires BCAST mode to be enabled";
  }
  if (before !== undefined && before.isBroadcast !== isBroadcast) {
    return (
      "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then " +
      "re-enabling it with a different mode."
    );
  }
  if (isBroadcast && (isOptIn || isOptOut)) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (isOptIn && isOptOut) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if ((isOptIn && before?.isOptOut === true) || (isOptOut && before?.isOptIn === true)) {
    return (
      "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then " +
      "re-enabling it with a different mode."
    );
  }
  return isBroadcast ? overlapOf([...(client.tracking?.prefixes ?? [])].sort(), prefixes) : null;
}

/** The complaint about prefixes of which one begins with another, or null. */
function overlapOf(existing: readonly string[], prefixes: readonly string[]): string | null {
  const reason = "Prefixes for a single client must not overlap.";
  for (const [i, prefix] of prefixes.entries()) {
    const old = existing.find((other) => overlaps(prefix, other));
    if (old !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with an existing prefix '${old}'. ${reason}`;
    }
    const twin = prefixes.slice(i + 1).find((other) => overlaps(prefix, other));
    if (twin !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with another provided prefix '${twin}'. ${reason}`;
    }
  }
  return null;
}

function overlaps(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** CLIENT CACHING YES | NO */
export function clientCachingCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { tracking } = ctx.client;
  if (tracking === null) {
    reply.error(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or " +
        "OPTOUT mode enabled",
    );
    return;
  }
  const isYes = args.is(2, "YES");
  if (!isYes && !args.is(2, "NO")) {
    reply.error(errors.SYNTAX);
    return;
  }
  if (!(isYes ? tracking.options.isOptIn : tracking.options.isOptOut)) {
    const [word, mode] = isYes ? ["YES", "OPTIN"] : ["NO", "OPTOUT"];
    reply.error(
      `ERR CLIENT CACHING ${word} is only valid when tracking is enabled in ${mode} mode.`,
    );
    return;
  }
  tracking.hasCaching = true;
  reply.ok();
}

/** CLIENT GETREDIR */
export function clientGetredirCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.integer(ctx.client.tracking?.options.redirect ?? -1);
}

/** CLIENT TRACKINGINFO */
export function clientTrackinginfoCommand(
  ctx: CommandContext,
  _args: Args,
  reply: ReplyWriter,
): void {
  const { tracking } = ctx.client;
  const flags = [tracking === null ? "off" : "on"];
  if (tracking !== null) {
    const { options, hasCaching, isBroken } = tracking;
    if (options.isBroadcast) flags.push("bcast");
    if (options.isOptIn) flags.push("optin");
    if (options.isOptIn && hasCaching) flags.push("caching-yes");
    if (options.isOptOut) flags.push("optout");
    if (options.isOptOut && hasCaching) flags.push("caching-no");
    if (options.isNoLoop) flags.push("noloop");
    if (isBroken) flags.push("broken_redirect");
  }
  const prefixes = [...(tracking?.prefixes ?? [])].sort();
  reply.map(3);
  reply.bulkText("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.bulkText(flag);
  reply.bulkText("redirect");
  reply.integer(tracking?.options.redirect ?? -1);
  reply.bulkText("prefixes");
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulkText(prefix);
}
