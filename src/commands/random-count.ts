// HOT PATH: rules in src/README.md
/** The count of SRANDMEMBER, HRANDFIELD and ZRANDMEMBER: how many members, negative = repeats allowed. */
import { parseInt64 } from "../base/integer.ts";
import type { Args } from "../protocol/args.ts";
import * as errors from "../protocol/errors.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";

const COUNT_MAX = 2n ** 63n - 1n;

/** Argument `index` as a count, rounded beyond 2^53; NaN after an error reply. */
export function randomCount(args: Args, index: number, reply: ReplyWriter): number {
  const count = parseInt64(args.bytes, args.start[index], args.end[index]);
  if (count === null) reply.error(errors.NOT_AN_INTEGER);
  else if (count < -COUNT_MAX) {
    reply.error(`ERR value is out of range, value must between ${-COUNT_MAX} and ${COUNT_MAX}`);
  } else return Number(count);
  return NaN;
}
