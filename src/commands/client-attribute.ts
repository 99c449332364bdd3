/** Texts that clients give themselves and CLIENT LIST shows: they must not break its lines. */
import { beforeNul } from "../runtime/config/byte-string.ts";

export const INVALID_CLIENT_NAME =
  "ERR Client names cannot contain spaces, newlines or special characters.";

/** Whether all characters are printable ASCII other than the blank; up to a NUL, as C has texts. */
export function isClientAttribute(text: string): boolean {
  return /^[!-~]*$/.test(beforeNul(text));
}
