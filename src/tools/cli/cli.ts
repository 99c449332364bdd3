/**
 * `bunsen cli`: the client for a terminal, for scripts, and for looking into a server.
 *
 * It behaves as valkey-cli 8.1 does, with the same options and the same output to the byte. With a
 * command it executes that and ends; with an option such as --scan it does that; else it is a
 * dialogue (repl.ts).
 */
import { readFileSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { systemPrng } from "../../base/prng.ts";
import { fromByteString, splitArguments, toByteString } from "../../runtime/config/byte-string.ts";
import { systemText } from "../connection.ts";
import { CliExit, fail, print, printError } from "./console.ts";
import { CommandHelp, showHelp } from "./help.ts";
import { askPassword } from "./line-input.ts";
import { namesFor, type ProgramNames } from "./names.ts";
import { type CliOptions, type Mode, parseOptions, unquoteArgument } from "./options.ts";
import { hintForLine, isHelp, isTerminalOutput, repl } from "./repl.ts";
import { Session } from "./session.ts";

export async function cliMain(args: readonly string[], programName: string): Promise<number> {
  try {
    return await run(args, namesFor(programName));
  } catch (error) {
    if (error instanceof CliExit) return error.code;
    throw error;
  }
}

async function run(args: readonly string[], names: ProgramNames): Promise<number> {
  const { options, words } = parseOptions(argumentBytes(args), {
    program: names.program,
    product: names.product,
    isTerminal: isTerminalOutput(),
    password: environmentPassword(),
  });
  if (options.asksPassword) options.password = await askPassword("Please input password: ");
  const session = new Session(options);
  for (const mode of options.modes) await runMode(mode, session, names);
  if (options.scriptFile !== null) return runScript(session, options.scriptFile, words);
  if (words.length === 0) return repl(session, names, systemClock());
  return runCommand(session, words, names);
}

async function runMode(mode: Mode, session: Session, names: ProgramNames): Promise<void> {
  const clock = systemClock();
  switch (mode) {
    case "cluster":
      return fail(`${names.program}: --cluster is not supported yet\n`);
    case "latency":
      return (await import("./latency-modes.ts")).latencyMode(session, clock);
    case "latency-dist":
      return (await import("./latency-modes.ts")).latencyDistributionMode(session, clock);
    case "intrinsic-latency": {
      const { intrinsicLatencyMode } = await import("./latency-modes.ts");
      return intrinsicLatencyMode(session.options.intrinsicLatencySeconds, clock);
    }
    case "replica":
      return (await import("./sync-modes.ts")).replicaMode(session);
    case "rdb":
    case "functions-rdb":
      return (await import("./sync-modes.ts")).dumpMode(session, mode === "functions-rdb");
    case "pipe":
      return (await import("./pipe-mode.ts")).pipeMode(session, clock, systemPrng());
    case "bigkeys":
    case "memkeys":
      return (await import("./key-modes.ts")).bigKeysMode(session, mode === "memkeys");
    case "hotkeys":
      return (await import("./key-modes.ts")).hotKeysMode(session);
    case "scan":
      return (await import("./key-modes.ts")).scanMode(session);
    case "stat":
      return (await import("./stat-mode.ts")).statMode(session);
    case "lru-test":
      return (await import("./lru-test-mode.ts")).lruTestMode(session, clock, systemPrng());
    case "test-hint":
      print(`${hintForLine(await CommandHelp.load(session), session.options.hint) ?? "(null)"}\n`);
      throw new CliExit(0);
    case "test-hint-file":
      return testHints(await CommandHelp.load(session), session.options);
  }
}

/** Executes the command of the command line. */
async function runCommand(
  session: Session,
  words: readonly string[],
  names: ProgramNames,
): Promise<number> {
  const { options } = session;
  const args = options.isQuotedInput ? words.map(unquoteArgument) : [...words];
  if (!isWithoutNull(args)) {
    print("Invalid quoted string\n");
    return 1;
  }
  if (options.readsLastArgument) {
    args.push(await standardInput());
  } else if (options.stdinTag !== null) {
    const at = args.indexOf(options.stdinTag);
    if (at < 0) fail("Using -X option but stdin tag not match.\n");
    args[at] = await standardInput();
  }
  if (isHelp(args)) {
    await showHelp(session, args.slice(1), null, names.preferencesFile);
    return 0;
  }
  // A server that refuses the password may still answer; one that cannot be reached is told of
  // when the command tries again.
  await session.connect(true);
  const isDone = await session.execute(args, options.repeat);
  while (session.isSubscribed) await session.readAndPrint();
  return isDone ? 0 : 1;
}

/** --eval file key ... , argument ... */
async function runScript(
  session: Session,
  file: string,
  words: readonly string[],
): Promise<number> {
  await session.mustConnect();
  let script: string;
  try {
    script = readFileSync(fromByteString(file)).toString("latin1");
  } catch (error) {
    return fail(`Can't open file '${file}': ${systemText(error)}\n`);
  }
  const comma = words.indexOf(",");
  const keys = comma < 0 ? words : words.slice(0, comma);
  const rest = comma < 0 ? [] : words.slice(comma + 1);
  const args = ["EVAL", script, String(keys.length), ...keys, ...rest];
  return (await session.execute(args, session.options.repeat)) ? 0 : 1;
}

/** Compares hints with those of a file; the exit code is the number of differences. */
function testHints(help: CommandHelp, options: CliOptions): never {
  let lines: string[];
  try {
    lines = readFileSync(fromByteString(options.hint), "latin1").split("\n");
  } catch (error) {
    return fail(`Can't open file '${options.hint}': ${systemText(error)}\n`);
  }
  let passed = 0;
  let failed = 0;
  for (const line of lines) {
    const [input, expected] = line.startsWith("#") ? [] : (splitArguments(line) ?? []);
    if (input === undefined) continue;
    if (expected === undefined) fail(`Missing expected hint for input '${input}'\n`);
    const hint = hintForLine(help, input);
    if (options.isVerbose) {
      print(`Input: '${input}', Expected: '${expected}', Hint: '${hint ?? "(null)"}'\n`);
    }
    if (hint?.replace(/ +$/, "") === expected) {
      passed++;
      continue;
    }
    printError(`Test case '${input}' FAILED: expected '${expected}', got '${hint ?? "(null)"}'\n`);
    failed++;
  }
  print(`${failed === 0 ? "SUCCESS" : "FAILURE"}: ${passed}/${passed + failed} passed\n`);
  throw new CliExit(failed);
}

async function standardInput(): Promise<string> {
  return Buffer.from(await Bun.stdin.bytes()).toString("latin1");
}

function isWithoutNull(args: readonly (string | null)[]): args is string[] {
  return !args.includes(null);
}

function environmentPassword(): string | null {
  const password = process.env.VALKEYCLI_AUTH ?? process.env.REDISCLI_AUTH;
  return password === undefined ? null : toByteString(password);
}

/**
 * The arguments as the bytes that the system handed over. The runtime decodes them as UTF-8; what
 * was none can be read again on Linux.
 */
function argumentBytes(args: readonly string[]): string[] {
  if (args.some((arg) => arg.includes("\ufffd"))) {
    try {
      const all = readFileSync("/proc/self/cmdline").toString("latin1").split("\0").slice(0, -1);
      if (all.length >= args.length) return all.slice(all.length - args.length);
    } catch {
      // Another system: the characters that could not be decoded are lost.
    }
  }
  return args.map(toByteString);
}
