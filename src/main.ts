/**
 * The program: command line and environment → configuration → server, or one of the tools. It
 * implements the machine (server/host.ts) for the rest; only it and the tools read `process`.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { machine, release, totalmem, type } from "node:os";
import { dirname, resolve } from "node:path";
import { systemBackgroundFiles } from "./base/background-files.ts";
import { systemFiles } from "./base/file-system.ts";
import { systemClock } from "./base/clock.ts";
import { systemPrng } from "./base/prng.ts";
import { BUNSEN, REDIS_VERSION } from "./base/version.ts";
import { commandTable } from "./commands/table.ts";
import { CommandNames } from "./dispatch/command-names.ts";
import { fromByteString, toByteString } from "./runtime/config/byte-string.ts";
import { parseCommandLine, parseEnvironment } from "./runtime/config/command-line.ts";
import { loadConfig } from "./runtime/config/config-file.ts";
import { Config } from "./runtime/config/config.ts";
import { Log } from "./runtime/log.ts";
import type { Host } from "./server/host.ts";
import { parseOpenFilesMax } from "./server/open-files.ts";
import { Server } from "./server/server.ts";
import { loadTool, parseInvocation, type Role } from "./tools/roles.ts";

const USAGE = `Usage: bunsen [/path/to/redis.conf | -] [--directive value ...]
       bunsen cli [options] [command ...]
       bunsen benchmark [options] [command ...]
       bunsen --version
       bunsen --help

Examples:
       bunsen                                  serves port 6379 with the default configuration
       bunsen /etc/redis/redis.conf            reads a configuration file
       echo 'maxmemory 128mb' | bunsen -       reads it from standard input
       bunsen --port 7777 --loglevel verbose   sets directives
       BUNSEN_PORT=7777 bunsen                 sets a directive by the environment
       bunsen cli -p 7777                      talks to a server; bunsen cli --help says more

Called by a link named redis-cli, valkey-benchmark and so on, it is that tool.
`;

function systemErrorText(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known: Readonly<Record<string, string>> = {
    ENOENT: "No such file or directory",
    EACCES: "Permission denied",
    ENOTDIR: "Not a directory",
    EISDIR: "Is a directory",
    ENOSPC: "No space left on device",
    EROFS: "Read-only file system",
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}

/** Writes all of `text`, whatever the descriptor takes at a time. */
function writeFully(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // A pipe that is full for the moment; any other failure leaves nobody to tell.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
    }
  }
}

function openFilesMax(): number {
  try {
    return parseOpenFilesMax(readFileSync("/proc/self/limits", "latin1"));
  } catch {
    // Not Linux.
    return Infinity;
  }
}

function replaceFile(path: string, text: string): string | null {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const descriptor = openSync(temporary, "w", 0o644);
    writeFully(descriptor, text);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(temporary, path);
    return null;
  } catch (error) {
    rmSync(temporary, { force: true });
    return systemErrorText(error);
  }
}

/** Nobody wakes who waits for it. */
const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

const host: Host = {
  pid: process.pid,
  executable: process.execPath,
  platform: `${type()} ${release()} ${machine()}`,
  totalMemoryBytes: totalmem(),
  openFilesMax: openFilesMax(),
  files: {
    read(path) {
      try {
        return { text: readFileSync(fromByteString(path)).toString("latin1") };
      } catch (error) {
        return { error: systemErrorText(error) };
      }
    },
    glob(pattern) {
      const found = [...new Bun.Glob(fromByteString(pattern)).scanSync({ absolute: true })];
      return found.map(toByteString).toSorted();
    },
  },
  fileSystem: systemFiles,
  backgroundFiles: systemBackgroundFiles,
  startSnapshotWorker(order, onMessage, onEnd) {
    const worker = new Worker(new URL("./persistence/snapshot-worker.ts", import.meta.url).href);
    worker.addEventListener("message", onMessage);
    worker.addEventListener("error", onEnd);
    worker.addEventListener("close", onEnd);
    worker.postMessage(order);
    return worker;
  },
  currentDirectory: () => toByteString(process.cwd()),
  changeDirectory(path) {
    try {
      process.chdir(fromByteString(path));
      return null;
    } catch (error) {
      return systemErrorText(error);
    }
  },
  print: (text) => writeFully(1, text),
  openLog(path) {
    try {
      const descriptor = openSync(fromByteString(path), "a", 0o644);
      return { write: (text) => writeFully(descriptor, text) };
    } catch (error) {
      return { error: systemErrorText(error) };
    }
  },
  replaceFile: (path, text) => replaceFile(fromByteString(path), text),
  removeFile: (path) => rmSync(fromByteString(path), { force: true }),
  setFileMode: (path, mode) => chmodSync(fromByteString(path), mode),
  memory() {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return {
      residentBytes: rss,
      heapBytes: ownHeapBytes(heapUsed, heapTotal, external),
      heapCapacityBytes: heapTotal,
    };
  },
  cpu() {
    const { user, system } = process.cpuUsage();
    return { userSeconds: user / 1e6, systemSeconds: system / 1e6 };
  },
  threadCpuUs() {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  },
  // The executable starts with a reluctant JIT, see build.ts.
  expectWork: () => Bun.unsafe.setJITPolicy(1),
  // Not at once: a forced collection stops the server for tens of milliseconds.
  collectGarbage: () => Bun.gc(false),
  // Bun.sleepSync knows whole milliseconds only.
  sleepMs: (ms) => void Atomics.wait(SLEEPER, 0, 0, ms),
  exit: (code) => process.exit(code),
  abort: () => process.abort(),
};

