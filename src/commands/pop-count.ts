/** The option COUNT of LMPOP, ZMPOP and their blocking forms: how many members to take at most. */
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { positiveArgument } from "./string-value.ts";

const TOO_LOW = "ERR count should be greater than 0";

/** What `COUNT count` from argument `index` on says, 1 where nothing stands; NaN after an error reply. */
export function popCount(args: Args, index: number, reply: ReplyWriter): number {
  if (args.count === index) return 1;
  if (args.count === index + 1 || !args.is(index, "COUNT")) {
    reply.error(errors.SYNTAX);
    return NaN;
  }
  const count = positiveArgument(args, index + 1, reply, TOO_LOW);
  if (count !== count || args.count === index + 2) return count;
  reply.error(errors.SYNTAX);
  return NaN;
}
