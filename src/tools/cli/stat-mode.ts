/** --stat: a line of INFO's most telling figures, again and again. */
import { print, fail } from "./console.ts";
import { textOf } from "./format.ts";
import { formatFixed, leadingInteger } from "../numbers.ts";
import type { Session } from "./session.ts";

const DEFAULT_INTERVAL_MS = 1000;
const DEFAULT_DATABASES = 16;
const LINES_BETWEEN_HEADS = 20;
const HEAD =
  "------- data ------ --------------------- load -------------------- - child -\n" +
  "keys       mem      clients blocked requests            connections          \n";
/** What the children do, by bits: saving, rewriting the AOF, loading. */
const CHILDREN = ["", "SAVE", "AOF", "SAVE+AOF", "LOAD"];

export async function statMode(session: Session): Promise<void> {
  await session.mustConnect();
  const databases = await databaseCount(session);
  const intervalMs = session.options.intervalMs || DEFAULT_INTERVAL_MS;
  let requestsBefore = 0;
  for (let line = 0; ; line++) {
    const reply = await session.requestReconnecting("INFO");
    if (reply.type === "error") fail(`ERROR: ${reply.text}\n`);
    const info = textOf(reply);
    const field = (name: string): number => infoField(info, name) ?? 0;
    const requests = field("total_commands_processed");
    const growth = requestsBefore === 0 ? 0 : requests - requestsBefore;
    requestsBefore = requests;
    let keys = 0;
    for (let index = 0; index < databases; index++) keys += field(`db${index}:keys`);
    const children =
      field("bgsave_in_progress") |
      (field("aof_rewrite_in_progress") << 1) |
      (field("loading") << 2);
    if (line % LINES_BETWEEN_HEADS === 0) print(HEAD);
    print(
      String(keys).padEnd(11) +
        humanBytes(field("used_memory")).padEnd(8) +
        ` ${String(field("connected_clients")).padEnd(8)}` +
        String(field("blocked_clients")).padEnd(8) +
        `${requests} (+${growth})`.padEnd(19) +
        ` ${String(field("total_connections_received")).padEnd(12)}` +
        `${CHILDREN[children] ?? ""}\n`,
    );
    await Bun.sleep(intervalMs);
  }
}

async function databaseCount(session: Session): Promise<number> {
  const reply = await session.request("CONFIG", "GET", "databases");
  if (reply.type === "error") {
    print(`CONFIG GET databases fails: ${reply.text}, use default value 16 instead\n`);
    return DEFAULT_DATABASES;
  }
  return "items" in reply && reply.items.length === 2
    ? leadingInteger(textOf(reply.items[1]))
    : DEFAULT_DATABASES;
}

/** A figure of INFO: of a line "name:7", or of "db0:keys=7,expires=0" by the name "db0:keys". */
function infoField(info: string, name: string): number | null {
  const at = info.indexOf(name);
  return at < 0 ? null : leadingInteger(info.slice(at + name.length + 1));
}

function humanBytes(bytes: number): string {
  const magnitude = Math.abs(bytes);
  if (magnitude < 1024) return `${bytes}B`;
  const power = Math.min(3, Math.floor(Math.log2(magnitude) / 10));
  return formatFixed(bytes / 1024 ** power, 2) + "BKMG"[power];
}
