/**
 * `bunsen benchmark`: measures how fast a server answers, with the options and the output of
 * redis-benchmark and valkey-benchmark, and a chart of the latencies for people at a terminal.
 */
import { basename } from "node:path";
import { systemClock } from "../../base/clock.ts";
import type { Reply } from "../../protocol/reply-reader.ts";
import { CliExit, fail, print, printError } from "../cli/console.ts";
import { ConnectError, Connection, encodeCommand } from "../connection.ts";
import { latencyChart } from "./latency-chart.ts";
import { LoadFailure } from "./load.ts";
import { authCommand, Meter, type Measurement, type Progress } from "./measurement.ts";
import { parseOptions, type BenchmarkOptions } from "./options.ts";
import {
  CSV_HEAD,
  csvLine,
  longReport,
  progressLine,
  quietLine,
  type ServerConfig,
} from "./report.ts";
import { benchmarkTests, isSelected, type BenchmarkTest } from "./tests.ts";

const PROGRESS_INTERVAL_MS = 250;
const NO_KEEP_ALIVE =
  "WARNING: Keepalive disabled. You probably need 'echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse' for " +
  "Linux and 'sudo sysctl -w net.inet.tcp.msl=1000' for Mac OS X in order to use a lot of " +
  "clients/requests\n";

/** Runs the tool; resolves with the exit code. */
export async function benchmarkMain(args: readonly string[], programName: string): Promise<number> {
  try {
    const byteArgs = args.map((arg) => Buffer.from(arg, "utf8").toString("latin1"));
    const parsed = parseOptions(byteArgs, nameOf(programName));
    if ("exitCode" in parsed) {
      print(parsed.output);
      printError(parsed.errors);
      return parsed.exitCode;
    }
    for (const warning of parsed.warnings) printError(warning);
    await new Benchmark(parsed.options).run();
    return 0;
  } catch (error) {
    if (error instanceof CliExit) return error.code;
    if (!(error instanceof LoadFailure || error instanceof ConnectError)) throw error;
    printError(`${error.message}\n`);
    return 1;
  }
}

/** Who calls us redis-benchmark reads that name. */
function nameOf(programName: string): string {
  const linked = /^(?:redis|valkey)-benchmark/.exec(basename(programName.replaceAll("\\", "/")));
  return linked?.[0] ?? "bunsen benchmark";
}

class Benchmark {
  private readonly meter: Meter;
  private server: ServerConfig | null = null;
  /** The length of the progress line that stands on the screen. */
  private progressLength = 0;

  constructor(private readonly options: BenchmarkOptions) {
    this.meter = new Meter(options, systemClock());
  }

  async run(): Promise<void> {
    const { options } = this;
    this.server = await this.readServerConfig();
    if (!options.isKeptAlive) printError(NO_KEEP_ALIVE);
    if (options.command.length > 0 && options.tests !== null) {
      printError("WARNING: Option -t is ignored.\n");
    }
    try {
      if (options.isIdle) await this.idle();
      if (options.isCsv) print(CSV_HEAD);
      if (options.command.length > 0) await this.runCommand();
      else await this.runTests();
    } finally {
      this.meter.stop();
    }
  }

  /** Opens connections and keeps them until the program is ended. */
  private async idle(): Promise<void> {
    const { clients } = this.options;
    print(`Creating ${clients} idle connections and waiting forever (Ctrl+C when done)\n`);
    const timer = repeatedly(() => print(`clients: ${this.meter.progress().live}\r`));
    try {
      await this.meter.measure(null, () => {});
    } finally {
      clearInterval(timer);
    }
  }

  private async runCommand(): Promise<void> {
    const { options } = this;
    const command = [...options.command];
    const title = command.join(" ");
    if (options.readsStandardInput) {
      command.push(Buffer.from(await Bun.stdin.bytes()).toString("latin1"));
    }
    const request = encodeCommand(command);
    do await this.measure(title, request, request.length);
    while (options.repeatsForEver);
  }

  private async runTests(): Promise<void> {
    const { options } = this;
    const tests = benchmarkTests(options).filter((test) => isSelected(test, options.tests));
    do {
      for (const test of tests) {
        if (!(await this.isPrepared(test))) continue;
        await this.measure(test.title, test.request, options.dataBytes);
      }
      if (!options.isCsv) print("\n");
    } while (options.repeatsForEver);
  }

