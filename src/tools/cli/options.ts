/**
 * The client's command line: options up to the first word that is none, then the command.
 *
 * Each option is a row of a table: how it is spelled, and what it changes. An option that takes a
 * value is none when it stands last, except -h, which then asks for help. Texts are byte strings.
 */
import { splitArguments } from "../../runtime/config/byte-string.ts";
import { leadingInteger, leadingNumber } from "../numbers.ts";
import { CliExit, fail, print, printError } from "./console.ts";
import type { OutputMode } from "./format.ts";
import { parseServerUri } from "./uri.ts";
import { usage, versionLine } from "./usage.ts";

/** What the client does if it does not execute a command or a dialogue. */
export type Mode =
  | "latency"
  | "latency-dist"
  | "replica"
  | "rdb"
  | "functions-rdb"
  | "pipe"
  | "bigkeys"
  | "memkeys"
  | "hotkeys"
  | "stat"
  | "scan"
  | "lru-test"
  | "intrinsic-latency"
  | "test-hint"
  | "test-hint-file"
  | "cluster";

export interface CliOptions {
  /** The name it was called by, for messages. */
  program: string;
  /** What it calls the server. */
  product: string;
  host: string;
  port: number;
  socketPath: string | null;
  timeoutMs: number;
  family: 0 | 4 | 6;
  isTls: boolean;
  serverName: string | null;
  caFile: string | null;
  caFolder: string | null;
  certFile: string | null;
  keyFile: string | null;
  ciphers: string | null;
  isInsecure: boolean;
  user: string | null;
  password: string | null;
  asksPassword: boolean;
  warnsOfPassword: boolean;
  database: number;
  isResp2: boolean;
  /** "implied" by an output format that wants it, if the server has it. */
  resp3: "no" | "asked" | "implied";
  output: OutputMode;
  valueDelimiter: string;
  replyDelimiter: string;
  showsPushes: boolean;
  /** Negative: for ever. */
  repeat: number;
  intervalMs: number;
  isQuotedInput: boolean;
  readsLastArgument: boolean;
  /** The argument that standard input replaces. */
  stdinTag: string | null;
  failsOnError: boolean;
  isCluster: boolean;
  isVerbose: boolean;
  scriptFile: string | null;
  isDebuggingScript: boolean;
  modes: Set<Mode>;
  hasLatencyHistory: boolean;
  isMonochrome: boolean;
  lruTestKeys: number;
  intrinsicLatencySeconds: number;
  dumpFile: string;
  pipeTimeoutSeconds: number;
  /** 0: as many as the server thinks right. */
  memorySamples: number;
  pattern: string | null;
  scanCount: number;
  hint: string;
}

/** Options, and the words of the command that follow them. */
export interface CommandLine {
  readonly options: CliOptions;
  readonly words: readonly string[];
}

const DEFAULT_PORT = 6379;
const PORT_MAX = 65535;
const DEFAULT_PIPE_TIMEOUT_SECONDS = 30;
const DEFAULT_SCAN_COUNT = 10;

type Flag = (options: CliOptions) => void;
type Setting = (options: CliOptions, value: string) => void;

const mode =
  (name: Mode): Flag =>
  (o) =>
    void o.modes.add(name);

const FLAGS: Readonly<Record<string, Flag>> = {
  "-x": (o) => (o.readsLastArgument = true),
  "-c": (o) => (o.isCluster = true),
  "-e": (o) => (o.failsOnError = true),
  "-2": (o) => (o.isResp2 = true),
  "-3": (o) => (o.resp3 = "asked"),
  "-4": (o) => setFamily(o, 4),
  "-6": (o) => setFamily(o, 6),
  "--no-auth-warning": (o) => (o.warnsOfPassword = false),
  "--askpass": (o) => (o.asksPassword = true),
  "--raw": (o) => (o.output = "raw"),
  "--no-raw": (o) => (o.output = "standard"),
  "--csv": (o) => (o.output = "csv"),
  "--json": (o) => setJson(o, "json"),
  "--quoted-json": (o) => setJson(o, "quoted-json"),
  "--quoted-input": (o) => (o.isQuotedInput = true),
  "--latency": mode("latency"),
  "--latency-history": (o) => {
    o.modes.add("latency");
    o.hasLatencyHistory = true;
  },
  "--latency-dist": mode("latency-dist"),
  "--mono": (o) => (o.isMonochrome = true),
  "--slave": mode("replica"),
  "--replica": mode("replica"),
  "--stat": mode("stat"),
  "--scan": mode("scan"),
  "--pipe": mode("pipe"),
  "--bigkeys": mode("bigkeys"),
  "--memkeys": mode("memkeys"),
  "--hotkeys": mode("hotkeys"),
  "--ldb": (o) => (o.isDebuggingScript = true),
  "--ldb-sync-mode": (o) => (o.isDebuggingScript = true),
  "--verbose": (o) => (o.isVerbose = true),
  "--tls": (o) => (o.isTls = true),
  "--insecure": (o) => (o.isInsecure = true),
};

