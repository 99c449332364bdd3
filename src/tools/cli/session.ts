/**
 * The dialogue with a server: connect and introduce oneself, send a command, print its replies, and
 * keep track of what the connection is in the middle of (a transaction, a subscription, a cluster's
 * redirection). Every mode of the client works on a Session.
 *
 * Reconnecting follows valkey-cli: a lost connection fails the first command that uses it, for it may
 * hold what that command relies on, and the next one connects anew, to the same database.
 */
import { ProtocolError, type Reply } from "../../protocol/reply-reader.ts";
import {
  type Address,
  ConnectError,
  Connection,
  ConnectionLost,
  encodeCommand,
} from "../connection.ts";
import { leadingInteger } from "../numbers.ts";
import { CliExit, fail, print, printError } from "./console.ts";
import { formatInvalidation, formatReply, type OutputStyle, textOf } from "./format.ts";
import type { CliOptions } from "./options.ts";

/** What happens to RESP3 push messages that arrive before a reply. */
type PushHandling = "shown" | "dropped" | "replies";

const SUBSCRIBING = ["subscribe", "psubscribe", "ssubscribe"];
const UNSUBSCRIBING = ["unsubscribe", "punsubscribe", "sunsubscribe"];

const CLOSED = "Server closed the connection";
const RECONNECT_MS = 1000;

export class Session {
  readonly options: CliOptions;
  connection: Connection | null = null;
  /** Changes with `connect` and with a cluster's redirections. */
  host: string;
  port: number;
  /** The database selected on this connection. */
  database = 0;
  /** Shows a prompt: commands that fail do not end the program. */
  isInteractive = false;
  isInTransaction = false;
  isSubscribed = false;
  isMonitoring = false;
  /** Whether the connection speaks RESP3. */
  isResp3 = false;
  lastReply: Reply | null = null;
  style: OutputStyle;
  /** Set by Ctrl-C: the connection was closed to end a subscription or MONITOR. */
  isAborted = false;

  #pushes: PushHandling;
  /** The database that a new connection selects. */
  #wantedDatabase: number;
  #databaseBeforeTransaction = 0;
  #channelCount = 0;
  #shardChannelCount = 0;
  #isShuttingDown = false;
  #isRedirected = false;
  #mustAsk = false;

  constructor(options: CliOptions) {
    this.options = options;
    this.host = options.host;
    this.port = options.port;
    this.style = {
      mode: options.output,
      valueDelimiter: options.valueDelimiter,
      replyDelimiter: options.replyDelimiter,
    };
    this.#wantedDatabase = options.database;
    this.#pushes = options.showsPushes ? "shown" : "dropped";
  }

  /** Where it talks to, and in which state, for a prompt. */
  get prompt(): string {
    if (this.connection === null) return "not connected> ";
    const { socketPath, product } = this.options;
    const address = this.host.includes(":")
      ? `[${this.host}]:${this.port}`
      : `${this.host}:${this.port}`;
    const where = socketPath === null ? address : `${product.toLowerCase()} ${socketPath}`;
    const database = this.database === 0 ? "" : `[${this.database}]`;
    const transaction = this.isInTransaction ? "(TX)" : "";
    const subscription = this.isSubscribed ? "(subscribed mode)" : "";
    return `${where}${database}${transaction}${subscription}> `;
  }

