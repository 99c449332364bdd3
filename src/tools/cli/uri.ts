/**
 * Server URIs, as the option -u takes them:
 *
 *   scheme://[[user:]password@][host[:port]][/database]        an IPv6 address stands in brackets
 *
 * The schemes are valkey and redis, with an s for TLS. Not the language's URL: it would rewrite
 * what users of -u write, such as a password with a slash.
 */
import { leadingInteger } from "../numbers.ts";
import { fail } from "./console.ts";

export interface ServerUri {
  readonly isTls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: number;
}

const SCHEME = /^(?:valkey|redis)(s?):\/\//i;

/** The parts of a URI; those that it does not name are absent. */
export function parseServerUri(uri: string): ServerUri {
  const scheme = SCHEME.exec(uri);
  if (scheme === null) fail("Invalid URI scheme\n");
  return { isTls: scheme[1] !== "", ...parseAuthority(uri.slice(scheme[0].length)) };
}

function parseAuthority(text: string): Omit<ServerUri, "isTls"> {
  const parts: { -readonly [name in keyof ServerUri]?: ServerUri[name] } = {};
  let rest = text;
  const at = rest.indexOf("@");
  if (at >= 0) {
    const userInfo = rest.slice(0, at);
    const colon = userInfo.indexOf(":");
    if (colon >= 0) parts.user = percentDecode(userInfo.slice(0, colon));
    parts.password = percentDecode(userInfo.slice(colon + 1));
    rest = rest.slice(at + 1);
  }
  if (rest === "") return parts;
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  if (slash !== 0) {
    const bracketed = /^\[([^\]]*)\](?::(.*))?/.exec(authority);
    const [host, port] = bracketed?.slice(1) ?? splitPort(authority);
    parts.host = host;
    if (port !== undefined) parts.port = leadingInteger(port);
  }
  if (slash >= 0 && slash + 1 < rest.length) parts.database = leadingInteger(rest.slice(slash + 1));
  return parts;
}

function splitPort(authority: string): [host: string, port: string | undefined] {
  const colon = authority.indexOf(":");
  if (colon < 0) return [authority, undefined];
  return [authority.slice(0, colon), authority.slice(colon + 1)];
}

function percentDecode(text: string): string {
  return text.replace(/%(.{0,2})/gs, (_, digits: string) => {
    if (digits === "") fail("Incomplete URI encoding\n");
    if (!/^[0-9a-f]{2}$/i.test(digits)) fail("Illegal character in URI encoding\n");
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
}
