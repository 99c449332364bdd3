/**
 * Connection commands: greeting, authentication, the selected database, the end. What belongs to
 * CLIENT is in client.ts. Documentation: the "Connection" group of Redis's command reference.
 */
import { parseInt64 } from "../base/integer.ts";
import { REDIS_VERSION, VALKEY_VERSION } from "../base/version.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { beforeNul } from "../runtime/config/byte-string.ts";
import { type Client, Gate, ReplyMode } from "../session/client.ts";
import { databaseArgument } from "./arguments.ts";
import {
  DEFAULT_USER,
  authenticate,
  beginUnauthenticated,
  requiresPassword,
} from "./authentication.ts";
import { INVALID_CLIENT_NAME, isClientAttribute } from "./client-attribute.ts";
import type { CommandContext } from "./context.ts";
import { endTransaction } from "./transaction.ts";
import { Acl, type CommandSpec, Flag, NO_KEYS } from "./spec.ts";

/** Flags of commands that an unauthenticated client may send, at any time. */
const ALWAYS_ALLOWED =
  Flag.NOSCRIPT | Flag.LOADING | Flag.STALE | Flag.FAST | Flag.NO_AUTH | Flag.ALLOW_BUSY;

export const connectionCommands: readonly CommandSpec[] = [
  {
    name: "auth",
    arity: -2,
    flags: ALWAYS_ALLOWED,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    secrets: secretsFrom1,
    run: authCommand,
  },
  {
    name: "echo",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE | Flag.FAST,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: echoCommand,
  },
  {
    name: "hello",
    arity: -1,
    flags: ALWAYS_ALLOWED,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    secrets: helloSecrets,
    run: helloCommand,
  },
  {
    name: "ping",
    arity: -1,
    flags: Flag.FAST,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: pingCommand,
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
  },
  {
    name: "quit",
    arity: -1,
    flags: ALWAYS_ALLOWED,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: quitCommand,
  },
  {
    name: "reset",
    arity: 1,
    flags: ALWAYS_ALLOWED,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: resetCommand,
  },
  {
    name: "select",
    arity: 2,
    flags: Flag.LOADING | Flag.STALE | Flag.FAST,
    acl: Acl.CONNECTION,
    keys: NO_KEYS,
    run: selectCommand,
  },
];

/** AUTH [username] password */
function authCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count > 3) {
    reply.error(errors.SYNTAX);
    return;
  }
  let user = DEFAULT_USER;
  if (args.count === 3) user = args.text(1);
  else if (!requiresPassword(ctx.config)) {
    reply.error(
      "ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?",
    );
    return;
  }
  if (authenticateOrReply(ctx, user, args.text(args.count - 1), reply)) reply.ok();
}

/** ECHO message */
function echoCommand(_ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  reply.bulk(args.view, args.start[1], args.end[1] - args.start[1]);
}

/** HELLO [protover [AUTH username password] [SETNAME clientname]] */
function helloCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const { client, config } = ctx;
  const options = parseHello(args, reply);
  if (options === null) return;
  const { user, password, name } = options;
  if (user !== null && password !== null && !authenticateOrReply(ctx, user, password, reply)) {
    return;
  }
  if (!client.authenticated) {
    reply.error(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO " +
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the " +
        "RESP protocol version at the same time",
    );
    return;
  }
  if (name !== null) client.name = name;
  if (options.resp !== null) switchProtocol(client, reply, options.resp);
  const zone = config.string("availability-zone");
  const isRedis = config.bool("extended-redis-compatibility");
  reply.map(zone === "" ? 7 : 8);
  reply.bulkText("server");
  reply.bulkText(isRedis ? "redis" : "valkey");
  reply.bulkText("version");
  reply.bulkText(isRedis ? REDIS_VERSION : VALKEY_VERSION);
  reply.bulkText("proto");
  reply.integer(client.resp);
  reply.bulkText("id");
  reply.integer(client.id);
  reply.bulkText("mode");
  reply.bulkText("standalone");
  reply.bulkText("role");
  reply.bulkText("master");
  reply.bulkText("modules");
  reply.array(0);
  if (zone === "") return;
  reply.bulkText("availability_zone");
  reply.bulkText(zone);
}

