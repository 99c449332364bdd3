/**
 * What differs between the types of values: one row per ValueType.
 *
 * Everything that handles keys of any type (deleting, COPY, RENAME, TYPE, OBJECT ENCODING, MEMORY
 * USAGE) treats inline values as bytes and asks the row only for what hangs below a root block. So
 * a new type adds its row here and nothing else in this layer.
 *
 * Why a table and not a class per value: a value is a reference in the arena, and no object of the
 * collector's may exist per key.
 */
import { parseInteger, parseInt64 } from "../base/integer.ts";
import { type Arena, Ref, blockBytes } from "../memory/arena.ts";
import { prefixBytes, storedLength } from "../memory/stored-bytes.ts";
import {
  compactHash,
  compactHashStep,
  duplicateHash,
  freeHash,
  freeHashStep,
  hashBlocks,
  hashMemoryBytes,
} from "../types/hash.ts";
import {
  compactSet,
  compactSetStep,
  duplicateSet,
  freeSet,
  freeSetStep,
  setBlocks,
  setMemoryBytes,
} from "../types/set.ts";
import {
  ListEncoding,
  compactList,
  compactListStep,
  duplicateList,
  freeList,
  freeListStep,
  listBlocks,
  listMemoryBytes,
} from "../types/list.ts";
import {
  compactStream,
  duplicateStream,
  freeStream,
  freeStreamStep,
  streamBlocks,
  streamMemoryBytes,
} from "../types/stream-blocks.ts";
import { ZsetEncoding } from "../types/zset.ts";
import {
  compactZset,
  compactZsetStep,
  duplicateZset,
  freeZset,
  freeZsetStep,
  zsetBlocks,
  zsetMemoryBytes,
} from "../types/zset-blocks.ts";
import {
  Meta,
  StringEncoding,
  encodingOf,
  keyLength,
  metaOf,
  recordBytes,
  rootOf,
  typeOf,
  valueAt,
  viewOf,
} from "./record.ts";

export interface ValueTypeRow {
  /** As TYPE and the option TYPE of SCAN name it. */
  readonly name: string;
  /** As OBJECT ENCODING names the value of this record. */
  encodingName(arena: Arena, record: number): string;
  /** Frees a root block of this encoding and all that hangs below it. O(blocks). */
  free(arena: Arena, root: number, encoding: number): void;
  /** A root block with a copy of all that hangs below this one. O(bytes). Grows the arena. */
  duplicate(arena: Arena, root: number, encoding: number): number;
  /**
   * Moves those of the root block and of all below it that lie in sparse spans (`Arena.isSparse`),
   * and returns the root's reference, which may be another one then. O(blocks).
   */
  compact(arena: Arena, root: number, encoding: number): number;
  /**
   * Bytes of arena memory that the root block and all below it occupy, extrapolated from some
   * `samples` of each kind of blocks. O(samples).
   */
  memoryBytes(arena: Arena, root: number, encoding: number, samples: number): number;
  /** How values that may be huge are freed and moved in steps; else only in one go. */
  readonly steps?: ValueSteps;
}

interface ValueSteps {
  /** Blocks of the value, roughly. O(1). */
  blocks(arena: Arena, root: number, encoding: number): number;
  /**
   * Frees some hundred blocks. Returns a cursor for the next step, or 0 when all are gone, the root
   * too. Requires: `cursor` is 0 at first, and what the last step returned then.
   */
  free(arena: Arena, root: number, encoding: number, cursor: number): number;
  /**
   * Moves some hundred blocks below the root that lie in sparse spans. Returns a cursor for the
   * next step, or 0 at the end; the value may change between the steps, and become another one.
   */
  compact?(arena: Arena, root: number, encoding: number, cursor: number): number;
}

/** The row of a type whose values are inline always. */
function inlineType(
  name: string,
  encodingName: (arena: Arena, record: number) => string,
): ValueTypeRow {
  const refuse = (): never => {
    throw new Error(`a ${name} has no root block`);
  };
  return {
    name,
    encodingName,
    free: refuse,
    duplicate: refuse,
    compact: refuse,
    memoryBytes: refuse,
  };
}

/** By SetEncoding, and by HashEncoding. */
const SET_ENCODINGS = ["intset", "listpack", "hashtable"];
const HASH_ENCODINGS = ["listpack", "hashtable"];

