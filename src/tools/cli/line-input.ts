/**
 * Where the dialogue's lines come from: a terminal, edited with node:readline, or a file or pipe.
 *
 * The editor of a terminal exists only while a line is typed: in between the terminal is as it was,
 * so that Ctrl-C is a signal while a command runs, and what is typed ahead waits in the terminal.
 * node:readline is imported when it is needed: the bundle would load a static import when the server
 * starts. Hints are shown behind the cursor, in grey, and taken away before anything else is written.
 */
import { fromByteString, toByteString } from "../../runtime/config/byte-string.ts";
import { print } from "./console.ts";

export interface LineInput {
  /** Whether there is a person to talk to. */
  readonly isTerminal: boolean;
  /** The next line, without its end; null at the end of input or on Ctrl-C. Byte strings. */
  read(prompt: string): Promise<string | null>;
  /** Resolves when `read` would not have to wait: a line, a key, or the end. */
  waitUntilReadable(): InputWait;
  /** Adds a line to those that the arrow keys bring back. */
  remember(line: string): void;
}

export interface InputWait {
  /** True for Ctrl-C. */
  readonly promise: Promise<boolean>;
  /** Stops waiting: what is typed from now on is for `read`. */
  stop(): void;
}

/** What the editor asks while a line is typed. Texts, not byte strings. */
export interface LineHelp {
  complete(line: string): string[];
  hint(line: string): string;
}

const HISTORY_LINES_MAX = 1000;
const CTRL_C = 0x03;
const ERASE_TO_END = "\x1b[0K";

/** Lines of a file or a pipe: no prompt, no echo, no history. */
export class PipedInput implements LineInput {
  readonly isTerminal = false;
  readonly #reader = Bun.stdin.stream().getReader();
  #text = "";
  #hasEnded = false;
  #pending: Promise<void> | null = null;

  async read(): Promise<string | null> {
    while (true) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      if (this.#hasEnded) {
        const rest = this.#text;
        this.#text = "";
        return rest === "" ? null : rest;
      }
      await this.#more();
    }
  }

  waitUntilReadable(): InputWait {
    const isReadable = this.#hasEnded || this.#text !== "";
    const promise = isReadable ? Promise.resolve(false) : this.#more().then(() => false);
    return { promise, stop: () => {} };
  }

  remember(): void {}

  /** Waits for bytes; callers share one read, since a stream gives each chunk once. */
  #more(): Promise<void> {
    this.#pending ??= this.#reader.read().then(({ done, value }) => {
      this.#pending = null;
      if (done) this.#hasEnded = true;
      else this.#text += Buffer.from(value).toString("latin1");
    });
    return this.#pending;
  }
}

/** A terminal. */
export class TerminalInput implements LineInput {
  readonly isTerminal = true;
  readonly #help: LineHelp;
  /** Newest first, as node:readline has it. */
  #history: string[];

  /** `history`: oldest first. */
  constructor(help: LineHelp, history: readonly string[]) {
    this.#help = help;
    this.#history = history.toReversed();
  }

  async read(prompt: string): Promise<string | null> {
    const { createInterface } = await import("node:readline");
    const { styleText } = await import("node:util");
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const { stdin, stdout } = process;
    const editor = createInterface({
      input: stdin,
      output: stdout,
      terminal: process.env.TERM !== "dumb",
      prompt: fromByteString(prompt),
      history: [...this.#history],
      historySize: HISTORY_LINES_MAX,
      completer: (line: string) => [this.#help.complete(line), line],
    });
    const eraseHint = (): void => void stdout.write(ERASE_TO_END);
    const showHint = (): void => {
      const { line, cursor } = editor;
      eraseHint();
      if (cursor !== line.length || line === "") return;
      const room = stdout.columns - editor.getCursorPos().cols - 1;
      const hint = this.#help.hint(line).slice(0, Math.max(0, room));
      if (hint === "") return;
      stdout.write(styleText("gray", hint) + `\x1b[${hint.length}D`);
    };
    const isEditing = editor.terminal;
    if (isEditing) {
      stdin.prependListener("keypress", eraseHint);
      stdin.on("keypress", showHint);
    }
    let isFinished = false;
    const finish = (line: string | null): void => {
      isFinished = true;
      stdin.off("keypress", eraseHint);
      stdin.off("keypress", showHint);
      resolve(line === null ? null : toByteString(line));
      editor.close();
    };
    editor.on("line", finish);
    editor.on("SIGINT", () => {
      stdout.write("^C\n");
      finish(null);
    });
    editor.on("close", () => {
      // Ctrl-D: what comes next is not on the prompt's line.
      if (!isFinished) stdout.write("\n");
      finish(null);
    });
    editor.prompt();
    return promise;
  }

  waitUntilReadable(): InputWait {
    const { stdin } = process;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const onData = (chunk: Buffer | string): void => {
      stop();
      const bytes = Buffer.from(chunk);
      if (bytes[0] !== CTRL_C) stdin.unshift(bytes);
      resolve(bytes[0] === CTRL_C);
    };
    const stop = (): void => {
      stdin.off("data", onData);
      stdin.pause();
      stdin.setRawMode(false);
    };
    stdin.setRawMode(true);
    stdin.on("data", onData);
    stdin.resume();
    return { promise, stop };
  }

  remember(line: string): void {
    const text = fromByteString(line);
    if (this.#history[0] === text) return;
    this.#history.unshift(text);
    this.#history.length = Math.min(this.#history.length, HISTORY_LINES_MAX);
  }
}

/** A password, typed unseen. */
export async function askPassword(question: string): Promise<string> {
  const { createInterface } = await import("node:readline");
  const { promise, resolve } = Promise.withResolvers<string>();
  print(question);
  const editor = createInterface({ input: process.stdin, terminal: process.stdin.isTTY });
  editor.on("line", (line) => {
    resolve(toByteString(line));
    editor.close();
  });
  editor.on("SIGINT", () => editor.close());
  editor.on("close", () => {
    print("\n");
    resolve("");
  });
  return promise;
}

/** `clear` */
export async function clearScreen(): Promise<void> {
  const { clearScreenDown, cursorTo } = await import("node:readline");
  cursorTo(process.stdout, 0, 0);
  clearScreenDown(process.stdout);
}
