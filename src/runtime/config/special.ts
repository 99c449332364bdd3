/**
 * Directives with a grammar of their own: save, client-output-buffer-limit, bind and rdma-bind,
 * oom-score-adj-values, notify-keyspace-events, replicaof, latency-tracking-info-percentiles, dir.
 * A codec parses arguments, shows the value (CONFIG GET) and gives its lines (CONFIG REWRITE).
 */

import {
  CLIENT_CLASSES,
  type ClientClass,
  type ConfigValue,
  type OutputBufferLimit,
  type OutputBufferLimits,
  type ParseContext,
  type Parsed,
  type ReplicationSource,
  type SavePoint,
  type SpecialCodec,
} from "./directive.ts";
import {
  formatMemory,
  formatPercentile,
  parseFloating,
  parseLenientInteger,
  parseMemory,
} from "./numbers.ts";
import { beforeNul, quoteArgument, toLowerAscii } from "./byte-string.ts";

const WRONG_COUNT = "wrong number of arguments";
const BIND_ADDRESSES_MAX = 16;

export const DEFAULT_BIND: readonly string[] = ["*", "-::*"];
export const DEFAULT_SAVE: readonly SavePoint[] = [
  { seconds: 3600n, changes: 1 },
  { seconds: 300n, changes: 100 },
  { seconds: 60n, changes: 10000 },
];
export const DEFAULT_OUTPUT_BUFFER_LIMITS: OutputBufferLimits = {
  normal: { hardBytes: 0n, softBytes: 0n, softSeconds: 0 },
  replica: { hardBytes: 256n << 20n, softBytes: 64n << 20n, softSeconds: 60 },
  pubsub: { hardBytes: 32n << 20n, softBytes: 8n << 20n, softSeconds: 60 },
};
export const DEFAULT_OOM_SCORES: readonly number[] = [0, 200, 800];

/** Bits of notify-keyspace-events, by letter, in the order in which they are shown. */
export const KEYSPACE_EVENT_BITS: Readonly<Record<string, number>> = {
  g: 1 << 2,
  $: 1 << 3,
  l: 1 << 4,
  s: 1 << 5,
  h: 1 << 6,
  z: 1 << 7,
  x: 1 << 8,
  e: 1 << 9,
  t: 1 << 10,
  d: 1 << 13,
  n: 1 << 14,
  K: 1 << 0,
  E: 1 << 1,
  m: 1 << 11,
};
const CLASS_LETTERS = "g$lshzxetd";
const ALL_CLASSES = CLASS_LETTERS.split("").reduce((bits, c) => bits | KEYSPACE_EVENT_BITS[c], 0);

function accepted(value: ConfigValue, changed = true): Parsed {
  return { ok: true, value, changed };
}

function refused(error: string): Parsed {
  return { ok: false, error };
}

/** `save <seconds> <changes> ...`, or one empty argument for none. */
export const saveCodec: SpecialCodec = {
  parse(args, context) {
    const given = args.length === 1 && beforeNul(args[0]) === "" ? [] : args;
    const points: SavePoint[] = [];
    if (given.length % 2 !== 0) return refused("Invalid save parameters");
    for (let i = 0; i < given.length; i += 2) {
      const seconds = parseLenientInteger(given[i]);
      const changes = parseLenientInteger(given[i + 1]);
      if (seconds === null || seconds < 1n || changes === null || changes < 0n) {
        return refused("Invalid save parameters");
      }
      points.push({ seconds, changes: Number(BigInt.asIntN(32, changes)) });
    }
    // An explicit empty value drops what earlier lines of the file said, an absent one does not.
    const isReset = args.length === 1 && given.length === 0;
    const earlier = context.addsSavePoints && !isReset;
    return accepted(earlier ? [...(context.previous as readonly SavePoint[]), ...points] : points);
  },
  format(value) {
    return (value as readonly SavePoint[]).map((p) => `${p.seconds} ${p.changes}`).join(" ");
  },
  rewrite(name, value) {
    const points = saveCodec.format(value);
    return [{ text: `${name} ${points === "" ? '""' : points}`, forced: true }];
  },
};

