// The servers that are compared, and how one is started, asked and stopped.
//
// Every server gets its own empty directory, a free port on 127.0.0.1 and the same core; it keeps
// no data on disk, unless a figure asks for something else, and it is stopped by its pid.

import { spawn, type Subprocess } from "bun";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";

export const SERVER_CORE = 1;
export const CLIENT_CORE = 0;

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;
const PORT_PLACEHOLDER = "PORT";
const DIRECTORY_PLACEHOLDER = "DIR";

export const SERVER_IDS = ["bunsen", "redis", "valkey"] as const;
export type ServerId = (typeof SERVER_IDS)[number];

export interface ServerKind {
  id: ServerId;
  label: string;
  version: string;
  // The command line, with PORT and DIR where a run fills in its own.
  command: string[];
}

export interface RunningServer {
  kind: ServerKind;
  port: number;
  pid: number;
  directory: string;
  // From the start of the process to its first answer.
  startupMs: number;
  stop: () => Promise<void>;
}

export interface StartOptions {
  // Further directives, as on the command line.
  directives?: readonly string[];
  // Where its files are, or are to be. The caller removes it.
  directory?: string;
  // Whether it may use all cores.
  isFree?: boolean;
  timeoutMs?: number;
}

const COMMON_OPTIONS = [
  "--port",
  PORT_PLACEHOLDER,
  "--bind",
  "127.0.0.1",
  "--save",
  "",
  "--appendonly",
  "no",
  "--enable-debug-command",
  "local",
  "--dir",
  DIRECTORY_PLACEHOLDER,
];

export function peersDirectory(): string {
  return join(process.env.BUNSEN_PEERS ?? join(homedir(), ".cache/bunsen-peers"), "bin");
}

export function findServerKinds(): ServerKind[] {
  const ours = resolve(process.env.BUNSEN_BIN ?? join(import.meta.dir, "../dist/bunsen"));
  const custom = process.env.BENCH_OURS;
  return [
    custom === undefined
      ? kindOf("bunsen", "Bunsen", ours)
      : {
          id: "bunsen",
          label: "Bunsen",
          version: `custom command: ${custom}`,
          command: custom.replaceAll("{port}", PORT_PLACEHOLDER).split(/\s+/),
        },
    kindOf("redis", "Redis", Bun.which("redis-server") ?? join(peersDirectory(), "redis-server")),
    kindOf("valkey", "Valkey", join(peersDirectory(), "valkey-server")),
  ];
}

function kindOf(id: ServerId, name: string, path: string): ServerKind {
  if (!existsSync(path)) throw new Error(`${name}: ${path} does not exist`);
  const version = Bun.spawnSync([path, "--version"]).stdout.toString().trim();
  const number = /bunsen=(\S+)/.exec(version)?.[1] ?? /\d+\.\d+\.\d+/.exec(version)?.[0];
  const label = number === undefined ? name : `${name} ${number}`;
  return { id, label, version, command: [path, ...COMMON_OPTIONS] };
}

export function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), "bunsen-bench-"));
}

export async function startServer(
  kind: ServerKind,
  options: StartOptions = {},
): Promise<RunningServer> {
  const directory = options.directory ?? newDirectory();
  const isOwn = options.directory === undefined;
  const port = await findFreePort();
  const command = [...kind.command, ...(options.directives ?? [])].map((word) => {
    if (word === PORT_PLACEHOLDER) return String(port);
    return word === DIRECTORY_PLACEHOLDER ? directory : word;
  });
  const start = performance.now();
  // An interrupted benchmark leaves no server behind.
  const abandon = () => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  const stop = async () => {
    await stopServer(child);
    if (isOwn) rmSync(directory, { recursive: true, force: true });
    process.off("exit", abandon);
  };
  const cores = options.isFree === true ? `${CLIENT_CORE},${SERVER_CORE}` : String(SERVER_CORE);
  const child = spawn(["taskset", "-c", cores, ...command], {
    cwd: directory,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  process.on("exit", abandon);
  try {
    await awaitPong(child, port, kind.label, options.timeoutMs ?? START_TIMEOUT_MS);
  } catch (error) {
    await stop();
    throw error;
  }
  const startupMs = performance.now() - start;
  return { kind, port, pid: child.pid, directory, startupMs, stop };
}

async function awaitPong(
  child: Subprocess,
  port: number,
  label: string,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${label} ended with code ${child.exitCode}`);
    if (performance.now() > deadline) throw new Error(`${label} does not answer on port ${port}`);
    try {
      if ((await request(port, ["PING"])) === "PONG") return;
    } catch {
      // Not listening yet, or loading.
    }
  }
}

async function stopServer(child: Subprocess): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await child.exited;
  clearTimeout(timer);
}

// A command line to read: programs without the directories of this machine.
export function displayCommand(words: readonly string[]): string {
  const shown = words.map((word) => (word.startsWith("/") ? basename(word) : word || '""'));
  return shown.join(" ");
}

function findFreePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") return fail(new Error("no port"));
      server.close(() => done(address.port));
    });
  });
}

// Sends one command on a new connection; answers the text of a simple or bulk string reply.
export async function request(port: number, words: string[]): Promise<string> {
  const { promise, resolve: done, reject: fail } = Promise.withResolvers<string>();
  let reply = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_, bytes) {
        reply += bytes.toString("latin1");
        if (reply.startsWith("-") && reply.endsWith("\r\n")) fail(new Error(reply.slice(1).trim()));
        const text = completeReply(reply);
        if (text !== undefined) done(text);
      },
      close: () => fail(new Error(`${words[0]}: connection closed`)),
      error: (_, error) => fail(error),
    },
  });
  socket.write(`*${words.length}\r\n${words.map((w) => `$${w.length}\r\n${w}\r\n`).join("")}`);
  try {
    return await promise;
  } finally {
    socket.end();
  }
}

function completeReply(reply: string): string | undefined {
  const lineEnd = reply.indexOf("\r\n");
  if (lineEnd < 0) return undefined;
  const head = reply.slice(1, lineEnd);
  // "$" and RESP3's "=" carry a length; everything else asked here is one line.
  if (reply[0] !== "$" && reply[0] !== "=") return head;
  const bodyEnd = lineEnd + 2 + Number(head);
  return reply.length < bodyEnd + 2 ? undefined : reply.slice(lineEnd + 2, bodyEnd);
}
