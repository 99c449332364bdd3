/**
 * `bunsen check-aof [--fix | --truncate-to-timestamp seconds] file`: the command line of the
 * checker of append-only files.
 */
import { readSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { systemFiles } from "../../base/file-system.ts";
import { systemPrng } from "../../base/prng.ts";
import { BUNSEN } from "../../base/version.ts";
import { checkRdbFile } from "../../persistence/rdb-file-check.ts";
import { FileSource } from "../../persistence/rdb-file-source.ts";
import { Log } from "../../runtime/log.ts";
import { AofCheck, CheckExit, type CheckAofOptions } from "./aof-check.ts";

const TOOL_NAME = "bunsen check-aof";
const PATH_BYTES_MAX = 4096;
const ANSWER_BYTES = 64;
const SECONDS_MAX = 2 ** 63;

/** What the arguments ask for: a check of a file, a text to print, or nothing that exists. */
type Request =
  | { readonly options: CheckAofOptions; readonly path: string }
  | { readonly text: string; readonly code: number };

export async function checkAofMain(args: readonly string[]): Promise<number> {
  const request = parseRequest(args);
  if ("text" in request) {
    print(request.text);
    return request.code;
  }
  const log = new Log(process.pid, systemClock(), () => 0, print);
  log.role = "C";
  const check = new AofCheck(
    {
      files: systemFiles,
      print,
      log: (message) => log.warning(message),
      ask,
      checkRdb,
    },
    request.options,
  );
  try {
    check.run(request.path);
    return 0;
  } catch (error) {
    if (error instanceof CheckExit) return error.code;
    throw error;
  }
}

function parseRequest(args: readonly string[]): Request {
  const usage = {
    text: `Usage: ${TOOL_NAME} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n`,
    code: 1,
  };
  const path = args.at(-1);
  if (path === undefined) return usage;
  const options = { fixes: false, untilSeconds: 0, toolName: TOOL_NAME };
  const tooLong = Buffer.byteLength(path) > PATH_BYTES_MAX;
  if (args.length === 1) {
    if (path === "-v" || path === "--version") {
      return { text: `bunsen-check-aof ${BUNSEN.version}\n`, code: 0 };
    }
  } else if (args.length === 2) {
    if (args[0] !== "--fix") return usage;
    options.fixes = true;
  } else if (args.length === 3) {
    if (args[0] !== "--truncate-to-timestamp") return usage;
    const seconds = Number(args[1]);
    if (!/^\s*[+-]?\d*$/.test(args[1]) || Math.abs(seconds) >= SECONDS_MAX) {
      return { text: "Invalid timestamp, aborting...\n", code: 1 };
    }
    options.untilSeconds = seconds;
  } else return usage;
  if (tooLong) {
    return { text: `Error: filepath is too long (exceeds PATH_MAX)\n${usage.text}`, code: 1 };
  }
  return { options, path };
}

function checkRdb(path: string): number | null {
  const file = systemFiles.open(path, "read");
  try {
    const { isGood, endOffset } = checkRdbFile({
      name: path,
      source: new FileSource(systemFiles, file),
      clock: systemClock(),
      prng: systemPrng(),
      print: (line) => print(`${line}\n`),
    });
    return isGood ? endOffset : null;
  } finally {
    systemFiles.close(file);
  }
}

function print(text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length;) at += systemFiles.write(1, bytes, at, bytes.length - at);
}

function ask(): string {
  const answer = Buffer.alloc(ANSWER_BYTES);
  try {
    return answer.toString("latin1", 0, readSync(0, answer, 0, ANSWER_BYTES, null));
  } catch {
    // Standard input is closed: that is no "yes".
    return "";
  }
}
