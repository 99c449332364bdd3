import { describe, expect, test } from "bun:test";
import { commandTable } from "../../../src/commands/table.ts";
import { fullName } from "../../../src/commands/spec.ts";
import { CommandNames } from "../../../src/dispatch/command-names.ts";
import { CommandLookup } from "../../../src/dispatch/lookup.ts";
import { Args } from "../../../src/protocol/args.ts";

const table = commandTable();
const LONG_NAME = "b840fc02d524045429941cc15f59e41cb7be6c52";

/** What a request for `name` runs, by its own name. */
function reached(names: CommandNames, name: string): string | null {
  const lookup = new CommandLookup(names.topLevel());
  const args = new Args();
  args.assign([Buffer.from(name)]);
  const number = lookup.find(args, 0);
  return number < 0 ? null : fullName(table[number]);
}

describe("a command's name", () => {
  test("is its own at first", () => {
    const names = new CommandNames(table);
    for (const [number, row] of table.entries()) expect(names.find(fullName(row))).toBe(number);
    expect(names.find("nothing")).toBe(-1);
    expect(names.find("config|nothing")).toBe(-1);
    expect(names.named().length).toBe(table.length);
  });

  test("is the one that it was given, and no longer its own", () => {
    const names = new CommandNames(table);
    const numbers = [names.find("config"), names.find("config|get")];
    expect(names.rename("CONFIG", LONG_NAME)).toBeNull();
    expect([names.find(LONG_NAME), names.find(`${LONG_NAME}|get`)]).toEqual(numbers);
    expect([names.find("config"), names.find("config|get")]).toEqual([-1, -1]);
    expect(reached(names, LONG_NAME.toUpperCase())).toBe("config");
    expect(reached(names, "config")).toBeNull();
    expect(reached(names, "get")).toBe("get");
    expect(names.named().length).toBe(table.length);
  });

  test("can be another one's that was renamed before", () => {
    const names = new CommandNames(table);
    expect(names.rename("get", "fetch")).toBeNull();
    expect(names.rename("set", "get")).toBeNull();
    expect(reached(names, "GET")).toBe("set");
    expect(reached(names, "fetch")).toBe("get");
  });

  test("can be taken away", () => {
    const names = new CommandNames(table);
    expect(names.rename("flushall", "")).toBeNull();
    expect(names.rename("client", "")).toBeNull();
    expect(reached(names, "flushall")).toBeNull();
    const left = names.named().map((number) => fullName(table[number]));
    expect(left).not.toContain("flushall");
    expect(left).not.toContain("client|list");
    expect(left).toContain("config|get");
  });

  test("must be free, and that of a command", () => {
    const names = new CommandNames(table);
    expect(names.rename("nope", "x")).toBe("No such command in rename-command");
    expect(names.rename("config|get", "x")).toBe("No such command in rename-command");
    expect(names.rename("get", "SET")).toBe("Target command name already exists");
    expect(names.rename("set", "x".repeat(256))).toBe("Target command name is too long");
  });
});
