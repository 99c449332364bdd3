/**
 * A RESP reply as tests see it: nothing of the wire's type information is lost, so that a test
 * notices a bulk string where an integer belongs, or the wrong kind of null.
 *
 * `readReplyAt` is an independent decoder, written for tests alone; it shares no code with the
 * server, so that a mistake there cannot hide here.
 */

export type Reply =
  | { readonly type: "simple" | "error" | "double" | "bignumber"; readonly text: string }
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "bulk" | "blob-error"; readonly bytes: Uint8Array }
  | { readonly type: "verbatim"; readonly format: string; readonly bytes: Uint8Array }
  | { readonly type: "null"; readonly form: "bulk" | "array" | "resp3" }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "array" | "set" | "push"; readonly items: readonly Reply[] }
  | { readonly type: "map"; readonly entries: readonly (readonly [Reply, Reply])[] }
  | {
      readonly type: "attribute";
      readonly entries: readonly (readonly [Reply, Reply])[];
      readonly reply: Reply;
    };

/** A decoded reply and the offset just behind it. */
export interface DecodedReply {
  readonly reply: Reply;
  readonly end: number;
}

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** Decodes the reply that starts at `start`, or null when the bytes end before it does. */
export function readReplyAt(bytes: Uint8Array, start: number): DecodedReply | null {
  const lineEnd = findLineEnd(bytes, start);
  if (lineEnd < 0) return null;
  const marker = String.fromCharCode(bytes[start]);
  const line = latin1.decode(bytes.subarray(start + 1, lineEnd));
  const next = lineEnd + 2;
  switch (marker) {
    case "+":
      return { reply: { type: "simple", text: line }, end: next };
    case "-":
      return { reply: { type: "error", text: line }, end: next };
    case ",":
      return { reply: { type: "double", text: line }, end: next };
    case "(":
      return { reply: { type: "bignumber", text: line }, end: next };
    case ":":
      return { reply: { type: "integer", value: integerOf(line) }, end: next };
    case "#":
      if (line !== "t" && line !== "f") throw new Error(`malformed boolean #${line}`);
      return { reply: { type: "boolean", value: line === "t" }, end: next };
    case "_":
      if (line !== "") throw new Error(`malformed null _${line}`);
      return { reply: { type: "null", form: "resp3" }, end: next };
    case "$":
    case "!":
    case "=":
      return readBlob(bytes, next, marker, Number(integerOf(line)));
    case "*":
    case "~":
    case ">":
      return readItems(bytes, next, marker, Number(integerOf(line)));
    case "%":
    case "|":
      return readEntries(bytes, next, marker, Number(integerOf(line)));
    default:
      throw new Error(`unknown reply type ${JSON.stringify(marker + line)}`);
  }
}

/** The reply as readable text, one line per element; used in messages and in expectations. */
export function formatReply(reply: Reply, indent = ""): string {
  switch (reply.type) {
    case "simple":
      return `+${reply.text}`;
    case "error":
      return `-${reply.text}`;
    case "double":
      return `,${reply.text}`;
    case "bignumber":
      return `(${reply.text}`;
    case "integer":
      return `:${reply.value}`;
    case "bulk":
      return quoteBytes(reply.bytes);
    case "blob-error":
      return `!${quoteBytes(reply.bytes)}`;
    case "verbatim":
      return `=${reply.format}:${quoteBytes(reply.bytes)}`;
    case "null":
      return reply.form === "resp3" ? "null" : `null ${reply.form}`;
    case "boolean":
      return reply.value ? "#t" : "#f";
    case "array":
    case "set":
    case "push":
      return formatItems(reply.type, reply.items, indent);
    case "map":
      return formatEntries("map", reply.entries, indent);
    case "attribute":
      return `${formatEntries("attribute", reply.entries, indent)}\n${indent}${formatReply(reply.reply, indent)}`;
  }
}

export function isError(reply: Reply): boolean {
  return reply.type === "error" || reply.type === "blob-error";
}

/** The text of a simple, bulk, verbatim or numeric reply; throws for the others. */
export function textOf(reply: Reply): string {
  if ("text" in reply) return reply.text;
  if ("bytes" in reply) return utf8.decode(reply.bytes);
  if (reply.type === "integer") return reply.value.toString();
  throw new Error(`the reply has no text: ${formatReply(reply)}`);
}