  /** Connects, with AUTH, SELECT and HELLO as the options say. False after a message. */
  async connect(isQuiet = false): Promise<boolean> {
    this.disconnect();
    try {
      this.connection = await Connection.open(this.#address());
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (error.isTls) {
        printError(`Could not negotiate a TLS connection: ${error.message}\n`);
      } else if (!isQuiet) {
        const { socketPath, product } = this.options;
        const where = socketPath === null ? `${this.host}:${this.port}` : socketPath;
        printError(`Could not connect to ${product} at ${where}: ${error.message}\n`);
      }
      return false;
    }
    return (await this.#authenticate()) && (await this.#select()) && (await this.#switchProtocol());
  }

  /** Connects if there is no connection, or ends the program. */
  async mustConnect(): Promise<void> {
    if (!(await this.connect())) throw new CliExit(1);
  }

  disconnect(): void {
    this.connection?.close();
    this.connection = null;
    this.database = 0;
    this.isInTransaction = false;
    this.isSubscribed = false;
    this.isResp3 = false;
    this.#channelCount = 0;
    this.#shardChannelCount = 0;
    this.#pushes = this.options.showsPushes ? "shown" : "dropped";
  }

  /** Ends MONITOR or a subscription by closing the connection: Ctrl-C. */
  abort(): void {
    this.isAborted = true;
    this.connection?.close();
  }

  /** Sends a command and returns its reply. Ends the program when the connection breaks. */
  async request(...args: readonly string[]): Promise<Reply> {
    const [reply] = await this.requestAll([args]);
    return reply;
  }

  /** Sends commands in one go and returns their replies. */
  async requestAll(commands: readonly (readonly string[])[]): Promise<Reply[]> {
    const connection = this.connection;
    if (connection === null) throw new CliExit(1);
    connection.send(Buffer.concat(commands.map(encodeCommand)));
    const replies: Reply[] = [];
    try {
      while (replies.length < commands.length) replies.push(await this.#nextReply(connection));
    } catch (error) {
      if (isLost(error)) fail("\nI/O error\n");
      throw error;
    }
    return replies;
  }

  /**
   * Sends a request again and again until the server answers, connecting anew in between: for what
   * runs for hours.
   */
  async requestReconnecting(...args: readonly string[]): Promise<Reply> {
    let attempts = 0;
    while (true) {
      const connection = this.connection;
      try {
        if (connection === null) throw new ConnectionLost();
        connection.send(encodeCommand(args));
        const reply = await this.#nextReply(connection);
        if (attempts > 0) print("\r\x1b[0K");
        return reply;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) this.#failOn(error);
      }
      attempts++;
      print(`\r\x1b[0KReconnecting... ${attempts}\r`);
      await this.connect(true);
      await Bun.sleep(RECONNECT_MS);
    }
  }

  /** Executes a command as often as asked, following redirections. False after a message. */
  async execute(args: readonly string[], repeat: number): Promise<boolean> {
    do {
      if (this.#isRedirected || this.connection === null) {
        if (!(await this.connect())) {
          this.#isRedirected = false;
          return false;
        }
      }
      this.#isRedirected = false;
      try {
        if (this.#mustAsk && !(await this.#ask())) return false;
        await this.#sendRepeatedly(args, repeat);
      } catch (error) {
        if (!isLost(error)) throw error;
        printError(`Error: ${error.message}\n`);
        this.disconnect();
        return false;
      }
    } while (this.#isRedirected);
    return true;
  }

  /** Reads a reply and prints it. Throws ConnectionLost only in a dialogue. */
  async readAndPrint(isText = false): Promise<void> {
    const connection = this.connection;
    if (connection === null) throw new ConnectionLost();
    this.lastReply = null;
    let reply: Reply;
    try {
      reply = await this.#nextReply(connection);
    } catch (error) {
      await this.#recover(error);
      return;
    }
    this.lastReply = reply;
    if (this.#followsRedirection(reply)) return;
    if (!this.isInteractive && this.options.failsOnError && reply.type === "error") {
      fail(`${reply.text}\n`);
    }
    print(formatReply(reply, this.style, isText));
  }

  /** Reads and prints a message of a subscription, or ends the program. */
  async readMessage(): Promise<void> {
    try {
      await this.readAndPrint();
    } catch (error) {
      this.#failOn(error);
    }
  }

  /** A reply that has arrived, push messages included. */
  pollReply(): Reply | null {
    try {
      return this.connection?.poll() ?? null;
    } catch (error) {
      return this.#failOn(error);
    }
  }

  /** Keeps count of channels when a reply is about a subscription. */
  noteSubscription(reply: Reply): boolean {
    const message = subscriptionMessage(reply, this.isResp3);
    if (message === null) return false;
    if (/^p?(un)?subscribe$/.test(message.kind)) this.#channelCount = message.count;
    else if (/^s(un)?subscribe$/.test(message.kind)) this.#shardChannelCount = message.count;
    this.isSubscribed = this.#channelCount + this.#shardChannelCount > 0;
    return true;
  }

  async #sendRepeatedly(args: readonly string[], repeat: number): Promise<void> {
    const name = args[0].toLowerCase();
    const isText = !this.isInTransaction && isTextCommand(args);
    const isSubscribing = SUBSCRIBING.includes(name) || UNSUBSCRIBING.includes(name);
    if (name === "shutdown") this.#isShuttingDown = true;
    for (let left = repeat; left !== 0; left--) {
      const connection = this.connection;
      if (connection === null) return;
      connection.send(encodeCommand(args));
      if (name === "monitor") {
        await this.#monitor();
        return;
      }
      if (name === "sync" || name === "psync") {
        print("Entering replica output mode...  (press Ctrl-C to quit)\n");
        const { showReplicationStream } = await import("./sync-modes.ts");
        await showReplicationStream(this, false);
      }
      // A subscription is confirmed by one push message for each channel.
      if (isSubscribing) this.#pushes = "replies";
      await this.#readConfirmations(name, isText, isSubscribing ? Math.max(1, args.length - 1) : 0);
      await this.#noteEffect(name, args, isSubscribing);
      if (this.#isRedirected) return;
      if (this.options.intervalMs > 0) await Bun.sleep(this.options.intervalMs);
    }
  }

  async #monitor(): Promise<void> {
    this.isMonitoring = true;
    while (this.isMonitoring) {
      try {
        await this.readAndPrint();
      } catch (error) {
        if (!isLost(error)) throw error;
        fail(`Error: ${error.message}\n`);
      }
      if (this.lastReply?.type === "error") this.isMonitoring = false;
    }
  }

  /** Reads up to the reply of the command, and the messages that come before it. */
  async #readConfirmations(name: string, isText: boolean, expectedCount: number): Promise<void> {
    let expected = expectedCount;
    while (true) {
      await this.readAndPrint(isText);
      const reply = this.lastReply;
      if (reply === null || (!this.isSubscribed && expected === 0)) return;
      if (this.noteSubscription(reply)) {
        const isConfirmation =
          expected > 0 && "items" in reply && textOf(reply.items[0]).toLowerCase() === name;
        if (isConfirmation && --expected === 0) return;
      } else if (reply.type !== "push") {
        return;
      }
    }
  }

  /** What the command changed of the connection's state. */
  async #noteEffect(name: string, args: readonly string[], isSubscribing: boolean): Promise<void> {
    const type = this.lastReply?.type ?? null;
    const isDone = type !== null && type !== "error";
    if (name === "select" && args.length === 2 && isDone) {
      this.#useDatabase(leadingInteger(args[1]));
    } else if (name === "auth" && (args.length === 2 || args.length === 3)) {
      await this.#select();
    } else if (name === "multi" && args.length === 1 && isDone) {
      this.isInTransaction = true;
      this.#databaseBeforeTransaction = this.database;
    } else if (name === "exec" && args.length === 1 && this.isInTransaction) {
      this.isInTransaction = false;
      if (!isDone || type === "null") this.#useDatabase(this.#databaseBeforeTransaction);
    } else if (name === "discard" && args.length === 1 && isDone) {
      this.isInTransaction = false;
      this.#useDatabase(this.#databaseBeforeTransaction);
    } else if (name === "reset" && args.length === 1 && isDone) {
      this.isInTransaction = false;
      this.isResp3 = false;
      this.isSubscribed = false;
      this.#channelCount = 0;
      this.#shardChannelCount = 0;
      this.#pushes = this.options.showsPushes ? "shown" : "dropped";
      this.#useDatabase(0);
    } else if (name === "hello") {
      if (type === "map") this.isResp3 = true;
      else if (type === "array") this.isResp3 = false;
    } else if (isSubscribing && !this.isSubscribed) {
      this.#pushes = this.options.showsPushes ? "shown" : "dropped";
    }
  }

  #useDatabase(database: number): void {
    this.database = database;
    this.#wantedDatabase = database;
  }

  /** The next reply that is not an unasked push message. */
  async #nextReply(connection: Connection): Promise<Reply> {
    while (true) {
      const reply = await connection.read();
      if (reply.type !== "push" || this.#pushes === "replies") return reply;
      if (this.#pushes === "shown") {
        const invalidation = this.style.mode === "standard" ? formatInvalidation(reply) : null;
        print(invalidation ?? formatReply(reply, this.style));
      }
    }
  }

  /** After a reply that did not come: whether that was expected, to be told, or the end. */
  async #recover(error: unknown): Promise<void> {
    if (this.isAborted) {
      this.isAborted = false;
      this.isMonitoring = false;
      this.isSubscribed = false;
      if (!(await this.connect())) throw new ConnectionLost(CLOSED);
      return;
    }
    if (this.#isShuttingDown) {
      this.#isShuttingDown = false;
      this.disconnect();
      return;
    }
    if (this.isInteractive && isLost(error)) throw error;
    this.#failOn(error);
  }

