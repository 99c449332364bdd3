/**
 * What commands are called from outside: their own names, unless `rename-command` gave them others,
 * or none. Rows, statistics, ACLs and errors keep the own names; subcommands cannot be renamed.
 */
import { type CommandSpec, fullName } from "../commands/spec.ts";
import { NAME_BYTES_MAX } from "./lookup.ts";

export class CommandNames {
  /** By name in lower case, of commands that are no subcommands. */
  private readonly current = new Map<string, number>();
  /** By own name, with the container's: "config|get". */
  private readonly own = new Map<string, number>();

  constructor(private readonly table: readonly CommandSpec[]) {
    for (let number = 0; number < table.length; number++) {
      const row = table[number];
      this.own.set(fullName(row), number);
      if (row.parent === undefined) this.current.set(row.name, number);
    }
  }

  /** Gives the command called `from` the name `to`, none if that is empty. An error text, or null. */
  rename(from: string, to: string): string | null {
    const number = this.current.get(from.toLowerCase());
    if (number === undefined) return "No such command in rename-command";
    this.current.delete(from.toLowerCase());
    if (to === "") return null;
    const name = to.toLowerCase();
    if (name.length > NAME_BYTES_MAX) return "Target command name is too long";
    if (this.current.has(name)) return "Target command name already exists";
    this.current.set(name, number);
    return null;
  }

  /** The number of what is called "name" or "container|name" now, in lower case; -1 = nothing is. */
  find(name: string): number {
    const bar = name.indexOf("|");
    if (bar < 0) return this.current.get(name) ?? -1;
    const container = this.current.get(name.slice(0, bar));
    if (container === undefined) return -1;
    return this.own.get(`${this.table[container].name}${name.slice(bar)}`) ?? -1;
  }

  /** Numbers of the commands that have a name, in the table's order, subcommands included. */
  named(): number[] {
    const reachable = new Set<string>();
    for (const number of this.current.values()) reachable.add(this.table[number].name);
    const numbers: number[] = [];
    for (let number = 0; number < this.table.length; number++) {
      const { name, parent } = this.table[number];
      if (reachable.has(parent ?? name)) numbers.push(number);
    }
    return numbers;
  }

  /** Names and numbers of commands that are no subcommands. */
  topLevel(): ReadonlyMap<string, number> {
    return this.current;
  }
}
