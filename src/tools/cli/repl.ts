/**
 * The dialogue: read a line, execute it, and so on until the end of input.
 *
 * Some words are ours, not the server's: quit, exit, clear, connect, help, and preferences that
 * begin with a colon. A number in front of a command repeats it. While channels are subscribed to,
 * messages are shown as they come, until a key is pressed.
 */
import { fromByteString, splitArguments, toByteString } from "../../runtime/config/byte-string.ts";
import type { Clock } from "../../base/clock.ts";
import { formatFixed, leadingInteger } from "../numbers.ts";
import { CliExit, print } from "./console.ts";
import { formatReply } from "./format.ts";
import { CommandHelp, showHelp } from "./help.ts";
import { hintFor } from "./hints.ts";
import {
  appendHistory,
  historyPath,
  isSensitive,
  loadHistory,
  loadPreferences,
} from "./history.ts";
import {
  clearScreen,
  type LineHelp,
  type LineInput,
  PipedInput,
  TerminalInput,
} from "./line-input.ts";
import type { ProgramNames } from "./names.ts";
import type { Session } from "./session.ts";

/** Commands that take longer say how long they took. */
const SLOW_US = 500_000;

interface Dialogue {
  readonly session: Session;
  readonly names: ProgramNames;
  readonly clock: Clock;
  readonly input: LineInput;
  readonly help: CommandHelp | null;
  readonly historyFile: string | null;
  readonly preferences: Preferences;
}

interface Preferences {
  showsHints: boolean;
}

export async function repl(session: Session, names: ProgramNames, clock: Clock): Promise<never> {
  const dialogue = await openDialogue(session, names, clock);
  process.on("SIGINT", () => {
    if (session.isMonitoring || session.isSubscribed) session.abort();
    else process.exit(1);
  });
  while (true) {
    const line = await dialogue.input.read(session.prompt);
    if (line === null) {
      // Leaving a subscription first, the terminal's way to the prompt.
      if (session.isSubscribed && (await session.connect())) continue;
      throw new CliExit(0);
    }
    if (line !== "") await executeLine(dialogue, line);
    if (session.isSubscribed) await showMessages(dialogue);
  }
}

async function openDialogue(
  session: Session,
  names: ProgramNames,
  clock: Clock,
): Promise<Dialogue> {
  const preferences = { showsHints: true };
  const common = { session, names, clock, preferences };
  await session.connect();
  if (!process.stdin.isTTY) {
    session.isInteractive = true;
    return { ...common, input: new PipedInput(), help: null, historyFile: null };
  }
  const help = await CommandHelp.load(session);
  session.isInteractive = true;
  for (const line of loadPreferences(names)) {
    const args = splitArguments(line);
    if (args !== null && args.length > 0) setPreference(common, args, `${names.preferencesFile}: `);
  }
  const historyFile = historyPath(names);
  const history = loadHistory(historyFile).map(fromByteString);
  const input = new TerminalInput(lineHelp(help, preferences), history);
  return { ...common, input, help, historyFile };
}

function lineHelp(help: CommandHelp, preferences: Preferences): LineHelp {
  return {
    complete: (line) => help.complete(line),
    hint(line) {
      if (!preferences.showsHints) return "";
      const hint = hintForLine(help, toByteString(line));
      if (hint === null || hint === "") return "";
      return /\s$/.test(line) ? hint : ` ${hint}`;
    },
  };
}

/** The arguments that may follow a line; null if it begins with no command. */
export function hintForLine(help: CommandHelp, line: string): string | null {
  const args = splitArguments(line) ?? [];
  // The last word may not be complete yet.
  const words = /\s$/.test(line) ? args : args.slice(0, -1);
  const entry = help.find(words);
  return entry === null ? null : hintFor(entry.args, words.slice(entry.words.length));
}

