/**
 * What arguments a command takes, read at run time from COMMAND DOCS of the server under test, so
 * that a new command is fuzzed from the moment it has a row. Arguments newer than the reference
 * server are left out, since it would refuse what ours takes.
 */
import { itemsOf, textOf, type Reply } from "../support/reply.ts";
import type { RespClient } from "../support/resp-client.ts";

export interface ArgumentShape {
  readonly name: string;
  readonly type: string;
  readonly token: string | null;
  readonly optional: boolean;
  readonly multiple: boolean;
  /** With `multiple`, the token is repeated before each value. */
  readonly multipleToken: boolean;
  readonly parts: readonly ArgumentShape[];
}

export interface CommandShape {
  /** As COMMAND LIST spells it, "get" or "client|list". */
  readonly name: string;
  readonly group: string;
  readonly since: string;
  readonly parts: readonly ArgumentShape[];
}

/** Shapes by name. `versionMax` leaves out arguments that came later; commands are all listed. */
export async function readShapes(
  client: Pick<RespClient, "must">,
  versionMax: string,
): Promise<Map<string, CommandShape>> {
  const shapes = new Map<string, CommandShape>();
  const documents = itemsOf(await client.must("COMMAND", "DOCS"));
  for (let i = 0; i < documents.length; i += 2) {
    addShape(shapes, textOf(documents[i]), fieldsOf(documents[i + 1]), versionMax);
  }
  return shapes;
}

export async function listCommands(client: RespClient): Promise<string[]> {
  return itemsOf(await client.must("COMMAND", "LIST")).map(textOf);
}

/** The version that the reference server implements. */
export async function versionOf(client: RespClient): Promise<string> {
  const info = textOf(await client.must("INFO", "server"));
  const match = /^valkey_version:(.*?)\r$/m.exec(info) ?? /^redis_version:(.*?)\r$/m.exec(info);
  if (match === null) throw new Error("INFO names no version");
  return match[1];
}

export function isNewer(version: string, than: string): boolean {
  const [left, right] = [version, than].map((text) => text.split(".").map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function addShape(
  shapes: Map<string, CommandShape>,
  name: string,
  fields: ReadonlyMap<string, Reply>,
  versionMax: string,
): void {
  shapes.set(name, {
    name,
    group: textField(fields, "group"),
    since: textField(fields, "since"),
    parts: argumentsOf(fields.get("arguments"), versionMax),
  });
  const subcommands = fields.get("subcommands");
  if (subcommands === undefined) return;
  const flat = itemsOf(subcommands);
  for (let i = 0; i < flat.length; i += 2) {
    addShape(shapes, textOf(flat[i]), fieldsOf(flat[i + 1]), versionMax);
  }
}

function argumentsOf(reply: Reply | undefined, versionMax: string): readonly ArgumentShape[] {
  if (reply === undefined) return [];
  const shapes: ArgumentShape[] = [];
  for (const item of itemsOf(reply)) {
    const fields = fieldsOf(item);
    if (isNewer(textField(fields, "since"), versionMax)) continue;
    const flagsReply = fields.get("flags");
    const flags = flagsReply === undefined ? [] : itemsOf(flagsReply).map(textOf);
    shapes.push({
      name: textField(fields, "name"),
      type: textField(fields, "type"),
      token: fields.has("token") ? textField(fields, "token") : null,
      optional: flags.includes("optional"),
      multiple: flags.includes("multiple"),
      multipleToken: flags.includes("multiple_token"),
      parts: argumentsOf(fields.get("arguments"), versionMax),
    });
  }
  return shapes;
}

function fieldsOf(reply: Reply): ReadonlyMap<string, Reply> {
  const flat = itemsOf(reply);
  const fields = new Map<string, Reply>();
  for (let i = 0; i < flat.length; i += 2) fields.set(textOf(flat[i]), flat[i + 1]);
  return fields;
}

function textField(fields: ReadonlyMap<string, Reply>, name: string): string {
  const reply = fields.get(name);
  return reply === undefined ? "" : textOf(reply);
}
