/**
 * A raw RESP2/RESP3 client for tests: commands or arbitrary bytes in, typed replies and the exact
 * bytes of each reply out. It hides nothing: push messages are replies like any other here.
 */
import type { Socket } from "bun";
import { formatReply, isError, readReplyAt, type Reply } from "./reply.ts";

export type Argument = string | Uint8Array | number | bigint;

/** A reply together with the bytes it came as. */
export interface ReceivedReply {
  readonly reply: Reply;
  readonly raw: Uint8Array;
}

/** Seconds without a byte after which a waiting test is told so, rather than timing out mutely. */
const REPLY_DEADLINE_SECONDS = 12;

const encoder = new TextEncoder();

export class ConnectionClosed extends Error {}

export class RespClient {
  private socket: Socket | null = null;
  private received = new Uint8Array(0);
  private unsent: Uint8Array[] = [];
  private ended = false;
  private wake: (() => void) | null = null;
  private problem: Error | null = null;

  private readonly target: number | string;

  private constructor(target: number | string) {
    this.target = target;
  }

  /** Connects to a port of 127.0.0.1, or to the unix socket of that path. */
  static async connect(target: number | string): Promise<RespClient> {
    const client = new RespClient(target);
    const socket = {
      data: (_: Socket, chunk: Buffer) => client.onData(chunk),
      drain: () => client.flush(),
      end: () => client.onEnd(),
      close: () => client.onEnd(),
      error: (_: Socket, error: Error) => client.onProblem(error),
      timeout: () => client.onProblem(new Error(`no reply within ${REPLY_DEADLINE_SECONDS} s`)),
    };
    client.socket =
      typeof target === "number"
        ? await Bun.connect({ hostname: "127.0.0.1", port: target, socket })
        : await Bun.connect({ unix: target, socket });
    return client;
  }

  /** Sends one command as an array of bulk strings, without waiting for its reply. */
  send(...args: readonly Argument[]): void {
    this.sendRaw(encodeCommand(args));
  }

  /** Sends bytes as they are; a string is taken as UTF-8. */
  sendRaw(bytes: Uint8Array | string): void {
    const chunk = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
    if (chunk.length === 0) return;
    this.unsent.push(chunk);
    this.flush();
  }

  /** Sends several commands in one write. */
  sendCommands(commands: readonly (readonly Argument[])[]): void {
    this.sendRaw(concatBytes(commands.map(encodeCommand)));
  }

  /** Another connection to the same server, as new as any (RESP2, database 0). */
  sibling(): Promise<RespClient> {
    return RespClient.connect(this.target);
  }

  /** The next reply. Throws ConnectionClosed when the server closes instead. */
  async readReply(): Promise<ReceivedReply> {
    for (;;) {
      const decoded = this.received.length > 0 ? readReplyAt(this.received, 0) : null;
      if (decoded !== null) {
        const raw = this.received.slice(0, decoded.end);
        this.received = this.received.subarray(decoded.end);
        return { reply: decoded.reply, raw };
      }
      if (this.ended) throw new ConnectionClosed("the server closed the connection");
      await this.more();
    }
  }

  /** Sends a command and returns its reply, errors included. */
  async command(...args: readonly Argument[]): Promise<Reply> {
    this.send(...args);
    return (await this.readReply()).reply;
  }

  /** Sends a command whose reply must not be an error. */
  async must(...args: readonly Argument[]): Promise<Reply> {
    const reply = await this.command(...args);
    if (isError(reply)) throw new Error(`${args.join(" ")}: ${formatReply(reply)}`);
    return reply;
  }

  /** Sends all commands in one write and returns their replies in order. */
  async pipeline(commands: readonly (readonly Argument[])[]): Promise<ReceivedReply[]> {
    this.sendCommands(commands);
    const replies: ReceivedReply[] = [];
    for (let i = 0; i < commands.length; i++) replies.push(await this.readReply());
    return replies;
  }

  /** All bytes that are still to come, once the server has closed the connection. */
  async readUntilClosed(): Promise<Uint8Array> {
    while (!this.ended) await this.more();
    return this.received;
  }

  /**
   * All bytes up to the first occurrence of `marker`, which is taken off as well, or up to the
   * end of the connection, whichever comes first.
   */
  async readUntil(marker: Uint8Array): Promise<{ bytes: Uint8Array; closed: boolean }> {
    for (;;) {
      const at = Buffer.from(
        this.received.buffer,
        this.received.byteOffset,
        this.received.length,
      ).indexOf(marker);
      if (at >= 0) {
        const bytes = this.received.slice(0, at);
        this.received = this.received.subarray(at + marker.length);
        return { bytes, closed: false };
      }
      if (this.ended) return { bytes: this.received, closed: true };
      await this.more();
    }
  }

  get isClosed(): boolean {
    return this.ended;
  }

  close(): void {
    this.socket?.end();
    this.ended = true;
  }

  private async more(): Promise<void> {
    if (this.problem !== null) throw this.problem;
    this.socket?.timeout(REPLY_DEADLINE_SECONDS);
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.socket?.timeout(0);
    if (this.problem !== null) throw this.problem;
  }

  private flush(): void {
    while (this.unsent.length > 0 && this.socket !== null && !this.ended) {
      const chunk = this.unsent[0];
      const written = this.socket.write(chunk);
      if (written < chunk.length) {
        if (written > 0) this.unsent[0] = chunk.subarray(written);
        return;
      }
      this.unsent.shift();
    }
  }

  private onData(chunk: Uint8Array): void {
    this.received = concatBytes([this.received, chunk]);
    this.notify();
  }

  private onEnd(): void {
    this.ended = true;
    this.notify();
  }

  private onProblem(error: Error): void {
    // A reset connection is a closed one for a test: servers close with bytes unread.
    if ("code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE"))
      this.ended = true;
    else this.problem = error;
    this.notify();
  }

  private notify(): void {
    const wake = this.wake;
    this.wake = null;
    wake?.();
  }
}

/** A command as an array of bulk strings. */
export function encodeCommand(args: readonly Argument[]): Uint8Array {
  const parts: Uint8Array[] = [encoder.encode(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = arg instanceof Uint8Array ? arg : encoder.encode(String(arg));
    parts.push(encoder.encode(`$${bytes.length}\r\n`), bytes, encoder.encode("\r\n"));
  }
  return concatBytes(parts);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
