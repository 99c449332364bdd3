/**
 * Our program as a person starts it: with any arguments, environment and standard input, whether it
 * then serves or ends with a message. Tests that only need a server use server-process.ts.
 */
import { afterEach } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OutputCollector, ourCommandLine } from "./server-process.ts";

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What standard input holds; none by default. */
  readonly stdin?: string;
}

/** A process that should end, or become ready, does so within this, or is killed. */
const DEADLINE_MS = 20_000;

/** Without what is meant for the tests: our program takes BUNSEN_* for directives. */
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("BUNSEN_")),
);

export class OurProcess {
  private readonly child: Bun.ReadableSubprocess;
  private readonly output: OutputCollector;

  constructor(args: readonly string[], folder: string, options: StartOptions = {}) {
    this.child = Bun.spawn([...ourCommandLine(), ...args], {
      cwd: folder,
      env: { ...ENVIRONMENT, ...options.env },
      stdin: options.stdin === undefined ? "ignore" : new TextEncoder().encode(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
    });
    this.output = new OutputCollector(this.child);
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Everything that was written so far, standard error included. */
  text(): string {
    return this.output.text();
  }

  /** Resolves when the output contains `text`; throws with the output when the process ends first. */
  async logged(text: string): Promise<void> {
    if (await this.output.waitFor(text)) return;
    throw new Error(`ended without writing ${JSON.stringify(text)}:\n${this.text()}`);
  }

  signal(name: "SIGTERM" | "SIGINT"): void {
    this.child.kill(name);
  }

  /** The exit code, once the process has ended and all of its output has arrived. */
  async exited(): Promise<number> {
    const code = await this.child.exited;
    await this.output.waitFor("\0 text that never comes");
    return code;
  }

  /** Ends the process if it still runs. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null) this.child.kill("SIGKILL");
    await this.child.exited;
  }
}

/** A folder of its own for each test, and a way to start processes in it that end with the test. */
export function useProcesses(): {
  folder: () => string;
  start: (args: readonly string[], options?: StartOptions) => OurProcess;
} {
  let current: string | null = null;
  let started: OurProcess[] = [];
  const folder = () => (current ??= mkdtempSync(join(tmpdir(), "bunsen-test-")));
  afterEach(async () => {
    for (const each of started) await each.stop();
    started = [];
    if (current !== null) rmSync(current, { recursive: true, force: true });
    current = null;
  });
  return {
    folder,
    start(args, options) {
      const process = new OurProcess(args, folder(), options);
      started.push(process);
      return process;
    },
  };
}
