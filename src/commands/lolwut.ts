/** LOLWUT: a flame of letters, another one at every call, and the version. */
import { parseInt64 } from "../base/integer.ts";
import type { Prng } from "../base/prng.ts";
import { BUNSEN, REDIS_VERSION } from "../base/version.ts";
import type { Args } from "../protocol/args.ts";
import type { ReplyWriter } from "../protocol/reply-writer.ts";
import { int64Argument } from "./arguments.ts";
import type { CommandContext } from "./context.ts";

const COLUMNS_DEFAULT = 60;
const COLUMNS_MAX = 200;
const ROWS_DEFAULT = 14;
const ROWS_MAX = 80;
/** From cold to hot. */
const SHADES = " .:-=+*#%@";

/**
 * LOLWUT [VERSION version] [columns [rows]]: only versions 5 and 6 insist on numbers, as the
 * pictures of those do in Valkey; all others ignore what they cannot read.
 */
export function lolwutCommand(ctx: CommandContext, args: Args, reply: ReplyWriter): void {
  let at = 1;
  let isStrict = false;
  if (args.count >= 3 && args.is(1, "VERSION")) {
    const version = int64Argument(args, 2, reply);
    if (version === null) return;
    isStrict = version === 5n || version === 6n;
    at = 3;
  }
  const sizes = [COLUMNS_DEFAULT, ROWS_DEFAULT];
  for (let i = 0; i < sizes.length && at + i < args.count; i++) {
    const size = isStrict
      ? int64Argument(args, at + i, reply)
      : parseInt64(args.bytes, args.start[at + i], args.end[at + i]);
    if (size !== null) sizes[i] = Number(size);
    else if (isStrict) return;
  }
  const [columns, rows] = sizes;
  const flame = drawFlame(
    Math.min(Math.max(columns, 1), COLUMNS_MAX),
    Math.min(Math.max(rows, 1), ROWS_MAX),
    ctx.prng,
  );
  const version = `Bunsen ver. ${BUNSEN.version} (Redis ver. ${REDIS_VERSION})`;
  reply.verbatim("txt", `${flame}\n\n${version}\n`);
}

/**
 * Heat rises from a burner in the middle of the lowest row: a cell takes the heat of a neighbour
 * below it, less a little that chance decides. Rows are separated by newlines.
 */
function drawFlame(columns: number, rows: number, prng: Prng): string {
  const hottest = SHADES.length - 1;
  const coolingMax = (hottest * 2.4) / rows;
  let below: number[] = [];
  for (let x = 0; x < columns; x++) {
    const fromMiddle = Math.abs(x + 0.5 - columns / 2) / columns;
    below.push(fromMiddle < 0.22 ? hottest : 0);
  }
  const lines = [drawRow(below)];
  for (let y = 1; y < rows; y++) {
    const row: number[] = [];
    for (let x = 0; x < columns; x++) {
      const drift = Math.floor(prng.nextFloat() * 3) - 1;
      const heat = below[Math.min(Math.max(x + drift, 0), columns - 1)];
      row.push(Math.max(0, heat - prng.nextFloat() * coolingMax));
    }
    lines.unshift(drawRow(row));
    below = row;
  }
  return lines.join("\n");
}

function drawRow(heat: readonly number[]): string {
  return heat
    .map((value) => SHADES[Math.ceil(value)])
    .join("")
    .trimEnd();
}
