/** RDB files built by hand, and their loading into a keyspace without a server. */
import { Crc64 } from "../../src/base/crc64.ts";
import { datasetDigest } from "../../src/commands/debug-digest.ts";
import type { Keyspace } from "../../src/keyspace/keyspace.ts";
import {
  RdbLoader,
  type RdbLoadOptions,
  type RdbLoadResult,
} from "../../src/persistence/rdb-file-load.ts";
import { MemorySource } from "../../src/persistence/rdb-file-source.ts";
import type { RdbSource } from "../../src/persistence/rdb-reader.ts";
import { concat, type Part, rdbString } from "./rdb-payload.ts";
import { testKeyspace } from "./test-keyspace.ts";

const FOOTER_BYTES = 10;

/** A file of a version, with its checksum if the version has one. */
export function rdbFile(version: number | string, ...items: readonly Part[]): Uint8Array {
  const magic = typeof version === "string" ? version : `REDIS${String(version).padStart(4, "0")}`;
  const body = concat(magic, ...items, [255]);
  if (typeof version === "number" && version < 5) return body;
  const bytes = concat(body, new Uint8Array(8));
  const checksum = new Crc64();
  checksum.update(body, 0, body.length);
  checksum.write(bytes, body.length);
  return bytes;
}

/** A key with its value, given by the type's byte and its parts. */
export function rdbKey(key: string, type: number, ...value: readonly Part[]): Uint8Array {
  return concat([type], rdbString(key), ...value);
}

/** A key with the value of a DUMP payload. */
export function rdbKeyOf(key: string, payload: Uint8Array): Uint8Array {
  return rdbKey(key, payload[0], payload.subarray(1, payload.length - FOOTER_BYTES));
}

export function rdbAux(name: string, value: string): Uint8Array {
  return concat([250], rdbString(name), rdbString(value));
}

/** Eight bytes, little-endian. */
export function int64(value: bigint | number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}

/** A source that delivers at most `pieceBytes` at a time, and does not say how much it has. */
export class SlowSource implements RdbSource {
  readonly remaining = Infinity;
  private readonly source: MemorySource;

  constructor(
    bytes: Uint8Array,
    private readonly pieceBytes: number,
  ) {
    this.source = new MemorySource(bytes);
  }

  read(bytes: Uint8Array, start: number, length: number): number {
    return this.source.read(bytes, start, Math.min(length, this.pieceBytes));
  }
}

export interface Loaded {
  readonly result: RdbLoadResult;
  readonly loader: RdbLoader;
  readonly keyspace: Keyspace;
  readonly functions: string[];
  /** Lines of the log, a warning with "W " before it. */
  readonly lines: string[];
  /** DEBUG DIGEST of what was loaded. */
  digest(): string;
}

/** Loads a file, or what a source delivers. The clock stands at `nowMs`. */
export function loadFile(
  file: Uint8Array | RdbSource,
  options: Partial<RdbLoadOptions> & { readonly keyspace?: Keyspace } = {},
): Loaded {
  const keyspace = options.keyspace ?? testKeyspace().keyspace;
  const lines: string[] = [];
  const functions: string[] = [];
  const source = file instanceof Uint8Array ? new MemorySource(file) : file;
  const loader = new RdbLoader(source, keyspace, {
    log: {
      debug: () => {},
      notice: (line) => lines.push(line),
      warning: (line) => lines.push(`W ${line}`),
    },
    checksChecksum: true,
    takesNewerVersions: false,
    dropsExpired: true,
    replacesKeys: false,
    functions,
    ...options,
  });
  while (!loader.step(Infinity, Infinity, Infinity));
  const digest = () => datasetDigest(keyspace);
  return { result: loader, loader, keyspace, functions, lines, digest };
}
