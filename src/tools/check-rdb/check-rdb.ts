/**
 * `bunsen check-rdb file [--stats] [--format table|info|csv] [--output file]`: the command line of the
 * checker of RDB files, with the messages and exit codes of valkey-check-rdb. At a terminal a bar
 * shows how far it is.
 */
import { systemClock } from "../../base/clock.ts";
import { FileError, systemFiles, writeAll } from "../../base/file-system.ts";
import { systemPrng } from "../../base/prng.ts";
import { BUNSEN } from "../../base/version.ts";
import { checkRdbFile } from "../../persistence/rdb-file-check.ts";
import { FileSource } from "../../persistence/rdb-file-source.ts";
import { DatasetStats, type StatsFormat } from "./dataset-stats.ts";
import { ProgressBar } from "./progress-bar.ts";

const USAGE =
  "Usage: bunsen check-rdb <rdb-file-name> [--format table|info|csv] [--stats] [--output <file>]\n";
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

interface CheckRdbOptions {
  readonly path: string;
  readonly showsStats: boolean;
  readonly format: StatsFormat;
  /** Where the figures go; null = to standard output. */
  readonly output: string | null;
}

/** Runs the tool; resolves with the exit code. */
export async function checkRdbMain(args: readonly string[]): Promise<number> {
  if (args[0] === "-v" || args[0] === "--version") {
    write(STANDARD_OUTPUT, `bunsen-check-rdb ${BUNSEN.version}\n`);
    return 0;
  }
  const options = parseOptions(args);
  if (options === null) {
    write(STANDARD_ERROR, USAGE);
    return 1;
  }
  try {
    return check(options);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    write(STANDARD_ERROR, `${options.path}: ${error.message}\n`);
    return 1;
  }
}

function check(options: CheckRdbOptions): number {
  const file = systemFiles.open(options.path, "read");
  const stats = new DatasetStats();
  const bar = new ProgressBar(process.stderr.isTTY ? systemFiles.size(file) : 0, (text) =>
    write(STANDARD_ERROR, text),
  );
  let lines = "";
  try {
    const { isGood } = checkRdbFile({
      name: options.path,
      source: new FileSource(systemFiles, file),
      clock: systemClock(),
      prng: systemPrng(),
      print: (line) => {
        lines += `${line}\n`;
      },
      observer: {
        onValue: options.showsStats ? (value) => stats.add(value) : undefined,
        onProgress: (offset) => {
          bar.clear();
          write(STANDARD_OUTPUT, lines);
          lines = "";
          bar.show(offset);
        },
      },
    });
    bar.clear();
    write(STANDARD_OUTPUT, lines);
    if (options.showsStats) showStats(stats, options);
    return isGood ? 0 : 1;
  } finally {
    systemFiles.close(file);
  }
}

function showStats(stats: DatasetStats, { format, output }: CheckRdbOptions): void {
  const text = `${stats.lines(format).join("\n")}\n`;
  if (output === null) {
    write(STANDARD_OUTPUT, text);
    return;
  }
  const file = systemFiles.open(output, "write");
  write(file, text);
  systemFiles.close(file);
}

/** Null if the arguments make no sense. */
function parseOptions(args: readonly string[]): CheckRdbOptions | null {
  const [path, ...rest] = args;
  if (path === undefined) return null;
  let showsStats = false;
  let format: StatsFormat = "table";
  let output: string | null = null;
  for (let i = 0; i < rest.length; i++) {
    const value = rest.at(i + 1);
    if (rest[i] === "--stats") showsStats = true;
    else if (rest[i] === "--output" && value !== undefined) {
      output = value;
      i++;
    } else if (
      rest[i] === "--format" &&
      (value === "table" || value === "info" || value === "csv")
    ) {
      format = value;
      i++;
    } else return null;
  }
  return { path, showsStats, format, output };
}

function write(file: number, text: string): void {
  const bytes = Buffer.from(text, "latin1");
  writeAll(systemFiles, file, bytes, 0, bytes.length);
}
