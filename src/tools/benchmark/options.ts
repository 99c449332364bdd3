/** The command line of the benchmark: the options of valkey-benchmark 8.1, and --histogram. */
import { BUNSEN } from "../../base/version.ts";
import type { Address } from "../connection.ts";
import { leadingInteger } from "../numbers.ts";
import { parseServerUri } from "../cli/uri.ts";

export interface BenchmarkOptions {
  readonly address: Address;
  readonly user: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly clients: number;
  readonly requests: number;
  readonly dataBytes: number;
  readonly pipeline: number;
  /** How many different numbers take the place of __rand_int__; null leaves it. */
  readonly keyspace: number | null;
  readonly isKeptAlive: boolean;
  readonly isQuiet: boolean;
  readonly isCsv: boolean;
  readonly repeatsForEver: boolean;
  readonly isIdle: boolean;
  readonly readsStandardInput: boolean;
  readonly isTracking: boolean;
  readonly isResp3: boolean;
  /** Whether to draw the histogram although nobody may be looking. */
  readonly drawsHistogram: boolean;
  /** Names in small letters; null runs all tests. */
  readonly tests: readonly string[] | null;
  /** Significant digits of latencies. */
  readonly digits: number;
  /** 0: none but the program's own. */
  readonly threads: number;
  /** Null: another sequence every time. */
  readonly seed: number | null;
  readonly functions: number;
  readonly functionKeys: number;
  /** What to run in place of the tests, if not empty. */
  readonly command: readonly string[];
}

/** What the command line asks for: a run, or a text and the end. */
export type ParsedOptions =
  | { readonly options: BenchmarkOptions; readonly warnings: readonly string[] }
  | { readonly output: string; readonly errors: string; readonly exitCode: number };

const THREADS_MAX = 500;
const DIGITS_DEFAULT = 3;
const DIGITS_MAX = 4;
const DATA_BYTES_MAX = 1024 ** 3;

type Mutable<T> = { -readonly [name in keyof T]: T[name] };

/** What the options fill in. */
interface Draft {
  readonly options: Mutable<BenchmarkOptions>;
  readonly address: Mutable<Address>;
  readonly tls: {
    -readonly [name in keyof NonNullable<Address["tls"]>]: NonNullable<Address["tls"]>[name];
  };
  readonly warnings: string[];
  isTls: boolean;
}

const INVALID = "invalid";
/** Why an option ends the program, or undefined if it does not. */
type Outcome = typeof INVALID | { readonly errors: string } | undefined | void;

/** Options that stand alone. */
const SWITCHES: Readonly<Record<string, (draft: Draft) => Outcome>> = {
  "-x": ({ options }) => void (options.readsStandardInput = true),
  "-3": ({ options }) => void (options.isResp3 = true),
  "-q": ({ options }) => void (options.isQuiet = true),
  "--csv": ({ options }) => void (options.isCsv = true),
  "-l": ({ options }) => void (options.repeatsForEver = true),
  "-I": ({ options }) => void (options.isIdle = true),
  "-e": ({ warnings }) =>
    void warnings.push(
      "WARNING: -e option has no effect. We now immediately exit on error to avoid false results.\n",
    ),
  "--cluster": () => ({ errors: "--cluster is not supported yet\n" }),
  "--enable-tracking": ({ options }) => void (options.isTracking = true),
  "--histogram": ({ options }) => void (options.drawsHistogram = true),
  "--tls": (draft) => void (draft.isTls = true),
  "--insecure": ({ tls }) => void (tls.isInsecure = true),
};

