/**
 * What the client calls itself and its files, after the name it was called by: who used redis-cli
 * until now finds the history again.
 */
import { basename } from "node:path";

export interface ProgramNames {
  readonly program: string;
  /** What it calls the server in messages, since scripts look for them. */
  readonly product: string;
  readonly historyFile: string;
  readonly preferencesFile: string;
}

export function namesFor(programName: string): ProgramNames {
  const product = /^(redis|valkey)-cli/.exec(basename(programName.replaceAll("\\", "/")))?.[1];
  const stem = `${product ?? "bunsen"}cli`;
  return {
    program: product === undefined ? "bunsen cli" : `${product}-cli`,
    product: product === "redis" ? "Redis" : "Valkey",
    historyFile: `.${stem}_history`,
    preferencesFile: `.${stem}rc`,
  };
}
