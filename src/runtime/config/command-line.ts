/**
 * Command line and environment into configuration lines.
 *
 *   bunsen [file] [-] [--directive value ...] ...
 *
 * `--port 6380 --loglevel debug` becomes the lines `port "6380"` and `loglevel "debug"`. What
 * follows a name always belongs to it, even if it starts with "--"; only after one value does "--"
 * start the next name. A name and its values may be one argument ("--maxmemory 700mb"). `--save`
 * followed by another name, or by nothing, means `--save ""`.
 *
 * BUNSEN_<DIRECTIVE>, with _ for -, sets a directive from the environment.
 */

import { quoteArgument, splitArguments, toByteString, toLowerAscii } from "./byte-string.ts";
import { findDirective } from "./directives.ts";

const ENVIRONMENT_PREFIX = "BUNSEN_";

export interface CommandLine {
  /** The configuration file as given, or null. */
  readonly fileName: string | null;
  /** "-" as the first or last argument: more configuration comes on standard input. */
  readonly readsStandardInput: boolean;
  /** The configuration lines of the options. */
  readonly lines: string;
}

/** Arguments after the program's name, as the host gives them (UTF-16). */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const args = argv.map(toByteString);
  const hasFileName = args.length > 0 && !args[0].startsWith("-");
  let readsStandardInput = false;
  let lines = "";
  let mayStartName = true;
  for (let i = hasFileName ? 1 : 0; i < args.length; i++) {
    const arg = args[i];
    const isLast = i === args.length - 1;
    if (arg === "-" && (i === 0 || isLast)) {
      readsStandardInput = true;
    } else if (mayStartName && arg.startsWith("--")) {
      if (lines !== "") lines += "\n";
      lines += arg.slice(2) + " ";
      // A bare name waits for at least one value; "--port 6380" has it already.
      mayStartName = splitArguments(arg)?.length !== 1;
      if (!mayStartName && endsWithoutValue(arg, args[i + 1])) {
        if (toLowerAscii(arg) === "--save") lines += '""';
        mayStartName = true;
      }
    } else {
      lines += quoteArgument(arg) + " ";
      mayStartName = true;
    }
  }
  return { fileName: hasFileName ? args[0] : null, readsStandardInput, lines };
}

/** --save and --sentinel may stand without a value before another name or at the end. */
function endsWithoutValue(arg: string, next: string | undefined): boolean {
  const name = toLowerAscii(arg);
  const isOptional = name === "--save" || name === "--sentinel";
  return isOptional && (next === undefined || next.startsWith("--"));
}

export interface EnvironmentLines {
  readonly lines: string;
  /** Variables with our prefix that name no directive, for a warning. */
  readonly unknown: readonly string[];
}

/** The directives among the environment's variables, sorted by name. */
export function parseEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentLines {
  const lines: string[] = [];
  const unknown: string[] = [];
  for (const variable of Object.keys(environment).sort()) {
    const value = environment[variable];
    if (value === undefined || !variable.startsWith(ENVIRONMENT_PREFIX)) continue;
    const name = variable.slice(ENVIRONMENT_PREFIX.length).replaceAll("_", "-");
    const known = findDirective(name);
    if (known === undefined) unknown.push(variable);
    else lines.push(`${known.name} ${quoteArgument(toByteString(value))}`);
  }
  return { lines: lines.join("\n"), unknown };
}