/** Options with an argument. */
const SETTINGS: Readonly<Record<string, (draft: Draft, value: string) => Outcome>> = {
  "-h": ({ address }, value) => void (address.host = value),
  "-p": (draft, value) => setPort(draft, leadingInteger(value)),
  "-s": ({ address }, value) => void (address.path = value),
  "-a": ({ options }, value) => void (options.password = value),
  "--user": ({ options }, value) => void (options.user = value),
  "-u": setUri,
  "-c": ({ options }, value) => void (options.clients = Math.max(1, leadingInteger(value))),
  "-n": ({ options }, value) => void (options.requests = Math.max(0, leadingInteger(value))),
  "-k": ({ options }, value) => void (options.isKeptAlive = leadingInteger(value) !== 0),
  "-d": ({ options }, value) =>
    void (options.dataBytes = clamp(leadingInteger(value), 1, DATA_BYTES_MAX)),
  "-P": ({ options }, value) => void (options.pipeline = Math.max(1, leadingInteger(value))),
  "-r": setKeyspace,
  "-t": ({ options }, value) => void (options.tests = value.toLowerCase().split(",")),
  "--dbnum": ({ options }, value) => void (options.database = leadingInteger(value)),
  "--precision": setPrecision,
  "--threads": setThreads,
  "--seed": ({ options }, value) => void (options.seed = leadingInteger(value)),
  "--rfr": (_, value) => (["all", "yes", "no"].includes(value) ? undefined : INVALID),
  "--num-functions": ({ options }, value) => void (options.functions = leadingInteger(value)),
  "--num-keys-in-fcall": ({ options }, value) =>
    void (options.functionKeys = Math.max(0, leadingInteger(value))),
  "--sni": ({ tls }, value) => void (tls.serverName = value),
  "--cacert": ({ tls }, value) => void (tls.caFile = value),
  "--cacertdir": ({ tls }, value) => void (tls.caFolder = value),
  "--cert": ({ tls }, value) => void (tls.certFile = value),
  "--key": ({ tls }, value) => void (tls.keyFile = value),
  "--tls-ciphers": ({ tls }, value) => void (tls.ciphers = value),
  // The runtime's TLS has no choice of TLS 1.3 suites: it takes the best that both sides know.
  "--tls-ciphersuites": () => undefined,
};

/** Arguments are byte strings; `program` is what the user calls us. */
export function parseOptions(args: readonly string[], program: string): ParsedOptions {
  const draft = newDraft();
  let at = 0;
  for (; at < args.length && args[at].startsWith("-"); at++) {
    const name = args[at];
    if (name === "--help") return { output: usage(program), errors: "", exitCode: 0 };
    if (name === "-v" || name === "--version") {
      return { output: `${program} ${BUNSEN.version}\n`, errors: "", exitCode: 0 };
    }
    const outcome = applyOption(draft, args, at);
    if (outcome === INVALID) {
      const complaint = `Invalid option "${name}" or option argument missing\n\n`;
      return { output: complaint + usage(program), errors: "", exitCode: 1 };
    }
    if (outcome !== undefined) return { output: "", errors: outcome.errors, exitCode: 1 };
    if (Object.hasOwn(SETTINGS, name)) at++;
  }
  const { options, address, tls, isTls, warnings } = draft;
  return {
    options: {
      ...options,
      address: { ...address, tls: isTls ? tls : null },
      command: args.slice(at),
    },
    warnings,
  };
}

function applyOption(draft: Draft, args: readonly string[], at: number): Outcome {
  const name = args[at];
  if (Object.hasOwn(SWITCHES, name)) return SWITCHES[name](draft);
  if (!Object.hasOwn(SETTINGS, name) || at + 1 === args.length) return INVALID;
  return SETTINGS[name](draft, args[at + 1]);
}

function newDraft(): Draft {
  const address = { host: "127.0.0.1", port: 6379, path: null, timeoutMs: 0, tls: null };
  return {
    options: {
      address: { ...address, family: 0 },
      user: null,
      password: null,
      database: 0,
      clients: 50,
      requests: 100_000,
      dataBytes: 3,
      pipeline: 1,
      keyspace: null,
      isKeptAlive: true,
      isQuiet: false,
      isCsv: false,
      repeatsForEver: false,
      isIdle: false,
      readsStandardInput: false,
      isTracking: false,
      isResp3: false,
      drawsHistogram: false,
      tests: null,
      digits: DIGITS_DEFAULT,
      threads: 0,
      seed: null,
      functions: 10,
      functionKeys: 1,
      command: [],
    },
    address: { ...address, family: 0 },
    tls: {
      serverName: null,
      caFile: null,
      caFolder: null,
      certFile: null,
      keyFile: null,
      ciphers: null,
      isInsecure: false,
    },
    warnings: [],
    isTls: false,
  };
}