const SETTINGS: Readonly<Record<string, Setting>> = {
  "-h": (o, value) => (o.host = value),
  "-p": (o, value) => (o.port = checkPort(leadingInteger(value))),
  "-t": (o, value) => (o.timeoutMs = parseTimeout(value)),
  "-s": (o, value) => (o.socketPath = value),
  "-r": (o, value) => (o.repeat = leadingInteger(value)),
  "-i": (o, value) => (o.intervalMs = leadingNumber(value) * 1000),
  "-n": (o, value) => (o.database = leadingInteger(value)),
  "-a": (o, value) => (o.password = value),
  "--pass": (o, value) => (o.password = value),
  "--user": (o, value) => (o.user = value),
  "-u": setUri,
  "-X": (o, value) => (o.stdinTag = value),
  "-d": (o, value) => (o.valueDelimiter = value),
  "-D": (o, value) => (o.replyDelimiter = value),
  "--show-pushes": setPushes,
  "--lru-test": (o, value) => {
    o.modes.add("lru-test");
    o.lruTestKeys = leadingInteger(value);
  },
  "--pattern": (o, value) => (o.pattern = value),
  "--quoted-pattern": (o, value) => (o.pattern = unquotePattern(value)),
  "--count": (o, value) => (o.scanCount = leadingInteger(value)),
  "--intrinsic-latency": (o, value) => {
    o.modes.add("intrinsic-latency");
    o.intrinsicLatencySeconds = leadingInteger(value);
  },
  "--rdb": (o, value) => setDump(o, "rdb", value),
  "--functions-rdb": (o, value) => setDump(o, "functions-rdb", value),
  "--pipe-timeout": (o, value) => (o.pipeTimeoutSeconds = leadingInteger(value)),
  "--memkeys-samples": (o, value) => {
    o.modes.add("memkeys");
    o.memorySamples = leadingInteger(value);
  },
  "--eval": (o, value) => (o.scriptFile = value),
  "--sni": (o, value) => (o.serverName = value),
  "--cacert": (o, value) => (o.caFile = value),
  "--cacertdir": (o, value) => (o.caFolder = value),
  "--cert": (o, value) => (o.certFile = value),
  "--key": (o, value) => (o.keyFile = value),
  "--tls-ciphers": (o, value) => (o.ciphers = value),
  "--tls-ciphersuites": () => {},
  "--test_hint": (o, value) => setHint(o, "test-hint", value),
  "--test_hint_file": (o, value) => setHint(o, "test-hint-file", value),
};

export interface Surroundings {
  readonly program: string;
  readonly product: string;
  readonly isTerminal: boolean;
  /** The password of the environment; an option overrides it. */
  readonly password: string | null;
}

/** Throws CliExit after a message, if it asks for help or makes no sense. */
export function parseOptions(args: readonly string[], surroundings: Surroundings): CommandLine {
  const options = defaultOptions(surroundings);
  let at = 0;
  for (; at < args.length; at++) {
    const name = args[at];
    const isLast = at === args.length - 1;
    if (name === "--help" || (name === "-h" && isLast)) {
      print(usage(options.program));
      throw new CliExit(0);
    }
    if (name === "--version" || name === "-v") {
      print(versionLine(options.program));
      throw new CliExit(0);
    }
    if (name === "--cluster" || name.startsWith("--cluster-")) {
      options.modes.add("cluster");
      break;
    }
    const flag = lookUp(FLAGS, name);
    const setting = isLast ? undefined : lookUp(SETTINGS, name);
    if (flag !== undefined) flag(options);
    else if (setting !== undefined) setting(options, args[++at]);
    else if (!name.startsWith("-")) break;
    else fail(`Unrecognized option or bad number of args for: '${name}'\n`);
  }
  checkOptions(options);
  options.password ??= surroundings.password;
  return { options, words: args.slice(at) };
}

