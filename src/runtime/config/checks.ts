/** Checks of single values beyond their kind, with the reference's error texts. */

import { isIPv4, isIPv6 } from "node:net";
import type { Config } from "./config.ts";

const HOST_NAME_LENGTH_MAX = 255;

/** A file name in the data directory, never a path. */
function checkBaseName(directive: string, noun: string, value: string): string | null {
  if (value === "") return `${directive} can't be empty`;
  return /[/\\]/.test(value) ? `${directive} can't be a path, just a ${noun}` : null;
}

export function checkDatabaseFileName(value: string): string | null {
  return checkBaseName("dbfilename", "filename", value);
}

export function checkAppendFileName(value: string): string | null {
  return checkBaseName("appendfilename", "filename", value);
}

export function checkAppendDirectoryName(value: string): string | null {
  return checkBaseName("appenddirname", "dirname", value);
}

export function checkClusterConfigFile(value: string): string | null {
  return value === "" ? "cluster-config-file can't be empty" : null;
}

export function checkShutdownFlags(flags: number): string | null {
  return (flags & 3) === 3 ? "shutdown options SAVE and NOSAVE can't be used simultaneously" : null;
}

export function checkAnnouncedNodeName(value: string): string | null {
  return /[!#$%&()*+;<>?@[\]^{|}~]/.test(value)
    ? "Announced human node name contained invalid character"
    : null;
}

export function checkAnnouncedHostName(value: string): string | null {
  if (value.length > HOST_NAME_LENGTH_MAX) return "Hostnames must be less than 256 characters";
  return /[^A-Za-z0-9.-]/.test(value)
    ? "Hostnames may only contain alphanumeric characters, hyphens or dots"
    : null;
}

export function checkIpV4(value: string): string | null {
  return value === "" || isIPv4(value) ? null : "Invalid IPv4 address";
}

/** A zone ("%eth0") is part of a socket address, not of an announced one. */
export function checkIpV6(value: string): string | null {
  const isValid = value === "" || (isIPv6(value) && !value.includes("%"));
  return isValid ? null : "Invalid IPv6 address";
}

/** Only the shape of the name: which locales exist is the operating system's business. */
export function checkLocale(value: string): string | null {
  return /^$|^(C|POSIX)(\.[\w-]+)?$|^[a-z]{2,3}_[A-Z]{2}(\.[\w-]+)?(@\w+)?$/.test(value)
    ? null
    : "Invalid locale name";
}

/** The template must consist of known variables and expand to something besides the title. */
export function checkProcessTitle(template: string, config: Config): string | null {
  const variables: Readonly<Record<string, string>> = {
    title: "",
    "listen-addr": "*",
    "server-mode": config.bool("cluster-enabled") ? "[cluster]" : "",
    "config-file": "-",
    port: "0",
    "tls-port": "0",
    unixsocket: config.string("unixsocket"),
  };
  let isKnown = true;
  const expanded = template.replace(/\{\{|\{([^}]*)(\}?)/g, (whole, name: string, end: string) => {
    if (whole === "{{") return "{";
    if (end === "" || !Object.hasOwn(variables, name)) isKnown = false;
    return variables[name] ?? "";
  });
  return isKnown && /[^ ]/.test(expanded)
    ? null
    : "template format is invalid or contains unknown variables";
}