/** All arguments. */
function secretsFrom1(_ctx: CommandContext, args: Args): number[] {
  return Array.from({ length: args.count - 1 }, (_, i) => i + 1);
}

/** What follows AUTH. */
function helloSecrets(_ctx: CommandContext, args: Args): number[] {
  const secrets: number[] = [];
  for (let i = 2; i < args.count; i++) if (args.is(i, "AUTH")) secrets.push(i + 1, i + 2);
  return secrets;
}

interface HelloOptions {
  resp: 2 | 3 | null;
  user: string | null;
  password: string | null;
  name: string | null;
}

/** Null after an error reply. */
function parseHello(args: Args, reply: ReplyWriter): HelloOptions | null {
  const options: HelloOptions = { resp: null, user: null, password: null, name: null };
  if (args.count === 1) return options;
  const version = parseInt64(args.bytes, args.start[1], args.end[1]);
  if (version === null) {
    reply.error("ERR Protocol version is not an integer or out of range");
    return null;
  }
  if (version !== 2n && version !== 3n) {
    reply.error("NOPROTO unsupported protocol version");
    return null;
  }
  options.resp = version === 2n ? 2 : 3;
  for (let i = 2; i < args.count; i++) {
    const more = args.count - 1 - i;
    if (args.is(i, "AUTH") && more >= 2) {
      options.user = args.text(++i);
      options.password = args.text(++i);
    } else if (args.is(i, "SETNAME") && more >= 1) {
      options.name = args.text(++i);
      if (!isClientAttribute(options.name)) {
        reply.error(INVALID_CLIENT_NAME);
        return null;
      }
    } else {
      reply.error(`ERR Syntax error in HELLO option '${beforeNul(args.text(i))}'`);
      return null;
    }
  }
  return options;
}

/** PING [message] */
function pingCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  if (args.count <= 2 && ctx.client.resp === 2 && (ctx.client.gate & Gate.SUBSCRIBED) !== 0) {
    reply.array(2);
    reply.bulkText("pong");
    if (args.count === 1) reply.bulkText("");
    else reply.bulk(args.view, args.start[1], args.lengthOf(1));
  } else if (args.count === 1) reply.simple("PONG");
  else if (args.count === 2) reply.bulk(args.view, args.start[1], args.end[1] - args.start[1]);
  else reply.error(errors.wrongArity("ping"));
}

/** QUIT. Arguments are ignored. */
function quitCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  reply.ok();
  ctx.client.closing = true;
}

/** RESET. The library's name and version stay: they are those of the client behind it still. */
function resetCommand(ctx: CommandContext, _args: Args, reply: ReplyWriter): void {
  const { client } = ctx;
  endTransaction(ctx, client);
  ctx.observers.monitors.remove(client);
  ctx.clients.pubsub.forget(client);
  ctx.clients.tracking.disable(client);
  client.database = 0;
  switchProtocol(client, reply, 2);
  beginUnauthenticated(client, ctx.config);
  client.name = "";
  client.noEvict = false;
  client.setGate(Gate.NO_TOUCH, false);
  // A reply that is to be skipped is that of RESET itself.
  if (client.replyMode === ReplyMode.OFF) {
    client.replyMode = ReplyMode.ON;
    client.setGate(Gate.REPLY_MUTED, false);
  }
  reply.simple("RESET");
}

/** SELECT index */
function selectCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  const database = databaseArgument(ctx, args, 1, reply);
  if (database === null) return;
  ctx.client.database = database.id;
  ctx.db = database;
  reply.ok();
}

function switchProtocol(client: Client, reply: ReplyWriter, resp: 2 | 3): void {
  client.resp = resp;
  reply.resp3 = resp === 3;
}

function authenticateOrReply(
  ctx: CommandContext,
  user: string,
  password: string,
  reply: ReplyWriter,
): boolean {
  if (authenticate(ctx.client, ctx.config, user, password)) return true;
  ctx.stats.authDeniedAuth++;
  reply.error(errors.WRONG_PASSWORD);
  return false;
}
