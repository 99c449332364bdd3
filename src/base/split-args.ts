/**
 * A line split into arguments, as inline commands, configuration files and ACL files are read.
 *
 * Arguments are separated by white space. A part in double quotes may hold any byte, with the
 * escapes \n \r \t \a \b, \xHH and a backslash before any other byte; a part in single quotes knows
 * only \'. A quote may open anywhere in an argument, but after the closing quote the argument is
 * over, and white space or the end of the line must follow. The line ends at a NUL byte, as it does
 * in Redis. O(bytes).
 */

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;

/**
 * The arguments of the line in bytes[start, end), as copies, or null if its quotes are not
 * balanced.
 */
export function splitArgs(bytes: Uint8Array, start: number, end: number): Uint8Array[] | null {
  const terminator = bytes.indexOf(0, start);
  const stop = terminator >= 0 && terminator < end ? terminator : end;
  const result: Uint8Array[] = [];
  // No argument is longer than its spelling, so one buffer holds each in turn.
  const argument = new Uint8Array(stop - start);
  let at = start;
  while (true) {
    while (at < stop && isSpace(bytes[at])) at++;
    if (at === stop) return result;
    let length = 0;
    while (at < stop && !endsArgument(bytes[at])) {
      const byte = bytes[at++];
      if (byte !== DOUBLE_QUOTE && byte !== SINGLE_QUOTE) {
        argument[length++] = byte;
        continue;
      }
      while (at < stop && bytes[at] !== byte) {
        if (bytes[at] !== BACKSLASH || at + 1 === stop) {
          argument[length++] = bytes[at++];
        } else if (byte === SINGLE_QUOTE) {
          if (bytes[at + 1] === SINGLE_QUOTE) at++;
          argument[length++] = bytes[at++];
        } else if (isHexEscape(bytes, at, stop)) {
          argument[length++] = hexDigit(bytes[at + 2]) * 16 + hexDigit(bytes[at + 3]);
          at += 4;
        } else {
          argument[length++] = unescaped(bytes[at + 1]);
          at += 2;
        }
      }
      if (at === stop) return null;
      at++;
      if (at < stop && !isSpace(bytes[at])) return null;
      break;
    }
    result.push(argument.slice(0, length));
  }
}

/** C's isspace. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/**
 * An unquoted argument runs on over vertical tabs and form feeds, although they separate arguments
 * elsewhere.
 */
function endsArgument(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Whether \xHH stands at the offset, which holds the backslash. */
function isHexEscape(bytes: Uint8Array, at: number, stop: number): boolean {
  return (
    at + 3 < stop &&
    bytes[at + 1] === 0x78 &&
    hexDigit(bytes[at + 2]) >= 0 &&
    hexDigit(bytes[at + 3]) >= 0
  );
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** The byte that a backslash and this letter stand for. */
function unescaped(letter: number): number {
  switch (letter) {
    case 0x61:
      return 0x07;
    case 0x62:
      return 0x08;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return letter;
  }
}
