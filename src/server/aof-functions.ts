/**
 * FUNCTION LOAD, DELETE and FLUSH in an append-only file, while there is nothing that runs
 * functions: their libraries are kept as text, so that rewrites and saves write them back.
 *
 * A library names itself in its first line, "#!lua name=mylib"; there is one of each name.
 */
import type { Args } from "../protocol/args.ts";

const NAME = /^#![^\n]*\bname=(\S+)/;

/** Does what the command says to the libraries. False if it is no such command. */
export function replayFunction(args: Args, libraries: string[]): boolean {
  if (args.count < 2 || !args.is(0, "FUNCTION")) return false;
  if (args.is(1, "FLUSH")) libraries.length = 0;
  else if (args.is(1, "DELETE") && args.count === 3) remove(libraries, args.text(2));
  else if (args.is(1, "LOAD") && args.count > 2) {
    const text = args.text(args.count - 1);
    const name = NAME.exec(text)?.[1];
    if (name !== undefined) remove(libraries, name);
    libraries.push(text);
  } else return false;
  return true;
}

function remove(libraries: string[], name: string): void {
  const index = libraries.findIndex((text) => NAME.exec(text)?.[1] === name);
  if (index >= 0) libraries.splice(index, 1);
}