  private async measure(title: string, request: Uint8Array, dataBytes: number): Promise<void> {
    const { options } = this;
    let before: Progress | null = null;
    let timer: Timer | undefined;
    this.progressLength = 0;
    const showProgress = () => {
      const now = this.meter.progress();
      this.printProgress(progressLine(title, now, before));
      before = now;
    };
    let measurement: Measurement;
    try {
      measurement = await this.meter.measure(request, () => {
        if (!options.isCsv) timer = repeatedly(showProgress);
      });
    } finally {
      clearInterval(timer);
      if (!options.isCsv) print(`${" ".repeat(Math.max(1, this.progressLength))}\r`);
    }
    if (options.isCsv) {
      print(csvLine(title, measurement));
    } else if (options.isQuiet) {
      print(quietLine(title, measurement));
    } else {
      print(longReport(title, measurement, options, dataBytes, this.server));
    }
    if (options.drawsHistogram || (!options.isCsv && !options.isQuiet && isTerminal())) {
      print(Buffer.from(latencyChart(measurement.latencies)).toString("latin1"));
    }
  }

  private printProgress(line: string): void {
    print(`${" ".repeat(Math.max(1, this.progressLength))}\r${line}\r`);
    this.progressLength = line.length + 1;
  }

  /** Makes the server ready for a test; false if the test is to be left out. */
  private async isPrepared(test: BenchmarkTest): Promise<boolean> {
    if (test.preparation === null) return true;
    const [reply] = await this.ask([test.preparation]);
    if (reply.type !== "error") return true;
    if (test.isOptional && this.options.tests === null) return false;
    fail(`Error from server: ${reply.text}\n`);
  }

  private async readServerConfig(): Promise<ServerConfig | null> {
    const replies = await this.ask([
      encodeCommand(["CONFIG", "GET", "save"]),
      encodeCommand(["CONFIG", "GET", "appendonly"]),
    ]);
    const denied = replies.find(
      (reply) => reply.type === "error" && reply.text.startsWith("NOAUTH"),
    );
    if (denied !== undefined) this.failToAsk(denied);
    const [save, appendonly] = replies.map(configValue);
    if (save === null || appendonly === null) {
      printError("WARNING: Could not fetch server CONFIG\n");
      return null;
    }
    return { save, appendonly };
  }

  /** The replies to requests on a connection of their own. */
  private async ask(requests: readonly Uint8Array[]): Promise<Reply[]> {
    const connection = await this.connect();
    try {
      const auth = authCommand(this.options);
      if (auth !== null) {
        connection.send(encodeCommand(auth));
        const reply = await connection.read();
        if (reply.type === "error") this.failToAsk(reply);
      }
      connection.send(Buffer.concat(requests));
      const replies: Reply[] = [];
      for (const _ of requests) replies.push(await connection.read());
      return replies;
    } catch (error) {
      if (error instanceof CliExit) throw error;
      throw new LoadFailure(`ERROR: failed to fetch reply from ${this.serverName()}`);
    } finally {
      connection.close();
    }
  }

  private async connect(): Promise<Connection> {
    try {
      return await Connection.open(this.options.address);
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (error.isTls) fail(`Could not negotiate a TLS connection: ${error.message}\n`);
      fail(`Could not connect to server at ${this.serverName()}: ${error.message}\n`);
    }
  }

  private failToAsk(reply: Reply): never {
    const text = reply.type === "error" ? reply.text : "";
    fail(`Node ${this.serverName()} replied with error:\n${text}\n`);
  }

  private serverName(): string {
    const { host, port, path } = this.options.address;
    return path ?? `${host}:${port}`;
  }
}

/** The value in the reply to CONFIG GET of one directive, or null if there is none. */
function configValue(reply: Reply): string | null {
  if (reply.type !== "array" || reply.items.length < 2) return null;
  const value = reply.items[1];
  return value.type === "bulk" ? value.text : "";
}

/** Shows something again and again; ends the program when nobody reads its output any more. */
function repeatedly(show: () => void): Timer {
  return setInterval(() => {
    try {
      show();
    } catch {
      process.exit(1);
    }
  }, PROGRESS_INTERVAL_MS);
}

function isTerminal(): boolean {
  return process.stdout.isTTY === true;
}
