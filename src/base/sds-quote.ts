/**
 * Byte strings as quoted text, as MONITOR, the log and rewritten configuration files show them.
 *
 *   "    opens and closes            \n \r \t \a \b   the usual control characters
 *   \\   a backslash                 \xHH             any other byte outside 0x20-0x7e
 *   \"   a quote
 *
 * splitArgs (split-args.ts) reads the result back to the same bytes. O(bytes).
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HEX_DIGITS = "0123456789abcdef";

/**
 * Writes bytes[start, end) quoted and returns the offset after it. Needs room for 4 * (end - start)
 * + 2 bytes.
 */
export function writeQuoted(
  output: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let to = offset;
  output[to++] = QUOTE;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    const escape = escapeLetter(byte);
    if (escape !== 0) {
      output[to++] = BACKSLASH;
      output[to++] = escape;
    } else if (byte < 0x20 || byte > 0x7e) {
      output[to++] = BACKSLASH;
      output[to++] = 0x78;
      output[to++] = HEX_DIGITS.charCodeAt(byte >>> 4);
      output[to++] = HEX_DIGITS.charCodeAt(byte & 15);
    } else {
      output[to++] = byte;
    }
  }
  output[to++] = QUOTE;
  return to;
}

/** The letter that follows the backslash for this byte, or 0 if it has none. */
function escapeLetter(byte: number): number {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
      return byte;
    case 0x07:
      return 0x61;
    case 0x08:
      return 0x62;
    case 0x09:
      return 0x74;
    case 0x0a:
      return 0x6e;
    case 0x0d:
      return 0x72;
    default:
      return 0;
  }
}

/** bytes[start, end) quoted, as a new array. */
export function quoteBytes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const output = new Uint8Array(4 * (end - start) + 2);
  return output.slice(0, writeQuoted(output, 0, bytes, start, end));
}

/**
 * Whether the range would not survive splitArgs unquoted: it is empty, or has a space, a quote or
 * an escape in it.
 */
export function needsQuotes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte <= 0x20 || byte > 0x7e || byte === QUOTE || byte === 0x27 || byte === BACKSLASH) {
      return true;
    }
  }
  return start === end;
}
