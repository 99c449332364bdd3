/**
 * What the one executable can be: the server, or one of the tools.
 *
 * The role is the first argument (`bunsen cli ...`), or the name that the executable was called by:
 * a link named redis-cli, valkey-cli-8 or bunsen-cli behaves as that tool. Without either it is the
 * server. Tools are loaded by a dynamic import, so that the server's start does not pay for them.
 */

/** A tool's entry point: its arguments without the role; resolves with the exit code. */
export type ToolMain = (args: readonly string[], programName: string) => Promise<number>;

export type Role = "server" | "cli" | "benchmark" | "check-rdb" | "check-aof";

/** The role, and the arguments that are left for it. */
export interface Invocation {
  readonly role: Role;
  readonly args: readonly string[];
}

const ROLES: readonly Role[] = ["server", "cli", "benchmark", "check-rdb", "check-aof"];

/** "valkey-cli", "redis-cli-7.2", "bunsen-server.exe": product, role, version. */
const LINK_NAME =
  /^(?:redis|valkey|bunsen)-(server|cli|benchmark|check-rdb|check-aof)(?:[-.]?\d[\d.]*)?(?:\.exe)?$/;

/** What the program was called as. `programName` may be a path of either kind. */
export function parseInvocation(programName: string, args: readonly string[]): Invocation {
  const name = programName.slice(
    Math.max(...["/", "\\"].map((c) => programName.lastIndexOf(c))) + 1,
  );
  const linked = LINK_NAME.exec(name)?.[1];
  if (linked !== undefined) return { role: roleOf(linked) ?? "server", args };
  const role = roleOf(args[0]);
  return role === undefined ? { role: "server", args } : { role, args: args.slice(1) };
}

function roleOf(name: string | undefined): Role | undefined {
  return ROLES.find((role) => role === name);
}

/** Loads a tool. */
export async function loadTool(role: Exclude<Role, "server">): Promise<ToolMain> {
  switch (role) {
    case "cli":
      return (await import("./cli/cli.ts")).cliMain;
    case "benchmark":
      return (await import("./benchmark/benchmark.ts")).benchmarkMain;
    case "check-aof":
      return (await import("./check-aof/check-aof.ts")).checkAofMain;
    case "check-rdb":
      return (await import("./check-rdb/check-rdb.ts")).checkRdbMain;
  }
}
