/**
 * A connection from a tool to a server: bytes and replies, in the order of a straight-line program.
 *
 * What arrives is kept as chunks until somebody reads: `read` parses replies, `readChunk` takes the
 * bytes as they are (a replication stream is no sequence of replies). A broken connection is noticed
 * by the next read, so a tool learns of it where it can say something about it.
 *
 * Modules of the runtime that the server does not use are imported when they are needed: the bundle
 * would load static imports when the server starts.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "bun";
import { ReplyReader, type Reply } from "../protocol/reply-reader.ts";

export interface TlsFiles {
  readonly serverName: string | null;
  readonly caFile: string | null;
  readonly caFolder: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly ciphers: string | null;
  readonly isInsecure: boolean;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  /** A unix socket, in place of host and port. */
  readonly path: string | null;
  /** 4 or 6, or 0 for either. */
  readonly family: 0 | 4 | 6;
  /** 0: as long as the system waits. */
  readonly timeoutMs: number;
  readonly tls: TlsFiles | null;
}

/** The connection could not be made; the message is the system's. */
export class ConnectError extends Error {
  readonly isTls: boolean;

  constructor(message: string, isTls = false) {
    super(message);
    this.isTls = isTls;
  }
}

/** The connection ended while something was expected of it. */
export class ConnectionLost extends Error {}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EPIPE: "Broken pipe",
  ETIMEDOUT: "Connection timed out",
  EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable",
  EADDRNOTAVAIL: "Cannot assign requested address",
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  ENOTSOCK: "Socket operation on non-socket",
  ENOTFOUND: "Name or service not known",
  DNS_ENOTFOUND: "Name or service not known",
  DNS_ENODATA: "No address associated with hostname",
  EAI_AGAIN: "Temporary failure in name resolution",
  DNS_ESERVFAIL: "Temporary failure in name resolution",
};

/** Notices a dead peer during a long command. */
const KEEP_ALIVE_MS = 15_000;
const CLOSED = "Server closed the connection";

export class Connection {
  #socket: Socket | null = null;
  #unsent: Uint8Array[] = [];
  #chunks: Uint8Array[] = [];
  readonly #reader = new ReplyReader();
  #lost: string | null = null;
  #waiting: (() => void)[] = [];
  #drained: (() => void)[] = [];

  private constructor() {}