/**
 * Bytes of the heap without array buffers, of which the arena consists. Before the first collection
 * `heapUsed` is without them, later with those that the last one saw.
 */
function ownHeapBytes(heapUsed: number, heapTotal: number, external: number): number {
  const own = heapUsed <= heapTotal ? heapUsed : heapUsed - external;
  return own > 0 ? own : heapTotal;
}

function fail(message: string): never {
  writeFully(2, message);
  process.exit(1);
}

/**
 * Local time minus UTC. The first question for the local time loads tables of all time zones, some
 * 6 ms of a start: a machine that runs on UTC, as most servers do, is recognised without.
 */
function utcOffset(): (nowMs: number) => number {
  const isUtc = process.env.TZ === undefined ? systemZoneIsUtc() : UTC_ZONE.test(process.env.TZ);
  return (nowMs) => (isUtc ? 0 : -new Date(nowMs).getTimezoneOffset() * 60_000);
}

const UTC_ZONE = /^:?(Etc\/)?(UTC|UCT|Universal|Zulu)?$/;

function systemZoneIsUtc(): boolean {
  if (process.platform === "win32") return false;
  try {
    return UTC_ZONE.test(realpathSync("/etc/localtime").replace(/^.*\/zoneinfo\//, ""));
  } catch {
    // Without the file the system's C library takes UTC.
    return true;
  }
}

async function main(): Promise<void> {
  const { role, args } = parseInvocation(process.argv0, process.argv.slice(2));
  if (role === "server") await startServer(args);
  else await runTool(role, args);
}

async function runTool(role: Exclude<Role, "server">, args: readonly string[]): Promise<void> {
  // The executable starts with a reluctant JIT, see build.ts.
  Bun.unsafe.setJITPolicy(1);
  const tool = await loadTool(role);
  process.exit(await tool(args, process.argv0));
}

/**
 * What --version prints. Programs that start servers take its first number for the version of Redis:
 * redigo's tests choose options by it, pytest-redis refuses versions below 2.6.
 */
function versionLine(): string {
  const sha = `${BUNSEN.gitSha}:${BUNSEN.gitDirty ? 1 : 0}`;
  return `Bunsen server v=${REDIS_VERSION} sha=${sha} malloc=arena bits=64 bunsen=${BUNSEN.version}\n`;
}

async function startServer(argv: readonly string[]): Promise<void> {
  const clock = systemClock();
  const log = new Log(process.pid, clock, utcOffset(), host.print);
  if (argv.length === 1 && (argv[0] === "-v" || argv[0] === "--version")) {
    host.print(versionLine());
    return;
  }
  if (argv.length === 1 && (argv[0] === "-h" || argv[0] === "--help")) {
    host.print(USAGE);
    return;
  }
  const commandLine = parseCommandLine(argv.map(toByteString));
  const environment = parseEnvironment(process.env);
  const config = new Config({ ...host, warn: (text) => log.warning(text) });
  const standardInput = commandLine.readsStandardInput
    ? Buffer.from(await Bun.stdin.bytes()).toString("latin1")
    : null;
  const configFile = absolutePath(commandLine.fileName);
  let names: CommandNames | null = null;
  const fatal = loadConfig(config, {
    files: host.files,
    fileName: commandLine.fileName,
    standardInput,
    environmentLines: environment.lines,
    argumentLines: commandLine.lines,
    version: BUNSEN.version,
    checkRename: (from, to) => (names ??= new CommandNames(commandTable())).rename(from, to),
  });
  if (fatal !== null) fail(fatal);
  const logFile = config.string("logfile");
  if (logFile !== "") {
    const opened = host.openLog(logFile);
    if ("error" in opened) {
      fail(
        `\n*** FATAL CONFIG FILE ERROR (Bunsen ${BUNSEN.version}) ***\nCan't open the log file: ${opened.error}\n`,
      );
    }
    log.sink = opened.write;
  }
  for (const name of environment.unknown) {
    log.warning(`The environment variable ${name} names no directive and is ignored`);
  }
  const server = new Server({ config, host, clock, prng: systemPrng(), log, configFile });
  process.on("SIGTERM", () => server.onSignal("SIGTERM"));
  process.on("SIGINT", () => server.onSignal("SIGINT"));
  if (!server.start()) process.exit(1);
  host.expectWork();
}

/** The configuration file's path, which survives a change of directory. */
function absolutePath(fileName: string | null): string {
  if (fileName === null) return "";
  const path = resolve(fromByteString(fileName));
  try {
    return toByteString(resolve(realpathSync(dirname(path)), path));
  } catch {
    return toByteString(path);
  }
}

await main();