function defaultOptions({ program, product, isTerminal }: Surroundings): CliOptions {
  return {
    program,
    product,
    host: "127.0.0.1",
    port: DEFAULT_PORT,
    socketPath: null,
    timeoutMs: 0,
    family: 0,
    isTls: false,
    serverName: null,
    caFile: null,
    caFolder: null,
    certFile: null,
    keyFile: null,
    ciphers: null,
    isInsecure: false,
    user: null,
    password: null,
    asksPassword: false,
    warnsOfPassword: true,
    database: 0,
    isResp2: false,
    resp3: "no",
    output: isTerminal ? "standard" : "raw",
    valueDelimiter: "\n",
    replyDelimiter: "\n",
    showsPushes: isTerminal,
    repeat: 1,
    intervalMs: 0,
    isQuotedInput: false,
    readsLastArgument: false,
    stdinTag: null,
    failsOnError: false,
    isCluster: false,
    isVerbose: false,
    scriptFile: null,
    isDebuggingScript: false,
    modes: new Set(),
    hasLatencyHistory: false,
    isMonochrome: false,
    lruTestKeys: 0,
    intrinsicLatencySeconds: 0,
    dumpFile: "",
    pipeTimeoutSeconds: DEFAULT_PIPE_TIMEOUT_SECONDS,
    memorySamples: 0,
    pattern: null,
    scanCount: DEFAULT_SCAN_COUNT,
    hint: "",
  };
}

/** Refuses what cannot go together. */
function checkOptions(options: CliOptions): void {
  const exclude = (isWrong: boolean, names: string) => {
    if (isWrong) fail(`${names} are mutually exclusive.\n`);
  };
  exclude(options.socketPath !== null && options.isCluster, "Options -c and -s");
  exclude(options.isResp2 && options.resp3 === "asked", "Options -2 and -3");
  if (options.isDebuggingScript) fail("Options --ldb and --ldb-sync-mode are not supported.\n");
  if (options.warnsOfPassword && options.password !== null) {
    printError(
      "Warning: Using a password with '-a' or '-u' option on the command" +
        " line interface may not be safe.\n",
    );
  }
  const { modes } = options;
  exclude(modes.has("rdb") && modes.has("functions-rdb"), "Option --functions-rdb and --rdb");
  exclude(options.readsLastArgument && options.stdinTag !== null, "Options -x and -X");
}

function lookUp<Row>(table: Readonly<Record<string, Row>>, name: string): Row | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function setJson(options: CliOptions, output: OutputMode): void {
  if (options.resp3 === "no") options.resp3 = "implied";
  options.output = output;
}

function setFamily(options: CliOptions, family: 4 | 6): void {
  if (options.family !== 0 && options.family !== family) {
    fail("Options -4 and -6 are mutually exclusive.\n");
  }
  options.family = family;
}

function setUri(options: CliOptions, uri: string): void {
  const parts = parseServerUri(uri);
  if (parts.isTls) options.isTls = true;
  options.user = parts.user ?? options.user;
  options.password = parts.password ?? options.password;
  options.host = parts.host ?? options.host;
  options.port = checkPort(parts.port ?? options.port);
  options.database = parts.database ?? options.database;
}

function setPushes(options: CliOptions, value: string): void {
  if (/^y/i.test(value)) options.showsPushes = true;
  else if (/^n/i.test(value)) options.showsPushes = false;
  else printError(`Unknown --show-pushes value '${value}' (valid: '[y]es', '[n]o')\n`);
}

function setDump(options: CliOptions, which: "rdb" | "functions-rdb", file: string): void {
  options.modes.add(which);
  options.dumpFile = file;
}

function setHint(options: CliOptions, which: "test-hint" | "test-hint-file", text: string): void {
  options.modes.add(which);
  options.hint = text;
}

function checkPort(port: number): number {
  if (port < 0 || port > PORT_MAX) fail("Invalid server port.\n");
  return port;
}

function parseTimeout(text: string): number {
  const seconds = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) fail("Invalid connection timeout for -t.\n");
  return Math.ceil(seconds * 1000);
}

/** The one argument that a quoted text spells, or null. */
export function unquoteArgument(text: string): string | null {
  const args = splitArguments(text);
  return args?.length === 1 ? args[0] : null;
}

function unquotePattern(text: string): string {
  return unquoteArgument(text) ?? fail("Invalid quoted string specified for --quoted-pattern.\n");
}