function setPort({ address }: Draft, port: number): Outcome {
  if (port < 0 || port > 65535) return { errors: "Invalid server port.\n" };
  address.port = port;
}

function setUri(draft: Draft, value: string): Outcome {
  const uri = parseServerUri(value);
  const { options, address } = draft;
  if (uri.isTls) draft.isTls = true;
  if (uri.user !== undefined) options.user = uri.user;
  if (uri.password !== undefined) options.password = uri.password;
  if (uri.host !== undefined) address.host = uri.host;
  if (uri.database !== undefined) options.database = uri.database;
  return uri.port === undefined ? undefined : setPort(draft, uri.port);
}

function setKeyspace({ options }: Draft, value: string): Outcome {
  if (value.startsWith("-") && !/^-\d/.test(value)) return INVALID;
  options.keyspace = Math.max(0, leadingInteger(value));
}

/** Without a digit nothing could be told apart, so 0 counts as 1. */
function setPrecision({ options }: Draft, value: string): Outcome {
  const digits = leadingInteger(value);
  options.digits = digits < 0 ? DIGITS_DEFAULT : clamp(digits, 1, DIGITS_MAX);
}

function setThreads({ options, warnings }: Draft, value: string): Outcome {
  const threads = leadingInteger(value);
  if (threads > THREADS_MAX) {
    warnings.push(`WARNING: Too many threads, limiting threads to ${THREADS_MAX}.\n`);
  }
  options.threads = clamp(threads, 0, THREADS_MAX);
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function usage(program: string): string {
  return `Usage: ${program} [OPTIONS] [COMMAND ARGS...]

Server:
 -h <host>            Host (127.0.0.1)
 -p <port>            Port (6379)
 -s <path>            Unix socket, in place of host and port
 -u <uri>             redis://[[user:]password@]host[:port][/database]; rediss:// for TLS
 -a <password>        Password
 --user <name>        User name for AUTH, with -a
 --dbnum <number>     Database to SELECT (0)
 -3                   RESP3
 --enable-tracking    CLIENT TRACKING on, for every connection

Load:
 -c <count>           Parallel connections (50)
 -n <count>           Requests in all (100000)
 -P <count>           Requests that are sent at a time (1)
 -d <bytes>           Size of values (3)
 -r <count>           Numbers from 0 to count - 1, of 12 digits, in place of __rand_int__ in
                      keys and arguments; without -r all requests are the same
 -t <tests>           Only these tests, separated by commas; ping,set,get for instance
 -k <0|1>             0: a new connection for each batch (1)
 -l                   Repeat for ever
 -I                   Only open connections, and wait
 -x                   Read the command's last argument from standard input
 --threads <count>    Threads that share the connections; without it, none beside the first
 --seed <number>      Repeat the same random numbers
 --num-functions <n>  Functions of the library that the test function_load loads (10)
 --num-keys-in-fcall <n>
                      Keys that the test fcall passes (1)

Output:
 -q                   One line per test
 --csv                CSV
 --precision <n>      Significant digits of latencies, 1 to 4 (3)
 --histogram          Draw the latencies also when the output is no terminal

TLS:
 --tls                Use TLS
 --sni <host>         Server name to ask for
 --cacert <file>      Certificate of the authority that vouches for the server
 --cacertdir <dir>    Directory of such certificates
 --insecure           Accept any certificate
 --cert <file>        Our certificate
 --key <file>         Our private key
 --tls-ciphers <list> Ciphers up to TLS 1.2
 --tls-ciphersuites <list>
                      Accepted and without effect

 --help               Print this
 --version            Print the version

Examples:
 ${program}                                          all tests
 ${program} -t set,get -n 1000000 -r 100000 -P 16    two of them, a pipeline of 16
 ${program} -r 10000 lpush mylist __rand_int__       any command
`;
}
