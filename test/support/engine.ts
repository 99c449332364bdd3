/**
 * A whole server in the test's own process, without sockets and timers: requests run at once, and
 * time stands still until the test moves it. It keeps its log of changes for the test to read.
 */
import { systemBackgroundFiles } from "../../src/base/background-files.ts";
import { systemFiles } from "../../src/base/file-system.ts";
import { ManualClock } from "../../src/base/clock.ts";
import { seededPrng } from "../../src/base/prng.ts";
import { Args } from "../../src/protocol/args.ts";
import type { ReplyWriter } from "../../src/protocol/reply-writer.ts";
import { loadConfig } from "../../src/runtime/config/config-file.ts";
import { Config } from "../../src/runtime/config/config.ts";
import { Log } from "../../src/runtime/log.ts";
import type { Host } from "../../src/server/host.ts";
import { Server } from "../../src/server/server.ts";
import { Client, type Transport } from "../../src/session/client.ts";
import { formatReply, isError, quoteBytes, readReplyAt, type Reply } from "./reply.ts";
import { type Argument, concatBytes } from "./resp-client.ts";

/** One client of an engine. */
export class EngineClient implements Transport {
  readonly client: Client;
  private received = new Uint8Array(0);

  constructor(private readonly engine: Engine) {
    const { server } = engine;
    const id = server.clients.takeId();
    this.client = new Client(id, "test:0", "test:0", 0, true, this, engine.clock.nowMs());
    this.client.authenticated = true;
    server.clients.insert(this.client);
  }

  /** Runs a command; its reply, or null while it waits. */
  command(...args: readonly Argument[]): Reply | null {
    const { server } = this.engine;
    const request = new Args();
    request.assign(args.map(bytesOf));
    const { reply } = server;
    reply.clear();
    reply.resp3 = this.client.resp === 3;
    server.tick();
    server.dispatcher.execute(this.client, request, reply);
    this.flush(reply);
    return this.takeReply();
  }

  /** The next reply that has come, or null. */
  takeReply(): Reply | null {
    const decoded = readReplyAt(this.received, 0);
    if (decoded === null) return null;
    this.received = this.received.subarray(decoded.end);
    return decoded.reply;
  }

  flush(reply: ReplyWriter): void {
    this.send(reply.bytes, 0, reply.length);
    reply.clear();
  }

  send(bytes: Uint8Array, from: number, to: number): void {
    this.received = concatBytes([this.received, bytes.subarray(from, to)]);
  }

  close(): void {
    this.engine.server.clients.remove(this.client);
  }

  resume(): void {}
  memoryBytes(): number {
    return 0;
  }
  pendingBytes(): number {
    return 0;
  }
  pendingBuffers(): number {
    return 0;
  }
  queryBytes(): number {
    return 0;
  }
  queryBytesFree(): number {
    return 0;
  }
  replyBufferBytes(): number {
    return 0;
  }
  replyBufferPeak(): number {
    return 0;
  }
}

export class Engine {
  readonly server: Server;
  readonly clock: ManualClock;

  constructor(nowMs: number, seed = 1, directives = "") {
    this.clock = new ManualClock(nowMs);
    const config = new Config({ ...HOST, warn: () => {} });
    const problem = loadConfig(config, {
      files: HOST.files,
      fileName: null,
      standardInput: `save ""\nenable-debug-command yes\n${directives}`,
      environmentLines: "",
      argumentLines: "",
      version: "0",
    });
    if (problem !== null) throw new Error(problem);
    const log = new Log(
      1,
      this.clock,
      () => 0,
      () => {},
    );
    this.server = new Server({
      config,
      host: HOST,
      clock: this.clock,
      prng: seededPrng(seed),
      log,
      configFile: "",
    });
    this.server.tick();
  }

  connect(): EngineClient {
    return new EngineClient(this);
  }

  /** From now on changes are logged; nobody but `takeChanges` takes them. */
  logChanges(): void {
    const { server } = this;
    Object.assign(server, { onPropagation: () => {} });
    server.effects.isOn = true;
  }

  /** The commands that were logged since the last call, in RESP. */
  takeChanges(): Uint8Array {
    const { propagationLog } = this.server;
    const bytes = propagationLog.bytes.slice(0, propagationLog.length);
    propagationLog.clear();
    return bytes;
  }

  /** Runs logged commands as a reader of the log does; the errors that they were answered. */
  replay(log: Uint8Array): string[] {
    const { keyspace } = this.server;
    const { mayExpire, hidesExpired } = keyspace;
    keyspace.mayExpire = false;
    keyspace.hidesExpired = false;
    const reader = this.connect();
    reader.client.mustObey = true;
    reader.client.mayBlock = false;
    const errors: string[] = [];
    for (const args of commandsIn(log)) {
      const reply = reader.command(...args);
      if (reply === null || isError(reply)) {
        const words = args.map((arg) => quoteBytes(arg, 60));
        errors.push(`${words.join(" ")}: ${reply === null ? "waits" : formatReply(reply)}`);
      }
    }
    reader.close();
    keyspace.mayExpire = mayExpire;
    keyspace.hidesExpired = hidesExpired;
    return errors;
  }

  stop(): void {
    this.server.wakeups.stop();
    this.server.cron.stop();
  }
}

/** The commands of a log or of an append-only file. */
export function commandsIn(bytes: Uint8Array): Uint8Array[][] {
  const commands: Uint8Array[][] = [];
  for (let at = 0; at < bytes.length;) {
    // An annotation of the append-only file.
    if (bytes[at] === 0x23) {
      at = bytes.indexOf(0x0a, at) + 1;
      continue;
    }
    const decoded = readReplyAt(bytes, at);
    if (decoded === null || decoded.reply.type !== "array") throw new Error("not a command");
    commands.push(
      decoded.reply.items.map((item) => {
        if (item.type !== "bulk") throw new Error("an argument that is no bulk string");
        return item.bytes;
      }),
    );
    at = decoded.end;
  }
  return commands;
}

function bytesOf(argument: Argument): Uint8Array {
  return argument instanceof Uint8Array ? argument : new TextEncoder().encode(String(argument));
}

/** A machine on which nothing happens. */
const HOST: Host = {
  pid: 1,
  executable: "bunsen",
  platform: "test",
  openFilesMax: Infinity,
  totalMemoryBytes: 2 ** 33,
  files: { read: () => ({ error: "No such file or directory" }), glob: () => [] },
  fileSystem: systemFiles,
  backgroundFiles: systemBackgroundFiles,
  currentDirectory: () => "/",
  changeDirectory: () => null,
  print: () => {},
  openLog: () => ({ write: () => {} }),
  replaceFile: () => null,
  removeFile: () => {},
  setFileMode: () => {},
  memory: () => ({ residentBytes: 0, heapBytes: 0, heapCapacityBytes: 0 }),
  threadCpuUs: () => 0,
  cpu: () => ({ userSeconds: 0, systemSeconds: 0 }),
  expectWork: () => {},
  collectGarbage: () => {},
  sleepMs: () => {},
  exit: () => {},
  abort: () => {},
};