  /** Throws ConnectError. */
  static async open(address: Address): Promise<Connection> {
    const connection = new Connection();
    const secured = Promise.withResolvers<string | null>();
    const opening = connection.#connect(address, secured);
    const timer =
      address.timeoutMs > 0
        ? timeout(address.timeoutMs, new ConnectError(SYSTEM_ERRORS["ETIMEDOUT"]))
        : null;
    try {
      connection.#socket = await (timer === null
        ? opening
        : Promise.race([opening, timer.promise]));
      if (address.tls !== null) {
        const problem = await secured.promise;
        if (problem !== null) {
          connection.close();
          throw new ConnectError(problem, true);
        }
      }
    } catch (error) {
      // Should it come about later, nobody waits for it any more.
      void opening.then((socket) => socket.terminate()).catch(() => {});
      if (error instanceof ConnectError) throw error;
      throw new ConnectError(systemText(error));
    } finally {
      timer?.stop();
    }
    if (address.path === null) connection.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
    connection.#flush();
    return connection;
  }

  /** Whether the server is known to have gone. */
  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** Whether bytes have arrived that no `read` or `poll` has looked at. */
  get hasInput(): boolean {
    return this.#chunks.length > 0 || this.#lost !== null;
  }

  /** Bytes that the system has not taken yet. */
  get isBacklogged(): boolean {
    return this.#unsent.length > 0;
  }

  send(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#lost !== null) return;
    this.#unsent.push(bytes);
    this.#flush();
  }

  /** The next reply. Throws ConnectionLost, or ProtocolError for what is no reply. */
  async read(): Promise<Reply> {
    while (true) {
      const reply = this.poll();
      if (reply !== null) return reply;
      if (this.#lost !== null) throw new ConnectionLost(this.#lost);
      await this.waitForInput();
    }
  }

  /** The next reply if it has arrived. Throws ProtocolError. */
  poll(): Reply | null {
    while (true) {
      const reply = this.#reader.next();
      if (reply !== null) return reply;
      const chunk = this.#chunks.shift();
      if (chunk === undefined) return null;
      this.#reader.push(chunk);
    }
  }

  /** The next bytes as they came, or null at the end. Requires: no reply is half read. */
  async readChunk(): Promise<Uint8Array | null> {
    while (true) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) return chunk;
      if (this.#lost !== null) return null;
      await this.waitForInput();
    }
  }

  /** Puts back what `readChunk` read too much. */
  unread(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.unshift(chunk);
  }

  /** Resolves when there is something to read, be it the end. */
  waitForInput(): Promise<void> {
    if (this.hasInput) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when the system has taken everything, or the connection is lost. */
  waitUntilSent(): Promise<void> {
    if (this.#unsent.length === 0 || this.#lost !== null) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Ends the connection; whoever reads learns that it is lost. */
  close(): void {
    this.#lose(CLOSED);
    this.#socket?.terminate();
  }

  async #connect(address: Address, secured: PromiseWithResolvers<string | null>): Promise<Socket> {
    const socket = {
      data: (_: Socket, chunk: Buffer) => {
        this.#chunks.push(chunk);
        this.#wake();
      },
      drain: () => this.#flush(),
      end: () => this.#lose(CLOSED),
      close: (_: Socket, error?: Error) => {
        secured.resolve(error === undefined ? CLOSED : error.message);
        this.#lose(error === undefined ? CLOSED : systemText(error));
      },
      error: (_: Socket, error: Error) => this.#lose(systemText(error)),
      handshake: (_: Socket, isDone: boolean, error: Error | null) => {
        const isTrusted = isDone && (error === null || address.tls?.isInsecure === true);
        secured.resolve(isTrusted ? null : (error?.message ?? "the handshake failed"));
      },
    };
    if (address.path !== null) return Bun.connect({ unix: address.path, socket });
    if (address.host === "") throw new ConnectError(SYSTEM_ERRORS["ENOTFOUND"]);
    const hostname =
      address.family === 0 ? address.host : await lookUp(address.host, address.family);
    const tls = address.tls === null ? undefined : tlsOptions(address.tls, address.host);
    return Bun.connect({ hostname, port: address.port, socket, ...(tls && { tls }) });
  }

  #flush(): void {
    const socket = this.#socket;
    if (socket === null) return;
    while (this.#unsent.length > 0) {
      const bytes = this.#unsent[0];
      const written = Math.max(0, socket.write(bytes));
      if (written < bytes.length) {
        this.#unsent[0] = bytes.subarray(written);
        return;
      }
      this.#unsent.shift();
    }
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #lose(reason: string): void {
    this.#lost ??= reason;
    this.#wake();
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

async function lookUp(host: string, family: 4 | 6): Promise<string> {
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { family })).address;
}

/** A request as an array of bulk strings; arguments are byte strings. */
export function encodeCommand(args: readonly string[]): Uint8Array {
  const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join("")}`, "latin1");
}

/** What strerror(3) says of an error, or its own message. */
export function systemText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return SYSTEM_ERRORS[code] ?? error.message;
}

export function tlsOptions(files: TlsFiles, host: string): Bun.TLSOptions {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new ConnectError(`${path}: ${systemText(error)}`, true);
    }
  };
  const ca: string[] = [];
  if (files.caFile !== null) ca.push(read(files.caFile));
  if (files.caFolder !== null) {
    const folder = files.caFolder;
    const texts = readdirSync(folder).map((name) => read(join(folder, name)));
    ca.push(...texts.filter((text) => text.includes("BEGIN CERTIFICATE")));
  }
  return {
    serverName: files.serverName ?? host,
    rejectUnauthorized: !files.isInsecure,
    ...(ca.length > 0 && { ca }),
    ...(files.certFile !== null && { cert: read(files.certFile) }),
    ...(files.keyFile !== null && { key: read(files.keyFile) }),
    ...(files.ciphers !== null && { ciphers: files.ciphers }),
  };
}

function timeout(ms: number, error: Error): { promise: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(error), ms);
  return { promise, stop: () => clearTimeout(timer) };
}
