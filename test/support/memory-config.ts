/** A configuration without a disk: files, directories and warnings live in memory. */
import { loadConfig } from "../../src/runtime/config/config-file.ts";
import { Config } from "../../src/runtime/config/config.ts";

export interface MemoryConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
}

/** Directories that `dir` accepts. */
const DIRECTORIES: readonly string[] = ["/start", "/data"];

export function memoryConfig(): MemoryConfig {
  const warnings: string[] = [];
  let directory = DIRECTORIES[0];
  const config = new Config({
    currentDirectory: () => directory,
    changeDirectory(path) {
      if (!DIRECTORIES.includes(path)) return "No such file or directory";
      directory = path;
      return null;
    },
    warn: (text) => warnings.push(text),
  });
  return { config, warnings };
}

export interface MemorySources {
  readonly files?: Readonly<Record<string, string>>;
  readonly fileName?: string;
  readonly standardInput?: string;
  readonly environmentLines?: string;
  readonly argumentLines?: string;
  readonly checkUser?: (args: readonly string[]) => string | null;
  readonly checkRename?: (from: string, to: string) => string | null;
}

/** Loads into the configuration; null, or the fatal text. Globs know only a trailing "*". */
export function loadFromMemory(config: Config, sources: MemorySources): string | null {
  const files = sources.files ?? {};
  return loadConfig(config, {
    files: {
      read: (path) =>
        path in files ? { text: files[path] } : { error: "No such file or directory" },
      glob: (pattern) =>
        Object.keys(files)
          .filter((path) => path.startsWith(pattern.slice(0, -1)))
          .sort(),
    },
    fileName: sources.fileName ?? null,
    standardInput: sources.standardInput ?? null,
    environmentLines: sources.environmentLines ?? "",
    argumentLines: sources.argumentLines ?? "",
    version: "1.2.3",
    checkUser: sources.checkUser,
    checkRename: sources.checkRename,
  });
}