  #failOn(error: unknown): never {
    if (!isLost(error) && !(error instanceof ProtocolError)) throw error;
    fail(`Error: ${error.message}\n`);
  }

  /** Whether a cluster's node sends us elsewhere: the command is to be repeated there. */
  #followsRedirection(reply: Reply): boolean {
    if (!this.options.isCluster || reply.type !== "error") return false;
    const match = /^(MOVED|ASK) (\S+) (.*):([^:]*)$/s.exec(reply.text);
    if (match === null) return false;
    const [, kind, slot, host, port] = match;
    // The host is empty if the node does not know how it is reached.
    if (host !== "") this.host = host;
    this.port = leadingInteger(port);
    this.#isRedirected = true;
    if (kind === "ASK") this.#mustAsk = true;
    if (this.isInteractive) {
      print(
        `-> Redirected to slot [${leadingInteger(slot)}] located at ${this.host}:${this.port}\n`,
      );
    }
    return true;
  }

  async #ask(): Promise<boolean> {
    this.#mustAsk = false;
    const reply = await this.request("ASKING");
    if (reply.type !== "error") return true;
    printError(`ASKING failed: ${reply.text}\n`);
    return false;
  }

  async #authenticate(): Promise<boolean> {
    const { user, password } = this.options;
    if (password === null) return true;
    const reply =
      user === null
        ? await this.#introduce("AUTH", password)
        : await this.#introduce("AUTH", user, password);
    if (reply === null) return false;
    if (reply.type !== "error") return true;
    printError(`AUTH failed: ${reply.text}\n`);
    return false;
  }

  async #select(): Promise<boolean> {
    const database = this.#wantedDatabase;
    if (database === this.database) return true;
    const reply = await this.#introduce("SELECT", String(database));
    if (reply === null) return false;
    if (reply.type === "error") {
      printError(`SELECT ${database} failed: ${reply.text}\n`);
      return false;
    }
    this.database = database;
    return true;
  }

  async #switchProtocol(): Promise<boolean> {
    const { resp3, isResp2 } = this.options;
    if (resp3 === "no" || isResp2) return true;
    const reply = await this.#introduce("HELLO", "3");
    if (reply === null) return false;
    this.isResp3 = true;
    if (reply.type !== "error") return true;
    printError(`HELLO 3 failed: ${reply.text}\n`);
    return resp3 === "implied";
  }

  /** A request of ours, not the user's; null after a message. */
  async #introduce(...args: readonly string[]): Promise<Reply | null> {
    const connection = this.connection;
    if (connection === null) return null;
    connection.send(encodeCommand(args));
    try {
      return await connection.read();
    } catch (error) {
      if (!isLost(error) && !(error instanceof ProtocolError)) throw error;
      printError("\nI/O error\n");
      return null;
    }
  }

  #address(): Address {
    const { options } = this;
    const path = options.isCluster && this.#isRedirected ? null : options.socketPath;
    return {
      host: this.host,
      port: this.port,
      path,
      family: options.family,
      timeoutMs: options.timeoutMs,
      tls: options.isTls ? options : null,
    };
  }
}

