/** What only a local client may do, or nobody, until a directive says otherwise. */
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import type { Client } from "../session/client.ts";
import type { CommandContext } from "./context.ts";

/** Whether the client is on this machine, by its address. */
export function isLocalClient(client: Client): boolean {
  const { address } = client;
  return (
    client.isUnix ||
    address.startsWith("127.") ||
    address.startsWith("[::1]") ||
    address.startsWith("[::ffff:127.")
  );
}

/**
 * Whether the directive ("enable-debug-command": no, yes or local) lets this client run a protected
 * command, whose `name` is in capitals; false after an error reply.
 */
export function isProtectedActionAllowed(
  ctx: CommandContext,
  reply: ReplyWriter,
  name: string,
  directive: string,
): boolean {
  const allowed = ctx.config.string(directive);
  if (allowed === "yes" || (allowed === "local" && isLocalClient(ctx.client))) return true;
  reply.error(
    `ERR ${name} command not allowed. If the ${directive} option is set to "local", ` +
      "you can run it from a local connection, otherwise you need to set this option " +
      "in the configuration file, and then restart the server.",
  );
  return false;
}
