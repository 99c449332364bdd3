/** Error replies that several commands give, to the letter of Valkey 8.1. */

export const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
export const SYNTAX = "ERR syntax error";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const NOT_A_FLOAT = "ERR value is not a valid float";
export const OUT_OF_RANGE = "ERR index out of range";
export const NO_SUCH_KEY = "ERR no such key";
export const NO_AUTH = "NOAUTH Authentication required.";
export const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
export const INTERNAL = "ERR internal error: a bug of the server, reported in its log";
export const LOADING = "LOADING Valkey is loading the dataset in memory";
export const OVERFLOW = "ERR increment or decrement would overflow";
export const STRING_TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
export const DB_OUT_OF_RANGE = "ERR DB index is out of range";
export const SAME_OBJECT = "ERR source and destination objects are the same";
export const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";

export function wrongArity(fullName: string): string {
  return `ERR wrong number of arguments for '${fullName}' command`;
}

export function invalidExpire(fullName: string): string {
  return `ERR invalid expire time in '${fullName}' command`;
}

export function subscriberOnly(fullName: string): string {
  return (
    `ERR Can't execute '${fullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / ` +
    "RESET are allowed in this context"
  );
}