function isLost(error: unknown): error is ConnectionLost {
  return error instanceof ConnectionLost;
}

interface SubscriptionMessage {
  readonly kind: string;
  readonly count: number;
}

/** The kind of a pub/sub message and the number of channels it tells, or null. */
function subscriptionMessage(reply: Reply, isResp3: boolean): SubscriptionMessage | null {
  if (reply.type !== (isResp3 ? "push" : "array") || reply.items.length < 3) return null;
  const [kind, , count] = reply.items;
  if (kind.type !== "bulk" || !/(message|subscribe)$/.test(kind.text)) return null;
  return { kind: kind.text, count: count.type === "integer" ? Number(count.value) : 0 };
}

/** Commands whose reply is a text to be read, printed as it is in every output mode. */
function isTextCommand(args: readonly string[]): boolean {
  const [name, sub = ""] = args.map((arg) => arg.toLowerCase());
  switch (name) {
    case "info":
    case "lolwut":
      return true;
    case "debug":
      return ["htstats", "htstats-key", "client-eviction"].includes(sub);
    case "memory":
      return ["malloc-stats", "doctor"].includes(sub);
    case "cluster":
      return args.length === 2 && ["nodes", "info"].includes(sub);
    case "client":
      return ["list", "info"].includes(sub);
    case "latency":
      return (args.length === 3 && sub === "graph") || (args.length === 2 && sub === "doctor");
    case "proxy":
      return sub === "info";
    default:
      return false;
  }
}
