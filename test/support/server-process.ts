/**
 * Starts and stops servers, ours and the reference's alike, each as a process of its own on a
 * free port of 127.0.0.1 and in a temporary folder of its own.
 *
 * Readiness is a condition, not a delay: the server logs that it accepts connections, then a
 * PING is answered. A server is stopped by its pid. Use `useServer` in a test file: it registers
 * the clean-up before the server starts, so that nothing outlives a failing test.
 */
import { afterAll, beforeAll } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { getPeer, type PeerName } from "./peers.ts";
import { RespClient } from "./resp-client.ts";

/** Directive name to its arguments as they stand in a config file; a list repeats the directive. */
export type Directives = Readonly<Record<string, string | readonly string[]>>;

export interface ServerOptions {
  /** "ours", or the reference server to start instead. */
  readonly program: "ours" | PeerName;
  readonly directives?: Directives;
}

const READY_LINE = "Ready to accept connections";
const PORT_TAKEN = /Address already in use|Failed listening on port/i;
const START_ATTEMPTS_MAX = 5;
const STOP_DEADLINE_MS = 10_000;
const ROOT = resolve(import.meta.dir, "../..");

/** What every test server gets unless a test says otherwise. */
const BASE_DIRECTIVES: Directives = {
  bind: "127.0.0.1",
  save: '""',
  "enable-debug-command": "yes",
};

export class ServerProcess {
  readonly port: number;
  readonly folder: string;
  private readonly child: Bun.ReadableSubprocess;
  private readonly output: OutputCollector;

  private constructor(port: number, folder: string, child: Bun.ReadableSubprocess) {
    this.port = port;
    this.folder = folder;
    this.child = child;
    this.output = new OutputCollector(child);
  }

  /** Starts a server and waits until it answers. Throws with its output when it cannot. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    for (let attempt = 1; ; attempt++) {
      const folder = await mkdtemp(join(tmpdir(), "bunsen-test-"));
      const port = freePort();
      const file = join(folder, "server.conf");
      await writeFile(
        file,
        configText({ ...BASE_DIRECTIVES, ...options.directives }, port, folder),
      );
      const child = Bun.spawn([...commandLine(options.program), file], {
        cwd: ROOT,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const server = new ServerProcess(port, folder, child);
      if (await server.becameReady()) return server;
      const output = server.stdout();
      await server.stop();
      if (!PORT_TAKEN.test(output) || attempt === START_ATTEMPTS_MAX) {
        throw new Error(`${options.program} did not start:\n${output}`);
      }
    }
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Everything the server wrote so far, standard error included. */
  stdout(): string {
    return this.output.text();
  }

  /** Resolves when the output contains `text`; false when the server ended without it. */
  logged(text: string): Promise<boolean> {
    return this.output.waitFor(text);
  }

  connect(): Promise<RespClient> {
    return RespClient.connect(this.port);
  }

  /** Resolves with the exit code when the server ends by itself (SHUTDOWN, a signal). */
  exited(): Promise<number> {
    return this.child.exited;
  }

  /** SIGTERM, then SIGKILL to one that does not listen; removes its folder. */
  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const deadline = AbortSignal.timeout(STOP_DEADLINE_MS);
    const kill = () => this.child.kill("SIGKILL");
    deadline.addEventListener("abort", kill);
    await this.child.exited;
    deadline.removeEventListener("abort", kill);
    await rm(this.folder, { recursive: true, force: true });
  }

  private async becameReady(): Promise<boolean> {
    if (!(await this.logged(READY_LINE))) return false;
    const client = await this.connect();
    await client.command("PING");
    client.close();
    return true;
  }
}

/**
 * Registers a server for all tests of the calling file or describe block: started before them,
 * stopped after them whatever happens. Returns a getter for use inside tests.
 */
export function useServer(options: ServerOptions): () => ServerProcess {
  let server: ServerProcess | null = null;
  let starting: Promise<ServerProcess> | null = null;
  beforeAll(async () => {
    starting = ServerProcess.start(options);
    server = await starting;
  }, 30_000);
  afterAll(async () => {
    const started = await starting?.catch(() => null);
    await started?.stop();
  }, 30_000);
  return () => {
    if (server === null) throw new Error("the server is not running: call this inside a test");
    return server;
  };
}

/** The command line that starts our server, without arguments of its own. */
export function ourCommandLine(): readonly string[] {
  const binary = process.env.BUNSEN_BIN;
  if (binary) return [resolve(binary)];
  // Servers run in folders of their own, where Bun does not find bunfig.toml's define.
  return [process.execPath, "--define", "DEBUG=true", join(ROOT, "src", "main.ts")];
}

/** A port of 127.0.0.1 that nobody listens on at the moment. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const port = listener.port;
  listener.stop(true);
  return port;
}

function commandLine(program: "ours" | PeerName): readonly string[] {
  return program === "ours" ? ourCommandLine() : [getPeer(program)];
}

function configText(directives: Directives, port: number, folder: string): string {
  const lines = [`port ${port}`, `dir ${folder}`];
  for (const [name, value] of Object.entries(directives)) {
    const values = typeof value === "string" ? [value] : value;
    for (const each of values) lines.push(`${name} ${each}`);
  }
  return lines.join("\n") + "\n";
}

/** Gathers a child's output and lets tests wait for a text in it. */
export class OutputCollector {
  private collected = "";
  private openStreams = 2;
  private waiting: { text: string; resolve: (found: boolean) => void }[] = [];

  constructor(child: Bun.ReadableSubprocess) {
    void this.drain(child.stdout);
    void this.drain(child.stderr);
  }

  text(): string {
    return this.collected;
  }

  waitFor(text: string): Promise<boolean> {
    if (this.collected.includes(text)) return Promise.resolve(true);
    if (this.openStreams === 0) return Promise.resolve(false);
    return new Promise((resolve) => this.waiting.push({ text, resolve }));
  }

  private async drain(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.collected += decoder.decode(chunk, { stream: true });
      this.settle();
    }
    this.openStreams--;
    this.settle();
  }

  private settle(): void {
    const ended = this.openStreams === 0;
    this.waiting = this.waiting.filter((entry) => {
      const found = this.collected.includes(entry.text);
      if (found || ended) entry.resolve(found);
      return !found && !ended;
    });
  }
}
