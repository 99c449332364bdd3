/**
 * The files in the user's home folder: the history of a dialogue, and preferences.
 *
 * Commands with passwords are kept for the arrow keys, but are not written to the file.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { ProgramNames } from "./names.ts";

const SECRET_DIRECTIVES = [
  "masterauth",
  "masteruser",
  "primaryauth",
  "primaryuser",
  "tls-key-file-pass",
  "tls-client-key-file-pass",
  "requirepass",
];

/** Where the history is kept; null for nowhere. */
export function historyPath(names: ProgramNames): string | null {
  return dotFile("HISTFILE", names.historyFile);
}

/** Byte strings, oldest first. */
export function loadHistory(path: string | null): string[] {
  return linesOf(path);
}

export function appendHistory(path: string | null, line: string): void {
  if (path === null) return;
  try {
    appendFileSync(path, Buffer.from(`${line}\n`, "latin1"), { mode: 0o600 });
  } catch {
    // A history that cannot be kept is no reason not to execute a command.
  }
}

/** The lines of the preferences file. */
export function loadPreferences(names: ProgramNames): string[] {
  return linesOf(dotFile("RCFILE", names.preferencesFile));
}

/** Whether a command holds a password or the name of a user. */
export function isSensitive(args: readonly string[]): boolean {
  const words = args.map((arg) => arg.toLowerCase());
  const [name, sub = ""] = words;
  switch (name) {
    case "auth":
      return true;
    case "acl":
      return ["deluser", "setuser", "getuser"].includes(sub);
    case "config":
      return (
        sub === "set" &&
        words.some((word, index) => index >= 2 && index % 2 === 0 && isSecret(word))
      );
    case "hello":
      return helloHasPassword(words);
    case "migrate":
      return migrateHasPassword(words);
    case "sentinel":
      return sentinelHasPassword(words);
    default:
      return false;
  }
}

function isSecret(directive: string): boolean {
  return SECRET_DIRECTIVES.includes(directive);
}

/** HELLO version [AUTH user password] [SETNAME name] */
function helloHasPassword(words: readonly string[]): boolean {
  for (let at = 2; at < words.length; at++) {
    const rest = words.length - 1 - at;
    if (words[at] === "auth" && rest >= 2) return true;
    if (words[at] !== "setname" || rest === 0) return false;
    at++;
  }
  return false;
}

/** MIGRATE host port key db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS ...] */
function migrateHasPassword(words: readonly string[]): boolean {
  const options = words.slice(6);
  const keysAt = options.indexOf("keys");
  const before = keysAt < 0 ? options : options.slice(0, keysAt);
  return before.some((word, index) => {
    const rest = options.length - 1 - index;
    return (word === "auth" && rest >= 1) || (word === "auth2" && rest >= 2);
  });
}

function sentinelHasPassword(words: readonly string[]): boolean {
  if (words.length <= 4) return false;
  if (words[1] === "config" && words[2] === "set") {
    return ["sentinel-pass", "sentinel-user"].includes(words[3]);
  }
  return words[1] === "set" && ["auth-pass", "auth-user"].includes(words[3]);
}

/** The environment may name another file, or none by /dev/null. */
function dotFile(variable: string, name: string): string | null {
  const named = process.env[`VALKEYCLI_${variable}`] || process.env[`REDISCLI_${variable}`];
  if (named) return named === "/dev/null" ? null : named;
  const home = process.env.HOME || process.env.USERPROFILE;
  return home ? join(home, name) : null;
}

function linesOf(path: string | null): string[] {
  if (path === null) return [];
  try {
    return readFileSync(path, "latin1")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}
