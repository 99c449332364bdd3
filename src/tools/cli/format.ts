/**
 * Replies as text, in each of the output modes:
 *
 *   standard     for people: quoted, numbered, indented       (a terminal's default)
 *   raw          the bytes of the values                      (everybody else's default)
 *   csv          one line, quoted
 *   json         texts as they are; RESP3 maps become objects
 *   quoted-json  the same in ASCII only
 *
 * The output is valkey-cli's to the byte, because scripts parse it. Byte strings in and out.
 */
import { quoteArgument } from "../../runtime/config/byte-string.ts";
import type { AggregateReply, Reply } from "../../protocol/reply-reader.ts";

export type OutputMode = "standard" | "raw" | "csv" | "json" | "quoted-json";

export interface OutputStyle {
  readonly mode: OutputMode;
  /** Between the values of an aggregate, in raw mode. */
  readonly valueDelimiter: string;
  /** After each reply, in raw mode. */
  readonly replyDelimiter: string;
}

/** `isText`: the reply is meant to be read as it is, such as that of INFO, in any mode. */
export function formatReply(reply: Reply, style: OutputStyle, isText = false): string {
  if (isText) return formatRaw(reply, style.valueDelimiter);
  switch (style.mode) {
    case "standard":
      return formatStandard(reply, "");
    case "raw":
      return formatRaw(reply, style.valueDelimiter) + style.replyDelimiter;
    case "csv":
      return formatCsv(reply) + "\n";
    case "json":
      return formatJson(reply, jsonText) + "\n";
    case "quoted-json":
      return formatJson(reply, quotedJsonText) + "\n";
  }
}

/** A client-side caching message for people. Null if the reply is none. */
export function formatInvalidation(reply: Reply): string | null {
  if (reply.type !== "push" || reply.items.length !== 2) return null;
  const [kind, keys] = reply.items;
  if (kind.type !== "bulk" || !kind.text.startsWith("invalidate") || keys.type !== "array") {
    return null;
  }
  const names = keys.items.map((key) => `'${textOf(key)}'`);
  return `-> invalidate: ${names.join(", ")}\n`;
}

/** The text of a reply that has one, "" otherwise. */
export function textOf(reply: Reply): string {
  if ("text" in reply) return reply.text;
  return reply.type === "integer" ? reply.value.toString() : "";
}

function formatStandard(reply: Reply, prefix: string): string {
  switch (reply.type) {
    case "error":
      return `(error) ${reply.text}\n`;
    case "status":
    case "verbatim":
      return `${reply.text}\n`;
    case "integer":
      return `(integer) ${reply.value}\n`;
    case "double":
      return `(double) ${reply.text}\n`;
    case "bignumber":
      return `(big number) ${reply.text}\n`;
    case "bulk":
      return `${quoteArgument(reply.text)}\n`;
    case "null":
      return "(nil)\n";
    case "boolean":
      return reply.value ? "(true)\n" : "(false)\n";
    case "array":
    case "set":
    case "push":
    case "map":
      return formatAggregate(reply, prefix);
  }
}

function formatAggregate(reply: AggregateReply, prefix: string): string {
  const { type, items } = reply;
  if (items.length === 0) return `(empty ${type === "map" ? "hash" : type})\n`;
  const step = type === "map" ? 2 : 1;
  const width = String(items.length / step).length;
  const separator = type === "set" ? "~" : type === "map" ? "#" : ")";
  const deeper = prefix + " ".repeat(width + 2);
  const parts: string[] = [];
  for (let at = 0; at < items.length; at += step) {
    // The first element stands behind what the caller wrote.
    const indent = at === 0 ? "" : prefix;
    const number = String(at / step + 1).padStart(width);
    const text = formatStandard(items[at], deeper);
    parts.push(`${indent}${number}${separator} `);
    if (type !== "map") {
      parts.push(text);
      continue;
    }
    const value = items[at + 1];
    parts.push(text.slice(0, -1), " => ");
    if (isMultiline(value)) parts.push("\n", deeper);
    parts.push(formatStandard(value, deeper));
  }
  return parts.join("");
}

/** Whether the standard format needs several lines. */
function isMultiline(reply: Reply): boolean {
  if (!("items" in reply) || reply.items.length === 0) return false;
  const { type, items } = reply;
  if (type === "map") return items.length > 2 || isMultiline(items[1]);
  return items.length > 1 || isMultiline(items[0]);
}

function formatRaw(reply: Reply, delimiter: string): string {
  switch (reply.type) {
    case "null":
      return "";
    case "error":
      return `${reply.text}\n`;
    case "integer":
      return reply.value.toString();
    case "boolean":
      return reply.value ? "(true)" : "(false)";
    case "array":
    case "set":
    case "push":
      return reply.items.map((item) => formatRaw(item, delimiter)).join(delimiter);
    case "map":
      return pairsOf(reply)
        .map(([key, value]) => `${formatRaw(key, delimiter)} ${formatRaw(value, delimiter)}`)
        .join(delimiter);
    default:
      return reply.text;
  }
}

function formatCsv(reply: Reply): string {
  switch (reply.type) {
    case "error":
      return `ERROR,${quoteArgument(reply.text)}`;
    case "status":
    case "bulk":
    case "verbatim":
      return quoteArgument(reply.text);
    case "double":
    case "bignumber":
      return reply.text;
    case "integer":
      return reply.value.toString();
    case "null":
      return "NULL";
    case "boolean":
      return String(reply.value);
    default:
      return reply.items.map(formatCsv).join(",");
  }
}

function formatJson(reply: Reply, quote: (text: string) => string): string {
  switch (reply.type) {
    case "error":
      return `error:${quote(reply.text)}`;
    case "status":
    case "bulk":
    case "verbatim":
      return quote(reply.text);
    case "double":
    case "bignumber":
      return reply.text;
    case "integer":
      return reply.value.toString();
    case "null":
      return "null";
    case "boolean":
      return String(reply.value);
    case "map": {
      const entries = pairsOf(reply).map(
        ([key, value]) => `${formatJsonKey(key, quote)}:${formatJson(value, quote)}`,
      );
      return `{${entries.join(",")}}`;
    }
    default:
      return `[${reply.items.map((item) => formatJson(item, quote)).join(",")}]`;
  }
}

/** JSON's keys are texts, RESP3's may be anything. */
function formatJsonKey(key: Reply, quote: (text: string) => string): string {
  const text = formatJson(key, quote);
  const isText = ["error", "status", "bulk", "verbatim"].includes(key.type);
  return isText || text.startsWith('"') ? text : `"${text}"`;
}

function pairsOf(reply: AggregateReply): (readonly [Reply, Reply])[] {
  const pairs: (readonly [Reply, Reply])[] = [];
  for (let at = 0; at < reply.items.length; at += 2) {
    pairs.push([reply.items[at], reply.items[at + 1]]);
  }
  return pairs;
}

const JSON_ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
};

/** Bytes above 0x1f stay: they are taken for UTF-8. */
function jsonText(text: string): string {
  const escaped = text.replace(
    // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
    /[\\"\u0000-\u001f]/g,
    (c) => JSON_ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

function quotedJsonText(text: string): string {
  return quoteArgument(text).replaceAll("\\", "\\\\");
}
