/**
 * Figures about the keys of an RDB file, by database and type: what `check-rdb --stats` shows, under
 * the names and in the formats of valkey-check-rdb.
 */
import type { Keyspace } from "../../keyspace/keyspace.ts";
import { ValueType } from "../../keyspace/record.ts";
import type { CheckedValue } from "../../persistence/rdb-file-check.ts";
import { LatencyHistogram } from "../../runtime/latency-histogram.ts";

export type StatsFormat = "table" | "info" | "csv";

/** In the order of the columns. There are no modules, but their column is. */
const TYPES: readonly { readonly name: string; readonly type: ValueType | null }[] = [
  { name: "string", type: ValueType.STRING },
  { name: "list", type: ValueType.LIST },
  { name: "set", type: ValueType.SET },
  { name: "zset", type: ValueType.ZSET },
  { name: "hash", type: ValueType.HASH },
  { name: "module", type: null },
  { name: "stream", type: ValueType.STREAM },
];
const NAME_COLUMNS = 30;
const VALUE_COLUMNS = 5;

/** What is counted of the values of one type in one database. */
class TypeStats {
  keys = 0;
  expires = 0;
  alreadyExpired = 0;
  keyBytes = 0;
  elements = 0;
  elementBytes = 0;
  elementsMax = 0;
  elementBytesMax = 0;
  readonly counts = new LatencyHistogram();
  readonly sizes = new LatencyHistogram();

  addElement(bytes: number): void {
    this.elementBytes += bytes;
    this.elementBytesMax = Math.max(this.elementBytesMax, bytes);
    this.sizes.record(bytes, 1);
  }

  addValue(elements: number): void {
    this.elements += elements;
    this.elementsMax = Math.max(this.elementsMax, elements);
    this.counts.record(elements, 1);
  }
}

/** Names of the figures, and how each is told. */
const FIGURES: readonly (readonly [name: string, text: (stats: TypeStats) => string])[] = [
  ["keys.total", (stats) => `${stats.keys}`],
  ["expire_keys.total", (stats) => `${stats.expires}`],
  ["already_expired.total", (stats) => `${stats.alreadyExpired}`],
  ["keys.size", (stats) => `${stats.keyBytes}`],
  ["keys.value_size", (stats) => `${stats.elementBytes}`],
  ["elements.total", (stats) => `${stats.elements}`],
  ["elements.size", (stats) => `${stats.elementBytes}`],
  ["elements.num.max", (stats) => `${stats.elementsMax}`],
  ["elements.num.avg", (stats) => ratio(stats.elements, stats.keys)],
  ["elements.num.p99", (stats) => percentile(stats.counts, 99)],
  ["elements.num.p90", (stats) => percentile(stats.counts, 90)],
  ["elements.num.p50", (stats) => percentile(stats.counts, 50)],
  ["elements.size.max", (stats) => `${stats.elementBytesMax}`],
  ["elements.size.avg", (stats) => ratio(stats.elementBytes, stats.elements)],
  ["elements.size.p99", (stats) => percentile(stats.sizes, 99)],
  ["elements.size.p90", (stats) => percentile(stats.sizes, 90)],
  ["elements.size.p50", (stats) => percentile(stats.sizes, 50)],
];

export class DatasetStats {
  /** By database, then by type in the order of TYPES. */
  private readonly databases = new Map<number, TypeStats[]>();

  add(value: CheckedValue): void {
    const { decoder, keyspace } = value;
    const column = TYPES.findIndex(({ type }) => type === decoder.type);
    const stats = this.statsOf(value.database)[column];
    stats.keys++;
    stats.keyBytes += value.keyLength;
    if (value.expires) stats.expires++;
    if (value.isExpired) stats.alreadyExpired++;
    if (decoder.type === ValueType.STRING) {
      stats.addElement(decoder.text.length);
      stats.addValue(1);
    } else addElements(stats, keyspace, decoder.type, decoder.root, decoder.encoding);
  }

  /** The lines of a format. */
  lines(format: StatsFormat): string[] {
    this.statsOf(0);
    const sorted = [...this.databases].toSorted(([a], [b]) => a - b);
    return sorted.flatMap(([database, types]) =>
      format === "info" ? infoLines(types, database) : tableLines(types, database, format),
    );
  }

  private statsOf(database: number): TypeStats[] {
    let types = this.databases.get(database);
    if (types === undefined) {
      types = TYPES.map(() => new TypeStats());
      this.databases.set(database, types);
    }
    return types;
  }
}

function addElements(
  stats: TypeStats,
  keyspace: Keyspace,
  type: ValueType,
  root: number,
  encoding: number,
): void {
  const { lists, sets, zsets, hashes, streams } = keyspace;
  let count = 0;
  const add = (bytes: number): void => {
    stats.addElement(bytes);
    count++;
  };
  switch (type) {
    case ValueType.LIST:
      lists.attach(root, encoding);
      for (let more = lists.seekEnd(true); more; more = lists.step(true)) {
        lists.read();
        add(lists.entry.textLength());
      }
      break;
    case ValueType.SET:
      sets.attach(root, encoding);
      sets.startWalk();
      while (sets.next()) add(sets.member.textLength());
      break;
    case ValueType.ZSET:
      zsets.attach(root, encoding);
      zsets.startWalk();
      while (zsets.next()) add(zsets.member.textLength() + `${zsets.score}`.length);
      break;
    case ValueType.HASH:
      hashes.attach(root, encoding);
      hashes.startWalk();
      while (hashes.next()) add(hashes.field.textLength() + hashes.value.textLength());
      break;
    default: {
      const { iterator, fromId, toId, piece } = streams;
      const { entry } = iterator;
      fromId.setMin();
      toId.setMax();
      iterator.start(root, fromId, toId, false);
      for (; iterator.next(); count++) {
        for (let i = 0; i < entry.fieldCount; i++) {
          if (i > 0) entry.nextField();
          piece.read(entry.view, entry.fieldAt);
          const fieldBytes = piece.textLength();
          piece.read(entry.view, entry.valueAt);
          stats.addElement(fieldBytes + piece.textLength());
        }
      }
    }
  }
  stats.addValue(count);
}

function infoLines(types: readonly TypeStats[], database: number): string[] {
  return FIGURES.flatMap(([name, text]) =>
    types.map((stats, i) => `[info] db.${database}.type.${TYPES[i].name}.${name}:${text(stats)}`),
  );
}

function tableLines(
  types: readonly TypeStats[],
  database: number,
  format: Exclude<StatsFormat, "info">,
): string[] {
  const rows = [
    ["type.name", ...TYPES.map(({ name }) => name)],
    ...FIGURES.map(([name, text]) => [name, ...types.map(text)]),
  ];
  return rows.map(([name, ...cells]) => {
    const head = `db.${database}.${name}`;
    if (format === "csv") return [head, ...cells].join(",");
    return [head.padEnd(NAME_COLUMNS), ...cells.map((cell) => cell.padEnd(VALUE_COLUMNS))].join(
      "\t",
    );
  });
}

function ratio(part: number, whole: number): string {
  return (whole === 0 ? 0 : part / whole).toFixed(2);
}

function percentile(histogram: LatencyHistogram, share: number): string {
  return (histogram.total === 0 ? 0 : histogram.valueAt(share)).toFixed(2);
}
