/**
 * Who may connect: listens where the configuration says, turns away who is one too many or comes
 * from outside while there is no password, and makes a client of everybody else.
 */
import type { Socket } from "bun";
import { beginUnauthenticated } from "../commands/authentication.ts";
import { Client } from "../session/client.ts";
import { Connection } from "./connection.ts";
import { Listeners } from "./listener.ts";
import type { Server } from "./server.ts";

const REFUSED_MAX_CLIENTS = "-ERR max number of clients reached\r\n";
const REFUSED_PROTECTED_MODE =
  "-DENIED Running in protected mode because protected mode is enabled and no password is set " +
  "for the default user. In this mode connections are only accepted from the loopback " +
  "interface. If you want to connect from external computers, you may adopt one of the " +
  "following solutions: 1) Just disable protected mode sending the command 'CONFIG SET " +
  "protected-mode no' from the loopback interface by connecting from the same host the server " +
  "is running, however MAKE SURE it's not publicly accessible from internet if you do so. Use " +
  "CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the " +
  "protected mode by editing the configuration file, and setting the protected mode option to " +
  "'no', and then restarting the server. 3) If you started the server manually just for " +
  "testing, restart it with the '--protected-mode no' option. 4) Set up an authentication " +
  "password for the default user. NOTE: You only need to do one of the above things in order " +
  "for the server to start accepting connections from the outside.\r\n";

/** Descriptors below that of the first client, as in Redis: what CLIENT LIST shows is made up. */
const FIRST_DESCRIPTOR = 8;

type ServerSocket = Socket<Connection | undefined>;

export class Acceptor {
  maxClients = 10000;
  protectedMode = true;
  hasPassword = false;
  private readonly listeners: Listeners;

  constructor(private readonly server: Server) {
    this.listeners = new Listeners(
      {
        open: (socket) => this.onOpen(socket),
        data: (socket, chunk) => socket.data?.onData(chunk),
        drain: (socket) => socket.data?.onDrain(),
        close: (socket) => socket.data?.onClose(),
        end: (socket) => socket.data?.onEnd(),
        error: (socket, error) => this.onError(socket, error),
      },
      server.log,
    );
  }

  private get unixPath(): string {
    return this.server.config.string("unixsocket");
  }

  /** Listens on all addresses. False, after log lines that say why, when one cannot be had. */
  start(): boolean {
    const { config, log } = this.server;
    if (!this.listenTcp()) {
      log.warning(`Failed listening on port ${config.int("port")} (tcp), aborting.`);
      return false;
    }
    const { unixPath } = this;
    if (unixPath !== "" && !this.startUnix(unixPath)) return false;
    if (!this.listeners.hasTcp && unixPath === "" && config.list("bind").length > 0) {
      log.warning("Configured to not listen anywhere, exiting.");
      return false;
    }
    return true;
  }

  /** Listens on the addresses and the port that are configured now; false: one cannot be had. */
  listenTcp(): boolean {
    const { config } = this.server;
    return this.listeners.listenTcp(config.list("bind"), config.int("port"));
  }

  /** Says in the log that clients are served. */
  announce(): void {
    const { log } = this.server;
    if (this.listeners.hasTcp) log.notice("Ready to accept connections tcp");
    if (this.unixPath !== "") log.notice("Ready to accept connections unix");
  }

  stop(): void {
    this.listeners.stop();
  }

  removeUnixSocket(): void {
    const { log, host } = this.server;
    if (this.unixPath === "") return;
    log.notice("Removing the unix socket file.");
    host.removeFile(this.unixPath);
  }

  private startUnix(path: string): boolean {
    const { host, config, log } = this.server;
    host.removeFile(path);
    const error = this.listeners.listenUnix(path);
    if (error !== null) {
      log.warning(`Failed opening Unix socket: bind: ${error}`);
      return false;
    }
    const mode = config.int("unixsocketperm");
    if (mode !== 0) host.setFileMode(path, mode);
    return true;
  }

  private onOpen(socket: ServerSocket): void {
    const { server } = this;
    const { keyspace, clients, config, stats } = server;
    keyspace.tick();
    const refusal = this.refusalOf(socket);
    if (refusal !== null) {
      stats.connectionsRejected++;
      socket.end(refusal);
      return;
    }
    const connection = new Connection(socket, server);
    const isUnix = socket.remotePort === undefined || socket.remotePort === 0;
    const unixName = `${this.unixPath}:0`;
    const client = new Client(
      clients.takeId(),
      isUnix ? unixName : `${bracketed(socket.remoteAddress)}:${socket.remotePort}`,
      isUnix ? unixName : `${bracketed(socket.localAddress)}:${socket.localPort}`,
      clients.count + FIRST_DESCRIPTOR,
      isUnix,
      connection,
      keyspace.nowMs,
    );
    beginUnauthenticated(client, config);
    connection.client = client;
    socket.data = connection;
    const keepAlive = config.int("tcp-keepalive");
    if (!isUnix) {
      socket.setNoDelay(true);
      if (keepAlive > 0) socket.setKeepAlive(true, keepAlive * 1000);
    }
    clients.insert(client);
    stats.connectionsReceived++;
    server.log.verbose(`Accepted ${client.address}`);
  }

  /** The system reports an error of a socket, or one of our own handlers threw. */
  private onError(socket: ServerSocket, error: Error): void {
    if (!("syscall" in error) && socket.data !== undefined) {
      this.server.onInternalError(error, socket.data.client, "(connection)");
    }
    socket.data?.close(false);
  }

  /** Why a fresh connection is turned away, or null. */
  private refusalOf(socket: ServerSocket): string | null {
    if (this.server.clients.count >= this.maxClients) return REFUSED_MAX_CLIENTS;
    if (!this.protectedMode || this.hasPassword) return null;
    const address = socket.remoteAddress;
    const isLocal =
      socket.remotePort === undefined ||
      socket.remotePort === 0 ||
      address === undefined ||
      address === "::1" ||
      address.startsWith("127.") ||
      address.startsWith("::ffff:127.");
    return isLocal ? null : REFUSED_PROTECTED_MODE;
  }
}

function bracketed(address: string | undefined): string {
  if (address === undefined) return "?";
  return address.includes(":") ? `[${address}]` : address;
}
