/**
 * The sockets that accept connections: one per address of `bind`, and the unix socket.
 *
 * A `-` before an address means that it may be missing; `*` is every IPv4 address and `::*` every
 * IPv6 one, as in redis.conf. IPv6 sockets take IPv6 only, so both can have one port.
 */
import type { SocketHandler, TCPSocketListener, UnixSocketListener } from "bun";
import type { Log } from "../runtime/log.ts";
import type { Connection } from "./connection.ts";

type Handler = SocketHandler<Connection | undefined>;
type Listener =
  | TCPSocketListener<Connection | undefined>
  | UnixSocketListener<Connection | undefined>;

export class Listeners {
  private tcp: Listener[] = [];
  private unix: Listener | null = null;

  constructor(
    private readonly handler: Handler,
    private readonly log: Log,
  ) {}

  /** Whether any address is listened on. */
  get hasTcp(): boolean {
    return this.tcp.length > 0;
  }

  /**
   * Listens on `port` of all addresses in place of what was listened on before. False, after a log
   * line, when a required address cannot be had; then nothing is listened on.
   */
  listenTcp(addresses: readonly string[], port: number): boolean {
    this.stopTcp();
    if (port === 0) return true;
    for (const address of addresses) {
      const isOptional = address.startsWith("-");
      const name = isOptional ? address.slice(1) : address;
      try {
        this.tcp.push(this.listen(name, port));
      } catch (error) {
        const { message, code } = describeBindError(error);
        if (isOptional && (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT")) continue;
        this.log.warning(
          `Warning: Could not create server TCP listening socket ${name}:${port}: bind: ${message}`,
        );
        if (isOptional && code === "ENOTFOUND") continue;
        this.stopTcp();
        return false;
      }
    }
    return true;
  }

  /** Listens on a unix socket. An error text, or null. */
  listenUnix(path: string): string | null {
    try {
      this.unix = Bun.listen<Connection | undefined>({ unix: path, socket: this.handler });
      return null;
    } catch (error) {
      return describeBindError(error).message;
    }
  }

  stopTcp(): void {
    for (const listener of this.tcp) listener.stop(false);
    this.tcp = [];
  }

  stop(): void {
    this.stopTcp();
    this.unix?.stop(false);
    this.unix = null;
  }

  private listen(address: string, port: number): Listener {
    const isIpv6 = address.includes(":");
    const hostname = address === "*" ? "0.0.0.0" : address === "::*" ? "::" : address;
    const options = { hostname, port, ipv6Only: isIpv6, exclusive: true, socket: this.handler };
    return Bun.listen<Connection | undefined>(options);
  }
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: "Address already in use",
  EACCES: "Permission denied",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EAFNOSUPPORT: "Address family not supported by protocol",
  ENOENT: "No such file or directory",
  EINVAL: "Invalid argument",
  ENAMETOOLONG: "File name too long",
  ENOTFOUND: "Name or service not known",
};

function describeBindError(error: unknown): { message: string; code: string } {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = error instanceof Error ? error.message : String(error);
  // Bun names no code when it cannot resolve a name.
  const isUnresolved = code === "" && text.startsWith("Failed to listen at");
  return { code, message: SYSTEM_ERRORS[isUnresolved ? "ENOTFOUND" : code] ?? text };
}
