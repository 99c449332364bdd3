/**
 * How two servers' replies to the same command are compared: byte for byte unless a test names
 * one of the weaker forms. Each returns what is wrong, or null.
 */
import { formatReply, isError, type Reply } from "./reply.ts";
import type { ReceivedReply } from "./resp-client.ts";

export type Comparison =
  /** The same bytes. */
  | { readonly form: "exact" }
  /** The same elements in any order (entries of a map, elements of an array or a set). */
  | { readonly form: "sorted" }
  /** The same types and element counts all the way down; the values may differ. */
  | { readonly form: "same-shape" }
  /** Both numbers (integer, double, or a text that is one) and at most `difference` apart. */
  | { readonly form: "within"; readonly difference: number }
  /** Both errors that contain `text`. */
  | { readonly form: "error-containing"; readonly text: string }
  /** Errors byte for byte; replies that are not errors may differ in any way. */
  | { readonly form: "errors-only" }
  /** Neither is looked at. */
  | { readonly form: "ignore" };

export const EXACT: Comparison = { form: "exact" };

export function compareReplies(
  ours: ReceivedReply,
  reference: ReceivedReply,
  comparison: Comparison,
): string | null {
  const same = Buffer.compare(ours.raw, reference.raw) === 0;
  if (same && comparison.form !== "error-containing") return null;
  return holds(ours.reply, reference.reply, comparison)
    ? null
    : `replies differ (${comparison.form})\n  ours:      ${formatReply(ours.reply, "  ")}` +
        `\n  reference: ${formatReply(reference.reply, "  ")}`;
}

function holds(ours: Reply, reference: Reply, comparison: Comparison): boolean {
  switch (comparison.form) {
    case "exact":
      return false;
    case "ignore":
      return true;
    case "sorted":
      return formatReply(sorted(ours)) === formatReply(sorted(reference));
    case "same-shape":
      return shapeOf(ours) === shapeOf(reference);
    case "within":
      return areWithin(ours, reference, comparison.difference);
    case "errors-only":
      return !isError(ours) && !isError(reference);
    case "error-containing":
      return [ours, reference].every(
        (reply) => isError(reply) && formatReply(reply).includes(comparison.text),
      );
  }
}

function sorted(reply: Reply): Reply {
  if (reply.type === "map") {
    const entries = [...reply.entries].map(([key, value]) => [key, sorted(value)] as const);
    entries.sort((a, b) => compareText(formatReply(a[0]), formatReply(b[0])));
    return { ...reply, entries };
  }
  if (!("items" in reply)) return reply;
  const items = reply.items.map(sorted);
  items.sort((a, b) => compareText(formatReply(a), formatReply(b)));
  return { ...reply, items };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function shapeOf(reply: Reply): string {
  if ("items" in reply) return `${reply.type}(${reply.items.map(shapeOf).join(" ")})`;
  if (reply.type === "map") {
    return `map(${reply.entries.map(([k, v]) => `${formatReply(k)}:${shapeOf(v)}`).join(" ")})`;
  }
  return isError(reply) ? formatReply(reply) : reply.type;
}

function areWithin(ours: Reply, reference: Reply, difference: number): boolean {
  const numbers = [ours, reference].map(numberOf);
  if (ours.type !== reference.type || numbers[0] === null || numbers[1] === null) return false;
  // Negative values are codes (no expiry, no key) in the commands this form is meant for.
  if (numbers[0] < 0 || numbers[1] < 0) return numbers[0] === numbers[1];
  return Math.abs(numbers[0] - numbers[1]) <= difference;
}

function numberOf(reply: Reply): number | null {
  if (reply.type === "integer") return Number(reply.value);
  const text =
    reply.type === "double" || reply.type === "simple"
      ? reply.text
      : reply.type === "bulk"
        ? new TextDecoder("latin1").decode(reply.bytes)
        : "";
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : null;
}