/** By ValueType. */
export const VALUE_TYPES: readonly ValueTypeRow[] = [
  inlineType("string", stringEncodingName),
  {
    name: "list",
    encodingName: (arena, record) =>
      encodingOf(metaOf(arena, record)) === ListEncoding.LISTPACK ? "listpack" : "quicklist",
    free: freeList,
    duplicate: duplicateList,
    compact: compactList,
    memoryBytes: listMemoryBytes,
    steps: { blocks: listBlocks, free: freeListStep, compact: compactListStep },
  },
  {
    name: "set",
    encodingName: (arena, record) => SET_ENCODINGS[encodingOf(metaOf(arena, record))],
    free: freeSet,
    duplicate: duplicateSet,
    compact: compactSet,
    memoryBytes: setMemoryBytes,
    steps: { blocks: setBlocks, free: freeSetStep, compact: compactSetStep },
  },
  {
    name: "zset",
    encodingName: (arena, record) =>
      encodingOf(metaOf(arena, record)) === ZsetEncoding.LISTPACK ? "listpack" : "skiplist",
    free: freeZset,
    duplicate: duplicateZset,
    compact: compactZset,
    memoryBytes: zsetMemoryBytes,
    steps: { blocks: zsetBlocks, free: freeZsetStep, compact: compactZsetStep },
  },
  {
    name: "hash",
    encodingName: (arena, record) => HASH_ENCODINGS[encodingOf(metaOf(arena, record))],
    free: freeHash,
    duplicate: duplicateHash,
    compact: compactHash,
    memoryBytes: hashMemoryBytes,
    steps: { blocks: hashBlocks, free: freeHashStep, compact: compactHashStep },
  },
  {
    name: "stream",
    encodingName: () => "stream",
    free: freeStream,
    duplicate: duplicateStream,
    compact: compactStream,
    memoryBytes: streamMemoryBytes,
    steps: { blocks: streamBlocks, free: freeStreamStep },
  },
];

/**
 * Bytes of arena memory that a key, its value and its expiry occupy, without the index, as some
 * `samples` of the value's blocks say.
 */
export function recordMemoryBytes(arena: Arena, record: number, samples: number): number {
  const meta = metaOf(arena, record);
  const view = viewOf(arena, record);
  const own = blockBytes(recordBytes(view, record, meta));
  if ((meta & Meta.ROOT) === 0) return own;
  const root = rootOf(view, record, meta);
  return own + VALUE_TYPES[typeOf(meta)].memoryBytes(arena, root, encodingOf(meta), samples);
}

/** Digits and sign of the longest int64. */
const INT64_CHARACTERS_MAX = 20;
/** Valkey 8.1 embeds a string while object, key, expiry and value together take 64 bytes at most. */
const EMBEDDED_BYTES_MAX = 64;
const OBJECT_BYTES = 16;
const EMBEDDED_KEY_OVERHEAD = 3;
const EMBEDDED_VALUE_OVERHEAD = 4;
const EMBEDDED_EXPIRY_BYTES = 8;

/** "int", "embstr" or "raw": what Valkey 8.1 would have chosen for this key and value. */
function stringEncodingName(arena: Arena, record: number): string {
  const meta = metaOf(arena, record);
  const encoding = encodingOf(meta);
  if (encoding === StringEncoding.RAW) return "raw";
  const view = viewOf(arena, record);
  const at = valueAt(view, record, meta);
  const length = storedLength(view, at);
  if (encoding === StringEncoding.AUTO && length <= INT64_CHARACTERS_MAX) {
    const bytes = arena.bytes[record >>> Ref.SEGMENT_SHIFT];
    const start = at + prefixBytes(length);
    const small = parseInteger(bytes, start, start + length);
    if (small === small || parseInt64(bytes, start, start + length) !== null) return "int";
  }
  const embedded =
    OBJECT_BYTES +
    EMBEDDED_KEY_OVERHEAD +
    keyLength(view, record) +
    ((meta & Meta.EXPIRY) !== 0 ? EMBEDDED_EXPIRY_BYTES : 0) +
    EMBEDDED_VALUE_OVERHEAD +
    length;
  return embedded <= EMBEDDED_BYTES_MAX ? "embstr" : "raw";
}