async function executeLine(dialogue: Dialogue, line: string): Promise<void> {
  const { session, clock } = dialogue;
  const args = splitArguments(line);
  if (args === null) {
    print("Invalid argument(s)\n");
    remember(dialogue, line, false);
    return;
  }
  if (args.length === 0) return;
  const isRepeated = args.length > 1 && /^\s*[+-]?\d+$/.test(args[0]);
  const repeat = isRepeated ? leadingInteger(args[0]) : 1;
  if (repeat <= 0 || !Number.isSafeInteger(repeat)) {
    print(`Invalid ${dialogue.names.program} repeat command option value.\n`);
    return;
  }
  const command = isRepeated ? args.slice(1) : args;
  remember(dialogue, line, isSensitive(command));
  if (await executeOwn(dialogue, args)) return;
  const startUs = clock.monotonicUs();
  if (isHelp(command)) {
    await showHelp(session, command.slice(1), dialogue.help, dialogue.names.preferencesFile);
  } else {
    await session.execute(command, repeat);
  }
  const elapsedUs = clock.monotonicUs() - startUs;
  if (elapsedUs >= SLOW_US && session.style.mode === "standard") {
    print(`(${formatFixed(elapsedUs / 1e6, 2)}s)\n`);
  }
}

export function isHelp(command: readonly string[]): boolean {
  return ["help", "?"].includes(command[0].toLowerCase());
}

/** The commands of the client itself. */
async function executeOwn(dialogue: Dialogue, args: readonly string[]): Promise<boolean> {
  const { session } = dialogue;
  const name = args[0].toLowerCase();
  if (name === "quit" || name === "exit") throw new CliExit(0);
  if (name.startsWith(":")) {
    setPreference(dialogue, args, "");
  } else if (name === "restart") {
    print("Use 'restart' only in Lua debugging mode.\n");
  } else if (name === "connect" && args.length === 3) {
    session.host = args[1];
    session.port = leadingInteger(args[2]);
    await session.connect();
  } else if (name === "clear" && args.length === 1) {
    await clearScreen();
  } else {
    return false;
  }
  return true;
}

function remember({ input, historyFile }: Dialogue, line: string, isSecret: boolean): void {
  if (!input.isTerminal) return;
  input.remember(line);
  if (!isSecret) appendHistory(historyFile, line);
}

/** :set and :get. `where` precedes messages about a line that nobody typed. */
function setPreference(
  { session, names, preferences }: Pick<Dialogue, "session" | "names" | "preferences">,
  args: readonly string[],
  where: string,
): void {
  const [name, value] = args.map((arg) => arg.toLowerCase());
  if (name === ":set" && value !== undefined) {
    if (value === "hints") preferences.showsHints = true;
    else if (value === "nohints") preferences.showsHints = false;
    else print(`${where}unknown ${names.program} preference '${args[1]}'\n`);
  } else if (name === ":get" && value !== undefined) {
    if (value === "pubsub") print(`${session.isSubscribed ? 1 : 0}\n`);
    else print(`${where}unknown ${names.program} get option '${args[1]}'\n`);
  } else {
    print(`${where}unknown ${names.program} internal command '${args[0]}'\n`);
  }
}

/** Shows messages until the user types something, or leaves with Ctrl-C. */
async function showMessages({ session, input }: Dialogue): Promise<void> {
  const isTold = session.style.mode !== "raw" && isTerminalOutput();
  const isColoured = process.env.TERM?.includes("xterm") === true;
  const note = "Reading messages... (press Ctrl-C to quit or any key to type command)\r";
  while (session.isSubscribed) {
    for (let reply = session.pollReply(); reply !== null; reply = session.pollReply()) {
      print(formatReply(reply, session.style));
      session.noteSubscription(reply);
    }
    const wait = input.waitUntilReadable();
    if (isTold) print(isColoured ? `\x1b[1;90m${note}\x1b[0m` : note);
    const arrival = session.connection?.waitForInput() ?? Promise.resolve();
    const event = await Promise.race([wait.promise, arrival.then(() => "message" as const)]);
    wait.stop();
    if (isTold) print("\x1b[K");
    if (event === true || session.isAborted) {
      session.isAborted = false;
      const { product } = session.options;
      print(`Closing current connection. Ready to reconnect to ${product} server... \n`);
      if (!(await session.connect())) throw new CliExit(1);
      return;
    }
    if (event === false) return;
    await session.readMessage();
  }
}

/** FAKETTY makes tests believe in a terminal. */
export function isTerminalOutput(): boolean {
  return process.stdout.isTTY || process.env.FAKETTY !== undefined;
}
