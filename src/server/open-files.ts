/**
 * The system's limit of open files, of which every client is one. Bun has raised it as far as it
 * may when the program starts; what it does not allow for is taken off maxclients, so that clients
 * are refused with an error and not left waiting in the system's queue.
 */
import type { Config } from "../runtime/config/config.ts";
import type { Log } from "../runtime/log.ts";

/** Files that are not clients: listeners, logs, data, the run time's own. */
const RESERVED_FILES = 32;

/** Lowers maxclients to fit, and says so in the log. False if not even the server itself fits. */
export function fitMaxClients(config: Config, log: Log, openFilesMax: number): boolean {
  const wanted = config.int("maxclients");
  const files = wanted + RESERVED_FILES;
  if (files <= openFilesMax) return true;
  if (openFilesMax <= RESERVED_FILES) {
    log.warning(
      `Your current 'ulimit -n' of ${openFilesMax} is not enough for the server to start. ` +
        `Please increase your open file limit to at least ${files}. Exiting.`,
    );
    return false;
  }
  const reduced = openFilesMax - RESERVED_FILES;
  log.warning(
    `You requested maxclients of ${wanted} requiring at least ${files} max file descriptors.`,
  );
  log.warning(
    `Server can't set maximum open files to ${files} because of OS error: Operation not permitted.`,
  );
  log.warning(
    `Current maximum open files is ${openFilesMax}. maxclients has been reduced to ${reduced} to ` +
      "compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
  );
  config.assign("maxclients", String(reduced));
  return true;
}

/** Why CONFIG SET may not set maxclients to what it is now, or null. */
export function maxClientsError(config: Config, openFilesMax: number): string | null {
  if (config.int("maxclients") + RESERVED_FILES <= openFilesMax) return null;
  const possible = Math.max(0, openFilesMax - RESERVED_FILES);
  return `The operating system is not able to handle the specified number of clients, try with ${possible}`;
}

/** The limit in the text of Linux's /proc/self/limits; Infinity if it has none. */
export function parseOpenFilesMax(limits: string): number {
  const found = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits);
  return found === null || found[1] === "unlimited" ? Infinity : Number(found[1]);
}