function clientClassOf(name: string): ClientClass | null {
  const lower = toLowerAscii(beforeNul(name));
  if (lower === "slave") return "replica";
  return CLIENT_CLASSES.find((c) => c === lower) ?? null;
}

function outputBufferLimitOf(args: readonly string[]): OutputBufferLimit | null {
  const hardBytes = parseMemory(args[0]);
  const softBytes = parseMemory(args[1]);
  const seconds = parseLenientInteger(args[2]);
  if (hardBytes === null || softBytes === null || seconds === null) return null;
  const softSeconds = Number(BigInt.asIntN(32, seconds));
  return softSeconds < 0 ? null : { hardBytes, softBytes, softSeconds };
}

/** `client-output-buffer-limit <class> <hard> <soft> <soft seconds> ...`; other classes stay. */
export const outputBufferLimitCodec: SpecialCodec = {
  parse(args, context) {
    if (args.length % 4 !== 0) {
      return refused("Wrong number of arguments in buffer limit configuration.");
    }
    const limits = { ...(context.previous as OutputBufferLimits) };
    for (let i = 0; i < args.length; i += 4) {
      const clientClass = clientClassOf(args[i]);
      if (clientClass === null) {
        return refused("Invalid client class specified in buffer limit configuration.");
      }
      const limit = outputBufferLimitOf(args.slice(i + 1, i + 4));
      if (limit === null) {
        return refused(
          "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        );
      }
      limits[clientClass] = limit;
    }
    return accepted(limits);
  },
  format(value) {
    const limits = value as OutputBufferLimits;
    return CLIENT_CLASSES.map((clientClass) => {
      const { hardBytes, softBytes, softSeconds } = limits[clientClass];
      const shown = clientClass === "replica" ? "slave" : clientClass;
      return `${shown} ${hardBytes} ${softBytes} ${softSeconds}`;
    }).join(" ");
  },
  rewrite(name, value) {
    const limits = value as OutputBufferLimits;
    return CLIENT_CLASSES.map((clientClass) => {
      const { hardBytes, softBytes, softSeconds } = limits[clientClass];
      const preset = DEFAULT_OUTPUT_BUFFER_LIMITS[clientClass];
      const sizes = `${formatMemory(hardBytes)} ${formatMemory(softBytes)}`;
      const forced =
        hardBytes !== preset.hardBytes ||
        softBytes !== preset.softBytes ||
        softSeconds !== preset.softSeconds;
      return { text: `${name} ${clientClass} ${sizes} ${softSeconds}`, forced };
    });
  },
};

function parseAddresses(args: readonly string[]): Parsed {
  if (args.length > BIND_ADDRESSES_MAX) return refused("Too many bind addresses specified.");
  if (args.length === 1 && args[0] === "") return accepted([]);
  return accepted(args.map(beforeNul));
}

function rewriteAddresses(name: string, addresses: readonly string[]): string {
  return `${name} ${addresses.length === 0 ? '""' : addresses.join(" ")}`;
}

/** `bind <address> ...`. At its default it leaves the file. */
export const bindCodec: SpecialCodec = {
  parse: parseAddresses,
  format: (value) => (value as readonly string[]).join(" "),
  rewrite(name, value) {
    const addresses = value as readonly string[];
    if (addresses.join(" ") === DEFAULT_BIND.join(" ")) return [];
    return [{ text: rewriteAddresses(name, addresses), forced: true }];
  },
};

/** `rdma-bind <address> ...`. Without addresses the file's line is left alone. */
export const rdmaBindCodec: SpecialCodec = {
  parse: parseAddresses,
  format: bindCodec.format,
  rewrite(name, value) {
    const addresses = value as readonly string[];
    if (addresses.length === 0) return null;
    return [{ text: rewriteAddresses(name, addresses), forced: true }];
  },
};

/** `oom-score-adj-values <primary> <replica> <background child>`. */
export const oomScoresCodec: SpecialCodec = {
  parse(args, context) {
    if (args.length !== DEFAULT_OOM_SCORES.length) return refused(WRONG_COUNT);
    const scores: number[] = [];
    for (const arg of args) {
      const score = parseLenientInteger(arg);
      if (score === null || score < -2000n || score > 2000n) {
        return refused("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
      }
      scores.push(Number(score));
    }
    if (scores[1] < scores[0] || scores[2] < scores[1]) {
      context.config.host.warn(
        "The oom-score-adj-values configuration may not work for non-privileged processes! " +
          "Please consult the documentation.",
      );
    }
    const previous = context.previous as readonly number[];
    return accepted(scores, scores.join() !== previous.join());
  },
  format: (value) => (value as readonly number[]).join(" "),
  rewrite(name, value) {
    const text = oomScoresCodec.format(value);
    return [{ text: `${name} ${text}`, forced: text !== DEFAULT_OOM_SCORES.join(" ") }];
  },
};

/** `notify-keyspace-events <letters>`. */
export const keyspaceEventsCodec: SpecialCodec = {
  parse(args) {
    if (args.length !== 1) return refused(WRONG_COUNT);
    let bits = 0;
    for (const letter of beforeNul(args[0])) {
      const bit = letter === "A" ? ALL_CLASSES : KEYSPACE_EVENT_BITS[letter];
      if (bit === undefined) {
        return refused("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
      }
      bits |= bit;
    }
    return accepted(bits);
  },
  /** "A" stands for all classes and, as in the reference, hides an "n" beside it. */
  format(value) {
    const bits = value as number;
    const hasAll = (bits & ALL_CLASSES) === ALL_CLASSES;
    let letters = hasAll ? "A" : "";
    for (const [letter, bit] of Object.entries(KEYSPACE_EVENT_BITS)) {
      const isClass = letter === "n" || CLASS_LETTERS.includes(letter);
      if ((bits & bit) !== 0 && !(hasAll && isClass)) letters += letter;
    }
    return letters;
  },
  rewrite(name, value) {
    const letters = quoteArgument(keyspaceEventsCodec.format(value));
    return [{ text: `${name} ${letters}`, forced: value !== 0 }];
  },
};

/** `replicaof <host> <port>` or `replicaof no one`. */
export const replicaOfCodec: SpecialCodec = {
  parse(args) {
    if (args.length !== 2) return refused(WRONG_COUNT);
    const [host, portText] = args.map(beforeNul);
    if (toLowerAscii(host) === "no" && toLowerAscii(portText) === "one") return accepted(null);
    const port = parseLenientInteger(portText);
    if (port === null || port < 0n || port > 65535n) return refused("Invalid primary port");
    return accepted({ host, port: Number(port) });
  },
  format(value) {
    const source = value as ReplicationSource | null;
    return source === null ? "" : `${source.host} ${source.port}`;
  },
  rewrite(name, value) {
    if (value === null) return [];
    return [{ text: `${name} ${replicaOfCodec.format(value)}`, forced: true }];
  },
};

/** `latency-tracking-info-percentiles <percentile> ...`. */
export const percentilesCodec: SpecialCodec = {
  parse(args) {
    if (args.length === 1 && args[0] === "") return accepted([]);
    const percentiles: number[] = [];
    for (const arg of args) {
      const percentile = parseFloating(arg);
      if (percentile === null) {
        return refused("Invalid latency-tracking-info-percentiles parameters");
      }
      if (percentile > 100 || percentile < 0) {
        return refused(
          "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        );
      }
      percentiles.push(percentile);
    }
    return accepted(percentiles);
  },
  format: (value) => (value as readonly number[]).map(formatPercentile).join(" "),
  rewrite(name, value) {
    const text = percentilesCodec.format(value);
    return [{ text: `${name} ${text === "" ? '""' : text}`, forced: true }];
  },
};

/** `dir <path>`: the host changes the directory and says where that is. */
export const directoryCodec: SpecialCodec = {
  parse(args, context: ParseContext) {
    if (args.length !== 1) return refused(WRONG_COUNT);
    const path = beforeNul(args[0]);
    if (path === "") return refused("dir can't be empty");
    const { host } = context.config;
    const error = host.changeDirectory(path);
    return error === null ? accepted(host.currentDirectory()) : refused(error);
  },
  format: (value) => value as string,
  rewrite(name, value) {
    return [{ text: `${name} ${quoteArgument(value as string)}`, forced: true }];
  },
};
