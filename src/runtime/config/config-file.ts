/**
 * Configuration text into a Config: the file, standard input, the environment and the command line,
 * in this order, as one text whose later lines win. Lines are directives, comments (#) or blank.
 *
 * The file system is injected, so `include` works in tests without files. Every error is fatal for
 * the start; the result is the complete text for standard error, or null.
 */

import { beforeNul, splitArguments, toLowerAscii, trimLine } from "./byte-string.ts";
import type { Config } from "./config.ts";
import { type Directive, Flag, hasFlag } from "./directive.ts";
import { findDirective, isObsoleteDirective } from "./directives.ts";

/** Paths, contents and error texts are byte strings. */
export interface ConfigFiles {
  read(path: string): { readonly text: string } | { readonly error: string };
  /** Existing paths that match a pattern with * ? [ ], sorted. */
  glob(pattern: string): readonly string[];
}

export interface ConfigSources {
  readonly files: ConfigFiles;
  /** Path or glob of the configuration file, or null. */
  readonly fileName: string | null;
  /** What came on standard input, or null if it was not asked for. */
  readonly standardInput: string | null;
  /** Lines from the environment and from argv, see command-line.ts. */
  readonly environmentLines: string;
  readonly argumentLines: string;
  /** Named in error texts. */
  readonly version: string;
  /**
   * Checks of lines that name things the configuration does not know; each returns an error text
   * or null. Without a check everything is accepted.
   */
  readonly checkUser?: (args: readonly string[]) => string | null;
  readonly checkRename?: (from: string, to: string) => string | null;
}

/** Files that include each other forever must end in an error, not in a crash. */
const INCLUDE_DEPTH_MAX = 64;

interface Loader {
  readonly config: Config;
  readonly sources: ConfigSources;
  depth: number;
  /**
   * Is a file being read? As in the reference this is over when an included file ends, so a `save`
   * line after an `include` replaces the earlier ones.
   */
  isReading: boolean;
}

/** Loads all sources. Null, or the text to print before giving up. */
export function loadConfig(config: Config, sources: ConfigSources): string | null {
  const loader: Loader = { config, sources, depth: 0, isReading: false };
  const file = readConfigFile(sources.files, sources.fileName);
  if ("error" in file) return file.error;
  const parts = [
    file.text + (sources.standardInput ?? ""),
    sources.environmentLines,
    sources.argumentLines,
  ];
  const text = parts.filter((part, index) => index === 0 || part !== "").join("\n");
  return loadText(loader, text) ?? finishLoading(loader);
}

/** The text of a file or of all files that a pattern matches; a pattern may match none. */
function readConfigFile(
  files: ConfigFiles,
  name: string | null,
): { readonly text: string } | { readonly error: string } {
  if (name === null) return { text: "" };
  const paths = /[*?[]/.test(name) ? files.glob(name) : [name];
  let text = "";
  for (const path of paths) {
    const file = files.read(path);
    if ("error" in file) {
      return { error: `Fatal error, can't open config file '${path}': ${file.error}` };
    }
    text += file.text;
  }
  return { text };
}

function loadText(loader: Loader, text: string): string | null {
  loader.isReading = true;
  const lines = text === "" ? [] : text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = beforeNul(trimLine(lines[i]));
    if (line === "" || line.startsWith("#")) continue;
    const args = splitArguments(line);
    if (args !== null && args.length > 0 && isInclude(args)) {
      const fatal = loadInclude(loader, args[1]);
      if (fatal !== null) return fatal;
      continue;
    }
    const error =
      args === null ? "Unbalanced quotes in configuration line" : loadLine(loader, args);
    if (error !== null) return fatalError(loader, error, { number: i + 1, text: line });
  }
  loader.isReading = false;
  return null;
}

function isInclude(args: readonly string[]): boolean {
  return toLowerAscii(args[0]) === "include" && args.length === 2;
}

function loadInclude(loader: Loader, name: string): string | null {
  if (loader.depth === INCLUDE_DEPTH_MAX) {
    return fatalError(loader, `Too many nested includes, at '${name}'`, null);
  }
  const file = readConfigFile(loader.sources.files, name);
  if ("error" in file) return file.error;
  loader.depth++;
  const fatal = loadText(loader, file.text);
  loader.depth--;
  return fatal;
}

/** Null or the error text. */
function loadLine(loader: Loader, args: readonly string[]): string | null {
  if (args.length === 0) return null;
  const known = findDirective(args[0]);
  if (known !== undefined) return loadDirective(loader, known.row, args.slice(1));
  if (isObsoleteDirective(args[0]) && args.length === 2) return null;
  return loadDeclaration(loader, toLowerAscii(args[0]), args.slice(1));
}

function loadDirective(loader: Loader, row: Directive, args: readonly string[]): string | null {
  const { config } = loader;
  if (!hasFlag(row, Flag.MultiArg)) {
    if (args.length !== 1) return "wrong number of arguments";
    return config.assignArguments(row, args, loader.isReading);
  }
  // One quoted argument may hold them all: save "900 1 300 10".
  const isQuotedList = args.length === 1 && args[0] !== "";
  const separate = isQuotedList ? (splitArguments(args[0]) ?? []) : args;
  return config.assignArguments(row, separate, loader.isReading);
}

function loadDeclaration(loader: Loader, name: string, args: readonly string[]): string | null {
  const { declarations } = loader.config;
  const { checkRename, checkUser } = loader.sources;
  if (name === "rename-command" && args.length === 2) {
    const [from, to] = args;
    declarations.renamedCommands.push({ from, to });
    return checkRename?.(from, to) ?? null;
  }
  if (name === "user" && args.length >= 1) {
    declarations.users.push(args);
    return checkUser?.(args) ?? null;
  }
  if (name === "loadmodule" && args.length >= 1) {
    declarations.modules.push({ path: args[0], args: args.slice(1) });
    return null;
  }
  if (name.includes(".")) {
    if (args.length === 0) return "Module config specified without value";
    declarations.moduleValues.push({ name, value: args.join(" ") });
    return null;
  }
  if (name === "sentinel") {
    if (args.length > 0) return "sentinel directive while not in sentinel mode";
    declarations.wantsSentinel = true;
    return null;
  }
  return "Bad directive or wrong number of arguments";
}

/** Checks of several directives together, after the last line. */
function finishLoading(loader: Loader): string | null {
  const { config } = loader;
  if (!config.bool("cluster-enabled")) return null;
  if (config.replicationSource() !== null) {
    return fatalError(loader, "replicaof directive not allowed in cluster mode", null);
  }
  const databases = config.int("databases");
  if (databases > 1) {
    config.host.warn(
      `WARNING: Changing databases number from ${databases} to 1 since we are in cluster mode`,
    );
    config.assign("databases", "1");
  }
  return null;
}

function fatalError(
  loader: Loader,
  error: string,
  line: { readonly number: number; readonly text: string } | null,
): string {
  const where =
    line === null
      ? ""
      : `Reading the configuration file, at line ${line.number}\n>>> '${line.text}'\n`;
  const title = `\n*** FATAL CONFIG FILE ERROR (Bunsen ${loader.sources.version}) ***\n`;
  return `${title}${where}${error}\n`;
}