/** The elements of an array, set or push reply, and of a map as key, value, key, value ... */
export function itemsOf(reply: Reply): readonly Reply[] {
  if ("items" in reply) return reply.items;
  if (reply.type === "map") return reply.entries.flat();
  throw new Error(`the reply has no elements: ${formatReply(reply)}`);
}

/** Bytes as a double-quoted text; what is not printable ASCII becomes an escape. */
export function quoteBytes(bytes: Uint8Array, countMax = 400): string {
  let text = "";
  for (const byte of bytes.subarray(0, countMax)) {
    if (byte === 0x22 || byte === 0x5c) text += "\\" + String.fromCharCode(byte);
    else if (byte === 0x0a) text += "\\n";
    else if (byte === 0x0d) text += "\\r";
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += "\\x" + byte.toString(16).padStart(2, "0");
  }
  const rest = bytes.length - countMax;
  return rest > 0 ? `"${text}"... (${rest} bytes more)` : `"${text}"`;
}

function findLineEnd(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(0x0d, start); at >= 0; at = bytes.indexOf(0x0d, at + 1)) {
    if (at + 1 >= bytes.length) return -1;
    if (bytes[at + 1] === 0x0a) return at;
  }
  return -1;
}

function integerOf(text: string): bigint {
  if (!/^-?(0|[1-9][0-9]*)$/.test(text)) throw new Error(`malformed integer ${text}`);
  return BigInt(text);
}

function readBlob(bytes: Uint8Array, start: number, marker: string, length: number) {
  if (length < 0) {
    if (marker !== "$" || length !== -1) throw new Error(`malformed length ${marker}${length}`);
    return { reply: { type: "null", form: "bulk" } as Reply, end: start };
  }
  const end = start + length;
  if (bytes.length < end + 2) return null;
  if (bytes[end] !== 0x0d || bytes[end + 1] !== 0x0a) throw new Error("bulk without CRLF");
  const content = bytes.slice(start, end);
  if (marker === "$") return { reply: { type: "bulk", bytes: content } as Reply, end: end + 2 };
  if (marker === "!") {
    return { reply: { type: "blob-error", bytes: content } as Reply, end: end + 2 };
  }
  const format = latin1.decode(content.subarray(0, 3));
  const reply: Reply = { type: "verbatim", format, bytes: content.slice(4) };
  return { reply, end: end + 2 };
}

function readItems(bytes: Uint8Array, start: number, marker: string, count: number) {
  if (count < 0) {
    if (marker !== "*" || count !== -1) throw new Error(`malformed count ${marker}${count}`);
    return { reply: { type: "null", form: "array" } as Reply, end: start };
  }
  const items: Reply[] = [];
  let end = start;
  for (let i = 0; i < count; i++) {
    const item = readReplyAt(bytes, end);
    if (item === null) return null;
    items.push(item.reply);
    end = item.end;
  }
  const type = marker === "*" ? "array" : marker === "~" ? "set" : "push";
  return { reply: { type, items } as Reply, end };
}

function readEntries(bytes: Uint8Array, start: number, marker: string, count: number) {
  const flat = readItems(bytes, start, "*", count * 2);
  if (flat === null || flat.reply.type !== "array") return null;
  const entries: [Reply, Reply][] = [];
  for (let i = 0; i < flat.reply.items.length; i += 2) {
    entries.push([flat.reply.items[i], flat.reply.items[i + 1]]);
  }
  if (marker === "%") return { reply: { type: "map", entries } as Reply, end: flat.end };
  const described = readReplyAt(bytes, flat.end);
  if (described === null) return null;
  const reply: Reply = { type: "attribute", entries, reply: described.reply };
  return { reply, end: described.end };
}

function formatItems(type: string, items: readonly Reply[], indent: string): string {
  if (items.length === 0) return `${type} (empty)`;
  const deeper = indent + "  ";
  const lines = items.map((item) => `\n${deeper}${formatReply(item, deeper)}`);
  return `${type} of ${items.length}${lines.join("")}`;
}

function formatEntries(
  type: string,
  entries: readonly (readonly [Reply, Reply])[],
  indent: string,
) {
  if (entries.length === 0) return `${type} (empty)`;
  const deeper = indent + "  ";
  const lines = entries.map(
    ([key, value]) => `\n${deeper}${formatReply(key, deeper)} => ${formatReply(value, deeper)}`,
  );
  return `${type} of ${entries.length}${lines.join("")}`;
}
